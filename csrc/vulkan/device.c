/* vulkan/device.c - the logical device: creation, loss, fork and shutdown. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vulkan/internal.h"

/* How long shutdown waits for submitted work before it leaves the device to the end of the
 * process. */
#define DRAIN_NS UINT64_C(30000000000)

/* ---- Hooks */

static void do_nothing(void) {}

static bool never(void)
{
    return false;
}

vkt_hooks vkt_the_hooks = {do_nothing, do_nothing, never, do_nothing};

void vkt_set_hooks(const vkt_hooks *hooks)
{
    vkt_the_hooks = (vkt_hooks){
        .blocking_begin = hooks->blocking_begin ? hooks->blocking_begin : do_nothing,
        .blocking_end = hooks->blocking_end ? hooks->blocking_end : do_nothing,
        .interrupted = hooks->interrupted ? hooks->interrupted : never,
        .collect = hooks->collect ? hooks->collect : do_nothing,
    };
}

/* ---- Alive, forked, shut down */

enum { ALIVE, FORKED, SHUT_DOWN };
static _Atomic int life = ALIVE;
static bool watching_fork;

/* Runs in the child between fork and its first instruction: one store, no lock. */
static void note_fork(void)
{
    atomic_store(&life, FORKED);
}

void vkt_watch_fork(void)
{
    if (!watching_fork)
        watching_fork = pthread_atfork(NULL, NULL, note_fork) == 0;
}

#if defined(__GLIBC__)
static void leave_child(int code, void *unused)
{
    (void)unused;
    if (atomic_load(&life) == FORKED) {
        (void)fflush(NULL);
        _exit(code);
    }
}
#endif

/* NVIDIA's driver (580) joins its threads in an exit handler; a forked child has none, and dies of
 * it. Handlers run last to first: ours, registered after the driver's, ends such a child before. */
static void guard_exit(void)
{
#if defined(__GLIBC__)
    (void)on_exit(leave_child, NULL);
#endif
}

bool vkt_is_dead(void)
{
    return atomic_load(&life) != ALIVE;
}

vkt_status vkt_check_alive(void)
{
    int now = atomic_load(&life);
    VKT_REQUIRE(now != FORKED, VKT_UNAVAILABLE,
                "the GPU cannot be used in a forked child of a process that used it; start "
                "processes with the "
                "`spawn` method: multiprocessing.set_start_method('spawn')");
    VKT_REQUIRE(now != SHUT_DOWN, VKT_UNAVAILABLE, "vktensor is shut down");
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_device_check(vkt_device *device)
{
    if (vkt_is_dead())
        return vkt_check_alive();
    VKT_REQUIRE(!device->lost, VKT_DEVICE_LOST, "%s", device->lost_text);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Failure of a Vulkan call */

static const char *name_result(VkResult result)
{
    static const struct {
        VkResult result;
        const char *name;
    } names[] = {
        {VK_ERROR_OUT_OF_HOST_MEMORY, "VK_ERROR_OUT_OF_HOST_MEMORY"},
        {VK_ERROR_OUT_OF_DEVICE_MEMORY, "VK_ERROR_OUT_OF_DEVICE_MEMORY"},
        {VK_ERROR_INITIALIZATION_FAILED, "VK_ERROR_INITIALIZATION_FAILED"},
        {VK_ERROR_DEVICE_LOST, "VK_ERROR_DEVICE_LOST"},
        {VK_ERROR_MEMORY_MAP_FAILED, "VK_ERROR_MEMORY_MAP_FAILED"},
        {VK_ERROR_LAYER_NOT_PRESENT, "VK_ERROR_LAYER_NOT_PRESENT"},
        {VK_ERROR_EXTENSION_NOT_PRESENT, "VK_ERROR_EXTENSION_NOT_PRESENT"},
        {VK_ERROR_FEATURE_NOT_PRESENT, "VK_ERROR_FEATURE_NOT_PRESENT"},
        {VK_ERROR_INCOMPATIBLE_DRIVER, "VK_ERROR_INCOMPATIBLE_DRIVER"},
        {VK_ERROR_TOO_MANY_OBJECTS, "VK_ERROR_TOO_MANY_OBJECTS"},
        {VK_ERROR_FRAGMENTED_POOL, "VK_ERROR_FRAGMENTED_POOL"},
        {VK_ERROR_OUT_OF_POOL_MEMORY, "VK_ERROR_OUT_OF_POOL_MEMORY"},
        {VK_ERROR_FRAGMENTATION, "VK_ERROR_FRAGMENTATION"},
        {VK_ERROR_INVALID_EXTERNAL_HANDLE, "VK_ERROR_INVALID_EXTERNAL_HANDLE"},
        {VK_ERROR_INVALID_SHADER_NV, "VK_ERROR_INVALID_SHADER_NV"},
        {VK_ERROR_UNKNOWN, "VK_ERROR_UNKNOWN"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].result == result)
            return names[i].name;
    }
    return "an error of Vulkan";
}

static vkt_status status_of(VkResult result)
{
    switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    case VK_ERROR_TOO_MANY_OBJECTS:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
    case VK_ERROR_FRAGMENTED_POOL:
    case VK_ERROR_FRAGMENTATION:
    case VK_ERROR_MEMORY_MAP_FAILED:
        return VKT_OUT_OF_MEMORY;
    case VK_ERROR_DEVICE_LOST:
        return VKT_DEVICE_LOST;
    default:
        return VKT_VULKAN_ERROR;
    }
}

