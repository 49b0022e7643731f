/* ops/assign.c - copies, and writes in place that views and pending values agree on. */
#include "ops/elementwise.h"
#include "ops/expr.h"

vkt_status vkt_tensor_copy(vkt_tensor *x, vkt_tensor **out)
{
    vkt_tensor *copy = NULL;
    VKT_TRY(vkt_eval(&x, 1));
    VKT_TRY(vkt_tensor_empty("copy", x->device, x->dtype, x->layout.ndim, x->layout.shape, &copy));
    VKT_TRY(vkt_expr_compute(x, copy));
    *out = copy;
    return VKT_OK;
fail:
    vkt_tensor_unref(copy);
    return vkt_status_last();
}

/* `in` without leading axes of length 1 beyond ndim: they say nothing, NumPy lets them pass. */
static void drop_leading(const vkt_layout *in, int32_t ndim, vkt_layout *out)
{
    vkt_layout_assign(out, in);
    while (out->ndim > ndim && out->shape[0] == 1)
        vkt_layout_select(out, 0, 0);
}

vkt_status vkt_fit_value(const char *op, const vkt_layout *shape, vkt_dtype dtype,
                         vkt_tensor *value, vkt_tensor **out)
{
    vkt_tensor *shaped = NULL;
    vkt_layout trimmed;
    vkt_layout layout;
    if (vkt_layout_same_shape(shape, &value->layout)) {
        shaped = vkt_tensor_ref(value);
    } else {
        drop_leading(&value->layout, shape->ndim, &trimmed);
        VKT_TRY(vkt_layout_broadcast_to(op, &trimmed, shape->ndim, shape->shape, &layout));
        VKT_TRY(vkt_eval(&value, 1));
        /* Once more: a pending value's layout was that of its result. */
        drop_leading(&value->layout, shape->ndim, &trimmed);
        VKT_TRY(vkt_layout_broadcast_to(op, &trimmed, shape->ndim, shape->shape, &layout));
        VKT_TRY(vkt_tensor_view(value, &layout, &shaped));
    }
    VKT_TRY(vkt_astype(shaped, dtype, out));
    vkt_tensor_unref(shaped);
    return VKT_OK;
fail:
    vkt_tensor_unref(shaped);
    return vkt_status_last();
}

vkt_status vkt_assign(const char *op, vkt_tensor *dst, const vkt_arg *value)
{
    vkt_tensor *source = NULL;
    vkt_tensor *owned = NULL;
    if (value->tensor) {
        VKT_REQUIRE(value->tensor->device == dst->device, VKT_VALUE_ERROR,
                    "%s: the value lies on another device, %s", op,
                    vkt_device_get_info(value->tensor->device)->name);
        VKT_TRY(vkt_fit_value(op, &dst->layout, dst->dtype, value->tensor, &source));
    } else {
        VKT_TRY(vkt_full(op, dst->device, dst->dtype, dst->layout.ndim, dst->layout.shape,
                         &value->scalar, &source));
    }
    /* A reference of ours beside the caller's would make the value look like one that is needed
     * later. */
    if (source != value->tensor)
        owned = source;
    else
        vkt_tensor_unref(source);
    VKT_TRY(vkt_eval(&dst, 1));
    VKT_REQUIRE(vkt_block_is_writable(dst->block), VKT_VALUE_ERROR,
                "%s: the tensor is read-only: its memory was lent for reading", op);
    if (dst->layout.n_elems > 0) {
        VKT_TRY(vkt_expr_compute_other_readers(dst->block, source));
        VKT_TRY(vkt_expr_compute(source, dst));
    }
    vkt_tensor_unref(owned);
    return VKT_OK;
fail:
    vkt_tensor_unref(owned);
    return vkt_status_last();
}
