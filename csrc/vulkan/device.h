/* vulkan/device.h - the seam: all that the rest of the core sees of a GPU.
 *
 * A device owns one in-order compute queue, a memory pool, a table of kernels and a profile. Work
 * is *recorded* by vkt_dispatch and vkt_copy, *submitted* by vkt_flush (or by the flush policy),
 * and *finished* when a wait returns. Commands take effect in the order they were recorded: the
 * queue compares the byte ranges each one names with those of earlier ones and places a barrier
 * where they conflict.
 *
 * Sizes and offsets are bytes, checked by the callee against the device's limits. Calls on one
 * device are serialised by the caller (the Python layer holds the interpreter lock); only waits,
 * large copies and vkt_block_unref may overlap with other threads' calls, and the blocking hooks
 * say when the caller's lock may be dropped.
 *
 * After VK_ERROR_DEVICE_LOST every call on the device fails with VKT_DEVICE_LOST, except those that
 * release things. After fork, calls in the child fail with VKT_UNAVAILABLE and releases do
 * nothing. */
#ifndef VKT_VULKAN_DEVICE_H
#define VKT_VULKAN_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct vkt_device vkt_device;
typedef struct vkt_block vkt_block;
typedef struct vkt_kernel vkt_kernel;

/* ---- What the layer above does for us -------------------------------------------------------- */

typedef struct vkt_hooks {
    /* Called around a wait or a copy longer than ~50 us: release and retake the interpreter's
     * lock. */
    void (*blocking_begin)(void);
    void (*blocking_end)(void);
    /* Called between blocking_end and the next blocking_begin, at least every 50 ms of a wait; true
     * = leave the wait with VKT_INTERRUPTED. The work goes on and waiting again is legal. */
    bool (*interrupted)(void);
    /* Out of memory: drop garbage that holds blocks (gc.collect). Never called re-entrantly. */
    void (*collect)(void);
} vkt_hooks;

/* NULL members do nothing. */
void vkt_set_hooks(const vkt_hooks *hooks);

/* ---- Devices --------------------------------------------------------------------------------- */

typedef enum vkt_device_kind {
    VKT_DEVICE_OTHER,
    VKT_DEVICE_CPU,
    VKT_DEVICE_VIRTUAL,
    VKT_DEVICE_INTEGRATED,
    VKT_DEVICE_DISCRETE,
} vkt_device_kind;

/* What a device's arithmetic keeps of IEEE 754: FACT(name, meaning). A driver is asked once, by a
 * dispatch when the device is opened; what it answered is kept on disk. Kernels see each fact that
 * holds as a macro VKT_NAME, and without it take another road to the same result. Unsuffixed names
 * are about float32. */
#define VKT_FACTS(FACT)                                                                            \
    FACT(compares_subnormals, "comparisons and selects do not take them for 0")                    \
    FACT(computes_subnormals, "+ - * keep them")                                                   \
    FACT(divides_subnormals, "/ keeps them")                                                       \
    FACT(roots_subnormals, "sqrt keeps them")                                                      \
    FACT(rounds_subnormals, "floor and ceil keep them")                                            \
    FACT(widens_subnormals, "float32 to float64 keeps them")                                       \
    FACT(narrows_subnormals, "float64 to float32 keeps them")                                      \
    FACT(keeps_subnormals64, "float64 arithmetic keeps float64's")                                 \
    FACT(exact_divide, "/ is correctly rounded")                                                   \
    FACT(exact_sqrt, "sqrt is correctly rounded")                                                  \
    FACT(exact_divide64, "/ of float64 is correctly rounded")                                      \
    FACT(exact_sqrt64, "sqrt of float64 is correctly rounded")                                     \
    FACT(fused_fma, "fma() rounds once")                                                           \
    FACT(fused_fma64, "fma() of float64 rounds once")                                              \
    FACT(packs_half, "packHalf2x16 rounds once, to nearest even")                                  \
    FACT(unpacks_half, "unpackHalf2x16 is exact")                                                  \
    FACT(emulates_fma, "for tests: fma() is taken for fused, and computed in float64")             \
    FACT(keeps_nan, "min() and max() give a NaN for one")                                          \
    FACT(skips_branches, "what no invocation takes costs no time; known of a driver, not asked")

