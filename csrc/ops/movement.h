/* ops/movement.h - joining tensors. */
#ifndef VKT_OPS_MOVEMENT_H
#define VKT_OPS_MOVEMENT_H

#include "ops/tensor.h"

/* Joins n >= 1 tensors along `axis`; dtypes are promoted, other lengths agree (VKT_VALUE_ERROR). */
vkt_status vkt_concat(vkt_tensor *const *tensors, int n, int32_t axis, vkt_tensor **out);

#endif
