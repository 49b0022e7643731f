/* test_layout.c - layouts case by case: counts, limits, error texts, extents. */
#include <stdlib.h>

#include "check.h"
#include "tensor/layout.h"

#define LAYOUT(name, ...)                                                                          \
    vkt_layout name;                                                                               \
    do {                                                                                           \
        const int64_t shape_[] = {__VA_ARGS__};                                                    \
        CHECK_OK(vkt_layout_init("test", (int32_t)(sizeof(shape_) / 8), shape_, 4, &name));        \
    } while (0)

static void check_shape(const vkt_layout *layout, const char *expected)
{
    char text[VKT_SHAPE_TEXT];
    CHECK_TEXT(vkt_shape_text(layout->ndim, layout->shape, text), expected);
}

static void check_strides(const vkt_layout *layout, const char *expected)
{
    char text[VKT_SHAPE_TEXT];
    CHECK_TEXT(vkt_shape_text(layout->ndim, layout->strides, text), expected);
}

static void shape_text_looks_like_a_python_tuple(void)
{
    char text[VKT_SHAPE_TEXT];
    int64_t shape[VKT_MAX_NDIM + 4] = {0};
    CHECK_TEXT(vkt_shape_text(0, shape, text), "()");
    shape[0] = 3;
    shape[1] = -4;
    CHECK_TEXT(vkt_shape_text(1, shape, text), "(3,)");
    CHECK_TEXT(vkt_shape_text(2, shape, text), "(3, -4)");
    for (int i = 0; i < VKT_MAX_NDIM + 4; i++)
        shape[i] = INT64_MIN;
    CHECK_UINT(strlen(vkt_shape_text(VKT_MAX_NDIM, shape, text)), 16 * 20 + 15 * 2 + 2);
    CHECK(strlen(vkt_shape_text(VKT_MAX_NDIM + 4, shape, text)) < VKT_SHAPE_TEXT);
    CHECK_TEXT(text + strlen(text) - 8, "08, ...)");
}

static void init_gives_c_order_and_counts_elements(void)
{
    LAYOUT(layout, 2, 3, 4);
    CHECK_INT(layout.n_elems, 24);
    CHECK_INT(layout.offset, 0);
    check_strides(&layout, "(12, 4, 1)");
    CHECK(vkt_layout_is_contiguous(&layout));

    vkt_layout scalar;
    CHECK_OK(vkt_layout_init("test", 0, NULL, 4, &scalar));
    CHECK_INT(scalar.n_elems, 1);
    CHECK_INT(scalar.ndim, 0);
    CHECK(vkt_layout_is_contiguous(&scalar));

    LAYOUT(empty, 5, 0, 7);
    CHECK_INT(empty.n_elems, 0);
    CHECK(vkt_layout_is_contiguous(&empty));
}

static void init_refuses_what_does_not_fit(void)
{
    vkt_layout out;
    int64_t many[VKT_MAX_NDIM + 1] = {0};
    CHECK_FAILS(vkt_layout_init("zeros", VKT_MAX_NDIM + 1, many, 4, &out), VKT_VALUE_ERROR,
                "zeros: expected at most 16 dimensions, got 17");
    CHECK_FAILS(vkt_layout_init("zeros", 2, (const int64_t[]){3, -1}, 4, &out), VKT_VALUE_ERROR,
                "zeros: expected lengths of at least 0, got (3, -1)");
    CHECK_FAILS(vkt_layout_init("zeros", 1, (const int64_t[]){INT64_MAX}, 2, &out), VKT_VALUE_ERROR,
                "zeros: shape (9223372036854775807,) needs more bytes than fit in 63 bits");
    CHECK_FAILS(vkt_layout_init("zeros", 2, (const int64_t[]){1ll << 32, 1ll << 32}, 1, &out),
                VKT_VALUE_ERROR,
                "zeros: shape (4294967296, 4294967296) needs more bytes than fit in 63 bits");
    CHECK_INT(vkt_layout_init("zeros", 3, (const int64_t[]){1ll << 62, 0, 4}, 1, &out),
              VKT_VALUE_ERROR);
    CHECK_OK(vkt_layout_init("zeros", 1, (const int64_t[]){INT64_MAX}, 1, &out));
    CHECK_INT(out.n_elems, INT64_MAX);
    CHECK_OK(vkt_layout_init("zeros", 1, (const int64_t[]){INT64_MAX / 8}, 8, &out));
    CHECK_INT(vkt_layout_init("zeros", 1, (const int64_t[]){INT64_MAX / 8 + 1}, 8, &out),
              VKT_VALUE_ERROR);
}

