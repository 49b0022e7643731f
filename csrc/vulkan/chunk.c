/* vulkan/chunk.c - memory as the driver gives it: types, allocation, mapping, zeros. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "vulkan/internal.h"

/* The heap that holds most of what the GPU is fast at. */
static uint32_t find_main_heap(const VkPhysicalDeviceMemoryProperties *memory)
{
    uint32_t best = 0;
    uint64_t best_nbytes = 0;
    for (uint32_t i = 0; i < memory->memoryHeapCount; i++) {
        const VkMemoryHeap *heap = &memory->memoryHeaps[i];
        if ((heap->flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) && heap->size > best_nbytes) {
            best_nbytes = heap->size;
            best = i;
        }
    }
    return best;
}

/* 0 = unfit. */
static int score_type(const VkPhysicalDeviceMemoryProperties *memory, uint32_t i,
                      vkt_memory_kind kind)
{
    const VkMemoryPropertyFlags mapped =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const VkMemoryPropertyFlags strange =
        VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT |
        VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;
    VkMemoryPropertyFlags flags = memory->memoryTypes[i].propertyFlags;
    bool is_mapped = (flags & mapped) == mapped;
    bool is_cached = (flags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT) != 0;
    bool is_local = (flags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) != 0;

    if (flags & strange)
        return 0;
    if (kind == VKT_MEMORY_HOST)
        return is_mapped ? 1 + 4 * is_cached + 2 * !is_local : 0;
    /* A small window onto the device's memory is a heap of its own and is left alone. */
    if (!is_local || memory->memoryTypes[i].heapIndex != find_main_heap(memory))
        return 0;
    return 1 + 4 * is_mapped + 2 * (is_mapped && is_cached);
}

void vkt_types_choose(const vkt_device *device, vkt_memory_kind kind, vkt_types *out)
{
    const VkPhysicalDeviceMemoryProperties *memory = &device->memory_properties;
    const VkMemoryPropertyFlags cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

    out->n = 0;
    for (int score = 8; score > 0; score--) {
        for (uint32_t i = 0; i < memory->memoryTypeCount; i++) {
            if (score_type(memory, i, kind) == score)
                out->order[out->n++] = (uint8_t)i;
        }
    }
    /* Better no host memory than one that reads at 0.03 GB/s: uncached types serve only where
     * there is nothing else. */
    if (kind == VKT_MEMORY_HOST && out->n &&
        (memory->memoryTypes[out->order[0]].propertyFlags & cached)) {
        while (!(memory->memoryTypes[out->order[out->n - 1]].propertyFlags & cached))
            out->n--;
    }
}

static vkt_status create_buffer(vkt_device *device, uint64_t nbytes, vkt_chunk *chunk)
{
    VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = nbytes,
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                 VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
        .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
    };
    VKT_VK(device, device->vk.vkCreateBuffer(device->handle, &info, NULL, &chunk->buffer));
    device->live.buffers++;
    return VKT_OK;
fail:
    return vkt_status_last();
}

