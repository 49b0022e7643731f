/* vulkan/staging.c - large copies between pageable memory and blocks, through a ring of pinned
 * memory that several threads fill or empty while the device works on other parts of it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "vulkan/internal.h"

/* Chunks of the ring: each is copied by one thread, so enough for all threads and for those in
 * the device's hands. */
#define RING      16u
#define MAX_CHUNK (UINT64_C(4) << 20)
#define MIN_CHUNK (UINT64_C(256) << 10)
/* Chunks that one command copies at most: the device's progress is seen by commands. */
#define BATCH 4u
/* One core copies 10-14 GB/s, the bus of an H100 takes 50. Measured there: 4 helpers 28 GB/s, 6 40,
 * 8 43, 12 42. */
#define HELPERS 8u
/* With fewer helpers the thread that submits copies too. */
#define FEW_HELPERS 3u
/* Waking helpers costs what one core copies in a megabyte. */
#define HELPED_NBYTES (UINT64_C(2) << 20)
/* About 50 us of memcpy: worth giving up the caller's lock. */
#define LONG_NBYTES (UINT64_C(512) << 10)
/* The longest time between two looks at signals. */
#define SLICE_NS UINT64_C(20000000)

typedef struct stage {
    vkt_device *device;
    vkt_block *block; /* the ring */
    uint8_t *ring, *user;
    bool up, long_lasting;
    unsigned n_helpers;
    uint64_t nbytes, chunk, n;   /* n chunks in all, the last one shorter */
    _Atomic uint64_t claimed;    /* the first chunk no thread has taken */
    _Atomic uint64_t open;       /* chunks below may be copied by the host */
    _Atomic uint64_t copied;     /* number of chunks the host has copied */
    _Atomic uint64_t last[RING]; /* 1 + the last chunk the host copied in the slot */
    _Atomic bool stop;
    /* Of the thread that submits: chunks given to the device, those it is done with, and the
     * timeline values of the others. */
    uint64_t issued, landed, values[RING];
} stage;

/* ---- The host's side ------------------------------------------------------------------------- */

static uint64_t chunk_nbytes(const stage *s, uint64_t i)
{
    return vkt_min_u64(s->chunk, s->nbytes - i * s->chunk);
}

static void copy_chunk(stage *s, uint64_t i)
{
    uint8_t *slot = s->ring + i % RING * s->chunk, *user = s->user + i * s->chunk;
    size_t nbytes = (size_t)chunk_nbytes(s, i);

    if (s->up)
        memcpy(slot, user, nbytes);
    else
        memcpy(user, slot, nbytes);
    atomic_store(&s->last[i % RING], i + 1);
    (void)atomic_fetch_add(&s->copied, 1);
}

/* First hot, then polite: what is waited for takes 0.1 ms. */
static void rest(unsigned *turns)
{
    const struct timespec nap = {.tv_nsec = 20000};

    if (++*turns < 256) {
        for (int i = 0; i < 16; i++)
            vkt_cpu_pause();
    } else if (*turns < 512) {
        (void)sched_yield();
    } else {
        (void)nanosleep(&nap, NULL);
    }
}

static void help(void *arg)
{
    stage *s = arg;

    for (;;) {
        uint64_t i = atomic_fetch_add(&s->claimed, 1);
        unsigned turns = 0;
        if (i >= s->n)
            return;
        while (i >= atomic_load(&s->open) && !atomic_load(&s->stop) && !vkt_team_halted())
            rest(&turns);
        if (atomic_load(&s->stop) || vkt_team_halted())
            return;
        copy_chunk(s, i);
    }
}

/* Copies one chunk if one may be copied now. */
static bool help_once(stage *s)
{
    uint64_t i = atomic_load(&s->claimed);

    while (i < s->n && i < atomic_load(&s->open)) {
        if (atomic_compare_exchange_weak(&s->claimed, &i, i + 1)) {
            copy_chunk(s, i);
            return true;
        }
    }
    return false;
}

/* ---- The device's side ----------------------------------------------------------------------- */

/* The host is done with the slot that chunk i uses. */
static bool may_issue(stage *s, uint64_t i)
{
    if (!s->up && i < RING)
        return true;
    return atomic_load(&s->last[i % RING]) == (s->up ? i + 1 : i + 1 - RING);
}

/* The slots of chunks first .. end-1, which do not wrap, for the trace of host accesses. */
static void trace_slots(stage *s, uint64_t first, uint64_t end)
{
    const vkt_access access = {.block = s->block,
                               .offset = first % RING * s->chunk,
                               .nbytes = (end - first) * s->chunk,
                               .write = s->up};
    vkt_trace_command(s->device, s->up ? VKT_EVENT_HOST_WRITE : VKT_EVENT_HOST_READ,
                      s->up ? "upload" : "download", &access, 1, vkt_queue_known(s->device));
}

