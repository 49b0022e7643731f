/* vulkan/kernel.c - pipelines and the table that finds them by key. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* secure_getenv */
#endif
#include "vulkan/internal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"

/* Power of two; doubled when half full. */
#define FIRST_SLOTS 256
/* New pipelines before the blob is written again: at least this many, and a quarter of all, so that
 * the bytes written stay proportional to the work saved while a killed process loses little. */
#define STORE_AFTER 8
/* A blob beyond this is neither merged nor stored: reading it would cost more than it saves. */
#define MAX_BLOB_NBYTES (32u << 20)
#define MAX_CONSTANTS   64

struct vkt_kernel {
    VkPipeline pipeline;
    const char *name; /* behind the key */
    size_t key_nbytes;
    uint8_t key[];
};

typedef struct slot {
    uint64_t hash;
    vkt_kernel *kernel; /* NULL = free */
} slot;

struct vkt_kernels {
    slot *slots;
    size_t n_slots;
    size_t n_kernels;
    VkPipelineCache cache;
    vkt_hash128 stored; /* of the blob on disk as this process last saw it */
    uint32_t unstored;  /* pipelines compiled since it was written */
    uint8_t cache_uuid[16];
    uint32_t max_subgroups; /* maxComputeWorkgroupSubgroups */
    bool can_require_subgroup_size;
    bool shows_text; /* VKTENSOR_DEBUG=2: the GLSL of each kernel built goes to the log */
    const char *spirv_directory; /* VKTENSOR_SPIRV, or NULL: each module goes there */
    uint32_t n_pipelines;
};

VkPipeline vkt_kernel_pipeline(const vkt_kernel *kernel)
{
    return kernel->pipeline;
}

const char *vkt_kernel_name(const vkt_kernel *kernel)
{
    return kernel->name;
}

/* ---- The table: open addressing, nothing is ever removed */

static slot *find_slot(slot *slots, size_t n_slots, uint64_t hash, const void *key,
                       size_t key_nbytes)
{
    for (size_t i = hash & (n_slots - 1);; i = (i + 1) & (n_slots - 1)) {
        slot *s = &slots[i];
        if (!s->kernel || (s->hash == hash && s->kernel->key_nbytes == key_nbytes &&
                           memcmp(s->kernel->key, key, key_nbytes) == 0))
            return s;
    }
}

vkt_kernel *vkt_kernel_find(vkt_device *device, const void *key, size_t key_nbytes)
{
    vkt_kernels *kernels = device->kernels;
    if (!kernels)
        return NULL;
    uint64_t hash = vkt_hash64(key, key_nbytes, 0);
    vkt_kernel *kernel = find_slot(kernels->slots, kernels->n_slots, hash, key, key_nbytes)->kernel;
    vkt_metric_add(device, VKT_METRIC_kernel_lookups, 1);
    if (kernel)
        vkt_metric_add(device, VKT_METRIC_kernels_found, 1);
    return kernel;
}

static vkt_status reserve_slot(vkt_kernels *kernels)
{
    if (2 * (kernels->n_kernels + 1) <= kernels->n_slots)
        return VKT_OK;
    size_t n_slots = 2 * kernels->n_slots;
    slot *slots = calloc(n_slots, sizeof(*slots));
    VKT_REQUIRE(slots, VKT_OUT_OF_MEMORY, "kernel: no memory for %zu slots", n_slots);
    for (size_t i = 0; i < kernels->n_slots; i++) {
        slot old = kernels->slots[i];
        if (old.kernel)
            *find_slot(slots, n_slots, old.hash, old.kernel->key, old.kernel->key_nbytes) = old;
    }
    free(kernels->slots);
    kernels->slots = slots;
    kernels->n_slots = n_slots;
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- The pipeline cache on disk */

static VkResult create_cache(vkt_device *device, const void *blob, size_t nbytes,
                             VkPipelineCache *out)
{
    const VkPipelineCacheCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
        .initialDataSize = nbytes,
        .pInitialData = blob,
    };
    return device->vk.vkCreatePipelineCache(device->handle, &info, NULL, out);
}

/* A blob is the driver's own header at least; it names the device and the driver's cache format. */
static bool is_blob_for(const vkt_device *device, const void *blob, size_t nbytes)
{
    VkPipelineCacheHeaderVersionOne header;
    if (nbytes < sizeof(header) || nbytes > MAX_BLOB_NBYTES)
        return false;
    memcpy(&header, blob, sizeof(header));
    return header.headerSize >= sizeof(header) && header.headerSize <= nbytes &&
           header.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
           header.vendorID == device->info.vendor_id && header.deviceID == device->info.device_id &&
           memcmp(header.pipelineCacheUUID, device->kernels->cache_uuid, VK_UUID_SIZE) == 0;
}

