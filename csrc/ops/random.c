/* ops/random.c - launches the kernel of counted random numbers. */
#include "ops/random.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "ops/expr.h"
#include "ops/kernel_text.h"

/* Blocks of one dispatch: the kernel counts them in 32 bits. */
#define MAX_BLOCKS (UINT64_C(1) << 28)

static const char *const NAMES[VKT_RANDOM_COUNT] = {"bits", "uniform", "normal", "exponential",
                                                    "integers"};

static bool is_real(vkt_random_kind kind)
{
    return kind == VKT_RANDOM_UNIFORM || kind == VKT_RANDOM_NORMAL ||
           kind == VKT_RANDOM_EXPONENTIAL;
}

static bool draws_wide(const vkt_random_request *request, vkt_dtype dtype)
{
    if (vkt_dtypes[dtype].nbytes != 8)
        return false;
    return request->kind != VKT_RANDOM_INTEGERS || request->range == 0 ||
           request->range > UINT64_C(1) << 32;
}

uint64_t vkt_random_blocks(const vkt_random_request *request, vkt_dtype dtype, uint64_t n)
{
    return vkt_ceil_div(n, draws_wide(request, dtype) ? 2 : 4);
}

static vkt_status check_dtype(const vkt_random_request *request, vkt_dtype dtype)
{
    const vkt_dtype_info *type = &vkt_dtypes[dtype];
    bool fits = type->nbytes >= 4;
    if (is_real(request->kind))
        fits = fits && type->cls == VKT_CLASS_FLOAT;
    else if (request->kind == VKT_RANDOM_BITS)
        fits = fits && type->cls == VKT_CLASS_UINT;
    else
        fits = fits && vkt_dtype_is_integer(dtype);
    VKT_REQUIRE(fits, VKT_TYPE_ERROR, "random: %s values cannot be %s", NAMES[request->kind],
                type->name);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* What real kinds are made with, in the body: only what the body names comes from the library. */
static void emit_functions(vkt_dtype dtype, vkt_text *out)
{
    const char *suffix = vkt_dtypes[dtype].tag;
    static const char *const used[] = {"LOG log", "SQRT sqrt", "SIN sin", "COS cos",
                                       "NEGATIVE negative"};
    for (unsigned i = 0; i < sizeof(used) / sizeof(*used); i++) {
        const char *space = strchr(used[i], ' ');
        vkt_text_format(out, "#define %.*s vkt_%s_%s\n", (int)(space - used[i]), used[i], space + 1,
                        suffix);
    }
}

/* The vector of 16 bytes of elements. */
static const char *whole_type(vkt_dtype dtype)
{
    switch (dtype) {
    case VKT_FLOAT32:
        return "vec4";
    case VKT_FLOAT64:
        return "dvec2";
    case VKT_INT32:
        return "ivec4";
    case VKT_UINT32:
        return "uvec4";
    default:
        return dtype == VKT_INT64 ? "i64vec2" : "u64vec2";
    }
}

static vkt_status find_kernel(vkt_device *device, const vkt_random_request *request,
                              vkt_dtype dtype, uint32_t group, uint32_t items, vkt_kernel **out)
{
    bool wide = draws_wide(request, dtype), real = is_real(request->kind);
    bool standard = real && request->shift == 0.0 && request->scale == 1.0;
    char name[64], lines[5][32];
    (void)snprintf(name, sizeof(name), "random_%s_%s%s%s", NAMES[request->kind],
                   vkt_dtypes[dtype].tag, !real && wide ? "_wide" : "",
                   standard ? "_standard" : "");
    *out = vkt_kernel_find(device, name, strlen(name));
    if (*out)
        return VKT_OK;

    const char *type = vkt_dtypes[dtype].storage;
    (void)snprintf(lines[0], sizeof(lines[0]), "KIND %d", (int)request->kind);
    (void)snprintf(lines[1], sizeof(lines[1]), "VALUE %s", type);
    (void)snprintf(lines[2], sizeof(lines[2]), "ITEMS %u", items);
    (void)snprintf(lines[3], sizeof(lines[3]), "SIZE %u", vkt_dtypes[dtype].nbytes);
    (void)snprintf(lines[4], sizeof(lines[4]), "WHOLE %s", whole_type(dtype));
    const char *defines[] = {lines[0],
                             lines[1],
                             lines[2],
                             lines[3],
                             lines[4],
                             standard ? "STANDARD" : "PLACED",
                             wide ? "WIDE" : NULL,
                             NULL};
    uint32_t constants[3] = {group, 1, 1};
    vkt_kernel_parts parts = {
        .source = {.name = name, .constants = constants, .n_constants = 3},
        .defines = defines,
        .args_nbytes = wide ? 80 : 72,
    };
    vkt_text_format(&parts.members,
                    "uint64_t dst, first_block, low, range; %s scale, shift; uvec2 key, stream; "
                    "uint n_values, n_blocks;",
                    wide ? "double" : "float");
    if (real)
        emit_functions(dtype, &parts.body);
    vkt_text_append(&parts.body, vkt_glsl_template("random"));
    return vkt_kernel_assemble(device, name, strlen(name), &parts, out);
}

static void pack_real(double value, bool wide, vkt_args *args)
{
    float narrow = (float)value;
    uint32_t word;
    uint64_t bits;
    memcpy(&word, &narrow, sizeof(word));
    memcpy(&bits, &value, sizeof(bits));
    if (wide)
        vkt_args_u64(args, bits);
    else
        vkt_args_u32(args, word);
}

/* Values first .. first + n - 1, where first begins a block. */
static vkt_status record(const vkt_random_request *request, vkt_kernel *kernel, vkt_tensor *to,
                         uint64_t first, uint64_t n, uint32_t per_group)
{
    const vkt_device_info *info = vkt_device_get_info(to->device);
    bool wide = draws_wide(request, to->dtype);
    uint64_t nbytes = vkt_dtypes[to->dtype].nbytes, n_blocks = vkt_ceil_div(n, wide ? 2 : 4);
    vkt_args args = {.nbytes = 0};
    vkt_args_u64(&args, vkt_block_address(to->block) + first * nbytes);
    vkt_args_u64(&args, request->first_block + first / (wide ? 2 : 4));
    vkt_args_u64(&args, (uint64_t)request->low);
    vkt_args_u64(&args, request->range);
    pack_real(request->scale, wide, &args);
    pack_real(request->shift, wide, &args);
    vkt_args_u64(&args, request->key);
    vkt_args_u64(&args, request->stream);
    vkt_args_u32(&args, (uint32_t)n);
    vkt_args_u32(&args, (uint32_t)n_blocks);
    vkt_access access = {to->block, first * nbytes, n * nbytes, true};
    vkt_launch launch = {.kernel = kernel,
                         .args = args.bytes,
                         .args_nbytes = args.nbytes,
                         .accesses = &access,
                         .n_accesses = 1};
    vkt_fold_groups(info, vkt_ceil_div(n_blocks, per_group), launch.groups);
    return vkt_dispatch(to->device, &launch);
}

vkt_status vkt_random(vkt_device *device, const vkt_random_request *request, vkt_dtype dtype,
                      int32_t ndim, const int64_t *shape, vkt_tensor **out)
{
    vkt_tensor *result = NULL;
    vkt_kernel *kernel = NULL;
    const vkt_device_info *info = vkt_device_get_info(device);
    uint32_t group = info->serial_kernels ? 32 : 256, items = info->serial_kernels ? 16 : 4;
    VKT_TRY(check_dtype(request, dtype));
    VKT_TRY(vkt_tensor_empty("random", device, dtype, ndim, shape, &result));
    uint64_t n = (uint64_t)result->layout.n_elems;
    if (n > 0) {
        uint64_t most = MAX_BLOCKS * (draws_wide(request, dtype) ? 2 : 4);
        if (group > info->max_workgroup_invocations)
            group = info->max_workgroup_invocations;
        VKT_TRY(find_kernel(device, request, dtype, group, items, &kernel));
        for (uint64_t first = 0; first < n; first += most)
            VKT_TRY(record(request, kernel, result, first, vkt_min_u64(most, n - first),
                           group * items));
    }
    *out = result;
    return VKT_OK;
fail:
    vkt_tensor_unref(result);
    return vkt_status_last();
}
