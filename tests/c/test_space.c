/* test_space.c - iteration spaces beside the elements they must visit, and exact division. */
#include <stdlib.h>

#include "check.h"
#include "tensor/layout.h"

#define MAX_OPERANDS 4
#define MAX_ELEMS    2048

typedef struct visit {
    int64_t at[MAX_OPERANDS]; /* the element of each operand */
} visit;

static int compare_visits(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(visit));
}

/* The elements that shape, strides and offsets address together, in C order. */
static int64_t list_visits(int32_t ndim, const int64_t *shape, const int64_t *const *strides,
                           const int64_t *offsets, int n, visit *visits)
{
    int64_t n_elems = 1;
    for (int32_t i = 0; i < ndim; i++)
        n_elems *= shape[i];
    for (int64_t flat = 0; flat < n_elems; flat++) {
        int64_t rest = flat;
        memset(&visits[flat], 0, sizeof(visit));
        for (int k = 0; k < n; k++)
            visits[flat].at[k] = offsets[k];
        for (int32_t i = ndim - 1; i >= 0; i--) {
            for (int k = 0; k < n; k++)
                visits[flat].at[k] += rest % shape[i] * strides[k][i];
            rest /= shape[i];
        }
    }
    return n_elems;
}

static void check_is_canonical(const vkt_space *space)
{
    for (int32_t i = 0; i < space->ndim; i++) {
        CHECK(space->shape[i] > 1);
        CHECK(space->strides[0][i] >= 0);
    }
    for (int32_t i = 0; i + 1 < space->ndim; i++) {
        CHECK(space->strides[0][i] >= space->strides[0][i + 1]);
        bool mergeable = true;
        for (int k = 0; k < space->n_operands; k++)
            mergeable =
                mergeable && space->strides[k][i] == space->strides[k][i + 1] * space->shape[i + 1];
        CHECK(!mergeable);
    }
}

static void check_space(const vkt_layout *layouts, int n)
{
    static visit expected[MAX_ELEMS], got[MAX_ELEMS];
    const vkt_layout *pointers[MAX_OPERANDS];
    const int64_t *strides[MAX_OPERANDS], *space_strides[MAX_OPERANDS];
    int64_t offsets[MAX_OPERANDS];
    vkt_space space;
    for (int k = 0; k < n; k++) {
        pointers[k] = &layouts[k];
        strides[k] = layouts[k].strides;
        offsets[k] = layouts[k].offset;
        space_strides[k] = space.strides[k];
    }
    memset(&space, 0xA5, sizeof(space));
    vkt_space_init(pointers, n, &space);
    CHECK_INT(space.n_operands, n);
    int64_t n_expected =
        list_visits(layouts[0].ndim, layouts[0].shape, strides, offsets, n, expected);
    int64_t n_got = list_visits(space.ndim, space.shape, space_strides, space.offsets, n, got);
    CHECK_INT(n_got, n_expected);
    if (n_got != n_expected)
        return;
    qsort(expected, (size_t)n_expected, sizeof(visit), compare_visits);
    qsort(got, (size_t)n_got, sizeof(visit), compare_visits);
    CHECK(memcmp(expected, got, (size_t)n_got * sizeof(visit)) == 0);
    if (n_expected > 0)
        check_is_canonical(&space);
}

