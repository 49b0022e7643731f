/* ops/scan.c - cumulative sums and products: totals of chunks, then each chunk after its carry. */
#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "ops/reduce_internal.h"

/* GPU: invocations wanted before rows stop being cut; rows up to this length are one
 * invocation's. */
#define THREADS_WANTED 65536
#define GROUPS_WANTED  1024
#define SHORT_ROW      64
#define MAX_CHUNKS     256

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

/* How a piece is cut: chunks, and which kernel scans them. */
typedef struct scan_plan {
    bool tiles;
    uint32_t lanes_log2; /* serial: rows side by side in a workgroup */
    uint32_t chunk;
    uint32_t n_chunks;
} scan_plan;

static scan_plan plan_piece(const vkt_reduction *scan, uint64_t n_kept, uint64_t n_reduced)
{
    scan_plan plan = {0};
    uint64_t chunk = n_reduced, unit = 16, parts = 1;
    uint32_t group = vkt_reduce_group(scan->info);
    if (vkt_reduce_serial(scan->info)) {
        if (n_kept < SERIAL_WANTED && n_reduced > 2 * SERIAL_SHORTEST)
            parts = vkt_min_u64(vkt_ceil_div(SERIAL_WANTED, n_kept), n_reduced / SERIAL_SHORTEST);
    } else if (scan->halves.columns || n_reduced <= SHORT_ROW) {
        if (n_kept < THREADS_WANTED && n_reduced > SHORT_ROW)
            parts = vkt_min_u64(vkt_ceil_div(THREADS_WANTED, n_kept), n_reduced / (SHORT_ROW / 2));
        parts = vkt_min_u64(parts, MAX_CHUNKS);
    } else {
        plan.tiles = true;
        unit = UINT64_C(16) * group;
        if (n_kept < GROUPS_WANTED && n_reduced > 4 * unit)
            parts = vkt_min_u64(vkt_ceil_div(GROUPS_WANTED, n_kept), vkt_ceil_div(n_reduced, unit));
    }
    chunk = vkt_max_u64(vkt_ceil_div(vkt_ceil_div(n_reduced, parts), unit), 1) * unit;
    if (vkt_reduce_serial(scan->info))
        chunk = vkt_min_u64(chunk, SERIAL_LONGEST);
    plan.chunk = (uint32_t)chunk;
    plan.n_chunks = (uint32_t)vkt_max_u64(vkt_ceil_div(n_reduced, chunk), 1);

    /* Rows fill the workgroup first, chunks take what is left. */
    plan.lanes_log2 = floor_log2(vkt_min_u64(n_kept, group));
    return plan;
}

/* Totals of all chunks but what comes after them, beside a slot for what earlier pieces hand on. */
static vkt_status alloc_totals(const vkt_reduction *scan, uint64_t n_kept, bool carried,
                               const scan_plan *plan, vkt_partials *out)
{
    uint64_t n_slots = (plan->n_chunks > 1 ? plan->n_chunks : 0) + (carried ? 1 : 0);
    assert(n_kept * n_slots < UINT32_MAX);
    *out = (vkt_partials){
        .n_slots = (uint32_t)n_slots,
        .slot0 = carried ? 1 : 0,
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
    uint32_t group_log2 = floor_log2(vkt_reduce_group(scan->info));
    pass.initial_step = 0;
    pass.spread =
        (vkt_spread){.chunk = plan->chunk, .n_chunks = plan->n_chunks, .n_slots = plan->n_chunks};
    if (pass.columns)
        pass.spread.lanes_log2 = group_log2;
    else if (!vkt_reduce_serial(scan->info))
        pass.spread.lanes_log2 = group_log2;
    return vkt_reduce_pass(scan, &pass, totals);
}

static vkt_status scan_chunks(const vkt_reduction *scan, const vkt_pass *piece,
                              const scan_plan *plan, const vkt_partials *totals,
                              const vkt_partials *next)
{
    vkt_pass pass = *piece;
    vkt_variant variant;
    vkt_args args;
    vkt_access others[3];
    int n = 0;
    uint32_t group = vkt_reduce_group(scan->info), n_z = plan->n_chunks;
    uint64_t n_groups = pass.n_kept;
    pass.spread = (vkt_spread){.chunk = plan->chunk, .lanes_log2 = plan->lanes_log2};
    pass.next = next->block;
    pass.next_step = next->kept_step;

    /* Batches run along the scanned dim, whichever dim is the innermost. */
    pass.columns = false;
    vkt_pass_variant(scan, &pass, &variant);
    variant.family = plan->tiles ? VKT_FAMILY_SCAN_TILE : VKT_FAMILY_SCAN_SERIAL;
    variant.tree = variant.subgroups = 0;
    variant.compensated =
        scan->reducer.op == VKT_OP_cumulative_sum && vkt_dtype_is_float(scan->reducer.value);
    variant.initial = pass.initial_step != 0;
    vkt_pack_pass(scan, &pass, totals, &args);
    if (!plan->tiles) {
        n_groups = vkt_ceil_div(pass.n_kept, UINT64_C(1) << plan->lanes_log2);
        n_z = (uint32_t)vkt_ceil_div(plan->n_chunks, group >> plan->lanes_log2);
    }
    others[n++] = vkt_access_block(scan->out, true);
    if (totals->block)
        others[n++] = vkt_access_block(totals->block, false);
    if (next->block)
        others[n++] = vkt_access_block(next->block, true);
    return vkt_reduce_launch(scan, &variant, &args, n_groups, n_z, others, n);
}

/* Scans the pieces of the kept elements in `kept` one after the other. */
static vkt_status scan_kept(const vkt_reduction *scan, const vkt_space *kept, int64_t initial_step)
{
    const vkt_space *whole = &scan->halves.reduced;
    vkt_pieces pieces;
    vkt_partials totals = {0}, next = {0};
    vkt_space here, after;
    uint64_t first, n_kept = vkt_space_count(kept);
    vkt_pieces_init(whole, vkt_reduce_serial(scan->info) ? SERIAL_PIECE : VKT_PIECE_LIMIT, &pieces);
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
        if (plan.n_chunks > 1)
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
