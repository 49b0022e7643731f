/* ops/elementwise.c - checks and builds elementwise ops; nothing is computed here. */
#include "ops/elementwise.h"

#include "ops/expr.h"

/* ---- dtypes ---------------------------------------------------------------------------------- */

/* The dtype of args[first..n-1] together: tensors among themselves, then scalars, which only
 * change its kind. */
static vkt_dtype promote_args(const vkt_arg *args, int first, int n)
{
    vkt_dtype dtype = VKT_BOOL;
    vkt_dtype alone = VKT_BOOL; /* what the scalars would be on their own */
    vkt_class highest = VKT_CLASS_BOOL;
    bool any = false;
    for (int i = first; i < n; i++) {
        if (args[i].tensor) {
            vkt_dtype own = args[i].tensor->dtype;
            dtype = any ? vkt_dtype_promote(dtype, own) : own;
            any = true;
        } else {
            alone = vkt_dtype_promote(alone, vkt_scalar_dtype(&args[i].scalar));
            if (args[i].scalar.cls > highest)
                highest = args[i].scalar.cls;
        }
    }
    if (!any)
        return alone;
    if (highest == VKT_CLASS_COMPLEX)
        return vkt_dtype_complex(dtype);
    if (highest == VKT_CLASS_FLOAT && !vkt_dtype_is_float(dtype) && !vkt_dtype_is_complex(dtype))
        return VKT_FLOAT32;
    return dtype == VKT_BOOL ? alone : dtype;
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static void init_contiguous(const vkt_layout *shape, vkt_layout *out)
{
    int64_t stride = 1;
    out->ndim = shape->ndim;
    out->n_elems = shape->n_elems;
    out->offset = 0;
    for (int32_t i = shape->ndim - 1; i >= 0; i--) {
        out->shape[i] = shape->shape[i];
        out->strides[i] = stride;
        stride *= shape->shape[i];
    }
}

static vkt_status broadcast_args(const char *op, const vkt_arg *args, int n, vkt_layout *out)
{
    const vkt_layout *layouts[3];
    int n_layouts = 0;
    bool same = true;
    for (int i = 0; i < n; i++) {
        if (!args[i].tensor)
            continue;
        layouts[n_layouts++] = &args[i].tensor->layout;
        same = same && vkt_layout_same_shape(layouts[0], &args[i].tensor->layout);
    }
    if (!same)
        return vkt_layout_broadcast(op, layouts, n_layouts, out);
    init_contiguous(layouts[0], out);
    return VKT_OK;
}

static vkt_status common_device(const char *op, const vkt_arg *args, int n, vkt_device **out)
{
    vkt_device *device = NULL;
    for (int i = 0; i < n; i++) {
        if (!args[i].tensor)
            continue;
        VKT_REQUIRE(!device || device == args[i].tensor->device, VKT_VALUE_ERROR,
                    "%s: operands on two devices, %s and %s", op, vkt_device_get_info(device)->name,
                    vkt_device_get_info(args[i].tensor->device)->name);
        device = args[i].tensor->device;
    }
    VKT_REQUIRE(device, VKT_TYPE_ERROR, "%s: expected a tensor among the operands", op);
    *out = device;
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- ops ------------------------------------------------------------------------------------- */

/* Fills expr's operands; it then owns references to them. */
static vkt_status take_args(const char *op, const vkt_arg *args, int n, bool has_condition,
                            vkt_expr *expr)
{
    for (int i = 0; i < n; i++) {
        vkt_dtype dtype = has_condition && i == 0 ? VKT_BOOL : expr->compute_dtype;
        if (!args[i].tensor)
            VKT_TRY(vkt_scalar_bits(op, &args[i].scalar, dtype, &expr->args[i].bits));
    }
    for (int i = 0; i < n; i++) {
        if (args[i].tensor)
            expr->args[i].tensor = vkt_tensor_ref(args[i].tensor);
    }
    expr->n_args = n;
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* A power with a small constant exponent is a cheaper op with at least its accuracy. NumPy does
 * the same. */
static bool simplify_power(const vkt_arg *args, vkt_op *op)
{
    const vkt_scalar *exponent = &args[1].scalar;
    if (!args[0].tensor || args[0].tensor->dtype == VKT_BOOL || args[1].tensor)
        return false;
    bool floating = !vkt_dtype_is_integer(args[0].tensor->dtype);
    if (exponent->cls == VKT_CLASS_INT && exponent->value.i == 2)
        *op = VKT_OP_square;
    else if (exponent->cls == VKT_CLASS_FLOAT && exponent->value.f == 2.0 && floating)
        *op = VKT_OP_square;
    else if (exponent->cls == VKT_CLASS_FLOAT && exponent->value.f == 0.5 && floating)
        *op = VKT_OP_sqrt;
    else
        return false;
    return true;
}

/* 1 where an integer scalar is above all numbers of an integer dtype, -1 below, else 0. */
static int find_side(const vkt_scalar *scalar, vkt_dtype dtype)
{
    bool is_signed = vkt_dtypes[dtype].cls == VKT_CLASS_INT;
    unsigned n_bits = vkt_dtypes[dtype].nbytes * 8u - (is_signed ? 1 : 0);
    uint64_t high = UINT64_MAX >> (64 - n_bits);
    if (scalar->cls == VKT_CLASS_UINT)
        return scalar->value.u > high;
    int64_t value = scalar->value.i;
    if (value < 0)
        return is_signed && value >= -(int64_t)high - 1 ? 0 : -1;
    return (uint64_t)value > high;
}

/* Whether it compares with an integer beyond the tensor's dtype, which has the same answer for
 * all elements. NumPy does the same. */
static bool compare_beyond(vkt_op op, const vkt_arg *args, vkt_scalar *answer)
{
    bool is_left = !args[0].tensor;
    const vkt_tensor *x = args[is_left].tensor;
    const vkt_scalar *scalar = &args[!is_left].scalar;
    if (op < VKT_OP_equal || op > VKT_OP_greater_equal || args[!is_left].tensor ||
        !vkt_dtype_is_integer(x->dtype) ||
        (scalar->cls != VKT_CLASS_INT && scalar->cls != VKT_CLASS_UINT))
        return false;
    int side = find_side(scalar, x->dtype);
    bool is_less = op == VKT_OP_less || op == VKT_OP_less_equal;
    bool is_greater = op == VKT_OP_greater || op == VKT_OP_greater_equal;
    int truth_side = is_left ? -side : side;
    *answer = (vkt_scalar){.cls = VKT_CLASS_BOOL};
    answer->value.b =
        op == VKT_OP_not_equal || (is_less && truth_side > 0) || (is_greater && truth_side < 0);
    return side != 0;
}

vkt_status vkt_elementwise(vkt_op op, const vkt_arg *args, int n_args, vkt_tensor **out)
{
    if (op == VKT_OP_pow && n_args == 2 && simplify_power(args, &op))
        n_args = 1;
    const vkt_op_info *info = &vkt_ops[op];
    bool has_condition = info->result == VKT_RESULT_WHERE;
    vkt_device *device = NULL;
    vkt_expr *expr = NULL;
    vkt_layout layout;
    vkt_dtype result;
    vkt_dtype compute;
    vkt_scalar answer;
    VKT_REQUIRE(n_args == vkt_op_arity(op), VKT_TYPE_ERROR, "%s: expected %d operands, got %d",
                info->name, vkt_op_arity(op), n_args);
    VKT_TRY(common_device(info->name, args, n_args, &device));
    if (has_condition) {
        vkt_dtype condition =
            args[0].tensor ? args[0].tensor->dtype : vkt_scalar_dtype(&args[0].scalar);
        VKT_REQUIRE(condition == VKT_BOOL, VKT_TYPE_ERROR, "%s: expected a bool condition, got %s",
                    info->name, vkt_dtypes[condition].name);
    }
    VKT_TRY(vkt_op_resolve(op, promote_args(args, has_condition, n_args), &compute, &result));
    if (vkt_dtype_real(compute) == VKT_FLOAT64)
        VKT_TRY(vkt_tensor_check_dtype(info->name, device, compute));
    VKT_TRY(broadcast_args(info->name, args, n_args, &layout));
    if (compare_beyond(op, args, &answer))
        return vkt_full(info->name, device, result, layout.ndim, layout.shape, &answer, out);

    VKT_TRY(vkt_expr_new(VKT_EXPR_OP, &expr));
    expr->op = op;
    expr->compute_dtype = compute;
    VKT_TRY(take_args(info->name, args, n_args, has_condition, expr));
    return vkt_expr_tensor(device, result, &layout, expr, out);
fail:
    vkt_expr_free(expr);
    return vkt_status_last();
}

vkt_status vkt_astype(vkt_tensor *x, vkt_dtype dtype, vkt_tensor **out)
{
    vkt_expr *expr = NULL;
    vkt_layout layout;
    if (x->dtype == dtype) {
        *out = vkt_tensor_ref(x);
        return VKT_OK;
    }
    VKT_TRY(vkt_tensor_check_dtype("astype", x->device, dtype));
    VKT_REQUIRE(
        !vkt_dtype_is_complex(x->dtype) || vkt_dtype_is_complex(dtype) || dtype == VKT_BOOL,
        VKT_TYPE_ERROR,
        "astype: expected a complex or bool dtype for %s, got %s: take real() or abs() first",
        vkt_dtypes[x->dtype].name, vkt_dtypes[dtype].name);
    VKT_TRY(vkt_expr_new(VKT_EXPR_CAST, &expr));
    expr->compute_dtype = dtype;
    expr->n_args = 1;
    expr->args[0].tensor = vkt_tensor_ref(x);
    init_contiguous(&x->layout, &layout);
    return vkt_expr_tensor(x->device, dtype, &layout, expr, out);
fail:
    return vkt_status_last();
}

vkt_status vkt_full(const char *op, vkt_device *device, vkt_dtype dtype, int32_t ndim,
                    const int64_t *shape, const vkt_scalar *value, vkt_tensor **out)
{
    vkt_expr *expr = NULL;
    vkt_layout layout;
    VKT_TRY(vkt_tensor_check_dtype(op, device, dtype));
    VKT_TRY(vkt_layout_init(op, ndim, shape, vkt_dtypes[dtype].nbytes, &layout));
    VKT_TRY(vkt_expr_new(VKT_EXPR_SCALAR, &expr));
    expr->compute_dtype = dtype;
    VKT_TRY(vkt_scalar_bits(op, value, dtype, &expr->args[0].bits));
    return vkt_expr_tensor(device, dtype, &layout, expr, out);
fail:
    vkt_expr_free(expr);
    return vkt_status_last();
}

vkt_status vkt_iota(vkt_device *device, int32_t ndim, const int64_t *shape, vkt_tensor **out)
{
    vkt_expr *expr = NULL;
    vkt_layout layout;
    VKT_TRY(vkt_layout_init("iota", ndim, shape, vkt_dtypes[VKT_INT64].nbytes, &layout));
    VKT_TRY(vkt_expr_new(VKT_EXPR_IOTA, &expr));
    expr->compute_dtype = VKT_INT64;
    return vkt_expr_tensor(device, VKT_INT64, &layout, expr, out);
fail:
    return vkt_status_last();
}
