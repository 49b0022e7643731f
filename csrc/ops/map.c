/* ops/map.c - records the kernels of a fusion: one element in, one element out, over any
 * layouts. */
#include <string.h>

#include "base/checked.h"
#include "ops/map_internal.h"
#include "ops/note.h"
#include "ops/tuning.h"

/* Indices are 32-bit in kernels: larger spaces, and those that reach further, are cut in pieces. */
#define MAX_REACH (INT64_C(1) << 30)

/* Elements an invocation handles at most: as many as shaders/lib/access.glsl is made for. */
#define MAX_WIDTH 16

/* Grids are folded to X * Y: the least a device has to offer. */
#define MAX_GROUPS 65535

/* ---- Operands and their common space --------------------------------------------------------- */

static const vkt_layout *operand_layout(const vkt_map_plan *plan, int p)
{
    const vkt_fusion *fusion = plan->fusion;
    int n_outputs = plan->program->n_outputs;
    if (p < n_outputs)
        return &fusion->outputs[p]->layout;
    return p < plan->n_tensors ? &fusion->leaf_layouts[p - n_outputs] : &fusion->space;
}

static void init_plan(const vkt_fusion *fusion, const vkt_program *program, vkt_map_plan *plan)
{
    uint8_t widest = 1;
    plan->fusion = fusion;
    plan->program = program;
    plan->device = fusion->outputs[0]->device;
    plan->n_tensors = program->n_outputs + program->n_leaves;
    plan->counts = false;
    for (int i = 0; i < program->n_instrs; i++)
        plan->counts |= program->instrs[i].kind == VKT_INSTR_IOTA;
    plan->n_operands = plan->n_tensors + plan->counts;
    for (int p = 0; p < plan->n_tensors; p++) {
        int leaf = p - program->n_outputs;
        const vkt_tensor *tensor = leaf < 0 ? fusion->outputs[p] : fusion->leaves[leaf];
        plan->blocks[p] = tensor->block;
        plan->nbytes[p] = vkt_dtypes[tensor->dtype].nbytes;
        if (plan->nbytes[p] > widest)
            widest = plan->nbytes[p];
    }
    uint32_t nbytes = vkt_tuned(plan->device, VKT_TUNE_ELEMENTWISE_VECTOR);
    plan->width = nbytes <= widest ? 1 : (uint32_t)vkt_min_u64(nbytes / widest, MAX_WIDTH);
}

static bool stands_still(const vkt_layout *layout)
{
    for (int32_t i = 0; i < layout->ndim; i++) {
        if (layout->shape[i] != 1 && layout->strides[i] != 0)
            return false;
    }
    return true;
}

/* The usual case, without sorting dims: everything contiguous, or one element for all. */
static bool init_flat_space(const vkt_map_plan *plan, vkt_space *space)
{
    for (int p = 0; p < plan->n_operands; p++) {
        const vkt_layout *layout = operand_layout(plan, p);
        bool contiguous = vkt_layout_is_contiguous(layout);
        if (!contiguous && (p < plan->program->n_outputs || !stands_still(layout)))
            return false;
        space->strides[p][0] = contiguous;
        space->offsets[p] = layout->offset;
    }
    space->ndim = 1;
    space->n_operands = plan->n_operands;
    space->shape[0] = plan->fusion->space.n_elems;
    return true;
}

static void init_space(const vkt_map_plan *plan, vkt_space *space)
{
    const vkt_layout *layouts[MAX_MAP_OPERANDS];
    if (init_flat_space(plan, space))
        return;
    for (int p = 0; p < plan->n_operands; p++)
        layouts[p] = operand_layout(plan, p);
    vkt_space_init(layouts, plan->n_operands, space);
    if (space->ndim > 0)
        return;
    space->ndim = 1;
    space->shape[0] = 1;
    for (int p = 0; p < plan->n_operands; p++)
        space->strides[p][0] = 1;
}

static int64_t reach_along(const vkt_space *space, int p, int32_t dim)
{
    int64_t stride = space->strides[p][dim];
    return (space->shape[dim] - 1) * (stride < 0 ? -stride : stride);
}

