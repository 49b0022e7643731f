/* vulkan/instance.c - loads Vulkan at first use, lists the devices and chooses among them. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vulkan/internal.h"

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"
#define INSTALL_HINT     "on Debian and Ubuntu: apt install libvulkan1 mesa-vulkan-drivers"

/* Grids are sized by the number of cores; where nobody tells it, a guess of a few workgroups too
 * many is harmless. */
#define GUESSED_CORES_DISCRETE   64
#define GUESSED_CORES_INTEGRATED 16

/* Mesa's LLVM drivers stop every loop silently after 65,535 turns summed over a shader. */
#define LLVMPIPE_MAX_TURNS 16384

static VkInstance the_instance;
static VkDebugUtilsMessengerEXT the_messenger;
static bool has_debug_utils;
static bool validating;
static uint32_t layer_version;  /* of the validation layer */
static vkt_physical *physicals; /* kept for the life of the process: infos are handed out */
static uint32_t n_physicals;
static char wanted_device[256]; /* VKTENSOR_DEVICE, read once */

/* ---- Validation messages */

static vkt_mutex message_lock = VKT_MUTEX_INIT;
static uint32_t n_messages;
static char last_message[4096];
static char shown_message[4096];

static VKAPI_ATTR VkBool32 VKAPI_CALL hear_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                   VkDebugUtilsMessageTypeFlagsEXT types,
                                                   const VkDebugUtilsMessengerCallbackDataEXT *data,
                                                   void *unused)
{
    (void)types;
    (void)unused;
    const char *text = data->pMessage ? data->pMessage : "";
    bool is_error = (severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT) != 0;

    vkt_mutex_lock(&message_lock);
    n_messages++;
    (void)snprintf(last_message, sizeof last_message, "%s", text);
    vkt_mutex_unlock(&message_lock);
    vkt_log(is_error ? VKT_LOG_ERROR : VKT_LOG_WARNING, "validation: %s", text);
    return VK_FALSE;
}

uint32_t vkt_validation_messages(const char **text)
{
    vkt_mutex_lock(&message_lock);
    uint32_t n = n_messages;
    n_messages = 0;
    if (n)
        memcpy(shown_message, last_message, sizeof shown_message);
    vkt_mutex_unlock(&message_lock);
    if (text)
        *text = shown_message;
    return n;
}

/* ---- The instance */

/* True when `layer` (NULL: the loader and drivers) offers the instance extension. */
static bool has_instance_extension(const char *layer, const char *name)
{
    uint32_t n = 0;
    bool found = false;

    if (vkEnumerateInstanceExtensionProperties(layer, &n, NULL) < 0 || n == 0)
        return false;
    VkExtensionProperties *all = calloc(n, sizeof *all);
    if (all && vkEnumerateInstanceExtensionProperties(layer, &n, all) >= 0) {
        for (uint32_t i = 0; i < n && !found; i++)
            found = strcmp(all[i].extensionName, name) == 0;
    }
    free(all);
    return found;
}

static vkt_status find_validation_layer(void)
{
    uint32_t n = 0;
    VkLayerProperties *all = NULL;

    VKT_VK(NULL, vkEnumerateInstanceLayerProperties(&n, NULL));
    all = calloc(n + 1, sizeof *all);
    VKT_REQUIRE(all, VKT_OUT_OF_MEMORY, "out of host memory");
    VKT_VK(NULL, vkEnumerateInstanceLayerProperties(&n, all));
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(all[i].layerName, VALIDATION_LAYER) == 0)
            layer_version = all[i].specVersion;
    }
    VKT_REQUIRE(layer_version, VKT_UNAVAILABLE,
                "VKTENSOR_VALIDATE=1: the layer " VALIDATION_LAYER
                " is not installed; on Debian and Ubuntu: apt install vulkan-validationlayers");
    free(all);
    return VKT_OK;
fail:
    free(all);
    return vkt_status_last();
}

