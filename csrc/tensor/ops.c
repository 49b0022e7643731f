/* tensor/ops.c - expands the op table and applies its dtype rules. */
#include "tensor/ops.h"

#include <math.h>
#include <stddef.h>

/* clang-format off */
const vkt_op_info vkt_ops[VKT_OP_COUNT] = {
#define OP(op_name, op_kind, op_takes, op_result, g_bool, g_int, g_uint, g_float, g_complex,      \
           id_int, id_float, op_ulp, op_facts, op_low, op_high)                                    \
    [VKT_OP_##op_name] = {                                                                         \
        .name = #op_name,                                                                          \
        .kind = VKT_##op_kind,                                                                     \
        .takes = VKT_TAKES_##op_takes,                                                             \
        .result = VKT_RESULT_##op_result,                                                          \
        .glsl = {[VKT_CLASS_BOOL] = g_bool, [VKT_CLASS_INT] = g_int, [VKT_CLASS_UINT] = g_uint,    \
                 [VKT_CLASS_FLOAT] = g_float, [VKT_CLASS_COMPLEX] = g_complex},                    \
        .identity = {[VKT_CLASS_BOOL] = id_int, [VKT_CLASS_INT] = id_int,                          \
                     [VKT_CLASS_UINT] = id_int, [VKT_CLASS_FLOAT] = id_float,                      \
                     [VKT_CLASS_COMPLEX] = id_float},                                              \
        .ulp = (float)(op_ulp),                                                                    \
        .facts = (op_facts),                                                                       \
        .low = (op_low),                                                                           \
        .high = (op_high),                                                                         \
    },
#include "tensor/ops.def"
#undef OP
};
/* clang-format on */

/* What the classes in `takes` are called in errors. */
static const char *describe_classes(uint32_t takes)
{
    switch (takes) {
    case VKT_TAKES_BOOL:
        return "a boolean";
    case VKT_TAKES_INT:
        return "a signed integer";
    case VKT_TAKES_UINT:
        return "an unsigned integer";
    case VKT_TAKES_FLOAT:
        return "a floating";
    case VKT_TAKES_INTEGER:
        return "an integer";
    case VKT_TAKES_NUMERIC:
        return "a real numeric";
    case VKT_TAKES_NUMERIC | VKT_TAKES_COMPLEX:
        return "a numeric";
    case VKT_TAKES_ALL:
        return "a real";
    case VKT_TAKES_BITS:
        return "an integer or boolean";
    case VKT_TAKES_INT | VKT_TAKES_FLOAT:
        return "a signed numeric";
    case VKT_TAKES_BOOL | VKT_TAKES_FLOAT:
        return "a boolean or floating";
    default:
        return "another";
    }
}

/* The dtype an op computes in when asked for `in`. Truth values are merged in bool, whatever they
 * were made from. */
static vkt_dtype find_compute(const vkt_op_info *info, vkt_dtype in)
{
    switch (info->result) {
    case VKT_RESULT_FLOAT:
        return vkt_dtype_is_float(in) || vkt_dtype_is_complex(in) ? in : VKT_FLOAT32;
    case VKT_RESULT_ACCUM:
        return vkt_dtype_accumulate(in);
    case VKT_RESULT_BOOL:
        return info->kind == VKT_REDUCE || info->kind == VKT_SCAN ? VKT_BOOL : in;
    default:
        return in;
    }
}

static vkt_dtype find_result(vkt_result_rule rule, vkt_dtype compute)
{
    return rule == VKT_RESULT_BOOL    ? VKT_BOOL
           : rule == VKT_RESULT_INDEX ? VKT_INT64
           : rule == VKT_RESULT_REAL  ? vkt_dtype_real(compute)
                                      : compute;
}

uint32_t vkt_op_takes(vkt_op op)
{
    const vkt_op_info *info = &vkt_ops[op];
    return info->takes | (info->glsl[VKT_CLASS_COMPLEX] ? VKT_TAKES_COMPLEX : 0u);
}

vkt_status vkt_op_resolve(vkt_op op, vkt_dtype in, vkt_dtype *compute, vkt_dtype *result)
{
    const vkt_op_info *info = &vkt_ops[op];
    vkt_dtype chosen = find_compute(info, in);
    uint32_t takes = vkt_op_takes(op);
    uint32_t in_bit = 1u << vkt_dtypes[in].cls, chosen_bit = 1u << vkt_dtypes[chosen].cls;

    /* An op that converts its operands takes what it converts from. */
    VKT_REQUIRE(takes & (in_bit | chosen_bit), VKT_TYPE_ERROR, "%s: expected %s dtype, got %s",
                info->name, describe_classes(takes), vkt_dtypes[in].name);
    *compute = chosen;
    *result = find_result(info->result, chosen);
    return VKT_OK;
fail:
    return vkt_status_last();
}
