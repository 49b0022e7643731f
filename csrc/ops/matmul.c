/* ops/matmul.c - matrix products: operands read in place where they can be, batches, dispatches. */
#include "ops/matmul.h"

#include <string.h>

#include "base/checked.h"
#include "ops/elementwise.h"
#include "ops/expr.h"
#include "ops/matmul_kernel.h"
#include "ops/note.h"

/* Partial sums that one invocation adds: far below any limit of turns. */
#define MERGE 1024
/* Work of one dispatch is numbered in 32 bits, with room for rounding up. */
#define MAX_WORK (UINT64_C(1) << 31)

/* Part of the batch. Strides of the operands, and offsets from the start of their blocks, are
 * elements; c_item counts matrices. */
typedef struct matmul_batch {
    int32_t ndim;
    int64_t shape[VKT_MAX_NDIM], a[VKT_MAX_NDIM], b[VKT_MAX_NDIM];
    int64_t a_offset, b_offset, c_item;
} matmul_batch;

/* ---- Recording --------------------------------------------------------------------------- */

static uint64_t elem_nbytes(const matmul_job *job)
{
    return vkt_dtypes[job->dtype].nbytes;
}

static vkt_access access_operand(const matmul_operand *in)
{
    int64_t low, high;
    uint64_t nbytes = vkt_dtypes[in->tensor->dtype].nbytes;
    vkt_layout_extent(&in->layout, &low, &high);
    return (vkt_access){in->tensor->block, (uint64_t)low * nbytes, (uint64_t)(high - low) * nbytes,
                        false};
}

/* The stride of the axis that is not unit, in bytes. */
static int64_t find_pitch(const matmul_job *job, const matmul_operand *in)
{
    return (in->k == 1 ? in->side : in->k) * (int64_t)elem_nbytes(job);
}

/* True when vectors of `nbytes` are aligned in each matrix of the batch. */
static bool is_aligned(uint64_t nbytes, uint64_t address, int64_t pitch, const int64_t *steps,
                       const int64_t *shape)
{
    uint64_t bits = address | (uint64_t)pitch;
    for (int i = 0; i < MATMUL_DIMS; i++)
        bits |= shape[i] > 1 ? (uint64_t)steps[i] : 0;
    return (bits & (nbytes - 1)) == 0;
}

static void fill_args(const matmul_job *job, const matmul_batch *part, uint64_t c_address,
                      matmul_args *args, uint64_t *n_items)
{
    int64_t shape[MATMUL_DIMS] = {1, 1, 1};
    *args = (matmul_args){
        .c = c_address, .pitch_a = find_pitch(job, job->a), .pitch_b = find_pitch(job, job->b)};
    int64_t nbytes = (int64_t)elem_nbytes(job);
    *n_items = 1;
    for (int i = 0; i < part->ndim; i++) {
        int at = MATMUL_DIMS - part->ndim + i;
        shape[at] = part->shape[i];
        args->batch_a[at] = part->a[i] * nbytes;
        args->batch_b[at] = part->b[i] * nbytes;
        *n_items *= (uint64_t)part->shape[i];
    }
    args->a = vkt_block_address(job->a->tensor->block) + (uint64_t)(part->a_offset * nbytes);
    args->b = vkt_block_address(job->b->tensor->block) + (uint64_t)(part->b_offset * nbytes);
    args->m = (uint32_t)job->m;
    args->n = (uint32_t)job->n;
    args->k = (uint32_t)job->k;
    args->k_chunk = (uint32_t)job->k_chunk;
    args->n_batch = (uint32_t)*n_items;
    args->b1 = (uint32_t)shape[1];
    args->b2 = (uint32_t)shape[2];

    uint64_t vector = vkt_matmul_vector_nbytes(job);
    bool plain = job->n_slices > 1 || !vkt_dtypes[job->dtype].narrow;
    args->flags =
        (is_aligned(vector, args->a, args->pitch_a, args->batch_a, shape) ? MATMUL_FLAG_VECTOR_A
                                                                          : 0u) |
        (is_aligned(vector, args->b, args->pitch_b, args->batch_b, shape) ? MATMUL_FLAG_VECTOR_B
                                                                          : 0u) |
        (plain && job->n % 4 == 0 && c_address % 16 == 0 ? MATMUL_FLAG_VECTOR_C : 0u) |
        (job->n_slices > 1 ? MATMUL_FLAG_SPLIT : 0u) | (job->swapped ? MATMUL_FLAG_SWAPPED : 0u) |
        job->lanes_log2 << MATMUL_FLAG_LANES_SHIFT;
}