/* "vkQueueSubmit2" of "device->vk.vkQueueSubmit2(queue, 1, ...)". */
static int find_call(const char *what, const char **name)
{
    const char *end = strchr(what, '(');
    if (!end)
        end = what + strlen(what);
    const char *begin = end;
    while (begin > what && begin[-1] != '.' && begin[-1] != '>' && begin[-1] != ' ')
        begin--;
    *name = begin;
    return (int)(end - begin);
}

vkt_status vkt_vk_fail(vkt_device *device, VkResult result, const char *what, const char *file,
                       int line)
{
    const char *name;
    int length = find_call(what, &name);

    if (result == VK_ERROR_DEVICE_LOST && device) {
        char cause[96];
        (void)snprintf(cause, sizeof cause, "%.*s gave VK_ERROR_DEVICE_LOST", length, name);
        vkt_device_mark_lost(device, cause);
        return vkt_fail(VKT_DEVICE_LOST, file, line, "%s", device->lost_text);
    }
    return vkt_fail(status_of(result), file, line, "Vulkan: %.*s gave %s (%d)%s%s", length, name,
                    name_result(result), (int)result, device ? " on " : "",
                    device ? device->info.name : "");
}

/* What the driver says about the fault, in a few words; empty when it says nothing. */
static void describe_fault(vkt_device *device, char *text, size_t nbytes)
{
    VkDeviceFaultCountsEXT counts = {.sType = VK_STRUCTURE_TYPE_DEVICE_FAULT_COUNTS_EXT};
    VkDeviceFaultInfoEXT info = {.sType = VK_STRUCTURE_TYPE_DEVICE_FAULT_INFO_EXT};

    text[0] = '\0';
    if (!device->has_device_fault || !device->vk.vkGetDeviceFaultInfoEXT)
        return;
    /* Only the description is wanted: the counts of addresses and vendor data stay 0. */
    if (device->vk.vkGetDeviceFaultInfoEXT(device->handle, &counts, &info) >= 0 &&
        info.description[0])
        (void)snprintf(text, nbytes, "; the driver says: %.200s", info.description);
}

void vkt_device_mark_lost(vkt_device *device, const char *cause)
{
    char fault[240], recent[320];

    if (device->lost)
        return;
    describe_fault(device, fault, sizeof fault);
    vkt_queue_describe_recent(device, recent, sizeof recent);
    (void)snprintf(device->lost_text, sizeof device->lost_text,
                   "device lost: %.64s: %.100s%s; last kernels: %s", device->info.name, cause,
                   fault, recent[0] ? recent : "none");
    device->lost = true;
    vkt_log(VKT_LOG_ERROR, "%s", device->lost_text);
}

