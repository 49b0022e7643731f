/* ops/reduce_run.c - spreads a reduction over the device and records its dispatches. */
#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "ops/note.h"
#include "ops/reduce_internal.h"

/* GPU: workgroups wanted before rows stop being split, about sixteen for each multiprocessor
 * of a large GPU; and the elements of a row below which one workgroup is quicker than a second
 * dispatch. */
#define GROUPS_WANTED    2048
#define SPLIT_ABOVE      16384
#define GPU_GROUP        256
#define BATCHES_A_LANE   4 /* of four elements: what a lane reads in one turn */
#define MAX_COLUMN_LANES 8
#define MAX_TURNS        16 /* of a lane before its sums go into the tree: errors grow with each */

/* CPU: an invocation is a SIMD lane. Enough of them to feed every core; a row shorter than
 * this is not worth a second dispatch; neighbours (one SIMD group) read side by side. */
#define SERIAL_GROUP       16
#define SERIAL_WANTED      512
#define SERIAL_SPLIT_ABOVE 8192
#define SERIAL_MAX_TURNS   4096
/* Rows are split among lanes for the sake of streams: from this length, and this many elements,
 * on, as long as so many partial results can be counted. */
#define SERIAL_LONG_ROW  1024
#define SERIAL_MANY      (UINT64_C(1) << 16)
#define SERIAL_MOST_ROWS (UINT64_C(1) << 24)
#define SERIAL_MERGE     512 /* slots one invocation merges: 32 blocks (reduce_state.comp) */

#define MAX_GROUPS_X 65535
#define MAX_CHUNKS   32768 /* workgroups in z */

/* ---- Small arithmetic ------------------------------------------------------------------------ */

