/* ops/sort.h - sorting along one axis. */
#ifndef VKT_OPS_SORT_H
#define VKT_OPS_SORT_H

#include "ops/tensor.h"

/* Rows sorted from the lowest element to the highest, or the other way. Elements that are equal
 * keep their order either way: -0 and 0 are, and all NaNs, which are behind every number (before
 * it in descending order). Bits are kept, the sign of a zero and the payload of a NaN too.
 *
 * `values`, where not NULL, becomes the sorted elements, of x's dtype; `indices`, where not NULL,
 * where each was along the axis, int64. Of x's shape; views of rows where `axis` is not the last.
 * VKT_TYPE_ERROR for complex numbers, VKT_VALUE_ERROR for 2^32 - 2^16 elements or more along the
 * axis. Recorded at once; does not wait. */
vkt_status vkt_sort(const char *op, vkt_tensor *x, int32_t axis, bool descending,
                    vkt_tensor **values, vkt_tensor **indices);

#endif
