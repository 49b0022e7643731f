/* vulkan/memory.c - blocks, our own limits, the ladder out of memory, statistics. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/checked.h"
#include "vulkan/internal.h"
#include "vulkan/pool.h"

/* Blocks from this size on are events of a profile; those below are too many to tell much. */
#define NOTED_NBYTES (UINT64_C(1) << 20)

struct vkt_memory {
    vkt_mutex lock;    /* guards the rest: vkt_block_unref comes from any thread */
    vkt_pool pools[2]; /* by vkt_memory_kind */
    vkt_types types[2];
    bool one_heap; /* both kinds come from the same memory and count together */
    bool collecting;
    uint32_t max_chunks, n_chunks;
    uint64_t limit, default_limit, host_limit;
    uint64_t reserved[2];
    uint64_t in_use, peak, live_capacity;
    uint64_t n_blocks;
    uint32_t n_exported; /* blocks with exports; guarded by the caller's lock */
};

/* ---- Between the pools and the driver */

/* For profiles; called with the lock held. */
static void note_event(vkt_device *device, uint64_t began_ns, const char *what, uint64_t nbytes)
{
    const vkt_memory *memory = device->memory;
    if (device->profiled)
        vkt_profile_memory(device, began_ns, what, nbytes, memory->in_use,
                           memory->reserved[0] + memory->reserved[1]);
}

static vkt_block *take_cached(vkt_device *device, vkt_memory_kind kind, uint64_t nbytes,
                              bool reused)
{
    vkt_memory *memory = device->memory;

    vkt_mutex_lock(&memory->lock);
    vkt_block *block = vkt_pool_take(&memory->pools[kind], nbytes, vkt_queue_known(device));
    if (block) {
        vkt_metric_add(device, VKT_METRIC_blocks_allocated, 1);
        vkt_metric_add(device, VKT_METRIC_bytes_allocated, nbytes);
        vkt_metric_add(device, VKT_METRIC_blocks_reused, reused);
        memory->n_blocks++;
        memory->live_capacity += block->capacity;
        memory->in_use += nbytes;
        if (memory->in_use > memory->peak) {
            vkt_metric_add(device, VKT_METRIC_bytes_peak, memory->in_use - memory->peak);
            memory->peak = memory->in_use;
        }
        if (nbytes >= NOTED_NBYTES)
            note_event(device, vkt_profile_now(device), "alloc", nbytes);
    }
    vkt_mutex_unlock(&memory->lock);
    return block;
}

/* Gives chunks that nothing uses back to the driver until `wanted` bytes are gone. */
static void release(vkt_device *device, vkt_memory_kind kind, uint64_t wanted)
{
    vkt_memory *memory = device->memory;
    uint64_t reached = vkt_queue_known(device), freed = 0;

    vkt_mutex_lock(&memory->lock);
    while (freed < wanted) {
        vkt_chunk *chunk = vkt_pool_remove_chunk(&memory->pools[kind], reached);
        uint64_t began = vkt_profile_now(device);
        if (!chunk)
            break;
        freed += chunk->nbytes;
        memory->reserved[kind] -= chunk->nbytes;
        memory->n_chunks--;
        vkt_metric_add(device, VKT_METRIC_driver_frees, 1);
        vkt_chunk_destroy(device, chunk);
        note_event(device, began, "release", chunk->nbytes);
        free(chunk);
    }
    vkt_mutex_unlock(&memory->lock);
}

static uint64_t room_left(const vkt_memory *memory, vkt_memory_kind kind)
{
    bool own = kind == VKT_MEMORY_HOST && !memory->one_heap;
    uint64_t limit = own ? memory->host_limit : memory->limit;
    uint64_t used = memory->reserved[kind] + (memory->one_heap ? memory->reserved[!kind] : 0);
    return used < limit ? limit - used : 0;
}

/* Makes the pool able to give a block of nbytes, once. The lock is dropped while the driver
 * works: only frees come between. */
