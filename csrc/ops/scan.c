/* ops/scan.c - cumulative sums and products: in one pass, or totals of chunks and then each chunk
 * after its carry. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "ops/elementwise.h"
#include "ops/reduce_internal.h"

/* GPU: rows, and columns, up to this length are one invocation's; workgroups wanted before longer
 * ones are cut. */
#define SHORT         64
#define GROUPS_WANTED 1024
#define WIDE_WANTED   512 /* of 64-bit numbers, which an invocation holds twice as many bytes of */
#define STRIPS_WANTED 512

/* GPU, tiles: an invocation's batches of four elements; tiles of a block and kinds of what
 * workgroups tell each other, as in shaders/scan_look_back.comp; and turns that a device must allow
 * for each tile of a row, where all of them have to be found twice. */
#define BATCHES    4
#define BLOCK      32
#define TILE_TURNS 128

/* One pass: invocations of a workgroup, and batches of an invocation. Large tiles have less to
 * tell: on an H100 2^26 float32 took 0.77 of the time that tiles of 4 batches and 256 invocations
 * took, and no other pair of 20 less. complex64 has half as many elements in as many registers,
 * float16 its best at a quarter. */
#define ONE_PASS_GROUP          512
#define ONE_PASS_SUBGROUPS      16
#define ONE_PASS_BATCHES        16
#define ONE_PASS_BATCHES_NARROW 4

/* Columns side by side in a workgroup, as in shaders/scan_strips.comp. */
#define STRIP_WIDE 32

/* CPU: chunks wanted in all, shortest and longest chunk; pieces hold the number of chunks, so
 * of totals one invocation adds up, below the limit on loops. */
#define SERIAL_WANTED   64
#define SERIAL_SHORTEST 1024
#define SERIAL_LONGEST  32768
#define SERIAL_PIECE    (INT64_C(1) << 26)

static uint32_t floor_log2(uint64_t n)
{
    uint32_t log2 = 0;
    while (n >> (log2 + 1))
        log2++;
    return log2;
}

/* How a piece is cut: which kernel scans it, in which chunks. */
typedef struct scan_plan {
    vkt_family family;
    uint32_t group;
    uint32_t lanes_log2; /* serial: rows side by side in a workgroup */
    uint32_t chunk;      /* one pass: a tile */
    uint32_t n_chunks;
} scan_plan;

static uint32_t tile_length(const vkt_device_info *info)
{
    return 4 * BATCHES * vkt_reduce_group(info);
}

/* Each invocation adds up the totals of the workgroup's subgroups, so there should be few. */
static uint32_t one_pass_group(const vkt_device_info *info)
{
    bool fits = info->max_workgroup_invocations >= ONE_PASS_GROUP &&
                info->subgroup_size * ONE_PASS_SUBGROUPS >= ONE_PASS_GROUP;
    return fits ? ONE_PASS_GROUP : vkt_reduce_group(info);
}

static uint32_t one_pass_batches(const vkt_reducer *reducer)
{
    uint32_t nbytes = vkt_reducer_nbytes(reducer);
    bool narrow = vkt_dtypes[reducer->result].nbytes < nbytes;
    return narrow ? ONE_PASS_BATCHES_NARROW : ONE_PASS_BATCHES * 4 / nbytes;
}

static uint32_t strip_tall(const vkt_device_info *info)
{
    return BATCHES * vkt_reduce_group(info) / (STRIP_WIDE / 4);
}

/* VKTENSOR_SCAN, for tests: "silent" lets workgroups leave out part of what they tell each other,
 * "chunks" is for devices where they cannot. */
static bool asks_for(const char *way)
{
    const char *scan = getenv("VKTENSOR_SCAN");
    return scan && strcmp(scan, way) == 0;
}