static void contiguity_ignores_dims_of_length_one(void)
{
    LAYOUT(layout, 2, 1, 3);
    layout.strides[1] = -77;
    CHECK(vkt_layout_is_contiguous(&layout));
    layout.strides[0] = 4;
    CHECK(!vkt_layout_is_contiguous(&layout));
    LAYOUT(line, 5);
    line.strides[0] = -1;
    CHECK(!vkt_layout_is_contiguous(&line));
    line.strides[0] = 0;
    CHECK(!vkt_layout_is_contiguous(&line));
}

static void same_shape_looks_at_shapes_only(void)
{
    LAYOUT(a, 2, 3);
    LAYOUT(b, 2, 3);
    LAYOUT(c, 2, 3, 1);
    b.offset = 5;
    b.strides[0] = 9;
    CHECK(vkt_layout_same_shape(&a, &b));
    CHECK(!vkt_layout_same_shape(&a, &c));
    b.shape[1] = 4;
    CHECK(!vkt_layout_same_shape(&a, &b));
}

static void broadcast_follows_numpy_for_every_pair_of_small_shapes(void)
{
    /* Lengths 0..3 in up to two dims, against the rule spelled out one dim at a time. */
    for (int code = 0; code < 21 * 21; code++) {
        check_trial = code;
        vkt_layout pair[2], out;
        for (int k = 0; k < 2; k++) {
            int which = k ? code / 21 : code % 21;
            int32_t ndim = which == 0 ? 0 : which < 5 ? 1 : 2;
            int64_t two[2] = {which < 5 ? which - 1 : (which - 5) / 4, (which - 5) % 4};
            CHECK_OK(vkt_layout_init("test", ndim, two, 4, &pair[k]));
        }
        bool fits = true;
        int64_t expected[2] = {1, 1};
        int32_t ndim = pair[0].ndim > pair[1].ndim ? pair[0].ndim : pair[1].ndim;
        for (int32_t i = 1; i <= ndim; i++) {
            int64_t a = i <= pair[0].ndim ? pair[0].shape[pair[0].ndim - i] : 1;
            int64_t b = i <= pair[1].ndim ? pair[1].shape[pair[1].ndim - i] : 1;
            fits = fits && (a == b || a == 1 || b == 1);
            expected[ndim - i] = a == 1 ? b : a;
        }
        const vkt_layout *both[2] = {&pair[0], &pair[1]};
        CHECK_INT(vkt_layout_broadcast("test", both, 2, &out), fits ? VKT_OK : VKT_VALUE_ERROR);
        if (fits) {
            CHECK_INT(out.ndim, ndim);
            for (int32_t i = 0; i < ndim; i++)
                CHECK_INT(out.shape[i], expected[i]);
            CHECK(vkt_layout_is_contiguous(&out));
        }
    }
}

static void broadcast_names_the_op_and_the_two_shapes_in_the_way(void)
{
    LAYOUT(a, 3, 4);
    LAYOUT(b, 5);
    LAYOUT(c, 2, 1, 1);
    vkt_layout out;
    const vkt_layout *three[3] = {&a, &c, &b};
    CHECK_FAILS(vkt_layout_broadcast("add", three, 3, &out), VKT_VALUE_ERROR,
                "add: shapes (3, 4) and (5,) do not broadcast");
    CHECK_OK(vkt_layout_broadcast("add", three, 2, &out));
    check_shape(&out, "(2, 3, 4)");

    LAYOUT(tall, 1ll << 40, 1);
    LAYOUT(wide, 1ll << 40);
    const vkt_layout *huge[2] = {&tall, &wide};
    CHECK_INT(vkt_layout_broadcast("add", huge, 2, &out), VKT_VALUE_ERROR);
}