static bool asked_to_validate(void)
{
    const char *value = getenv("VKTENSOR_VALIDATE");
    return value && value[0] && strcmp(value, "0") != 0;
}

static vkt_status create_instance(void)
{
    const char *extensions[4];
    const char *layers[1] = {VALIDATION_LAYER};
    uint32_t n_extensions = 0;
    bool has_portability =
        has_instance_extension(NULL, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);

    validating = asked_to_validate();
    if (validating)
        VKT_TRY(find_validation_layer());
    has_debug_utils =
        has_instance_extension(NULL, VK_EXT_DEBUG_UTILS_EXTENSION_NAME) ||
        (validating && has_instance_extension(VALIDATION_LAYER, VK_EXT_DEBUG_UTILS_EXTENSION_NAME));
    if (has_debug_utils)
        extensions[n_extensions++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
    if (validating)
        extensions[n_extensions++] = VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME;
    if (has_portability)
        extensions[n_extensions++] = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;

    const VkValidationFeatureEnableEXT enables[] = {
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    VkDebugUtilsMessengerCreateInfoEXT messenger = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                           VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                       VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
        .pfnUserCallback = hear_message,
    };
    VkValidationFeaturesEXT features = {
        .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
        .pNext = &messenger,
        .enabledValidationFeatureCount = 1,
        .pEnabledValidationFeatures = enables,
    };
    VkApplicationInfo application = {
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
        .pApplicationName = "vktensor",
        .pEngineName = "vktensor",
        .apiVersion = VK_API_VERSION_1_3,
    };
    VkInstanceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pNext = validating ? &features : NULL,
        .flags = has_portability ? VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR : 0,
        .pApplicationInfo = &application,
        .enabledLayerCount = validating ? 1 : 0,
        .ppEnabledLayerNames = layers,
        .enabledExtensionCount = n_extensions,
        .ppEnabledExtensionNames = extensions,
    };
    VkResult result = vkCreateInstance(&info, NULL, &the_instance);
    VKT_REQUIRE(result != VK_ERROR_INCOMPATIBLE_DRIVER, VKT_UNAVAILABLE,
                "Vulkan: the loader found no driver; " INSTALL_HINT);
    VKT_VK(NULL, result);
    volkLoadInstanceOnly(the_instance);
    if (validating)
        VKT_VK(NULL,
               vkCreateDebugUtilsMessengerEXT(the_instance, &messenger, NULL, &the_messenger));
    return VKT_OK;
fail:
    vkt_instance_destroy();
    return vkt_status_last();
}

void vkt_instance_destroy(void)
{
    if (the_messenger)
        vkDestroyDebugUtilsMessengerEXT(the_instance, the_messenger, NULL);
    if (the_instance)
        vkDestroyInstance(the_instance, NULL);
    the_messenger = VK_NULL_HANDLE;
    the_instance = VK_NULL_HANDLE;
}

VkInstance vkt_instance(void)
{
    return the_instance;
}

bool vkt_has_debug_utils(void)
{
    return has_debug_utils;
}

void vkt_name_object(vkt_device *device, VkObjectType type, uint64_t handle, const char *name)
{
    if (!has_debug_utils || !vkSetDebugUtilsObjectNameEXT)
        return;
    VkDebugUtilsObjectNameInfoEXT info = {
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
        .objectType = type,
        .objectHandle = handle,
        .pObjectName = name,
    };
    (void)vkSetDebugUtilsObjectNameEXT(device->handle, &info);
}

/* ---- What a device can do */

void vkt_features_link(vkt_features *features, bool fault, bool matrix)
{
    *features = (vkt_features){
        .core = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2},
        .v11 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES},
        .v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES},
        .v13 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES},
        .fault = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FAULT_FEATURES_EXT},
        .matrix = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR},
    };
    features->core.pNext = &features->v11;
    features->v11.pNext = &features->v12;
    features->v12.pNext = &features->v13;
    if (fault) {
        features->fault.pNext = features->v13.pNext;
        features->v13.pNext = &features->fault;
    }
    if (matrix) {
        features->matrix.pNext = features->v13.pNext;
        features->v13.pNext = &features->matrix;
    }
}