/* One pass needs invocations that hand each other values, and as many as look at once. */
static bool can_look_back(const vkt_device_info *info)
{
    uint32_t group = vkt_reduce_group(info);
    return info->subgroup_shuffle && info->subgroup_size_control && info->subgroup_size <= group &&
           group >= 2 * BLOCK && !asks_for("chunks");
}

/* The kernel, the multiple of elements it takes, and into how many chunks they are best cut. */
static vkt_family choose_family(const vkt_reduction *scan, uint64_t n_kept, uint64_t n_reduced,
                                uint64_t *unit, uint64_t *parts)
{
    uint64_t groups = n_kept;
    uint64_t wanted = vkt_reducer_is_wide(&scan->reducer) ? WIDE_WANTED : GROUPS_WANTED;
    vkt_family family = VKT_FAMILY_SCAN_TILE;
    *unit = 16;
    *parts = 1;
    if (vkt_reduce_serial(scan->info)) {
        if (n_kept < SERIAL_WANTED && n_reduced > 2 * SERIAL_SHORTEST)
            *parts = vkt_min_u64(vkt_ceil_div(SERIAL_WANTED, n_kept), n_reduced / SERIAL_SHORTEST);
        return VKT_FAMILY_SCAN_SERIAL;
    }
    if (n_reduced <= SHORT)
        return VKT_FAMILY_SCAN_SERIAL;
    *unit = tile_length(scan->info);
    if (scan->halves.columns) {
        family = VKT_FAMILY_SCAN_STRIPS;
        *unit = strip_tall(scan->info);
        groups = vkt_ceil_div(n_kept, STRIP_WIDE);
        wanted = STRIPS_WANTED;
    }
    if (groups >= wanted || n_reduced <= 4 * *unit)
        return family;
    if (family == VKT_FAMILY_SCAN_TILE && can_look_back(scan->info) &&
        !vkt_reducer_is_wide(&scan->reducer)) {
        *unit = 4 * one_pass_batches(&scan->reducer) * one_pass_group(scan->info);
        *parts = vkt_ceil_div(n_reduced, *unit);
        return VKT_FAMILY_SCAN_ONE_PASS;
    }
    *parts = vkt_min_u64(vkt_ceil_div(wanted, groups), n_reduced / (2 * *unit));
    return family;
}

static scan_plan plan_piece(const vkt_reduction *scan, uint64_t n_kept, uint64_t n_reduced)
{
    scan_plan plan = {.group = vkt_reduce_group(scan->info)};
    uint64_t unit, parts;
    plan.family = choose_family(scan, n_kept, n_reduced, &unit, &parts);
    uint64_t chunk = vkt_max_u64(vkt_ceil_div(vkt_ceil_div(n_reduced, parts), unit), 1) * unit;
    if (vkt_reduce_serial(scan->info))
        chunk = vkt_min_u64(chunk, SERIAL_LONGEST);
    plan.chunk = (uint32_t)chunk;
    plan.n_chunks = (uint32_t)vkt_max_u64(vkt_ceil_div(n_reduced, chunk), 1);

    /* Rows fill the workgroup first, chunks take what is left. */
    plan.lanes_log2 = floor_log2(vkt_min_u64(n_kept, plan.group));
    return plan;
}

/* Elements along a piece: on devices that limit turns a piece takes no more than those allow. */
static int64_t piece_limit(const vkt_reduction *scan)
{
    if (vkt_reduce_serial(scan->info))
        return SERIAL_PIECE;
    int64_t tile = scan->halves.columns ? strip_tall(scan->info) : tile_length(scan->info);
    int64_t most = scan->info->max_turns / TILE_TURNS * tile;
    return most < VKT_PIECE_LIMIT ? most : VKT_PIECE_LIMIT;
}

/* Values of what one piece hands on to the next: sums of floats carry their rounding errors. */
static bool is_compensated(const vkt_reducer *reducer)
{
    return reducer->op == VKT_OP_cumulative_sum &&
           (vkt_dtype_is_float(reducer->value) || vkt_dtype_is_complex(reducer->value));
}

