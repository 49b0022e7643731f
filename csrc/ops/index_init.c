/* ops/index_init.c - prepares walks: which elements a selection means. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "ops/elementwise.h"
#include "ops/index_internal.h"

/* ---- Indices --------------------------------------------------------------------------------- */

/* One dtype for all indices: there are few kernels then. */
static vkt_dtype find_dtype(const vkt_index *indices, int n)
{
    const vkt_dtype_info *type = &vkt_dtypes[indices[0].tensor->dtype];
    if (n > 1 || (type->nbytes == 4 && type->cls == VKT_CLASS_UINT))
        return VKT_INT64;
    return type->nbytes == 8 ? indices[0].tensor->dtype : VKT_INT32;
}

/* As int64, values beyond it as its largest: out of range all the same. */
static vkt_status narrow_uint64(vkt_tensor *x, vkt_tensor **out)
{
    vkt_tensor *low = NULL;
    vkt_arg args[2] = {{.tensor = x}, {.scalar = {.cls = VKT_CLASS_INT, .value.i = INT64_MAX}}};
    VKT_TRY(vkt_elementwise(VKT_OP_minimum, args, 2, &low));
    VKT_TRY(vkt_astype(low, VKT_INT64, out));
    vkt_tensor_unref(low);
    return VKT_OK;
fail:
    vkt_tensor_unref(low);
    return vkt_status_last();
}

static bool reaches_far(const vkt_layout *layout)
{
    int64_t low, high;
    vkt_layout_extent(layout, &low, &high);
    return high - low > INT32_MAX;
}

/* The indices computed, of that dtype, where 32-bit steps reach them all; a copy where they lie in
 * `apart`, which is about to be written. */
static vkt_status compute_index(vkt_tensor *given, vkt_dtype dtype, const vkt_block *apart,
                                vkt_tensor **out)
{
    vkt_tensor *typed = NULL;
    if (given->dtype == VKT_UINT64 && dtype == VKT_INT64)
        VKT_TRY(narrow_uint64(given, &typed));
    else
        VKT_TRY(vkt_astype(given, dtype, &typed));
    VKT_TRY(vkt_eval(&typed, 1));
    if (apart && vkt_blocks_share_memory(typed->block, apart)) {
        VKT_TRY(vkt_tensor_copy(typed, out));
    } else if (reaches_far(&typed->layout)) {
        VKT_TRY(vkt_tensor_contiguous(typed, out));
    } else {
        *out = vkt_tensor_ref(typed);
    }
    vkt_tensor_unref(typed);
    return VKT_OK;
fail:
    vkt_tensor_unref(typed);
    return vkt_status_last();
}

