/* tensor/ops.h - the op table, read from ops.def: an op is a row.
 *
 * The same rows give the enum, the info array, the GLSL of the kernels, the Python functions and
 * the list from which tests and benchmarks are parametrised. */
#ifndef VKT_TENSOR_OPS_H
#define VKT_TENSOR_OPS_H

#include <stdint.h>

#include "base/status.h"
#include "tensor/dtype.h"

typedef enum vkt_op_kind {
    VKT_UNARY,
    VKT_BINARY,
    VKT_TERNARY,
    VKT_REDUCE, /* expression merges accumulators x and y */
    VKT_SCAN,   /* as VKT_REDUCE, keeping every prefix */
} vkt_op_kind;

/* dtype classes an op takes, as bits. */
enum {
    VKT_TAKES_BOOL = 1 << VKT_CLASS_BOOL,
    VKT_TAKES_INT = 1 << VKT_CLASS_INT,
    VKT_TAKES_UINT = 1 << VKT_CLASS_UINT,
    VKT_TAKES_FLOAT = 1 << VKT_CLASS_FLOAT,
    /* not in the rows: an op with an expression for complex takes it */
    VKT_TAKES_COMPLEX = 1 << VKT_CLASS_COMPLEX,
    VKT_TAKES_INTEGER = VKT_TAKES_INT | VKT_TAKES_UINT,
    VKT_TAKES_NUMERIC = VKT_TAKES_INTEGER | VKT_TAKES_FLOAT,
    VKT_TAKES_BITS = VKT_TAKES_INTEGER | VKT_TAKES_BOOL,
    VKT_TAKES_ALL = VKT_TAKES_NUMERIC | VKT_TAKES_BOOL,
};

typedef enum vkt_result_rule {
    VKT_RESULT_SAME, /* operands are promoted to one dtype; the result has it */
    VKT_RESULT_REAL, /* as SAME; of complex operands the dtype of their parts */
    VKT_RESULT_BOOL, /* operands are promoted to one dtype; the result is bool */
    /* as SAME; integers and bool are first converted to the default float, float32 */
    VKT_RESULT_FLOAT,
    VKT_RESULT_ACCUM, /* reductions: vkt_dtype_accumulate() */
    VKT_RESULT_INDEX, /* reductions: int64 */
    /* the first operand is bool; the other two are promoted, the result has their dtype */
    VKT_RESULT_WHERE,
} vkt_result_rule;

/* Facts, as bits: for tests and for the planner. */
enum {
    VKT_COMMUTATIVE = 1 << 0,
    VKT_EXACT = 1 << 1, /* bit-equal to NumPy for every input */
    /* worth computing once rather than again for every broadcast copy (a transcendental) */
    VKT_HEAVY = 1 << 2,
    VKT_SHIFT = 1 << 3,  /* the second operand is a shift count */
    VKT_DIVIDES = 1 << 4 /* the second operand may be zero */
};

typedef enum vkt_op {
#define OP(name, ...) VKT_OP_##name,
#include "tensor/ops.def"
#undef OP
    VKT_OP_COUNT,
} vkt_op;

typedef struct vkt_op_info {
    const char *name;
    vkt_op_kind kind;
    uint32_t takes;
    vkt_result_rule result;
    /* GLSL for each class of the *operand* dtype, in x, y, z; `$` stands for the register suffix
     * ("f32" for float16 too), `@` for the dtype's tag ("f16"), where the op depends on more than
     * the register. NULL where the class is not taken. Comparisons give bool. Names of the form
     * vkt_* are found in shaders/lib. */
    const char *glsl[VKT_CLASS_COUNT];
    /* Reductions and scans: GLSL of the neutral element in the accumulator's register, for each
     * class; else NULL. */
    const char *identity[VKT_CLASS_COUNT];
    float ulp; /* largest error for float32 and float64, in units in the last place; 0 is exact */
    uint32_t facts;
    double low, high; /* the domain tests draw from */
} vkt_op_info;

extern const vkt_op_info vkt_ops[VKT_OP_COUNT];

/* The classes an op takes, as VKT_TAKES_ bits. */
uint32_t vkt_op_takes(vkt_op op);

/* Number of tensor operands. */
static inline int vkt_op_arity(vkt_op op)
{
    vkt_op_kind kind = vkt_ops[op].kind;
    return kind == VKT_TERNARY ? 3 : kind == VKT_BINARY ? 2 : 1;
}

/* The dtype operands are computed in and the dtype of the result, for the promoted dtype `in` of
 * the operands. RESULT_FLOAT and RESULT_ACCUM convert first, so they take what they convert from;
 * reductions with RESULT_BOOL compute in bool. VKT_TYPE_ERROR: "subtract: expected a numeric dtype,
 * got bool". */
vkt_status vkt_op_resolve(vkt_op op, vkt_dtype in, vkt_dtype *compute, vkt_dtype *result);

#endif
