/* test_views.c - random chains of views, beside a model that lists the address of every element. */
#include <stdlib.h>

#include "check.h"
#include "tensor/layout.h"

#define MAX_ELEMS 4096

/* What a view is: a shape, and the block's element behind each index in C order. Shares no code
 * with layouts. */
typedef struct model {
    int32_t ndim;
    int64_t shape[VKT_MAX_NDIM];
    int64_t n;
    int64_t at[MAX_ELEMS];
} model;

static int64_t count(const model *m)
{
    int64_t n = 1;
    for (int32_t i = 0; i < m->ndim; i++)
        n *= m->shape[i];
    return n;
}

/* Splits a flat index into one index per dim. */
static void unravel(const model *m, int64_t flat, int64_t *index)
{
    for (int32_t i = m->ndim - 1; i >= 0; i--) {
        index[i] = flat % m->shape[i];
        flat /= m->shape[i];
    }
}

static int64_t ravel(const model *m, const int64_t *index)
{
    int64_t flat = 0;
    for (int32_t i = 0; i < m->ndim; i++)
        flat = flat * m->shape[i] + index[i];
    return flat;
}

static int64_t find_address(const vkt_layout *layout, const int64_t *index)
{
    int64_t address = layout->offset;
    for (int32_t i = 0; i < layout->ndim; i++)
        address += index[i] * layout->strides[i];
    return address;
}

static void check_agrees(const vkt_layout *layout, const model *m)
{
    int64_t index[VKT_MAX_NDIM], low = INT64_MAX, high = INT64_MIN, got_low, got_high;
    CHECK_INT(layout->ndim, m->ndim);
    CHECK_INT(layout->n_elems, m->n);
    for (int32_t i = 0; i < m->ndim; i++)
        CHECK_INT(layout->shape[i], m->shape[i]);
    bool in_order = true;
    for (int64_t flat = 0; flat < m->n; flat++) {
        unravel(m, flat, index);
        CHECK_INT(find_address(layout, index), m->at[flat]);
        low = m->at[flat] < low ? m->at[flat] : low;
        high = m->at[flat] > high ? m->at[flat] : high;
        in_order = in_order && m->at[flat] == m->at[0] + flat;
    }
    vkt_layout_extent(layout, &got_low, &got_high);
    CHECK_INT(got_low, m->n ? low : 0);
    CHECK_INT(got_high, m->n ? high + 1 : 0);
    CHECK_INT(vkt_layout_is_contiguous(layout), in_order);
}

static void set_shape(model *m, int32_t ndim, const int64_t *shape)
{
    m->ndim = ndim;
    for (int32_t i = 0; i < ndim; i++)
        m->shape[i] = shape[i];
    m->n = count(m);
}

static void try_permute(uint64_t *seed, vkt_layout *layout, model *m, model *old)
{
    int32_t axes[VKT_MAX_NDIM];
    int64_t shape[VKT_MAX_NDIM], index[VKT_MAX_NDIM], before[VKT_MAX_NDIM];
    for (int32_t i = 0; i < m->ndim; i++)
        axes[i] = i;
    for (int32_t i = m->ndim - 1; i > 0; i--) {
        int64_t j = random_in(seed, 0, i);
        int32_t swapped = axes[i];
        axes[i] = axes[j];
        axes[j] = swapped;
    }
    for (int32_t i = 0; i < m->ndim; i++)
        shape[i] = old->shape[axes[i]];
    set_shape(m, old->ndim, shape);
    for (int64_t flat = 0; flat < m->n; flat++) {
        unravel(m, flat, index);
        for (int32_t i = 0; i < m->ndim; i++)
            before[axes[i]] = index[i];
        m->at[flat] = old->at[ravel(old, before)];
    }
    CHECK_OK(vkt_layout_permute("test", layout, axes, layout));
}