typedef enum vkt_fact {
#define FACT(name, meaning) VKT_FACT_##name,
    VKT_FACTS(FACT)
#undef FACT
        VKT_FACT_COUNT,
} vkt_fact;

extern const char *const vkt_fact_names[VKT_FACT_COUNT];

typedef struct vkt_device_info {
    /* position in vkt_device_at's order: discrete, integrated, virtual, CPU, other */
    uint32_t index;
    vkt_device_kind kind;
    char name[256];
    char driver_name[256];
    char driver_info[256];
    uint32_t api_version;
    uint32_t driver_version;
    uint32_t vendor_id;
    uint32_t device_id;
    uint8_t uuid[16];
    bool usable; /* false: `missing` says what the device lacks */
    char missing[256];

    /* Features, as queried. Those the device has are enabled. */
    bool float64, float16, int8, int16, int64; /* arithmetic in shaders */
    bool storage8, storage16;                  /* 8- and 16-bit members in buffers */
    bool push8;                                /* 8-bit members in push constants */
    bool int64_atomics;
    bool subgroup_arithmetic;
    bool subgroup_shuffle;
    bool subgroup_ballot;
    bool subgroup_size_control;
    bool cooperative_matrix; /* VK_KHR_cooperative_matrix */
    bool external_host_memory;
    /* The device computes on host memory at full speed: CPU and integrated ones. For tests,
     * VKTENSOR_TRANSFERS=staged says that a bus lies between. */
    bool unified_memory;
    bool memory_budget;
    bool calibrated_timestamps;
    bool timestamps;
    bool preserves_nan[3];        /* SignedZeroInfNanPreserve for 16, 32, 64 bits */
    bool rounds_to_even[3];       /* RoundingModeRTE for 16, 32, 64 bits */
    bool preserves_subnormals[3]; /* DenormPreserve for 16, 32, 64 bits */
    /* Facts that hold, 1 << vkt_fact each; of an open device. For tests, VKTENSOR_ARITHMETIC says
     * that none does (=cautious), or that fma() is fused (=fused): float64 stands in for it. */
    uint32_t arithmetic;

    /* Limits. */
    uint32_t subgroup_size, min_subgroup_size, max_subgroup_size;
    uint32_t max_workgroup_invocations;
    uint32_t max_workgroup_size[3];
    uint32_t max_groups[3];
    uint32_t shared_nbytes;    /* shared memory of a workgroup */
    uint32_t push_nbytes;      /* push constants; at least 128 */
    uint64_t max_block_nbytes; /* largest block vkt_block_alloc gives */
    uint64_t device_nbytes;    /* size of the device-local heap */
    uint64_t host_import_alignment;
    /* CPU drivers that store to bound buffers faster than by address: the largest range to bind
     * (0: bind nothing), and what its address must be a multiple of. */
    uint64_t bind_nbytes;
    uint32_t bind_alignment;
    /* shader cores where a vendor extension tells; else an estimate for sizing grids */
    uint32_t n_cores;
    double timestamp_period_ns;
    /* The largest number of loop turns one invocation may make, over all its loops: 16,384 on
     * llvmpipe, which silently stops at 65,535; elsewhere 2^31 - 1. */
    uint32_t max_turns;
    /* Kernels do best without shared memory and barriers, in long loops: CPU drivers. For tests,
     * VKTENSOR_KERNELS=gpu or cpu says otherwise. */
    bool serial_kernels;
} vkt_device_info;

/* Number of devices, usable or not; loads Vulkan on the first call. VKT_UNAVAILABLE when there is
 * no loader or driver, with a text that says what to install. */
vkt_status vkt_device_count(uint32_t *out);

/* The device at `index` without opening it: its info stays valid for the life of the process. */
vkt_status vkt_device_info_at(uint32_t index, const vkt_device_info **out);

/* Opens the device at `index`, or gives the one already open. Devices stay open until
 * vkt_shutdown. */
vkt_status vkt_device_open(uint32_t index, vkt_device **out);

/* The device that VKTENSOR_DEVICE names (index, UUID, or part of the name, case-insensitive), else
 * the first usable one that is not a CPU, else the first usable CPU. Does not open it. */
vkt_status vkt_device_default(uint32_t *index);

