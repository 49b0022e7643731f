/* ops/reduce_space.c - cuts an iteration space into kept and reduced dims, and into pieces. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ops/reduce_internal.h"

/* Steps along a long dim are multiples of this, so that pieces keep the alignment of vector
 * loads. */
#define PIECE_MULTIPLE 4096

uint64_t vkt_space_count(const vkt_space *space)
{
    uint64_t n = 1;
    for (int32_t d = 0; d < space->ndim; d++)
        n *= (uint64_t)space->shape[d];
    return n;
}

/* `in`, or the strides given instead of its own, seen through the chosen axes only; offset 0. */
static void pick_axes(const vkt_layout *in, const int64_t *strides, uint32_t axes, vkt_layout *out)
{
    out->ndim = 0;
    out->n_elems = 1;
    out->offset = 0;
    for (int32_t axis = 0; axis < in->ndim; axis++) {
        if (!(axes >> axis & 1))
            continue;
        out->shape[out->ndim] = in->shape[axis];
        out->strides[out->ndim] = strides[axis];
        out->n_elems *= in->shape[axis];
        out->ndim++;
    }
}

/* Strides that give dims the order of leaf 0's. Each dim is still walked from its first element to
 * its last, and C order holds where a dim repeats an element: views that do not change the order of
 * their axes are summed as their copies. */
static void find_memory_order(const vkt_fusion *fusion, int64_t *strides)
{
    const vkt_layout *space = &fusion->space, *leaf = &fusion->leaf_layouts[0];
    bool repeats = false;
    for (int32_t axis = 0; axis < space->ndim; axis++) {
        strides[axis] = llabs(leaf->strides[axis]);
        repeats = repeats || (strides[axis] == 0 && space->shape[axis] > 1);
    }
    if (repeats)
        memcpy(strides, space->strides, (size_t)space->ndim * sizeof(*strides));
}

static void init_half(const vkt_fusion *fusion, uint32_t axes, const int64_t *out_strides,
                      const int64_t *order, bool uses_iota, vkt_space *out)
{
    static const int64_t none[VKT_MAX_NDIM] = {0};
    vkt_layout picked[VKT_AT_LEAF + VKT_MAX_LEAVES];
    const vkt_layout *operands[VKT_AT_LEAF + VKT_MAX_LEAVES];
    const vkt_layout *space = &fusion->space;
    int n = VKT_AT_LEAF + fusion->program.n_leaves;

    pick_axes(space, order, axes, &picked[VKT_AT_ORDER]);
    pick_axes(space, out_strides, axes, &picked[VKT_AT_OUT]);
    pick_axes(space, uses_iota ? space->strides : none, axes, &picked[VKT_AT_IOTA]);
    for (int i = 0; i < fusion->program.n_leaves; i++)
        pick_axes(space, fusion->leaf_layouts[i].strides, axes, &picked[VKT_AT_LEAF + i]);
    for (int i = 0; i < n; i++)
        operands[i] = &picked[i];
    vkt_space_init(operands, n, out);
}

/* How far apart neighbours along the innermost dim lie; a dim that repeats one element is as
 * bad as any. */
static int64_t find_reach(const vkt_space *space, int operand)
{
    int64_t stride = space->ndim ? space->strides[operand][space->ndim - 1] : 0;
    return stride == 0 ? INT64_MAX : llabs(stride);
}

void vkt_halves_init(const vkt_fusion *fusion, uint32_t axes, const int64_t *out_strides,
                     bool memory_order, bool in_order, vkt_halves *out)
{
    uint32_t all = (1u << fusion->space.ndim) - 1;
    int64_t memory[VKT_MAX_NDIM];
    const int64_t *order = fusion->space.strides;
    if (memory_order) {
        find_memory_order(fusion, memory);
        order = memory;
    }
    out->uses_iota = false;
    for (int i = 0; i < fusion->program.n_instrs; i++)
        out->uses_iota |= fusion->program.instrs[i].kind == VKT_INSTR_IOTA;
    init_half(fusion, all & ~axes, out_strides, order, out->uses_iota, &out->kept);
    init_half(fusion, axes, out_strides, in_order ? fusion->space.strides : order, out->uses_iota,
              &out->reduced);

    /* Where indices keep C order its strides tell nothing of memory. */
    int weighed = memory_order && in_order ? VKT_AT_LEAF : VKT_AT_ORDER;
    out->columns =
        out->kept.ndim > 0 && find_reach(&out->kept, weighed) < find_reach(&out->reduced, weighed);
}