typedef struct extensions {
    VkExtensionProperties *all;
    uint32_t n;
} extensions;

static bool has_extension(const extensions *list, const char *name)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (strcmp(list->all[i].extensionName, name) == 0)
            return true;
    }
    return false;
}

static vkt_status list_extensions(VkPhysicalDevice handle, extensions *out)
{
    out->n = 0;
    VKT_VK(NULL, vkEnumerateDeviceExtensionProperties(handle, NULL, &out->n, NULL));
    out->all = calloc(out->n + 1, sizeof *out->all);
    VKT_REQUIRE(out->all, VKT_OUT_OF_MEMORY, "out of host memory");
    VKT_VK(NULL, vkEnumerateDeviceExtensionProperties(handle, NULL, &out->n, out->all));
    return VKT_OK;
fail:
    free(out->all);
    out->all = NULL;
    return vkt_status_last();
}

static vkt_device_kind kind_of(VkPhysicalDeviceType type)
{
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return VKT_DEVICE_DISCRETE;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return VKT_DEVICE_INTEGRATED;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return VKT_DEVICE_VIRTUAL;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return VKT_DEVICE_CPU;
    default:
        return VKT_DEVICE_OTHER;
    }
}

/* Adds to info->missing; a device that misses anything is not usable. */
static void miss(vkt_device_info *info, bool has, const char *what)
{
    size_t length = strlen(info->missing);
    if (has)
        return;
    info->usable = false;
    (void)snprintf(info->missing + length, sizeof info->missing - length, "%s%s",
                   length ? ", " : "", what);
}

/* A family that only computes runs beside graphics work, and its submits are cheaper (7 us
 * against 14 on an H100). */
static void choose_family(vkt_physical *physical)
{
    VkQueueFamilyProperties families[32];
    uint32_t n = 32;
    int best = -1;

    vkGetPhysicalDeviceQueueFamilyProperties(physical->handle, &n, families);
    for (uint32_t i = 0; i < n; i++) {
        if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) || families[i].queueCount == 0)
            continue;
        int rank = (families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT) ? 0 : 1;
        if (rank > best) {
            best = rank;
            physical->queue_family = i;
            physical->timestamp_bits = families[i].timestampValidBits;
        }
    }
    miss(&physical->info, best >= 0, "a compute queue");
}

