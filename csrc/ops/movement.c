/* ops/movement.c - concat and take: elements move as words of bits. */
#include "ops/movement.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/text.h"
#include "ops/elementwise.h"
#include "ops/expr.h"
#include "ops/kernel_text.h"
#include "ops/note.h"
#include "ops/tuning.h"

/* ---- concat ------------------------------------------------------------------------------ */

/* Checks that the tensors fit, and gives dtype and shape of the result. */
static vkt_status check_concat(vkt_tensor *const *tensors, int n, int32_t axis, vkt_dtype *dtype,
                               int64_t *shape)
{
    const vkt_layout *first = &tensors[0]->layout;
    char text1[VKT_SHAPE_TEXT], text2[VKT_SHAPE_TEXT];
    VKT_REQUIRE(first->ndim > 0, VKT_VALUE_ERROR, "concat: expected at least one axis, got 0-d");
    VKT_REQUIRE(axis >= 0 && axis < first->ndim, VKT_VALUE_ERROR,
                "concat: expected an axis below %d, got %d", first->ndim, axis);
    *dtype = tensors[0]->dtype;
    memcpy(shape, first->shape, sizeof(*shape) * (size_t)first->ndim);
    for (int i = 1; i < n; i++) {
        const vkt_layout *layout = &tensors[i]->layout;
        VKT_REQUIRE(tensors[i]->device == tensors[0]->device, VKT_VALUE_ERROR,
                    "concat: the tensors are on two devices, %s and %s",
                    vkt_device_get_info(tensors[0]->device)->name,
                    vkt_device_get_info(tensors[i]->device)->name);
        bool fit = layout->ndim == first->ndim;
        for (int32_t d = 0; fit && d < first->ndim; d++)
            fit = d == axis || layout->shape[d] == first->shape[d];
        VKT_REQUIRE(fit && vkt_add_i64(shape[axis], layout->shape[axis], &shape[axis]),
                    VKT_VALUE_ERROR, "concat: shapes %s and %s do not fit along axis %d",
                    vkt_shape_text(first->ndim, first->shape, text1),
                    vkt_shape_text(layout->ndim, layout->shape, text2), axis);
        *dtype = vkt_dtype_promote(*dtype, tensors[i]->dtype);
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_concat(vkt_tensor *const *tensors, int n, int32_t axis, vkt_tensor **out)
{
    vkt_tensor *whole = NULL, *part = NULL;
    vkt_dtype dtype = VKT_BOOL;
    int64_t shape[VKT_MAX_NDIM], start = 0;
    VKT_REQUIRE(n > 0, VKT_VALUE_ERROR, "concat: expected at least one tensor");
    VKT_TRY(check_concat(tensors, n, axis, &dtype, shape));
    VKT_TRY(vkt_tensor_empty("concat", tensors[0]->device, dtype, tensors[0]->layout.ndim, shape,
                             &whole));
    for (int i = 0; i < n; i++) {
        int64_t length = tensors[i]->layout.shape[axis];
        if (tensors[i]->layout.n_elems > 0) {
            vkt_layout slice;
            vkt_arg value = {.tensor = tensors[i]};
            vkt_layout_assign(&slice, &whole->layout);
            vkt_layout_slice(&slice, axis, start, 1, length);
            VKT_TRY(vkt_tensor_view(whole, &slice, &part));
            VKT_TRY(vkt_assign("concat", part, &value));
            vkt_tensor_unref(part);
            part = NULL;
        }
        start += length;
    }
    *out = whole;
    return VKT_OK;
fail:
    vkt_tensor_unref(part);
    vkt_tensor_unref(whole);
    return vkt_status_last();
}

/* ---- take -------------------------------------------------------------------------------- */

/* Words of one dispatch: the kernel's division is exact below 2^31. */
#define MAX_WORDS (UINT64_C(1) << 30)
#define NOT_BAD   UINT32_MAX

/* The same members as MEMBERS, in the same order. */
typedef struct gather_args {
    uint64_t src, index, dst, bad;
    int64_t step_outer, step_axis, step_inner, axis_length;
    uint32_t n_work;
    uint32_t inner, inner_multiplier, inner_shift, count, count_multiplier, count_shift;
} gather_args;
#define ARGS_NBYTES 92u

static const char MEMBERS[] =
    "uint64_t src, index, dst, bad; int64_t step_outer, step_axis, step_inner, axis_length; "
    "uint n_work, inner, inner_multiplier, inner_shift, count, count_multiplier, "
    "count_shift;";

/* dst[outer, index, inner]: all in words, steps in bytes. */
typedef struct gather {
    vkt_tensor *x, *indices; /* owned, computed; indices are contiguous int32, int64 or uint64 */
    vkt_tensor *result;      /* owned until done */
    vkt_block *bad; /* owned: for each box along n_indices, the first index out of range in it */
    vkt_kernel *kernel;
    uint32_t word_nbytes, workgroup, items;
    uint64_t n_outer, n_indices, n_inner;
    uint64_t box[3]; /* what one dispatch takes of each */
    int64_t step_outer, step_axis, step_inner, axis_length;
} gather;

/* Merges the dims first .. last - 1 into one. False when they do not lie evenly. */
static bool merge_dims(const vkt_layout *layout, int32_t first, int32_t last, uint64_t *n,
                       int64_t *step)
{
    *n = 1;
    *step = 0;
    for (int32_t d = last - 1; d >= first; d--) {
        if (layout->shape[d] == 1)
            continue;
        if (*n == 1)
            *step = layout->strides[d];
        else if (layout->strides[d] != (int64_t)*n * *step)
            return false;
        *n *= (uint64_t)layout->shape[d];
    }
    return true;
}

static bool look_at(const vkt_layout *layout, int32_t axis, gather *g)
{
    g->step_axis = layout->strides[axis];
    g->axis_length = layout->shape[axis];
    return merge_dims(layout, 0, axis, &g->n_outer, &g->step_outer) &&
           merge_dims(layout, axis + 1, layout->ndim, &g->n_inner, &g->step_inner);
}

/* Makes words as wide as run length and alignment allow, up to 16 bytes. */
static void widen_words(gather *g)
{
    int64_t nbytes = vkt_dtypes[g->x->dtype].nbytes;
    g->step_outer *= nbytes;
    g->step_axis *= nbytes;
    g->step_inner *= nbytes;
    g->word_nbytes = (uint32_t)nbytes;
    uint64_t run = g->n_inner * (uint64_t)nbytes;
    if (g->step_inner != nbytes && g->n_inner > 1)
        return;
    uint64_t offset = (uint64_t)(g->x->layout.offset * nbytes);
    uint64_t bits = run | offset | (uint64_t)g->step_outer | (uint64_t)g->step_axis | 16;
    g->word_nbytes = (uint32_t)(bits & (~bits + 1));
    g->n_inner = run / g->word_nbytes;
    g->step_inner = g->word_nbytes;
}

static vkt_status find_kernel(gather *g)
{
    const vkt_device_info *info = vkt_device_get_info(g->x->device);
    const char *index = vkt_dtypes[g->indices->dtype].storage;
    uint32_t index_nbytes = vkt_dtypes[g->indices->dtype].nbytes;
    const char *word = g->word_nbytes == 1   ? "uint8_t"
                       : g->word_nbytes == 2 ? "uint16_t"
                       : g->word_nbytes == 4 ? "uint"
                       : g->word_nbytes == 8 ? "uvec2"
                                             : "uvec4";
    uint32_t workgroup = vkt_tuned(g->x->device, VKT_TUNE_GATHER_WORKGROUP);
    g->workgroup = (uint32_t)vkt_min_u64(workgroup, info->max_workgroup_invocations);
    g->items = vkt_tuned(g->x->device, VKT_TUNE_GATHER_ITEMS);
    char name[48], key[64];
    (void)snprintf(name, sizeof(name), "gather_%u_%s", g->word_nbytes * 8,
                   vkt_dtypes[g->indices->dtype].tag);
    (void)snprintf(key, sizeof(key), "%s %ux%u", name, g->workgroup, g->items);
    g->kernel = vkt_kernel_find(g->x->device, key, strlen(key));
    if (g->kernel)
        return VKT_OK;

    char lines[5][32];
    (void)snprintf(lines[0], sizeof(lines[0]), "WORD %s", word);
    (void)snprintf(lines[1], sizeof(lines[1]), "NBYTES %u", g->word_nbytes);
    (void)snprintf(lines[2], sizeof(lines[2]), "INDEX %s", index);
    (void)snprintf(lines[3], sizeof(lines[3]), "INDEX_NBYTES %u", index_nbytes);
    (void)snprintf(lines[4], sizeof(lines[4]), "ITEMS %u", g->items);
    const char *defines[] = {lines[0], lines[1], lines[2], lines[3], lines[4], NULL};
    uint32_t constants[3] = {g->workgroup, 1, 1};
    vkt_text glsl = {0};
    vkt_glsl_assemble(g->x->device, defines, MEMBERS, ARGS_NBYTES, vkt_glsl_template("gather"),
                      &glsl);
    VKT_TRY(vkt_text_check(&glsl));
    vkt_kernel_source source = {
        .name = name, .glsl = glsl.chars, .constants = constants, .n_constants = 3};
    VKT_TRY(vkt_kernel_build(g->x->device, key, strlen(key), &source, &g->kernel));
    vkt_text_free(&glsl);
    return VKT_OK;
fail:
    vkt_text_free(&glsl);
    return vkt_status_last();
}

/* Records the words o_first .. + n_outer, j_first .. + n_indices, i_first .. + n_inner. */
static vkt_status record_box(const gather *g, const uint64_t first[3], const uint64_t n[3])
{
    const vkt_device_info *info = vkt_device_get_info(g->x->device);
    uint64_t x_nbytes = vkt_dtypes[g->x->dtype].nbytes,
             index_nbytes = vkt_dtypes[g->indices->dtype].nbytes;
    vkt_fastdiv inner = vkt_fastdiv_init((uint32_t)n[2]), count = vkt_fastdiv_init((uint32_t)n[1]);
    int64_t from = g->x->layout.offset * (int64_t)x_nbytes + (int64_t)first[0] * g->step_outer +
                   (int64_t)first[2] * g->step_inner;
    uint64_t index_at = ((uint64_t)g->indices->layout.offset + first[1]) * index_nbytes;
    uint64_t to = ((first[0] * g->n_indices + first[1]) * g->n_inner + first[2]) * g->word_nbytes;
    uint64_t words = n[0] * n[1] * n[2];
    gather_args args = {
        .src = vkt_block_address(g->x->block) + (uint64_t)from,
        .index = vkt_block_address(g->indices->block) + index_at,
        .dst = vkt_block_address(g->result->block) + to,
        .bad = vkt_block_address(g->bad) + first[1] / g->box[1] * sizeof(uint32_t),
        .step_outer = g->step_outer,
        .step_axis = g->step_axis,
        .step_inner = g->step_inner,
        .axis_length = g->axis_length,
        .n_work = (uint32_t)words,
        .inner = inner.divisor,
        .inner_multiplier = inner.multiplier,
        .inner_shift = inner.shift,
        .count = count.divisor,
        .count_multiplier = count.multiplier,
        .count_shift = count.shift,
    };
    int64_t low, high;
    vkt_note note;
    vkt_layout_extent(&g->x->layout, &low, &high);
    vkt_access accesses[4] = {
        {g->x->block, (uint64_t)low * x_nbytes, (uint64_t)(high - low) * x_nbytes, false},
        {g->indices->block, index_at, n[1] * index_nbytes, false},
        {g->result->block, to, words * g->word_nbytes, true},
        {g->bad, 0, vkt_block_nbytes(g->bad), true},
    };
    vkt_launch launch = {.kernel = g->kernel,
                         .args = &args,
                         .args_nbytes = ARGS_NBYTES,
                         .accesses = accesses,
                         .n_accesses = 4};
    uint64_t groups = vkt_ceil_div(words, (uint64_t)g->workgroup * g->items);
    launch.groups[0] = (uint32_t)vkt_min_u64(groups, info->max_groups[0]);
    launch.groups[1] = (uint32_t)vkt_ceil_div(groups, launch.groups[0]);
    launch.groups[2] = 1;
    if (vkt_profile_running(g->x->device)) {
        vkt_tensor *const operands[2] = {g->x, g->indices};
        vkt_note_operands("take(a, b)", operands, 2, g->result, &note);
        launch.note = &note;
    }
    return vkt_dispatch(g->x->device, &launch);
}

/* Boxes are contiguous in the result, and one dispatch can number their words. */
static void choose_box(gather *g)
{
    g->box[2] = vkt_min_u64(g->n_inner, MAX_WORDS);
    g->box[1] = g->box[2] < g->n_inner ? 1 : vkt_min_u64(g->n_indices, MAX_WORDS / g->box[2]);
    g->box[0] =
        g->box[1] < g->n_indices ? 1 : vkt_min_u64(g->n_outer, MAX_WORDS / (g->box[2] * g->box[1]));
}

static vkt_status record_all(const gather *g)
{
    uint64_t at[3];
    for (at[0] = 0; at[0] < g->n_outer; at[0] += g->box[0]) {
        for (at[1] = 0; at[1] < g->n_indices; at[1] += g->box[1]) {
            for (at[2] = 0; at[2] < g->n_inner; at[2] += g->box[2]) {
                uint64_t n[3] = {vkt_min_u64(g->box[0], g->n_outer - at[0]),
                                 vkt_min_u64(g->box[1], g->n_indices - at[1]),
                                 vkt_min_u64(g->box[2], g->n_inner - at[2])};
                VKT_TRY(record_box(g, at, n));
            }
        }
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* Fails with the index at `position`. */
static vkt_status refuse(const gather *g, uint64_t position, int32_t axis)
{
    union {
        int32_t i32;
        int64_t i64;
        uint64_t u64;
    } index;
    char text[32];
    uint64_t nbytes = vkt_dtypes[g->indices->dtype].nbytes;
    VKT_TRY(vkt_download(g->x->device, g->indices->block,
                         ((uint64_t)g->indices->layout.offset + position) * nbytes, &index,
                         nbytes));
    if (g->indices->dtype == VKT_UINT64)
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)index.u64);
    else
        (void)snprintf(text, sizeof(text), "%lld",
                       (long long)(g->indices->dtype == VKT_INT32 ? index.i32 : index.i64));
    VKT_FAIL(VKT_INDEX_ERROR, "take: index %s is out of bounds for axis %d with size %lld", text,
             axis, (long long)g->axis_length);
fail:
    return vkt_status_last();
}

/* Computes both operands: x lies evenly around the axis, or is copied; indices have one of three
 * dtypes. */
static vkt_status prepare(vkt_tensor *x, vkt_tensor *indices, int32_t axis, gather *g)
{
    vkt_tensor *typed = NULL;
    const vkt_dtype_info *type = &vkt_dtypes[indices->dtype];
    vkt_dtype dtype = type->nbytes == 8            ? indices->dtype
                      : type->nbytes < 4           ? VKT_INT32
                      : type->cls == VKT_CLASS_INT ? VKT_INT32
                                                   : VKT_INT64;
    VKT_TRY(vkt_astype(indices, dtype, &typed));
    VKT_TRY(vkt_tensor_contiguous(typed, &g->indices));
    g->n_indices = (uint64_t)g->indices->layout.n_elems;
    VKT_TRY(vkt_eval(&x, 1));
    g->x = vkt_tensor_ref(x);
    if (!look_at(&x->layout, axis, g)) {
        vkt_tensor_unref(g->x);
        g->x = NULL;
        VKT_TRY(vkt_tensor_contiguous(x, &g->x));
        (void)look_at(&g->x->layout, axis, g);
    }
    widen_words(g);
    vkt_tensor_unref(typed);
    return VKT_OK;
fail:
    vkt_tensor_unref(typed);
    return vkt_status_last();
}

/* Gathers, and in the same submit finds out whether an index was bad. */
static vkt_status run(gather *g, int32_t axis)
{
    if (g->axis_length == 0)
        return refuse(g, 0, axis);
    VKT_TRY(find_kernel(g));
    choose_box(g);
    uint64_t n_boxes = vkt_ceil_div(g->n_indices, g->box[1]);
    VKT_TRY(vkt_block_alloc(g->x->device, n_boxes * sizeof(uint32_t), VKT_MEMORY_HOST, &g->bad));
    bool cached;
    volatile uint32_t *bad = vkt_block_host(g->bad, &cached);
    for (uint64_t i = 0; i < n_boxes; i++)
        bad[i] = NOT_BAD;
    VKT_TRY(record_all(g));
    VKT_TRY(vkt_block_wait(g->bad, false));
    for (uint64_t i = 0; i < n_boxes; i++) {
        if (bad[i] != NOT_BAD)
            return refuse(g, i * g->box[1] + bad[i], axis);
    }
    VKT_TRY(vkt_finish_exported(g->x->block, false));
    VKT_TRY(vkt_finish_exported(g->indices->block, false));
    return VKT_OK;
fail:
    return vkt_status_last();
}

static void release(gather *g)
{
    vkt_tensor_unref(g->x);
    vkt_tensor_unref(g->indices);
    vkt_tensor_unref(g->result);
    vkt_block_unref(g->bad);
}

vkt_status vkt_take(vkt_tensor *x, vkt_tensor *indices, int32_t axis, vkt_tensor **out)
{
    gather g = {0};
    const vkt_layout *from = &x->layout, *by = &indices->layout;
    int64_t shape[VKT_MAX_NDIM];
    VKT_REQUIRE(vkt_dtype_is_integer(indices->dtype), VKT_TYPE_ERROR,
                "take: expected integer indices, got %s", vkt_dtypes[indices->dtype].name);
    VKT_REQUIRE(x->device == indices->device, VKT_VALUE_ERROR,
                "take: x and indices are on two devices, %s and %s",
                vkt_device_get_info(x->device)->name, vkt_device_get_info(indices->device)->name);
    VKT_REQUIRE(axis >= 0 && axis < from->ndim, VKT_VALUE_ERROR,
                "take: expected an axis below %d, got %d", from->ndim, axis);
    VKT_REQUIRE(from->ndim - 1 + by->ndim <= VKT_MAX_NDIM, VKT_VALUE_ERROR,
                "take: the result has more than %d axes", VKT_MAX_NDIM);
    int32_t ndim = 0;
    for (int32_t d = 0; d < axis; d++)
        shape[ndim++] = from->shape[d];
    for (int32_t d = 0; d < by->ndim; d++)
        shape[ndim++] = by->shape[d];
    for (int32_t d = axis + 1; d < from->ndim; d++)
        shape[ndim++] = from->shape[d];
    VKT_TRY(vkt_tensor_empty("take", x->device, x->dtype, ndim, shape, &g.result));
    if (g.result->layout.n_elems > 0) {
        VKT_TRY(prepare(x, indices, axis, &g));
        VKT_TRY(run(&g, axis));
    }
    *out = g.result;
    g.result = NULL;
    release(&g);
    return VKT_OK;
fail:
    release(&g);
    return vkt_status_last();
}