static vkt_status grow(vkt_device *device, vkt_memory_kind kind, uint64_t nbytes, bool minimal)
{
    vkt_memory *memory = device->memory;
    vkt_pool *pool = &memory->pools[kind];
    vkt_chunk *chunk = NULL;
    uint64_t began = vkt_profile_now(device);

    vkt_mutex_lock(&memory->lock);
    bool has_room = vkt_pool_cut(pool, nbytes, minimal);
    uint64_t room = vkt_min_u64(room_left(memory, kind), device->info.max_block_nbytes);
    vkt_mutex_unlock(&memory->lock);
    if (has_room)
        return VKT_OK;

    chunk = vkt_pool_new_chunk(nbytes, minimal, room);
    VKT_REQUIRE(chunk, VKT_OUT_OF_MEMORY, "out of host memory");
    VKT_REQUIRE(chunk->nbytes <= room, VKT_OUT_OF_MEMORY, "memory: the limit is reached");
    VKT_REQUIRE(memory->n_chunks < memory->max_chunks, VKT_OUT_OF_MEMORY,
                "memory: %u allocations are all there are", memory->max_chunks);
    VKT_TRY(vkt_chunk_create(device, &memory->types[kind], kind, chunk->nbytes, chunk));
    VKT_TRY(vkt_chunk_zero(device, chunk));

    vkt_mutex_lock(&memory->lock);
    memory->reserved[kind] += chunk->nbytes;
    memory->n_chunks++;
    vkt_metric_add(device, VKT_METRIC_driver_allocations, 1);
    note_event(device, began, "reserve", chunk->nbytes);
    bool added = vkt_pool_add_chunk(pool, chunk, nbytes, minimal);
    vkt_mutex_unlock(&memory->lock);
    chunk = NULL;
    VKT_REQUIRE(added, VKT_OUT_OF_MEMORY, "out of host memory");
    return VKT_OK;
fail:
    if (chunk)
        vkt_chunk_destroy(device, chunk);
    free(chunk);
    return vkt_status_last();
}

/* ---- Allocation */

/* Bytes of the kind's heap that the driver would still give, or UINT64_MAX when it does not
 * tell. */
static uint64_t ask_heap_free(const vkt_device *device, vkt_memory_kind kind)
{
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties2 properties = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = &budget};
    const vkt_types *types = &device->memory->types[kind];

    if (!device->info.memory_budget || types->n == 0)
        return UINT64_MAX;
    vkGetPhysicalDeviceMemoryProperties2(device->physical, &properties);
    uint32_t heap = device->memory_properties.memoryTypes[types->order[0]].heapIndex;
    return budget.heapBudget[heap] - vkt_min_u64(budget.heapBudget[heap], budget.heapUsage[heap]);
}

static vkt_status fail_out_of_memory(const vkt_device *device, vkt_memory_kind kind,
                                     uint64_t nbytes)
{
    vkt_memory_stats stats;
    uint64_t heap_free = ask_heap_free(device, kind);
    char heap[64] = "";

    vkt_memory_get_stats(device, &stats);
    if (heap_free != UINT64_MAX)
        (void)snprintf(heap, sizeof heap, ", heap free %" PRIu64, heap_free);
    VKT_FAIL(VKT_OUT_OF_MEMORY,
             "out of memory: %" PRIu64 " bytes asked of %s (%s); in use %" PRIu64
             ", cached %" PRIu64 ", reserved %" PRIu64 ", limit %" PRIu64 "%s",
             nbytes, device->info.name,
             kind == VKT_MEMORY_HOST ? "pinned host memory" : "device memory", stats.in_use,
             stats.cached, stats.reserved,
             kind == VKT_MEMORY_HOST && !device->memory->one_heap ? device->memory->host_limit
                                                                  : stats.limit,
             heap);
fail:
    vkt_status_set_requested(nbytes);
    return vkt_status_last();
}

static void release_all(vkt_device *device)
{
    release(device, VKT_MEMORY_DEVICE, UINT64_MAX);
    release(device, VKT_MEMORY_HOST, UINT64_MAX);
}

/* The ladder: each step is followed by one more try. */
static vkt_status alloc_slow(vkt_device *device, vkt_memory_kind kind, uint64_t nbytes,
                             vkt_block **out)
{
    vkt_memory *memory = device->memory;

    for (int step = 0;; step++) {
        if (step > 0)
            vkt_metric_add(device, VKT_METRIC_memory_retries, 1);
        switch (step) {
        case 0: /* ask the driver what is finished, before asking it for more */
            if (kind == VKT_MEMORY_HOST)
                (void)vkt_queue_reached(device);
            break;
        case 1: /* work in flight holds garbage; then as much of the cache as is asked for */
            VKT_TRY(vkt_queue_wait_inside(device, vkt_queue_next_value(device), "memory"));
            release(device, kind, nbytes);
            break;
        case 2: /* all of the cache */
            release_all(device);
            break;
        case 3: /* garbage of the language above; it may come here again */
            if (memory->collecting)
                return fail_out_of_memory(device, kind, nbytes);
            memory->collecting = true;
            vkt_the_hooks.collect();
            memory->collecting = false;
            VKT_TRY(vkt_queue_wait_inside(device, vkt_queue_next_value(device), "memory"));
            *out = take_cached(device, kind, nbytes, false);
            if (*out)
                return VKT_OK;
            release_all(device);
            break;
        default:
            return fail_out_of_memory(device, kind, nbytes);
        }
        *out = take_cached(device, kind, nbytes, false);
        if (*out)
            return VKT_OK;
        vkt_status status = grow(device, kind, nbytes, step >= 2);
        VKT_REQUIRE(!device->lost, VKT_DEVICE_LOST, "%s", device->lost_text);
        if (status != VKT_OK && status != VKT_OUT_OF_MEMORY)
            return status;
        if (status == VKT_OK) {
            *out = take_cached(device, kind, nbytes, false);
            if (*out)
                return VKT_OK;
        }
    }
fail:
    return vkt_status_last();
}

