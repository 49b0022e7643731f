/* ops/scatter.c - x[indices] = value. */
#include "ops/scatter.h"

#include "base/checked.h"
#include "ops/elementwise.h"
#include "ops/index_internal.h"

/* Positions and targets of one round: the kernel keeps them in 32 bits, and 0 for none. */
#define ROUND (UINT64_C(1) << 31)

/* A word for each target while there are at most so many targets to a position; beyond, a hash
 * table takes less memory than what lies between them, and less time to clear. */
#define SPARSE 8

/* ---- Claims ---------------------------------------------------------------------------------- */

/* True when a later position may overwrite an earlier one with another value. */
static bool order_matters(const vkt_walk *walk, const vkt_layout *value)
{
    for (int32_t d = 0; d < value->ndim; d++) {
        bool rest = walk->rest_dims & 1u << d;
        if (!rest && value->shape[d] > 1 && value->strides[d] != 0)
            return true;
    }
    return false;
}

/* Zeroed claims for one round. */
static vkt_status make_claims(const vkt_walk *walk, bool hashed, vkt_walk_launch *launch,
                              vkt_tensor **out)
{
    uint64_t n_positions = vkt_min_u64(walk->n_positions, ROUND), n_words;
    const vkt_scalar zero = {.cls = VKT_CLASS_INT};
    vkt_tensor *table = NULL;
    if (hashed) {
        uint64_t n_pairs = 256;
        while (n_pairs < 2 * n_positions)
            n_pairs *= 2;
        launch->hash_mask = (uint32_t)(n_pairs - 1);
        n_words = 2 * n_pairs;
    } else {
        launch->hash_mask = 0;
        n_words = vkt_min_u64(walk->n_targets, ROUND);
    }
    int64_t shape = (int64_t)n_words;
    VKT_TRY(vkt_full(walk->op, walk->x->device, VKT_UINT32, 1, &shape, &zero, &table));
    VKT_TRY(vkt_eval(&table, 1));
    launch->claims = table->block;
    *out = table;
    return VKT_OK;
fail:
    vkt_tensor_unref(table);
    return vkt_status_last();
}

/* Later rounds of positions come later, so that they win. */
static vkt_status run_rounds(const vkt_walk *walk, bool hashed, vkt_walk_launch *launch)
{
    vkt_tensor *claims = NULL;
    for (uint64_t p = 0; p < walk->n_positions; p += ROUND) {
        for (uint64_t t = 0; t < walk->n_targets; t += ROUND) {
            VKT_TRY(make_claims(walk, hashed, launch, &claims));
            launch->first_position = p;
            launch->first_target = t;
            launch->mode = VKT_WALK_CLAIM;
            VKT_TRY(vkt_walk_run(walk, launch));
            launch->mode = VKT_WALK_SCATTER;
            VKT_TRY(vkt_walk_run(walk, launch));
            vkt_tensor_unref(claims);
            claims = NULL;
        }
    }
    return VKT_OK;
fail:
    vkt_tensor_unref(claims);
    return vkt_status_last();
}

