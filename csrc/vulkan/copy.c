/* vulkan/copy.c - copies between blocks: by command, or by kernel where that is faster. */
#include <inttypes.h>

#include "base/checked.h"
#include "vulkan/internal.h"

/* The copy command reaches a quarter of an H100's bandwidth; below this size the launch is what
 * counts. */
#define KERNEL_NBYTES (UINT64_C(1) << 20)
/* One dispatch moves at most this much: its indices stay below 2^31. */
#define STEP_NBYTES (UINT64_C(2) << 30)
#define GROUP       256u
/* Groups along x; the rest goes along y. Vulkan guarantees 65,535. */
#define ROW_GROUPS 32768u

static const char copy_glsl[] =
    "#version 460\n"
    "#extension GL_EXT_buffer_reference : require\n"
    "layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;\n"
    "layout(buffer_reference, std430, buffer_reference_align = 16)\n"
    "    readonly buffer Source { uvec4 data[]; };\n"
    "layout(buffer_reference, std430, buffer_reference_align = 16)\n"
    "    writeonly buffer Target { uvec4 data[]; };\n"
    "layout(push_constant) uniform Args { Source src; Target dst; uint n, row; } args;\n"
    "void main()\n"
    "{\n"
    "    uint i = gl_GlobalInvocationID.y * args.row + gl_GlobalInvocationID.x;\n"
    "    if (i < args.n)\n"
    "        args.dst.data[i] = args.src.data[i];\n"
    "}\n";

static vkt_status find_kernel(vkt_device *device, vkt_kernel **out)
{
    static const char key[] = "vkt_copy";
    const uint32_t workgroup[3] = {GROUP, 1, 1};
    const vkt_kernel_source source = {
        .name = "copy", .glsl = copy_glsl, .constants = workgroup, .n_constants = 3};

    *out = vkt_kernel_find(device, key, sizeof key);
    if (!*out)
        VKT_TRY(vkt_kernel_build(device, key, sizeof key, &source, out));
    return VKT_OK;
fail:
    return vkt_status_last();
}

static vkt_status copy_by_kernel(vkt_device *device, const vkt_access *dst, const vkt_access *src)
{
    vkt_kernel *kernel = NULL;

    VKT_TRY(find_kernel(device, &kernel));
    for (uint64_t done = 0; done < dst->nbytes; done += STEP_NBYTES) {
        uint64_t nbytes = vkt_min_u64(dst->nbytes - done, STEP_NBYTES);
        uint32_t n = (uint32_t)(nbytes / 16);
        uint32_t n_groups = (n + GROUP - 1) / GROUP;
        uint32_t row = n_groups < ROW_GROUPS ? n_groups : ROW_GROUPS;
        struct {
            uint64_t src, dst;
            uint32_t n, row;
        } args = {src->block->address + src->offset + done,
                  dst->block->address + dst->offset + done, n, row * GROUP};
        vkt_access accesses[2] = {*dst, *src};
        for (int i = 0; i < 2; i++) {
            accesses[i].offset += done;
            accesses[i].nbytes = nbytes;
        }
        vkt_launch launch = {
            .kernel = kernel,
            .groups = {row, (n_groups + row - 1) / row, 1},
            .args = &args,
            .args_nbytes = sizeof args,
            .accesses = accesses,
            .n_accesses = 2,
        };
        VKT_TRY(vkt_dispatch(device, &launch));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* As profiles show it. */
static const char *name_copy(const vkt_block *dst, const vkt_block *src)
{
    if (dst->kind == src->kind)
        return "copy";
    return dst->kind == VKT_MEMORY_HOST ? "download" : "upload";
}

static vkt_status copy_by_command(vkt_device *device, const vkt_access *dst, const vkt_access *src)
{
    vkt_access accesses[2] = {*dst, *src};
    VkBufferCopy region = {
        .srcOffset = src->block->buffer_offset + src->offset,
        .dstOffset = dst->block->buffer_offset + dst->offset,
        .size = dst->nbytes,
    };
    VkCommandBuffer commands = VK_NULL_HANDLE;

    VKT_TRY(vkt_queue_commands(device, &commands));
    VKT_TRY(vkt_hazard_order(device, commands, accesses, 2));
    if (device->profiled)
        vkt_profile_begin(device, commands, name_copy(dst->block, src->block), NULL,
                          2 * dst->nbytes);
    device->vk.vkCmdCopyBuffer(commands, src->block->buffer, dst->block->buffer, 1, &region);
    if (device->profiled)
        vkt_profile_end(device, commands);
    vkt_trace_command(device, VKT_EVENT_COPY, "copy", accesses, 2, vkt_queue_next_value(device));
    vkt_metric_add(device, VKT_METRIC_copies, 1);
    return vkt_queue_recorded(device, 2 * dst->nbytes);
fail:
    return vkt_status_last();
}

vkt_status vkt_copy(vkt_device *device, vkt_block *dst, uint64_t dst_offset, vkt_block *src,
                    uint64_t src_offset, uint64_t nbytes)
{
    vkt_access to = {.block = dst, .offset = dst_offset, .nbytes = nbytes, .write = true};
    vkt_access from = {.block = src, .offset = src_offset, .nbytes = nbytes};

    VKT_TRY(vkt_device_check(device));
    VKT_REQUIRE(dst_offset <= dst->capacity && nbytes <= dst->capacity - dst_offset &&
                    src_offset <= src->capacity && nbytes <= src->capacity - src_offset,
                VKT_VALUE_ERROR, "copy: %" PRIu64 " bytes reach outside a block", nbytes);
    if (nbytes == 0)
        return VKT_OK;
    vkt_metric_add(device, VKT_METRIC_bytes_copied, nbytes);
    /* Over the bus to pinned memory the copy engine is as fast as it gets. */
    bool by_kernel = nbytes >= KERNEL_NBYTES && device->info.kind != VKT_DEVICE_CPU &&
                     dst->kind == VKT_MEMORY_DEVICE && src->kind == VKT_MEMORY_DEVICE &&
                     (dst->address + dst_offset) % 16 == 0 && (src->address + src_offset) % 16 == 0;
    if (by_kernel) {
        uint64_t tail = nbytes % 16;
        to.nbytes = from.nbytes = nbytes - tail;
        VKT_TRY(copy_by_kernel(device, &to, &from));
        to.offset += nbytes - tail;
        from.offset += nbytes - tail;
        to.nbytes = from.nbytes = tail;
        if (!tail)
            return VKT_OK;
    }
    return copy_by_command(device, &to, &from);
fail:
    return vkt_status_last();
}
