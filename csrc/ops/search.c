/* ops/search.c - searchsorted: a binary search for each value. */
#include "ops/search.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "ops/elementwise.h"
#include "ops/expr.h"
#include "ops/kernel_text.h"

/* Values of one dispatch: the kernel counts them in 32 bits. */
#define MAX_VALUES (UINT64_C(1) << 30)

/* The same members as MEMBERS, in the same order. */
typedef struct search_args {
    uint64_t sorted, values, dst, n_sorted;
    uint32_t n_work;
} search_args;
#define ARGS_NBYTES 36u

static const char MEMBERS[] = "uint64_t sorted, values, dst, n_sorted; uint n_work;";

typedef struct search {
    vkt_tensor *sorted, *values; /* owned, contiguous, of one dtype that is a register's */
    vkt_tensor *result;          /* owned until done */
    vkt_kernel *kernel;
    bool right;
    uint32_t workgroup, items;
} search;

/* Narrow types are compared in the registers they are computed in: fewer kernels, one cast. */
static vkt_dtype find_compared(vkt_dtype dtype)
{
    switch (vkt_dtypes[dtype].reg) {
    case VKT_REG_BOOL:
    case VKT_REG_U32:
        return VKT_UINT32;
    case VKT_REG_I32:
        return VKT_INT32;
    case VKT_REG_F32:
        return VKT_FLOAT32;
    default:
        return dtype;
    }
}

static vkt_status convert(vkt_tensor *x, vkt_dtype dtype, vkt_tensor **out)
{
    vkt_tensor *typed = NULL;
    VKT_TRY(vkt_astype(x, dtype, &typed));
    VKT_TRY(vkt_tensor_contiguous(typed, out));
    vkt_tensor_unref(typed);
    return VKT_OK;
fail:
    vkt_tensor_unref(typed);
    return vkt_status_last();
}

static vkt_status find_kernel(search *s)
{
    vkt_device *device = s->sorted->device;
    const vkt_dtype_info *type = &vkt_dtypes[s->sorted->dtype];
    bool cpu = vkt_device_get_info(device)->serial_kernels;
    s->workgroup = cpu ? 32 : 128;
    s->items = cpu ? 32 : 1;
    char name[64];
    (void)snprintf(name, sizeof(name), "search_%s_%s", s->right ? "right" : "left", type->tag);
    s->kernel = vkt_kernel_find(device, name, strlen(name));
    if (s->kernel)
        return VKT_OK;

    char lines[4][32];
    (void)snprintf(lines[0], sizeof(lines[0]), "VALUE %s", type->storage);
    (void)snprintf(lines[1], sizeof(lines[1]), "NBYTES %u", type->nbytes);
    (void)snprintf(lines[2], sizeof(lines[2]), "RIGHT %d", s->right);
    (void)snprintf(lines[3], sizeof(lines[3]), "ITEMS %u", s->items);
    const char *defines[] = {lines[0], lines[1], lines[2], lines[3], NULL};
    const char *tag = type->cls != VKT_CLASS_FLOAT ? NULL : type->nbytes == 4 ? "f32" : "f64";
    uint32_t constants[3] = {s->workgroup, 1, 1};
    vkt_kernel_parts parts = {
        .source = {.name = name, .constants = constants, .n_constants = 3},
        .defines = defines,
        .args_nbytes = ARGS_NBYTES,
    };
    vkt_text_append(&parts.members, MEMBERS);
    /* In the body and no define: only what the body names is taken from the library. */
    if (tag)
        vkt_text_format(
            &parts.body,
            "#define is_nan(x) vkt_isnan_%s(x)\n#define is_less(x, y) vkt_less_%s(x, y)\n", tag,
            tag);
    else
        vkt_text_append(&parts.body,
                        "#define is_nan(x) false\n#define is_less(x, y) ((x) < (y))\n");
    vkt_text_append(&parts.body, vkt_glsl_template("search"));
    return vkt_kernel_assemble(device, name, strlen(name), &parts, &s->kernel);
}

/* Records the search for the values first .. first + n - 1. */
static vkt_status record(const search *s, uint64_t first, uint64_t n)
{
    const vkt_device_info *info = vkt_device_get_info(s->sorted->device);
    uint64_t nbytes = vkt_dtypes[s->sorted->dtype].nbytes;
    uint64_t n_sorted = (uint64_t)s->sorted->layout.n_elems;
    uint64_t sorted_at = (uint64_t)s->sorted->layout.offset * nbytes;
    uint64_t values_at = ((uint64_t)s->values->layout.offset + first) * nbytes;
    search_args args = {
        .sorted = vkt_block_address(s->sorted->block) + sorted_at,
        .values = vkt_block_address(s->values->block) + values_at,
        .dst = vkt_block_address(s->result->block) + first * sizeof(int64_t),
        .n_sorted = n_sorted,
        .n_work = (uint32_t)n,
    };
    vkt_access accesses[3] = {
        {s->sorted->block, sorted_at, n_sorted * nbytes, false},
        {s->values->block, values_at, n * nbytes, false},
        {s->result->block, first * sizeof(int64_t), n * sizeof(int64_t), true},
    };
    vkt_launch launch = {.kernel = s->kernel,
                         .args = &args,
                         .args_nbytes = ARGS_NBYTES,
                         .accesses = accesses,
                         .n_accesses = 3};
    vkt_fold_groups(info, vkt_ceil_div(n, (uint64_t)s->workgroup * s->items), launch.groups);
    return vkt_dispatch(s->sorted->device, &launch);
}

static void release(search *s)
{
    vkt_tensor_unref(s->sorted);
    vkt_tensor_unref(s->values);
    vkt_tensor_unref(s->result);
}

vkt_status vkt_search_sorted(vkt_tensor *sorted, vkt_tensor *values, bool right, vkt_tensor **out)
{
    search s = {.right = right};
    const vkt_layout *shape = &values->layout;
    VKT_REQUIRE(sorted->layout.ndim == 1, VKT_VALUE_ERROR,
                "searchsorted: expected a 1-d tensor to search in, got %d-d",
                (int)sorted->layout.ndim);
    VKT_REQUIRE(sorted->device == values->device, VKT_VALUE_ERROR,
                "searchsorted: the tensors are on two devices, %s and %s",
                vkt_device_get_info(sorted->device)->name,
                vkt_device_get_info(values->device)->name);
    vkt_dtype together = vkt_dtype_promote(sorted->dtype, values->dtype);
    VKT_REQUIRE(!vkt_dtype_is_complex(together), VKT_TYPE_ERROR,
                "searchsorted: expected real numbers, which have an order, got %s",
                vkt_dtypes[together].name);
    vkt_dtype compared = find_compared(together);
    VKT_TRY(vkt_tensor_empty("searchsorted", values->device, VKT_INT64, shape->ndim, shape->shape,
                             &s.result));
    if (shape->n_elems > 0) {
        VKT_TRY(convert(sorted, compared, &s.sorted));
        VKT_TRY(convert(values, compared, &s.values));
        VKT_TRY(find_kernel(&s));
        uint64_t n = (uint64_t)shape->n_elems;
        for (uint64_t first = 0; first < n; first += MAX_VALUES)
            VKT_TRY(record(&s, first, vkt_min_u64(MAX_VALUES, n - first)));
        VKT_TRY(vkt_finish_exported(s.sorted->block, false));
        VKT_TRY(vkt_finish_exported(s.values->block, false));
    }
    *out = s.result;
    s.result = NULL;
    release(&s);
    return VKT_OK;
fail:
    release(&s);
    return vkt_status_last();
}