static void try_slice(uint64_t *seed, vkt_layout *layout, model *m, model *old)
{
    if (m->ndim == 0)
        return;
    int32_t axis = (int32_t)random_in(seed, 0, m->ndim - 1);
    int64_t length = m->shape[axis], index[VKT_MAX_NDIM], step = random_in(seed, 1, 3);
    int64_t start = random_in(seed, 0, length), n_fit = (length - start + step - 1) / step;
    if (random_in(seed, 0, 1) && start < length) {
        n_fit = start / step + 1;
        step = -step;
    }
    int64_t taken = random_in(seed, n_fit > 0 && random_in(seed, 0, 9) ? 1 : 0, n_fit);
    set_shape(m, old->ndim, old->shape);
    m->shape[axis] = taken;
    m->n = count(m);
    for (int64_t flat = 0; flat < m->n; flat++) {
        unravel(m, flat, index);
        index[axis] = start + index[axis] * step;
        m->at[flat] = old->at[ravel(old, index)];
    }
    vkt_layout_slice(layout, axis, start, step, taken);
}

static void try_select(uint64_t *seed, vkt_layout *layout, model *m, model *old)
{
    if (m->ndim == 0)
        return;
    int32_t axis = (int32_t)random_in(seed, 0, m->ndim - 1);
    if (m->shape[axis] == 0)
        return;
    int64_t chosen = random_in(seed, 0, m->shape[axis] - 1);
    int64_t index[VKT_MAX_NDIM], shape[VKT_MAX_NDIM];
    for (int32_t i = 0, to = 0; i < old->ndim; i++) {
        if (i != axis)
            shape[to++] = old->shape[i];
    }
    set_shape(m, old->ndim - 1, shape);
    for (int64_t flat = 0; flat < m->n; flat++) {
        unravel(m, flat, index);
        for (int32_t i = old->ndim - 1; i > axis; i--)
            index[i] = index[i - 1];
        index[axis] = chosen;
        m->at[flat] = old->at[ravel(old, index)];
    }
    vkt_layout_select(layout, axis, chosen);
}

static void try_insert(uint64_t *seed, vkt_layout *layout, model *m, model *old)
{
    if (m->ndim >= 6)
        return;
    int32_t axis = (int32_t)random_in(seed, 0, m->ndim);
    for (int32_t i = m->ndim; i > axis; i--)
        m->shape[i] = old->shape[i - 1];
    m->shape[axis] = 1;
    m->ndim++;
    CHECK_OK(vkt_layout_insert("test", layout, axis));
}

static void try_broadcast(uint64_t *seed, vkt_layout *layout, model *m, model *old)
{
    int64_t shape[VKT_MAX_NDIM], index[VKT_MAX_NDIM];
    int32_t extra = m->ndim < 5 ? (int32_t)random_in(seed, 0, 1) : 0;
    int64_t n = 1;
    for (int32_t i = 0; i < m->ndim + extra; i++) {
        shape[i] = i < extra ? random_in(seed, 0, 4) : old->shape[i - extra];
        if (i >= extra && shape[i] == 1)
            shape[i] = random_in(seed, 1, 3);
        n *= shape[i];
    }
    if (n > MAX_ELEMS)
        return;
    set_shape(m, old->ndim + extra, shape);
    for (int64_t flat = 0; flat < m->n; flat++) {
        unravel(m, flat, index);
        for (int32_t i = 0; i < old->ndim; i++)
            index[i] = old->shape[i] == 1 ? 0 : index[i + extra];
        m->at[flat] = old->at[ravel(old, index)];
    }
    CHECK_OK(vkt_layout_broadcast_to("test", layout, m->ndim, shape, layout));
}

/* A random shape with the model's number of elements: primes thrown into random dims. */
static int32_t split_elems(uint64_t *seed, int64_t n, int64_t *shape)
{
    int32_t ndim = (int32_t)random_in(seed, n == 1 ? 0 : 1, 5);
    for (int32_t i = 0; i < ndim; i++)
        shape[i] = 1;
    if (n == 0)
        shape[random_in(seed, 0, ndim - 1)] = 0;
    for (int64_t p = 2; n > 1; p++) {
        for (; n % p == 0; n /= p)
            shape[random_in(seed, 0, ndim - 1)] *= p;
    }
    return ndim;
}