/* A layout of the shape: C order, or permuted, reversed, broadcast or gapped dims. */
static vkt_layout make_operand(uint64_t *seed, int32_t ndim, const int64_t *shape)
{
    vkt_layout layout = {.ndim = ndim, .n_elems = 1, .offset = random_in(seed, 0, 1000)};
    int32_t order[VKT_MAX_NDIM];
    for (int32_t i = 0; i < ndim; i++) {
        order[i] = i;
        layout.shape[i] = shape[i];
        layout.n_elems *= shape[i];
    }
    if (random_in(seed, 0, 1)) {
        for (int32_t i = ndim - 1; i > 0; i--) {
            int64_t j = random_in(seed, 0, i);
            int32_t swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
    }
    int64_t stride = random_in(seed, 0, 3) ? 1 : 2;
    for (int32_t i = ndim - 1; i >= 0; i--) {
        int32_t dim = order[i];
        layout.strides[dim] = random_in(seed, 0, 7) ? stride : random_in(seed, 0, 1) ? -stride : 0;
        stride *= shape[dim] > 0 ? shape[dim] : 1;
        stride += random_in(seed, 0, 5) ? 0 : 3;
    }
    return layout;
}

static void spaces_visit_every_element_once_and_are_canonical(void)
{
    int before = check_failures;
    for (check_trial = 1; check_trial <= 20000 && check_failures == before; check_trial++) {
        uint64_t seed = (uint64_t)check_trial * UINT64_C(0x9E3779B97F4A7C15);
        int32_t ndim = (int32_t)random_in(&seed, 0, 5);
        int n = (int)random_in(&seed, 1, MAX_OPERANDS);
        int64_t shape[VKT_MAX_NDIM];
        vkt_layout layouts[MAX_OPERANDS];
        for (int32_t i = 0; i < ndim; i++)
            shape[i] = random_in(&seed, random_in(&seed, 0, 60) ? 1 : 0, 4);
        for (int k = 0; k < n; k++)
            layouts[k] = make_operand(&seed, ndim, shape);
        check_space(layouts, n);
    }
}

static void contiguous_operands_become_one_dim(void)
{
    vkt_layout a, b;
    vkt_space space;
    const vkt_layout *both[2] = {&a, &b};
    CHECK_OK(vkt_layout_init("test", 4, (const int64_t[]){2, 1, 3, 4}, 4, &a));
    b = a;
    b.offset = 5;
    vkt_space_init(both, 2, &space);
    CHECK_INT(space.ndim, 1);
    CHECK_INT(space.shape[0], 24);
    CHECK_INT(space.strides[0][0], 1);
    CHECK_INT(space.strides[1][0], 1);
    CHECK_INT(space.offsets[1], 5);

    /* Both transposed the same way: still one dim. Both reversed: one dim, from the low end. */
    CHECK_OK(vkt_layout_permute("test", &a, (const int32_t[]){3, 0, 2, 1}, &a));
    CHECK_OK(vkt_layout_permute("test", &b, (const int32_t[]){3, 0, 2, 1}, &b));
    for (int32_t i = 0; i < 4; i++) {
        vkt_layout_slice(&a, i, a.shape[i] - 1, -1, a.shape[i]);
        vkt_layout_slice(&b, i, b.shape[i] - 1, -1, b.shape[i]);
    }
    vkt_space_init(both, 2, &space);
    CHECK_INT(space.ndim, 1);
    CHECK_INT(space.shape[0], 24);
    CHECK_INT(space.strides[0][0], 1);
    CHECK_INT(space.strides[1][0], 1);
    CHECK_INT(space.offsets[0], 0);
    CHECK_INT(space.offsets[1], 5);
}

static void one_element_has_no_dims_and_nothing_has_one(void)
{
    vkt_layout one, none;
    vkt_space space;
    const vkt_layout *single = &one, *nothing = &none;
    CHECK_OK(vkt_layout_init("test", 3, (const int64_t[]){1, 1, 1}, 4, &one));
    vkt_space_init(&single, 1, &space);
    CHECK_INT(space.ndim, 0);
    CHECK_OK(vkt_layout_init("test", 3, (const int64_t[]){4, 0, 2}, 4, &none));
    vkt_space_init(&nothing, 1, &space);
    CHECK_INT(space.ndim, 1);
    CHECK_INT(space.shape[0], 0);
}

static void sixteen_dims_that_cannot_merge_all_stay(void)
{
    vkt_layout layout;
    vkt_space space;
    int64_t shape[VKT_MAX_NDIM];
    const vkt_layout *operands[VKT_MAX_OPERANDS];
    for (int i = 0; i < VKT_MAX_NDIM; i++)
        shape[i] = 3;
    CHECK_OK(vkt_layout_init("test", VKT_MAX_NDIM, shape, 4, &layout));
    for (int32_t i = 0; i < VKT_MAX_NDIM; i++)
        vkt_layout_slice(&layout, i, 0, 1, 2);
    for (int k = 0; k < VKT_MAX_OPERANDS; k++)
        operands[k] = &layout;
    vkt_space_init(operands, VKT_MAX_OPERANDS, &space);
    CHECK_INT(space.ndim, VKT_MAX_NDIM);
    CHECK_INT(space.n_operands, VKT_MAX_OPERANDS);
    for (int32_t i = 0; i < VKT_MAX_NDIM; i++)
        CHECK_INT(space.strides[VKT_MAX_OPERANDS - 1][i], layout.strides[i]);
}

static uint32_t divide(uint32_t n, vkt_fastdiv by)
{
    uint32_t high = (uint32_t)((uint64_t)n * by.multiplier >> 32);
    return (high + n) >> by.shift; /* 32-bit, as the shader does it */
}

static void check_division(uint32_t d)
{
    const uint32_t top = UINT32_C(0x7FFFFFFF);
    vkt_fastdiv by = vkt_fastdiv_init(d);
    CHECK_UINT(by.divisor, d);
    uint64_t seed = d;
    for (int i = 0; i < 8; i++) {
        /* Quotients change at multiples of d: the first, the last, random ones, and neighbours. */
        uint32_t q = i == 0 ? 1 : i == 1 ? top / d : (uint32_t)random_in(&seed, 0, top / d);
        for (int32_t side = -1; side <= 1; side++) {
            int64_t n = (int64_t)q * d + side;
            if (n >= 0 && n <= top)
                CHECK_UINT(divide((uint32_t)n, by), (uint32_t)n / d);
        }
    }
    CHECK_UINT(divide(0, by), 0);
    CHECK_UINT(divide(top, by), top / d);
}

static void fast_division_is_exact(void)
{
    for (uint32_t d = 1; d <= 70000; d++)
        check_division(d);
    for (uint32_t bit = 16; bit < 31; bit++) {
        for (int32_t side = -3; side <= 3; side++)
            check_division((UINT32_C(1) << bit) + (uint32_t)side);
    }
    uint64_t seed = 7;
    for (int i = 0; i < 100000; i++)
        check_division((uint32_t)random_in(&seed, 1, 0x7FFFFFFF) >> random_in(&seed, 0, 20) | 1u);
    check_division(UINT32_C(0x7FFFFFFF));
    check_division(UINT32_C(0x7FFFFFFE));
}

void run_space_tests(void)
{
    RUN(spaces_visit_every_element_once_and_are_canonical);
    RUN(contiguous_operands_become_one_dim);
    RUN(one_element_has_no_dims_and_nothing_has_one);
    RUN(sixteen_dims_that_cannot_merge_all_stay);
    RUN(fast_division_is_exact);
}
