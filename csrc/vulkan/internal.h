/* vulkan/internal.h - what the files of csrc/vulkan/ share. Nobody else includes this.
 *
 * instance.c  loader, instance, choice of device     memory.c    blocks, limits, running out
 * device.c    logical device, loss, fork, shutdown   pool.c      slabs, size classes, free lists
 * queue.c     recording, submits, waits, flushing    chunk.c     memory as the driver gives it
 * hazard.c    epochs and the one kind of barrier     copy.c      copies between blocks
 * trace.c     what the tests replay                  transfer.c  uploads, downloads, staging
 * kernel.c    pipelines and their table              glslang.c   GLSL -> SPIR-V
 * spirv.c     NoContraction and float controls       cache.c     SPIR-V and pipelines on disk
 * profile.c   timeline of a profile                  import.c    memory that is not ours
 * metrics.c   counters                               compat.h    what old headers lack
 * clock.c     the GPU's clock and the host's          arithmetic.c  what a driver keeps of IEEE 754
 * staging.c   large copies, pinned memory            bind.c      outputs as bound buffers
 */
#ifndef VKT_VULKAN_INTERNAL_H
#define VKT_VULKAN_INTERNAL_H

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <volk.h>

#include "base/checked.h"
#include "base/thread.h"
#include "vulkan/compat.h"
#include "vulkan/device.h"

typedef struct vkt_memory vkt_memory;     /* memory.c */
typedef struct vkt_queue vkt_queue;       /* queue.c */
typedef struct vkt_kernels vkt_kernels;   /* kernel.c */
typedef struct vkt_transfer vkt_transfer; /* transfer.c */
typedef struct vkt_profile vkt_profile;   /* profile.c */
typedef struct vkt_trace vkt_trace;       /* trace.c */
typedef struct vkt_import vkt_import;     /* import.c */

struct vkt_device {
    vkt_device_info info;
    VkPhysicalDevice physical;
    VkDevice handle;
    /* Device functions are called through this: several devices may be open. */
    struct VolkDeviceTable vk;
    VkQueue vk_queue;
    uint32_t queue_family;
    uint32_t timestamp_bits;
    /* NULL where the device does not tell its clock, or not beside CLOCK_MONOTONIC. */
    PFN_vkGetCalibratedTimestampsEXT get_calibrated_timestamps;
    VkQueryPool clock_query; /* clock.c: one timestamp, made when first needed */
    VkPhysicalDeviceMemoryProperties memory_properties;
    _Atomic bool lost;     /* sticky; set by vkt_device_mark_lost */
    bool has_device_fault; /* VK_EXT_device_fault is enabled */
    uint64_t epoch;        /* hazard.c: number of barriers placed, counted from 1 */
    char lost_text[768];   /* the first cause, as every later call reports it */
    vkt_memory *memory;
    vkt_queue *queue;
    vkt_kernels *kernels;
    vkt_transfer *transfer;
    vkt_profile *profile;
    _Atomic bool profiled; /* a profile runs */
    vkt_trace *trace;
    uint32_t settings[VKT_N_SETTINGS];
    vkt_live_counts live; /* of Vulkan objects; kept by those who create and destroy */
    vkt_import *imports, *dying_imports;
    uint64_t n_imports; /* in both lists */
    _Atomic uint64_t metrics[VKT_N_METRICS];
};

/* Bytes begin .. end-1 of a block. */
typedef struct vkt_span {
    uint64_t begin, end;
} vkt_span;

/* The history of a block, for hazards and waits. Survives reuse: a recycled range keeps its
 * epochs. A span is the hull of what was touched in the epoch beside it, so that slices of one
 * block written side by side need no barrier between them. */
typedef struct vkt_usage {
    uint64_t write_epoch, read_epoch;   /* in which a command last wrote, read the block */
    uint64_t write_submit, read_submit; /* timeline values whose completion ends those */
    vkt_span write_span, read_span;
} vkt_usage;