static uint32_t count_carried(const vkt_reduction *scan)
{
    return is_compensated(&scan->reducer) ? 2 : 1;
}

static bool needs_totals(const scan_plan *plan)
{
    return plan->n_chunks > 1 && plan->family != VKT_FAMILY_SCAN_ONE_PASS;
}

/* Totals of all chunks but what comes after them, beside slots for what earlier pieces hand on. */
static vkt_status alloc_totals(const vkt_reduction *scan, uint64_t n_kept, bool carried,
                               const scan_plan *plan, vkt_partials *out)
{
    uint32_t slot0 = carried ? count_carried(scan) : 0;
    uint64_t n_slots = slot0 + (needs_totals(plan) ? plan->n_chunks : 0);
    assert(n_kept * n_slots < UINT32_MAX);
    *out = (vkt_partials){
        .n_slots = (uint32_t)n_slots,
        .slot0 = slot0,
        .kept_step = scan->halves.columns ? 1 : (uint32_t)n_slots,
        .slot_step = scan->halves.columns ? (uint32_t)n_kept : 1,
    };
    if (n_slots == 0)
        return VKT_OK;
    return vkt_block_alloc(scan->device, n_kept * n_slots * vkt_reducer_nbytes(&scan->reducer),
                           VKT_MEMORY_DEVICE, &out->block);
}

/* The sum of every chunk of the piece: one reduction dispatch that stops at its partial results. */
static vkt_status reduce_chunks(const vkt_reduction *scan, const vkt_pass *piece,
                                const scan_plan *plan, const vkt_partials *totals)
{
    vkt_pass pass = *piece;
    uint32_t group_log2 = floor_log2(plan->group);
    pass.initial_step = 0;
    pass.spread =
        (vkt_spread){.chunk = plan->chunk, .n_chunks = plan->n_chunks, .n_slots = plan->n_chunks};
    if (plan->family == VKT_FAMILY_SCAN_STRIPS) {
        /* Strips side by side, and eight or more invocations for each. */
        uint32_t strips_log2 = floor_log2(2 * vkt_ceil_div(pass.n_kept, 4) - 1);
        pass.spread.lanes_log2 = strips_log2 < group_log2 - 3 ? strips_log2 : group_log2 - 3;
    } else if (pass.columns || plan->family == VKT_FAMILY_SCAN_TILE) {
        pass.spread.lanes_log2 = group_log2;
    }
    return vkt_reduce_pass(scan, &pass, totals);
}

/* Words that tell nothing yet, for each tile, and each block of them twice. */
static vkt_status alloc_state(const vkt_reduction *scan, uint64_t n_kept, const scan_plan *plan,
                              vkt_block **out)
{
    uint64_t n_blocks = vkt_ceil_div(plan->n_chunks, BLOCK);
    uint64_t entries = n_kept * (plan->n_chunks + (1 + count_carried(scan)) * n_blocks);
    int64_t n_words = (int64_t)(entries * vkt_reducer_nbytes(&scan->reducer) / 2);
    vkt_scalar zero = {.cls = VKT_CLASS_INT, .value.i = 0};
    vkt_tensor *words = NULL;
    VKT_TRY(vkt_full("scan", scan->device, VKT_UINT32, 1, &n_words, &zero, &words));
    VKT_TRY(vkt_eval(&words, 1));
    *out = vkt_block_ref(words->block);
    vkt_tensor_unref(words);
    return VKT_OK;
fail:
    vkt_tensor_unref(words);
    return vkt_status_last();
}

