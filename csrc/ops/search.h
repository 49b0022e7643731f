/* ops/search.h - looking values up in a sorted tensor. */
#ifndef VKT_OPS_SEARCH_H
#define VKT_OPS_SEARCH_H

#include "ops/tensor.h"

/* For each element v of `values` (any shape) where it belongs in the sorted 1-d tensor `sorted`, as
 * int64: the number of elements before v, with `right` also those equal to it. Dtypes are
 * promoted; NaN is behind all numbers and equal to NaN, -0 equals 0. On unsorted input the result
 * is some number in 0 .. n. Recorded at once; does not wait. */
vkt_status vkt_search_sorted(vkt_tensor *sorted, vkt_tensor *values, bool right, vkt_tensor **out);

#endif
