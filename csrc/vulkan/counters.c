/* vulkan/counters.c - words of device memory that are zero between kernels.
 *
 * They are memory of their own, apart from the pool: it would never give back the chunk they lay
 * in, and reuses blocks as they are. */
#include <assert.h>
#include <stdlib.h>

#include "vulkan/internal.h"

/* Enough for many kernels in a row. */
#define N_COUNTERS (4 * VKT_MAX_COUNTERS)

struct vkt_counters {
    vkt_chunk chunk;
    vkt_block block; /* the whole chunk; never released */
    uint32_t next;
};

vkt_status vkt_counters_create(vkt_device *device)
{
    const uint64_t nbytes = N_COUNTERS * sizeof(uint32_t);
    vkt_types types;
    vkt_counters *counters = calloc(1, sizeof(*counters));
    VKT_REQUIRE(counters, VKT_OUT_OF_MEMORY, "out of host memory");
    vkt_types_choose(device, VKT_MEMORY_DEVICE, &types);
    VKT_TRY(vkt_chunk_create(device, &types, VKT_MEMORY_DEVICE, nbytes, &counters->chunk));
    device->counters = counters;
    VKT_TRY(vkt_chunk_zero(device, &counters->chunk));
    counters->block = (vkt_block){
        .device = device,
        .refs = 1,
        .kind = VKT_MEMORY_DEVICE,
        .nbytes = nbytes,
        .capacity = nbytes,
        .buffer = counters->chunk.buffer,
        .address = counters->chunk.address,
        .usage = counters->chunk.usage,
    };
    return VKT_OK;
fail:
    if (!device->counters)
        free(counters);
    return vkt_status_last();
}

void vkt_counters_destroy(vkt_device *device)
{
    if (!device->counters)
        return;
    vkt_chunk_destroy(device, &device->counters->chunk);
    free(device->counters);
    device->counters = NULL;
}

vkt_access vkt_device_counters(vkt_device *device, uint32_t n)
{
    vkt_counters *counters = device->counters;
    assert(n <= VKT_MAX_COUNTERS);
    if (counters->next + n > N_COUNTERS)
        counters->next = 0;
    uint64_t first = counters->next;
    counters->next += n;
    return (vkt_access){&counters->block, first * sizeof(uint32_t), n * sizeof(uint32_t), true};
}