static void broadcast_to_grows_by_zero_strides_only(void)
{
    LAYOUT(in, 3, 1);
    in.offset = 7;
    vkt_layout out;
    CHECK_OK(vkt_layout_broadcast_to("test", &in, 3, (const int64_t[]){2, 3, 4}, &out));
    check_strides(&out, "(0, 1, 0)");
    CHECK_INT(out.offset, 7);
    CHECK_INT(out.n_elems, 24);
    CHECK_OK(vkt_layout_broadcast_to("test", &in, 2, (const int64_t[]){3, 0}, &out));
    CHECK_INT(out.n_elems, 0);
    CHECK_FAILS(vkt_layout_broadcast_to("broadcast_to", &in, 1, (const int64_t[]){3}, &out),
                VKT_VALUE_ERROR, "broadcast_to: shape (3, 1) does not broadcast to (3,)");
    CHECK_FAILS(vkt_layout_broadcast_to("broadcast_to", &in, 2, (const int64_t[]){1, 1}, &out),
                VKT_VALUE_ERROR, "broadcast_to: shape (3, 1) does not broadcast to (1, 1)");
    CHECK_INT(vkt_layout_broadcast_to("test", &in, 2, (const int64_t[]){3, -1}, &out),
              VKT_VALUE_ERROR);
    CHECK_INT(vkt_layout_broadcast_to("test", &in, 2, (const int64_t[]){3, INT64_MAX}, &out),
              VKT_VALUE_ERROR);
}

static void permute_refuses_bad_axes(void)
{
    LAYOUT(in, 2, 3, 4);
    vkt_layout out;
    CHECK_OK(vkt_layout_permute("test", &in, (const int32_t[]){2, 0, 1}, &out));
    check_shape(&out, "(4, 2, 3)");
    check_strides(&out, "(1, 12, 4)");
    CHECK_FAILS(vkt_layout_permute("permute_dims", &in, (const int32_t[]){0, 1, 3}, &out),
                VKT_VALUE_ERROR, "permute_dims: axis 3 is out of bounds for 3 dimensions");
    CHECK_FAILS(vkt_layout_permute("permute_dims", &in, (const int32_t[]){0, -1, 2}, &out),
                VKT_VALUE_ERROR, "permute_dims: axis -1 is out of bounds for 3 dimensions");
    CHECK_FAILS(vkt_layout_permute("permute_dims", &in, (const int32_t[]){0, 1, 1}, &out),
                VKT_VALUE_ERROR, "permute_dims: expected each axis once, got axis 1 twice");
    CHECK_OK(vkt_layout_permute("test", &in, (const int32_t[]){2, 1, 0}, &in));
    check_shape(&in, "(4, 3, 2)");
}

static void slice_of_nothing_stays_inside_its_block(void)
{
    LAYOUT(layout, 4, 5);
    vkt_layout_slice(&layout, 0, 4, INT64_MAX, 0);
    CHECK_INT(layout.offset, 0);
    CHECK_INT(layout.n_elems, 0);

    LAYOUT(one, 4, 5);
    vkt_layout_slice(&one, 1, 4, INT64_MIN, 1);
    CHECK_INT(one.offset, 4);
    CHECK_INT(one.n_elems, 4);
    check_shape(&one, "(4, 1)");
}

static void insert_refuses_one_dim_too_many(void)
{
    LAYOUT(layout, 2, 3);
    CHECK_OK(vkt_layout_insert("test", &layout, 2));
    CHECK_OK(vkt_layout_insert("test", &layout, 0));
    check_shape(&layout, "(1, 2, 3, 1)");
    CHECK_FAILS(vkt_layout_insert("expand_dims", &layout, 5), VKT_VALUE_ERROR,
                "expand_dims: axis 5 is out of bounds for 5 dimensions");
    while (layout.ndim < VKT_MAX_NDIM)
        CHECK_OK(vkt_layout_insert("test", &layout, 1));
    CHECK_INT(layout.n_elems, 6);
    CHECK_FAILS(vkt_layout_insert("expand_dims", &layout, 0), VKT_VALUE_ERROR,
                "expand_dims: expected at most 16 dimensions, got 17");
}

