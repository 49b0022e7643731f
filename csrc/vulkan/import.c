/* vulkan/import.c - blocks of host memory that is not ours, used where it lies. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/checked.h"
#include "vulkan/internal.h"

struct vkt_import {
    vkt_import *next; /* in the device's list of live ones, or of dying ones */
    vkt_chunk chunk;  /* the whole pages */
    vkt_block block;
    uintptr_t begin, end; /* the lender's bytes, inside the pages */
    vkt_lender *lender;
};

/* ---- Making ---------------------------------------------------------------------------------- */

/* A type the host and the device see alike without flushes: 0 = unfit. */
static int score_type(const vkt_device *device, uint32_t i)
{
    const VkMemoryPropertyFlags needed =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    VkMemoryPropertyFlags flags = device->memory_properties.memoryTypes[i].propertyFlags;

    if ((flags & needed) != needed)
        return 0;
    return 1 + 2 * !!(flags & VK_MEMORY_PROPERTY_HOST_CACHED_BIT) +
           !(flags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
}

static vkt_status choose_type(vkt_device *device, void *pages, uint32_t buffer_types, uint32_t *out)
{
    VkMemoryHostPointerPropertiesEXT properties = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
    int best = 0;

    VkResult result = device->vk.vkGetMemoryHostPointerPropertiesEXT(
        device->handle, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, pages, &properties);
    VKT_REQUIRE(result >= 0, VKT_VALUE_ERROR, "%s cannot import this memory (VkResult %d)",
                device->info.name, (int)result);
    for (uint32_t i = 0; i < device->memory_properties.memoryTypeCount; i++) {
        if (!(properties.memoryTypeBits & buffer_types & (1u << i)))
            continue;
        int score = score_type(device, i);
        if (score > best) {
            best = score;
            *out = i;
        }
    }
    VKT_REQUIRE(best, VKT_VALUE_ERROR, "%s sees this memory only through flushes",
                device->info.name);
    return VKT_OK;
fail:
    return vkt_status_last();
}

static vkt_status create_buffer(vkt_device *device, vkt_chunk *chunk)
{
    VkExternalMemoryBufferCreateInfo external = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
    };
    VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .pNext = &external,
        .size = chunk->nbytes,
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

/* Gives the device the pages at chunk->host. */
static vkt_status import_pages(vkt_device *device, vkt_chunk *chunk)
{
    VkMemoryRequirements needs;
    VkMemoryAllocateFlagsInfo flags = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
        .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
    };
    VkImportMemoryHostPointerInfoEXT pages = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
        .pNext = &flags,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
        .pHostPointer = chunk->host,
    };
    VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = &pages,
        .allocationSize = chunk->nbytes,
    };

    VKT_TRY(create_buffer(device, chunk));
    device->vk.vkGetBufferMemoryRequirements(device->handle, chunk->buffer, &needs);
    VKT_REQUIRE(needs.size <= chunk->nbytes, VKT_VALUE_ERROR,
                "%s asks for %" PRIu64 " bytes around %" PRIu64, device->info.name,
                (uint64_t)needs.size, chunk->nbytes);
    VKT_TRY(choose_type(device, chunk->host, needs.memoryTypeBits, &info.memoryTypeIndex));
    VkResult result = device->vk.vkAllocateMemory(device->handle, &info, NULL, &chunk->memory);
    if (result == VK_ERROR_DEVICE_LOST)
        VKT_VK(device, result);
    VKT_REQUIRE(result >= 0, VKT_VALUE_ERROR,
                "%s refused to import %" PRIu64 " bytes (VkResult %d)", device->info.name,
                chunk->nbytes, (int)result);
    device->live.memories++;
    VKT_VK(device, device->vk.vkBindBufferMemory(device->handle, chunk->buffer, chunk->memory, 0));
    VkBufferDeviceAddressInfo address = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
        .buffer = chunk->buffer,
    };
    chunk->address = device->vk.vkGetBufferDeviceAddress(device->handle, &address);
    VKT_REQUIRE(chunk->address != 0, VKT_VALUE_ERROR, "%s gave imported memory no address",
                device->info.name);
    return VKT_OK;
fail:
    return vkt_status_last();
}

static vkt_import *find_import(vkt_device *device, uintptr_t begin, uintptr_t end, bool writable)
{
    for (vkt_import *import = device->imports; import; import = import->next) {
        if (import->begin <= begin && end <= import->end && import->block.read_only == !writable)
            return import;
    }
    return NULL;
}