static void note_product(const matmul_job *job, const char *what, vkt_launch *launch,
                         vkt_note *note)
{
    vkt_tensor *const operands[2] = {job->swapped ? job->b->tensor : job->a->tensor,
                                     job->swapped ? job->a->tensor : job->b->tensor};
    if (!vkt_profile_running(job->device))
        return;
    vkt_note_operands(what, operands, 2, job->c, note);
    launch->note = note;
}

/* Adds the slices in `src`, in rounds, so that no invocation adds more than MERGE of them. Takes
 * the reference to src. */
static vkt_status record_sums(const matmul_job *job, vkt_block *src, uint64_t n_elems,
                              uint64_t dst_offset)
{
    vkt_block *merged = NULL;
    vkt_note note;
    uint64_t acc = vkt_matmul_acc_nbytes(job->dtype), n_slices = (uint64_t)job->n_slices;
    while (n_slices > 0) {
        uint64_t parts = vkt_ceil_div(n_slices, MERGE);
        bool last = parts == 1;
        if (!last)
            VKT_TRY(
                vkt_block_alloc(job->device, parts * n_elems * acc, VKT_MEMORY_DEVICE, &merged));
        vkt_block *dst = last ? job->c->block : merged;
        uint64_t offset = last ? dst_offset : 0;
        matmul_sum_args args = {vkt_block_address(src),
                                vkt_block_address(dst) + offset,
                                n_elems,
                                (uint32_t)n_slices,
                                MERGE,
                                last};
        vkt_access accesses[2] = {
            {src, 0, n_slices * n_elems * acc, false},
            {dst, offset, last ? n_elems * elem_nbytes(job) : parts * n_elems * acc, true},
        };
        vkt_launch launch = {.kernel = job->sum_kernel,
                             .args = &args,
                             .args_nbytes = MATMUL_SUM_ARGS_NBYTES,
                             .accesses = accesses,
                             .n_accesses = 2};
        note_product(job, "sum of the slices of a @ b", &launch, &note);
        vkt_fold_groups(job->info, vkt_ceil_div(parts * n_elems, 64), launch.groups);
        VKT_TRY(vkt_dispatch(job->device, &launch));
        vkt_block_unref(src);
        src = merged;
        merged = NULL;
        n_slices = last ? 0 : parts;
    }
    return VKT_OK;
fail:
    vkt_block_unref(src);
    vkt_block_unref(merged);
    return vkt_status_last();
}

