/* ops/index_walk.c - walks over elements placed by indices: spaces, arguments, launches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "ops/elementwise.h"
#include "ops/index_internal.h"
#include "ops/kernel_text.h"
#include "ops/note.h"
#include "ops/tuning.h"

/* The flag that tells of a full hash table: see shaders/scatter.comp. */
#define WALK_CROWDED 2u
/* Words of one dispatch: the kernel's division is exact below 2^31. */
#define MAX_WORDS (INT64_C(1) << 30)

/* ---- Spaces ---------------------------------------------------------------------------------- */

/* What a kernel walks: steps of x and of the other operand are bytes. */
typedef struct walk_space {
    const vkt_walk *walk;
    const vkt_walk_launch *launch;
    vkt_kernel *kernel;
    uint32_t word_nbytes, workgroup, items;
    int32_t n_dims;          /* of the kernel */
    uint64_t x_at, other_at; /* addresses */
    vkt_access accesses[4 + VKT_MAX_INDICES];
    uint32_t n_accesses;
} walk_space;

static void clear_strides(vkt_layout *layout)
{
    layout->offset = 0;
    memset(layout->strides, 0, sizeof(layout->strides));
}

/* Leaves out the dims along which no index changes. */
static void drop_rest(const vkt_walk *walk, vkt_layout *layout)
{
    int32_t n = 0;
    layout->n_elems = 1;
    for (int32_t d = 0; d < layout->ndim; d++) {
        if (walk->rest_dims & 1u << d)
            continue;
        layout->shape[n] = layout->shape[d];
        layout->strides[n] = layout->strides[d];
        layout->n_elems *= layout->shape[n++];
    }
    layout->ndim = n;
}

static bool moves(vkt_walk_mode mode)
{
    return mode == VKT_WALK_GATHER || mode == VKT_WALK_SCATTER;
}

/* The dims of the launch, elements as unit. */
static void init_space(const vkt_walk *walk, const vkt_walk_launch *launch, vkt_space *out)
{
    vkt_layout layouts[VKT_WALK_INDEX + VKT_MAX_INDICES];
    const vkt_layout *pointers[VKT_WALK_INDEX + VKT_MAX_INDICES];
    int n = VKT_WALK_INDEX + walk->n_indices;
    for (int k = 0; k < n; k++) {
        const vkt_layout *from = &walk->shape;
        if (k == VKT_WALK_X)
            from = &walk->at;
        else if (k == VKT_WALK_OTHER && launch->mode == VKT_WALK_SCATTER)
            from = &launch->value;
        else if (k == VKT_WALK_POSITION)
            from = &walk->position;
        else if (k == VKT_WALK_TARGET)
            from = &walk->target;
        else if (k >= VKT_WALK_INDEX)
            from = &walk->indices[k - VKT_WALK_INDEX].layout;
        vkt_layout_assign(&layouts[k], from);
        bool claims = k == VKT_WALK_POSITION || k == VKT_WALK_TARGET;
        bool moved = k == VKT_WALK_X || k == VKT_WALK_OTHER;
        if ((claims && !launch->claims) || (moved && !moves(launch->mode)))
            clear_strides(&layouts[k]);
        if (!moves(launch->mode))
            drop_rest(walk, &layouts[k]);
        pointers[k] = &layouts[k];
    }
    /* Without some dims the numbers are others. */
    int64_t stride = 1;
    for (int32_t d = layouts[0].ndim - 1; d >= 0; d--) {
        layouts[VKT_WALK_NUMBER].strides[d] = stride;
        stride *= layouts[0].shape[d];
    }
    vkt_space_init(pointers, n, out);
    if (out->ndim == 0) {
        out->ndim = 1;
        out->shape[0] = 1;
        for (int k = 0; k < n; k++)
            out->strides[k][0] = 0;
    }
}