/* ---- Creation */

/* What we enable of what the device has: nothing that costs speed (robust access) or that we do
 * not use. */
static void choose_features(const vkt_physical *physical, vkt_features *on)
{
    vkt_features has;
    bool matrix = physical->info.cooperative_matrix;

    vkt_features_link(&has, physical->has_device_fault, matrix);
    vkGetPhysicalDeviceFeatures2(physical->handle, &has.core);
    vkt_features_link(on, physical->has_device_fault, matrix);
    on->core.features.shaderFloat64 = physical->info.float64;
    on->core.features.shaderInt64 = has.core.features.shaderInt64;
    on->core.features.shaderInt16 = has.core.features.shaderInt16;
    on->v11.storageBuffer16BitAccess = has.v11.storageBuffer16BitAccess;
    on->v12.storagePushConstant8 = has.v12.storagePushConstant8;
    on->v12.storageBuffer8BitAccess = has.v12.storageBuffer8BitAccess;
    on->v12.shaderBufferInt64Atomics = has.v12.shaderBufferInt64Atomics;
    on->v12.shaderFloat16 = has.v12.shaderFloat16;
    on->v12.shaderInt8 = has.v12.shaderInt8;
    on->v12.shaderSubgroupExtendedTypes = has.v12.shaderSubgroupExtendedTypes;
    on->v12.scalarBlockLayout = VK_TRUE;
    on->v12.timelineSemaphore = VK_TRUE;
    on->v12.bufferDeviceAddress = VK_TRUE;
    on->v12.vulkanMemoryModel = has.v12.vulkanMemoryModel;
    on->v12.vulkanMemoryModelDeviceScope = has.v12.vulkanMemoryModelDeviceScope;
    on->v13.synchronization2 = VK_TRUE;
    on->v13.maintenance4 = VK_TRUE;
    on->v13.subgroupSizeControl = physical->info.subgroup_size_control;
    on->v13.computeFullSubgroups = physical->info.subgroup_size_control;
    on->fault.deviceFault = physical->has_device_fault;
    on->matrix.cooperativeMatrix = matrix;
}

static vkt_status create_logical(vkt_device *device, const vkt_physical *physical)
{
    const vkt_device_info *info = &physical->info;
    const float priority = 1.0f;
    const char *extensions[16];
    uint32_t n = 0;
    vkt_features features;

    choose_features(physical, &features);
    if (info->external_host_memory)
        extensions[n++] = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
    if (info->memory_budget)
        extensions[n++] = VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
    if (physical->calibration)
        extensions[n++] = physical->calibration;
    if (info->cooperative_matrix)
        extensions[n++] = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
    if (info->bind_nbytes)
        extensions[n++] = VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME;
    if (physical->has_device_fault)
        extensions[n++] = VK_EXT_DEVICE_FAULT_EXTENSION_NAME;
    if (physical->has_portability_subset)
        extensions[n++] = "VK_KHR_portability_subset";

    VkDeviceQueueCreateInfo queue = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueFamilyIndex = physical->queue_family,
        .queueCount = 1,
        .pQueuePriorities = &priority,
    };
    VkDeviceCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .pNext = &features.core,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue,
        .enabledExtensionCount = n,
        .ppEnabledExtensionNames = extensions,
    };
    VKT_VK(NULL, vkCreateDevice(physical->handle, &create, NULL, &device->handle));
    volkLoadDeviceTable(&device->vk, device->handle);
    device->vk.vkGetDeviceQueue(device->handle, physical->queue_family, 0, &device->vk_queue);
    vkt_clock_init(device, physical->calibration);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* Accepts a device that was created in part. The struct itself is kept: late calls still find
 * it. */
