/* tensor/layout.c - shapes and strides: views, broadcasting, reshaping, the space of a kernel. */
#include "tensor/layout.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

/* Layouts made without a dtype stay small enough for the widest element to come (complex128). */
#define WIDEST_ELEM_NBYTES 16

const char *vkt_shape_text(int32_t ndim, const int64_t *shape, char *text)
{
    int shown = ndim < VKT_MAX_NDIM ? ndim : VKT_MAX_NDIM;
    size_t at = 0;
    text[at++] = '(';
    for (int i = 0; i < shown; i++) {
        int n =
            snprintf(text + at, VKT_SHAPE_TEXT - at, i > 0 ? ", %" PRId64 : "%" PRId64, shape[i]);
        at += (size_t)n;
    }
    const char *end = ndim > VKT_MAX_NDIM ? ", ...)" : ndim == 1 ? ",)" : ")";
    memcpy(text + at, end, strlen(end) + 1);
    return text;
}

/* Fills `layout` with C-order strides. Lengths of 0 count as 1: an empty layout's strides are
 * bounded too. */
static bool fill_contiguous(int32_t ndim, const int64_t *shape, uint64_t elem_nbytes,
                            vkt_layout *layout)
{
    int64_t stride = 1, nbytes;
    bool empty = false;
    for (int32_t i = ndim - 1; i >= 0; i--) {
        layout->shape[i] = shape[i];
        layout->strides[i] = stride;
        empty |= shape[i] == 0;
        if (!vkt_mul_i64(stride, shape[i] > 0 ? shape[i] : 1, &stride))
            return false;
    }
    if (!vkt_mul_i64(stride, (int64_t)elem_nbytes, &nbytes))
        return false;
    layout->ndim = ndim;
    layout->offset = 0;
    layout->n_elems = empty ? 0 : stride;
    return true;
}

vkt_status vkt_layout_init(const char *op, int32_t ndim, const int64_t *shape, uint64_t elem_nbytes,
                           vkt_layout *out)
{
    char text[VKT_SHAPE_TEXT];
    vkt_layout layout;
    VKT_REQUIRE(ndim >= 0 && ndim <= VKT_MAX_NDIM, VKT_VALUE_ERROR,
                "%s: expected at most %d dimensions, got %d", op, VKT_MAX_NDIM, (int)ndim);
    for (int32_t i = 0; i < ndim; i++)
        VKT_REQUIRE(shape[i] >= 0, VKT_VALUE_ERROR, "%s: expected lengths of at least 0, got %s",
                    op, vkt_shape_text(ndim, shape, text));
    VKT_REQUIRE(fill_contiguous(ndim, shape, elem_nbytes, &layout), VKT_VALUE_ERROR,
                "%s: shape %s needs more bytes than fit in 63 bits", op,
                vkt_shape_text(ndim, shape, text));
    vkt_layout_assign(out, &layout);
    return VKT_OK;
fail:
    return vkt_status_last();
}

bool vkt_layout_is_contiguous(const vkt_layout *layout)
{
    if (layout->n_elems == 0)
        return true;
    int64_t expected = 1;
    for (int32_t i = layout->ndim - 1; i >= 0; i--) {
        if (layout->shape[i] == 1)
            continue;
        if (layout->strides[i] != expected)
            return false;
        expected *= layout->shape[i];
    }
    return true;
}

bool vkt_layout_same_shape(const vkt_layout *a, const vkt_layout *b)
{
    return a->ndim == b->ndim &&
           memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof(a->shape[0])) == 0;
}

