/* ops/movement.h - ops that move whole elements: their bits are never interpreted, so NaN payloads
 * survive. */
#ifndef VKT_OPS_MOVEMENT_H
#define VKT_OPS_MOVEMENT_H

#include "ops/tensor.h"

/* Joins n >= 1 tensors along `axis`; dtypes are promoted, other lengths agree (VKT_VALUE_ERROR). */
vkt_status vkt_concat(vkt_tensor *const *tensors, int n, int32_t axis, vkt_tensor **out);

/* Elements of x at `indices` (an integer tensor of any shape; its shape replaces the axis).
 * Negative indices count from the end. An index out of range is a VKT_INDEX_ERROR at the call: the
 * check costs one reduction and a wait. */
vkt_status vkt_take(vkt_tensor *x, vkt_tensor *indices, int32_t axis, vkt_tensor **out);

#endif
