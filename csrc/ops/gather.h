/* ops/gather.h - elements of x at indices computed on the device: x[i, j], take, take_along_axis.
 *
 * Elements move as words of bits, never interpreted. Negative indices count from the end. One out
 * of range is a VKT_INDEX_ERROR at the call that names index, axis and length: unless an index is
 * trusted, that costs a wait for the kernel. Results are new tensors, never views. */
#ifndef VKT_OPS_GATHER_H
#define VKT_OPS_GATHER_H

#include "ops/tensor.h"

#define VKT_MAX_INDICES 10

/* Integers that replace one axis of x. */
typedef struct vkt_index {
    vkt_tensor *tensor; /* borrowed; its shape broadcasts to the selection's */
    int32_t axis;       /* of x */
    int32_t number;     /* what messages call the axis */
    bool trusted;       /* known to be in range: nobody waits */
} vkt_index;

/* Several index arrays at once: their axes of x vanish, and what they broadcast to becomes the
 * axes `place` .. place + ndim - 1 of the result. */
typedef struct vkt_selection {
    int n; /* at least 1 */
    vkt_index indices[VKT_MAX_INDICES];
    int32_t place;
    vkt_layout shape; /* contiguous: what the indices broadcast to */
    bool unique;      /* no two tuples of indices are the same place */
} vkt_selection;

/* x[selection]. Indices in an empty selection may be anything, as in NumPy. */
vkt_status vkt_gather(const char *op, vkt_tensor *x, const vkt_selection *selection,
                      vkt_tensor **out);

/* Elements of x at `indices` (an integer tensor of any shape; its shape replaces the axis). */
vkt_status vkt_take(vkt_tensor *x, vkt_tensor *indices, int32_t axis, bool trusted,
                    vkt_tensor **out);

/* out[i, j] = x[i, indices[i, j]], for axis 1 of two: `indices` has as many axes as x, whose other
 * lengths broadcast with x's. */
vkt_status vkt_take_along(vkt_tensor *x, vkt_tensor *indices, int32_t axis, vkt_tensor **out);

#endif