/* Goes over to bytes, and to words as wide as run length and alignment allow, up to 16 bytes. */
static void widen_words(walk_space *s, vkt_space *space)
{
    int64_t nbytes = vkt_dtypes[s->walk->x->dtype].nbytes;
    bool scatters = s->launch->mode == VKT_WALK_SCATTER;
    int n_moved = scatters ? VKT_WALK_OTHER : VKT_WALK_X;
    int32_t inner = space->ndim - 1;
    bool runs = moves(s->launch->mode) && space->shape[inner] > 1;
    uint64_t bits = 16 | (uint64_t)(space->shape[inner] * nbytes) | s->x_at | s->other_at;
    for (int k = VKT_WALK_X; k <= n_moved; k++) {
        runs &= space->strides[k][inner] == 1;
        space->offsets[k] *= nbytes;
        bits |= (uint64_t)space->offsets[k];
        for (int32_t d = 0; d < space->ndim; d++) {
            space->strides[k][d] *= nbytes;
            bits |= d < inner ? (uint64_t)space->strides[k][d] : 0;
        }
    }
    for (int k = VKT_WALK_POSITION; k < space->n_operands; k++)
        runs &= space->strides[k][inner] == 0;
    for (int k = 0; k < s->walk->n_indices; k++)
        bits |= (uint64_t)(s->walk->indices[k].step * nbytes);
    s->word_nbytes = (uint32_t)(runs ? bits & (~bits + 1) : (uint64_t)nbytes);
    int64_t factor = s->word_nbytes / nbytes;
    if (factor == 1)
        return;
    space->shape[inner] /= factor;
    for (int k = VKT_WALK_X; k <= n_moved; k++)
        space->strides[k][inner] = s->word_nbytes;
    for (int32_t d = 0; d < inner; d++)
        space->strides[VKT_WALK_NUMBER][d] /= factor;
}

/* ---- Kernels --------------------------------------------------------------------------------- */

static const char *const mode_names[] = {"check", "gather", "claim", "scatter"};

/* Few kernels serve many shapes. */
static int32_t round_dims(int32_t ndim)
{
    return ndim <= 2 ? ndim : ndim <= 4 ? 4 : ndim <= 8 ? 8 : VKT_MAX_NDIM;
}

/* In the order of pack_args. */
static void emit_members(const walk_space *s, vkt_text *out)
{
    int n = s->walk->n_indices, d = s->n_dims;
    bool scatters = s->launch->mode == VKT_WALK_SCATTER, claims = s->launch->claims != NULL;
    vkt_text_append(out, "uint64_t x, other, bad; ");
    for (int k = 0; k < n; k++)
        vkt_text_format(out, "uint64_t index%d; ", k);
    vkt_text_format(out, "int64_t axis_length[%d]; ", n);
    if (moves(s->launch->mode))
        vkt_text_format(out, "int64_t axis_step[%d]; int64_t x_step[%d]; ", n, d);
    if (scatters)
        vkt_text_format(out, "int64_t other_step[%d]; ", d);
    if (claims)
        vkt_text_format(out,
                        "uint64_t claims; int64_t position, target; int64_t axis_scale[%d]; "
                        "int64_t target_step[%d]; ",
                        n, d);
    vkt_text_append(out, "uint n_work; ");
    if (d > 1)
        vkt_text_format(out, "uint div[%d]; ", 3 * (d - 1));
    vkt_text_format(out, "int index_step[%d]; ", n * d);
    if (claims)
        vkt_text_format(out, "int position_step[%d]; %s", d,
                        s->launch->hash_mask ? "uint hash_mask; " : "");
}

/* Dims innermost first, those the kernel has too many of length 1. */
static int64_t find_step(const vkt_space *space, int operand, int32_t d)
{
    return d < space->ndim ? space->strides[operand][space->ndim - 1 - d] : 0;
}

