/* ops/sort.c - radix sort: short rows by one workgroup, long ones digit by digit in three steps. */
#include "ops/sort.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "ops/elementwise.h"
#include "ops/expr.h"
#include "ops/kernel_text.h"

/* Rows up to this length are sorted by counting, n comparisons for each element. */
#define SMALL_ROW   32
#define SMALL_GROUP 128

/* GPU: invocations of a workgroup, elements that each holds (fewer where shared memory is at
 * Vulkan's minimum), and blocks wanted in all: several for each core of the largest GPUs. */
#define GPU_GROUP     256
#define GPU_ITEMS     16
#define GPU_ITEMS_MIN 12
#define ROOMY_NBYTES  24576
#define BLOCKS_WANTED 2048
/* Counts of so many blocks are added up by one invocation. */
#define FEW_BLOCKS 32
/* Loop turns of a workgroup for each tile, at most. */
#define TILE_TURNS 96

/* CPU: invocations of a workgroup, elements of short rows that each takes, blocks wanted in all,
 * the shortest of them. */
#define SERIAL_GROUP    32
#define SERIAL_ITEMS    16
#define SERIAL_WANTED   256
#define SERIAL_SHORTEST 1024

/* Counts of all rows of one dispatch, in words, and elements or workgroups of one dispatch. */
#define MAX_COUNTS (UINT64_C(1) << 24)
#define MAX_WORK   (UINT64_C(1) << 30)

#define MAX_ROW (UINT32_MAX - 65535)

/* The same members as MEMBERS, in the same order. */
typedef struct sort_args {
    uint64_t src, dst, src_index, dst_index, counts, totals, flip;
    uint32_t n, n_rows, n_blocks, per_block, shift, dst_wide;
} sort_args;
_Static_assert(sizeof(sort_args) == 80 && sizeof(sort_args) <= VKT_PUSH_NBYTES, "pushed as it is");

static const char MEMBERS[] = "uint64_t src, dst, src_index, dst_index, counts, totals, flip; "
                              "uint n, n_rows, n_blocks, per_block, shift, dst_wide;";

typedef enum sort_step { SMALL, GROUP, COUNT, SCAN, MOVE, N_STEPS } sort_step;
static const char *const STEPS[N_STEPS] = {"small", "group", "count", "scan", "move"};

/* Where elements and their indices are during one pass. */
typedef struct sort_place {
    vkt_block *block, *index_block;
    uint64_t offset, index_offset; /* bytes */
    bool wide;                     /* indices are int64 */
} sort_place;

typedef struct sort {
    vkt_device *device;
    const vkt_device_info *info;
    vkt_tensor *x;      /* owned: contiguous rows that stay as they are */
    vkt_tensor *values; /* owned: the results, each or NULL */
    vkt_tensor *indices;
    vkt_block *keys[2], *places[2]; /* owned: elements and indices between passes */
    vkt_block *counts, *totals;     /* owned */
    uint64_t n, n_rows, flip;
    uint32_t nbytes;
    /* How rows are cut: GPU kernels take tiles of group * items. */
    bool serial;
    uint32_t group, items, bits;
    uint32_t n_blocks, per_block;
} sort;

/* ---- Kernels --------------------------------------------------------------------------------- */

/* Types that are compared the same way, after the flip, share their kernels. */
static const char *find_tag(vkt_dtype dtype)
{
    static const char *const whole[] = {"8", "16", "32", "64"};
    const vkt_dtype_info *type = &vkt_dtypes[dtype];
    if (type->cls == VKT_CLASS_FLOAT)
        return type->tag;
    return whole[type->nbytes == 8 ? 3 : type->nbytes / 2];
}

static uint64_t find_sign(uint32_t nbytes)
{
    return UINT64_C(1) << (8 * nbytes - 1);
}

static uint64_t find_infinity(vkt_dtype dtype)
{
    switch (dtype) {
    case VKT_FLOAT16:
        return 0x7c00;
    case VKT_BFLOAT16:
        return 0x7f80;
    case VKT_FLOAT32:
        return 0x7f800000;
    default:
        return UINT64_C(0x7ff0000000000000);
    }
}