static vkt_status allocate_memory(vkt_device *device, const vkt_types *types, vkt_chunk *chunk)
{
    VkMemoryRequirements needs;
    VkMemoryAllocateFlagsInfo flags = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
        .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
    };
    VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &flags};
    VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
    VkMemoryPropertyFlags properties = 0;

    device->vk.vkGetBufferMemoryRequirements(device->handle, chunk->buffer, &needs);
    info.allocationSize = needs.size;
    for (uint32_t i = 0; i < types->n; i++) {
        if (!(needs.memoryTypeBits & (1u << types->order[i])))
            continue;
        info.memoryTypeIndex = types->order[i];
        properties = device->memory_properties.memoryTypes[info.memoryTypeIndex].propertyFlags;
        result = device->vk.vkAllocateMemory(device->handle, &info, NULL, &chunk->memory);
        if (result != VK_ERROR_OUT_OF_DEVICE_MEMORY && result != VK_ERROR_OUT_OF_HOST_MEMORY)
            break;
    }
    if (result < 0) {
        (void)vkt_vk_fail(device, result, "vkAllocateMemory", __FILE__, __LINE__);
        goto fail;
    }
    device->live.memories++;
    VKT_VK(device, device->vk.vkBindBufferMemory(device->handle, chunk->buffer, chunk->memory, 0));
    if ((properties & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) &&
        (properties & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)) {
        VKT_VK(device, device->vk.vkMapMemory(device->handle, chunk->memory, 0, VK_WHOLE_SIZE, 0,
                                              &chunk->host));
        chunk->host_cached = (properties & VK_MEMORY_PROPERTY_HOST_CACHED_BIT) != 0 &&
                             (device->info.unified_memory || chunk->kind == VKT_MEMORY_HOST);
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_chunk_create(vkt_device *device, const vkt_types *types, vkt_memory_kind kind,
                            uint64_t nbytes, vkt_chunk *out)
{
    *out = (vkt_chunk){.kind = kind, .nbytes = nbytes};
    VKT_TRY(create_buffer(device, nbytes, out));
    VKT_TRY(allocate_memory(device, types, out));
    VkBufferDeviceAddressInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
        .buffer = out->buffer,
    };
    out->address = device->vk.vkGetBufferDeviceAddress(device->handle, &info);
    VKT_REQUIRE(out->address != 0, VKT_OUT_OF_MEMORY,
                "Vulkan: vkGetBufferDeviceAddress gave 0 on %s", device->info.name);
    if (vkt_has_debug_utils()) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s %llu KiB",
                       kind == VKT_MEMORY_HOST ? "host" : "device",
                       (unsigned long long)(nbytes >> 10));
        vkt_name_object(device, VK_OBJECT_TYPE_BUFFER, (uint64_t)out->buffer, name);
        vkt_name_object(device, VK_OBJECT_TYPE_DEVICE_MEMORY, (uint64_t)out->memory, name);
    }
    return VKT_OK;
fail:
    vkt_chunk_destroy(device, out);
    return vkt_status_last();
}

vkt_status vkt_chunk_zero(vkt_device *device, vkt_chunk *chunk)
{
    VkCommandBuffer commands = VK_NULL_HANDLE;
    vkt_block whole = {
        .device = device,
        .kind = chunk->kind,
        .nbytes = chunk->nbytes,
        .capacity = chunk->nbytes,
        .buffer = chunk->buffer,
        .address = chunk->address,
        .host = chunk->host,
    };
    vkt_access access = {.block = &whole, .nbytes = chunk->nbytes, .write = true};

    if (chunk->kind == VKT_MEMORY_HOST || (chunk->host && device->info.kind == VKT_DEVICE_CPU)) {
        memset(chunk->host, 0, chunk->nbytes);
        return VKT_OK;
    }
    VKT_TRY(vkt_queue_commands(device, &commands));
    VKT_TRY(vkt_hazard_order(device, commands, &access, 1));
    device->vk.vkCmdFillBuffer(commands, chunk->buffer, 0, VK_WHOLE_SIZE, 0);
    vkt_trace_command(device, VKT_EVENT_COPY, "zero", &access, 1, vkt_queue_next_value(device));
    chunk->usage = whole.usage;
    /* The fill is recorded and the chunk must live: a failed submit is met again, and told, by
     * the next call. */
    (void)vkt_queue_recorded(device, chunk->nbytes);
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_chunk_destroy(vkt_device *device, vkt_chunk *chunk)
{
    if (chunk->buffer) {
        device->vk.vkDestroyBuffer(device->handle, chunk->buffer, NULL);
        device->live.buffers--;
    }
    if (chunk->memory) {
        device->vk.vkFreeMemory(device->handle, chunk->memory, NULL);
        device->live.memories--;
    }
    chunk->buffer = VK_NULL_HANDLE;
    chunk->memory = VK_NULL_HANDLE;
    chunk->host = NULL;
}