/* The blob on disk, if it may be given to the driver and is not the one last seen; to be freed. */
static bool load_new_blob(vkt_device *device, void **blob, size_t *nbytes)
{
    vkt_kernels *kernels = device->kernels;
    if (!vkt_cache_load_driver(VKT_CACHE_PIPELINES, &device->info, kernels->cache_uuid, blob,
                               nbytes))
        return false;
    vkt_hash128 hash = vkt_hash128_of(*blob, *nbytes);
    bool is_new = hash.low != kernels->stored.low || hash.high != kernels->stored.high;
    if (is_new && is_blob_for(device, *blob, *nbytes)) {
        kernels->stored = hash;
        return true;
    }
    free(*blob);
    *blob = NULL;
    return false;
}

/* Takes over what another process has stored meanwhile, so that the later writer loses nothing. */
static void merge_stored(vkt_device *device)
{
    void *blob = NULL;
    size_t nbytes = 0;
    VkPipelineCache other = VK_NULL_HANDLE;
    if (!load_new_blob(device, &blob, &nbytes))
        return;
    if (create_cache(device, blob, nbytes, &other) == VK_SUCCESS) {
        (void)device->vk.vkMergePipelineCaches(device->handle, device->kernels->cache, 1, &other);
        device->vk.vkDestroyPipelineCache(device->handle, other, NULL);
    }
    free(blob);
}

/* Failures are of no consequence: the pipelines are compiled again next time. */
static void store_cache(vkt_device *device)
{
    vkt_kernels *kernels = device->kernels;
    size_t nbytes = 0;
    void *blob = NULL;
    if (kernels->unstored == 0 || !kernels->cache || vkt_cache_directory()[0] == '\0')
        return;
    kernels->unstored = 0;
    merge_stored(device);
    if (device->vk.vkGetPipelineCacheData(device->handle, kernels->cache, &nbytes, NULL) !=
            VK_SUCCESS ||
        nbytes <= sizeof(VkPipelineCacheHeaderVersionOne) || nbytes > MAX_BLOB_NBYTES)
        return; /* some CPU drivers have nothing but the header */
    blob = malloc(nbytes);
    if (blob && device->vk.vkGetPipelineCacheData(device->handle, kernels->cache, &nbytes, blob) ==
                    VK_SUCCESS) {
        vkt_hash128 hash = vkt_hash128_of(blob, nbytes);
        if (hash.low != kernels->stored.low || hash.high != kernels->stored.high)
            (void)vkt_cache_store_driver(VKT_CACHE_PIPELINES, &device->info, kernels->cache_uuid,
                                         blob, nbytes);
        kernels->stored = hash;
    }
    free(blob);
}

char *vkt_settings_load(const vkt_device *device)
{
    void *text = NULL;
    size_t nbytes = 0;
    if (!device->kernels || !vkt_cache_load_driver(VKT_CACHE_SETTINGS, &device->info,
                                                   device->kernels->cache_uuid, &text, &nbytes))
        return NULL;
    ((char *)text)[nbytes] = '\0';
    return text;
}

bool vkt_settings_store(const vkt_device *device, const char *text)
{
    return device->kernels &&
           vkt_cache_store_driver(VKT_CACHE_SETTINGS, &device->info, device->kernels->cache_uuid,
                                  text, strlen(text));
}

static void count_pipeline(vkt_device *device, bool was_cached)
{
    vkt_kernels *kernels = device->kernels;
    kernels->n_pipelines++;
    kernels->unstored += !was_cached;
    vkt_metric_add(device, VKT_METRIC_pipelines, 1);
    vkt_metric_add(device, VKT_METRIC_pipelines_cached, was_cached);
    if (kernels->unstored >= STORE_AFTER && kernels->unstored >= kernels->n_pipelines / 4)
        store_cache(device);
}

/* ---- Facts on disk */

/* `count` tells answers to an older list of questions apart. */
typedef struct stored_facts {
    uint32_t count, facts;
} stored_facts;