/* The timeline value whose completion ends every use so far. */
static inline uint64_t vkt_usage_last_submit(const vkt_usage *usage)
{
    return vkt_max_u64(usage->write_submit, usage->read_submit);
}

struct vkt_block {
    vkt_device *device;
    _Atomic uint32_t refs;
    uint32_t exports;
    vkt_memory_kind kind;
    uint64_t nbytes;   /* as asked */
    uint64_t capacity; /* of the range, a size class */
    VkBuffer buffer;   /* of the chunk of memory the range lies in */
    uint64_t buffer_offset;
    uint64_t address;
    void *host; /* of the range, or NULL */
    bool host_cached;
    bool read_only;
    vkt_usage usage;
    vkt_import *import; /* import.c: of memory that is not ours, or NULL; */
    uint64_t begin;     /* ... the first byte of what was lent; else 0 */
    void *owner;        /* memory.c: the slab, or NULL when the block has a chunk of its own */
    vkt_block *next;    /* memory.c: in a free list */
};

/* Fails with the right status for a VkResult below zero; marks the device lost. `what` names the
 * call. */
vkt_status vkt_vk_fail(vkt_device *device, VkResult result, const char *what, const char *file,
                       int line);
#define VKT_VK(device, call)                                                                       \
    do {                                                                                           \
        VkResult vkt_result_ = (call);                                                             \
        if (vkt_result_ < 0) {                                                                     \
            (void)vkt_vk_fail((device), vkt_result_, #call, __FILE__, __LINE__);                   \
            goto fail;                                                                             \
        }                                                                                          \
    } while (0)

/* Makes the device lost unless it is already; keeps the first cause. */
void vkt_device_mark_lost(vkt_device *device, const char *cause);

/* VKT_OK when the device may be used: not lost, not after fork, not shut down. Called at the top
 * of each public function. */
vkt_status vkt_device_check(vkt_device *device);
/* True in a child of fork and after shutdown: releases do nothing. */
bool vkt_is_dead(void);
/* Fails with VKT_UNAVAILABLE and a text that says why, when vkt_is_dead. */
vkt_status vkt_check_alive(void);
/* Arms the fork handler; once, before Vulkan is loaded. */
void vkt_watch_fork(void);

extern vkt_hooks vkt_the_hooks; /* device.c; members never NULL */

/* ---- instance.c */

/* A physical device as found at start; lives as long as the process. */
typedef struct vkt_physical {
    VkPhysicalDevice handle;
    vkt_device_info info;
    uint32_t queue_family;
    uint32_t timestamp_bits;
    const char *calibration; /* the extension that gives calibrated timestamps, or NULL */
    bool has_device_fault;
    bool has_portability_subset;
    vkt_device *device; /* the open one, or NULL; device.c */
} vkt_physical;

/* The features we ask about and enable, as one chain. */
typedef struct vkt_features {
    VkPhysicalDeviceFeatures2 core;
    VkPhysicalDeviceVulkan11Features v11;
    VkPhysicalDeviceVulkan12Features v12;
    VkPhysicalDeviceVulkan13Features v13;
    VkPhysicalDeviceFaultFeaturesEXT fault;
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix;
} vkt_features;

/* Zeroes and links the chain; extension structs only where the device has the extension. */
void vkt_features_link(vkt_features *features, bool fault, bool matrix);

/* Loads Vulkan if need be. VKT_VALUE_ERROR when there is no device `index`. */
vkt_status vkt_physical_at(uint32_t index, vkt_physical **out);
uint32_t vkt_physical_count(void); /* 0 before Vulkan is loaded */
/* The open device at `index` < vkt_physical_count(), or NULL; works after shutdown began. */
vkt_device *vkt_physical_device(uint32_t index, vkt_physical **physical);
/* Destroys the instance; all devices are destroyed before. */
void vkt_instance_destroy(void);

/* The instance; for debug names, and for extensions. debug_utils is true when VK_EXT_debug_utils
 * is enabled. */
VkInstance vkt_instance(void);
bool vkt_has_debug_utils(void);
void vkt_name_object(vkt_device *device, VkObjectType type, uint64_t handle, const char *name);

/* ---- chunk.c: one VkDeviceMemory with one VkBuffer over all of it, mapped for good where the
 * host can see it. */
typedef struct vkt_chunk {
    struct vkt_chunk *next, *prev; /* memory.c: all chunks */
    vkt_memory_kind kind;
    VkDeviceMemory memory;
    VkBuffer buffer;
    uint64_t nbytes;
    uint64_t address;
    void *host; /* or NULL */
    bool host_cached;
    vkt_usage usage; /* of the fill with zeros */
} vkt_chunk;

/* Memory types fit for a kind, best first. */
typedef struct vkt_types {
    uint32_t n;
    uint8_t order[VK_MAX_MEMORY_TYPES];
} vkt_types;
void vkt_types_choose(const vkt_device *device, vkt_memory_kind kind, vkt_types *out);

/* Asks the driver once. VKT_OUT_OF_MEMORY leaves everything as it was. The bytes are not yet
 * zero. */
vkt_status vkt_chunk_create(vkt_device *device, const vkt_types *types, vkt_memory_kind kind,
                            uint64_t nbytes, vkt_chunk *out);
/* Fills the chunk with zeros: at once where the host is as fast, else by a recorded command that
 * `usage` then tells of. */
vkt_status vkt_chunk_zero(vkt_device *device, vkt_chunk *chunk);
/* No submitted or recorded work uses it. */
void vkt_chunk_destroy(vkt_device *device, vkt_chunk *chunk);

/* ---- memory.c */
vkt_status vkt_memory_create(vkt_device *device);
/* All work is finished. Memory and buffers go; the records of blocks still referenced stay, so
 * that late calls find them. */
void vkt_memory_destroy(vkt_device *device);
/* Number of live blocks with exports. */
uint32_t vkt_memory_exports(const vkt_device *device);

/* ---- import.c; all with the caller's lock held */

/* The last reference to an imported block is gone: its memory is given back now, or, while work
 * that touches it is in flight, by a later reap. */
void vkt_import_drop(vkt_block *block);
void vkt_imports_reap(vkt_device *device);
/* All work is finished. The records of blocks still referenced stay. */
void vkt_imports_destroy(vkt_device *device);

/* ---- queue.c */
vkt_status vkt_queue_create(vkt_device *device);
void vkt_queue_destroy(vkt_device *device);
/* The command buffer now being recorded, begun if need be. Callers record into it and then call
 * vkt_queue_recorded. */
vkt_status vkt_queue_commands(vkt_device *device, VkCommandBuffer *out);
/* Counts a recorded command (and its bytes) for the flush policy, which may submit. */
vkt_status vkt_queue_recorded(vkt_device *device, uint64_t nbytes);
/* The timeline value that the commands being recorded now will signal, and the last value known
 * to be reached. */
uint64_t vkt_queue_next_value(vkt_device *device);
uint64_t vkt_queue_reached(vkt_device *device); /* asks the driver */
/* The same without the caller's lock, for a thread that shutdown waits for. */
uint64_t vkt_queue_poll(vkt_device *device);
/* Submits if `value` is not yet submitted, then spins (queue.c) and blocks in slices, hooks called,
 * until it is reached. `why` is the name of the wait in profiles: see vkt_profile_event. */
vkt_status vkt_queue_wait_value(vkt_device *device, uint64_t value, const char *why);
/* The same in the middle of recording: the caller's lock is kept, because another thread must not
 * see what is half done. Signals are still looked at. */
vkt_status vkt_queue_wait_inside(vkt_device *device, uint64_t value, const char *why);
/* Where the host knows that the commands of `value` are finished, waits the little while until the
 * timeline tells it too; else returns at once. */
void vkt_queue_catch_up(vkt_device *device, uint64_t value);
/* Places argument bytes where kernels of the current commands may read them and gives their
 * device address. */
vkt_status vkt_queue_place_args(vkt_device *device, const void *bytes, uint32_t nbytes,
                                uint64_t *address);
VkPipelineLayout vkt_queue_pipeline_layout(vkt_device *device);
/* The last value submitted, and the last value known to be reached, without asking the driver.
 * Any thread. */
uint64_t vkt_queue_submitted(const vkt_device *device);
uint64_t vkt_queue_known(const vkt_device *device);
/* For shutdown: waits, without hooks and for at most timeout_ns, for what was submitted and for
 * threads inside waits to leave them. True when all that is so, or the device is lost. */
bool vkt_queue_drain(vkt_device *device, uint64_t timeout_ns);
/* Names of the last kernels dispatched, newest first, into text. */
void vkt_queue_describe_recent(const vkt_device *device, char *text, size_t nbytes);

/* ---- bind.c: the layout of the buffers a launch may bind, and their binding. */
vkt_status vkt_bind_create(vkt_device *device, VkDescriptorSetLayout *out);
void vkt_bind_record(vkt_device *device, VkCommandBuffer commands, const vkt_launch *launch);

/* ---- hazard.c: called before a command is recorded, with all it touches: records the barrier
 * if one is needed and stamps the blocks' usage with the epoch and the timeline value of the
 * commands. Cannot fail after vkt_queue_commands succeeded. */
vkt_status vkt_hazard_order(vkt_device *device, VkCommandBuffer commands,
                            const vkt_access *accesses, uint32_t n);
/* Records the one kind of barrier: everything kernels, copies and fills did before is finished
 * and visible to all that comes later, and, with to_host, to the host once the submit has
 * finished. */
void vkt_hazard_barrier(vkt_device *device, VkCommandBuffer commands, bool to_host);

/* ---- kernel.c */
vkt_status vkt_kernels_create(vkt_device *device);
void vkt_kernels_destroy(vkt_device *device);
VkPipeline vkt_kernel_pipeline(const vkt_kernel *kernel);
const char *vkt_kernel_name(const vkt_kernel *kernel);

/* The answers of arithmetic.c on disk, under all that is known of the driver. */
bool vkt_kernels_load_facts(vkt_device *device, uint32_t *facts);
void vkt_kernels_store_facts(vkt_device *device, uint32_t facts);

/* ---- arithmetic.c: fills info.arithmetic; the last step of opening a device. */
vkt_status vkt_arithmetic_create(vkt_device *device);

/* ---- glslang.c: SPIR-V words, malloc'ed, owned by the caller. VKT_COMPILE_ERROR with log and
 * numbered source. */
vkt_status vkt_glsl_compile(const char *name, const char *glsl, uint32_t **words, size_t *n_words);
const char *vkt_glsl_version(void); /* "13.1.1" */

/* ---- spirv.c: rewrites a module in place of its words (may grow): NoContraction on float
 * arithmetic unless fast_math, float control modes per width used and reported. */
vkt_status vkt_spirv_finish(const vkt_device_info *info, bool fast_math, uint32_t **words,
                            size_t *n_words);

/* ---- cache.c: files under vkt_cache_directory(); failures are logged, never returned. */
bool vkt_cache_load_spirv(const char *glsl, uint32_t **words, size_t *n_words);
void vkt_cache_store_spirv(const char *glsl, const uint32_t *words, size_t n_words);
/* What belongs to a driver. cache_uuid is VkPhysicalDeviceProperties.pipelineCacheUUID. The payload
 * loaded has room for a byte behind it; false from store: it was not stored. */
typedef enum vkt_cache_kind {
    VKT_CACHE_PIPELINES,
    VKT_CACHE_SETTINGS,
    VKT_CACHE_FACTS,
} vkt_cache_kind;
bool vkt_cache_load_driver(vkt_cache_kind kind, const vkt_device_info *info,
                           const uint8_t cache_uuid[16], void **blob, size_t *nbytes);
bool vkt_cache_store_driver(vkt_cache_kind kind, const vkt_device_info *info,
                            const uint8_t cache_uuid[16], const void *blob, size_t nbytes);

/* ---- transfer.c */
vkt_status vkt_transfer_create(vkt_device *device);
void vkt_transfer_destroy(vkt_device *device);
/* Around host copies without the caller's lock: the device stays until they are over. */
void vkt_transfer_unlock(vkt_device *device);
void vkt_transfer_lock(vkt_device *device);

/* ---- staging.c: copies between pageable memory and a block, ordered after recorded work. They
 * return when `src` may be reused, or `dst` is whole. */
vkt_status vkt_stage_upload(vkt_block *dst, uint64_t offset, const void *src, uint64_t nbytes);
vkt_status vkt_stage_download(vkt_block *src, uint64_t offset, void *dst, uint64_t nbytes);

/* ---- clock.c */

/* The GPU's clock and CLOCK_MONOTONIC at one moment. */
typedef struct vkt_clock {
    uint64_t ticks; /* as timestamps of the queue have them */
    uint64_t host_ns;
    uint64_t error_ns; /* how far apart the two readings may lie */
} vkt_clock;

/* Looks for the device's own pair of clocks; `extension` as vkt_physical.calibration. */
void vkt_clock_init(vkt_device *device, const char *extension);
/* From the device's own pair where it has one and `calibrated`, else from a timestamp between a
 * submit and the end of its wait. All zeros but host_ns where there are no timestamps. */
vkt_status vkt_clock_read(vkt_device *device, bool calibrated, vkt_clock *out);
void vkt_clock_destroy(vkt_device *device);

/* ---- profile.c: begin and end bracket one command, the others note what has just ended on the
 * host; they do nothing unless device->profiled, which callers look at before they take a time. */
vkt_status vkt_profile_create(vkt_device *device);
void vkt_profile_destroy(vkt_device *device);
void vkt_profile_begin(vkt_device *device, VkCommandBuffer commands, const char *name,
                       const vkt_launch *launch, uint64_t nbytes); /* launch NULL: a copy */
void vkt_profile_end(vkt_device *device, VkCommandBuffer commands);
void vkt_profile_submitted(vkt_device *device, uint64_t began_ns, uint64_t value,
                           uint32_t n_commands, uint64_t nbytes);
void vkt_profile_waited(vkt_device *device, uint64_t began_ns, uint64_t value, const char *why);
void vkt_profile_compiled(vkt_device *device, uint64_t began_ns, const char *name,
                          uint64_t glslang_ns, uint64_t driver_ns, uint32_t flags);
void vkt_profile_transferred(vkt_device *device, uint64_t began_ns, const char *direction,
                             uint64_t nbytes);
/* Called with the pool's lock held; in_use and reserved are what they are now. */
void vkt_profile_memory(vkt_device *device, uint64_t began_ns, const char *what, uint64_t nbytes,
                        uint64_t in_use, uint64_t reserved);
/* The same without the lock: asks the pool what it holds. */
void vkt_profile_pool(vkt_device *device, uint64_t began_ns, const char *what, uint64_t nbytes);
/* The time for one of the above, 0 unless device->profiled. */
static inline uint64_t vkt_profile_now(const vkt_device *device)
{
    return device->profiled ? vkt_now_ns() : 0;
}

/* ---- trace.c: do nothing while no trace runs. */
vkt_status vkt_trace_create(vkt_device *device);
void vkt_trace_destroy(vkt_device *device);
bool vkt_trace_running(const vkt_device *device);
void vkt_trace_command(vkt_device *device, vkt_event_kind kind, const char *name,
                       const vkt_access *accesses, uint32_t n, uint64_t submit);

#endif
