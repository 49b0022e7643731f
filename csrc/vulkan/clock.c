/* vulkan/clock.c - reads the GPU's clock and the host's at one moment. */
#include <string.h>

#include "vulkan/internal.h"

/* Readings of which the best is taken: an interruption between the two clocks spoils one. */
#define TRIES 4

/* ---- The device's own pair */

static bool has_both_clocks(VkPhysicalDevice physical, bool khr)
{
    VkTimeDomainEXT domains[16];
    uint32_t n = 16;
    bool device = false, monotonic = false;
    PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsEXT get_domains =
        (PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsEXT)vkGetInstanceProcAddr(
            vkt_instance(), khr ? "vkGetPhysicalDeviceCalibrateableTimeDomainsKHR"
                                : "vkGetPhysicalDeviceCalibrateableTimeDomainsEXT");
    if (!get_domains || get_domains(physical, &n, domains) < 0)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        device |= domains[i] == VK_TIME_DOMAIN_DEVICE_EXT;
        monotonic |= domains[i] == VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT;
    }
    return device && monotonic;
}

void vkt_clock_init(vkt_device *device, const char *extension)
{
    bool khr = extension && strcmp(extension, VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME) == 0;
    if (extension && has_both_clocks(device->physical, khr))
        device->get_calibrated_timestamps = (PFN_vkGetCalibratedTimestampsEXT)vkGetDeviceProcAddr(
            device->handle, khr ? "vkGetCalibratedTimestampsKHR" : "vkGetCalibratedTimestampsEXT");
}

static vkt_status read_pair(vkt_device *device, vkt_clock *out)
{
    const VkCalibratedTimestampInfoEXT infos[2] = {
        {.sType = VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT,
         .timeDomain = VK_TIME_DOMAIN_DEVICE_EXT},
        {.sType = VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT,
         .timeDomain = VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT},
    };
    uint64_t times[2], deviation;
    out->error_ns = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        VKT_VK(device,
               device->get_calibrated_timestamps(device->handle, 2, infos, times, &deviation));
        if (deviation < out->error_ns)
            *out = (vkt_clock){.ticks = times[0], .host_ns = times[1], .error_ns = deviation};
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- A round trip */

static vkt_status need_query(vkt_device *device)
{
    const VkQueryPoolCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
        .queryType = VK_QUERY_TYPE_TIMESTAMP,
        .queryCount = 1,
    };
    if (!device->clock_query)
        VKT_VK(device,
               device->vk.vkCreateQueryPool(device->handle, &info, NULL, &device->clock_query));
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* One timestamp, known to lie between two moments of the host. The caller's lock is kept, so that
 * nobody else's work, or trip, comes between. */
static vkt_status make_trip(vkt_device *device, vkt_clock *out)
{
    VkCommandBuffer commands;
    uint64_t ticks = 0;
    VKT_TRY(vkt_queue_wait_inside(device, vkt_queue_next_value(device), "profile"));
    VKT_TRY(vkt_queue_commands(device, &commands));
    device->vk.vkCmdResetQueryPool(commands, device->clock_query, 0, 1);
    device->vk.vkCmdWriteTimestamp2(commands, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                                    device->clock_query, 0);
    uint64_t before = vkt_now_ns();
    VKT_TRY(vkt_queue_recorded(device, 0));
    VKT_TRY(vkt_queue_wait_inside(device, vkt_queue_next_value(device), "profile"));
    uint64_t took = vkt_now_ns() - before;
    VKT_VK(device, device->vk.vkGetQueryPoolResults(
                       device->handle, device->clock_query, 0, 1, sizeof(ticks), &ticks,
                       sizeof(ticks), VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT));
    if (took / 2 < out->error_ns)
        *out =
            (vkt_clock){.ticks = ticks, .host_ns = before + took / 2, .error_ns = took - took / 2};
    return VKT_OK;
fail:
    return vkt_status_last();
}

static vkt_status read_by_trips(vkt_device *device, vkt_clock *out)
{
    VKT_TRY(need_query(device));
    out->error_ns = UINT64_MAX;
    for (int i = 0; i < TRIES; i++)
        VKT_TRY(make_trip(device, out));
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_clock_read(vkt_device *device, bool calibrated, vkt_clock *out)
{
    *out = (vkt_clock){.host_ns = vkt_now_ns()};
    if (!device->info.timestamps)
        return VKT_OK;
    return calibrated && device->get_calibrated_timestamps ? read_pair(device, out)
                                                           : read_by_trips(device, out);
}

void vkt_clock_destroy(vkt_device *device)
{
    device->vk.vkDestroyQueryPool(device->handle, device->clock_query, NULL);
    device->clock_query = VK_NULL_HANDLE;
}