static void reshape_resolves_one_unknown_length(void)
{
    LAYOUT(in, 4, 6);
    vkt_layout out;
    bool view = false;
    CHECK_OK(vkt_layout_reshape("test", &in, 3, (const int64_t[]){2, -1, 3}, &out, &view));
    check_shape(&out, "(2, 4, 3)");
    CHECK(view);
    CHECK_OK(vkt_layout_reshape("test", &in, 1, (const int64_t[]){-1}, &out, &view));
    check_shape(&out, "(24,)");
    LAYOUT(empty, 0, 6);
    CHECK_OK(vkt_layout_reshape("test", &empty, 2, (const int64_t[]){-1, 3}, &out, &view));
    check_shape(&out, "(0, 3)");
    CHECK_FAILS(vkt_layout_reshape("reshape", &in, 2, (const int64_t[]){5, -1}, &out, &view),
                VKT_VALUE_ERROR, "reshape: 24 elements do not make shape (5, -1)");
    CHECK_FAILS(vkt_layout_reshape("reshape", &in, 2, (const int64_t[]){-1, -1}, &out, &view),
                VKT_VALUE_ERROR, "reshape: expected at most one -1, got shape (-1, -1)");
    CHECK_FAILS(vkt_layout_reshape("reshape", &empty, 2, (const int64_t[]){-1, 0}, &out, &view),
                VKT_VALUE_ERROR, "reshape: 0 elements do not make shape (-1, 0)");
    CHECK_FAILS(vkt_layout_reshape("reshape", &in, 1, (const int64_t[]){-2}, &out, &view),
                VKT_VALUE_ERROR,
                "reshape: expected lengths of at least 0 and at most one -1, got shape (-2,)");
    CHECK_INT(vkt_layout_reshape("test", &in, 3, (const int64_t[]){1ll << 62, 8, -1}, &out, &view),
              VKT_VALUE_ERROR);
    CHECK_INT(vkt_layout_reshape("test", &in, 0, NULL, &out, &view), VKT_VALUE_ERROR);
    int64_t ones[VKT_MAX_NDIM + 1];
    for (int i = 0; i < VKT_MAX_NDIM + 1; i++)
        ones[i] = 1;
    CHECK_INT(vkt_layout_reshape("test", &in, VKT_MAX_NDIM + 1, ones, &out, &view),
              VKT_VALUE_ERROR);
}

static void extent_covers_negative_strides(void)
{
    int64_t low, high;
    LAYOUT(layout, 3, 4);
    layout.offset = 100;
    layout.strides[1] = -2;
    vkt_layout_extent(&layout, &low, &high);
    CHECK_INT(low, 94);
    CHECK_INT(high, 109);
    LAYOUT(empty, 3, 0);
    empty.offset = 9;
    vkt_layout_extent(&empty, &low, &high);
    CHECK_INT(low, 0);
    CHECK_INT(high, 0);
}

void run_layout_tests(void)
{
    RUN(shape_text_looks_like_a_python_tuple);
    RUN(init_gives_c_order_and_counts_elements);
    RUN(init_refuses_what_does_not_fit);
    RUN(contiguity_ignores_dims_of_length_one);
    RUN(same_shape_looks_at_shapes_only);
    RUN(broadcast_follows_numpy_for_every_pair_of_small_shapes);
    RUN(broadcast_names_the_op_and_the_two_shapes_in_the_way);
    RUN(broadcast_to_grows_by_zero_strides_only);
    RUN(permute_refuses_bad_axes);
    RUN(slice_of_nothing_stays_inside_its_block);
    RUN(insert_refuses_one_dim_too_many);
    RUN(reshape_resolves_one_unknown_length);
    RUN(extent_covers_negative_strides);
}