/* True once anything has loaded Vulkan. */
bool vkt_is_loaded(void);
/* The device at `index` if it is open, else NULL. Loads and opens nothing. */
vkt_device *vkt_device_if_open(uint32_t index);

const vkt_device_info *vkt_device_get_info(const vkt_device *device);

/* Words in which the layer above keeps its settings for the device; zero when it is opened. */
#define VKT_N_SETTINGS 32
uint32_t *vkt_device_settings(vkt_device *device);

/* A text kept beside the compiled kernels for this device under this very driver. load gives a copy
 * to be freed, or NULL when there is none; what is damaged or foreign is none. store replaces it;
 * false where there is no cache directory or it cannot be written. */
char *vkt_settings_load(const vkt_device *device);
bool vkt_settings_store(const vkt_device *device, const char *text);

/* The Vulkan handles behind an open device, as numbers, for programs that share it with their own
 * Vulkan code. */
typedef struct vkt_handles {
    uint64_t instance, physical_device, device, queue;
    uint32_t queue_family;
} vkt_handles;
void vkt_device_get_handles(const vkt_device *device, vkt_handles *out);

/* Waits for all devices and destroys everything; later calls fail with VKT_UNAVAILABLE and releases
 * do nothing. */
void vkt_shutdown(void);

/* Messages of the validation layers since the last call, when VKTENSOR_VALIDATE=1 loaded them:
 * number of warnings and errors. Each was also logged; *text is the last one's, valid until the
 * next message. */
uint32_t vkt_validation_messages(const char **text);

/* Live objects for leak tests: VkDeviceMemory, VkBuffer, pipelines and shader modules created and
 * not destroyed. */
typedef struct vkt_live_counts {
    uint64_t memories, buffers, pipelines, blocks, block_nbytes, pending_submits;
} vkt_live_counts;
void vkt_device_live(const vkt_device *device, vkt_live_counts *out);

/* ---- Memory ---------------------------------------------------------------------------------- */

typedef enum vkt_memory_kind {
    VKT_MEMORY_DEVICE, /* fastest for the GPU; host-visible where that costs nothing */
    VKT_MEMORY_HOST,   /* host-cached, coherent, pinned; what NumPy may view */
} vkt_memory_kind;

/* Gives a block of at least nbytes (0 is allowed and still has an address), 256-byte aligned, with
 * one reference. A fresh block is zeroed; a reused one holds bytes of our own dead arrays. A
 * VKT_MEMORY_DEVICE block may still be in use by work already recorded: later recorded work is
 * ordered after it, but the host must call vkt_block_wait before it touches the bytes. A
 * VKT_MEMORY_HOST block is idle. VKT_OUT_OF_MEMORY after the ladder: retire, wait, trim, collect,
 * retry. */
vkt_status vkt_block_alloc(vkt_device *device, uint64_t nbytes, vkt_memory_kind kind,
                           vkt_block **out);
vkt_block *vkt_block_ref(vkt_block *block);
void vkt_block_unref(vkt_block *block); /* NULL is fine; any thread, unless imported */
uint32_t vkt_block_refs(const vkt_block *block);

uint64_t vkt_block_address(const vkt_block *block);
uint64_t vkt_block_nbytes(const vkt_block *block);
vkt_device *vkt_block_device(const vkt_block *block);
/* The block's bytes for the host, or NULL when it cannot be mapped. Reads through it are fast only
 * when *cached. */
void *vkt_block_host(vkt_block *block, bool *cached);

/* Who owns memory that a block is made of. give_back is called once, when the device is done with
 * the memory, with the caller's lock held and in the middle of anything: it may not call us. */
typedef struct vkt_lender {
    void (*give_back)(struct vkt_lender *lender);
} vkt_lender;

/* A block of host memory that is not ours: the pages around data .. data + nbytes - 1, which begin
 * at vkt_block_host, used where they are (VK_EXT_external_memory_host). It counts as exported all
 * its life. The memory stays mapped until `lender` has it back; a live import that holds the bytes
 * already is used again, and `lender` is given back at once. VKT_VALUE_ERROR, a text that says why
 * and begins with the device, when the device cannot: `lender` is then untouched. */
vkt_status vkt_block_import(vkt_device *device, void *data, uint64_t nbytes, bool writable,
                            vkt_lender *lender, vkt_block **out);
