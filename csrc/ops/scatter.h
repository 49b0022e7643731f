/* ops/scatter.h - writes to places that indices computed on the device tell: x[i, j] = value.
 *
 * In place, as vkt_assign: every view of the block sees it, and pending values that read the block
 * are computed first. The value is broadcast and converted to x's dtype; it and the indices may
 * share memory with x. Where a place is named more than once the last one in C order wins, on every
 * device and run. An index out of range is a VKT_INDEX_ERROR as in ops/gather.h, and x is then
 * unchanged. */
#ifndef VKT_OPS_SCATTER_H
#define VKT_OPS_SCATTER_H

#include "ops/gather.h"

/* x[selection] = value. */
vkt_status vkt_scatter(const char *op, vkt_tensor *x, const vkt_selection *selection,
                       const vkt_arg *value);

/* x[i, indices[i, j]] = value[i, j], for axis 1 of two: what vkt_take_along reads. */
vkt_status vkt_put_along(vkt_tensor *x, vkt_tensor *indices, int32_t axis, const vkt_arg *value);

/* x[mask] = value, of one element, where `mask`, a bool tensor of x's shape, is true: a kernel that
 * passes over x once. Bits of other elements are kept. */
vkt_status vkt_fill_mask(const char *op, vkt_tensor *x, vkt_tensor *mask, const vkt_arg *value);

#endif
