/* ops/reduce.c - reductions: what is checked when they are asked for, and what begins when
 * their bytes are needed. */
#include <stdlib.h>
#include <string.h>

#include "ops/reduce_internal.h"

/* ---- What is accumulated --------------------------------------------------------------------- */

static bool is_truth(vkt_op op)
{
    return op == VKT_OP_any || op == VKT_OP_all || op == VKT_OP_count_nonzero;
}

static bool is_arg(vkt_op op)
{
    return op == VKT_OP_argmin || op == VKT_OP_argmax;
}

static bool is_extreme(vkt_op op)
{
    return op == VKT_OP_min || op == VKT_OP_max || is_arg(op);
}

/* Half types are accumulated in float32 and rounded once; truth values as the words 0 and 1. */
static vkt_dtype find_accumulator(vkt_dtype dtype)
{
    if (dtype == VKT_BOOL)
        return VKT_UINT8;
    return dtype == VKT_FLOAT16 || dtype == VKT_BFLOAT16 ? VKT_FLOAT32 : dtype;
}

vkt_status vkt_reducer_init(vkt_op op, vkt_dtype x, const vkt_reduce_options *options,
                            int64_t n_reduced, vkt_reducer *out)
{
    vkt_dtype compute, result;
    VKT_TRY(vkt_op_resolve(op, x, &compute, &result));
    *out = (vkt_reducer){.op = op, .merge = VKT_MERGE_PLAIN};
    if (vkt_ops[op].result == VKT_RESULT_ACCUM && options->has_dtype) {
        VKT_REQUIRE(options->dtype != VKT_BOOL, VKT_TYPE_ERROR,
                    "%s: expected a numeric dtype for the result, got bool", vkt_ops[op].name);
        VKT_REQUIRE(!vkt_dtype_is_complex(x) || vkt_dtype_is_complex(options->dtype),
                    VKT_TYPE_ERROR, "%s: expected a complex dtype for the result, got %s",
                    vkt_ops[op].name, vkt_dtypes[options->dtype].name);
        compute = options->dtype;
        result = options->dtype;
    }
    out->result = result;
    out->value = op == VKT_OP_count_nonzero ? VKT_INT64 : find_accumulator(compute);
    if (is_arg(op))
        out->merge = VKT_MERGE_INDEX;
    if (op == VKT_OP_var || op == VKT_OP_std)
        out->merge = VKT_MERGE_MOMENTS;
    if (vkt_ops[op].result == VKT_RESULT_FLOAT) {
        double n = (double)n_reduced;
        out->divides = true;
        out->divisor = out->merge == VKT_MERGE_PLAIN ? n
                       : n > options->correction     ? n - options->correction
                                                     : 0;
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Beginning ------------------------------------------------------------------------------- */

/* Appends the conversion to the accumulator's dtype; false when the program is full. */
static bool convert(vkt_program *program, const vkt_reducer *reducer)
{
    int value = program->outputs[0];
    if (is_truth(reducer->op))
        value = vkt_program_cast(program, VKT_BOOL, value);
    if (value >= 0)
        value = vkt_program_cast(program, reducer->value, value);
    if (value >= 0)
        program->outputs[0] = (uint8_t)value;
    return value >= 0;
}

static void find_accesses(vkt_reduction *reduction)
{
    const vkt_fusion *fusion = &reduction->fusion;
    for (int i = 0; i < fusion->program.n_leaves; i++) {
        uint64_t nbytes = vkt_dtypes[fusion->leaves[i]->dtype].nbytes;
        int64_t low, high;
        vkt_layout_extent(&fusion->leaf_layouts[i], &low, &high);
        reduction->leaf_accesses[i] = (vkt_access){
            .block = fusion->leaves[i]->block,
            .offset = (uint64_t)low * nbytes,
            .nbytes = (uint64_t)(high - low) * nbytes,
        };
    }
}

vkt_status vkt_reduction_init(vkt_tensor *self, vkt_tensor *x, const vkt_reducer *reducer,
                              vkt_reduction *out)
{
    memset(&out->fusion, 0, sizeof(out->fusion));
    out->device = self->device;
    out->info = vkt_device_get_info(self->device);
    out->reducer = *reducer;
    out->out = self->block;
    out->result = self;
    VKT_TRY(vkt_fuse(x, false, &out->fusion));
    out->memory_order = !x->expr;
    if (!convert(&out->fusion.program, reducer)) {
        vkt_fusion_clear(&out->fusion);
        VKT_TRY(vkt_eval(&x, 1));
        VKT_TRY(vkt_fuse(x, false, &out->fusion));
        out->memory_order = true;
        (void)convert(&out->fusion.program, reducer);
    }
    find_accesses(out);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- The op ---------------------------------------------------------------------------------- */

static uint32_t find_axes(const vkt_tensor *x, const vkt_reduce_options *options)
{
    return x->layout.ndim == 0 ? 0 : options->axes;
}

static int64_t count_reduced(const vkt_tensor *x, uint32_t axes)
{
    int64_t n = 1;
    for (int32_t axis = 0; axis < x->layout.ndim; axis++)
        n *= axes >> axis & 1 ? x->layout.shape[axis] : 1;
    return n;
}

static vkt_status compute_reduction(vkt_tensor *self)
{
    const vkt_expr *expr = self->expr;
    vkt_tensor *x = expr->args[0].tensor;
    uint32_t axes = find_axes(x, &expr->reduce);
    int64_t out_strides[VKT_MAX_NDIM];
    vkt_reducer reducer;
    vkt_reduction reduction;
    reduction.fusion.program.n_leaves = 0;

    /* The result's axes are x's kept ones in order; with keepdims the others are there too, of
     * length 1. */
    int64_t stride = 1;
    for (int32_t axis = x->layout.ndim - 1; axis >= 0; axis--) {
        bool kept = !(axes >> axis & 1);
        out_strides[axis] = kept ? stride : 0;
        stride *= kept ? x->layout.shape[axis] : 1;
    }
    memset(&reduction.fusion, 0, sizeof(reduction.fusion));
    VKT_TRY(vkt_reducer_init(expr->op, x->dtype, &expr->reduce, count_reduced(x, axes), &reducer));
    VKT_TRY(vkt_reduction_init(self, x, &reducer, &reduction));
    vkt_halves_init(&reduction.fusion, axes, out_strides, reduction.memory_order, is_arg(expr->op),
                    &reduction.halves);
    VKT_TRY(vkt_reduce_run(&reduction));
    vkt_fusion_clear(&reduction.fusion);
    return VKT_OK;
fail:
    vkt_fusion_clear(&reduction.fusion);
    return vkt_status_last();
}

static vkt_status find_layout(const char *op, const vkt_tensor *x, uint32_t axes, bool keepdims,
                              vkt_dtype dtype, vkt_layout *out)
{
    int64_t shape[VKT_MAX_NDIM];
    int32_t ndim = 0;
    for (int32_t axis = 0; axis < x->layout.ndim; axis++) {
        bool kept = !(axes >> axis & 1);
        if (kept || keepdims)
            shape[ndim++] = kept ? x->layout.shape[axis] : 1;
    }
    return vkt_layout_init(op, ndim, shape, vkt_dtypes[dtype].nbytes, out);
}

static vkt_status check_reduction(vkt_op op, const vkt_tensor *x, uint32_t axes,
                                  const vkt_reducer *reducer)
{
    const char *name = vkt_ops[op].name;
    uint32_t all = (UINT32_C(1) << x->layout.ndim) - 1;
    VKT_REQUIRE((axes & ~all) == 0, VKT_VALUE_ERROR,
                "%s: expected axes of a tensor of %d dimensions, got one beyond", name,
                (int)x->layout.ndim);
    VKT_REQUIRE(!is_arg(op) || axes == all || (axes != 0 && (axes & (axes - 1)) == 0),
                VKT_VALUE_ERROR, "%s: expected one axis or all, got several", name);
    char text[VKT_SHAPE_TEXT];
    VKT_REQUIRE(count_reduced(x, axes) > 0 || !is_extreme(op), VKT_VALUE_ERROR,
                "%s: expected at least one element along the axis, got shape %s", name,
                vkt_shape_text(x->layout.ndim, x->layout.shape, text));
    VKT_TRY(vkt_tensor_check_dtype(name, x->device, reducer->result));
    VKT_TRY(vkt_tensor_check_dtype(name, x->device, reducer->value));
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_reduce(vkt_op op, vkt_tensor *x, const vkt_reduce_options *options, vkt_tensor **out)
{
    vkt_reducer reducer;
    vkt_layout layout;
    vkt_expr *expr = NULL;
    uint32_t axes = find_axes(x, options);
    VKT_TRY(vkt_reducer_init(op, x->dtype, options, count_reduced(x, axes), &reducer));
    VKT_TRY(find_layout(vkt_ops[op].name, x, axes, options->keepdims, reducer.result, &layout));
    VKT_TRY(check_reduction(op, x, axes, &reducer));
    VKT_TRY(vkt_expr_new(VKT_EXPR_OTHER, &expr));
    expr->op = op;
    expr->compute_dtype = x->dtype;
    expr->compute = compute_reduction;
    expr->reduce = *options;
    expr->n_args = 1;
    expr->args[0].tensor = vkt_tensor_ref(x);
    return vkt_expr_tensor(x->device, reducer.result, &layout, expr, out);
fail:
    return vkt_status_last();
}