/* False: whoever writes into the block breaks the promise its memory was lent under. */
bool vkt_block_is_writable(const vkt_block *block);
/* True when the blocks are one, or made of the same host memory. */
bool vkt_blocks_share_memory(const vkt_block *a, const vkt_block *b);

/* The submit of the last command that writes to the block, 0 for none: tells whether another thread
 * had one recorded during a wait. */
uint64_t vkt_block_last_write(const vkt_block *block);

/* Exports (buffer protocol, NumPy views, DLPack) of the block: while there are any, the layer above
 * waits after every op that touches it. */
void vkt_block_add_export(vkt_block *block);
void vkt_block_drop_export(vkt_block *block);
uint32_t vkt_block_exports(const vkt_block *block);

typedef struct vkt_memory_stats {
    uint64_t in_use;             /* bytes of live blocks, as asked for */
    uint64_t peak;               /* highest in_use since the start or the last reset */
    uint64_t cached;             /* bytes held for reuse */
    uint64_t reserved;           /* bytes obtained from the driver */
    uint64_t allocations;        /* blocks handed out since the start */
    uint64_t driver_allocations; /* vkAllocateMemory calls for blocks since the start */
    uint64_t limit;              /* our own limit on reserved; the heap's size by default */
} vkt_memory_stats;

void vkt_memory_get_stats(const vkt_device *device, vkt_memory_stats *out);
/* Limits what is reserved of the GPU's memory (of all memory where the host shares it); never above
 * the start's value, which 0 restores. Gives cached memory back when more is reserved already. */
vkt_status vkt_memory_set_limit(vkt_device *device, uint64_t nbytes);
/* Gives all memory that no live block uses back to the driver. Waits for the queue. */
vkt_status vkt_memory_trim(vkt_device *device);

/* ---- Kernels --------------------------------------------------------------------------------- */

/* Arguments up to this size are pushed; larger ones are placed in memory and their address is
 * pushed instead. A kernel's text declares them accordingly: see VKT_ARGS in ops/kernel_text.h. */
#define VKT_PUSH_NBYTES 128
/* Most bound buffers of a kernel. */
#define VKT_MAX_BOUND 4

typedef struct vkt_kernel_source {
    const char *name; /* for profiles and debug names: "rows_f32_sin_mul" */
    const char *glsl; /* a whole compute shader */
    /* specialization constants 0 .. n_constants-1; 0, 1, 2 are the workgroup's size by
     * convention */
    const uint32_t *constants;
    uint32_t n_constants;
    uint32_t subgroup_size; /* required size with full subgroups, or 0 for any */
    bool fast_math;         /* leave the driver free to contract a * b + c */
} vkt_kernel_source;

/* The kernel stored under `key` (any bytes), or NULL. The device owns it. */
vkt_kernel *vkt_kernel_find(vkt_device *device, const void *key, size_t key_nbytes);

/* Compiles `source` (or takes its SPIR-V from the disk cache) and stores the kernel under `key`.
 * Every float operation is made NoContraction unless fast_math, and the float controls the device
 * reports are declared. VKT_COMPILE_ERROR carries the log and the numbered source. */
vkt_status vkt_kernel_build(vkt_device *device, const void *key, size_t key_nbytes,
                            const vkt_kernel_source *source, vkt_kernel **out);

/* The directory of the disk cache, "" when it is off. */
const char *vkt_cache_directory(void);

/* ---- Work ------------------------------------------------------------------------------------ */

/* A range of bytes a command touches. Ranges may be larger than what is touched, never smaller. */
typedef struct vkt_access {
    vkt_block *block;
    uint64_t offset;
    uint64_t nbytes;
    bool write;
} vkt_access;

/* All of a block. */
static inline vkt_access vkt_access_block(vkt_block *block, bool write)
{
    return (vkt_access){.block = block, .nbytes = vkt_block_nbytes(block), .write = write};
}

/* What a launch computes, as its caller would say it. Texts are cut where they do not fit. */
#define VKT_NOTE_NDIM 16
typedef struct vkt_note {
    char what[200];     /* the source expression: "sin(a)*b + exp(-a)" */
    char operands[160]; /* "a: float32[1000, 10], b: float32[10]" */
    char dtype[12];     /* of the result */
    int32_t ndim;
    int64_t shape[VKT_NOTE_NDIM];
} vkt_note;