static uint32_t ceil_log2(uint64_t n)
{
    uint32_t log2 = 0;
    while ((UINT64_C(1) << log2) < n)
        log2++;
    return log2;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

bool vkt_reduce_serial(const vkt_device_info *info)
{
    return info->serial_kernels;
}

uint32_t vkt_reduce_group(const vkt_device_info *info)
{
    if (vkt_reduce_serial(info))
        return SERIAL_GROUP;
    uint32_t most = min_u32(GPU_GROUP, info->max_workgroup_invocations), group = 1;
    while (group * 2 <= most)
        group *= 2;
    return group;
}

/* ---- Spreads --------------------------------------------------------------------------------- */

/* Cuts n_reduced into about `parts` chunks whose length is a multiple of `unit` and at most
 * `longest`. */
static void cut(uint64_t n_reduced, uint64_t parts, uint64_t unit, uint64_t longest,
                vkt_spread *spread)
{
    uint64_t chunk = vkt_ceil_div(vkt_ceil_div(n_reduced, parts), unit) * unit;
    chunk = vkt_min_u64(vkt_max_u64(chunk, unit), longest);
    if (vkt_ceil_div(n_reduced, chunk) > MAX_CHUNKS)
        chunk = vkt_ceil_div(vkt_ceil_div(n_reduced, MAX_CHUNKS), unit) * unit;
    spread->chunk = (uint32_t)chunk;
    spread->n_chunks = (uint32_t)vkt_max_u64(vkt_ceil_div(n_reduced, chunk), 1);
}

static vkt_spread spread_rows(const vkt_device_info *info, uint64_t n_kept, uint64_t n_reduced)
{
    vkt_spread spread = {0};
    uint64_t parts = 1;
    if (vkt_reduce_serial(info)) {
        bool few = n_kept * 8 <= SERIAL_WANTED && n_reduced > SERIAL_SPLIT_ABOVE;
        bool many = n_reduced >= SERIAL_LONG_ROW && n_kept <= SERIAL_MOST_ROWS &&
                    n_kept * n_reduced >= SERIAL_MANY;
        spread.streams = few || many;
        spread.lanes_log2 = spread.streams ? VKT_SERIAL_LANES_LOG2 : 0;
        uint64_t lanes = UINT64_C(1) << spread.lanes_log2;
        uint64_t unit = lanes * 4 * BATCHES_A_LANE;
        uint64_t longest = unit * min_u32(SERIAL_MAX_TURNS, info->max_turns / 2);
        if (spread.streams)
            unit <<= VKT_SERIAL_BLOCK_LOG2;
        if (few)
            parts = vkt_min_u64(SERIAL_WANTED / (lanes * n_kept), n_reduced / unit);
        cut(n_reduced, parts, unit, longest, &spread);
        spread.n_slots = spread.n_chunks * (uint32_t)lanes;
        return spread;
    }
    uint32_t group = vkt_reduce_group(info);
    spread.lanes_log2 =
        min_u32(ceil_log2(vkt_ceil_div(n_reduced, 4 * BATCHES_A_LANE)), ceil_log2(group));
    uint64_t unit = (UINT64_C(4) * BATCHES_A_LANE) << spread.lanes_log2;
    uint64_t groups = vkt_ceil_div(n_kept, group >> spread.lanes_log2);
    if (n_reduced > SPLIT_ABOVE && groups < GROUPS_WANTED)
        parts = vkt_min_u64(vkt_ceil_div(GROUPS_WANTED, groups), vkt_ceil_div(n_reduced, unit));
    cut(n_reduced, parts, unit, unit * MAX_TURNS, &spread);
    spread.n_slots = spread.n_chunks;
    return spread;
}

static vkt_spread spread_columns(const vkt_device_info *info, uint64_t strips, uint64_t n_reduced)
{
    vkt_spread spread = {0};
    uint32_t group_log2 = ceil_log2(vkt_reduce_group(info));
    uint64_t parts = 1;
    if (vkt_reduce_serial(info)) {
        spread.lanes_log2 = group_log2;
        if (n_reduced > 256)
            parts = vkt_min_u64(vkt_ceil_div(SERIAL_WANTED, strips), n_reduced / 64);
        cut(n_reduced, parts, 4, 4 * min_u32(SERIAL_MAX_TURNS, info->max_turns / 2), &spread);
        spread.n_slots = spread.n_chunks;
        return spread;
    }
    uint32_t down_log2 =
        min_u32(ceil_log2(vkt_ceil_div(n_reduced, 16)), ceil_log2(MAX_COLUMN_LANES));
    spread.lanes_log2 = min_u32(group_log2 - min_u32(down_log2, group_log2), ceil_log2(strips));
    uint64_t lanes = UINT64_C(1) << (group_log2 - spread.lanes_log2);
    uint64_t groups = vkt_ceil_div(strips, UINT64_C(1) << spread.lanes_log2);
    if (n_reduced > lanes * 64 && groups < GROUPS_WANTED)
        parts =
            vkt_min_u64(vkt_ceil_div(GROUPS_WANTED, groups), vkt_ceil_div(n_reduced, lanes * 16));
    cut(n_reduced, parts, lanes * 4, lanes * 4 * MAX_TURNS, &spread);
    spread.n_slots = spread.n_chunks;
    return spread;
}

/* ---- Layout class ---------------------------------------------------------------------------- */

/* True when every batch of four elements of the leaf along the inner dim lies where one vector
 * load can reach it. */
static bool is_aligned(const vkt_pass *pass, int operand, const vkt_space *inner, uint64_t address,
                       uint64_t nbytes)
{
    const vkt_space *halves[2] = {pass->kept, pass->reduced};
    uint64_t mask = vkt_min_u64(16, 4 * nbytes) - 1;
    if (address & mask)
        return false;
    for (int h = 0; h < 2; h++) {
        int32_t n = halves[h]->ndim - (halves[h] == inner);
        for (int32_t d = 0; d < n; d++) {
            if (((uint64_t)halves[h]->strides[operand][d] * nbytes) & mask)
                return false;
        }
    }
    return true;
}

uint64_t vkt_pass_leaf_address(const vkt_reduction *reduction, const vkt_pass *pass, int leaf)
{
    const vkt_tensor *tensor = reduction->fusion.leaves[leaf];
    int64_t offset = reduction->fusion.leaf_layouts[leaf].offset +
                     pass->kept->offsets[VKT_AT_LEAF + leaf] +
                     pass->reduced->offsets[VKT_AT_LEAF + leaf];
    return vkt_block_address(tensor->block) + (uint64_t)(offset * vkt_dtypes[tensor->dtype].nbytes);
}

static uint64_t out_address(const vkt_reduction *reduction, const vkt_space *kept,
                            const vkt_space *reduced)
{
    int64_t offset = kept->offsets[VKT_AT_OUT] + (reduced ? reduced->offsets[VKT_AT_OUT] : 0);
    return vkt_block_address(reduction->out) +
           (uint64_t)(offset * vkt_dtypes[reduction->reducer.result].nbytes);
}

/* Dims a kernel's text decodes: a few sizes, so that few kernels serve all layouts. */
static uint8_t find_dims(const vkt_space *space)
{
    int32_t n = space->ndim;
    return (uint8_t)(n <= 1 ? 1 : n <= 4 ? n : n <= 8 ? 8 : VKT_MAX_NDIM);
}

/* Alignment and lengths never make another kernel: they are told by pass->flags. */
void vkt_pass_variant(const vkt_reduction *reduction, vkt_pass *pass, vkt_variant *variant)
{
    const vkt_space *inner = pass->columns ? pass->kept : pass->reduced;
    int32_t last = inner->ndim - 1;
    *variant = (vkt_variant){
        .kept_dims = find_dims(pass->kept),
        .reduced_dims = find_dims(pass->reduced),
        .group = (uint16_t)vkt_reduce_group(reduction->info),
        .tree = !vkt_reduce_serial(reduction->info),
        .crosses = !pass->columns && inner->ndim > 1,
    };
    variant->subgroups = variant->tree && reduction->info->subgroup_size_control &&
                         reduction->info->subgroup_size <= variant->group;
    pass->flags = variant->crosses && inner->shape[last] % 4 != 0 ? VKT_FLAG_ONE_BY_ONE : 0;
    for (int i = 0; i < reduction->fusion.program.n_leaves; i++) {
        int64_t stride = inner->ndim ? inner->strides[VKT_AT_LEAF + i][last] : 1;
        uint64_t nbytes = vkt_dtypes[reduction->fusion.leaves[i]->dtype].nbytes;
        variant->modes[i] = stride == 1   ? VKT_MODE_NEXT
                            : stride == 0 ? VKT_MODE_SAME
                                          : VKT_MODE_STRIDED;
        if (stride == 1 && is_aligned(pass, VKT_AT_LEAF + i, inner,
                                      vkt_pass_leaf_address(reduction, pass, i), nbytes))
            pass->flags |= 1u << i;
    }
    if (inner->ndim && inner->strides[VKT_AT_OUT][last] == 1 &&
        is_aligned(pass, VKT_AT_OUT, inner, out_address(reduction, pass->kept, pass->reduced),
                   vkt_dtypes[reduction->reducer.result].nbytes))
        pass->flags |= VKT_FLAG_OUT_ALIGNED;
}

uint64_t vkt_count_strips(const vkt_space *kept)
{
    uint64_t inner = kept->ndim ? (uint64_t)kept->shape[kept->ndim - 1] : 1;
    return inner ? vkt_space_count(kept) / inner * vkt_ceil_div(inner, 4) : 0;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static void pack_dims(const vkt_space *space, int n_operands, vkt_args *args)
{
    int32_t n_dims = find_dims(space), innermost = space->ndim - 1;
    for (int32_t i = 0; i < n_dims - 1; i++) {
        vkt_fastdiv div =
            vkt_fastdiv_init(i <= innermost ? (uint32_t)space->shape[innermost - i] : 1);
        vkt_args_u32(args, div.divisor);
        vkt_args_u32(args, div.multiplier);
        vkt_args_u32(args, div.shift);
    }
    for (int32_t i = 0; i < n_dims; i++) {
        for (int k = VKT_AT_OUT; k < VKT_AT_OUT + n_operands; k++)
            vkt_args_i32(args, i <= innermost ? (int32_t)space->strides[k][innermost - i] : 0);
    }
}

static void pack_strips(const vkt_space *kept, vkt_args *args)
{
    uint32_t inner = kept->ndim ? (uint32_t)kept->shape[kept->ndim - 1] : 1;
    vkt_fastdiv div = vkt_fastdiv_init((inner + 3) / 4);
    vkt_args_u32(args, (uint32_t)vkt_count_strips(kept));
    vkt_args_u32(args, inner);
    vkt_args_u32(args, div.divisor);
    vkt_args_u32(args, div.multiplier);
    vkt_args_u32(args, div.shift);
}

static void pack_divisor(const vkt_reducer *reducer, vkt_args *args)
{
    if (!reducer->divides)
        return;
    if (vkt_dtype_real(reducer->value) == VKT_FLOAT64) {
        uint64_t bits;
        memcpy(&bits, &reducer->divisor, sizeof(bits));
        vkt_args_u64(args, bits);
    } else {
        float narrow = (float)reducer->divisor;
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof(bits));
        vkt_args_u32(args, bits);
    }
}

void vkt_pack_pass(const vkt_reduction *reduction, const vkt_pass *pass,
                   const vkt_partials *partials, vkt_args *args)
{
    const vkt_fusion *fusion = &reduction->fusion;
    int n_operands = VKT_AT_LEAF - VKT_AT_OUT + fusion->program.n_leaves;
    int64_t iota = pass->kept->offsets[VKT_AT_IOTA] + pass->reduced->offsets[VKT_AT_IOTA];

    uint64_t out = out_address(reduction, pass->kept, pass->reduced);
    int64_t out_nbytes = vkt_dtypes[reduction->reducer.result].nbytes;

    args->nbytes = 0;
    vkt_args_u64(args, out);
    if (pass->initial_step != 0)
        vkt_args_u64(args, out - (uint64_t)(pass->initial_step * out_nbytes));
    vkt_args_u64(args, partials->block ? vkt_block_address(partials->block) : 0);
    vkt_args_u64(args, pass->next ? vkt_block_address(pass->next) : 0);
    if (pass->state)
        vkt_args_u64(args, vkt_block_address(pass->state));
    if (reduction->reducer.merge == VKT_MERGE_INDEX)
        vkt_args_u64(args, pass->first_reduced);
    if (reduction->halves.uses_iota)
        vkt_args_u64(args, (uint64_t)iota);
    for (int i = 0; i < fusion->program.n_leaves; i++)
        vkt_args_u64(args, vkt_pass_leaf_address(reduction, pass, i));
    vkt_pack_scalars(fusion, args);
    pack_divisor(&reduction->reducer, args);
    vkt_args_u32(args, (uint32_t)pass->n_kept);
    vkt_args_u32(args, (uint32_t)pass->n_reduced);
    vkt_args_u32(args, pass->spread.chunk);
    vkt_args_u32(args, pass->spread.lanes_log2);
    vkt_args_u32(args, partials->n_slots);
    vkt_args_u32(args, partials->slot0);
    vkt_args_u32(args, partials->kept_step);
    vkt_args_u32(args, partials->slot_step);
    vkt_args_u32(args, pass->next_step);
    vkt_args_u32(args, pass->flags);
    if (pass->columns)
        pack_strips(pass->kept, args);
    pack_dims(pass->kept, n_operands, args);
    pack_dims(pass->reduced, n_operands, args);
}

/* ---- Launches -------------------------------------------------------------------------------- */

vkt_status vkt_reduce_launch(const vkt_reduction *reduction, const vkt_variant *variant,
                             const vkt_args *args, uint64_t n_groups, uint32_t n_chunks,
                             const vkt_access *others, int n_others)
{
    const vkt_program *program =
        variant->family == VKT_FAMILY_MERGE ? NULL : &reduction->fusion.program;
    vkt_access accesses[VKT_MAX_LEAVES + 4];
    vkt_kernel *kernel = NULL;
    vkt_note note;
    uint32_t n = 0;
    VKT_TRY(vkt_reduce_kernel(reduction->device, variant, &reduction->reducer, program,
                              args->nbytes, &kernel));
    for (int i = 0; program && i < program->n_leaves; i++)
        accesses[n++] = reduction->leaf_accesses[i];
    for (int i = 0; i < n_others; i++)
        accesses[n++] = others[i];
    uint32_t x = (uint32_t)vkt_min_u64(n_groups, MAX_GROUPS_X);
    vkt_launch launch = {
        .kernel = kernel,
        .groups = {x, (uint32_t)vkt_ceil_div(n_groups, x), n_chunks},
        .args = args->bytes,
        .args_nbytes = args->nbytes,
        .accesses = accesses,
        .n_accesses = n,
    };
    if (vkt_profile_running(reduction->device)) {
        vkt_note_fusion(&reduction->fusion, vkt_ops[reduction->reducer.op].name, reduction->result,
                        &note);
        launch.note = &note;
    }
    return vkt_dispatch(reduction->device, &launch);
fail:
    return vkt_status_last();
}

/* Turns of the longest invocation's loop over elements. */
static uint64_t count_turns(const vkt_device_info *info, const vkt_pass *pass)
{
    uint32_t lanes_log2 = pass->spread.lanes_log2;
    if (pass->columns)
        lanes_log2 = ceil_log2(vkt_reduce_group(info)) - lanes_log2;
    uint64_t batches = pass->spread.chunk >> (lanes_log2 + 2);
    return pass->columns ? batches : batches / BATCHES_A_LANE;
}

vkt_status vkt_reduce_pass(const vkt_reduction *reduction, vkt_pass *pass,
                           const vkt_partials *partials)
{
    vkt_variant variant;
    vkt_args args;
    uint64_t turns = count_turns(reduction->info, pass);
    /* Blocks add a turn for every 4 or 16, and one for every 16 of those. */
    VKT_REQUIRE(turns + turns / 3 + 40 <= reduction->info->max_turns, VKT_VALUE_ERROR,
                "%s: a kernel would make more loop turns than the device allows",
                vkt_ops[reduction->reducer.op].name);
    if (pass->spread.streams)
        VKT_TRY(vkt_reduce_stream(reduction, pass));
    vkt_pass_variant(reduction, pass, &variant);
    variant.streamed = pass->spread.streams && pass->next;
    variant.blocked = variant.streamed || (reduction->reducer.merge != VKT_MERGE_INDEX &&
                                           (!variant.tree || turns > MAX_TURNS));
    vkt_pack_pass(reduction, pass, partials, &args);
    uint64_t n_groups =
        pass->columns
            ? vkt_ceil_div(vkt_count_strips(pass->kept), UINT64_C(1) << pass->spread.lanes_log2)
            : vkt_ceil_div(pass->n_kept, (uint64_t)variant.group >> pass->spread.lanes_log2);
    variant.family = pass->columns ? VKT_FAMILY_COLUMNS : VKT_FAMILY_ROWS;
    vkt_access others[2] = {
        vkt_access_block(partials->n_slots == 1 ? reduction->out : partials->block, true)};
    if (variant.streamed)
        others[1] = vkt_access_block(pass->next, false);
    VKT_TRY(vkt_reduce_launch(reduction, &variant, &args, n_groups, pass->spread.n_chunks, others,
                              variant.streamed ? 2 : 1));
    if (pass->spread.streams)
        vkt_block_unref(pass->next);
    return VKT_OK;
fail:
    if (pass->spread.streams)
        vkt_block_unref(pass->next);
    return vkt_status_last();
}

/* ---- The final stage ------------------------------------------------------------------------- */

static vkt_status alloc_partials(const vkt_reduction *reduction, uint64_t n_kept, uint64_t n_slots,
                                 bool columns, vkt_partials *out)
{
    assert(n_kept * n_slots < UINT32_MAX);
    *out = (vkt_partials){
        .n_slots = (uint32_t)n_slots,
        .kept_step = columns ? 1 : (uint32_t)n_slots,
        .slot_step = columns ? (uint32_t)n_kept : 1,
    };
    if (n_slots == 1)
        return VKT_OK;
    return vkt_block_alloc(reduction->device,
                           n_kept * n_slots * vkt_reducer_nbytes(&reduction->reducer),
                           VKT_MEMORY_DEVICE, &out->block);
}

static vkt_status launch_merge(const vkt_reduction *reduction, const vkt_space *kept,
                               const vkt_partials *in, uint32_t chunk, const vkt_partials *out)
{
    bool serial = vkt_reduce_serial(reduction->info);
    uint32_t group = vkt_reduce_group(reduction->info);
    uint32_t lanes_log2 =
        serial ? 0 : min_u32(ceil_log2(vkt_ceil_div(in->n_slots, 4)), ceil_log2(group));
    uint64_t n_kept = vkt_space_count(kept);
    vkt_variant variant = {
        .family = VKT_FAMILY_MERGE,
        .kept_dims = find_dims(kept),
        .group = (uint16_t)group,
        .tree = !serial,
        .subgroups = !serial && reduction->info->subgroup_size_control &&
                     reduction->info->subgroup_size <= group,
    };
    vkt_args args = {.nbytes = 0};
    vkt_args_u64(&args, out_address(reduction, kept, NULL));
    vkt_args_u64(&args, vkt_block_address(in->block));
    vkt_args_u64(&args, out->block ? vkt_block_address(out->block) : 0);
    if (reduction->reducer.merge == VKT_MERGE_INDEX)
        vkt_args_u64(&args, 0);
    pack_divisor(&reduction->reducer, &args);
    vkt_args_u32(&args, (uint32_t)n_kept);
    vkt_args_u32(&args, in->n_slots);
    vkt_args_u32(&args, chunk);
    vkt_args_u32(&args, lanes_log2);
    vkt_args_u32(&args, out->n_slots);
    vkt_args_u32(&args, 0);
    vkt_args_u32(&args, in->kept_step);
    vkt_args_u32(&args, in->slot_step);
    vkt_args_u32(&args, 0);
    pack_dims(kept, 1, &args);
    vkt_access others[2] = {
        vkt_access_block(in->block, false),
        vkt_access_block(out->n_slots == 1 ? reduction->out : out->block, true),
    };
    return vkt_reduce_launch(reduction, &variant, &args, vkt_ceil_div(n_kept, group >> lanes_log2),
                             out->n_slots, others, 2);
}

/* Merges until one slot is left, and writes the result. Releases partials->block. */
static vkt_status merge_partials(const vkt_reduction *reduction, const vkt_space *kept,
                                 vkt_partials *partials)
{
    vkt_partials next = {0};
    uint64_t n_kept = vkt_space_count(kept);
    while (partials->n_slots > 1) {
        uint32_t chunk = partials->n_slots;
        if (vkt_reduce_serial(reduction->info) && chunk > SERIAL_MERGE)
            chunk = SERIAL_MERGE / 8;
        VKT_TRY(alloc_partials(reduction, n_kept, vkt_ceil_div(partials->n_slots, chunk), false,
                               &next));
        VKT_TRY(launch_merge(reduction, kept, partials, chunk, &next));
        vkt_block_unref(partials->block);
        *partials = next;
        next.block = NULL;
    }
    return VKT_OK;
fail:
    vkt_block_unref(next.block);
    vkt_block_unref(partials->block);
    partials->block = NULL;
    return vkt_status_last();
}

/* ---- Everything ------------------------------------------------------------------------------ */

static void init_pass(const vkt_reduction *reduction, const vkt_space *kept,
                      const vkt_space *reduced, uint64_t first_reduced, vkt_pass *out)
{
    *out = (vkt_pass){
        .kept = kept,
        .reduced = reduced,
        .n_kept = vkt_space_count(kept),
        .n_reduced = vkt_space_count(reduced),
        .first_reduced = first_reduced,
        .columns = reduction->halves.columns,
    };
    /* Strips as if the kept dims were one: how they merge must not show in the result. */
    uint64_t strips = vkt_ceil_div(out->n_kept, 4);
    out->spread = out->columns ? spread_columns(reduction->info, strips, out->n_reduced)
                               : spread_rows(reduction->info, out->n_kept, out->n_reduced);
}

static vkt_status run_kept(const vkt_reduction *reduction, const vkt_space *kept,
                           const vkt_pieces *pieces)
{
    const vkt_space *whole = &reduction->halves.reduced;
    vkt_partials partials = {0};
    vkt_space reduced;
    vkt_pass pass = {0};
    uint64_t n_slots = 0, first;
    for (uint64_t p = 0; p < pieces->n_pieces; p++) {
        vkt_pieces_get(whole, pieces, p, &reduced, &first);
        init_pass(reduction, kept, &reduced, first, &pass);
        n_slots += pass.spread.n_slots;
    }
    VKT_TRY(alloc_partials(reduction, pass.n_kept, n_slots, pass.columns, &partials));
    for (uint64_t p = 0; p < pieces->n_pieces; p++) {
        if (pieces->n_pieces > 1) {
            vkt_pieces_get(whole, pieces, p, &reduced, &first);
            init_pass(reduction, kept, &reduced, first, &pass);
        }
        VKT_TRY(vkt_reduce_pass(reduction, &pass, &partials));
        partials.slot0 += pass.spread.n_slots;
    }
    partials.slot0 = 0;
    return merge_partials(reduction, kept, &partials);
fail:
    vkt_block_unref(partials.block);
    return vkt_status_last();
}

vkt_status vkt_reduce_run(const vkt_reduction *reduction)
{
    vkt_pieces kept_pieces, reduced_pieces;
    vkt_space kept;
    uint64_t first;
    vkt_pieces_init(&reduction->halves.kept, VKT_PIECE_LIMIT, &kept_pieces);
    vkt_pieces_init(&reduction->halves.reduced, VKT_PIECE_LIMIT, &reduced_pieces);
    for (uint64_t p = 0; p < kept_pieces.n_pieces; p++) {
        vkt_pieces_get(&reduction->halves.kept, &kept_pieces, p, &kept, &first);
        VKT_TRY(run_kept(reduction, &kept, &reduced_pieces));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}