static void pack_args(const walk_space *s, const vkt_space *space, uint32_t n_work, vkt_args *args)
{
    const vkt_walk *walk = s->walk;
    int64_t nbytes = vkt_dtypes[walk->x->dtype].nbytes;
    int n = walk->n_indices, d_end = s->n_dims;
    bool scatters = s->launch->mode == VKT_WALK_SCATTER;
    args->nbytes = 0;
    vkt_args_u64(args, s->x_at + (uint64_t)space->offsets[VKT_WALK_X]);
    vkt_args_u64(args, s->other_at +
                           (scatters ? (uint64_t)space->offsets[VKT_WALK_OTHER]
                                     : (uint64_t)space->offsets[VKT_WALK_NUMBER] * s->word_nbytes));
    vkt_args_u64(args, walk->bad ? vkt_block_address(walk->bad) : 0);
    for (int k = 0; k < n; k++) {
        const vkt_tensor *index = walk->indices[k].tensor;
        int64_t offset = space->offsets[VKT_WALK_INDEX + k] * vkt_dtypes[index->dtype].nbytes;
        vkt_args_u64(args, vkt_block_address(index->block) + (uint64_t)offset);
    }
    for (int k = 0; k < n; k++)
        vkt_args_u64(args, (uint64_t)walk->indices[k].length);
    for (int k = 0; moves(s->launch->mode) && k < n; k++)
        vkt_args_u64(args, (uint64_t)(walk->indices[k].step * nbytes));
    for (int32_t d = 0; moves(s->launch->mode) && d < d_end; d++)
        vkt_args_u64(args, (uint64_t)find_step(space, VKT_WALK_X, d));
    for (int32_t d = 0; scatters && d < d_end; d++)
        vkt_args_u64(args, (uint64_t)find_step(space, VKT_WALK_OTHER, d));
    if (s->launch->claims) {
        vkt_args_u64(args, vkt_block_address(s->launch->claims));
        vkt_args_u64(args, (uint64_t)space->offsets[VKT_WALK_POSITION] - s->launch->first_position);
        vkt_args_u64(args, (uint64_t)space->offsets[VKT_WALK_TARGET] - s->launch->first_target);
        for (int k = 0; k < n; k++)
            vkt_args_u64(args, (uint64_t)walk->indices[k].scale);
        for (int32_t d = 0; d < d_end; d++)
            vkt_args_u64(args, (uint64_t)find_step(space, VKT_WALK_TARGET, d));
    }
    vkt_args_u32(args, n_work);
    for (int32_t d = 0; d < d_end - 1; d++) {
        int64_t length = d < space->ndim ? space->shape[space->ndim - 1 - d] : 1;
        vkt_fastdiv div = vkt_fastdiv_init((uint32_t)length);
        vkt_args_u32(args, div.divisor);
        vkt_args_u32(args, div.multiplier);
        vkt_args_u32(args, div.shift);
    }
    for (int k = 0; k < n; k++) {
        for (int32_t d = 0; d < d_end; d++)
            vkt_args_i32(args, (int32_t)find_step(space, VKT_WALK_INDEX + k, d));
    }
    if (s->launch->claims) {
        for (int32_t d = 0; d < d_end; d++)
            vkt_args_i32(args, (int32_t)find_step(space, VKT_WALK_POSITION, d));
        if (s->launch->hash_mask)
            vkt_args_u32(args, s->launch->hash_mask);
    }
}

