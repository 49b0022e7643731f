/* vulkan/transfer.c - bytes between the host and blocks: directly, or through pinned staging. */
#include "vulkan/internal.h"

#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

/* Up to here an upload is one recorded copy and nobody waits for anything. */
#define SMALL_NBYTES (64u << 10)
/* One core copies 10-14 GB/s; four fill the memory of a small machine. */
#define COPY_THREADS 4
/* About 50 us of memcpy: worth giving up the caller's lock. */
#define LONG_NBYTES (512u << 10)
/* Reads of mapped memory that is not cached cost ~1 us per 32 bytes; a copy command and its barrier
 * cost ~7 us. */
#define PEEK_NBYTES 256
/* Small uploads in flight hold at most twice this much pinned memory. */
#define WINDOW_NBYTES (32u << 20)

struct vkt_transfer {
    _Atomic unsigned copying; /* threads in a long copy, without the caller's lock */
    uint64_t staged;          /* bytes staged by small uploads in this window */
    uint64_t previous;        /* timeline value that ends the window before */
};

static vkt_status check_range(const char *op, const vkt_block *block, uint64_t offset,
                              uint64_t nbytes)
{
    uint64_t end;
    VKT_REQUIRE(vkt_add_u64(offset, nbytes, &end) && end <= block->nbytes, VKT_VALUE_ERROR,
                "%s: bytes %" PRIu64 " + %" PRIu64 " are outside a block of %" PRIu64, op, offset,
                nbytes, block->nbytes);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* Counted while the caller's lock is held: see vkt_transfer_destroy. */
void vkt_transfer_unlock(vkt_device *device)
{
    (void)atomic_fetch_add(&device->transfer->copying, 1);
    vkt_the_hooks.blocking_begin();
}

void vkt_transfer_lock(vkt_device *device)
{
    (void)atomic_fetch_sub(&device->transfer->copying, 1);
    vkt_the_hooks.blocking_end();
}

static void copy_host(vkt_device *device, void *dst, const void *src, uint64_t nbytes)
{
    if (nbytes < LONG_NBYTES) {
        memcpy(dst, src, (size_t)nbytes);
        return;
    }
    vkt_transfer_unlock(device);
    vkt_parallel_copy(dst, src, (size_t)nbytes, COPY_THREADS);
    vkt_transfer_lock(device);
}

static void write_host(vkt_block *block, uint64_t offset, const void *src, uint64_t nbytes)
{
    const vkt_access access = {block, offset, nbytes, true};
    vkt_trace_command(block->device, VKT_EVENT_HOST_WRITE, "upload", &access, 1,
                      vkt_queue_known(block->device));
    copy_host(block->device, (uint8_t *)block->host + offset, src, nbytes);
}

static void read_host(vkt_block *block, uint64_t offset, void *dst, uint64_t nbytes)
{
    const vkt_access access = {block, offset, nbytes, false};
    vkt_trace_command(block->device, VKT_EVENT_HOST_READ, "download", &access, 1,
                      vkt_queue_known(block->device));
    copy_host(block->device, dst, (const uint8_t *)block->host + offset, nbytes);
}

/* ---- Uploads */

static bool is_idle(vkt_device *device, const vkt_block *block)
{
    uint64_t last = vkt_usage_last_submit(&block->usage);
    return last <= vkt_queue_known(device) || last <= vkt_queue_reached(device);
}

/* Whether the host may write into the block itself: a discrete GPU takes 5 GB/s. */
static bool is_fast_to_write(const vkt_device *device, const vkt_block *block, uint64_t nbytes)
{
    if (!block->host)
        return false;
    return block->host_cached || device->info.unified_memory || nbytes <= SMALL_NBYTES;
}

static vkt_status count_small(vkt_device *device, uint64_t nbytes)
{
    vkt_transfer *transfer = device->transfer;
    transfer->staged += nbytes;
    if (transfer->staged < WINDOW_NBYTES)
        return VKT_OK;
    uint64_t ended = transfer->previous;
    transfer->previous = vkt_queue_next_value(device);
    transfer->staged = 0;
    VKT_TRY(vkt_flush(device));
    VKT_TRY(vkt_queue_wait_value(device, ended, "staging"));
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* The pool gives the staging block to nobody until the device has read it: released at once. */
static vkt_status upload_small(vkt_device *device, vkt_block *dst, uint64_t offset, const void *src,
                               uint64_t nbytes)
{
    vkt_block *staging = NULL;
    VKT_TRY(count_small(device, nbytes));
    VKT_TRY(vkt_block_alloc(device, nbytes, VKT_MEMORY_HOST, &staging));
    write_host(staging, 0, src, nbytes);
    VKT_TRY(vkt_copy(device, dst, offset, staging, 0, nbytes));
    vkt_block_unref(staging);
    return VKT_OK;
fail:
    vkt_block_unref(staging);
    return vkt_status_last();
}

vkt_status vkt_upload(vkt_device *device, vkt_block *dst, uint64_t offset, const void *src,
                      uint64_t nbytes)
{
    VKT_TRY(vkt_device_check(device));
    VKT_TRY(check_range("upload", dst, offset, nbytes));
    if (nbytes == 0)
        return VKT_OK;
    vkt_metric_add(device, VKT_METRIC_uploads, 1);
    vkt_metric_add(device, VKT_METRIC_bytes_uploaded, nbytes);
    uint64_t began = vkt_profile_now(device);
    bool direct = is_fast_to_write(device, dst, nbytes);
    /* On a CPU driver staging would be a second copy by the same cores: better to wait. */
    if (direct && nbytes > SMALL_NBYTES && device->info.kind == VKT_DEVICE_CPU)
        VKT_TRY(vkt_block_wait(dst, true));
    else if (direct)
        direct = is_idle(device, dst);
    if (direct)
        write_host(dst, offset, src, nbytes);
    else if (nbytes <= SMALL_NBYTES)
        VKT_TRY(upload_small(device, dst, offset, src, nbytes));
    else
        VKT_TRY(vkt_stage_upload(dst, offset, src, nbytes));
    if (began)
        vkt_profile_transferred(device, began, "upload", nbytes);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Downloads */

vkt_status vkt_download(vkt_device *device, vkt_block *src, uint64_t offset, void *dst,
                        uint64_t nbytes)
{
    VKT_TRY(vkt_device_check(device));
    VKT_TRY(check_range("download", src, offset, nbytes));
    if (nbytes == 0)
        return VKT_OK;
    vkt_metric_add(device, VKT_METRIC_downloads, 1);
    vkt_metric_add(device, VKT_METRIC_bytes_downloaded, nbytes);
    uint64_t began = vkt_profile_now(device);
    if (src->host && (src->host_cached || nbytes <= PEEK_NBYTES)) {
        VKT_TRY(vkt_block_wait(src, false));
        read_host(src, offset, dst, nbytes);
    } else {
        VKT_TRY(vkt_stage_download(src, offset, dst, nbytes));
    }
    if (began)
        vkt_profile_transferred(device, began, "download", nbytes);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Life */

vkt_status vkt_transfer_create(vkt_device *device)
{
    device->transfer = calloc(1, sizeof(*device->transfer));
    VKT_REQUIRE(device->transfer, VKT_OUT_OF_MEMORY, "device: no memory for transfers");
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* The process may end while another thread copies: its memory must not vanish under it. */
void vkt_transfer_destroy(vkt_device *device)
{
    if (!device->transfer)
        return;
    while (atomic_load(&device->transfer->copying) > 0)
        (void)sched_yield();
    vkt_team_halt();
    free(device->transfer);
    device->transfer = NULL;
}