/* The dim to cut so that indices fit, or -1. */
static int32_t find_cut(const vkt_space *space)
{
    int64_t count = 1;
    int32_t longest = 0;
    for (int32_t d = 0; d < space->ndim; d++) {
        count *= space->shape[d];
        if (space->shape[d] > space->shape[longest])
            longest = d;
    }
    if (count > MAX_REACH)
        return longest;
    for (int p = 0; p < space->n_operands; p++) {
        int64_t reach = 0;
        int32_t furthest = 0;
        for (int32_t d = 0; d < space->ndim; d++) {
            reach += reach_along(space, p, d);
            if (reach_along(space, p, d) > reach_along(space, p, furthest))
                furthest = d;
        }
        if (reach > MAX_REACH)
            return furthest;
    }
    return -1;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

uint64_t vkt_map_address(const vkt_map_plan *plan, const vkt_space *space, int p)
{
    return vkt_block_address(plan->blocks[p]) + (uint64_t)(space->offsets[p] * plan->nbytes[p]);
}

/* True when accesses of WIDTH elements along `dim` may be wide wherever they begin: all else is
 * a multiple of their size. */
static bool is_aligned(const vkt_map_plan *plan, const vkt_space *space, int p, int32_t dim)
{
    if (space->strides[p][dim] != 1)
        return false;
    uint64_t align = vkt_min_u64(16, (uint64_t)plan->width * plan->nbytes[p]);
    uint64_t odd = vkt_map_address(plan, space, p);
    for (int32_t d = 0; d < space->ndim; d++) {
        if (d != dim)
            odd |= (uint64_t)(space->strides[p][d] * plan->nbytes[p]);
    }
    return odd % align == 0;
}

/* True when operand p is aligned wherever output 0 is: where kernels begin their chunks if it
 * advances by 1. */
static bool is_aligned_with_output(const vkt_map_plan *plan, const vkt_space *space, int p)
{
    int32_t inner = space->ndim - 1;
    if (space->strides[0][inner] != 1)
        return is_aligned(plan, space, p, inner);
    if (space->strides[p][inner] != 1)
        return false;
    /* width is a power of two: differences may wrap. */
    uint64_t odd = vkt_map_address(plan, space, p) / plan->nbytes[p] -
                   vkt_map_address(plan, space, 0) / plan->nbytes[0];
    for (int32_t d = 0; d < inner; d++)
        odd |= (uint64_t)(space->strides[p][d] - space->strides[0][d]);
    return odd % plan->width == 0;
}

static int64_t magnitude(int64_t value)
{
    return value < 0 ? -value : value;
}

/* In a tile of x and y, the dims ndim-1 and ndim-2: neighbours in memory lie along y. */
static bool is_turned(const vkt_space *space, int p, int32_t y)
{
    int64_t along_x = magnitude(space->strides[p][space->ndim - 1]);
    int64_t along_y = magnitude(space->strides[p][y]);
    return along_y > 0 && along_y < along_x;
}

/* As shaders/elementwise.comp reads them. */
static uint32_t find_flags(const vkt_map_plan *plan, const vkt_space *space, vkt_map_layout layout)
{
    uint32_t flags = 0;
    int32_t inner = space->ndim - 1;
    bool on_cpu = vkt_device_get_info(plan->device)->serial_kernels;
    for (int p = 0; p < plan->n_operands; p++) {
        bool is_leaf = p >= plan->program->n_outputs && p < plan->n_tensors;
        bool turned = layout == VKT_MAP_TILES && is_leaf && is_turned(space, p, inner - 1);
        if (turned || (layout == VKT_MAP_FLAT && space->strides[p][0] == 1))
            flags |= UINT32_C(0x10000) << p;
        /* A CPU driver reads turned leaves along x like any other. */
        int32_t along = turned && !on_cpu ? inner - 1 : inner;
        bool follows = layout == VKT_MAP_ROWS || layout == VKT_MAP_GENERAL;
        if (p < plan->n_tensors &&
            (follows ? is_aligned_with_output(plan, space, p) : is_aligned(plan, space, p, along)))
            flags |= UINT32_C(1) << p;
    }
    return flags;
}

/* Divisors and multipliers in pairs, after all their shifts. */
static void pack_divisors(const uint64_t *divisors, vkt_map_layout layout, vkt_args *args)
{
    vkt_fastdiv divs[VKT_MAX_NDIM];
    int n = vkt_map_divisors(layout);
    for (int i = 0; i < n; i++)
        divs[i] = vkt_fastdiv_init((uint32_t)divisors[i]);
    for (int word = 0; word < vkt_map_shift_words(layout); word++) {
        uint32_t shifts = 0;
        for (int i = 4 * word; i < n && i < 4 * word + 4; i++)
            shifts |= divs[i].shift << (8 * (i % 4));
        vkt_args_u32(args, shifts);
    }
    for (int i = 0; i < n; i++) {
        vkt_args_u32(args, divs[i].divisor);
        vkt_args_u32(args, divs[i].multiplier);
    }
}

static void pack_strides(const vkt_map_plan *plan, const vkt_space *space, int32_t dim,
                         vkt_args *args)
{
    for (int p = 0; p < plan->n_operands; p++)
        vkt_args_i32(args, dim >= 0 ? (int32_t)space->strides[p][dim] : 0);
}

/* Chunks of WIDTH elements along the innermost dim; one more where rows begin between aligned
 * places. */
static uint64_t count_chunks(const vkt_map_plan *plan, const vkt_space *space)
{
    int32_t inner = space->ndim - 1;
    bool shifted = space->strides[0][inner] == 1 && !is_aligned(plan, space, 0, inner);
    return vkt_ceil_div((uint64_t)space->shape[inner] + (shifted ? plan->width - 1 : 0),
                        plan->width);
}

/* Tiles across a dim. */
static uint64_t count_tiles(const vkt_map_plan *plan, const vkt_space *space, int32_t dim)
{
    return vkt_ceil_div((uint64_t)space->shape[dim], vkt_map_tile_side(plan));
}

/* Sizes and strides, from the innermost dim outwards. Dims that are not there have length 1:
 * coordinate 0. */
static void pack_dims(const vkt_map_plan *plan, const vkt_space *space, vkt_map_layout layout,
                      vkt_args *args)
{
    bool tiled = layout == VKT_MAP_TILES;
    int32_t inner = space->ndim - 1;
    int32_t outer = tiled ? inner - 2 : inner - 1; /* the innermost of the outer dims */
    int limit = vkt_map_outer_limit(layout);
    uint64_t divisors[VKT_MAX_NDIM + 2];
    int n = 0;
    divisors[n++] = tiled ? count_tiles(plan, space, inner) : count_chunks(plan, space);
    if (tiled)
        divisors[n++] = count_tiles(plan, space, inner - 1);
    for (int32_t d = outer; d > outer - limit; d--)
        divisors[n++] = d >= 0 ? (uint64_t)space->shape[d] : 1;

    /* An argument more than fits in push constants costs CPU drivers as much as an operand. */
    vkt_args_u32(args, (uint32_t)space->shape[inner]);
    if (layout == VKT_MAP_GENERAL)
        vkt_args_u32(args, (uint32_t)inner);
    if (tiled)
        vkt_args_u32(args, (uint32_t)space->shape[inner - 1]);
    pack_divisors(divisors, layout, args);
    pack_strides(plan, space, inner, args);
    if (tiled)
        pack_strides(plan, space, inner - 1, args);
    for (int32_t d = outer; d > outer - limit; d--)
        pack_strides(plan, space, d, args);
}

static void pack_args(const vkt_map_plan *plan, const vkt_space *space, vkt_map_layout layout,
                      uint32_t n, vkt_args *args)
{
    args->nbytes = 0;
    for (int p = 0; p < plan->n_tensors; p++)
        vkt_args_u64(args, vkt_map_address(plan, space, p));
    vkt_pack_scalars(plan->fusion, args);
    if (plan->counts)
        vkt_args_u64(args, (uint64_t)space->offsets[plan->n_operands - 1]);
    vkt_args_u32(args, n);
    vkt_args_u32(args, find_flags(plan, space, layout));
    if (layout != VKT_MAP_FLAT)
        pack_dims(plan, space, layout, args);
}

/* ---- Recording ------------------------------------------------------------------------------- */

/* The dim along which some leaf's neighbours in memory lie, if not along the innermost and if
 * tiles repay it; else -1. */
static int32_t find_turned_dim(const vkt_map_plan *plan, const vkt_space *space)
{
    const vkt_device_info *info = vkt_device_get_info(plan->device);
    int64_t least = vkt_map_tile_side(plan) / 2;
    int32_t inner = space->ndim - 1;
    /* Elements of 16 bytes are whole accesses wherever they lie. */
    if (plan->width < 2 || space->ndim < 2 || space->shape[inner] < least ||
        space->ndim > 2 + vkt_map_outer_limit(VKT_MAP_TILES) ||
        info->max_workgroup_invocations < vkt_map_group_size(plan, VKT_MAP_TILES))
        return -1;
    for (int p = plan->program->n_outputs; p < plan->n_tensors; p++) {
        int32_t best = inner;
        for (int32_t d = 0; d < inner; d++) {
            int64_t stride = magnitude(space->strides[p][d]);
            if (stride > 0 && stride < magnitude(space->strides[p][best]))
                best = d;
        }
        /* Steps of a few elements share their cache lines anyway. */
        if (best != inner && space->shape[best] >= least &&
            magnitude(space->strides[p][inner]) >= 4 * magnitude(space->strides[p][best]))
            return best;
    }
    return -1;
}

static void move_dim(vkt_space *space, int32_t from, int32_t to)
{
    for (int32_t d = from; d < to; d++) {
        int64_t shape = space->shape[d];
        space->shape[d] = space->shape[d + 1];
        space->shape[d + 1] = shape;
        for (int p = 0; p < space->n_operands; p++) {
            int64_t stride = space->strides[p][d];
            space->strides[p][d] = space->strides[p][d + 1];
            space->strides[p][d + 1] = stride;
        }
    }
}

/* Chooses the kernel's kind and puts the dims in the order it wants. */
static vkt_map_layout choose_layout(const vkt_map_plan *plan, vkt_space *space)
{
    int32_t turned = find_turned_dim(plan, space);
    if (turned >= 0) {
        move_dim(space, turned, space->ndim - 2);
        return VKT_MAP_TILES;
    }
    if (space->ndim > 1 + vkt_map_outer_limit(VKT_MAP_ROWS))
        return VKT_MAP_GENERAL;
    if (space->ndim > 1)
        return VKT_MAP_ROWS;
    for (int p = 0; p < space->n_operands; p++) {
        if (space->strides[p][0] != 0 && space->strides[p][0] != 1)
            return VKT_MAP_ROWS;
    }
    return VKT_MAP_FLAT;
}

uint64_t vkt_map_access(const vkt_map_plan *plan, const vkt_space *space, int p, vkt_access *out)
{
    int64_t low = space->offsets[p];
    int64_t high = low + 1;
    uint64_t distinct = plan->nbytes[p];
    for (int32_t d = 0; d < space->ndim; d++) {
        int64_t span = (space->shape[d] - 1) * space->strides[p][d];
        low += span < 0 ? span : 0;
        high += span > 0 ? span : 0;
        distinct *= space->strides[p][d] != 0 ? (uint64_t)space->shape[d] : 1;
    }
    out->block = plan->blocks[p];
    out->offset = (uint64_t)low * plan->nbytes[p];
    out->nbytes = (uint64_t)(high - low) * plan->nbytes[p];
    out->write = p < plan->program->n_outputs;
    return distinct;
}

/* Sets what the kernel counts to, and its workgroups folded to a grid. */
static uint32_t find_grid(const vkt_map_plan *plan, const vkt_space *space, vkt_map_layout layout,
                          uint32_t groups[3])
{
    bool tiled = layout == VKT_MAP_TILES;
    int32_t inner = space->ndim - 1;
    uint64_t n = tiled                    ? count_tiles(plan, space, inner)
                 : layout == VKT_MAP_FLAT ? vkt_ceil_div((uint64_t)space->shape[0], plan->width)
                                          : count_chunks(plan, space);
    for (int32_t d = 0; d < inner; d++)
        n *= tiled && d == inner - 1 ? count_tiles(plan, space, d) : (uint64_t)space->shape[d];
    uint64_t n_groups = tiled ? n : vkt_ceil_div(n, vkt_map_group_size(plan, layout));
    uint64_t y = vkt_ceil_div(n_groups, MAX_GROUPS);
    groups[0] = (uint32_t)vkt_ceil_div(n_groups, y);
    groups[1] = (uint32_t)y;
    groups[2] = 1;
    return layout == VKT_MAP_FLAT ? (uint32_t)space->shape[0] : (uint32_t)n;
}

static vkt_status record(const vkt_map_plan *plan, vkt_space *space)
{
    vkt_args args;
    vkt_access accesses[MAX_MAP_OPERANDS];
    vkt_note note;
    vkt_launch launch = {.accesses = accesses, .n_accesses = (uint32_t)plan->n_tensors};
    vkt_map_layout layout = choose_layout(plan, space);
    if (layout == VKT_MAP_FLAT)
        VKT_TRY(vkt_map_stream(plan, space));
    if (space->shape[0] == 0)
        return VKT_OK;
    for (int p = 0; p < plan->n_tensors; p++)
        launch.nbytes += vkt_map_access(plan, space, p, &accesses[p]);
    pack_args(plan, space, layout, find_grid(plan, space, layout, launch.groups), &args);
    launch.args = args.bytes;
    launch.args_nbytes = args.nbytes;
    VKT_TRY(vkt_map_kernel(plan, layout, args.nbytes, &launch.kernel));
    if (vkt_profile_running(plan->device)) {
        vkt_note_fusion(plan->fusion, NULL, plan->fusion->outputs[0], &note);
        launch.note = &note;
    }
    return vkt_dispatch(plan->device, &launch);
fail:
    return vkt_status_last();
}

/* Records the space in pieces whose indices fit; each cut halves the longest reach. */
static vkt_status record_pieces(const vkt_map_plan *plan, vkt_space *space)
{
    int32_t dim = find_cut(space);
    if (dim < 0)
        return record(plan, space);
    vkt_space piece = *space;
    int64_t half = space->shape[dim] / 2;
    /* Keeps the second half as aligned as the first. */
    if (half > 256)
        half -= half % 256;
    piece.shape[dim] = half;
    VKT_TRY(record_pieces(plan, &piece));
    piece.shape[dim] = space->shape[dim] - half;
    for (int p = 0; p < space->n_operands; p++)
        piece.offsets[p] += half * space->strides[p][dim];
    return record_pieces(plan, &piece);
fail:
    return vkt_status_last();
}

/* Moved elements are words: their bits survive whatever they mean, and dtypes of one size share
 * a kernel. */
static void make_copy_program(vkt_program *program)
{
    static const vkt_dtype words[17] = {[1] = VKT_UINT8,
                                        [2] = VKT_UINT16,
                                        [4] = VKT_UINT32,
                                        [8] = VKT_UINT64,
                                        [16] = VKT_COMPLEX128};
    vkt_dtype word = words[vkt_dtypes[program->leaf_dtype[0]].nbytes];
    program->leaf_dtype[0] = (uint8_t)word;
    program->instrs[0].dtype = (uint8_t)word;
    program->instrs[0].compute = (uint8_t)word;
}

vkt_status vkt_map(const vkt_fusion *fusion)
{
    vkt_map_plan plan;
    vkt_space space;
    vkt_program copy;
    const vkt_program *program = &fusion->program;
    if (program->n_instrs == 1 && program->instrs[0].kind == VKT_INSTR_LEAF) {
        memset(&copy, 0, sizeof(copy));
        (void)vkt_program_key(program, &copy);
        make_copy_program(&copy);
        program = &copy;
    }
    init_plan(fusion, program, &plan);
    init_space(&plan, &space);
    VKT_TRY(record_pieces(&plan, &space));
    for (int p = 0; p < plan.n_tensors; p++)
        VKT_TRY(vkt_finish_exported(plan.blocks[p], p < program->n_outputs));
    return VKT_OK;
fail:
    return vkt_status_last();
}