static vkt_status build_kernel(walk_space *s, const char *key, const char *name,
                               uint32_t args_nbytes)
{
    const vkt_dtype_info *index = &vkt_dtypes[s->walk->indices[0].tensor->dtype];
    const char *word = s->word_nbytes == 1   ? "uint8_t"
                       : s->word_nbytes == 2 ? "uint16_t"
                       : s->word_nbytes == 4 ? "uint"
                       : s->word_nbytes == 8 ? "uvec2"
                                             : "uvec4";
    vkt_walk_mode mode = s->launch->mode;
    uint32_t constants[3] = {s->workgroup, 1, 1};
    vkt_kernel_parts parts = {
        .source = {.name = name, .constants = constants, .n_constants = 3},
        .args_nbytes = args_nbytes,
    };
    vkt_text *body = &parts.body;
    vkt_text_format(body,
                    "#define WORD %s\n#define NBYTES %u\n#define INDEX %s\n"
                    "#define INDEX_NBYTES %u\n#define ITEMS %u\n#define NDIM %d\n"
                    "#define INDICES %d\n%s%s%s",
                    word, s->word_nbytes, index->storage, index->nbytes, s->items, s->n_dims,
                    s->walk->n_indices, moves(mode) ? "#define MOVES\n" : "",
                    s->launch->claims ? "#define CLAIMS\n" : "",
                    mode == VKT_WALK_CLAIM ? "#define STAKES\n" : "");
    if (s->launch->hash_mask)
        vkt_text_append(body, "#define HASHED\n");
    vkt_text_append(body, vkt_glsl_template("index_walk"));
    vkt_text_append(body, "void read_indices(uint at[NDIM], out int64_t i[INDICES])\n{\n");
    for (int k = 0; k < s->walk->n_indices; k++)
        vkt_text_format(body, "    i[%d] = index_at(%d, args.index%d, at);\n", k, k, k);
    vkt_text_append(body, "}\n\n");
    bool scatter = mode == VKT_WALK_CLAIM || mode == VKT_WALK_SCATTER;
    vkt_text_append(body, vkt_glsl_template(scatter ? "scatter" : "gather"));
    emit_members(s, &parts.members);
    return vkt_kernel_assemble(s->walk->x->device, key, strlen(key), &parts, &s->kernel);
}

static vkt_status find_kernel(walk_space *s, uint32_t args_nbytes)
{
    vkt_device *device = s->walk->x->device;
    char name[48], key[96];
    (void)snprintf(name, sizeof(name), "%s_%u_%s", mode_names[s->launch->mode], s->word_nbytes * 8,
                   vkt_dtypes[s->walk->indices[0].tensor->dtype].tag);
    (void)snprintf(key, sizeof(key), "index %s %d %d %d %d %ux%u", name, s->walk->n_indices,
                   s->n_dims, s->launch->claims != NULL, s->launch->hash_mask != 0, s->workgroup,
                   s->items);
    s->kernel = vkt_kernel_find(device, key, strlen(key));
    return s->kernel ? VKT_OK : build_kernel(s, key, name, args_nbytes);
}

/* ---- Launches -------------------------------------------------------------------------------- */

/* "take(a, b)", or "a[b, c]". */
static void write_note(const walk_space *s, vkt_note *note)
{
    const vkt_walk *walk = s->walk;
    vkt_tensor *operands[1 + VKT_MAX_INDICES] = {walk->x};
    bool indexed = strcmp(walk->op, "index") == 0 || strcmp(walk->op, "setitem") == 0;
    vkt_text what = {0};
    int n = walk->n_indices < 7 ? walk->n_indices : 7;
    vkt_text_format(&what, indexed ? "a[" : "%s(a, ", walk->op);
    for (int k = 0; k < n; k++) {
        vkt_text_format(&what, k ? ", %c" : "%c", "bcdefgh"[k]);
        operands[1 + k] = walk->indices[k].tensor;
    }
    vkt_text_append(&what, indexed ? "]" : ")");
    bool gathers = s->launch->mode == VKT_WALK_GATHER;
    vkt_note_operands(what.chars ? what.chars : "", operands, 1 + n,
                      gathers ? s->launch->other : walk->x, note);
    vkt_text_free(&what);
}