static void read_features(vkt_physical *physical, const extensions *list)
{
    vkt_device_info *info = &physical->info;
    vkt_features features;
    bool fault = has_extension(list, VK_EXT_DEVICE_FAULT_EXTENSION_NAME);
    /* Layers older than the extension would report its structures as errors. */
    bool matrix = has_extension(list, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) &&
                  (!validating || layer_version >= VKT_COOPERATIVE_MATRIX_SINCE);

    vkt_features_link(&features, fault, matrix);
    vkGetPhysicalDeviceFeatures2(physical->handle, &features.core);
    physical->has_device_fault = fault && features.fault.deviceFault;
    physical->has_portability_subset = has_extension(list, "VK_KHR_portability_subset");

    const char *without = getenv("VKTENSOR_WITHOUT");
    info->float64 =
        features.core.features.shaderFloat64 && !(without && strcmp(without, "float64") == 0);
    info->float16 = features.v12.shaderFloat16;
    info->int8 = features.v12.shaderInt8;
    info->int16 = features.core.features.shaderInt16;
    info->int64 = features.core.features.shaderInt64;
    info->storage8 = features.v12.storageBuffer8BitAccess;
    info->push8 = features.v12.storagePushConstant8;
    info->storage16 = features.v11.storageBuffer16BitAccess;
    info->int64_atomics = features.v12.shaderBufferInt64Atomics;
    info->subgroup_size_control =
        features.v13.subgroupSizeControl && features.v13.computeFullSubgroups;
    info->cooperative_matrix =
        matrix && features.matrix.cooperativeMatrix && features.v12.vulkanMemoryModel;
    /* read_limits says how much */
    info->bind_nbytes =
        info->kind == VKT_DEVICE_CPU && has_extension(list, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
    info->external_host_memory = has_extension(list, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    info->memory_budget = has_extension(list, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    /* One and the same; the older name is the one that older validation layers know. */
    if (has_extension(list, VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME))
        physical->calibration = VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME;
    else if (has_extension(list, VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME))
        physical->calibration = VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME;
    info->calibrated_timestamps = physical->calibration != NULL;

    miss(info, features.v12.bufferDeviceAddress, "bufferDeviceAddress");
    miss(info, features.v12.timelineSemaphore, "timelineSemaphore");
    miss(info, features.v12.scalarBlockLayout, "scalarBlockLayout");
    miss(info, features.v13.synchronization2, "synchronization2");
    miss(info, features.v13.maintenance4, "maintenance4");
}

static uint32_t count_cores(vkt_physical *physical, const extensions *list)
{
    VkPhysicalDeviceShaderSMBuiltinsPropertiesNV nv = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV};
    VkPhysicalDeviceShaderCorePropertiesAMD amd = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD};
    VkPhysicalDeviceProperties2 properties = {.sType =
                                                  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};

    if (physical->info.kind == VKT_DEVICE_CPU) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        return n > 0 ? (uint32_t)n : 1;
    }
    if (has_extension(list, VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME)) {
        properties.pNext = &nv;
        vkGetPhysicalDeviceProperties2(physical->handle, &properties);
        if (nv.shaderSMCount)
            return nv.shaderSMCount;
    }
    if (has_extension(list, VK_AMD_SHADER_CORE_PROPERTIES_EXTENSION_NAME)) {
        properties.pNext = &amd;
        vkGetPhysicalDeviceProperties2(physical->handle, &properties);
        uint32_t n =
            amd.shaderEngineCount * amd.shaderArraysPerEngineCount * amd.computeUnitsPerShaderArray;
        if (n)
            return n;
    }
    return physical->info.kind == VKT_DEVICE_DISCRETE ? GUESSED_CORES_DISCRETE
                                                      : GUESSED_CORES_INTEGRATED;
}

static uint64_t largest_device_heap(VkPhysicalDevice handle)
{
    VkPhysicalDeviceMemoryProperties memory;
    uint64_t largest = 0;

    vkGetPhysicalDeviceMemoryProperties(handle, &memory);
    for (uint32_t i = 0; i < memory.memoryHeapCount; i++) {
        if ((memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) &&
            memory.memoryHeaps[i].size > largest)
            largest = memory.memoryHeaps[i].size;
    }
    return largest;
}

/* Widths that may not differ in one module count only together. */
static void read_subnormals(const VkPhysicalDeviceVulkan12Properties *v12, bool preserves[3])
{
    bool half = v12->shaderDenormPreserveFloat16, single = v12->shaderDenormPreserveFloat32;
    bool full = v12->shaderDenormPreserveFloat64;
    bool all = half && single && full;
    VkShaderFloatControlsIndependence apart = v12->denormBehaviorIndependence;
    bool any_apart = apart == VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_ALL;
    bool single_apart = any_apart || apart == VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_32_BIT_ONLY;
    bool others = all || (single_apart && half && full);
    preserves[0] = others || (any_apart && half);
    preserves[1] = all || (single_apart && single);
    preserves[2] = others || (any_apart && full);
}