/* Every index is looked at before anything is written. */
static vkt_status run_ordered(vkt_walk *walk, vkt_walk_launch *launch)
{
    bool crowded = false, hashed = walk->n_targets / SPARSE > walk->n_positions;
    if (hashed && !walk->bad)
        VKT_TRY(vkt_walk_flag(walk));
    bool rounds = walk->n_positions > ROUND || walk->n_targets > ROUND;
    if (rounds && walk->bad) {
        launch->mode = VKT_WALK_CHECK;
        VKT_TRY(vkt_walk_run(walk, launch));
        VKT_TRY(vkt_walk_verify(walk, NULL));
    }
    VKT_TRY(run_rounds(walk, hashed, launch));
    VKT_TRY(vkt_walk_verify(walk, hashed ? &crowded : NULL));
    if (crowded) {
        VKT_TRY(vkt_walk_flag(walk));
        VKT_TRY(run_rounds(walk, false, launch));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* The value as a computed tensor of x's dtype and the walk's shape, in memory of its own. */
static vkt_status fit_value(const vkt_walk *walk, const vkt_arg *arg, vkt_tensor **out)
{
    vkt_tensor *scalar = NULL, *fitted = NULL;
    const vkt_tensor *x = walk->x;
    VKT_REQUIRE(!arg->tensor || arg->tensor->device == x->device, VKT_VALUE_ERROR,
                "%s: the value lies on another device, %s", walk->op,
                vkt_device_get_info(arg->tensor->device)->name);
    if (!arg->tensor)
        VKT_TRY(vkt_full(walk->op, x->device, x->dtype, 0, NULL, &arg->scalar, &scalar));
    VKT_TRY(
        vkt_fit_value(walk->op, &walk->shape, x->dtype, scalar ? scalar : arg->tensor, &fitted));
    VKT_TRY(vkt_eval(&fitted, 1));
    if (vkt_blocks_share_memory(fitted->block, x->block))
        VKT_TRY(vkt_tensor_copy(fitted, out));
    else
        *out = vkt_tensor_ref(fitted);
    vkt_tensor_unref(scalar);
    vkt_tensor_unref(fitted);
    return VKT_OK;
fail:
    vkt_tensor_unref(scalar);
    vkt_tensor_unref(fitted);
    return vkt_status_last();
}

static vkt_status scatter(vkt_walk *walk, bool unique, const vkt_arg *value)
{
    vkt_tensor *source = NULL;
    vkt_walk_launch launch = {.mode = VKT_WALK_CHECK};
    VKT_TRY(fit_value(walk, value, &source));
    VKT_REQUIRE(vkt_block_is_writable(walk->x->block), VKT_VALUE_ERROR,
                "%s: the tensor is read-only: its memory was lent for reading", walk->op);
    VKT_TRY(vkt_expr_compute_readers(walk->x->block));
    launch.other = source;
    vkt_layout_assign(&launch.value, &source->layout);
    bool empty = walk->x->layout.n_elems == 0 || walk->shape.n_elems == 0;
    if (!empty && !unique && order_matters(walk, &source->layout)) {
        VKT_TRY(run_ordered(walk, &launch));
    } else {
        if (walk->bad)
            VKT_TRY(vkt_walk_run(walk, &launch));
        launch.mode = VKT_WALK_SCATTER;
        if (!empty)
            VKT_TRY(vkt_walk_run(walk, &launch));
        VKT_TRY(vkt_walk_verify(walk, NULL));
    }
    VKT_TRY(vkt_finish_exported(walk->x->block, true));
    VKT_TRY(vkt_finish_exported(source->block, false));
    for (int k = 0; k < walk->n_indices; k++)
        VKT_TRY(vkt_finish_exported(walk->indices[k].tensor->block, false));
    vkt_tensor_unref(source);
    return VKT_OK;
fail:
    vkt_tensor_unref(source);
    return vkt_status_last();
}

vkt_status vkt_scatter(const char *op, vkt_tensor *x, const vkt_selection *selection,
                       const vkt_arg *value)
{
    vkt_walk walk;
    VKT_TRY(vkt_walk_select(op, x, selection, true, &walk));
    VKT_TRY(scatter(&walk, selection->unique, value));
    vkt_walk_clear(&walk);
    return VKT_OK;
fail:
    vkt_walk_clear(&walk);
    return vkt_status_last();
}

vkt_status vkt_put_along(vkt_tensor *x, vkt_tensor *indices, int32_t axis, const vkt_arg *value)
{
    vkt_walk walk;
    VKT_TRY(vkt_walk_along("put_along_axis", x, indices, axis, true, &walk));
    VKT_TRY(scatter(&walk, false, value));
    vkt_walk_clear(&walk);
    return VKT_OK;
fail:
    vkt_walk_clear(&walk);
    return vkt_status_last();
}

/* Floats pass through registers that may change a NaN: as integers they keep their bits. */
static vkt_dtype find_bits(vkt_dtype dtype)
{
    static const vkt_dtype bits[] = {VKT_UINT8, VKT_UINT16, VKT_UINT32, VKT_UINT64};
    uint8_t nbytes = vkt_dtypes[dtype].nbytes;
    return dtype == VKT_BOOL || nbytes > 8 ? dtype : bits[nbytes / 4 + (nbytes > 1)];
}

vkt_status vkt_fill_mask(const char *op, vkt_tensor *x, vkt_tensor *mask, const vkt_arg *value)
{
    vkt_tensor *scalar = NULL, *one = NULL, *choice = NULL, *words = NULL, *whole = NULL;
    vkt_dtype bits = find_bits(x->dtype);
    const vkt_layout none = {.n_elems = 1};
    if (!value->tensor)
        VKT_TRY(vkt_full(op, x->device, x->dtype, 0, NULL, &value->scalar, &scalar));
    VKT_TRY(vkt_fit_value(op, &none, x->dtype, scalar ? scalar : value->tensor, &one));
    VKT_TRY(vkt_tensor_reinterpret(op, one, bits, &choice));
    VKT_TRY(vkt_tensor_reinterpret(op, x, bits, &words));
    const vkt_arg args[3] = {{.tensor = mask}, {.tensor = choice}, {.tensor = words}};
    VKT_TRY(vkt_elementwise(VKT_OP_where, args, 3, &whole));
    const vkt_arg result = {.tensor = whole};
    VKT_TRY(vkt_assign(op, words, &result));
    vkt_tensor_unref(scalar);
    vkt_tensor_unref(one);
    vkt_tensor_unref(choice);
    vkt_tensor_unref(words);
    vkt_tensor_unref(whole);
    return VKT_OK;
fail:
    vkt_tensor_unref(scalar);
    vkt_tensor_unref(one);
    vkt_tensor_unref(choice);
    vkt_tensor_unref(words);
    vkt_tensor_unref(whole);
    return vkt_status_last();
}
