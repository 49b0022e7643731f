/* ops/compact.c - counts what a mask selects tile by tile, then moves it there. */
#include "ops/compact.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "ops/elementwise.h"
#include "ops/expr.h"
#include "ops/kernel_text.h"

/* Elements of one dispatch: kernels number them in 32 bits, signed. A multiple of every tile. */
#define MAX_ELEMS (UINT64_C(1) << 30)

/* GPUs: a workgroup's tile, 16 loads in flight for each invocation. CPU drivers, and GPUs without
 * ballots: an invocation's tile, far below the limit on loops. */
#define GROUP        256u
#define ITEMS        16u
#define SERIAL_TILE  1024u
#define SERIAL_GROUP 32u

/* A mask read more often than that, or with transcendental functions, is stored before. */
#define MAX_FUSED_LEAVES 2

typedef enum compact_mode { COMPACT_COUNT, COMPACT_VALUES, COMPACT_INDICES } compact_mode;

typedef struct compaction {
    const char *op;
    vkt_device *device;
    const vkt_device_info *info;
    vkt_fusion fusion; /* of the mask, flat: every leaf contiguous or one element */
    bool fused;        /* ... and to be cleared */
    bool grouped;
    uint32_t still; /* bit i: leaf i is one element */
    uint32_t group, tile;
    uint64_t n;
    vkt_tensor *ends; /* owned; of tiles: their counts, then where they end */
    uint64_t count;
    vkt_tensor *x, *result; /* x is borrowed, contiguous */
} compaction;

/* ---- The mask -------------------------------------------------------------------------------- */

static bool is_flat(const vkt_fusion *fusion, uint32_t *still)
{
    *still = 0;
    for (int i = 0; i < fusion->program.n_leaves; i++) {
        const vkt_layout *leaf = &fusion->leaf_layouts[i];
        bool one = true;
        for (int32_t d = 0; d < leaf->ndim; d++)
            one &= leaf->shape[d] == 1 || leaf->strides[d] == 0;
        if (!one && !vkt_layout_is_contiguous(leaf))
            return false;
        *still |= one ? 1u << i : 0;
    }
    return true;
}

static bool is_exported(const vkt_fusion *fusion)
{
    for (int i = 0; i < fusion->program.n_leaves; i++) {
        if (vkt_block_exports(fusion->leaves[i]->block) > 0)
            return true;
    }
    return false;
}

/* With `apart`, of a copy that nobody else knows. */
static vkt_status fuse_mask(compaction *c, vkt_tensor *mask, bool apart)
{
    vkt_tensor *stored = NULL;
    bool light = !mask->expr || (mask->expr->n_leaves <= MAX_FUSED_LEAVES && !mask->expr->heavy);
    if (!light)
        VKT_TRY(vkt_eval(&mask, 1));
    VKT_TRY(vkt_fuse(mask, false, &c->fusion));
    c->fused = true;
    if (!apart && is_flat(&c->fusion, &c->still) && !is_exported(&c->fusion))
        return VKT_OK;
    vkt_fusion_clear(&c->fusion);
    c->fused = false;
    if (apart)
        VKT_TRY(vkt_tensor_copy(mask, &stored));
    else
        VKT_TRY(vkt_tensor_settled(mask, &stored));
    VKT_TRY(vkt_fuse(stored, false, &c->fusion));
    c->fused = true;
    (void)is_flat(&c->fusion, &c->still);
    vkt_tensor_unref(stored);
    return VKT_OK;
fail:
    vkt_tensor_unref(stored);
    return vkt_status_last();
}

/* ---- Kernels --------------------------------------------------------------------------------- */

static void emit_flag(const compaction *c, vkt_text *out)
{
    vkt_program_emit(&c->fusion.program, out);
    vkt_emit_access(&c->fusion.program, false, out);
    vkt_text_append(out, "bool flag_at(int i)\n{\n    bool flag;\n    vkt_compute(");
    for (int i = 0; i < c->fusion.program.n_leaves; i++)
        vkt_text_format(out, "vkt_leaf%d(%s), ", i, c->still & 1u << i ? "0" : "i");
    vkt_text_append(out, "args.first + int64_t(i), flag);\n    return flag;\n}\n\n");
}

