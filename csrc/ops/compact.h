/* ops/compact.h - the elements a mask selects, and where they are: results whose size the data
 * tells.
 *
 * The mask's expression is computed as it is loaded, once to count and once to move; nothing is
 * stored in between. Order is C order, the same on every device and run. Each call waits once, for
 * the number of elements. */
#ifndef VKT_OPS_COMPACT_H
#define VKT_OPS_COMPACT_H

#include "ops/tensor.h"

/* The numbers, in C order, of the elements that are not zero: int64, one axis. */
vkt_status vkt_flat_nonzero(const char *op, vkt_tensor *x, vkt_tensor **out);

/* The elements of x where `mask`, a bool tensor of x's shape, is true: one axis. */
vkt_status vkt_compress(const char *op, vkt_tensor *x, vkt_tensor *mask, vkt_tensor **out);

#endif