static vkt_status add_indices(const vkt_index *indices, int n, bool writes, vkt_walk *out)
{
    const vkt_layout *x = &out->x->layout;
    vkt_dtype dtype = find_dtype(indices, n);
    bool trusted = true;
    for (int k = 0; k < n; k++) {
        const vkt_index *from = &indices[k];
        VKT_REQUIRE(vkt_dtype_is_integer(from->tensor->dtype), VKT_TYPE_ERROR,
                    "%s: expected integer indices, got %s", out->op,
                    vkt_dtypes[from->tensor->dtype].name);
        VKT_REQUIRE(out->x->device == from->tensor->device, VKT_VALUE_ERROR,
                    "%s: x and indices are on two devices, %s and %s", out->op,
                    vkt_device_get_info(out->x->device)->name,
                    vkt_device_get_info(from->tensor->device)->name);
        vkt_walk_index *to = &out->indices[k];
        VKT_TRY(compute_index(from->tensor, dtype, writes ? out->x->block : NULL, &to->tensor));
        to->length = x->shape[from->axis];
        to->step = x->strides[from->axis];
        to->number = from->number;
        to->trusted = from->trusted;
        trusted &= from->trusted;
        out->n_indices++;
    }
    if (!trusted)
        VKT_TRY(vkt_walk_flag(out));
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Walks ----------------------------------------------------------------------------------- */

/* `in`, whose dims are `ndim` of the shape's beginning at `place`, seen in the whole shape. */
static vkt_status spread(const char *op, const vkt_layout *in, const vkt_layout *part,
                         int32_t place, const vkt_layout *shape, vkt_layout *out)
{
    vkt_layout wide;
    VKT_TRY(vkt_layout_broadcast_to(op, in, part->ndim, part->shape, &wide));
    vkt_layout_assign(out, shape);
    out->offset = wide.offset;
    for (int32_t d = 0; d < shape->ndim; d++) {
        bool inside = d >= place && d < place + part->ndim;
        out->strides[d] = inside ? wide.strides[d - place] : 0;
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* The result's shape, and in it x's element where every index is 0. */
static vkt_status place_axes(const char *op, const vkt_layout *x, const vkt_selection *selection,
                             vkt_walk *out)
{
    uint32_t gone = 0;
    int32_t ndim = 0, place = selection->place;
    int64_t shape[2 * VKT_MAX_NDIM], strides[2 * VKT_MAX_NDIM];
    for (int k = 0; k < selection->n; k++)
        gone |= 1u << selection->indices[k].axis;
    for (int32_t axis = 0, kept = 0; axis <= x->ndim; axis++) {
        if (kept == place && ndim == place) {
            for (int32_t d = 0; d < selection->shape.ndim; d++) {
                shape[ndim] = selection->shape.shape[d];
                strides[ndim++] = 0;
            }
        }
        if (axis == x->ndim || gone & 1u << axis)
            continue;
        out->rest_dims |= ndim < 32 ? 1u << ndim : 0;
        shape[ndim] = x->shape[axis];
        strides[ndim++] = x->strides[axis];
        kept++;
    }
    VKT_REQUIRE(ndim <= VKT_MAX_NDIM, VKT_INDEX_ERROR,
                "%s: the result would have %d axes, more than %d", op, (int)ndim, VKT_MAX_NDIM);
    VKT_TRY(vkt_layout_init(op, ndim, shape, vkt_dtypes[out->x->dtype].nbytes, &out->shape));
    vkt_layout_assign(&out->at, &out->shape);
    out->at.offset = x->offset;
    memcpy(out->at.strides, strides, sizeof(out->at.strides[0]) * (size_t)ndim);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_walk_select(const char *op, vkt_tensor *x, const vkt_selection *selection,
                           bool writes, vkt_walk *out)
{
    const vkt_layout *part = &selection->shape;
    memset(out, 0, sizeof(*out));
    out->op = op;
    VKT_TRY(vkt_eval(&x, 1));
    out->x = vkt_tensor_ref(x);
    VKT_TRY(place_axes(op, &x->layout, selection, out));
    VKT_TRY(add_indices(selection->indices, selection->n, writes, out));
    out->n_targets = 1;
    for (int k = selection->n - 1; k >= 0; k--) {
        vkt_walk_index *index = &out->indices[k];
        index->scale = (int64_t)out->n_targets;
        out->n_targets *= (uint64_t)index->length;
        VKT_TRY(spread(op, &index->tensor->layout, part, selection->place, &out->shape,
                       &index->layout));
    }
    out->n_positions = (uint64_t)part->n_elems;
    VKT_TRY(spread(op, part, part, selection->place, &out->shape, &out->position));
    vkt_layout_assign(&out->target, &out->shape);
    out->target.offset = 0;
    memset(out->target.strides, 0, sizeof(out->target.strides));
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_walk_along(const char *op, vkt_tensor *x, vkt_tensor *indices, int32_t axis,
                          bool writes, vkt_walk *out)
{
    int64_t shape[VKT_MAX_NDIM], along[VKT_MAX_NDIM];
    const vkt_layout *a = &x->layout, *b = &indices->layout;
    vkt_index index = {.tensor = indices, .axis = axis, .number = axis};
    vkt_layout x_rest, b_rest, both;
    memset(out, 0, sizeof(*out));
    out->op = op;
    VKT_REQUIRE(a->ndim == b->ndim, VKT_VALUE_ERROR,
                "%s: expected indices of %d dimensions, got %d", op, (int)a->ndim, (int)b->ndim);
    memcpy(shape, a->shape, sizeof(shape));
    memcpy(along, b->shape, sizeof(along));
    shape[axis] = along[axis] = 1;
    VKT_TRY(vkt_layout_init(op, a->ndim, shape, 1, &x_rest));
    VKT_TRY(vkt_layout_init(op, b->ndim, along, 1, &b_rest));
    const vkt_layout *rests[2] = {&x_rest, &b_rest};
    VKT_TRY(vkt_layout_broadcast(op, rests, 2, &both));
    both.shape[axis] = b->shape[axis];
    VKT_TRY(vkt_eval(&x, 1));
    out->x = vkt_tensor_ref(x);
    VKT_TRY(vkt_layout_init(op, both.ndim, both.shape, vkt_dtypes[x->dtype].nbytes, &out->shape));
    VKT_TRY(add_indices(&index, 1, writes, out));
    VKT_TRY(vkt_layout_broadcast_to(op, &out->indices[0].tensor->layout, both.ndim, both.shape,
                                    &out->indices[0].layout));

    vkt_layout row = *a;
    row.shape[axis] = 1;
    VKT_TRY(vkt_layout_broadcast_to(op, &row, both.ndim, both.shape, &out->at));
    /* Targets are numbered as x would be in C order. */
    memcpy(shape, both.shape, sizeof(shape));
    shape[axis] = a->shape[axis];
    VKT_TRY(vkt_layout_init(op, a->ndim, shape, 1, &out->target));
    out->n_targets = (uint64_t)out->target.n_elems;
    out->indices[0].scale = out->target.strides[axis];
    out->target.shape[axis] = both.shape[axis];
    out->target.strides[axis] = 0;
    out->target.n_elems = out->shape.n_elems;
    vkt_layout_assign(&out->position, &out->shape);
    out->n_positions = (uint64_t)out->shape.n_elems;
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_walk_clear(vkt_walk *walk)
{
    for (int k = 0; k < walk->n_indices; k++)
        vkt_tensor_unref(walk->indices[k].tensor);
    vkt_tensor_unref(walk->x);
    vkt_block_unref(walk->bad);
    walk->n_indices = 0;
    walk->x = NULL;
    walk->bad = NULL;
}