/* Sees what the device is done with, and opens those chunks to the host. */
static void land(stage *s)
{
    uint64_t reached = vkt_queue_reached(s->device), first = s->landed;

    while (s->landed < s->issued && s->values[s->landed % RING] <= reached)
        s->landed++;
    for (; !s->up && first < s->landed; first++)
        trace_slots(s, first, first + 1);
    atomic_store(&s->open, s->up ? s->landed + RING : s->landed);
}

/* Gives the device what it can have; *any is false when that is nothing. */
static vkt_status issue(stage *s, vkt_block *block, uint64_t offset, bool *any)
{
    uint64_t first = s->issued, end = first, nbytes = 0;

    while (end < s->n && end - first < BATCH && (end == first || end % RING) && may_issue(s, end))
        nbytes += chunk_nbytes(s, end++);
    *any = end > first;
    if (!*any)
        return VKT_OK;
    uint64_t at = offset + first * s->chunk, slot = first % RING * s->chunk;
    if (s->up) {
        trace_slots(s, first, end);
        VKT_TRY(vkt_copy(s->device, block, at, s->block, slot, nbytes));
    } else {
        VKT_TRY(vkt_copy(s->device, s->block, slot, block, at, nbytes));
    }
    for (; s->issued < end; s->issued++)
        s->values[s->issued % RING] =
            s->up ? s->block->usage.read_submit : s->block->usage.write_submit;
    return vkt_flush(s->device);
fail:
    return vkt_status_last();
}

/* ---- Together -------------------------------------------------------------------------------- */

static bool is_finished(stage *s)
{
    return s->up ? s->issued == s->n : atomic_load(&s->copied) == s->n;
}

/* Without the caller's lock, until there is something to do with it. */
static void wait_for_progress(stage *s)
{
    uint64_t end = vkt_now_ns() + SLICE_NS;
    unsigned turns = 0;

    while (!vkt_is_dead()) {
        if (s->n_helpers < FEW_HELPERS && help_once(s))
            return;
        if (s->landed < s->issued && vkt_queue_poll(s->device) >= s->values[s->landed % RING])
            return;
        if (is_finished(s) || (s->issued < s->n && may_issue(s, s->issued)))
            return;
        if (vkt_now_ns() > end)
            return;
        rest(&turns);
    }
}

static vkt_status run(stage *s, vkt_block *block, uint64_t offset)
{
    bool any = false;

    while (!is_finished(s)) {
        VKT_TRY(vkt_device_check(s->device));
        land(s);
        VKT_TRY(issue(s, block, offset, &any));
        if (any || is_finished(s))
            continue;
        if (s->long_lasting)
            vkt_transfer_unlock(s->device);
        wait_for_progress(s);
        if (s->long_lasting)
            vkt_transfer_lock(s->device);
        VKT_REQUIRE(!vkt_the_hooks.interrupted(), VKT_INTERRUPTED, "copy: interrupted");
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

static unsigned count_helpers(uint64_t nbytes, uint64_t n_chunks)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned most = n_cores > 1 ? (unsigned)n_cores - 1 : 0;

    if (nbytes < HELPED_NBYTES)
        return 0;
    most = most < HELPERS ? most : HELPERS;
    return n_chunks < most ? (unsigned)n_chunks : most;
}

static vkt_status copy_staged(vkt_block *block, uint64_t offset, void *user, uint64_t nbytes,
                              bool up)
{
    vkt_device *device = block->device;
    /* Not on the stack: helpers may outlive a thread that ends when it wants its lock back. */
    stage *s = calloc(1, sizeof *s);

    VKT_REQUIRE(s, VKT_OUT_OF_MEMORY, "out of host memory");
    uint64_t chunk = vkt_round_up(vkt_ceil_div(nbytes, RING), UINT64_C(64) << 10);
    s->device = device;
    s->user = user;
    s->up = up;
    s->long_lasting = nbytes >= LONG_NBYTES;
    s->nbytes = nbytes;
    s->chunk = vkt_min_u64(vkt_max_u64(chunk, MIN_CHUNK), MAX_CHUNK);
    s->n = vkt_ceil_div(nbytes, s->chunk);
    VKT_TRY(
        vkt_block_alloc(device, vkt_min_u64(s->n, RING) * s->chunk, VKT_MEMORY_HOST, &s->block));
    s->ring = s->block->host;
    atomic_store(&s->open, up ? RING : 0);
    s->n_helpers = vkt_team_begin(help, s, count_helpers(nbytes, s->n));
    vkt_status status = run(s, block, offset);
    if (s->n_helpers) {
        atomic_store(&s->stop, true);
        vkt_team_end();
    }
    VKT_TRY(status);
    vkt_block_unref(s->block);
    free(s);
    return VKT_OK;
fail:
    if (s)
        vkt_block_unref(s->block);
    free(s);
    return vkt_status_last();
}

vkt_status vkt_stage_upload(vkt_block *dst, uint64_t offset, const void *src, uint64_t nbytes)
{
    return copy_staged(dst, offset, (void *)(uintptr_t)src, nbytes, true);
}

vkt_status vkt_stage_download(vkt_block *src, uint64_t offset, void *dst, uint64_t nbytes)
{
    return copy_staged(src, offset, dst, nbytes, false);
}