static void read_limits(vkt_physical *physical, const VkPhysicalDeviceProperties *core,
                        const VkPhysicalDeviceVulkan11Properties *v11,
                        const VkPhysicalDeviceVulkan12Properties *v12,
                        const VkPhysicalDeviceVulkan13Properties *v13)
{
    vkt_device_info *info = &physical->info;
    const VkPhysicalDeviceLimits *limits = &core->limits;
    const VkSubgroupFeatureFlags wanted =
        VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_ARITHMETIC_BIT;

    info->timestamps = physical->timestamp_bits > 0 && limits->timestampPeriod > 0;
    info->timestamp_period_ns = limits->timestampPeriod;
    info->subgroup_arithmetic = (v11->subgroupSupportedOperations & wanted) == wanted &&
                                (v11->subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT);
    info->subgroup_shuffle = (v11->subgroupSupportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT) &&
                             (v11->subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT);
    info->subgroup_ballot = (v11->subgroupSupportedOperations & VK_SUBGROUP_FEATURE_BALLOT_BIT) &&
                            (v11->subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT);
    info->preserves_nan[0] = v12->shaderSignedZeroInfNanPreserveFloat16;
    info->preserves_nan[1] = v12->shaderSignedZeroInfNanPreserveFloat32;
    info->preserves_nan[2] = v12->shaderSignedZeroInfNanPreserveFloat64;
    info->rounds_to_even[0] = v12->shaderRoundingModeRTEFloat16;
    info->rounds_to_even[1] = v12->shaderRoundingModeRTEFloat32;
    info->rounds_to_even[2] = v12->shaderRoundingModeRTEFloat64;
    read_subnormals(v12, info->preserves_subnormals);
    info->subgroup_size = v11->subgroupSize;
    info->min_subgroup_size = v13->minSubgroupSize ? v13->minSubgroupSize : v11->subgroupSize;
    info->max_subgroup_size = v13->maxSubgroupSize ? v13->maxSubgroupSize : v11->subgroupSize;
    info->max_workgroup_invocations = limits->maxComputeWorkGroupInvocations;
    memcpy(info->max_workgroup_size, limits->maxComputeWorkGroupSize,
           sizeof info->max_workgroup_size);
    memcpy(info->max_groups, limits->maxComputeWorkGroupCount, sizeof info->max_groups);
    info->shared_nbytes = limits->maxComputeSharedMemorySize;
    info->push_nbytes = limits->maxPushConstantsSize;
    info->device_nbytes = largest_device_heap(physical->handle);
    /* Drivers of real GPUs give more than they promise in one piece; those on the CPU promise
     * more than there is. */
    uint64_t single =
        info->kind == VKT_DEVICE_CPU ? v11->maxMemoryAllocationSize : info->device_nbytes;
    info->max_block_nbytes = single < v13->maxBufferSize ? single : v13->maxBufferSize;
    const char *transfers = getenv("VKTENSOR_TRANSFERS");
    info->unified_memory = (info->kind == VKT_DEVICE_CPU || info->kind == VKT_DEVICE_INTEGRATED) &&
                           !(transfers && strcmp(transfers, "staged") == 0);
    const char *kernels = getenv("VKTENSOR_KERNELS");
    info->serial_kernels =
        kernels && kernels[0] ? strcmp(kernels, "cpu") == 0 : info->kind == VKT_DEVICE_CPU;
    info->bind_alignment = (uint32_t)limits->minStorageBufferOffsetAlignment;
    info->bind_nbytes = info->bind_nbytes ? limits->maxStorageBufferRange : 0;
    info->max_turns = v12->driverID == VK_DRIVER_ID_MESA_LLVMPIPE ? LLVMPIPE_MAX_TURNS : INT32_MAX;
}