typedef struct vkt_launch {
    vkt_kernel *kernel;
    uint32_t groups[3]; /* each at least 1; checked against max_groups */
    const void *args;   /* copied */
    uint32_t args_nbytes;
    const vkt_access *accesses;
    uint32_t n_accesses;
    /* The first so many accesses are bound too, as storage buffers of set 0: see bind_nbytes. */
    uint32_t n_bound;
    uint64_t nbytes;      /* bytes necessarily moved, for profiles; 0 = sum of the accesses */
    const vkt_note *note; /* for profiles; copied; may be NULL */
} vkt_launch;

/* The groups of a launch of n_groups workgroups, 1 or more: rows of one length, as x is limited.
 * The last row may be longer than needed: kernels ask whether there is work for them. */
static inline void vkt_fold_groups(const vkt_device_info *info, uint64_t n_groups, uint32_t out[3])
{
    uint64_t x = n_groups < info->max_groups[0] ? n_groups : info->max_groups[0];
    out[0] = (uint32_t)x;
    out[1] = (uint32_t)((n_groups + x - 1) / x);
    out[2] = 1;
}

/* Records one dispatch. The flush policy may submit. */
vkt_status vkt_dispatch(vkt_device *device, const vkt_launch *launch);

/* Records a copy between blocks of the device. The ranges do not overlap. */
vkt_status vkt_copy(vkt_device *device, vkt_block *dst, uint64_t dst_offset, vkt_block *src,
                    uint64_t src_offset, uint64_t nbytes);

/* Copies host bytes into a block, ordered after recorded work; returns when `src` may be reused.
 * Large copies go through pinned staging with several threads. */
vkt_status vkt_upload(vkt_device *device, vkt_block *dst, uint64_t offset, const void *src,
                      uint64_t nbytes);

/* Copies a block's bytes to the host, after all work recorded so far that writes them; waits. */
vkt_status vkt_download(vkt_device *device, vkt_block *src, uint64_t offset, void *dst,
                        uint64_t nbytes);

/* Submits what is recorded. */
vkt_status vkt_flush(vkt_device *device);

/* Submits what is recorded if the device has little else to do. While it is busy, small commands
 * stay and go out together, by the flush policy or with the next wait. */
vkt_status vkt_flush_idle(vkt_device *device);

/* Submits and waits for everything recorded so far. */
vkt_status vkt_wait(vkt_device *device);

/* Submits and waits until the recorded work that writes the block (and, with for_write, that reads
 * it) is finished. */
vkt_status vkt_block_wait(vkt_block *block, bool for_write);

/* ---- Seeing it ------------------------------------------------------------------------------- */

/* VKT_METRIC_dispatches, ...: the rows of vulkan/metrics.def. */
typedef enum vkt_metric {
#define METRIC(name, meaning) VKT_METRIC_##name,
#include "vulkan/metrics.def"
#undef METRIC
    VKT_N_METRICS,
} vkt_metric;

typedef struct vkt_metric_info {
    const char *name;
    const char *meaning;
} vkt_metric_info;
extern const vkt_metric_info vkt_metric_infos[VKT_N_METRICS];

/* Adds to a counter. One writer at a time: the caller's lock serialises them, and the pool's own
 * lock those of the pool. Readers need no lock. */
void vkt_metric_add(vkt_device *device, vkt_metric metric, uint64_t n);
/* All counters now, each by itself: they may be of slightly different moments. NULL: zeros. */
void vkt_metrics_read(const vkt_device *device, uint64_t out[VKT_N_METRICS]);

typedef enum vkt_event_kind {
    VKT_EVENT_DISPATCH,
    VKT_EVENT_COPY,
    VKT_EVENT_BARRIER, /* trace only */
    VKT_EVENT_SUBMIT,
    VKT_EVENT_WAIT,
    VKT_EVENT_HOST_READ,  /* trace only: the host reads a block's bytes */
    VKT_EVENT_HOST_WRITE, /* trace only */
    VKT_EVENT_COMPILE,    /* profile only, as the rest */
    VKT_EVENT_TRANSFER,
    VKT_EVENT_MEMORY,
} vkt_event_kind;

