/* tensor/layout.h - shape, strides and offset of a view, and the iteration space several views
 * share.
 *
 * All counts, strides and offsets are in elements of the view's dtype. Strides may be negative or
 * zero. A layout never reaches outside its block: functions that make layouts from outside values
 * check that. A 0-d layout has one element. */
#ifndef VKT_TENSOR_LAYOUT_H
#define VKT_TENSOR_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Enough for every client we know; NumPy allows 64. */
#define VKT_MAX_NDIM 16

typedef struct vkt_layout {
    int32_t ndim;
    int64_t n_elems; /* product of shape; kept because every op asks */
    int64_t offset;  /* of element (0, ..., 0) from the start of the block */
    int64_t shape[VKT_MAX_NDIM];
    int64_t strides[VKT_MAX_NDIM];
} vkt_layout;

/* *out = *in without the unused dims: a layout is large, and lazy ops copy many. */
static inline void vkt_layout_assign(vkt_layout *out, const vkt_layout *in)
{
    out->ndim = in->ndim;
    out->n_elems = in->n_elems;
    out->offset = in->offset;
    for (int32_t i = 0; i < in->ndim; i++) {
        out->shape[i] = in->shape[i];
        out->strides[i] = in->strides[i];
    }
}

/* C-contiguous, offset 0. `op` begins the error text. Fails with VKT_VALUE_ERROR when ndim >
 * VKT_MAX_NDIM, a length is negative, or n_elems * nbytes does not fit in 63 bits. */
vkt_status vkt_layout_init(const char *op, int32_t ndim, const int64_t *shape, uint64_t elem_nbytes,
                           vkt_layout *out);

/* True when elements lie in C order without gaps (dims of length 1 have any stride; empty is
 * contiguous). */
bool vkt_layout_is_contiguous(const vkt_layout *layout);

bool vkt_layout_same_shape(const vkt_layout *a, const vkt_layout *b);

/* The shape that n layouts broadcast to, as a contiguous layout. VKT_VALUE_ERROR names `op` and the
 * two shapes in the way. Layouts made without a dtype count 16 bytes an element against the limit
 * of 63 bits. */
vkt_status vkt_layout_broadcast(const char *op, const vkt_layout *const *layouts, int n,
                                vkt_layout *out);

/* `in` seen with `shape` (stride 0 where a length grows). VKT_VALUE_ERROR when it does not
 * broadcast. */
vkt_status vkt_layout_broadcast_to(const char *op, const vkt_layout *in, int32_t ndim,
                                   const int64_t *shape, vkt_layout *out);

/* Axes are in 0..ndim-1 and each once (checked: VKT_VALUE_ERROR). */
vkt_status vkt_layout_permute(const char *op, const vkt_layout *in, const int32_t *axes,
                              vkt_layout *out);

/* Takes `count` elements from `start` by `step` along `axis`; the caller has clipped them to the
 * axis. */
void vkt_layout_slice(vkt_layout *layout, int32_t axis, int64_t start, int64_t step, int64_t count);

/* Drops `axis` at position `index` (0 <= index < shape[axis], checked by the caller). */
void vkt_layout_select(vkt_layout *layout, int32_t axis, int64_t index);

/* Inserts an axis of length 1 before `axis` (0..ndim). VKT_VALUE_ERROR when ndim is at its
 * maximum. */
vkt_status vkt_layout_insert(const char *op, vkt_layout *layout, int32_t axis);

/* Resolves one -1 in `shape` and checks the element count (VKT_VALUE_ERROR). Sets *is_view when the
 * new shape is a view of `in`, and then `out`; else `out` is the contiguous layout to copy into. */
vkt_status vkt_layout_reshape(const char *op, const vkt_layout *in, int32_t ndim,
                              const int64_t *shape, vkt_layout *out, bool *is_view);

/* The same bytes seen as elements of to_nbytes instead of from_nbytes (powers of two). Where those
 * differ the last dim changes its length, and has to be contiguous; VKT_VALUE_ERROR when it is not,
 * when its bytes are no whole number of new elements, or when those would not be aligned. */
vkt_status vkt_layout_reinterpret(const char *op, const vkt_layout *in, int64_t from_nbytes,
                                  int64_t to_nbytes, vkt_layout *out);

/* Lowest and one-past-highest element the view touches; both 0 for an empty view. */
void vkt_layout_extent(const vkt_layout *layout, int64_t *low, int64_t *high);

/* True unless the views certainly share no element of one block (by extents and, where strides
 * agree, by residues). */
bool vkt_layout_may_overlap(const vkt_layout *a, uint64_t a_nbytes, const vkt_layout *b,
                            uint64_t b_nbytes);

/* Writes "(3, 4)" into text of at least VKT_SHAPE_TEXT bytes and returns it. */
#define VKT_SHAPE_TEXT 384
const char *vkt_shape_text(int32_t ndim, const int64_t *shape, char *text);

/* The dims that remain to iterate when n operands of one shape are walked together: dims of length
 * 1 dropped, dims sorted by the first operand's stride (largest first), neighbours merged wherever
 * every operand allows it. The first operand is the output, or the input of a reduction. Dim ndim-1
 * is the innermost. ndim is 0 for one element. */
#define VKT_MAX_OPERANDS 16

typedef struct vkt_space {
    int32_t ndim;
    int32_t n_operands;
    int64_t shape[VKT_MAX_NDIM];
    int64_t strides[VKT_MAX_OPERANDS][VKT_MAX_NDIM];
    /* negative strides of the first operand are flipped into the offsets */
    int64_t offsets[VKT_MAX_OPERANDS];
} vkt_space;

/* All layouts have one shape (broadcast before). n <= VKT_MAX_OPERANDS. An empty shape gives one
 * dim of length 0. */
void vkt_space_init(const vkt_layout *const *layouts, int n, vkt_space *out);

/* Division of n < 2^31 by a fixed d, 1 <= d < 2^31 (Granlund and Montgomery 1994): q = (mulhi(n,
 * multiplier) + n) >> shift. */
typedef struct vkt_fastdiv {
    uint32_t divisor;
    uint32_t multiplier;
    uint32_t shift;
} vkt_fastdiv;

vkt_fastdiv vkt_fastdiv_init(uint32_t divisor);

#endif