static vkt_status read_physical(vkt_physical *physical)
{
    vkt_device_info *info = &physical->info;
    extensions list = {0};
    VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT};
    VkPhysicalDeviceVulkan13Properties v13 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES};
    VkPhysicalDeviceVulkan12Properties v12 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES, .pNext = &v13};
    VkPhysicalDeviceVulkan11Properties v11 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES, .pNext = &v12};
    VkPhysicalDeviceProperties2 properties = {.sType =
                                                  VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
    const VkPhysicalDeviceProperties *core = &properties.properties;

    info->usable = true;
    vkGetPhysicalDeviceProperties(physical->handle, &properties.properties);
    info->kind = kind_of(core->deviceType);
    info->api_version = core->apiVersion;
    info->driver_version = core->driverVersion;
    info->vendor_id = core->vendorID;
    info->device_id = core->deviceID;
    (void)snprintf(info->name, sizeof info->name, "%s", core->deviceName);
    miss(info, core->apiVersion >= VK_API_VERSION_1_3, "Vulkan 1.3");
    if (!info->usable)
        return VKT_OK;

    VKT_TRY(list_extensions(physical->handle, &list));
    choose_family(physical);
    read_features(physical, &list);
    properties.pNext = &v11;
    if (info->external_host_memory)
        v13.pNext = &host;
    vkGetPhysicalDeviceProperties2(physical->handle, &properties);
    memcpy(info->uuid, v11.deviceUUID, sizeof info->uuid);
    (void)snprintf(info->driver_name, sizeof info->driver_name, "%s", v12.driverName);
    (void)snprintf(info->driver_info, sizeof info->driver_info, "%s", v12.driverInfo);
    info->host_import_alignment = host.minImportedHostPointerAlignment;
    read_limits(physical, core, &v11, &v12, &v13);
    info->n_cores = count_cores(physical, &list);
    free(list.all);
    return VKT_OK;
fail:
    free(list.all);
    return vkt_status_last();
}

/* ---- The list of devices */

static int rank_of(vkt_device_kind kind)
{
    /* The enum's order, but OTHER comes last. */
    return kind == VKT_DEVICE_OTHER ? -1 : (int)kind;
}

static vkt_status list_physicals(void)
{
    VkPhysicalDevice *handles = NULL;
    vkt_physical *found = NULL;
    uint32_t n = 0;

    VKT_VK(NULL, vkEnumeratePhysicalDevices(the_instance, &n, NULL));
    VKT_REQUIRE(n > 0, VKT_UNAVAILABLE, "Vulkan: no driver found a device; " INSTALL_HINT);
    handles = calloc(n, sizeof *handles);
    found = calloc(n, sizeof *found);
    VKT_REQUIRE(handles && found, VKT_OUT_OF_MEMORY, "out of host memory");
    VKT_VK(NULL, vkEnumeratePhysicalDevices(the_instance, &n, handles));
    for (uint32_t i = 0; i < n; i++) {
        vkt_physical one = {.handle = handles[i]};
        VKT_TRY(read_physical(&one));
        uint32_t at = i; /* insertion keeps the driver's order within a kind */
        for (; at > 0 && rank_of(found[at - 1].info.kind) < rank_of(one.info.kind); at--)
            found[at] = found[at - 1];
        found[at] = one;
    }
    for (uint32_t i = 0; i < n; i++)
        found[i].info.index = i;
    free(handles);
    physicals = found;
    n_physicals = n;
    return VKT_OK;
fail:
    free(handles);
    free(found);
    return vkt_status_last();
}