vkt_status vkt_block_import(vkt_device *device, void *data, uint64_t nbytes, bool writable,
                            vkt_lender *lender, vkt_block **out)
{
    const uintptr_t begin = (uintptr_t)data, end = begin + nbytes;
    const uint64_t unit = device->info.host_import_alignment;
    vkt_import *import = NULL;
    uint64_t began = vkt_profile_now(device);

    VKT_TRY(vkt_device_check(device));
    VKT_REQUIRE(device->info.external_host_memory && unit, VKT_VALUE_ERROR,
                "%s has no VK_EXT_external_memory_host", device->info.name);
    vkt_imports_reap(device);
    import = find_import(device, begin, end, writable);
    if (import) {
        *out = vkt_block_ref(&import->block);
        lender->give_back(lender);
        return VKT_OK;
    }
    import = calloc(1, sizeof *import);
    VKT_REQUIRE(import, VKT_OUT_OF_MEMORY, "out of host memory");
    uintptr_t pages = begin - begin % unit;
    import->chunk = (vkt_chunk){
        .kind = VKT_MEMORY_HOST,
        .nbytes = vkt_round_up(end - pages, unit),
        .host = (void *)pages,
        .host_cached = true,
    };
    VKT_REQUIRE(nbytes > 0 && end > begin && import->chunk.nbytes <= device->info.max_block_nbytes,
                VKT_VALUE_ERROR, "%s imports 1 to %" PRIu64 " bytes, not %" PRIu64,
                device->info.name, device->info.max_block_nbytes, nbytes);
    VKT_TRY(import_pages(device, &import->chunk));
    import->begin = begin;
    import->end = end;
    import->lender = lender;
    import->block = (vkt_block){
        .device = device,
        .refs = 1,
        .kind = VKT_MEMORY_HOST,
        .nbytes = end - pages,
        .capacity = import->chunk.nbytes,
        .buffer = import->chunk.buffer,
        .address = import->chunk.address,
        .host = import->chunk.host,
        .host_cached = true,
        .import = import,
        .begin = begin - pages,
        .read_only = !writable,
    };
    import->next = device->imports;
    device->imports = import;
    device->n_imports++;
    if (began)
        vkt_profile_pool(device, began, "import", nbytes);
    *out = &import->block;
    return VKT_OK;
fail:
    if (import)
        vkt_chunk_destroy(device, &import->chunk);
    free(import);
    return vkt_status_last();
}

/* ---- Ending ---------------------------------------------------------------------------------- */

/* Every op that touches the pages was waited for, unless its wait was interrupted. */
static bool is_idle(vkt_device *device, const vkt_import *import)
{
    uint64_t last = vkt_usage_last_submit(&import->block.usage);
    return device->lost || last <= vkt_queue_known(device) || last <= vkt_queue_reached(device);
}

static void end_import(vkt_device *device, vkt_import *import)
{
    uint64_t began = vkt_profile_now(device);

    vkt_chunk_destroy(device, &import->chunk);
    device->n_imports--;
    if (began)
        vkt_profile_pool(device, began, "unimport", import->end - import->begin);
    import->lender->give_back(import->lender);
    free(import);
}

void vkt_imports_reap(vkt_device *device)
{
    for (vkt_import **at = &device->dying_imports; *at;) {
        vkt_import *import = *at;
        if (!is_idle(device, import)) {
            at = &import->next;
            continue;
        }
        *at = import->next;
        end_import(device, import);
    }
}

void vkt_import_drop(vkt_block *block)
{
    vkt_device *device = block->device;
    vkt_import **at = &device->imports;

    while (*at != block->import)
        at = &(*at)->next;
    *at = block->import->next;
    block->import->next = device->dying_imports;
    device->dying_imports = block->import;
    vkt_queue_catch_up(device, vkt_usage_last_submit(&block->usage));
    vkt_imports_reap(device);
}

void vkt_imports_destroy(vkt_device *device)
{
    for (vkt_import *import = device->imports; import; import = import->next)
        vkt_chunk_destroy(device, &import->chunk);
    while (device->dying_imports) {
        vkt_import *import = device->dying_imports;
        device->dying_imports = import->next;
        end_import(device, import);
    }
}
