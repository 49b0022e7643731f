/* vulkan/bind.c - outputs as bound storage buffers, where a CPU driver stores to those faster. */
#include <assert.h>

#include "vulkan/internal.h"

vkt_status vkt_bind_create(vkt_device *device, VkDescriptorSetLayout *out)
{
    VkDescriptorSetLayoutBinding bindings[VKT_MAX_BOUND];
    VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR,
        .bindingCount = VKT_MAX_BOUND,
        .pBindings = bindings,
    };
    for (uint32_t i = 0; i < VKT_MAX_BOUND; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){
            .binding = i,
            .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
            .descriptorCount = 1,
            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
        };
    VKT_VK(device, device->vk.vkCreateDescriptorSetLayout(device->handle, &info, NULL, out));
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_bind_record(vkt_device *device, VkCommandBuffer commands, const vkt_launch *launch)
{
    VkDescriptorBufferInfo buffers[VKT_MAX_BOUND];
    VkWriteDescriptorSet writes[VKT_MAX_BOUND];

    assert(launch->n_bound <= VKT_MAX_BOUND && launch->n_bound <= launch->n_accesses);
    for (uint32_t i = 0; i < launch->n_bound; i++) {
        const vkt_access *access = &launch->accesses[i];
        buffers[i] = (VkDescriptorBufferInfo){
            .buffer = access->block->buffer,
            .offset = access->block->buffer_offset + access->offset,
            .range = access->nbytes,
        };
        assert(buffers[i].offset % device->info.bind_alignment == 0 &&
               access->nbytes <= device->info.bind_nbytes);
        writes[i] = (VkWriteDescriptorSet){
            .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
            .dstBinding = i,
            .descriptorCount = 1,
            .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
            .pBufferInfo = &buffers[i],
        };
    }
    device->vk.vkCmdPushDescriptorSetKHR(commands, VK_PIPELINE_BIND_POINT_COMPUTE,
                                         vkt_queue_pipeline_layout(device), 0, launch->n_bound,
                                         writes);
}