static void emit_defines(const sort *s, sort_step step, vkt_text *out)
{
    static const char *const words[] = {"uint8_t", "uint16_t", "uint", "uint64_t"};
    const char *u = s->nbytes == 8 ? "ul" : "u";
    uint64_t sign = find_sign(s->nbytes);
    vkt_text_format(out, "#define WORD %s\n#define NBYTES %u\n#define KEY %s\n",
                    words[s->nbytes == 8 ? 3 : s->nbytes / 2], s->nbytes,
                    s->nbytes == 8 ? "uint64_t" : "uint");
    vkt_text_format(out, "#define MASK 0x%" PRIx64 "%s\n", sign | (sign - 1), u);
    if (vkt_dtype_is_float(s->x->dtype))
        vkt_text_format(out, "#define SIGN 0x%" PRIx64 "%s\n#define INFINITY 0x%" PRIx64 "%s\n",
                        sign, u, find_infinity(s->x->dtype), u);
    vkt_text_format(out, "#define BITS %uu\n%s", s->bits, s->indices ? "#define INDEXED\n" : "");
    vkt_text_format(out, "#define ITEMS %uu\n", s->items);
    if (s->serial) {
        vkt_text_format(out, "#define STEP %d\n", (int)step - (int)COUNT);
    } else {
        uint32_t subgroup = s->info->subgroup_size, tables = (s->group / subgroup) << s->bits;
        uint32_t tile = s->group * s->items;
        vkt_text_format(
            out, "#define GROUP %uu\n#define SUBGROUP %u\n#define POOL %u\n#define FEW %uu\n",
            s->group, subgroup, tile > tables ? tile : tables, FEW_BLOCKS);
    }
}

static vkt_status find_kernel(const sort *s, sort_step step, vkt_kernel **out)
{
    char name[64], template[32];
    bool plain = s->serial || step == SMALL;
    (void)snprintf(name, sizeof(name), "sort_%s_%s%s_%ux%u", STEPS[step], find_tag(s->x->dtype),
                   s->indices ? "_indices" : "", s->group, s->items);
    *out = vkt_kernel_find(s->device, name, strlen(name));
    if (*out)
        return VKT_OK;

    (void)snprintf(template, sizeof(template), "sort_%s",
                   s->serial && step != SMALL ? "serial" : STEPS[step]);
    uint32_t constants[3] = {s->group, 1, 1};
    vkt_kernel_parts parts = {
        .source = {.name = name,
                   .constants = constants,
                   .n_constants = 3,
                   .subgroup_size = plain ? 0 : s->info->subgroup_size},
        .args_nbytes = sizeof(sort_args),
    };
    vkt_text_append(&parts.members, MEMBERS);
    emit_defines(s, step, &parts.body);
    vkt_text_append(&parts.body, vkt_glsl_template("sort_element"));
    if (!plain)
        vkt_text_append(&parts.body, vkt_glsl_template("sort_rank"));
    vkt_text_append(&parts.body, vkt_glsl_template(template));
    return vkt_kernel_assemble(s->device, name, strlen(name), &parts, out);
}

/* ---- How rows are cut ------------------------------------------------------------------------ */

/* Tiles are sorted by subgroups of one size that vote and add. */
static bool can_rank(const vkt_device_info *info)
{
    return info->max_workgroup_invocations >= GPU_GROUP && info->subgroup_ballot &&
           info->subgroup_arithmetic && info->subgroup_shuffle && info->subgroup_size_control &&
           info->subgroup_size <= 64;
}

static void cut_serial(sort *s)
{
    uint64_t most = s->info->max_turns - (UINT64_C(1) << s->bits);
    uint64_t wanted = vkt_max_u64(SERIAL_WANTED / s->n_rows, 1);
    uint64_t length = vkt_max_u64(vkt_ceil_div(s->n, wanted), SERIAL_SHORTEST);
    length = vkt_min_u64(vkt_min_u64(length, most), s->n);
    s->per_block = (uint32_t)length;
    s->n_blocks = (uint32_t)vkt_ceil_div(s->n, length);
}

static void cut_tiles(sort *s)
{
    uint64_t tile = (uint64_t)s->group * s->items, tiles = vkt_ceil_div(s->n, tile);
    uint64_t wanted = vkt_max_u64(BLOCKS_WANTED / s->n_rows, 1);
    uint64_t length = vkt_ceil_div(tiles, wanted);
    length = vkt_min_u64(length, vkt_max_u64(s->info->max_turns / TILE_TURNS, 1));
    s->per_block = (uint32_t)(length * tile);
    s->n_blocks = (uint32_t)vkt_ceil_div(tiles, length);
}