bool vkt_kernels_load_facts(vkt_device *device, uint32_t *facts)
{
    void *blob = NULL;
    size_t nbytes = 0;
    stored_facts stored = {0};
    if (!vkt_cache_load_driver(VKT_CACHE_FACTS, &device->info, device->kernels->cache_uuid, &blob,
                               &nbytes))
        return false;
    if (nbytes == sizeof(stored))
        memcpy(&stored, blob, sizeof(stored));
    free(blob);
    *facts = stored.facts;
    return stored.count == VKT_FACT_COUNT;
}

void vkt_kernels_store_facts(vkt_device *device, uint32_t facts)
{
    const stored_facts stored = {VKT_FACT_COUNT, facts};
    (void)vkt_cache_store_driver(VKT_CACHE_FACTS, &device->info, device->kernels->cache_uuid,
                                 &stored, sizeof(stored));
}

/* ---- Building */

static vkt_status check_workgroup(const vkt_device_info *info, const vkt_kernel_source *source)
{
    uint64_t total = 1;
    VKT_REQUIRE(source->n_constants <= MAX_CONSTANTS, VKT_VALUE_ERROR,
                "kernel %s: expected at most %d specialization constants, got %u", source->name,
                MAX_CONSTANTS, source->n_constants);
    for (uint32_t i = 0; i < 3 && i < source->n_constants; i++) {
        uint32_t size = source->constants[i];
        VKT_REQUIRE(size >= 1 && size <= info->max_workgroup_size[i], VKT_VALUE_ERROR,
                    "kernel %s: expected 1 to %u invocations along axis %u of a workgroup, got %u",
                    source->name, info->max_workgroup_size[i], i, size);
        total *= size;
    }
    VKT_REQUIRE(total <= info->max_workgroup_invocations, VKT_VALUE_ERROR,
                "kernel %s: expected at most %u invocations in a workgroup, got %" PRIu64,
                source->name, info->max_workgroup_invocations, total);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* Whether the size must be asked for (*require), or the device has it anyway. */
static vkt_status check_subgroup(const vkt_device *device, const vkt_kernel_source *source,
                                 bool *require)
{
    const vkt_device_info *info = &device->info;
    uint32_t size = source->subgroup_size;
    *require = false;
    if (size == 0)
        return VKT_OK;
    if (!device->kernels->can_require_subgroup_size) {
        VKT_REQUIRE(size == info->subgroup_size, VKT_VALUE_ERROR,
                    "kernel %s: expected subgroup size %u, the device's only one, got %u",
                    source->name, info->subgroup_size, size);
        return VKT_OK;
    }
    VKT_REQUIRE(size >= info->min_subgroup_size && size <= info->max_subgroup_size &&
                    (size & (size - 1)) == 0,
                VKT_VALUE_ERROR,
                "kernel %s: expected a subgroup size of %u to %u and a power of two, got %u",
                source->name, info->min_subgroup_size, info->max_subgroup_size, size);
    uint64_t invocations = 1;
    for (uint32_t i = 0; i < 3 && i < source->n_constants; i++)
        invocations *= source->constants[i];
    VKT_REQUIRE(invocations <= (uint64_t)size * device->kernels->max_subgroups, VKT_VALUE_ERROR,
                "kernel %s: expected at most %u subgroups of %u in a workgroup, got %" PRIu64
                " invocations",
                source->name, device->kernels->max_subgroups, size, invocations);
    *require = true;
    return VKT_OK;
fail:
    return vkt_status_last();
}

static vkt_status obtain_spirv(vkt_device *device, const vkt_kernel_source *source,
                               uint32_t **words, size_t *n_words, uint32_t *flags)
{
    /* The disk holds what glslang gave: what depends on the device is added later, quickly. */
    if (vkt_cache_load_spirv(source->glsl, words, n_words)) {
        vkt_metric_add(device, VKT_METRIC_kernels_from_disk, 1);
        *flags |= VKT_EVENT_SPIRV_CACHED;
        return VKT_OK;
    }
    VKT_TRY(vkt_glsl_compile(source->name, source->glsl, words, n_words));
    vkt_metric_add(device, VKT_METRIC_kernels_compiled, 1);
    vkt_cache_store_spirv(source->glsl, *words, *n_words);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* DIR/<number>-<name>.spv, for those who look at kernels; a failure is of no consequence. */
static void write_spirv(const vkt_kernels *kernels, const char *name, const uint32_t *words,
                        size_t n_words)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%04zu-%s.spv", kernels->spirv_directory,
                     kernels->n_kernels, name);
    FILE *file = n > 0 && (size_t)n < sizeof(path) ? fopen(path, "wb") : NULL;
    if (!file)
        return;
    (void)fwrite(words, sizeof(*words), n_words, file);
    (void)fclose(file);
}