static vkt_status build_kernel(const compaction *c, compact_mode mode, uint32_t nbytes,
                               const void *key, size_t key_nbytes, uint32_t args_nbytes,
                               vkt_kernel **out)
{
    static const char *const words[] = {"uint8_t", "uint16_t", "uint", "uvec2", "uvec4"};
    static const char *const names[] = {"count", "compress", "nonzero"};
    char name[VKT_PROGRAM_NAME + 32], program[VKT_PROGRAM_NAME];
    uint32_t constants[3] = {c->group, 1, 1};
    int log2 = 0;
    while (1u << log2 < nbytes)
        log2++;
    vkt_program_name(&c->fusion.program, program);
    (void)snprintf(name, sizeof(name), "%s_%s", names[mode], program);
    vkt_kernel_parts parts = {
        .source = {.name = name,
                   .constants = constants,
                   .n_constants = 3,
                   .subgroup_size = c->grouped ? c->info->subgroup_size : 0},
        .args_nbytes = args_nbytes,
    };
    vkt_emit_members(&c->fusion.program, false, &parts.members);
    vkt_text_append(&parts.members, "uint64_t ends, src, dst; int64_t first; uint n, tile0; ");
    vkt_text_format(&parts.body, "#define TILE %uu\n#define GROUP %uu\n#define ITEMS %uu\n%s%s%s",
                    c->tile, c->group, ITEMS, c->grouped ? "#define GROUPED\n" : "",
                    mode != COMPACT_COUNT ? "#define MOVES\n" : "",
                    mode == COMPACT_INDICES ? "#define INDICES\n" : "");
    vkt_text_format(&parts.body, "#define WORD %s\n#define NBYTES %u\n",
                    mode == COMPACT_INDICES ? "int64_t" : words[log2], nbytes);
    emit_flag(c, &parts.body);
    vkt_text_append(&parts.body, vkt_glsl_template("compact"));
    return vkt_kernel_assemble(c->device, key, key_nbytes, &parts, out);
}

static vkt_status find_kernel(const compaction *c, compact_mode mode, uint32_t nbytes,
                              uint32_t args_nbytes, vkt_kernel **out)
{
    uint8_t key[6 + sizeof(vkt_program)] = {
        'c', 'm', (uint8_t)mode, (uint8_t)nbytes, (uint8_t)c->still, (uint8_t)c->grouped};
    size_t n = 6 + vkt_program_key(&c->fusion.program, key + 6);
    *out = vkt_kernel_find(c->device, key, n);
    return *out ? VKT_OK : build_kernel(c, mode, nbytes, key, n, args_nbytes, out);
}

/* ---- Launches -------------------------------------------------------------------------------- */

static vkt_status record(compaction *c, compact_mode mode, uint64_t first, uint64_t n)
{
    uint32_t nbytes = mode == COMPACT_COUNT     ? 4
                      : mode == COMPACT_INDICES ? 8
                                                : vkt_dtypes[c->x->dtype].nbytes;
    vkt_access accesses[VKT_MAX_LEAVES + 3];
    vkt_launch launch = {.accesses = accesses};
    vkt_args args = {.nbytes = 0};
    uint64_t src = 0, dst = 0;
    for (int i = 0; i < c->fusion.program.n_leaves; i++) {
        if (!(c->still & 1u << i))
            c->fusion.leaf_layouts[i].offset += (int64_t)first;
    }
    vkt_pack_members(&c->fusion, false, &args);
    for (int i = 0; i < c->fusion.program.n_leaves; i++) {
        if (!(c->still & 1u << i))
            c->fusion.leaf_layouts[i].offset -= (int64_t)first;
        accesses[launch.n_accesses++] = vkt_access_block(c->fusion.leaves[i]->block, false);
    }
    if (mode == COMPACT_VALUES) {
        src = vkt_block_address(c->x->block) + ((uint64_t)c->x->layout.offset + first) * nbytes;
        accesses[launch.n_accesses++] = vkt_access_block(c->x->block, false);
    }
    if (mode != COMPACT_COUNT) {
        dst = vkt_block_address(c->result->block);
        accesses[launch.n_accesses++] = vkt_access_block(c->result->block, true);
    }
    accesses[launch.n_accesses++] = vkt_access_block(c->ends->block, mode == COMPACT_COUNT);
    vkt_args_u64(&args, vkt_block_address(c->ends->block) +
                            (uint64_t)c->ends->layout.offset * sizeof(int64_t));
    vkt_args_u64(&args, src);
    vkt_args_u64(&args, dst);
    vkt_args_u64(&args, first);
    vkt_args_u32(&args, (uint32_t)n);
    vkt_args_u32(&args, (uint32_t)(first / c->tile));
    VKT_TRY(find_kernel(c, mode, nbytes, args.nbytes, &launch.kernel));
    launch.args = args.bytes;
    launch.args_nbytes = args.nbytes;
    uint64_t per_group = c->grouped ? c->tile : (uint64_t)c->tile * c->group;
    vkt_fold_groups(c->info, vkt_ceil_div(n, per_group), launch.groups);
    return vkt_dispatch(c->device, &launch);
fail:
    return vkt_status_last();
}