/* Records the product for a part of the batch that one dispatch can number. */
static vkt_status record_part(const matmul_job *job, const matmul_batch *part)
{
    vkt_block *partial = NULL;
    vkt_note note;
    matmul_args args;
    uint64_t n_items = 1, matrix = (uint64_t)job->m * (uint64_t)job->n;
    for (int i = 0; i < part->ndim; i++)
        n_items *= (uint64_t)part->shape[i];
    uint64_t c_offset = (uint64_t)part->c_item * matrix * elem_nbytes(job),
             c_nbytes = n_items * matrix * elem_nbytes(job);
    if (job->n_slices > 1) {
        c_nbytes = (uint64_t)job->n_slices * n_items * matrix * vkt_matmul_acc_nbytes(job->dtype);
        VKT_TRY(vkt_block_alloc(job->device, c_nbytes, VKT_MEMORY_DEVICE, &partial));
    }
    vkt_block *dst = partial ? partial : job->c->block;
    fill_args(job, part, vkt_block_address(dst) + (partial ? 0 : c_offset), &args, &n_items);

    uint64_t work = vkt_matmul_count_work(job) * n_items * (uint64_t)job->n_slices, groups = work;
    if (job->variant.family == MATMUL_CPU)
        groups = vkt_ceil_div(work, job->variant.threads / job->variant.sub);
    else if (job->variant.family == MATMUL_VECTOR && job->a->k == 1)
        groups = work = vkt_ceil_div(work, job->variant.threads >> job->lanes_log2);
    args.n_work = (uint32_t)work;
    vkt_access accesses[3] = {access_operand(job->a),
                              access_operand(job->b),
                              {dst, partial ? 0 : c_offset, c_nbytes, true}};
    vkt_launch launch = {.kernel = job->kernel,
                         .args = &args,
                         .args_nbytes = MATMUL_ARGS_NBYTES,
                         .accesses = accesses,
                         .n_accesses = 3};
    note_product(job, "a @ b", &launch, &note);
    vkt_fold_groups(job->info, groups, launch.groups);
    VKT_TRY(vkt_dispatch(job->device, &launch));
    return partial ? record_sums(job, partial, n_items * matrix, c_offset) : VKT_OK;
fail:
    vkt_block_unref(partial);
    return vkt_status_last();
}

/* Records the product for all of `part`, cut where it has more dims, or more work, than one
 * dispatch can number. */
