/* tensor/dtype.c - the table of element types and the rules of promotion. */
#include "tensor/dtype.h"

#include <assert.h>

/* clang-format off */
const vkt_dtype_info vkt_dtypes[VKT_DTYPE_COUNT] = {
    /*                name        tag     storage   nbytes  class            register      narrow */
    [VKT_BOOL]     = {"bool",     "bool", "uint8_t",   1, VKT_CLASS_BOOL,  VKT_REG_BOOL, false},
    [VKT_INT8]     = {"int8",     "i8",   "int8_t",    1, VKT_CLASS_INT,   VKT_REG_I32,  true},
    [VKT_INT16]    = {"int16",    "i16",  "int16_t",   2, VKT_CLASS_INT,   VKT_REG_I32,  true},
    [VKT_INT32]    = {"int32",    "i32",  "int",       4, VKT_CLASS_INT,   VKT_REG_I32,  false},
    [VKT_INT64]    = {"int64",    "i64",  "int64_t",   8, VKT_CLASS_INT,   VKT_REG_I64,  false},
    [VKT_UINT8]    = {"uint8",    "u8",   "uint8_t",   1, VKT_CLASS_UINT,  VKT_REG_U32,  true},
    [VKT_UINT16]   = {"uint16",   "u16",  "uint16_t",  2, VKT_CLASS_UINT,  VKT_REG_U32,  true},
    [VKT_UINT32]   = {"uint32",   "u32",  "uint",      4, VKT_CLASS_UINT,  VKT_REG_U32,  false},
    [VKT_UINT64]   = {"uint64",   "u64",  "uint64_t",  8, VKT_CLASS_UINT,  VKT_REG_U64,  false},
    [VKT_FLOAT16]  = {"float16",  "f16",  "float16_t", 2, VKT_CLASS_FLOAT, VKT_REG_F32,  true},
    [VKT_BFLOAT16] = {"bfloat16", "bf16", "uint16_t",  2, VKT_CLASS_FLOAT, VKT_REG_F32,  true},
    [VKT_FLOAT32]  = {"float32",  "f32",  "float",     4, VKT_CLASS_FLOAT, VKT_REG_F32,  false},
    [VKT_FLOAT64]  = {"float64",  "f64",  "double",    8, VKT_CLASS_FLOAT, VKT_REG_F64,  false},
    [VKT_COMPLEX64] = {"complex64", "c64", "vec2", 8, VKT_CLASS_COMPLEX, VKT_REG_C64, false},
    [VKT_COMPLEX128] = {"complex128", "c128", "dvec2", 16, VKT_CLASS_COMPLEX, VKT_REG_C128, false},
};

const vkt_register_info vkt_registers[VKT_REG_COUNT] = {
    [VKT_REG_BOOL] = {"bool",     "bool"},
    [VKT_REG_I32]  = {"int",      "i32"},
    [VKT_REG_U32]  = {"uint",     "u32"},
    [VKT_REG_I64]  = {"int64_t",  "i64"},
    [VKT_REG_U64]  = {"uint64_t", "u64"},
    [VKT_REG_F32]  = {"float",    "f32"},
    [VKT_REG_F64]  = {"double",   "f64"},
    [VKT_REG_C64]  = {"vec2",     "c64"},
    [VKT_REG_C128] = {"dvec2",    "c128"},
};
/* clang-format on */

static vkt_dtype find_wider(vkt_dtype a, vkt_dtype b)
{
    return vkt_dtypes[a].nbytes >= vkt_dtypes[b].nbytes ? a : b;
}

static vkt_dtype find_signed(unsigned nbytes)
{
    return nbytes == 1 ? VKT_INT8 : nbytes == 2 ? VKT_INT16 : nbytes == 4 ? VKT_INT32 : VKT_INT64;
}

vkt_dtype vkt_dtype_promote(vkt_dtype a, vkt_dtype b)
{
    assert((unsigned)a < VKT_DTYPE_COUNT && (unsigned)b < VKT_DTYPE_COUNT);
    if (a == b || b == VKT_BOOL)
        return a;
    if (a == VKT_BOOL)
        return b;
    if (vkt_dtype_is_complex(a) || vkt_dtype_is_complex(b)) {
        vkt_dtype x = vkt_dtype_real(a), y = vkt_dtype_real(b);
        if (!vkt_dtype_is_float(x))
            return b;
        if (!vkt_dtype_is_float(y))
            return a;
        return vkt_dtype_complex(find_wider(x, y));
    }
    vkt_class ca = vkt_dtypes[a].cls, cb = vkt_dtypes[b].cls;
    if (ca == VKT_CLASS_FLOAT && cb == VKT_CLASS_FLOAT) {
        /* Neither half type holds the other's range and precision. */
        if (vkt_dtypes[a].nbytes == 2 && vkt_dtypes[b].nbytes == 2)
            return VKT_FLOAT32;
        return find_wider(a, b);
    }
    if (ca == VKT_CLASS_FLOAT)
        return a;
    if (cb == VKT_CLASS_FLOAT)
        return b;
    if (ca == cb)
        return find_wider(a, b);

    vkt_dtype s = ca == VKT_CLASS_INT ? a : b, u = ca == VKT_CLASS_INT ? b : a;
    if (vkt_dtypes[s].nbytes > vkt_dtypes[u].nbytes)
        return s;
    if (u == VKT_UINT64)
        return VKT_FLOAT64;
    return find_signed(vkt_dtypes[u].nbytes * 2u);
}

vkt_dtype vkt_dtype_real(vkt_dtype t)
{
    return t == VKT_COMPLEX64 ? VKT_FLOAT32 : t == VKT_COMPLEX128 ? VKT_FLOAT64 : t;
}

vkt_dtype vkt_dtype_complex(vkt_dtype t)
{
    return vkt_dtype_real(t) == VKT_FLOAT64 ? VKT_COMPLEX128 : VKT_COMPLEX64;
}

vkt_dtype vkt_dtype_accumulate(vkt_dtype t)
{
    switch (vkt_dtypes[t].cls) {
    case VKT_CLASS_BOOL:
    case VKT_CLASS_INT:
        return VKT_INT64;
    case VKT_CLASS_UINT:
        return VKT_UINT64;
    default:
        return t;
    }
}