static void destroy_logical(vkt_device *device)
{
    if (!device->handle)
        return;
    /* A loss may have been concluded rather than told: then work may still run. */
    if (device->lost)
        (void)device->vk.vkDeviceWaitIdle(device->handle);
    vkt_transfer_destroy(device);
    vkt_kernels_destroy(device);
    vkt_profile_destroy(device);
    vkt_clock_destroy(device);
    vkt_trace_destroy(device);
    vkt_queue_destroy(device);
    vkt_imports_destroy(device);
    vkt_memory_destroy(device);
    device->vk.vkDestroyDevice(device->handle, NULL);
    device->handle = VK_NULL_HANDLE;
}

vkt_status vkt_device_open(uint32_t index, vkt_device **out)
{
    vkt_physical *physical = NULL;
    vkt_device *device = NULL;

    VKT_TRY(vkt_physical_at(index, &physical));
    if (physical->device) {
        *out = physical->device;
        return VKT_OK;
    }
    VKT_REQUIRE(physical->info.usable, VKT_UNAVAILABLE, "device %u: %s cannot be used: it lacks %s",
                index, physical->info.name, physical->info.missing);
    device = calloc(1, sizeof *device);
    VKT_REQUIRE(device, VKT_OUT_OF_MEMORY, "out of host memory");
    device->info = physical->info;
    device->physical = physical->handle;
    device->queue_family = physical->queue_family;
    device->timestamp_bits = physical->timestamp_bits;
    device->has_device_fault = physical->has_device_fault;
    device->epoch = 1;
    vkGetPhysicalDeviceMemoryProperties(physical->handle, &device->memory_properties);

    VKT_TRY(create_logical(device, physical));
    VKT_TRY(vkt_memory_create(device));
    VKT_TRY(vkt_trace_create(device));
    VKT_TRY(vkt_queue_create(device));
    VKT_TRY(vkt_profile_create(device));
    VKT_TRY(vkt_kernels_create(device));
    VKT_TRY(vkt_transfer_create(device));
    VKT_TRY(vkt_arithmetic_create(device));
    if (device->info.kind != VKT_DEVICE_CPU)
        guard_exit();
    physical->device = device;
    vkt_log(VKT_LOG_INFO, "opened device %u: %s (%s %s)", index, device->info.name,
            device->info.driver_name, device->info.driver_info);
    *out = device;
    return VKT_OK;
fail:
    if (device)
        destroy_logical(device);
    free(device);
    return vkt_status_last();
}

void vkt_device_get_handles(const vkt_device *device, vkt_handles *out)
{
    *out = (vkt_handles){
        .instance = (uint64_t)(uintptr_t)vkt_instance(),
        .physical_device = (uint64_t)(uintptr_t)device->physical,
        .device = (uint64_t)(uintptr_t)device->handle,
        .queue = (uint64_t)(uintptr_t)device->vk_queue,
        .queue_family = device->queue_family,
    };
}

bool vkt_is_loaded(void)
{
    return vkt_physical_count() > 0;
}

vkt_device *vkt_device_if_open(uint32_t index)
{
    vkt_physical *physical = NULL;
    return index < vkt_physical_count() ? vkt_physical_device(index, &physical) : NULL;
}

const vkt_device_info *vkt_device_get_info(const vkt_device *device)
{
    return &device->info;
}

uint32_t *vkt_device_settings(vkt_device *device)
{
    return device->settings;
}

/* ---- Shutdown */

void vkt_shutdown(void)
{
    bool all_gone = true;

    if (vkt_is_dead())
        return;
    /* First, so that other threads leave their waits and nobody begins anything new. */
    atomic_store(&life, SHUT_DOWN);
    for (uint32_t i = 0; i < vkt_physical_count(); i++) {
        vkt_physical *physical = NULL;
        vkt_device *device = vkt_physical_device(i, &physical);
        if (!device)
            continue;
        /* A NumPy view may read its block after us, and work that does not end cannot be taken
         * down: both are left to the end of the process. */
        bool finished = vkt_queue_drain(device, DRAIN_NS);
        if (!finished || vkt_memory_exports(device) > 0) {
            all_gone = false;
            continue;
        }
        destroy_logical(device);
        physical->device = NULL;
    }
    if (all_gone)
        vkt_instance_destroy();
}