static vkt_status scan_chunks(const vkt_reduction *scan, const vkt_pass *piece,
                              const scan_plan *plan, const vkt_partials *totals,
                              const vkt_partials *next)
{
    vkt_pass pass = *piece;
    vkt_variant variant;
    vkt_args args;
    vkt_access others[4];
    int n = 0;
    uint32_t n_z = plan->n_chunks;
    uint64_t n_groups = pass.n_kept;
    bool tiles = plan->family == VKT_FAMILY_SCAN_TILE, strips = false, one_pass = false;
    pass.spread = (vkt_spread){.chunk = plan->chunk, .lanes_log2 = plan->lanes_log2};
    pass.next = next->block;
    pass.next_step = next->kept_step;
    if (plan->family == VKT_FAMILY_SCAN_ONE_PASS) {
        VKT_TRY(alloc_state(scan, pass.n_kept, plan, &pass.state));
        n_groups *= plan->n_chunks;
        n_z = 1;
        one_pass = tiles = true;
    } else if (plan->family == VKT_FAMILY_SCAN_STRIPS) {
        n_groups = vkt_ceil_div(vkt_count_strips(pass.kept), STRIP_WIDE / 4);
        strips = true;
    } else if (!tiles) {
        n_groups = vkt_ceil_div(pass.n_kept, UINT64_C(1) << plan->lanes_log2);
        n_z = (uint32_t)vkt_ceil_div(plan->n_chunks, plan->group >> plan->lanes_log2);
    }

    /* But in strips batches run along the scanned dim, whichever dim is the innermost. */
    pass.columns = strips;
    vkt_pass_variant(scan, &pass, &variant);
    variant.family = (uint8_t)plan->family;
    variant.tree = 0;
    variant.subgroups = tiles && can_look_back(scan->info);
    variant.batches = tiles || strips ? BATCHES : 0;
    if (one_pass) {
        variant.batches = (uint8_t)one_pass_batches(&scan->reducer);
        variant.group = (uint16_t)one_pass_group(scan->info);
    }
    variant.compensated = is_compensated(&scan->reducer);
    variant.initial = pass.initial_step != 0;
    variant.silent = one_pass && asks_for("silent");
    vkt_partials from = *totals;
    from.n_slots = plan->n_chunks;
    vkt_pack_pass(scan, &pass, &from, &args);
    others[n++] = vkt_access_block(scan->out, true);
    if (totals->block)
        others[n++] = vkt_access_block(totals->block, false);
    if (next->block)
        others[n++] = vkt_access_block(next->block, true);
    if (pass.state)
        others[n++] = vkt_access_block(pass.state, true);
    VKT_TRY(vkt_reduce_launch(scan, &variant, &args, n_groups, n_z, others, n));
    vkt_block_unref(pass.state);
    return VKT_OK;
fail:
    vkt_block_unref(pass.state);
    return vkt_status_last();
}

/* Scans the pieces of the kept elements in `kept` one after the other. */
static vkt_status scan_kept(const vkt_reduction *scan, const vkt_space *kept, int64_t initial_step)
{
    const vkt_space *whole = &scan->halves.reduced;
    vkt_pieces pieces;
    vkt_partials totals = {0}, next = {0};
    vkt_space here, after;
    uint64_t first, n_kept = vkt_space_count(kept);
    vkt_pieces_init(whole, piece_limit(scan), &pieces);
    vkt_pieces_get(whole, &pieces, 0, &here, &first);
    scan_plan plan = plan_piece(scan, n_kept, vkt_space_count(&here)), next_plan = {0};
    VKT_TRY(alloc_totals(scan, n_kept, false, &plan, &totals));
    for (uint64_t p = 0; p < pieces.n_pieces; p++) {
        if (p + 1 < pieces.n_pieces) {
            vkt_pieces_get(whole, &pieces, p + 1, &after, &first);
            next_plan = plan_piece(scan, n_kept, vkt_space_count(&after));
            VKT_TRY(alloc_totals(scan, n_kept, true, &next_plan, &next));
        }
        vkt_pass piece = {
            .kept = kept,
            .reduced = &here,
            .n_kept = n_kept,
            .n_reduced = vkt_space_count(&here),
            .columns = scan->halves.columns,
            .initial_step = initial_step,
        };
        if (totals.n_slots > totals.slot0)
            VKT_TRY(reduce_chunks(scan, &piece, &plan, &totals));
        VKT_TRY(scan_chunks(scan, &piece, &plan, &totals, &next));
        vkt_block_unref(totals.block);
        totals = next;
        plan = next_plan;
        here = after;
        next = (vkt_partials){0};
    }
    return VKT_OK;
fail:
    vkt_block_unref(totals.block);
    vkt_block_unref(next.block);
    return vkt_status_last();
}

