/* tensor/dtype.h - element types: sizes, classes, names in GLSL, promotion.
. An element
 * is one scalar or a complex pair, of 1 to 16 bytes. */
#ifndef VKT_TENSOR_DTYPE_H
#define VKT_TENSOR_DTYPE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum vkt_dtype {
    VKT_BOOL,
    VKT_INT8,
    VKT_INT16,
    VKT_INT32,
    VKT_INT64,
    VKT_UINT8,
    VKT_UINT16,
    VKT_UINT32,
    VKT_UINT64,
    VKT_FLOAT16,
    VKT_BFLOAT16,
    VKT_FLOAT32,
    VKT_FLOAT64,
    VKT_COMPLEX64,  /* two float32: real, imaginary */
    VKT_COMPLEX128, /* two float64 */
    VKT_DTYPE_COUNT,
} vkt_dtype;

/* What an op's expression is chosen by. */
typedef enum vkt_class {
    VKT_CLASS_BOOL,
    VKT_CLASS_INT,  /* signed */
    VKT_CLASS_UINT, /* unsigned */
    VKT_CLASS_FLOAT,
    VKT_CLASS_COMPLEX,
    VKT_CLASS_COUNT,
} vkt_class;

/* The GLSL type an element is computed in. Narrow integers are computed in 32 bits and wrapped
 * after every op, half types in float32 and rounded after every op, so that fused and unfused
 * results agree bit for bit. */
typedef enum vkt_register {
    VKT_REG_BOOL, /* bool      suffix "bool" */
    VKT_REG_I32,  /* int       suffix "i32"  : int8, int16, int32 */
    VKT_REG_U32,  /* uint      suffix "u32"  : uint8, uint16, uint32 */
    VKT_REG_I64,  /* int64_t   suffix "i64" */
    VKT_REG_U64,  /* uint64_t  suffix "u64" */
    VKT_REG_F32,  /* float     suffix "f32"  : float16, bfloat16, float32 */
    VKT_REG_F64,  /* double    suffix "f64" */
    VKT_REG_C64,  /* vec2      suffix "c64" */
    VKT_REG_C128, /* dvec2     suffix "c128" */
    VKT_REG_COUNT,
} vkt_register;

typedef struct vkt_dtype_info {
    const char *name; /* "float32", as NumPy and the array API spell it */
    const char *tag;  /* "f32": kernel names and GLSL function names (vkt_as_f32) */
    /* the GLSL type of an element in memory: bool is uint8_t, bfloat16 is uint16_t */
    const char *storage;
    uint8_t nbytes; /* of one element */
    vkt_class cls;
    vkt_register reg;
    /* an op's result in the register must be wrapped or rounded: vkt_fit_<tag>(x) */
    bool narrow;
} vkt_dtype_info;

extern const vkt_dtype_info vkt_dtypes[VKT_DTYPE_COUNT];

typedef struct vkt_register_info {
    const char *type;   /* "float" */
    const char *suffix; /* "f32": what `$` stands for in an op's expression */
} vkt_register_info;

extern const vkt_register_info vkt_registers[VKT_REG_COUNT];

/* The dtype both are converted to before an op: array API rules inside a kind; integer with float
 * gives the float's dtype; complex with real the complex dtype that holds both; bool with a number
 * the number's; uint64 with a signed integer float64;
 * float16 with bfloat16 float32. Symmetric, associative but for uint64. */
vkt_dtype vkt_dtype_promote(vkt_dtype a, vkt_dtype b);

static inline bool vkt_dtype_is_float(vkt_dtype t)
{
    return vkt_dtypes[t].cls == VKT_CLASS_FLOAT;
}
static inline bool vkt_dtype_is_complex(vkt_dtype t)
{
    return vkt_dtypes[t].cls == VKT_CLASS_COMPLEX;
}
static inline bool vkt_dtype_is_integer(vkt_dtype t)
{
    return vkt_dtypes[t].cls == VKT_CLASS_INT || vkt_dtypes[t].cls == VKT_CLASS_UINT;
}

/* The dtype of a complex dtype's parts; any other dtype itself. */
vkt_dtype vkt_dtype_real(vkt_dtype t);

/* The complex dtype whose parts hold values of `t`: complex128 for float64, else complex64. */
vkt_dtype vkt_dtype_complex(vkt_dtype t);

/* The dtype sums and products of `t` have by default: int64 or uint64 for narrower integers and
 * int64 for bool, else t. */
vkt_dtype vkt_dtype_accumulate(vkt_dtype t);

/* The raw little-endian bits of one element. */
typedef struct vkt_bits {
    uint64_t low;
    uint64_t high; /* of complex128 the imaginary part; else 0 */
} vkt_bits;

#endif