/* The smallest tile that holds a row: few items first, so that many invocations share the work. */
static void fit_tile(sort *s)
{
    s->group = s->info->subgroup_size;
    s->items = 4;
    while (s->n > (uint64_t)s->group * s->items && s->group < GPU_GROUP)
        s->group *= 2;
    while (s->n > (uint64_t)s->group * s->items)
        s->items *= 2;
}

/* Small subgroups have many tables of counts: of digits half as long. */
static uint32_t find_bits(const sort *s)
{
    uint64_t tables = (uint64_t)(s->group / s->info->subgroup_size) << 8;
    return tables <= GPU_GROUP * GPU_ITEMS_MIN ? 8 : 4;
}

static sort_step plan(sort *s)
{
    const vkt_device_info *info = s->info;
    /* Past what plain loops may take, tiles do it on a CPU driver too. */
    uint64_t longest = (uint64_t)info->max_turns * (info->max_turns - 256);
    s->serial = !can_rank(info) || (info->serial_kernels && s->n <= longest);
    s->bits = 8;
    if (s->n <= SMALL_ROW || s->serial) {
        s->group = s->serial ? SERIAL_GROUP : SMALL_GROUP;
        s->items = s->serial ? SERIAL_ITEMS : 1;
        cut_serial(s);
        return s->n <= SMALL_ROW ? SMALL : COUNT;
    }
    s->group = GPU_GROUP;
    s->items = info->shared_nbytes >= ROOMY_NBYTES ? GPU_ITEMS : GPU_ITEMS_MIN;
    bool fits = s->n <= (uint64_t)s->group * s->items;
    if (fits && s->n <= GPU_GROUP * GPU_ITEMS / 2)
        fit_tile(s);
    s->bits = find_bits(s);
    cut_tiles(s);
    return fits ? GROUP : COUNT;
}

/* ---- Dispatches ------------------------------------------------------------------------------ */

static vkt_status record(const sort *s, sort_step step, const sort_args *args, uint64_t groups,
                         const vkt_access *accesses, uint32_t n_accesses)
{
    vkt_launch launch = {
        .args = args, .args_nbytes = sizeof(*args), .accesses = accesses, .n_accesses = n_accesses};
    VKT_TRY(find_kernel(s, step, &launch.kernel));
    vkt_fold_groups(s->info, groups, launch.groups);
    return vkt_dispatch(s->device, &launch);
fail:
    return vkt_status_last();
}

/* The rows first .. first + n_rows - 1 in both places, as arguments and as accesses. */
static uint32_t bind(const sort *s, const sort_place *from, const sort_place *to, uint64_t first,
                     uint64_t n_rows, sort_args *args, vkt_access accesses[4])
{
    const sort_place *places[2] = {from, to};
    uint64_t *addresses[2][2] = {{&args->src, &args->src_index}, {&args->dst, &args->dst_index}};
    uint32_t n = 0;
    for (int i = 0; i < 2; i++) {
        const sort_place *place = places[i];
        uint64_t width = place->wide ? sizeof(int64_t) : sizeof(uint32_t), row0 = first * s->n;
        uint64_t at = place->offset + row0 * s->nbytes;
        uint64_t at_index = place->index_offset + row0 * width;
        *addresses[i][0] = *addresses[i][1] = 0;
        if (place->block) {
            *addresses[i][0] = vkt_block_address(place->block) + at;
            accesses[n++] = (vkt_access){place->block, at, n_rows * s->n * s->nbytes, i == 1};
        }
        if (place->index_block) {
            *addresses[i][1] = vkt_block_address(place->index_block) + at_index;
            accesses[n++] =
                (vkt_access){place->index_block, at_index, n_rows * s->n * width, i == 1};
        }
    }
    args->n = (uint32_t)s->n;
    args->n_rows = (uint32_t)n_rows;
    args->flip = s->flip;
    args->dst_wide = to->wide;
    return n;
}

