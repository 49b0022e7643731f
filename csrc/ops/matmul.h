/* ops/matmul.h - matrix products, register-tiled, batched, any strides. */
#ifndef VKT_OPS_MATMUL_H
#define VKT_OPS_MATMUL_H

#include "ops/tensor.h"

/* x1 @ x2 by the array API's rules: (..., M, K) @ (..., K, N) with broadcast batch dims; 1-d
 * operands are a row, or a column, whose axis is dropped again. dtypes are promoted; bool by bool
 * is a VKT_TYPE_ERROR. float16 and bfloat16 accumulate in float32 and round once. VKT_VALUE_ERROR
 * names both shapes when they do not fit. */
vkt_status vkt_matmul(vkt_tensor *x1, vkt_tensor *x2, vkt_tensor **out);

#endif