static vkt_status record_batch(const matmul_job *job, const matmul_batch *part)
{
    uint64_t work = vkt_matmul_count_work(job) * (uint64_t)job->n_slices, inner = 1;
    bool fits = true;
    for (int i = part->ndim - 1; i >= 0; i--) {
        fits = fits && vkt_mul_u64(work, (uint64_t)part->shape[i], &work) && work < MAX_WORK;
        inner *= i > 0 ? (uint64_t)part->shape[i] : 1;
    }
    if (part->ndim == 0 || (fits && part->ndim <= MATMUL_DIMS))
        return record_part(job, part);

    int64_t length = part->shape[0], step = part->ndim > MATMUL_DIMS ? 1 : (length + 1) / 2;
    for (int64_t first = 0; first < length; first += step) {
        matmul_batch piece = *part;
        piece.a_offset += first * part->a[0];
        piece.b_offset += first * part->b[0];
        piece.c_item += first * (int64_t)inner;
        piece.shape[0] = length - first < step ? length - first : step;
        if (piece.shape[0] == 1) {
            piece.ndim--;
            for (int i = 0; i < piece.ndim; i++) {
                piece.shape[i] = part->shape[i + 1];
                piece.a[i] = part->a[i + 1];
                piece.b[i] = part->b[i + 1];
            }
        }
        VKT_TRY(record_batch(job, &piece));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Operands ---------------------------------------------------------------------------- */

/* Adds the missing axis of a 1-d operand and takes the strides of the last two. */
static vkt_status look_at(const vkt_layout *layout, bool first, matmul_operand *out)
{
    vkt_layout_assign(&out->layout, layout);
    if (layout->ndim == 1)
        VKT_TRY(vkt_layout_insert("matmul", &out->layout, first ? 0 : 1));
    int row = out->layout.ndim - 2, column = row + 1;
    int k_axis = first ? column : row, side_axis = first ? row : column;
    int64_t side = out->layout.strides[side_axis], k = out->layout.strides[k_axis];
    /* An axis of one element has whatever stride suits. */
    if (out->layout.shape[side_axis] == 1 && side != 1 && k != 1)
        side = 1;
    else if (out->layout.shape[k_axis] == 1 && side != 1)
        k = 1;
    out->side = side;
    out->k = k;
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* Computes x in `dtype`, and copies it only when neither axis of its matrices is unit. */
static vkt_status prepare(vkt_tensor *x, vkt_dtype dtype, bool first, matmul_operand *out)
{
    VKT_TRY(vkt_astype(x, dtype, &out->tensor));
    VKT_TRY(vkt_eval(&out->tensor, 1));
    VKT_TRY(look_at(&out->tensor->layout, first, out));
    if (out->side != 1 && out->k != 1) {
        vkt_tensor *copy;
        VKT_TRY(vkt_tensor_contiguous(out->tensor, &copy));
        vkt_tensor_unref(out->tensor);
        out->tensor = copy;
        VKT_TRY(look_at(&copy->layout, first, out));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* The two shapes fit when the inner lengths agree and the others broadcast. Gives the batch dims
 * and the result's shape. */
static vkt_status check_shapes(const vkt_tensor *x1, const vkt_tensor *x2, vkt_layout *stack,
                               int32_t *ndim, int64_t *shape)
{
    const vkt_layout *l1 = &x1->layout, *l2 = &x2->layout;
    char text1[VKT_SHAPE_TEXT], text2[VKT_SHAPE_TEXT];
    VKT_REQUIRE(l1->ndim > 0 && l2->ndim > 0, VKT_VALUE_ERROR,
                "matmul: expected at least one axis, got shapes %s and %s",
                vkt_shape_text(l1->ndim, l1->shape, text1),
                vkt_shape_text(l2->ndim, l2->shape, text2));
    int32_t n1 = l1->ndim > 2 ? l1->ndim - 2 : 0, n2 = l2->ndim > 2 ? l2->ndim - 2 : 0,
            n = n1 > n2 ? n1 : n2;
    int64_t k1 = l1->shape[l1->ndim - 1], k2 = l2->shape[l2->ndim == 1 ? 0 : l2->ndim - 2];
    bool fit = k1 == k2;
    for (int32_t i = 0; i < n; i++) {
        int64_t d1 = i < n - n1 ? 1 : l1->shape[i - (n - n1)],
                d2 = i < n - n2 ? 1 : l2->shape[i - (n - n2)];
        fit = fit && (d1 == d2 || d1 == 1 || d2 == 1);
        shape[i] = d1 == 1 ? d2 : d1;
    }
    VKT_REQUIRE(fit, VKT_VALUE_ERROR, "matmul: shapes %s and %s do not fit",
                vkt_shape_text(l1->ndim, l1->shape, text1),
                vkt_shape_text(l2->ndim, l2->shape, text2));
    VKT_TRY(vkt_layout_init("matmul", n, shape, 1, stack));
    *ndim = n;
    if (l1->ndim > 1)
        shape[(*ndim)++] = l1->shape[l1->ndim - 2];
    if (l2->ndim > 1)
        shape[(*ndim)++] = l2->shape[l2->ndim - 1];
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* The batch dims of an operand, seen with the result's batch shape. */
static vkt_status broadcast_stack(const matmul_operand *in, const vkt_layout *stack,
                                  vkt_layout *out)
{
    vkt_layout own;
    vkt_layout_assign(&own, &in->layout);
    own.ndim -= 2;
    own.n_elems = 1;
    for (int i = 0; i < own.ndim; i++)
        own.n_elems *= own.shape[i];
    return vkt_layout_broadcast_to("matmul", &own, stack->ndim, stack->shape, out);
}

/* Walks both operands together. A stack of evenly spaced rows times one matrix becomes one taller
 * matrix. */
static vkt_status make_batch(matmul_job *job, const vkt_layout *stack, matmul_batch *out)
{
    vkt_layout a, b;
    vkt_space space;
    VKT_TRY(broadcast_stack(job->a, stack, &a));
    VKT_TRY(broadcast_stack(job->b, stack, &b));
    const vkt_layout *layouts[3] = {stack, &a, &b};
    vkt_space_init(layouts, 3, &space);
    *out = (matmul_batch){
        .ndim = space.ndim, .a_offset = space.offsets[1], .b_offset = space.offsets[2]};
    for (int i = 0; i < space.ndim; i++) {
        out->shape[i] = space.shape[i];
        out->a[i] = space.strides[1][i];
        out->b[i] = space.strides[2][i];
    }
    if (out->ndim == 1 && out->b[0] == 0 && job->m * out->shape[0] < INT32_MAX) {
        if (job->m == 1 && job->a->k == 1)
            job->a->side = out->a[0];
        if (out->a[0] == job->m * job->a->side) {
            job->m *= out->shape[0];
            out->ndim = 0;
        }
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- The op ------------------------------------------------------------------------------ */

static vkt_status record(matmul_job *job, const vkt_layout *stack)
{
    matmul_batch all;
    uint64_t n_items = 1;
    VKT_REQUIRE(job->m < INT32_MAX && job->n < INT32_MAX && job->k < INT32_MAX, VKT_VALUE_ERROR,
                "matmul: expected axes below 2**31 - 1, got M = %lld, N = %lld, K = %lld",
                (long long)job->m, (long long)job->n, (long long)job->k);
    VKT_TRY(make_batch(job, stack, &all));
    for (int i = 0; i < all.ndim; i++)
        n_items *= (uint64_t)all.shape[i];
    matmul_operand *first = job->a;
    vkt_matmul_choose(job, n_items);
    if (job->a != first) {
        matmul_batch other = all;
        memcpy(all.a, other.b, sizeof(all.a));
        memcpy(all.b, other.a, sizeof(all.b));
        all.a_offset = other.b_offset;
        all.b_offset = other.a_offset;
    }
    VKT_TRY(vkt_matmul_find_kernels(job));
    VKT_TRY(record_batch(job, &all));
    VKT_TRY(vkt_finish_exported(job->a->tensor->block, false));
    VKT_TRY(vkt_finish_exported(job->b->tensor->block, false));
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* One part of the product: a b - c d, or a b + c d. Without c it is a b. */
static vkt_status multiply_parts(vkt_tensor *const factors[4], vkt_op combine, vkt_tensor *part)
{
    vkt_tensor *first = NULL, *second = NULL, *both = NULL;
    VKT_TRY(vkt_matmul(factors[0], factors[1], &first));
    if (factors[2]) {
        VKT_TRY(vkt_matmul(factors[2], factors[3], &second));
        vkt_arg args[2] = {{.tensor = first}, {.tensor = second}};
        VKT_TRY(vkt_elementwise(combine, args, 2, &both));
    }
    vkt_arg value = {.tensor = both ? both : first};
    VKT_TRY(vkt_assign("matmul", part, &value));
    vkt_tensor_unref(first);
    vkt_tensor_unref(second);
    vkt_tensor_unref(both);
    return VKT_OK;
fail:
    vkt_tensor_unref(first);
    vkt_tensor_unref(second);
    vkt_tensor_unref(both);
    return vkt_status_last();
}

/* The parts of one operand in the result's precision; *im stays NULL for a real one. */
static vkt_status take_parts(vkt_tensor *x, vkt_dtype dtype, vkt_tensor **re, vkt_tensor **im)
{
    bool is_complex = vkt_dtype_is_complex(x->dtype);
    vkt_tensor *typed = NULL;
    VKT_TRY(vkt_astype(x, is_complex ? dtype : vkt_dtype_real(dtype), &typed));
    VKT_TRY(vkt_tensor_part("matmul", typed, false, re));
    if (is_complex)
        VKT_TRY(vkt_tensor_part("matmul", typed, true, im));
    vkt_tensor_unref(typed);
    return VKT_OK;
fail:
    vkt_tensor_unref(typed);
    return vkt_status_last();
}

/* By real products of the parts, which are views: each runs at the speed of the real kernel. */
static vkt_status multiply_complex(vkt_tensor *x1, vkt_tensor *x2, vkt_dtype dtype, int32_t ndim,
                                   const int64_t *shape, vkt_tensor **out)
{
    vkt_tensor *a[2] = {NULL}, *b[2] = {NULL}, *part[2] = {NULL}, *c = NULL;
    *out = NULL;
    VKT_TRY(vkt_tensor_empty("matmul", x1->device, dtype, ndim, shape, &c));
    if (c->layout.n_elems > 0) {
        VKT_TRY(take_parts(x1, dtype, &a[0], &a[1]));
        VKT_TRY(take_parts(x2, dtype, &b[0], &b[1]));
        VKT_TRY(vkt_tensor_part("matmul", c, false, &part[0]));
        VKT_TRY(vkt_tensor_part("matmul", c, true, &part[1]));
        vkt_tensor *re[4] = {a[0], b[0], b[1] ? a[1] : NULL, b[1]};
        vkt_tensor *im[4] = {b[1] ? a[0] : a[1], b[1] ? b[1] : b[0], b[1] ? a[1] : NULL, b[0]};
        VKT_TRY(multiply_parts(re, VKT_OP_subtract, part[0]));
        VKT_TRY(multiply_parts(im, VKT_OP_add, part[1]));
    }
    *out = c;
    c = NULL;
fail:
    for (int i = 0; i < 2; i++) {
        vkt_tensor_unref(a[i]);
        vkt_tensor_unref(b[i]);
        vkt_tensor_unref(part[i]);
    }
    vkt_tensor_unref(c);
    return *out ? VKT_OK : vkt_status_last();
}

vkt_status vkt_matmul(vkt_tensor *x1, vkt_tensor *x2, vkt_tensor **out)
{
    matmul_operand a = {0}, b = {0};
    vkt_tensor *c = NULL;
    vkt_layout stack;
    int32_t ndim = 0;
    int64_t shape[VKT_MAX_NDIM + 2];
    VKT_REQUIRE(x1->dtype != VKT_BOOL || x2->dtype != VKT_BOOL, VKT_TYPE_ERROR,
                "matmul: expected numeric dtypes, got %s and %s", vkt_dtypes[x1->dtype].name,
                vkt_dtypes[x2->dtype].name);
    VKT_REQUIRE(x1->device == x2->device, VKT_VALUE_ERROR,
                "matmul: the operands are on two devices, %s and %s",
                vkt_device_get_info(x1->device)->name, vkt_device_get_info(x2->device)->name);
    VKT_TRY(check_shapes(x1, x2, &stack, &ndim, shape));

    vkt_dtype dtype = vkt_dtype_promote(x1->dtype, x2->dtype);
    int64_t k = x1->layout.shape[x1->layout.ndim - 1];
    if (vkt_dtype_is_complex(dtype) && k > 0)
        return multiply_complex(x1, x2, dtype, ndim, shape, out);
    if (k == 0) {
        vkt_scalar zero = {.cls = VKT_CLASS_INT, .value.i = 0};
        return vkt_full("matmul", x1->device, dtype, ndim, shape, &zero, out);
    }
    VKT_TRY(vkt_tensor_empty("matmul", x1->device, dtype, ndim, shape, &c));
    if (c->layout.n_elems > 0) {
        VKT_TRY(prepare(x1, dtype, true, &a));
        VKT_TRY(prepare(x2, dtype, false, &b));
        matmul_job job = {.device = x1->device,
                          .info = vkt_device_get_info(x1->device),
                          .dtype = dtype,
                          .a = &a,
                          .b = &b,
                          .k = k,
                          .m = a.layout.shape[a.layout.ndim - 2],
                          .n = b.layout.shape[b.layout.ndim - 1],
                          .c = c};
        VKT_TRY(record(&job, &stack));
    }
    vkt_tensor_unref(a.tensor);
    vkt_tensor_unref(b.tensor);
    *out = c;
    return VKT_OK;
fail:
    vkt_tensor_unref(a.tensor);
    vkt_tensor_unref(b.tensor);
    vkt_tensor_unref(c);
    return vkt_status_last();
}