vkt_status vkt_layout_broadcast(const char *op, const vkt_layout *const *layouts, int n,
                                vkt_layout *out)
{
    int64_t shape[VKT_MAX_NDIM];
    const vkt_layout *source[VKT_MAX_NDIM]; /* the layout that set the length, for the error */
    char text_a[VKT_SHAPE_TEXT], text_b[VKT_SHAPE_TEXT];
    int32_t ndim = 0;
    for (int k = 0; k < n; k++)
        ndim = layouts[k]->ndim > ndim ? layouts[k]->ndim : ndim;
    for (int32_t i = 0; i < ndim; i++) {
        shape[i] = 1;
        source[i] = NULL;
    }
    for (int k = 0; k < n; k++) {
        const vkt_layout *layout = layouts[k];
        int32_t skip = ndim - layout->ndim;
        for (int32_t i = 0; i < layout->ndim; i++) {
            int64_t length = layout->shape[i];
            if (length == 1 || length == shape[skip + i])
                continue;
            VKT_REQUIRE(!source[skip + i], VKT_VALUE_ERROR, "%s: shapes %s and %s do not broadcast",
                        op, vkt_shape_text(source[skip + i]->ndim, source[skip + i]->shape, text_a),
                        vkt_shape_text(layout->ndim, layout->shape, text_b));
            shape[skip + i] = length;
            source[skip + i] = layout;
        }
    }
    VKT_TRY(vkt_layout_init(op, ndim, shape, WIDEST_ELEM_NBYTES, out));
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_layout_broadcast_to(const char *op, const vkt_layout *in, int32_t ndim,
                                   const int64_t *shape, vkt_layout *out)
{
    char text_a[VKT_SHAPE_TEXT], text_b[VKT_SHAPE_TEXT];
    vkt_layout layout;
    VKT_TRY(vkt_layout_init(op, ndim, shape, WIDEST_ELEM_NBYTES, &layout));

    int32_t skip = ndim - in->ndim;
    bool fits = skip >= 0;
    for (int32_t i = 0; fits && i < ndim; i++) {
        int64_t have = i < skip ? 1 : in->shape[i - skip];
        fits = have == shape[i] || have == 1;
        layout.strides[i] = i < skip || have != shape[i] ? 0 : in->strides[i - skip];
    }
    VKT_REQUIRE(fits, VKT_VALUE_ERROR, "%s: shape %s does not broadcast to %s", op,
                vkt_shape_text(in->ndim, in->shape, text_a), vkt_shape_text(ndim, shape, text_b));
    layout.offset = in->offset;
    vkt_layout_assign(out, &layout);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_layout_permute(const char *op, const vkt_layout *in, const int32_t *axes,
                              vkt_layout *out)
{
    vkt_layout layout;
    uint32_t seen = 0;
    layout.ndim = in->ndim;
    layout.n_elems = in->n_elems;
    layout.offset = in->offset;
    for (int32_t i = 0; i < in->ndim; i++) {
        int32_t axis = axes[i];
        VKT_REQUIRE(axis >= 0 && axis < in->ndim, VKT_VALUE_ERROR,
                    "%s: axis %d is out of bounds for %d dimensions", op, (int)axis, (int)in->ndim);
        VKT_REQUIRE(!(seen >> axis & 1u), VKT_VALUE_ERROR,
                    "%s: expected each axis once, got axis %d twice", op, (int)axis);
        seen |= 1u << axis;
        layout.shape[i] = in->shape[axis];
        layout.strides[i] = in->strides[axis];
    }
    vkt_layout_assign(out, &layout);
    return VKT_OK;
fail:
    return vkt_status_last();
}

static int64_t count_elems(const vkt_layout *layout)
{
    int64_t n = 1;
    for (int32_t i = 0; i < layout->ndim; i++) {
        if (layout->shape[i] == 0)
            return 0;
        n *= layout->shape[i];
    }
    return n;
}

void vkt_layout_slice(vkt_layout *layout, int32_t axis, int64_t start, int64_t step, int64_t count)
{
    assert(axis >= 0 && axis < layout->ndim && count >= 0);
    /* A start past the end or a step never taken must not move the view or overflow its stride. */
    if (count > 0)
        layout->offset += start * layout->strides[axis];
    if (count > 1)
        layout->strides[axis] *= step;
    layout->shape[axis] = count;
    layout->n_elems = count_elems(layout);
}

void vkt_layout_select(vkt_layout *layout, int32_t axis, int64_t index)
{
    assert(axis >= 0 && axis < layout->ndim && index >= 0 && index < layout->shape[axis]);
    layout->offset += index * layout->strides[axis];
    size_t n_behind = (size_t)(layout->ndim - axis - 1);
    memmove(&layout->shape[axis], &layout->shape[axis + 1], n_behind * sizeof(int64_t));
    memmove(&layout->strides[axis], &layout->strides[axis + 1], n_behind * sizeof(int64_t));
    layout->ndim--;
    layout->n_elems = count_elems(layout);
}

vkt_status vkt_layout_insert(const char *op, vkt_layout *layout, int32_t axis)
{
    VKT_REQUIRE(layout->ndim < VKT_MAX_NDIM, VKT_VALUE_ERROR,
                "%s: expected at most %d dimensions, got %d", op, VKT_MAX_NDIM, layout->ndim + 1);
    VKT_REQUIRE(axis >= 0 && axis <= layout->ndim, VKT_VALUE_ERROR,
                "%s: axis %d is out of bounds for %d dimensions", op, (int)axis, layout->ndim + 1);
    size_t n_behind = (size_t)(layout->ndim - axis);
    memmove(&layout->shape[axis + 1], &layout->shape[axis], n_behind * sizeof(int64_t));
    memmove(&layout->strides[axis + 1], &layout->strides[axis], n_behind * sizeof(int64_t));
    layout->shape[axis] = 1;
    layout->strides[axis] = 0;
    layout->ndim++;
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* Replaces the one -1 in `shape` by the length that makes n_elems; fills `out` as contiguous. */
static vkt_status resolve_shape(const char *op, int64_t n_elems, int32_t ndim, const int64_t *shape,
                                vkt_layout *out)
{
    char text[VKT_SHAPE_TEXT];
    int64_t resolved[VKT_MAX_NDIM], known = 1;
    int32_t unknown = -1;
    VKT_REQUIRE(ndim >= 0 && ndim <= VKT_MAX_NDIM, VKT_VALUE_ERROR,
                "%s: expected at most %d dimensions, got %d", op, VKT_MAX_NDIM, (int)ndim);
    bool fits = true;
    for (int32_t i = 0; i < ndim; i++) {
        resolved[i] = shape[i];
        if (shape[i] == -1) {
            VKT_REQUIRE(unknown < 0, VKT_VALUE_ERROR, "%s: expected at most one -1, got shape %s",
                        op, vkt_shape_text(ndim, shape, text));
            unknown = i;
        } else {
            VKT_REQUIRE(shape[i] >= 0, VKT_VALUE_ERROR,
                        "%s: expected lengths of at least 0 and at most one -1, got shape %s", op,
                        vkt_shape_text(ndim, shape, text));
            fits = fits && vkt_mul_i64(known, shape[i], &known);
        }
    }
    if (fits && unknown >= 0 && known > 0) {
        resolved[unknown] = n_elems / known;
        known *= resolved[unknown];
    } else if (unknown >= 0) {
        fits = false; /* any length would do beside a 0: refused, as NumPy does */
    }
    VKT_REQUIRE(fits && known == n_elems, VKT_VALUE_ERROR,
                "%s: %" PRId64 " elements do not make shape %s", op, n_elems,
                vkt_shape_text(ndim, shape, text));
    VKT_TRY(vkt_layout_init(op, ndim, resolved, WIDEST_ELEM_NBYTES, out));
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* Gives `out` (whose shape is set) strides over the elements of `in`, in C order; false when no
 * strides can. Dims are matched in groups of equal element count; inside a group the old dims must
 * follow each other without a gap. */
static bool find_view_strides(const vkt_layout *in, vkt_layout *out)
{
    int64_t shape[VKT_MAX_NDIM], strides[VKT_MAX_NDIM];
    int32_t n_old = 0;
    for (int32_t i = 0; i < in->ndim; i++) {
        if (in->shape[i] != 1) {
            shape[n_old] = in->shape[i];
            strides[n_old++] = in->strides[i];
        }
    }
    int32_t old = 0, now = 0;
    while (old < n_old) {
        int32_t old_end = old + 1, now_end = now + 1;
        int64_t n_in_old = shape[old], n_in_now = out->shape[now];
        while (n_in_old != n_in_now) {
            if (n_in_now < n_in_old)
                n_in_now *= out->shape[now_end++];
            else
                n_in_old *= shape[old_end++];
        }
        for (int32_t i = old; i + 1 < old_end; i++) {
            if (strides[i] != shape[i + 1] * strides[i + 1])
                return false;
        }
        int64_t stride = strides[old_end - 1];
        for (int32_t i = now_end - 1; i >= now; i--) {
            out->strides[i] = stride;
            stride *= out->shape[i];
        }
        old = old_end;
        now = now_end;
    }
    for (; now < out->ndim; now++)
        out->strides[now] = 1; /* only lengths of 1 remain */
    return true;
}

vkt_status vkt_layout_reshape(const char *op, const vkt_layout *in, int32_t ndim,
                              const int64_t *shape, vkt_layout *out, bool *is_view)
{
    vkt_layout contiguous, view;
    VKT_TRY(resolve_shape(op, in->n_elems, ndim, shape, &contiguous));
    vkt_layout_assign(&view, &contiguous);
    view.offset = in->offset;
    *is_view = vkt_layout_is_contiguous(in) || find_view_strides(in, &view);
    vkt_layout_assign(out, *is_view ? &view : &contiguous);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_layout_reinterpret(const char *op, const vkt_layout *in, int64_t from_nbytes,
                                  int64_t to_nbytes, vkt_layout *out)
{
    vkt_layout_assign(out, in);
    if (from_nbytes == to_nbytes)
        return VKT_OK;
    int32_t last = in->ndim - 1;
    VKT_REQUIRE(last >= 0, VKT_VALUE_ERROR,
                "%s: a 0-d tensor cannot become elements of another size", op);
    bool empty = in->n_elems == 0;
    VKT_REQUIRE(empty || in->shape[last] <= 1 || in->strides[last] == 1, VKT_VALUE_ERROR,
                "%s: expected a contiguous last dimension to change the size of elements", op);
    int64_t nbytes = in->shape[last] * from_nbytes;
    VKT_REQUIRE(nbytes % to_nbytes == 0, VKT_VALUE_ERROR,
                "%s: rows of %lld bytes are no whole number of elements of %lld", op,
                (long long)nbytes, (long long)to_nbytes);
    bool aligned = empty || in->offset * from_nbytes % to_nbytes == 0;
    out->offset = in->offset * from_nbytes / to_nbytes;
    for (int32_t i = 0; i < last; i++) {
        aligned &= empty || in->shape[i] <= 1 || in->strides[i] * from_nbytes % to_nbytes == 0;
        out->strides[i] = in->strides[i] * from_nbytes / to_nbytes;
    }
    VKT_REQUIRE(aligned, VKT_VALUE_ERROR, "%s: the rows do not begin at multiples of %lld bytes",
                op, (long long)to_nbytes);
    out->shape[last] = nbytes / to_nbytes;
    out->strides[last] = 1;
    out->n_elems = in->n_elems * from_nbytes / to_nbytes;
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_layout_extent(const vkt_layout *layout, int64_t *low, int64_t *high)
{
    *low = *high = 0;
    if (layout->n_elems == 0)
        return;
    *low = *high = layout->offset;
    for (int32_t i = 0; i < layout->ndim; i++) {
        int64_t reach = (layout->shape[i] - 1) * layout->strides[i];
        *(reach < 0 ? low : high) += reach;
    }
    *high += 1;
}

static uint64_t find_gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* |stride| of dim i in bytes; 0 for a dim that is never stepped along. */
static uint64_t get_step(const vkt_layout *layout, uint64_t nbytes, int32_t i)
{
    int64_t stride = layout->shape[i] > 1 ? layout->strides[i] : 0;
    return (uint64_t)(stride < 0 ? -stride : stride) * nbytes;
}

/* The bytes a view touches modulo `period` lie in [start, start + width): steps that are multiples
 * of it go nowhere. */
static void find_residues(const vkt_layout *layout, uint64_t nbytes, uint64_t period,
                          int64_t *start, uint64_t *width)
{
    *start = layout->offset * (int64_t)nbytes;
    *width = nbytes;
    for (int32_t i = 0; i < layout->ndim; i++) {
        uint64_t step = get_step(layout, nbytes, i);
        if (step % period == 0)
            continue;
        uint64_t reach = step * (uint64_t)(layout->shape[i] - 1);
        *width += reach;
        if (layout->strides[i] < 0)
            *start -= (int64_t)reach;
    }
}

static bool share_residues(const vkt_layout *a, uint64_t a_nbytes, const vkt_layout *b,
                           uint64_t b_nbytes, uint64_t period)
{
    int64_t a_start, b_start;
    uint64_t a_width, b_width;
    find_residues(a, a_nbytes, period, &a_start, &a_width);
    find_residues(b, b_nbytes, period, &b_start, &b_width);
    int64_t apart = b_start - a_start;
    uint64_t ahead =
        apart >= 0 ? (uint64_t)apart % period : (period - (uint64_t)-apart % period) % period;
    return ahead < a_width || period - ahead < b_width;
}

bool vkt_layout_may_overlap(const vkt_layout *a, uint64_t a_nbytes, const vkt_layout *b,
                            uint64_t b_nbytes)
{
    if (a->n_elems == 0 || b->n_elems == 0)
        return false;
    int64_t a_low, a_high, b_low, b_high;
    vkt_layout_extent(a, &a_low, &a_high);
    vkt_layout_extent(b, &b_low, &b_high);
    if (a_high * (int64_t)a_nbytes <= b_low * (int64_t)b_nbytes ||
        b_high * (int64_t)b_nbytes <= a_low * (int64_t)a_nbytes)
        return false;

    /* Interleaved views, as even and odd elements, or left and right columns, differ modulo one of
     * the steps or their common divisor. */
    uint64_t common = 0;
    for (int which = 0; which < 2; which++) {
        const vkt_layout *layout = which ? b : a;
        for (int32_t i = 0; i < layout->ndim; i++) {
            uint64_t step = get_step(layout, which ? b_nbytes : a_nbytes, i);
            common = find_gcd(common, step);
            if (step != 0 && !share_residues(a, a_nbytes, b, b_nbytes, step))
                return false;
        }
    }
    return common == 0 || share_residues(a, a_nbytes, b, b_nbytes, common);
}

/* Lists the dims longer than 1 in `dims`, the first operand's largest stride first; dims of equal
 * stride stay in C order. */
static int32_t sort_dims(const vkt_layout *first, int32_t *dims)
{
    int64_t keys[VKT_MAX_NDIM];
    int32_t n = 0;
    for (int32_t i = 0; i < first->ndim; i++) {
        if (first->shape[i] == 1)
            continue;
        int64_t key = first->strides[i] < 0 ? -first->strides[i] : first->strides[i];
        int32_t at = n++;
        for (; at > 0 && keys[at - 1] < key; at--) {
            keys[at] = keys[at - 1];
            dims[at] = dims[at - 1];
        }
        keys[at] = key;
        dims[at] = i;
    }
    return n;
}

/* True when stepping once along `outer` equals running along the whole of the space's dim `inner`,
 * for every operand. */
static bool can_merge(const vkt_space *space, int32_t inner, const vkt_layout *const *layouts,
                      int32_t outer, bool flip)
{
    for (int k = 0; k < space->n_operands; k++) {
        int64_t stride = layouts[k]->strides[outer];
        if ((flip ? -stride : stride) != space->strides[k][inner] * space->shape[inner])
            return false;
    }
    return true;
}

void vkt_space_init(const vkt_layout *const *layouts, int n, vkt_space *out)
{
    assert(n >= 1 && n <= VKT_MAX_OPERANDS);
    const vkt_layout *first = layouts[0];
    int32_t dims[VKT_MAX_NDIM];
    out->n_operands = n;
    for (int k = 0; k < n; k++) {
        assert(vkt_layout_same_shape(first, layouts[k]));
        out->offsets[k] = layouts[k]->offset;
    }
    if (first->n_elems == 0) {
        out->ndim = 1;
        out->shape[0] = 0;
        for (int k = 0; k < n; k++)
            out->strides[k][0] = 0;
        return;
    }

    /* Built from the innermost dim outwards at the end of the arrays, where merging only ever
     * touches the last one written. */
    int32_t n_dims = sort_dims(first, dims), at = n_dims;
    for (int32_t i = n_dims - 1; i >= 0; i--) {
        int32_t dim = dims[i];
        int64_t length = first->shape[dim];
        bool flip = first->strides[dim] < 0;
        for (int k = 0; flip && k < n; k++)
            out->offsets[k] += (length - 1) * layouts[k]->strides[dim];
        if (at < n_dims && can_merge(out, at, layouts, dim, flip)) {
            out->shape[at] *= length;
            continue;
        }
        at--;
        out->shape[at] = length;
        for (int k = 0; k < n; k++) {
            int64_t stride = layouts[k]->strides[dim];
            out->strides[k][at] = flip ? -stride : stride;
        }
    }
    out->ndim = n_dims - at;
    for (int32_t i = 0; at > 0 && i < out->ndim; i++) {
        out->shape[i] = out->shape[at + i];
        for (int k = 0; k < n; k++)
            out->strides[k][i] = out->strides[k][at + i];
    }
}

vkt_fastdiv vkt_fastdiv_init(uint32_t divisor)
{
    assert(divisor >= 1 && divisor < UINT32_C(1) << 31);
    uint32_t shift = 0;
    while (UINT32_C(1) << shift < divisor)
        shift++;
    uint64_t excess = (UINT64_C(1) << shift) - divisor;
    return (vkt_fastdiv){
        .divisor = divisor,
        .multiplier = (uint32_t)((excess << 32) / divisor + 1),
        .shift = shift,
    };
}
