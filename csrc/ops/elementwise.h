/* ops/elementwise.h - ops that act element by element: they cost nothing until bytes are needed.
 *
 * Shapes and dtypes are checked at once; the result is a pending tensor. Scalars are weak,
 * except that a float scalar turns an integer operand into float32. Results live on the
 * operands' device; operands on two devices are a VKT_VALUE_ERROR. */
#ifndef VKT_OPS_ELEMENTWISE_H
#define VKT_OPS_ELEMENTWISE_H

#include "ops/tensor.h"

/* An op of kind UNARY, BINARY or TERNARY. At least one argument is a tensor. */
vkt_status vkt_elementwise(vkt_op op, const vkt_arg *args, int n_args, vkt_tensor **out);

/* x converted to dtype: x itself (a new reference) when it has it. */
vkt_status vkt_astype(vkt_tensor *x, vkt_dtype dtype, vkt_tensor **out);

/* Every element is the scalar, converted to dtype. */
vkt_status vkt_full(const char *op, vkt_device *device, vkt_dtype dtype, int32_t ndim,
                    const int64_t *shape, const vkt_scalar *value, vkt_tensor **out);

/* 0, 1, 2, ... in C order over the shape, as int64. */
vkt_status vkt_iota(vkt_device *device, int32_t ndim, const int64_t *shape, vkt_tensor **out);

/* A new contiguous computed copy of x (its own block). */
vkt_status vkt_tensor_copy(vkt_tensor *x, vkt_tensor **out);

/* dst[...] = value, broadcast and converted to dst's dtype, in place: every view of the block
 * sees it. Pending values that read the block are computed first; `value` may overlap dst in any
 * way. */
vkt_status vkt_assign(const char *op, vkt_tensor *dst, const vkt_arg *value);

#endif
