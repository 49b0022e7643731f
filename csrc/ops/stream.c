/* ops/stream.c - counts the elements that programs run over. */
#include "ops/stream.h"

#include "base/hash.h"
#include "ops/tuning.h"

/* By the hash of a program: two that meet are due earlier. Serialised by the Python layer. */
static uint64_t seen[8192];

bool vkt_stream_is_due(vkt_device *device, const vkt_program *program, int op, uint64_t n_elems)
{
    uint8_t key[sizeof(vkt_program)];

    if (!vkt_device_get_info(device)->serial_kernels ||
        n_elems < vkt_tuned(device, VKT_TUNE_STREAM_ELEMENTS))
        return false;
    uint64_t hash = vkt_hash64(key, vkt_program_key(program, key), (uint64_t)(op + 1));
    uint64_t *n_seen = &seen[hash % (sizeof(seen) / sizeof(seen[0]))];
    *n_seen += n_elems;
    return *n_seen >= vkt_tuned(device, VKT_TUNE_STREAM_AFTER);
}