vkt_status vkt_block_alloc(vkt_device *device, uint64_t nbytes, vkt_memory_kind kind,
                           vkt_block **out)
{
    vkt_block *block;

    *out = NULL;
    VKT_TRY(vkt_device_check(device));
    VKT_REQUIRE(nbytes <= device->info.max_block_nbytes, VKT_OUT_OF_MEMORY,
                "out of memory: %" PRIu64 " bytes asked, but one block on %s has at most %" PRIu64
                " (single-allocation limit)",
                nbytes, device->info.name, device->info.max_block_nbytes);
    block = take_cached(device, kind, nbytes, true);
    if (!block)
        VKT_TRY(alloc_slow(device, kind, nbytes, &block));
    block->nbytes = nbytes;
    block->exports = 0;
    atomic_store_explicit(&block->refs, 1, memory_order_relaxed);
    *out = block;
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_block *vkt_block_ref(vkt_block *block)
{
    (void)atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
    return block;
}

void vkt_block_unref(vkt_block *block)
{
    if (!block || vkt_is_dead())
        return;
    if (atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (block->import) {
        vkt_import_drop(block);
        return;
    }
    vkt_device *device = block->device;
    vkt_mutex_lock(&device->memory->lock);
    vkt_memory *memory = device->memory;
    vkt_metric_add(device, VKT_METRIC_blocks_freed, 1);
    memory->n_blocks--;
    memory->live_capacity -= block->capacity;
    memory->in_use -= block->nbytes;
    if (block->nbytes >= NOTED_NBYTES)
        note_event(device, vkt_profile_now(device), "free", block->nbytes);
    vkt_pool_put(&memory->pools[block->kind], block, vkt_queue_known(device));
    vkt_mutex_unlock(&device->memory->lock);
}

uint32_t vkt_block_refs(const vkt_block *block)
{
    return atomic_load_explicit(&block->refs, memory_order_relaxed);
}

uint64_t vkt_block_address(const vkt_block *block)
{
    return block->address;
}

uint64_t vkt_block_nbytes(const vkt_block *block)
{
    return block->nbytes;
}

vkt_device *vkt_block_device(const vkt_block *block)
{
    return block->device;
}

void *vkt_block_host(vkt_block *block, bool *cached)
{
    if (cached)
        *cached = block->host && block->host_cached;
    return vkt_is_dead() ? NULL : block->host;
}

void vkt_block_add_export(vkt_block *block)
{
    if (block->exports++ == 0)
        block->device->memory->n_exported++;
}

void vkt_block_drop_export(vkt_block *block)
{
    if (--block->exports == 0)
        block->device->memory->n_exported--;
}

bool vkt_block_is_writable(const vkt_block *block)
{
    return !block->read_only;
}

bool vkt_blocks_share_memory(const vkt_block *a, const vkt_block *b)
{
    const char *from = a->host, *to = b->host;
    return a == b || (from && to && from < to + b->capacity && to < from + a->capacity);
}

uint64_t vkt_block_last_write(const vkt_block *block)
{
    return block->usage.write_submit;
}

uint32_t vkt_block_exports(const vkt_block *block)
{
    return block->exports + (block->import != NULL);
}

/* ---- The pool as a whole */

static uint64_t physical_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
}

static uint64_t heap_nbytes(const vkt_device *device, const vkt_types *types)
{
    uint32_t heap = device->memory_properties.memoryTypes[types->order[0]].heapIndex;
    return device->memory_properties.memoryHeaps[heap].size;
}

vkt_status vkt_memory_create(vkt_device *device)
{
    VkPhysicalDeviceProperties properties;
    vkt_memory *memory = calloc(1, sizeof *memory);

    VKT_REQUIRE(memory, VKT_OUT_OF_MEMORY, "out of host memory");
    vkt_mutex_init(&memory->lock);
    device->memory = memory;
    for (int kind = 0; kind < 2; kind++) {
        vkt_pool_init(&memory->pools[kind], device, (vkt_memory_kind)kind);
        vkt_types_choose(device, (vkt_memory_kind)kind, &memory->types[kind]);
        VKT_REQUIRE(memory->types[kind].n, VKT_UNAVAILABLE,
                    "device: %s has no %s memory that can be used", device->info.name,
                    kind == VKT_MEMORY_HOST ? "host-visible" : "device-local");
    }
    const vkt_types *local = &memory->types[VKT_MEMORY_DEVICE];
    const vkt_types *host = &memory->types[VKT_MEMORY_HOST];
    /* CPU drivers promise more than there is: the kernel would kill the process before they say
     * no. */
    uint64_t ram = physical_memory() / 4 * 3;
    memory->one_heap = device->memory_properties.memoryTypes[local->order[0]].heapIndex ==
                       device->memory_properties.memoryTypes[host->order[0]].heapIndex;
    memory->host_limit = vkt_min_u64(heap_nbytes(device, host), ram);
    memory->default_limit = heap_nbytes(device, local);
    if (device->info.kind == VKT_DEVICE_CPU)
        memory->default_limit = vkt_min_u64(memory->default_limit, ram);
    memory->limit = memory->default_limit;
    vkGetPhysicalDeviceProperties(device->physical, &properties);
    memory->max_chunks = properties.limits.maxMemoryAllocationCount;
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_memory_destroy(vkt_device *device)
{
    vkt_memory *memory = device->memory;

    if (!memory)
        return;
    for (int kind = 0; kind < 2; kind++) {
        for (vkt_chunk *chunk = memory->pools[kind].shared; chunk; chunk = chunk->next)
            vkt_chunk_destroy(device, chunk);
        for (vkt_chunk *chunk = memory->pools[kind].large; chunk; chunk = chunk->next)
            vkt_chunk_destroy(device, chunk);
    }
    if (memory->n_blocks == 0) {
        vkt_pool_free_records(&memory->pools[VKT_MEMORY_DEVICE]);
        vkt_pool_free_records(&memory->pools[VKT_MEMORY_HOST]);
        vkt_mutex_destroy(&memory->lock);
        free(memory);
        device->memory = NULL;
    }
}

uint32_t vkt_memory_exports(const vkt_device *device)
{
    return device->memory ? device->memory->n_exported : 0;
}

void vkt_memory_get_stats(const vkt_device *device, vkt_memory_stats *out)
{
    vkt_memory *memory = device->memory;

    *out = (vkt_memory_stats){0};
    if (vkt_is_dead() || !memory)
        return;
    vkt_mutex_lock(&memory->lock);
    out->in_use = memory->in_use;
    out->peak = memory->peak;
    out->reserved = memory->reserved[0] + memory->reserved[1];
    out->cached = out->reserved - memory->live_capacity;
    out->allocations = atomic_load(&device->metrics[VKT_METRIC_blocks_allocated]);
    out->driver_allocations = atomic_load(&device->metrics[VKT_METRIC_driver_allocations]);
    out->limit = memory->limit;
    vkt_mutex_unlock(&memory->lock);
}

vkt_status vkt_memory_set_limit(vkt_device *device, uint64_t nbytes)
{
    vkt_memory *memory = device->memory;

    VKT_TRY(vkt_device_check(device));
    memory->limit = nbytes ? vkt_min_u64(nbytes, memory->default_limit) : memory->default_limit;
    if (memory->reserved[0] + (memory->one_heap ? memory->reserved[1] : 0) > memory->limit)
        VKT_TRY(vkt_memory_trim(device));
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_memory_trim(vkt_device *device)
{
    vkt_memory_stats before, after;
    uint64_t began = vkt_profile_now(device);

    VKT_TRY(vkt_device_check(device));
    vkt_memory_get_stats(device, &before);
    VKT_TRY(vkt_wait(device));
    release_all(device);
    vkt_memory_get_stats(device, &after);
    if (began)
        vkt_profile_pool(device, began, "trim", before.reserved - after.reserved);
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_device_live(const vkt_device *device, vkt_live_counts *out)
{
    vkt_memory *memory = device->memory;

    *out = device->live;
    if (vkt_is_dead() || !memory)
        return;
    out->pending_submits = vkt_queue_submitted(device) - vkt_queue_known(device);
    vkt_mutex_lock(&memory->lock);
    out->blocks = memory->n_blocks + device->n_imports;
    out->block_nbytes = memory->in_use;
    vkt_mutex_unlock(&memory->lock);
}