/* All of a row in one dispatch. */
static vkt_status sort_rows(const sort *s, sort_step step, const sort_place *from,
                            const sort_place *to)
{
    uint64_t per_group = step == SMALL ? (uint64_t)s->group * s->items : s->n;
    uint64_t at_once = vkt_max_u64(MAX_WORK / s->n, 1);
    for (uint64_t first = 0; first < s->n_rows; first += at_once) {
        uint64_t n_rows = vkt_min_u64(at_once, s->n_rows - first);
        sort_args args = {.shift = 0};
        vkt_access accesses[4];
        uint32_t n = bind(s, from, to, first, n_rows, &args, accesses);
        VKT_TRY(record(s, step, &args, vkt_ceil_div(n_rows * s->n, per_group), accesses, n));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* One digit of the rows first .. first + n_rows - 1: count, scan, move. */
static vkt_status sort_digit(const sort *s, uint32_t shift, const sort_place *from,
                             const sort_place *to, uint64_t first, uint64_t n_rows)
{
    sort_args args = {.shift = shift,
                      .counts = vkt_block_address(s->counts),
                      .totals = vkt_block_address(s->totals),
                      .n_blocks = s->n_blocks,
                      .per_block = s->per_block};
    vkt_access accesses[6];
    uint32_t n = bind(s, from, to, first, n_rows, &args, accesses);
    uint64_t n_digits = n_rows << s->bits, n_counts = n_digits * s->n_blocks;
    uint64_t blocks = n_rows * s->n_blocks, per_group = s->serial ? s->group : 1;
    accesses[n] = (vkt_access){s->counts, 0, n_counts * sizeof(uint32_t), true};
    accesses[n + 1] = (vkt_access){s->totals, 0, n_digits * sizeof(uint32_t), true};
    vkt_access counting[2] = {accesses[0], accesses[n]};
    VKT_TRY(record(s, COUNT, &args, vkt_ceil_div(blocks, per_group), counting, 2));
    uint64_t digits_per_group = s->serial || s->n_blocks <= FEW_BLOCKS ? s->group : 1;
    VKT_TRY(record(s, SCAN, &args, vkt_ceil_div(n_digits, digits_per_group), &accesses[n], 2));
    /* Serial blocks go on counting where they are. */
    accesses[n].write = s->serial;
    accesses[n + 1].write = false;
    return record(s, MOVE, &args, vkt_ceil_div(blocks, per_group), accesses, n + 2);
fail:
    return vkt_status_last();
}

/* Memory between passes: the last but one of them writes keys[0], the one before keys[1]. */
static vkt_status alloc_passes(sort *s, uint32_t n_passes, uint64_t at_once)
{
    uint64_t n_digits = at_once << s->bits, n = s->n * s->n_rows;
    uint32_t n_between = n_passes - 1 < 2 ? n_passes - 1 : 2;
    VKT_TRY(vkt_block_alloc(s->device, n_digits * s->n_blocks * sizeof(uint32_t), VKT_MEMORY_DEVICE,
                            &s->counts));
    VKT_TRY(vkt_block_alloc(s->device, n_digits * sizeof(uint32_t), VKT_MEMORY_DEVICE, &s->totals));
    for (uint32_t i = 0; i < n_between; i++) {
        if (i == 1 && s->values)
            s->keys[1] = vkt_block_ref(s->values->block);
        else
            VKT_TRY(vkt_block_alloc(s->device, n * s->nbytes, VKT_MEMORY_DEVICE, &s->keys[i]));
        if (i == 1 && s->indices)
            s->places[1] = vkt_block_ref(s->indices->block);
        else if (s->indices)
            VKT_TRY(
                vkt_block_alloc(s->device, n * sizeof(uint32_t), VKT_MEMORY_DEVICE, &s->places[i]));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

static vkt_status sort_digits(sort *s, const sort_place *first_place, const sort_place *last_place)
{
    uint32_t n_passes = 8 * s->nbytes / s->bits;
    uint64_t counts = (uint64_t)s->n_blocks << s->bits;
    uint64_t at_once = vkt_min_u64(vkt_max_u64(MAX_COUNTS / counts, 1), s->n_rows);
    sort_place from = *first_place;
    VKT_TRY(alloc_passes(s, n_passes, at_once));
    for (uint32_t pass = 0; pass < n_passes; pass++) {
        uint32_t side = (n_passes - pass) & 1; /* of the last but one: 0 */
        sort_place to = {.block = s->keys[side], .index_block = s->places[side]};
        if (pass + 1 == n_passes)
            to = *last_place;
        for (uint64_t first = 0; first < s->n_rows; first += at_once)
            VKT_TRY(sort_digit(s, pass * s->bits, &from, &to, first,
                               vkt_min_u64(at_once, s->n_rows - first)));
        from = to;
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- The whole ------------------------------------------------------------------------------- */

static vkt_status run(const char *op, sort *s)
{
    sort_place from = {.block = s->x->block, .offset = (uint64_t)s->x->layout.offset * s->nbytes};
    sort_place to = {.block = s->values ? s->values->block : NULL,
                     .index_block = s->indices ? s->indices->block : NULL,
                     .wide = true};
    sort_step step = plan(s);
    VKT_REQUIRE(!s->serial || s->n_blocks <= s->info->max_turns, VKT_VALUE_ERROR,
                "%s: expected at most %" PRIu64 " elements along the axis on %s, got %" PRIu64, op,
                (uint64_t)s->info->max_turns * s->per_block, s->info->name, s->n);
    return step == COUNT ? sort_digits(s, &from, &to) : sort_rows(s, step, &from, &to);
fail:
    return vkt_status_last();
}

/* The axis goes last, or back from there. */
static void turn(int32_t ndim, int32_t from, int32_t to, int32_t *axes)
{
    int32_t at = 0;
    for (int32_t i = 0; i < ndim; i++) {
        at += at == from;
        axes[i] = i == to ? from : at++;
    }
}

static vkt_status turned(vkt_tensor *x, int32_t from, int32_t to, vkt_tensor **out)
{
    vkt_layout layout;
    int32_t axes[VKT_MAX_NDIM];
    if (from == to) {
        *out = vkt_tensor_ref(x);
        return VKT_OK;
    }
    turn(x->layout.ndim, from, to, axes);
    VKT_TRY(vkt_layout_permute("sort", &x->layout, axes, &layout));
    return vkt_tensor_view(x, &layout, out);
fail:
    return vkt_status_last();
}

static void release(sort *s)
{
    vkt_tensor_unref(s->x);
    vkt_tensor_unref(s->values);
    vkt_tensor_unref(s->indices);
    for (int i = 0; i < 2; i++) {
        vkt_block_unref(s->keys[i]);
        vkt_block_unref(s->places[i]);
    }
    vkt_block_unref(s->counts);
    vkt_block_unref(s->totals);
}

vkt_status vkt_sort(const char *op, vkt_tensor *x, int32_t axis, bool descending,
                    vkt_tensor **values, vkt_tensor **indices)
{
    sort s = {.device = x->device, .info = vkt_device_get_info(x->device)};
    vkt_tensor *along = NULL, *results[2] = {NULL, NULL};
    int32_t ndim = x->layout.ndim, last = ndim - 1;
    VKT_REQUIRE(!vkt_dtype_is_complex(x->dtype), VKT_TYPE_ERROR,
                "%s: expected real numbers, which have an order, got %s", op,
                vkt_dtypes[x->dtype].name);
    VKT_REQUIRE(axis >= 0 && axis < ndim, VKT_VALUE_ERROR,
                "%s: expected an axis of a tensor of %d dimensions, got %d", op, (int)ndim,
                (int)axis);
    s.nbytes = vkt_dtypes[x->dtype].nbytes;
    s.n = (uint64_t)x->layout.shape[axis];
    VKT_REQUIRE(s.n < MAX_ROW, VKT_VALUE_ERROR,
                "%s: expected fewer than %" PRIu32 " elements along the axis, got %" PRIu64, op,
                (uint32_t)MAX_ROW, s.n);
    s.flip = vkt_dtypes[x->dtype].cls == VKT_CLASS_INT ? find_sign(s.nbytes) : 0;
    if (descending)
        s.flip ^= find_sign(s.nbytes) | (find_sign(s.nbytes) - 1);
    VKT_TRY(turned(x, axis, last, &along));
    VKT_TRY(vkt_tensor_settled(along, &s.x));
    if (values)
        VKT_TRY(vkt_tensor_empty(op, x->device, x->dtype, ndim, s.x->layout.shape, &s.values));
    if (indices)
        VKT_TRY(vkt_tensor_empty(op, x->device, VKT_INT64, ndim, s.x->layout.shape, &s.indices));
    if (x->layout.n_elems > 0) {
        s.n_rows = (uint64_t)x->layout.n_elems / s.n;
        VKT_TRY(run(op, &s));
        VKT_TRY(vkt_finish_exported(s.x->block, false));
    }
    if (values)
        VKT_TRY(turned(s.values, last, axis, &results[0]));
    if (indices)
        VKT_TRY(turned(s.indices, last, axis, &results[1]));
    if (values)
        *values = results[0];
    if (indices)
        *indices = results[1];
    vkt_tensor_unref(along);
    release(&s);
    return VKT_OK;
fail:
    vkt_tensor_unref(along);
    vkt_tensor_unref(results[0]);
    vkt_tensor_unref(results[1]);
    release(&s);
    return vkt_status_last();
}