/* Offset between the first and the last element along dims `from` to the end, at worst over
 * the operands a kernel walks. */
static int64_t find_span(const vkt_space *space, int32_t dim, int64_t length)
{
    int64_t span = 0;
    for (int k = VKT_AT_OUT; k < space->n_operands; k++) {
        int64_t own = llabs(space->strides[k][dim]) * (length - 1);
        for (int32_t d = dim + 1; d < space->ndim; d++)
            own += llabs(space->strides[k][d]) * (space->shape[d] - 1);
        if (own > span)
            span = own;
    }
    return span;
}

void vkt_pieces_init(const vkt_space *space, int64_t most, vkt_pieces *out)
{
    int32_t dim = space->ndim - 1;
    uint64_t n_inner = 1;
    *out = (vkt_pieces){.n_inner = 1, .step = 1, .per_dim = 1, .n_pieces = 1};
    if (space->ndim == 0 || vkt_space_count(space) == 0) {
        out->step = space->ndim ? space->shape[0] : 1;
        return;
    }
    while (dim > 0 && (int64_t)n_inner * space->shape[dim] <= most &&
           find_span(space, dim, space->shape[dim]) <= VKT_PIECE_LIMIT) {
        n_inner *= (uint64_t)space->shape[dim];
        dim--;
    }
    int64_t step = space->shape[dim];
    while (step > 1 &&
           ((int64_t)n_inner * step > most || find_span(space, dim, step) > VKT_PIECE_LIMIT))
        step = (step + 1) / 2;
    if (step < space->shape[dim] && step > PIECE_MULTIPLE)
        step -= step % PIECE_MULTIPLE;
    out->dim = dim;
    out->step = step;
    out->n_inner = n_inner;
    out->per_dim = (uint64_t)((space->shape[dim] + step - 1) / step);
    out->n_pieces = out->per_dim;
    for (int32_t d = 0; d < dim; d++)
        out->n_pieces *= (uint64_t)space->shape[d];
}

void vkt_pieces_get(const vkt_space *space, const vkt_pieces *pieces, uint64_t index,
                    vkt_space *out, uint64_t *first)
{
    *out = *space;
    *first = 0;
    if (pieces->n_pieces == 1)
        return;

    int64_t start = (int64_t)(index % pieces->per_dim) * pieces->step;
    int64_t length = space->shape[pieces->dim] - start;
    uint64_t outer = index / pieces->per_dim, stride = pieces->n_inner;
    length = length < pieces->step ? length : pieces->step;
    *first = (uint64_t)start * stride;
    for (int k = 0; k < space->n_operands; k++)
        out->offsets[k] += start * space->strides[k][pieces->dim];
    stride *= (uint64_t)space->shape[pieces->dim];
    for (int32_t d = pieces->dim - 1; d >= 0; d--) {
        int64_t at = (int64_t)(outer % (uint64_t)space->shape[d]);
        outer /= (uint64_t)space->shape[d];
        *first += (uint64_t)at * stride;
        stride *= (uint64_t)space->shape[d];
        for (int k = 0; k < space->n_operands; k++)
            out->offsets[k] += at * space->strides[k][d];
    }

    out->ndim = space->ndim - pieces->dim;
    for (int32_t d = 0; d < out->ndim; d++) {
        out->shape[d] = space->shape[pieces->dim + d];
        for (int k = 0; k < space->n_operands; k++)
            out->strides[k][d] = space->strides[k][pieces->dim + d];
    }
    out->shape[0] = length;
}
