/* ops/reduce.h - reductions and scans. Their input expression is computed as it is loaded; nothing
 * is stored in between.
 *
 * The order of summation depends on shape, layout class and device kind alone, so results repeat
 * bit for bit. */
#ifndef VKT_OPS_REDUCE_H
#define VKT_OPS_REDUCE_H

#include "ops/tensor.h"

typedef struct vkt_reduce_options {
    uint32_t axes; /* bit i set: axis i is reduced. No axis of a 0-d tensor */
    bool keepdims;
    bool has_dtype; /* sum, prod: result (and accumulator) dtype is `dtype` */
    vkt_dtype dtype;
    double correction; /* var, std */
} vkt_reduce_options;

/* sum, prod, min, max, mean, var, std, any, all, argmin, argmax, count_nonzero. argmin and argmax
 * take one axis or all (then the flat index). VKT_VALUE_ERROR for min, max, argmin, argmax of
 * nothing. A pending result. */
vkt_status vkt_reduce(vkt_op op, vkt_tensor *x, const vkt_reduce_options *options,
                      vkt_tensor **out);

/* cumulative_sum, cumulative_prod along `axis`; `dtype` as in vkt_reduce_options; with
 * include_initial the axis grows by one in front and begins with the neutral element. */
vkt_status vkt_scan(vkt_op op, vkt_tensor *x, int32_t axis, vkt_dtype dtype, bool include_initial,
                    vkt_tensor **out);

#endif