/* Memory and loss are what they are; any other refusal is the shader's. */
static vkt_status fail_pipeline(vkt_device *device, VkResult result, const char *name)
{
    if (result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY ||
        result == VK_ERROR_DEVICE_LOST)
        return vkt_vk_fail(device, result, "vkCreateComputePipelines", __FILE__, __LINE__);
    return vkt_fail(VKT_COMPILE_ERROR, __FILE__, __LINE__,
                    "kernel %s: the driver refused it (VkResult %d)", name, (int)result);
}

static vkt_status create_pipeline(vkt_device *device, const vkt_kernel_source *source,
                                  const uint32_t *words, size_t n_words, uint32_t *flags,
                                  VkPipeline *out)
{
    VkPipelineCreationFeedback feedback = {0};
    VkShaderModule shader = VK_NULL_HANDLE;
    VkSpecializationMapEntry entries[MAX_CONSTANTS];
    bool require_size = false;

    VKT_TRY(check_subgroup(device, source, &require_size));
    for (uint32_t i = 0; i < source->n_constants; i++)
        entries[i] = (VkSpecializationMapEntry){.constantID = i, .offset = 4 * i, .size = 4};
    const VkSpecializationInfo constants = {
        .mapEntryCount = source->n_constants,
        .pMapEntries = entries,
        .dataSize = 4 * (size_t)source->n_constants,
        .pData = source->constants,
    };
    const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = source->subgroup_size,
    };
    /* Full subgroups may be asked for only where they are possible. */
    bool full = require_size && source->n_constants > 0 &&
                source->constants[0] % source->subgroup_size == 0;

    const VkShaderModuleCreateInfo module_info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
        .codeSize = 4 * n_words,
        .pCode = words,
    };
    VKT_VK(device, device->vk.vkCreateShaderModule(device->handle, &module_info, NULL, &shader));
    const VkPipelineCreationFeedbackCreateInfo feedback_info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CREATION_FEEDBACK_CREATE_INFO,
        .pPipelineCreationFeedback = &feedback,
    };
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .pNext = &feedback_info,
        .stage =
            {
                .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .pNext = require_size ? &subgroup : NULL,
                .flags = full ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT : 0,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .module = shader,
                .pName = "main",
                .pSpecializationInfo = source->n_constants ? &constants : NULL,
            },
        .layout = vkt_queue_pipeline_layout(device),
    };
    VkResult result = device->vk.vkCreateComputePipelines(device->handle, device->kernels->cache, 1,
                                                          &info, NULL, out);
    if (result < 0)
        VKT_TRY(fail_pipeline(device, result, source->name));
    device->vk.vkDestroyShaderModule(device->handle, shader, NULL);
    device->live.pipelines++;
    vkt_name_object(device, VK_OBJECT_TYPE_PIPELINE, (uint64_t)*out, source->name);
    const VkPipelineCreationFeedbackFlags hit =
        VK_PIPELINE_CREATION_FEEDBACK_VALID_BIT |
        VK_PIPELINE_CREATION_FEEDBACK_APPLICATION_PIPELINE_CACHE_HIT_BIT;
    if ((feedback.flags & hit) == hit)
        *flags |= VKT_EVENT_PIPELINE_CACHED;
    count_pipeline(device, (feedback.flags & hit) == hit);
    return VKT_OK;
fail:
    if (shader)
        device->vk.vkDestroyShaderModule(device->handle, shader, NULL);
    return vkt_status_last();
}

static void destroy_kernel(vkt_device *device, vkt_kernel *kernel)
{
    if (!kernel)
        return;
    if (kernel->pipeline) {
        device->vk.vkDestroyPipeline(device->handle, kernel->pipeline, NULL);
        device->live.pipelines--;
    }
    free(kernel);
}

