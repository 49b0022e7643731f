/* ops/tensor.c - tensor values: their life, their views, and their way from and to the host. */
#include "ops/tensor.h"

#include <stdlib.h>
#include <string.h>

#include "ops/elementwise.h"
#include "ops/expr.h"

/* ---- Life ------------------------------------------------------------------------------------ */

vkt_status vkt_tensor_check_dtype(const char *op, const vkt_device *device, vkt_dtype dtype)
{
    const vkt_device_info *info = vkt_device_get_info(device);
    const vkt_dtype_info *type = &vkt_dtypes[dtype];
    bool held = type->nbytes == 1   ? info->storage8
                : type->nbytes == 2 ? info->storage16
                : type->nbytes == 4 ? true
                                    : vkt_dtype_real(dtype) != VKT_FLOAT64 || info->float64;
    const char *advice = type->nbytes < 8              ? ""
                         : vkt_dtype_is_complex(dtype) ? ": convert to complex64"
                                                       : ": convert to float32";
    VKT_REQUIRE(held, VKT_TYPE_ERROR, "%s: %s has no %s%s", op, info->name, type->name, advice);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_tensor_new(vkt_device *device, vkt_dtype dtype, const vkt_layout *layout,
                          vkt_block *block, vkt_tensor **out)
{
    vkt_tensor *tensor = malloc(sizeof(*tensor));
    VKT_REQUIRE(tensor, VKT_OUT_OF_MEMORY, "tensor: no host memory for a tensor");
    tensor->refs = 1;
    tensor->handles = 0;
    tensor->dtype = dtype;
    tensor->device = device;
    tensor->block = block;
    tensor->expr = NULL;
    tensor->previous = NULL;
    tensor->next = NULL;
    tensor->mark = 0;
    tensor->result = 0;
    vkt_layout_assign(&tensor->layout, layout);
    *out = tensor;
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_tensor_empty(const char *op, vkt_device *device, vkt_dtype dtype, int32_t ndim,
                            const int64_t *shape, vkt_tensor **out)
{
    vkt_layout layout;
    vkt_block *block = NULL;
    uint64_t nbytes = vkt_dtypes[dtype].nbytes;
    VKT_TRY(vkt_tensor_check_dtype(op, device, dtype));
    VKT_TRY(vkt_layout_init(op, ndim, shape, nbytes, &layout));
    VKT_TRY(vkt_block_alloc(device, (uint64_t)layout.n_elems * nbytes, VKT_MEMORY_DEVICE, &block));
    VKT_TRY(vkt_tensor_new(device, dtype, &layout, block, out));
    return VKT_OK;
fail:
    vkt_block_unref(block);
    return vkt_status_last();
}

vkt_tensor *vkt_tensor_ref(vkt_tensor *tensor)
{
    tensor->refs++;
    return tensor;
}

void vkt_tensor_unref(vkt_tensor *tensor)
{
    if (!tensor || --tensor->refs > 0)
        return;
    if (tensor->expr)
        vkt_expr_drop(tensor);
    vkt_block_unref(tensor->block);
    free(tensor);
}

vkt_status vkt_tensor_view(vkt_tensor *base, const vkt_layout *layout, vkt_tensor **out)
{
    VKT_TRY(vkt_eval(&base, 1));
    VKT_TRY(vkt_tensor_new(base->device, base->dtype, layout, base->block, out));
    (void)vkt_block_ref(base->block);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_tensor_reinterpret(const char *op, vkt_tensor *base, vkt_dtype dtype,
                                  vkt_tensor **out)
{
    vkt_layout layout;
    VKT_TRY(vkt_eval(&base, 1));
    VKT_TRY(vkt_tensor_check_dtype(op, base->device, dtype));
    VKT_TRY(vkt_layout_reinterpret(op, &base->layout, vkt_dtypes[base->dtype].nbytes,
                                   vkt_dtypes[dtype].nbytes, &layout));
    VKT_TRY(vkt_tensor_new(base->device, dtype, &layout, base->block, out));
    (void)vkt_block_ref(base->block);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_tensor_part(const char *op, vkt_tensor *base, bool imaginary, vkt_tensor **out)
{
    vkt_layout layout;
    VKT_REQUIRE(!imaginary || vkt_dtype_is_complex(base->dtype), VKT_TYPE_ERROR,
                "%s: expected a complex dtype, got %s", op, vkt_dtypes[base->dtype].name);
    if (!vkt_dtype_is_complex(base->dtype)) {
        *out = vkt_tensor_ref(base);
        return VKT_OK;
    }
    VKT_TRY(vkt_eval(&base, 1));
    vkt_layout_assign(&layout, &base->layout);
    layout.offset = 2 * layout.offset + imaginary;
    for (int32_t i = 0; i < layout.ndim; i++)
        layout.strides[i] *= 2;
    VKT_TRY(vkt_tensor_new(base->device, vkt_dtype_real(base->dtype), &layout, base->block, out));
    (void)vkt_block_ref(base->block);
    return VKT_OK;
fail:
    return vkt_status_last();
}

bool vkt_tensor_is_sole_view(const vkt_tensor *tensor)
{
    if (tensor->handles != 1)
        return false;
    return !tensor->block ||
           (vkt_block_refs(tensor->block) == 1 && vkt_block_exports(tensor->block) == 0);
}

/* ---- Host ------------------------------------------------------------------------------------ */

static uint64_t tensor_nbytes(const vkt_tensor *tensor)
{
    return (uint64_t)tensor->layout.n_elems * vkt_dtypes[tensor->dtype].nbytes;
}

static uint64_t tensor_offset(const vkt_tensor *tensor)
{
    return (uint64_t)tensor->layout.offset * vkt_dtypes[tensor->dtype].nbytes;
}

vkt_status vkt_tensor_from_host(vkt_device *device, vkt_dtype dtype, int32_t ndim,
                                const int64_t *shape, const void *src, vkt_tensor **out)
{
    vkt_tensor *tensor = NULL;
    VKT_TRY(vkt_tensor_empty("asarray", device, dtype, ndim, shape, &tensor));
    if (tensor->layout.n_elems > 0)
        VKT_TRY(vkt_upload(device, tensor->block, 0, src, tensor_nbytes(tensor)));
    *out = tensor;
    return VKT_OK;
fail:
    vkt_tensor_unref(tensor);
    return vkt_status_last();
}

vkt_status vkt_tensor_contiguous(vkt_tensor *tensor, vkt_tensor **out)
{
    VKT_TRY(vkt_eval(&tensor, 1));
    if (!vkt_layout_is_contiguous(&tensor->layout))
        return vkt_tensor_copy(tensor, out);
    *out = vkt_tensor_ref(tensor);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_tensor_settled(vkt_tensor *tensor, vkt_tensor **out)
{
    VKT_TRY(vkt_eval(&tensor, 1));
    if (vkt_block_exports(tensor->block) > 0)
        return vkt_tensor_copy(tensor, out);
    return vkt_tensor_contiguous(tensor, out);
fail:
    return vkt_status_last();
}

vkt_status vkt_tensor_to_host(vkt_tensor *tensor, void *dst)
{
    vkt_tensor *packed = NULL;
    VKT_TRY(vkt_tensor_contiguous(tensor, &packed));
    if (packed->layout.n_elems > 0)
        VKT_TRY(vkt_download(packed->device, packed->block, tensor_offset(packed), dst,
                             tensor_nbytes(packed)));
    vkt_tensor_unref(packed);
    return VKT_OK;
fail:
    vkt_tensor_unref(packed);
    return vkt_status_last();
}

vkt_status vkt_tensor_to_host_block(vkt_tensor *tensor, vkt_block **out, uint64_t *offset_nbytes)
{
    vkt_tensor *packed = NULL;
    vkt_block *block = NULL;
    bool cached = false;
    VKT_TRY(vkt_eval(&tensor, 1));
    if (vkt_layout_is_contiguous(&tensor->layout) && vkt_block_host(tensor->block, &cached) &&
        cached) {
        /* The host may write through what it gets: nothing may still mean to read the old bytes. */
        VKT_TRY(vkt_expr_compute_readers(tensor->block));
        VKT_TRY(vkt_block_wait(tensor->block, true));
        *out = vkt_block_ref(tensor->block);
        *offset_nbytes = tensor_offset(tensor);
        return VKT_OK;
    }
    VKT_TRY(vkt_tensor_contiguous(tensor, &packed));
    VKT_TRY(vkt_block_alloc(tensor->device, tensor_nbytes(packed), VKT_MEMORY_HOST, &block));
    if (packed->layout.n_elems > 0) {
        VKT_TRY(vkt_copy(packed->device, block, 0, packed->block, tensor_offset(packed),
                         tensor_nbytes(packed)));
        VKT_TRY(vkt_block_wait(block, false));
    }
    vkt_tensor_unref(packed);
    *out = block;
    *offset_nbytes = 0;
    return VKT_OK;
fail:
    vkt_tensor_unref(packed);
    vkt_block_unref(block);
    return vkt_status_last();
}

vkt_status vkt_tensor_from_view(vkt_tensor *view, vkt_tensor **out)
{
    vkt_tensor *tensor = NULL;
    if (!vkt_layout_is_contiguous(&view->layout)) {
        VKT_TRY(vkt_tensor_copy(view, &tensor));
    } else {
        VKT_TRY(vkt_tensor_empty("asarray", view->device, view->dtype, view->layout.ndim,
                                 view->layout.shape, &tensor));
        VKT_TRY(vkt_copy(view->device, tensor->block, 0, view->block, tensor_offset(view),
                         tensor_nbytes(view)));
    }
    VKT_TRY(vkt_block_wait(tensor->block, false));
    *out = tensor;
    return VKT_OK;
fail:
    vkt_tensor_unref(tensor);
    return vkt_status_last();
}

vkt_status vkt_tensor_into_view(vkt_tensor *tensor, vkt_tensor *view)
{
    vkt_tensor *packed = NULL;
    const vkt_arg value = {.tensor = tensor};
    if (!vkt_layout_is_contiguous(&view->layout)) {
        VKT_TRY(vkt_assign("to_numpy", view, &value));
    } else {
        VKT_TRY(vkt_tensor_contiguous(tensor, &packed));
        VKT_TRY(vkt_copy(view->device, view->block, tensor_offset(view), packed->block,
                         tensor_offset(packed), tensor_nbytes(packed)));
    }
    VKT_TRY(vkt_block_wait(view->block, true));
    vkt_tensor_unref(packed);
    return VKT_OK;
fail:
    vkt_tensor_unref(packed);
    return vkt_status_last();
}

/* ---- Scalars --------------------------------------------------------------------------------- */

vkt_dtype vkt_scalar_dtype(const vkt_scalar *scalar)
{
    switch (scalar->cls) {
    case VKT_CLASS_BOOL:
        return VKT_BOOL;
    case VKT_CLASS_INT:
        return VKT_INT64;
    case VKT_CLASS_UINT:
        return VKT_UINT64;
    case VKT_CLASS_COMPLEX:
        return VKT_COMPLEX64;
    default:
        return VKT_FLOAT32;
    }
}

/* Rounds a double once, half to even, to a format with fewer mantissa bits: float16 (10, 5) and
 * bfloat16 (7, 8). */
static uint32_t round_double(double value, int mantissa_bits, int exponent_bits)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    uint32_t sign = (uint32_t)(bits >> 63) << (mantissa_bits + exponent_bits);
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7ff);
    uint32_t infinity = ((1u << exponent_bits) - 1) << mantissa_bits;
    if (exponent == 0x7ff) {
        uint32_t quiet = mantissa ? 1u << (mantissa_bits - 1) : 0;
        return sign | infinity | quiet | (uint32_t)(mantissa >> (52 - mantissa_bits));
    }
    int target = exponent - 1023 + (1 << (exponent_bits - 1)) - 1;
    int shift = 52 - mantissa_bits + (target < 1 ? 1 - target : 0);
    if (exponent == 0 || shift > 53)
        return sign;
    mantissa |= UINT64_C(1) << 52;
    uint64_t kept = mantissa >> shift;
    uint64_t rest = mantissa - (kept << shift);
    uint64_t half = UINT64_C(1) << (shift - 1);
    kept += rest > half || (rest == half && (kept & 1));
    /* A carry out of the mantissa raises the exponent by itself. */
    uint64_t result = kept + ((uint64_t)(target < 1 ? 0 : target - 1) << mantissa_bits);
    return sign | (result > infinity ? infinity : (uint32_t)result);
}

/* The integer as a double that rounds to any shorter format as the integer itself would: bits
 * below 2^-53 of it are kept as one sticky bit. */
static double sticky_double(uint64_t magnitude)
{
    if (magnitude >> 53)
        magnitude = (magnitude >> 11 | ((magnitude & 0x7ff) != 0)) << 11;
    return (double)magnitude;
}

static uint64_t float_bits(const vkt_scalar *scalar, vkt_dtype dtype)
{
    uint64_t bits = 0;
    bool negative = scalar->cls == VKT_CLASS_INT && scalar->value.i < 0;
    uint64_t magnitude = scalar->cls == VKT_CLASS_BOOL   ? scalar->value.b
                         : scalar->cls == VKT_CLASS_UINT ? scalar->value.u
                         : negative                      ? 0 - (uint64_t)scalar->value.i
                                                         : (uint64_t)scalar->value.i;
    double value = scalar->value.f;
    if (scalar->cls != VKT_CLASS_FLOAT)
        value = dtype == VKT_FLOAT64 ? (double)magnitude : sticky_double(magnitude);
    if (scalar->cls != VKT_CLASS_FLOAT && negative)
        value = -value;
    if (dtype == VKT_FLOAT64) {
        memcpy(&bits, &value, sizeof(bits));
    } else if (dtype == VKT_FLOAT32) {
        float narrow = (float)value;
        memcpy(&bits, &narrow, sizeof(narrow));
    } else {
        bits = dtype == VKT_FLOAT16 ? round_double(value, 10, 5) : round_double(value, 7, 8);
    }
    return bits;
}

/* The cast rule of the kernels: toward zero; out of range, the smallest int64 (or, through
 * uint64, 2^63) and then wrapped. */
static int64_t truncate_double(double value)
{
    return value >= -0x1p63 && value < 0x1p63 ? (int64_t)value : INT64_MIN;
}

static uint64_t truncate_to(double value, vkt_dtype dtype)
{
    if (dtype == VKT_UINT64 && value >= 0x1p63 && value < 0x1p64)
        return (uint64_t)value;
    if (dtype == VKT_INT8 || dtype == VKT_INT16 || dtype == VKT_INT32) {
        bool inside = value > -0x1p31 - 1 && value < 0x1p31;
        return (uint64_t)(inside ? (int64_t)value : INT32_MIN);
    }
    return (uint64_t)truncate_double(value);
}

static vkt_bits complex_bits(const vkt_scalar *scalar, vkt_dtype dtype)
{
    bool is_complex = scalar->cls == VKT_CLASS_COMPLEX;
    vkt_scalar re = {.cls = VKT_CLASS_FLOAT, .value.f = scalar->value.c.re};
    vkt_scalar im = {.cls = VKT_CLASS_FLOAT, .value.f = is_complex ? scalar->value.c.im : 0.0};
    vkt_dtype part = vkt_dtype_real(dtype);
    uint64_t low = float_bits(is_complex ? &re : scalar, part), high = float_bits(&im, part);
    return dtype == VKT_COMPLEX64 ? (vkt_bits){.low = low | high << 32}
                                  : (vkt_bits){.low = low, .high = high};
}

vkt_status vkt_scalar_bits(const char *op, const vkt_scalar *scalar, vkt_dtype dtype,
                           vkt_bits *bits)
{
    const vkt_dtype_info *type = &vkt_dtypes[dtype];
    unsigned n_bits = type->nbytes * 8u;
    uint64_t mask = n_bits >= 64 ? UINT64_MAX : (UINT64_C(1) << n_bits) - 1;
    uint64_t word = 0;
    VKT_REQUIRE(scalar->cls != VKT_CLASS_COMPLEX || type->cls == VKT_CLASS_COMPLEX ||
                    dtype == VKT_BOOL,
                VKT_TYPE_ERROR, "%s: a complex scalar does not fit %s", op, type->name);
    if (type->cls == VKT_CLASS_COMPLEX) {
        *bits = complex_bits(scalar, dtype);
        return VKT_OK;
    }
    if (type->cls == VKT_CLASS_FLOAT) {
        *bits = (vkt_bits){.low = float_bits(scalar, dtype)};
        return VKT_OK;
    }
    switch (scalar->cls) {
    case VKT_CLASS_BOOL:
        word = scalar->value.b;
        break;
    case VKT_CLASS_COMPLEX:
        word = scalar->value.c.re != 0 || scalar->value.c.im != 0;
        break;
    case VKT_CLASS_FLOAT:
        word = dtype == VKT_BOOL ? scalar->value.f != 0 : truncate_to(scalar->value.f, dtype);
        break;
    case VKT_CLASS_INT: {
        int64_t value = scalar->value.i;
        bool is_signed = type->cls == VKT_CLASS_INT;
        int64_t high = (int64_t)(is_signed ? mask >> 1 : mask & INT64_MAX);
        int64_t low = is_signed ? -high - 1 : 0;
        if (dtype == VKT_UINT64)
            high = INT64_MAX;
        VKT_REQUIRE(dtype == VKT_BOOL || (value >= low && value <= high), VKT_VALUE_ERROR,
                    "%s: the integer %lld does not fit %s", op, (long long)value, type->name);
        word = dtype == VKT_BOOL ? value != 0 : (uint64_t)value;
        break;
    }
    default:
        VKT_REQUIRE(dtype == VKT_BOOL ||
                        scalar->value.u <= (type->cls == VKT_CLASS_INT ? mask >> 1 : mask),
                    VKT_VALUE_ERROR, "%s: the integer %llu does not fit %s", op,
                    (unsigned long long)scalar->value.u, type->name);
        word = dtype == VKT_BOOL ? scalar->value.u != 0 : scalar->value.u;
        break;
    }
    *bits = (vkt_bits){.low = word & mask};
    return VKT_OK;
fail:
    return vkt_status_last();
}