static vkt_status record_all(compaction *c, compact_mode mode)
{
    for (uint64_t first = 0; first < c->n; first += MAX_ELEMS)
        VKT_TRY(record(c, mode, first, vkt_min_u64(MAX_ELEMS, c->n - first)));
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* Counts, and adds the tiles' counts up. */
static vkt_status count(compaction *c)
{
    vkt_tensor *ends = NULL;
    int64_t n_tiles = (int64_t)vkt_ceil_div(c->n, c->tile), total = 0;
    VKT_TRY(vkt_tensor_empty(c->op, c->device, VKT_INT64, 1, &n_tiles, &c->ends));
    VKT_TRY(record_all(c, COMPACT_COUNT));
    if (n_tiles > 1) {
        VKT_TRY(vkt_scan(VKT_OP_cumulative_sum, c->ends, 0, VKT_INT64, false, &ends));
        VKT_TRY(vkt_eval(&ends, 1));
        vkt_tensor_unref(c->ends);
        c->ends = ends;
        ends = NULL;
    }
    uint64_t last = (uint64_t)(c->ends->layout.offset + n_tiles - 1) * sizeof(total);
    VKT_TRY(vkt_download(c->device, c->ends->block, last, &total, sizeof(total)));
    c->count = (uint64_t)total;
    return VKT_OK;
fail:
    vkt_tensor_unref(ends);
    return vkt_status_last();
}

static void release(compaction *c)
{
    if (c->fused)
        vkt_fusion_clear(&c->fusion);
    c->fused = false;
    vkt_tensor_unref(c->ends);
    vkt_tensor_unref(c->result);
    c->ends = c->result = NULL;
}

static uint64_t find_last_write(const compaction *c)
{
    uint64_t last = 0;
    for (int i = 0; i < c->fusion.program.n_leaves; i++)
        last = vkt_max_u64(last, vkt_block_last_write(c->fusion.leaves[i]->block));
    return last;
}

/* Counts, and makes room for the result. `changed`: meanwhile another thread wrote to what the mask
 * is computed from, and elements would be moved to where there is no room. */
static vkt_status prepare(compaction *c, vkt_tensor *mask, vkt_dtype dtype, bool apart,
                          bool *changed)
{
    uint64_t last = 0;
    if (c->n > 0) {
        VKT_TRY(fuse_mask(c, mask, apart));
        last = find_last_write(c);
        VKT_TRY(count(c));
    }
    int64_t shape = (int64_t)c->count;
    VKT_TRY(vkt_tensor_empty(c->op, c->device, dtype, 1, &shape, &c->result));
    *changed = c->n > 0 && find_last_write(c) != last;
    return VKT_OK;
fail:
    return vkt_status_last();
}

static vkt_status compact(compaction *c, vkt_tensor *mask, compact_mode mode, vkt_dtype dtype,
                          vkt_tensor **out)
{
    bool changed;
    c->device = mask->device;
    c->info = vkt_device_get_info(c->device);
    c->n = (uint64_t)mask->layout.n_elems;
    c->group = c->info->serial_kernels ? SERIAL_GROUP : GROUP;
    c->group = (uint32_t)vkt_min_u64(c->group, c->info->max_workgroup_invocations);
    c->grouped = !c->info->serial_kernels && c->info->subgroup_ballot &&
                 c->info->subgroup_size_control && c->group % c->info->subgroup_size == 0;
    c->tile = c->grouped ? c->group * ITEMS : SERIAL_TILE;
    VKT_TRY(prepare(c, mask, dtype, false, &changed));
    if (changed) {
        release(c);
        VKT_TRY(prepare(c, mask, dtype, true, &changed));
    }
    if (c->count > 0)
        VKT_TRY(record_all(c, mode));
    for (int i = 0; c->fused && i < c->fusion.program.n_leaves; i++)
        VKT_TRY(vkt_finish_exported(c->fusion.leaves[i]->block, false));
    if (c->x)
        VKT_TRY(vkt_finish_exported(c->x->block, false));
    *out = c->result;
    c->result = NULL;
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_flat_nonzero(const char *op, vkt_tensor *x, vkt_tensor **out)
{
    compaction c;
    vkt_tensor *mask = NULL;
    memset(&c, 0, sizeof(c));
    c.op = op;
    VKT_TRY(vkt_astype(x, VKT_BOOL, &mask));
    VKT_TRY(compact(&c, mask, COMPACT_INDICES, VKT_INT64, out));
    release(&c);
    vkt_tensor_unref(mask);
    return VKT_OK;
fail:
    release(&c);
    vkt_tensor_unref(mask);
    return vkt_status_last();
}

vkt_status vkt_compress(const char *op, vkt_tensor *x, vkt_tensor *mask, vkt_tensor **out)
{
    compaction c;
    vkt_tensor *packed = NULL;
    memset(&c, 0, sizeof(c));
    c.op = op;
    VKT_REQUIRE(x->device == mask->device, VKT_VALUE_ERROR,
                "%s: x and the mask are on two devices, %s and %s", op,
                vkt_device_get_info(x->device)->name, vkt_device_get_info(mask->device)->name);
    VKT_REQUIRE(vkt_layout_same_shape(&x->layout, &mask->layout) && mask->dtype == VKT_BOOL,
                VKT_VALUE_ERROR, "%s: expected a bool mask of x's shape, got %s of %d dimensions",
                op, vkt_dtypes[mask->dtype].name, (int)mask->layout.ndim);
    VKT_TRY(vkt_tensor_contiguous(x, &packed));
    c.x = packed;
    VKT_TRY(compact(&c, mask, COMPACT_VALUES, x->dtype, out));
    release(&c);
    vkt_tensor_unref(packed);
    return VKT_OK;
fail:
    release(&c);
    vkt_tensor_unref(packed);
    return vkt_status_last();
}