vkt_status vkt_kernel_build(vkt_device *device, const void *key, size_t key_nbytes,
                            const vkt_kernel_source *source, vkt_kernel **out)
{
    uint32_t *words = NULL;
    size_t n_words = 0;
    vkt_kernel *kernel = NULL;
    uint32_t flags = 0;
    uint64_t started = vkt_now_ns();

    VKT_TRY(vkt_device_check(device));
    vkt_kernels *kernels = device->kernels;
    VKT_TRY(check_workgroup(&device->info, source));
    VKT_TRY(reserve_slot(kernels));
    uint64_t hash = vkt_hash64(key, key_nbytes, 0);
    slot *place = find_slot(kernels->slots, kernels->n_slots, hash, key, key_nbytes);
    if (place->kernel) {
        *out = place->kernel;
        return VKT_OK;
    }
    size_t n_name = strlen(source->name) + 1;
    kernel = calloc(1, sizeof(*kernel) + key_nbytes + n_name);
    VKT_REQUIRE(kernel, VKT_OUT_OF_MEMORY, "kernel %s: no memory", source->name);
    memcpy(kernel->key, key, key_nbytes);
    kernel->key_nbytes = key_nbytes;
    kernel->name = memcpy(kernel->key + key_nbytes, source->name, n_name);

    if (kernels->shows_text)
        vkt_log_text(VKT_LOG_DEBUG, source->glsl);
    VKT_TRY(obtain_spirv(device, source, &words, &n_words, &flags));
    VKT_TRY(vkt_spirv_finish(&device->info, source->fast_math, &words, &n_words));
    if (kernels->spirv_directory)
        write_spirv(kernels, source->name, words, n_words);
    uint64_t translated = vkt_now_ns();
    VKT_TRY(create_pipeline(device, source, words, n_words, &flags, &kernel->pipeline));
    free(words);

    *place = (slot){.hash = hash, .kernel = kernel};
    kernels->n_kernels++;
    uint64_t took = vkt_now_ns() - started;
    vkt_metric_add(device, VKT_METRIC_compile_ns, took);
    if (device->profiled)
        vkt_profile_compiled(device, started, source->name, translated - started,
                             vkt_now_ns() - translated, flags);
    vkt_log(VKT_LOG_DEBUG, "kernel %s: built in %.1f ms", source->name, (double)took * 1e-6);
    *out = kernel;
    return VKT_OK;
fail:
    free(words);
    destroy_kernel(device, kernel);
    return vkt_status_last();
}

/* ---- Life */

static void query_driver(vkt_device *device)
{
    vkt_kernels *kernels = device->kernels;
    VkPhysicalDeviceVulkan13Properties props13 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES,
    };
    VkPhysicalDeviceProperties2 props = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
        .pNext = &props13,
    };
    vkGetPhysicalDeviceProperties2(device->physical, &props);
    memcpy(kernels->cache_uuid, props.properties.pipelineCacheUUID, VK_UUID_SIZE);
    kernels->max_subgroups = props13.maxComputeWorkgroupSubgroups;
    kernels->can_require_subgroup_size =
        device->info.subgroup_size_control &&
        (props13.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
}

vkt_status vkt_kernels_create(vkt_device *device)
{
    void *blob = NULL;
    size_t nbytes = 0;
    vkt_kernels *kernels = calloc(1, sizeof(*kernels));
    VKT_REQUIRE(kernels, VKT_OUT_OF_MEMORY, "device: no memory for the kernel table");
    device->kernels = kernels;
    const char *debug = getenv("VKTENSOR_DEBUG");
    kernels->shows_text = debug && strcmp(debug, "2") == 0;
    kernels->spirv_directory = secure_getenv("VKTENSOR_SPIRV");
    kernels->n_slots = FIRST_SLOTS;
    kernels->slots = calloc(kernels->n_slots, sizeof(*kernels->slots));
    VKT_REQUIRE(kernels->slots, VKT_OUT_OF_MEMORY, "device: no memory for the kernel table");
    query_driver(device);
    if (load_new_blob(device, &blob, &nbytes) &&
        create_cache(device, blob, nbytes, &kernels->cache) != VK_SUCCESS)
        kernels->cache = VK_NULL_HANDLE;
    if (!kernels->cache)
        VKT_VK(device, create_cache(device, NULL, 0, &kernels->cache));
    free(blob);
    return VKT_OK;
fail:
    free(blob);
    vkt_kernels_destroy(device);
    return vkt_status_last();
}

void vkt_kernels_destroy(vkt_device *device)
{
    vkt_kernels *kernels = device->kernels;
    if (!kernels)
        return;
    if (!device->lost)
        store_cache(device);
    for (size_t i = 0; kernels->slots && i < kernels->n_slots; i++)
        destroy_kernel(device, kernels->slots[i].kernel);
    if (kernels->cache)
        device->vk.vkDestroyPipelineCache(device->handle, kernels->cache, NULL);
    free(kernels->slots);
    free(kernels);
    device->kernels = NULL;
}