/* ---- Profiles: what the device and its queue did, on the host's clock ---- */

enum {
    VKT_EVENT_SPIRV_CACHED = 1 << 0,    /* COMPILE: SPIR-V came from our cache on disk */
    VKT_EVENT_PIPELINE_CACHED = 1 << 1, /* COMPILE: the driver took the pipeline from its cache */
};

typedef struct vkt_profile_event {
    vkt_event_kind kind;
    uint32_t flags;
    /* DISPATCH, COMPILE: the kernel. COPY: copy, upload or download, by the blocks' kinds.
     * TRANSFER: upload or download. WAIT: why the host waits: read, write (of a block),
     * synchronize, slot (all command buffers are in flight), memory, staging, profile. MEMORY:
     * alloc, free (blocks of 1 MiB and more), reserve, release (a driver's allocation), trim,
     * import, unimport (memory that is not the pool's), start, stop. */
    char name[64];
    const vkt_note *note; /* of a DISPATCH, or NULL */
    /* When it began, from the profile's start (negative: was under way then, on another thread),
     * and how long it took: on the GPU for DISPATCH and COPY (0 long, at the time of recording,
     * where there are no timestamps), else on the host. */
    int64_t start_ns;
    uint64_t ns;
    uint64_t recorded_ns; /* DISPATCH, COPY: when it was recorded */
    uint64_t nbytes;
    uint64_t submit; /* timeline value: of the commands; of WAIT, the one waited for */
    uint64_t thread; /* the caller's, as pthread_self gives it */
    union {
        uint32_t groups[3];  /* DISPATCH */
        uint32_t n_commands; /* SUBMIT */
    };
    union {
        struct { /* COMPILE: parts of `ns` */
            uint64_t glslang_ns, driver_ns;
        };
        struct { /* MEMORY, SUBMIT: bytes, after it */
            uint64_t in_use, reserved;
        };
    };
} vkt_profile_event;

/* Where a profile began. */
typedef struct vkt_profile_mark {
    uint64_t serial, first, started_ns;
} vkt_profile_mark;

typedef struct vkt_profile_record {
    vkt_profile_event *events; /* in the order they were noted; owned, like the notes */
    vkt_note *notes;
    size_t n_events;
    uint64_t n_dropped;
    uint64_t ns;             /* from start to stop; no event ends later */
    uint64_t clock_error_ns; /* GPU times may be off by this much on the host's clock */
    bool calibrated;         /* the device told its clock; else a submit's round trip did */
} vkt_profile_record;

/* Profiles may nest and overlap, in any order and on any thread: each has all that happened on the
 * device between its start and its stop. Both wait for the queue. With calibrated = false the
 * clocks are aligned by a round trip even where the device could tell. stop ends the profile
 * whatever it returns; the record is empty after a failure. */
vkt_status vkt_profile_start(vkt_device *device, bool calibrated, vkt_profile_mark *out);
vkt_status vkt_profile_stop(vkt_device *device, const vkt_profile_mark *mark,
                            vkt_profile_record *out);
/* Ends a profile whose record nobody wants, without waiting. */
void vkt_profile_drop(vkt_device *device, const vkt_profile_mark *mark);
void vkt_profile_record_free(vkt_profile_record *record);
/* True while a profile runs: the note of a launch is worth writing. */
bool vkt_profile_running(const vkt_device *device);

/* A trace of what was given to Vulkan, for tests that look for missing barriers: each command as
 * recorded, each barrier as placed. Costs nothing while off. Events stay valid until the next
 * start. */
typedef struct vkt_trace_range {
    uint64_t address; /* device address of the first byte */
    uint64_t nbytes;
    bool write;
} vkt_trace_range;

typedef struct vkt_trace_event {
    vkt_event_kind kind;
    char name[64];
    uint32_t first_range, n_ranges; /* into the trace's ranges */
    /* Timeline value of the submit the command went out with, or waited for; of HOST_READ and
     * HOST_WRITE, a value known to be reached: everything up to it is finished. */
    uint64_t submit;
} vkt_trace_event;

vkt_status vkt_trace_start(vkt_device *device);
void vkt_trace_stop(vkt_device *device, const vkt_trace_event **events, size_t *n_events,
                    const vkt_trace_range **ranges);

#endif
