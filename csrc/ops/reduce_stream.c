/* ops/reduce_stream.c - whole blocks of contiguous rows on CPU drivers, by subgroups that load as
 * vectors: shaders/lib/stream.glsl tells the way, reduce_rows.comp adds the blocks up. */
#include "base/checked.h"
#include "ops/reduce_internal.h"
#include "ops/stream.h"

#define WORKGROUP 256
#define LANES     (1u << VKT_SERIAL_LANES_LOG2)
/* Elements of a block: turns of four batches of four a lane. */
#define BLOCK_LOG2 (VKT_SERIAL_LANES_LOG2 + 4 + VKT_SERIAL_BLOCK_LOG2)
/* Below this a dispatch more does not repay itself. */
#define MIN_BLOCKS  32
#define MOST_BLOCKS (UINT64_C(1) << 24)
/* Blocks of one dispatch: three digits of vkt_uniform. */
#define MAX_BLOCKS 32768u

static bool is_for_streams(const vkt_reduction *reduction, const vkt_pass *pass)
{
    const vkt_device_info *info = reduction->info;
    const vkt_program *program = &reduction->fusion.program;
    uint64_t n_blocks = pass->n_kept * (pass->n_reduced >> BLOCK_LOG2);

    if (!info->push8 || info->subgroup_size != LANES ||
        info->max_workgroup_invocations < WORKGROUP || pass->reduced->ndim != 1 ||
        pass->kept->ndim > 1 || reduction->halves.uses_iota || n_blocks < MIN_BLOCKS ||
        n_blocks > MOST_BLOCKS)
        return false;
    for (int i = 0; i < program->n_leaves; i++) {
        int64_t stride = pass->reduced->strides[VKT_AT_LEAF + i][0];
        if ((stride != 0 && stride != 1) || vkt_dtypes[program->leaf_dtype[i]].nbytes > 8)
            return false;
    }
    return vkt_stream_is_due(reduction->device, program, (int)reduction->reducer.op,
                             pass->n_kept * pass->n_reduced);
}

/* As reduce_text.c declares them. */
static void pack_args(const vkt_reduction *reduction, const vkt_pass *pass, uint32_t first_block,
                      vkt_args *args)
{
    vkt_fastdiv div = vkt_fastdiv_init(pass->next_step);
    int n_leaves = reduction->fusion.program.n_leaves;

    args->nbytes = 0;
    vkt_args_u64(args, vkt_block_address(pass->next));
    if (reduction->reducer.merge == VKT_MERGE_INDEX)
        vkt_args_u64(args, pass->first_reduced);
    for (int i = 0; i < n_leaves; i++)
        vkt_args_u64(args, vkt_pass_leaf_address(reduction, pass, i));
    vkt_pack_scalars(&reduction->fusion, args);
    vkt_args_u32(args, first_block);
    vkt_args_u32(args, (uint32_t)pass->n_kept * pass->next_step);
    vkt_args_u32(args, div.divisor);
    vkt_args_u32(args, div.multiplier);
    vkt_args_u32(args, div.shift);
    for (int i = 0; i < n_leaves; i++)
        vkt_args_i32(args, pass->kept->ndim ? (int32_t)pass->kept->strides[VKT_AT_LEAF + i][0] : 0);
    for (uint32_t i = 0; i < VKT_STREAM_DIGITS; i += 4)
        vkt_args_u32(args, i | (i + 1) << 8 | (i + 2) << 16 | (i + 3) << 24);
}

vkt_status vkt_reduce_stream(const vkt_reduction *reduction, vkt_pass *pass)
{
    vkt_variant variant = {.family = VKT_FAMILY_STREAM, .group = WORKGROUP};
    vkt_args args;

    pass->next = NULL;
    if (!is_for_streams(reduction, pass))
        return VKT_OK;
    for (int i = 0; i < reduction->fusion.program.n_leaves; i++)
        variant.modes[i] =
            pass->reduced->strides[VKT_AT_LEAF + i][0] ? VKT_MODE_NEXT : VKT_MODE_SAME;
    pass->next_step = (uint32_t)(pass->n_reduced >> BLOCK_LOG2);
    uint32_t n_blocks = (uint32_t)pass->n_kept * pass->next_step;
    uint64_t nbytes = (uint64_t)n_blocks * LANES * vkt_reducer_nbytes(&reduction->reducer);
    VKT_TRY(vkt_block_alloc(reduction->device, nbytes, VKT_MEMORY_DEVICE, &pass->next));
    for (uint32_t first = 0; first < n_blocks; first += MAX_BLOCKS) {
        uint32_t n = n_blocks - first < MAX_BLOCKS ? n_blocks - first : MAX_BLOCKS;
        pack_args(reduction, pass, first, &args);
        if (args.nbytes > VKT_PUSH_NBYTES) {
            /* Arguments in memory are not understood as the same for all lanes. */
            vkt_block_unref(pass->next);
            pass->next = NULL;
            return VKT_OK;
        }
        vkt_access written = vkt_access_block(pass->next, true);
        VKT_TRY(vkt_reduce_launch(reduction, &variant, &args, vkt_ceil_div(n, WORKGROUP / LANES), 1,
                                  &written, 1));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}