static vkt_status compute_scan(vkt_tensor *self)
{
    const vkt_expr *expr = self->expr;
    vkt_tensor *x = expr->args[0].tensor;
    uint32_t axis = floor_log2(expr->reduce.axes);
    int64_t initial_step = expr->include_initial ? self->layout.strides[axis] : 0;
    vkt_reducer reducer;
    vkt_reduction scan;
    vkt_pieces kept_pieces;
    vkt_space kept;
    uint64_t first;
    memset(&scan.fusion, 0, sizeof(scan.fusion));
    VKT_TRY(vkt_reducer_init(expr->op, x->dtype, &expr->reduce, 0, &reducer));
    VKT_TRY(vkt_reduction_init(self, x, &reducer, &scan));
    vkt_halves_init(&scan.fusion, expr->reduce.axes, self->layout.strides, false, true,
                    &scan.halves);
    scan.halves.kept.offsets[VKT_AT_OUT] += initial_step;

    vkt_pieces_init(&scan.halves.kept, VKT_PIECE_LIMIT, &kept_pieces);
    for (uint64_t p = 0; p < kept_pieces.n_pieces; p++) {
        vkt_pieces_get(&scan.halves.kept, &kept_pieces, p, &kept, &first);
        VKT_TRY(scan_kept(&scan, &kept, initial_step));
    }
    vkt_fusion_clear(&scan.fusion);
    return VKT_OK;
fail:
    vkt_fusion_clear(&scan.fusion);
    return vkt_status_last();
}

vkt_status vkt_scan(vkt_op op, vkt_tensor *x, int32_t axis, vkt_dtype dtype, bool include_initial,
                    vkt_tensor **out)
{
    const char *name = vkt_ops[op].name;
    vkt_reduce_options options = {.has_dtype = true, .dtype = dtype};
    vkt_reducer reducer;
    vkt_layout layout;
    vkt_expr *expr = NULL;
    int64_t shape[VKT_MAX_NDIM];
    VKT_REQUIRE(axis >= 0 && axis < x->layout.ndim, VKT_VALUE_ERROR,
                "%s: expected an axis of a tensor of %d dimensions, got %d", name,
                (int)x->layout.ndim, (int)axis);
    options.axes = UINT32_C(1) << axis;
    VKT_TRY(vkt_reducer_init(op, x->dtype, &options, 0, &reducer));
    VKT_TRY(vkt_tensor_check_dtype(name, x->device, reducer.result));
    VKT_TRY(vkt_tensor_check_dtype(name, x->device, reducer.value));
    memcpy(shape, x->layout.shape, sizeof(shape));
    shape[axis] += include_initial ? 1 : 0;
    VKT_TRY(vkt_layout_init(name, x->layout.ndim, shape, vkt_dtypes[dtype].nbytes, &layout));
    VKT_TRY(vkt_expr_new(VKT_EXPR_OTHER, &expr));
    expr->op = op;
    expr->compute_dtype = x->dtype;
    expr->compute = compute_scan;
    expr->reduce = options;
    expr->include_initial = include_initial;
    expr->n_args = 1;
    expr->args[0].tensor = vkt_tensor_ref(x);
    return vkt_expr_tensor(x->device, reducer.result, &layout, expr, out);
fail:
    return vkt_status_last();
}