static vkt_status load(void)
{
    VKT_TRY(vkt_check_alive());
    if (n_physicals)
        return VKT_OK;
    vkt_watch_fork();
    if (!vkGetInstanceProcAddr)
        VKT_REQUIRE(volkInitialize() == VK_SUCCESS, VKT_UNAVAILABLE,
                    "Vulkan: no loader (libvulkan.so.1) on this system; " INSTALL_HINT);
    VKT_REQUIRE(volkGetInstanceVersion() >= VK_API_VERSION_1_1, VKT_UNAVAILABLE,
                "Vulkan: the loader knows Vulkan 1.0 only, 1.3 is needed; " INSTALL_HINT);
    const char *device = getenv("VKTENSOR_DEVICE");
    (void)snprintf(wanted_device, sizeof wanted_device, "%s", device ? device : "");
    VKT_TRY(create_instance());
    if (list_physicals() != VKT_OK) {
        vkt_instance_destroy();
        goto fail;
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

uint32_t vkt_physical_count(void)
{
    return n_physicals;
}

vkt_status vkt_physical_at(uint32_t index, vkt_physical **out)
{
    VKT_TRY(load());
    VKT_REQUIRE(index < n_physicals, VKT_VALUE_ERROR, "device: index %u, but there %s %u device%s",
                index, n_physicals == 1 ? "is" : "are", n_physicals, n_physicals == 1 ? "" : "s");
    *out = &physicals[index];
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_device *vkt_physical_device(uint32_t index, vkt_physical **physical)
{
    *physical = &physicals[index];
    return physicals[index].device;
}

vkt_status vkt_device_count(uint32_t *out)
{
    VKT_TRY(load());
    *out = n_physicals;
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_device_info_at(uint32_t index, const vkt_device_info **out)
{
    vkt_physical *physical = NULL;
    VKT_TRY(vkt_physical_at(index, &physical));
    *out = &physical->info;
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Choice */

static bool name_contains(const char *name, const char *part)
{
    size_t n = strlen(part);
    for (; *name; name++) {
        size_t i = 0;
        while (i < n && tolower((unsigned char)name[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == n)
            return true;
    }
    return false;
}

/* `text` is the UUID in 32 hexadecimal digits; dashes are ignored. */
static bool is_uuid(const char *text, const uint8_t uuid[16])
{
    char digits[33];
    size_t n = 0;

    for (; *text; text++) {
        if (*text == '-')
            continue;
        if (n == 32)
            return false;
        digits[n++] = (char)tolower((unsigned char)*text);
    }
    digits[n] = '\0';
    char expected[33];
    for (size_t i = 0; i < 16; i++)
        (void)snprintf(expected + 2 * i, 3, "%02x", uuid[i]);
    return strcmp(digits, expected) == 0;
}

static bool is_index(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return n > 0 && n < 10 && text[n] == '\0';
}

vkt_status vkt_device_default(uint32_t *index)
{
    VKT_TRY(load());
    if (wanted_device[0]) {
        uint32_t asked =
            is_index(wanted_device) ? (uint32_t)strtoul(wanted_device, NULL, 10) : UINT32_MAX;
        /* A UUID shared by two devices, or a name they share, means the first. */
        for (uint32_t i = 0; i < n_physicals; i++) {
            const vkt_device_info *info = &physicals[i].info;
            bool match = asked != UINT32_MAX ? i == asked
                                             : is_uuid(wanted_device, info->uuid) ||
                                                   name_contains(info->name, wanted_device);
            if (!match)
                continue;
            VKT_REQUIRE(info->usable, VKT_UNAVAILABLE,
                        "VKTENSOR_DEVICE=%s: %s cannot be used: it lacks %s", wanted_device,
                        info->name, info->missing);
            *index = i;
            return VKT_OK;
        }
        VKT_FAIL(VKT_UNAVAILABLE,
                 "VKTENSOR_DEVICE=%s: no device has that index, UUID or name; the first is 0: %s",
                 wanted_device, physicals[0].info.name);
    }
    for (int cpu = 0; cpu < 2; cpu++) {
        for (uint32_t i = 0; i < n_physicals; i++) {
            if (physicals[i].info.usable &&
                (physicals[i].info.kind == VKT_DEVICE_CPU) == (cpu == 1)) {
                *index = i;
                return VKT_OK;
            }
        }
    }
    VKT_FAIL(VKT_UNAVAILABLE, "Vulkan: no device can be used: %s lacks %s", physicals[0].info.name,
             physicals[0].info.missing);
fail:
    return vkt_status_last();
}
