/* ops/tensor.h - the tensor value: a strided view of a block, or an expression not yet computed.
 *
 * Values are shared: by Python objects (handles) and by pending expressions that read them
 * (references). A value's device, dtype and shape never change. A pending value becomes computed
 * once, by vkt_eval, and then stays so.
 *
 * Not thread-safe: the Python layer serialises. */
#ifndef VKT_OPS_TENSOR_H
#define VKT_OPS_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "tensor/dtype.h"
#include "tensor/layout.h"
#include "tensor/ops.h"
#include "vulkan/device.h"

typedef struct vkt_tensor vkt_tensor;
typedef struct vkt_expr vkt_expr; /* ops/expr.h */

struct vkt_tensor {
    uint32_t refs;    /* all owners */
    uint32_t handles; /* those that are Python objects: a value with a handle is worth keeping */
    vkt_dtype dtype;
    vkt_device *device;
    vkt_layout layout;           /* of the result while pending: contiguous */
    vkt_block *block;            /* owned reference; NULL while pending */
    vkt_expr *expr;              /* owned; NULL once computed */
    vkt_tensor *previous, *next; /* the list of pending values */
    uint32_t mark;               /* ops/fuse.c: the walk that last saw this value, */
    int32_t result;              /* ... and what it found */
};

/* A Python scalar: weak, it takes the dtype of the tensors beside it. */
typedef struct vkt_scalar {
    vkt_class cls; /* BOOL, INT (value fits int64), UINT (above INT64_MAX), FLOAT, COMPLEX */
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double f;
        struct {
            double re, im;
        } c;
    } value;
} vkt_scalar;

/* An operand: a tensor (borrowed), or, where `tensor` is NULL, a scalar. */
typedef struct vkt_arg {
    vkt_tensor *tensor;
    vkt_scalar scalar;
} vkt_arg;

/* Every function below that gives a tensor gives one reference in *out, and begins its error
 * texts with `op` where it takes one. */

/* An uninitialised contiguous tensor. VKT_TYPE_ERROR when the device has no such dtype (float64,
 * 8- or 16-bit storage). */
vkt_status vkt_tensor_empty(const char *op, vkt_device *device, vkt_dtype dtype, int32_t ndim,
                            const int64_t *shape, vkt_tensor **out);

/* A view of `base` with `layout`; computes `base` first if it is pending. */
vkt_status vkt_tensor_view(vkt_tensor *base, const vkt_layout *layout, vkt_tensor **out);

/* A view of the same bytes as another dtype (vkt_layout_reinterpret); computes `base` first if it
 * is pending. */
vkt_status vkt_tensor_reinterpret(const char *op, vkt_tensor *base, vkt_dtype dtype,
                                  vkt_tensor **out);

/* The real or imaginary parts of a complex tensor, a view; computes `base` first. A real tensor is
 * its own real part; it has no imaginary one, VKT_TYPE_ERROR. */
vkt_status vkt_tensor_part(const char *op, vkt_tensor *base, bool imaginary, vkt_tensor **out);

vkt_tensor *vkt_tensor_ref(vkt_tensor *tensor);
void vkt_tensor_unref(vkt_tensor *tensor); /* NULL is fine */

/* Copies C-contiguous host bytes into a new tensor; returns when `src` may be reused. */
vkt_status vkt_tensor_from_host(vkt_device *device, vkt_dtype dtype, int32_t ndim,
                                const int64_t *shape, const void *src, vkt_tensor **out);

/* Computes, copies to the host in C order (n_elems * nbytes bytes) and waits. */
vkt_status vkt_tensor_to_host(vkt_tensor *tensor, void *dst);

/* Computes the tensor into a host-cached, C-contiguous block that the host may view: the
 * tensor's own block where it is one already (and `tensor` itself is contiguous in it), else a
 * pooled copy; waits. One reference in *out. */
vkt_status vkt_tensor_to_host_block(vkt_tensor *tensor, vkt_block **out, uint64_t *offset_nbytes);

/* Copies the elements of a view of host memory into a new tensor of its device, and waits: at the
 * speed of the bus where the memory is pinned. */
vkt_status vkt_tensor_from_view(vkt_tensor *view, vkt_tensor **out);

/* Copies a tensor's elements into a view of host memory, of its device, dtype and shape; waits. */
vkt_status vkt_tensor_into_view(vkt_tensor *tensor, vkt_tensor *view);

/* Computes all of them, and records the work; does not wait. */
vkt_status vkt_eval(vkt_tensor *const *tensors, int n);

/* A contiguous tensor with the same elements: itself (new reference) when it already is,
 * computed. */
vkt_status vkt_tensor_contiguous(vkt_tensor *tensor, vkt_tensor **out);
/* The same for work whose addresses follow from what it has read before: a copy too where the
 * memory is exported, so that the other side cannot change it in between. */
vkt_status vkt_tensor_settled(vkt_tensor *tensor, vkt_tensor **out);

/* The dtype a scalar has on its own: bool, int64 (uint64 above its range), float32, complex64. */
vkt_dtype vkt_scalar_dtype(const vkt_scalar *scalar);

/* The scalar converted to dtype. VKT_VALUE_ERROR when an integer scalar does not fit an integer
 * dtype; VKT_TYPE_ERROR for a complex one and a real dtype. */
vkt_status vkt_scalar_bits(const char *op, const vkt_scalar *scalar, vkt_dtype dtype,
                           vkt_bits *bits);

/* True when no other handle, view or export can see a write to the tensor: `a += b` may then give
 * `a` a new value instead of writing in place. Pending expressions may read it: they go on with the
 * value as it was. */
bool vkt_tensor_is_sole_view(const vkt_tensor *tensor);

/* VKT_TYPE_ERROR when the device cannot hold the dtype. */
vkt_status vkt_tensor_check_dtype(const char *op, const vkt_device *device, vkt_dtype dtype);

#endif