static vkt_status record_box(walk_space *s, const vkt_space *box)
{
    vkt_device *device = s->walk->x->device;
    const vkt_device_info *info = vkt_device_get_info(device);
    vkt_args args;
    vkt_note note;
    int64_t n_work = 1;
    for (int32_t d = 0; d < box->ndim; d++)
        n_work *= box->shape[d];
    s->n_dims = round_dims(box->ndim);
    pack_args(s, box, (uint32_t)n_work, &args);
    VKT_TRY(find_kernel(s, args.nbytes));
    vkt_launch launch = {.kernel = s->kernel,
                         .args = args.bytes,
                         .args_nbytes = args.nbytes,
                         .accesses = s->accesses,
                         .n_accesses = s->n_accesses};
    vkt_fold_groups(info, vkt_ceil_div((uint64_t)n_work, (uint64_t)s->workgroup * s->items),
                    launch.groups);
    if (vkt_profile_running(device)) {
        write_note(s, &note);
        launch.note = &note;
    }
    return vkt_dispatch(device, &launch);
fail:
    return vkt_status_last();
}

/* Cuts a space that is too large along its outermost dim: boxes are consecutive elements. */
static vkt_status record_boxes(walk_space *s, const vkt_space *space)
{
    int64_t n_inner = 1;
    for (int32_t d = 1; d < space->ndim; d++)
        n_inner *= space->shape[d];
    int64_t step = n_inner < MAX_WORDS ? MAX_WORDS / n_inner : 1;
    if (step >= space->shape[0])
        return record_box(s, space);
    for (int64_t start = 0; start < space->shape[0]; start += step) {
        vkt_space box = *space;
        int64_t rest = space->shape[0] - start;
        box.shape[0] = rest < step ? rest : step;
        for (int k = 0; k < space->n_operands; k++)
            box.offsets[k] += start * space->strides[k][0];
        if (box.shape[0] == 1 && box.ndim > 1) {
            box.ndim--;
            for (int32_t d = 0; d < box.ndim; d++) {
                box.shape[d] = space->shape[d + 1];
                for (int k = 0; k < space->n_operands; k++)
                    box.strides[k][d] = space->strides[k][d + 1];
            }
        }
        VKT_TRY(record_boxes(s, &box));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

static void add_access(walk_space *s, vkt_block *block, const vkt_layout *layout, uint64_t nbytes,
                       bool write)
{
    int64_t low = 0, high = 0;
    if (layout)
        vkt_layout_extent(layout, &low, &high);
    s->accesses[s->n_accesses++] = (vkt_access){
        .block = block,
        .offset = (uint64_t)low * nbytes,
        .nbytes = layout ? (uint64_t)(high - low) * nbytes : vkt_block_nbytes(block),
        .write = write,
    };
}

vkt_status vkt_walk_run(const vkt_walk *walk, const vkt_walk_launch *launch)
{
    vkt_device *device = walk->x->device;
    const vkt_device_info *info = vkt_device_get_info(device);
    uint64_t nbytes = vkt_dtypes[walk->x->dtype].nbytes;
    walk_space s = {.walk = walk, .launch = launch, .word_nbytes = 4};
    vkt_space space;
    bool scatters = launch->mode == VKT_WALK_SCATTER;
    s.workgroup = (uint32_t)vkt_min_u64(vkt_tuned(device, VKT_TUNE_GATHER_WORKGROUP),
                                        info->max_workgroup_invocations);
    s.items = vkt_tuned(device, VKT_TUNE_GATHER_ITEMS);
    init_space(walk, launch, &space);
    if (space.shape[0] == 0)
        return VKT_OK;
    if (moves(launch->mode)) {
        s.x_at = vkt_block_address(walk->x->block);
        s.other_at = vkt_block_address(launch->other->block);
        widen_words(&s, &space);
        add_access(&s, walk->x->block, &walk->x->layout, nbytes, scatters);
        add_access(&s, launch->other->block, &launch->other->layout, nbytes, !scatters);
    }
    for (int k = 0; k < walk->n_indices; k++) {
        const vkt_tensor *index = walk->indices[k].tensor;
        add_access(&s, index->block, &index->layout, vkt_dtypes[index->dtype].nbytes, false);
    }
    if (walk->bad)
        add_access(&s, walk->bad, NULL, 1, !scatters);
    if (launch->claims)
        add_access(&s, launch->claims, NULL, 1, !scatters);
    return record_boxes(&s, &space);
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/* Values of indices looked at in one piece on the host. */
#define LOOKED_AT 65536

static bool is_bad(vkt_dtype dtype, const void *values, int64_t i, int64_t length, char *text,
                   size_t text_nbytes)
{
    int64_t index;
    if (dtype == VKT_UINT64) {
        uint64_t value = ((const uint64_t *)values)[i];
        (void)snprintf(text, text_nbytes, "%llu", (unsigned long long)value);
        return value >= (uint64_t)length;
    }
    index = dtype == VKT_INT32 ? ((const int32_t *)values)[i] : ((const int64_t *)values)[i];
    if (index >= -length && index < length)
        return false;
    (void)snprintf(text, text_nbytes, "%lld", (long long)index);
    return true;
}

/* Fails with the first index out of range, in C order: after the fact the host looks for it. */
static vkt_status report_bad(const vkt_walk *walk, const vkt_walk_index *index)
{
    vkt_tensor *packed = NULL;
    const vkt_dtype_info *type = &vkt_dtypes[index->tensor->dtype];
    char text[32];
    void *values = malloc((size_t)LOOKED_AT * type->nbytes);
    VKT_REQUIRE(values, VKT_OUT_OF_MEMORY, "%s: no host memory to look at indices", walk->op);
    VKT_TRY(vkt_tensor_contiguous(index->tensor, &packed));
    int64_t n = packed->layout.n_elems;
    for (int64_t first = 0; first < n; first += LOOKED_AT) {
        int64_t count = n - first < LOOKED_AT ? n - first : LOOKED_AT;
        VKT_TRY(vkt_download(packed->device, packed->block,
                             (uint64_t)(packed->layout.offset + first) * type->nbytes, values,
                             (uint64_t)count * type->nbytes));
        for (int64_t i = 0; i < count; i++) {
            VKT_REQUIRE(!is_bad(packed->dtype, values, i, index->length, text, sizeof(text)),
                        VKT_INDEX_ERROR, "%s: index %s is out of bounds for axis %d with size %lld",
                        walk->op, text, (int)index->number, (long long)index->length);
        }
    }
    vkt_tensor_unref(packed);
    free(values);
    return VKT_OK;
fail:
    vkt_tensor_unref(packed);
    free(values);
    return vkt_status_last();
}

vkt_status vkt_walk_flag(vkt_walk *walk)
{
    const uint32_t good = 0;
    vkt_device *device = walk->x->device;
    if (!walk->bad)
        VKT_TRY(vkt_block_alloc(device, sizeof(good), VKT_MEMORY_DEVICE, &walk->bad));
    VKT_TRY(vkt_upload(device, walk->bad, 0, &good, sizeof(good)));
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_walk_verify(const vkt_walk *walk, bool *crowded)
{
    uint32_t bad = 0;
    if (!walk->bad)
        return VKT_OK;
    VKT_TRY(vkt_download(walk->x->device, walk->bad, 0, &bad, sizeof(bad)));
    if (!bad)
        return VKT_OK;
    for (int k = 0; k < walk->n_indices; k++)
        VKT_TRY(report_bad(walk, &walk->indices[k]));
    /* Every index is good: it was the table, or another thread has changed an index since. */
    VKT_REQUIRE(bad == WALK_CROWDED && crowded, VKT_INDEX_ERROR,
                "%s: expected indices that stay as they are, got one out of bounds for a moment",
                walk->op);
    *crowded = true;
    return VKT_OK;
fail:
    return vkt_status_last();
}