/* True when some strides put the model's elements under its shape: each can only be one value. */
static bool strides_exist(const model *m)
{
    int64_t index[VKT_MAX_NDIM], strides[VKT_MAX_NDIM] = {0};
    for (int32_t i = 0; i < m->ndim; i++) {
        if (m->shape[i] > 1) {
            memset(index, 0, sizeof(index));
            index[i] = 1;
            strides[i] = m->at[ravel(m, index)] - m->at[0];
        }
    }
    for (int64_t flat = 0; flat < m->n; flat++) {
        unravel(m, flat, index);
        int64_t address = m->at[0];
        for (int32_t i = 0; i < m->ndim; i++)
            address += index[i] * strides[i];
        if (address != m->at[flat])
            return false;
    }
    return true;
}

static void try_reshape(uint64_t *seed, vkt_layout *layout, model *m)
{
    int64_t asked[VKT_MAX_NDIM];
    vkt_layout out;
    bool is_view = false;
    m->ndim = split_elems(seed, m->n, m->shape);
    memcpy(asked, m->shape, sizeof(asked));
    if (m->n > 0 && m->ndim > 0 && random_in(seed, 0, 2) == 0)
        asked[random_in(seed, 0, m->ndim - 1)] = -1;
    CHECK_OK(vkt_layout_reshape("test", layout, m->ndim, asked, &out, &is_view));
    CHECK_INT(is_view, strides_exist(m));
    if (!is_view) {
        CHECK(vkt_layout_is_contiguous(&out));
        CHECK_INT(out.offset, 0);
        for (int64_t flat = 0; flat < m->n; flat++)
            m->at[flat] = flat; /* the copy */
    }
    *layout = out;
}

static void step(uint64_t *seed, vkt_layout *layout, model *m, model *old)
{
    *old = *m;
    switch (random_in(seed, 0, 6)) {
    case 0:
        try_permute(seed, layout, m, old);
        break;
    case 1:
    case 2:
        try_slice(seed, layout, m, old);
        break;
    case 3:
        try_select(seed, layout, m, old);
        break;
    case 4:
        try_insert(seed, layout, m, old);
        break;
    case 5:
        try_broadcast(seed, layout, m, old);
        break;
    default:
        try_reshape(seed, layout, m);
    }
}

static void chains_of_views_address_what_the_model_lists(void)
{
    static model m, old;
    int before = check_failures;
    for (check_trial = 1; check_trial <= 3000 && check_failures == before; check_trial++) {
        uint64_t seed = (uint64_t)check_trial * UINT64_C(0x9E3779B97F4A7C15);
        vkt_layout layout;
        m.ndim = (int32_t)random_in(&seed, 0, 4);
        for (int32_t i = 0; i < m.ndim; i++)
            m.shape[i] = random_in(&seed, random_in(&seed, 0, 30) ? 1 : 0, 6);
        m.n = count(&m);
        for (int64_t flat = 0; flat < m.n; flat++)
            m.at[flat] = flat;
        CHECK_OK(vkt_layout_init("test", m.ndim, m.shape, 4, &layout));
        check_agrees(&layout, &m);
        for (int i = 0; i < 8; i++) {
            step(&seed, &layout, &m, &old);
            check_agrees(&layout, &m);
        }
    }
}

/* A small random view of a block of n_block elements. */
static vkt_layout make_view(uint64_t *seed, int64_t n_block)
{
    for (;;) {
        vkt_layout view = {.ndim = (int32_t)random_in(seed, 0, 3), .n_elems = 1};
        int64_t low, high;
        for (int32_t i = 0; i < view.ndim; i++) {
            view.shape[i] = random_in(seed, 0, 40) ? random_in(seed, 1, 5) : 0;
            view.strides[i] = random_in(seed, -12, 12);
            view.n_elems *= view.shape[i];
        }
        view.offset = random_in(seed, 0, n_block - 1);
        vkt_layout_extent(&view, &low, &high);
        if (low >= 0 && high <= n_block)
            return view;
    }
}

