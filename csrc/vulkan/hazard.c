/* vulkan/hazard.c - finds commands that must wait for earlier ones, and places the barrier.
 *
 * Time is counted in epochs: a barrier ends one. Two commands conflict when both touch the same
 * bytes in the current epoch and one of them writes. What happened in earlier epochs is ordered
 * already. */
#include "vulkan/internal.h"

static bool overlaps(const vkt_span *span, const vkt_access *access)
{
    return access->offset < span->end && span->begin < access->offset + access->nbytes;
}

static bool conflicts(const vkt_access *access, uint64_t epoch)
{
    const vkt_usage *usage = &access->block->usage;
    if (usage->write_epoch == epoch && overlaps(&usage->write_span, access))
        return true;
    return access->write && usage->read_epoch == epoch && overlaps(&usage->read_span, access);
}

static void stamp(uint64_t *last_epoch, vkt_span *span, const vkt_access *access, uint64_t epoch)
{
    uint64_t end = access->offset + access->nbytes;
    if (*last_epoch != epoch) {
        *last_epoch = epoch;
        *span = (vkt_span){access->offset, end};
        return;
    }
    if (access->offset < span->begin)
        span->begin = access->offset;
    if (end > span->end)
        span->end = end;
}

void vkt_hazard_barrier(vkt_device *device, VkCommandBuffer commands, bool to_host)
{
    const VkPipelineStageFlags2 stages =
        VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT;
    VkMemoryBarrier2 barrier = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = stages,
        .srcAccessMask = VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT,
        .dstStageMask = stages,
        .dstAccessMask = VK_ACCESS_2_SHADER_STORAGE_READ_BIT |
                         VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT | VK_ACCESS_2_TRANSFER_READ_BIT |
                         VK_ACCESS_2_TRANSFER_WRITE_BIT,
    };
    VkDependencyInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
        .memoryBarrierCount = 1,
        .pMemoryBarriers = &barrier,
    };
    if (to_host) {
        barrier.dstStageMask |= VK_PIPELINE_STAGE_2_HOST_BIT;
        barrier.dstAccessMask |= VK_ACCESS_2_HOST_READ_BIT | VK_ACCESS_2_HOST_WRITE_BIT;
    }
    device->vk.vkCmdPipelineBarrier2(commands, &info);
    device->epoch++;
    vkt_metric_add(device, VKT_METRIC_barriers, 1);
    vkt_trace_command(device, VKT_EVENT_BARRIER, to_host ? "submit" : "order", NULL, 0,
                      vkt_queue_next_value(device));
}

vkt_status vkt_hazard_order(vkt_device *device, VkCommandBuffer commands,
                            const vkt_access *accesses, uint32_t n)
{
    uint64_t value = vkt_queue_next_value(device);

    for (uint32_t i = 0; i < n; i++) {
        if (conflicts(&accesses[i], device->epoch)) {
            vkt_hazard_barrier(device, commands, false);
            break;
        }
    }
    /* Only now: a command that reads and writes one block does not conflict with itself. */
    for (uint32_t i = 0; i < n; i++) {
        vkt_usage *usage = &accesses[i].block->usage;
        if (accesses[i].write) {
            stamp(&usage->write_epoch, &usage->write_span, &accesses[i], device->epoch);
            usage->write_submit = value;
        } else {
            stamp(&usage->read_epoch, &usage->read_span, &accesses[i], device->epoch);
            usage->read_submit = value;
        }
    }
    return VKT_OK;
}