static void mark_bytes(const vkt_layout *view, int64_t nbytes, bool *touched)
{
    int64_t index[VKT_MAX_NDIM];
    model shape = {.ndim = view->ndim};
    memcpy(shape.shape, view->shape, sizeof(shape.shape));
    for (int64_t flat = 0; flat < view->n_elems; flat++) {
        unravel(&shape, flat, index);
        for (int64_t b = 0; b < nbytes; b++)
            touched[find_address(view, index) * nbytes + b] = true;
    }
}

static void views_said_to_be_apart_share_no_byte(void)
{
    static const int64_t widths[] = {1, 2, 4, 8};
    int n_apart = 0, n_missed = 0;
    for (check_trial = 1; check_trial <= 20000; check_trial++) {
        uint64_t seed = (uint64_t)check_trial * UINT64_C(0x9E3779B97F4A7C15);
        bool in_a[512] = {false}, in_b[512] = {false}, shared = false;
        int64_t a_nbytes = widths[random_in(&seed, 0, 3)], b_nbytes = a_nbytes;
        if (random_in(&seed, 0, 3) == 0)
            b_nbytes = widths[random_in(&seed, 0, 3)];
        vkt_layout a = make_view(&seed, 512 / a_nbytes), b = make_view(&seed, 512 / b_nbytes);
        mark_bytes(&a, a_nbytes, in_a);
        mark_bytes(&b, b_nbytes, in_b);
        for (int i = 0; i < 512; i++)
            shared = shared || (in_a[i] && in_b[i]);
        bool said = vkt_layout_may_overlap(&a, (uint64_t)a_nbytes, &b, (uint64_t)b_nbytes);
        CHECK(said || !shared);
        CHECK_INT(vkt_layout_may_overlap(&b, (uint64_t)b_nbytes, &a, (uint64_t)a_nbytes), said);
        n_apart += !shared;
        n_missed += said && !shared;
    }
    /* Caution may cost a copy, but rarely. */
    CHECK(n_missed * 4 < n_apart);
}

static void halves_columns_and_interleaved_elements_are_apart(void)
{
    vkt_layout base, a, b;
    CHECK_OK(vkt_layout_init("test", 2, (const int64_t[]){100, 64}, 4, &base));
    a = b = base;
    vkt_layout_slice(&a, 0, 0, 1, 50);
    vkt_layout_slice(&b, 0, 50, 1, 50);
    CHECK(!vkt_layout_may_overlap(&a, 4, &b, 4));
    a = b = base;
    vkt_layout_slice(&a, 1, 0, 1, 32);
    vkt_layout_slice(&b, 1, 63, -1, 32);
    CHECK(!vkt_layout_may_overlap(&a, 4, &b, 4));
    vkt_layout_slice(&b, 0, 99, -1, 100);
    CHECK(!vkt_layout_may_overlap(&a, 4, &b, 4));
    a = b = base;
    vkt_layout_slice(&a, 1, 0, 2, 32);
    vkt_layout_slice(&b, 1, 1, 2, 32);
    CHECK(!vkt_layout_may_overlap(&a, 4, &b, 4));
    vkt_layout_slice(&b, 0, 3, 5, 7);
    CHECK(!vkt_layout_may_overlap(&a, 4, &b, 4));
    CHECK(vkt_layout_may_overlap(&a, 4, &base, 4));
    vkt_layout_slice(&b, 0, 0, 1, 0);
    CHECK(!vkt_layout_may_overlap(&base, 4, &b, 4));
}

void run_view_tests(void)
{
    RUN(chains_of_views_address_what_the_model_lists);
    RUN(views_said_to_be_apart_share_no_byte);
    RUN(halves_columns_and_interleaved_elements_are_apart);
}
