/* ops/matmul_kernel.c - which kernel a matrix product gets, and its text. */
#include "ops/matmul_kernel.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/text.h"
#include "ops/kernel_text.h"
#include "ops/tuning.h"

/* Products at most this wide, or high, are bound by reading the larger matrix: no tiles. */
#define NARROW_GPU 8
#define NARROW_CPU 4
/* K is cut into slices only above this length, and into none shorter than that: a slice must repay
 * its second pass. */
#define SPLIT_MIN_K     1024
#define SPLIT_MIN_CHUNK 256
/* The GPU that sums are cut for, whichever one computes them: how K is shared among lanes and
 * slices decides the order of summation, so it follows from the shape alone. Its cores, the
 * invocations that keep one busy while loads are under way, the tiles its work is counted in. */
#define SPLIT_CORES       128
#define SPLIT_INVOCATIONS 2048
#define SPLIT_TILE        64
/* Loads of the large matrix that an invocation of a narrow product has under way. */
#define VECTOR_LOADS 8
/* On processors. Both loops of a kernel together stay below the drivers' limit of turns (device.h,
 * max_turns); fewer invocations than that would leave a core of a small processor idle. */
#define CPU_MAX_CHUNK   8192
#define CPU_INVOCATIONS 128
#define CPU_WORKGROUP   32

/* ---- Kernels ----------------------------------------------------------------------------- */

/* The same members as matmul_args and matmul_sum_args, in the same order. */
static const char MEMBERS[] =
    "uint64_t a, b, c; "
    "int64_t batch_a0, batch_a1, batch_a2, batch_b0, batch_b1, batch_b2, pitch_a, pitch_b; "
    "uint m, n, k, k_chunk, n_batch, b1, b2, n_work, flags;";
static const char SUM_MEMBERS[] = "uint64_t src, dst, n_elems; uint n_slices, n_merge, last;";

/* `#define`s as vkt_kernel_assemble takes them. */
#define MAX_DEFINES 32
typedef struct defines {
    int n;
    const char *lines[MAX_DEFINES + 1];
    char chars[MAX_DEFINES][48];
} defines;

static void define(defines *d, const char *format, const char *text, uint32_t value)
{
    (void)snprintf(d->chars[d->n], sizeof(d->chars[0]), format, text, value);
    d->lines[d->n] = d->chars[d->n];
    d->n++;
    d->lines[d->n] = NULL;
}

static void define_number(defines *d, const char *name, uint32_t value)
{
    define(d, "%s %u", name, value);
}

uint32_t vkt_matmul_acc_nbytes(vkt_dtype dtype)
{
    return vkt_dtypes[dtype].nbytes == 8 ? 8 : 4;
}

/* GLSL vectors of four, by register and by element in memory. */
static void define_types(vkt_dtype dtype, defines *d)
{
    static const char *const acc4[VKT_REG_COUNT] = {NULL,      "ivec4", "uvec4", "i64vec4",
                                                    "u64vec4", "vec4",  "dvec4"};
    static const char *const store4[VKT_DTYPE_COUNT] = {
        [VKT_INT8] = "i8vec4",      [VKT_INT16] = "i16vec4",  [VKT_INT32] = "ivec4",
        [VKT_INT64] = "i64vec4",    [VKT_UINT8] = "u8vec4",   [VKT_UINT16] = "u16vec4",
        [VKT_UINT32] = "uvec4",     [VKT_UINT64] = "u64vec4", [VKT_FLOAT16] = "f16vec4",
        [VKT_BFLOAT16] = "u16vec4", [VKT_FLOAT32] = "vec4",   [VKT_FLOAT64] = "dvec4",
    };
    const vkt_dtype_info *type = &vkt_dtypes[dtype];
    const char *acc = vkt_registers[type->reg].type;
    bool half_float = dtype == VKT_FLOAT16 || dtype == VKT_BFLOAT16;
    define(d, "STORE %s", type->storage, 0);
    define(d, "STORE4 %s", store4[dtype], 0);
    define(d, "ACC %s", acc, 0);
    define(d, "ACC4 %s", acc4[type->reg], 0);
    define_number(d, "SIZE", type->nbytes);
    define_number(d, "ACC_SIZE", vkt_matmul_acc_nbytes(dtype));
    define_number(d, "NARROWED", type->narrow);
    define_number(d, "IS_FLOAT", type->cls == VKT_CLASS_FLOAT);
    define_number(d, "IS_BF16", dtype == VKT_BFLOAT16);
    define(d, "OUT %s", half_float ? "uint16_t" : type->storage, 0);
    if (!half_float)
        define(d, "NARROW(x) %s(x)", type->storage, 0);
}

/* Elements that one load brings on a processor: its loads go one invocation at a time, 8 bytes at
 * most. */
static uint32_t count_packed(vkt_dtype dtype)
{
    uint32_t nbytes = vkt_dtypes[dtype].nbytes;
    return nbytes == 8 ? 1 : nbytes == 4 ? 2 : 4;
}

uint64_t vkt_matmul_vector_nbytes(const matmul_job *job)
{
    uint32_t n = job->variant.family == MATMUL_CPU ? count_packed(job->dtype) : 4;
    return vkt_min_u64((uint64_t)n * vkt_dtypes[job->dtype].nbytes, 16);
}

/* Builds `body` under `key`, the text that tells variants apart. */
static vkt_status build(const matmul_job *job, const char *key, const char *body, const defines *d,
                        const vkt_kernel_source *source, vkt_kernel **out)
{
    bool sums = out == &job->sum_kernel;
    vkt_kernel_parts parts = {
        .source = *source,
        .defines = d->lines,
        .args_nbytes = sums ? MATMUL_SUM_ARGS_NBYTES : MATMUL_ARGS_NBYTES,
    };
    vkt_text_append(&parts.members, sums ? SUM_MEMBERS : MEMBERS);
    /* Not a define: the library's functions are found in the body. */
    if (job->dtype == VKT_FLOAT16 || job->dtype == VKT_BFLOAT16)
        vkt_text_format(&parts.body, "#define NARROW(x) uint16_t(vkt_pack_%s(x))\n",
                        vkt_dtypes[job->dtype].tag);
    if (!sums)
        vkt_text_append(&parts.body, vkt_glsl_template("matmul_types"));
    vkt_text_append(&parts.body, vkt_glsl_template(body));
    return vkt_kernel_assemble(job->device, key, strlen(key), &parts, out);
}

static void define_variant(const matmul_job *job, defines *d)
{
    const matmul_variant *v = &job->variant;
    define_types(job->dtype, d);
    define_number(d, "A_K_UNIT", job->a->k == 1);
    define_number(d, "B_K_UNIT", job->b->k == 1);
    define_number(d, "THREADS", v->threads);
    if (v->family == MATMUL_VECTOR) {
        define_number(d, "NV", v->bn);
        define_number(d, "UNROLL", VECTOR_LOADS);
        return;
    }
    define_number(d, "TM", v->tm);
    define_number(d, "TN", v->tn);
    if (v->family == MATMUL_TILES) {
        define_number(d, "BM", v->bm);
        define_number(d, "BN", v->bn);
        define_number(d, "BK", v->bk);
        /* CPU drivers take minutes over what GPUs want: all of a step in one piece. */
        define(d, "UNROLL_K %s", job->info->kind == VKT_DEVICE_CPU ? "" : "[[unroll]]", 0);
        return;
    }
    define_number(d, "SUB", v->sub);
    define_number(d, "PACK", count_packed(job->dtype));
    define(d, "WORD %s", vkt_dtypes[job->dtype].nbytes == 1 ? "uint" : "uint64_t", 0);
}

static vkt_status find_main_kernel(matmul_job *job)
{
    static const char *const bodies[] = {"matmul_gpu", "matvec_gpu", "matmul_cpu"};
    const matmul_variant *v = &job->variant;
    const char *tag = vkt_dtypes[job->dtype].tag;
    char key[128], name[64];
    (void)snprintf(key, sizeof(key), "%s %s %ux%ux%u %ux%u %u %u %d %d", bodies[v->family], tag,
                   v->bm, v->bn, v->bk, v->tm, v->tn, v->threads, v->sub, job->a->k == 1,
                   job->b->k == 1);
    job->kernel = vkt_kernel_find(job->device, key, strlen(key));
    if (job->kernel)
        return VKT_OK;

    defines d = {0};
    define_variant(job, &d);
    if (v->family == MATMUL_TILES)
        (void)snprintf(name, sizeof(name), "matmul_%s_%ux%ux%u", tag, v->bm, v->bn, v->bk);
    else if (v->family == MATMUL_VECTOR)
        (void)snprintf(name, sizeof(name), "matvec_%s_%s_%u", tag,
                       job->a->k == 1 ? "rows" : "columns", v->bn);
    else
        (void)snprintf(name, sizeof(name), "matmul_%s_%ux%u", tag, v->tm, v->tn * v->sub);
    uint32_t workgroup[3] = {v->threads, 1, 1};
    vkt_kernel_source source = {.name = name, .constants = workgroup, .n_constants = 3};
    if (v->sub > 1 && job->info->subgroup_size_control)
        source.subgroup_size = v->sub;
    return build(job, key, bodies[v->family], &d, &source, &job->kernel);
}

static vkt_status find_sum_kernel(matmul_job *job)
{
    char key[64];
    (void)snprintf(key, sizeof(key), "matmul_sum_%s", vkt_dtypes[job->dtype].tag);
    job->sum_kernel = vkt_kernel_find(job->device, key, strlen(key));
    if (job->sum_kernel)
        return VKT_OK;

    defines d = {0};
    define_types(job->dtype, &d);
    uint32_t workgroup[3] = {64, 1, 1};
    vkt_kernel_source source = {.name = key, .constants = workgroup, .n_constants = 3};
    return build(job, key, "matmul_sum", &d, &source, &job->sum_kernel);
}

vkt_status vkt_matmul_find_kernels(matmul_job *job)
{
    VKT_TRY(find_main_kernel(job));
    if (job->n_slices > 1)
        VKT_TRY(find_sum_kernel(job));
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Choice ------------------------------------------------------------------------------ */

static uint32_t log2_ceil(uint64_t n)
{
    uint32_t log2 = 0;
    while ((UINT64_C(1) << log2) < n)
        log2++;
    return log2;
}

static uint64_t count_tiles(const matmul_job *job, uint64_t rows, uint64_t columns)
{
    return vkt_ceil_div((uint64_t)job->m, rows) * vkt_ceil_div((uint64_t)job->n, columns);
}

/* Groups (GPU), or tiles (processor), that one item of the batch needs for one slice of K. */
uint64_t vkt_matmul_count_work(const matmul_job *job)
{
    const matmul_variant *v = &job->variant;
    switch (v->family) {
    case MATMUL_TILES:
        return count_tiles(job, v->bm, v->bn);
    case MATMUL_VECTOR:
        return job->a->k == 1 ? (uint64_t)job->m
                              : count_tiles(job, UINT64_C(4) << job->lanes_log2, NARROW_GPU);
    default:
        return count_tiles(job, v->tm, (uint64_t)v->sub * v->tn);
    }
}

/* Cuts K into about `wanted` slices of at most max_chunk. */
static void split_k(matmul_job *job, uint64_t wanted, int64_t max_chunk)
{
    uint64_t k = (uint64_t)job->k;
    uint64_t most = vkt_max_u64(k / SPLIT_MIN_CHUNK, 1);
    uint64_t slices = k < SPLIT_MIN_K ? 1 : vkt_max_u64(vkt_min_u64(wanted, most), 1);
    slices = vkt_max_u64(slices, vkt_ceil_div(k, (uint64_t)max_chunk));
    /* Multiples of 8 elements keep the vector loads of every slice aligned. */
    uint64_t chunk = vkt_round_up(vkt_ceil_div(k, slices), 8);
    job->k_chunk = (int64_t)chunk;
    job->n_slices = (int64_t)vkt_ceil_div(k, chunk);
}

/* Candidates of the tunables matmul.large and matmul.medium, numbered from 1. */
static const matmul_variant tiles[] = {
    {MATMUL_TILES, 128, 128, 8, 8, 8, 256, 0},  {MATMUL_TILES, 64, 64, 8, 8, 4, 128, 0},
    {MATMUL_TILES, 128, 128, 16, 8, 8, 256, 0}, {MATMUL_TILES, 128, 128, 8, 16, 8, 128, 0},
    {MATMUL_TILES, 128, 128, 8, 8, 16, 128, 0}, {MATMUL_TILES, 256, 128, 8, 16, 8, 256, 0},
    {MATMUL_TILES, 128, 256, 8, 8, 16, 256, 0}, {MATMUL_TILES, 128, 64, 8, 8, 8, 128, 0},
    {MATMUL_TILES, 64, 128, 8, 8, 8, 128, 0},   {MATMUL_TILES, 128, 64, 16, 8, 8, 128, 0},
    {MATMUL_TILES, 64, 64, 8, 8, 8, 64, 0},     {MATMUL_TILES, 64, 64, 16, 8, 4, 128, 0},
};
_Static_assert(sizeof(tiles) / sizeof(tiles[0]) == VKT_N_MATMUL_TILES, "tuning.h counts tiles");
static const matmul_variant small_tile = {MATMUL_TILES, 32, 32, 8, 4, 4, 64, 0};

static bool tile_fits(const matmul_job *job, const matmul_variant *t)
{
    uint32_t shared = 2 * t->bk * (t->bm + t->bn + 8) * vkt_matmul_acc_nbytes(job->dtype);
    return shared <= job->info->shared_nbytes &&
           t->threads <= job->info->max_workgroup_invocations && job->m > t->bm / 2 &&
           job->n > t->bn / 2;
}

/* Every tile adds up in the order of K: the choice is free. */
static void choose_tiles(matmul_job *job, uint64_t n_items)
{
    bool wide = vkt_matmul_acc_nbytes(job->dtype) == 8;
    const matmul_variant *large =
        &tiles[vkt_tuned(job->device, wide ? VKT_TUNE_MATMUL_LARGE8 : VKT_TUNE_MATMUL_LARGE) - 1];
    const matmul_variant *medium =
        &tiles[vkt_tuned(job->device, wide ? VKT_TUNE_MATMUL_MEDIUM8 : VKT_TUNE_MATMUL_MEDIUM) - 1];
    uint64_t groups = count_tiles(job, SPLIT_TILE, SPLIT_TILE) * n_items;
    /* Large tiles pay off only when there are enough of them to keep every core busy. */
    bool busy =
        2 * count_tiles(job, large->bm, large->bn) * n_items >= UINT64_C(3) * job->info->n_cores;
    job->variant = busy && tile_fits(job, large) ? *large
                   : tile_fits(job, medium)      ? *medium
                                                 : small_tile;
    split_k(job, groups < SPLIT_CORES ? 2 * SPLIT_CORES / groups : 1, INT32_MAX);
}

static void choose_vector(matmul_job *job, uint64_t n_items)
{
    matmul_variant *v = &job->variant;
    uint64_t rows = (uint64_t)job->m * n_items, k = (uint64_t)job->k;
    *v = (matmul_variant){.family = MATMUL_VECTOR};
    v->threads = job->info->max_workgroup_invocations < 256 ? 128 : 256;
    v->bn = 1u << log2_ceil((uint64_t)job->n);
    uint32_t most = log2_ceil(v->threads);
    uint64_t groups;
    if (job->a->k == 1) {
        /* Enough invocations to fill the device, coalesced loads, and where that leaves a choice
         * as many loads together as an invocation makes. */
        uint32_t fill = log2_ceil(vkt_ceil_div(SPLIT_CORES * SPLIT_INVOCATIONS, rows));
        uint32_t useful = log2_ceil(vkt_ceil_div(k, 4));
        uint32_t together = log2_ceil(vkt_ceil_div(k, 4 * VECTOR_LOADS));
        uint32_t lanes = fill > together ? fill : together;
        lanes = lanes < 5 ? 5 : lanes;
        lanes = lanes > useful ? useful : lanes;
        job->lanes_log2 = lanes > most ? most : lanes;
        groups = vkt_ceil_div(rows << job->lanes_log2, v->threads);
    } else {
        uint32_t lanes = log2_ceil(vkt_ceil_div((uint64_t)job->m, 4));
        job->lanes_log2 = lanes > 5 ? 5 : lanes;
        groups = vkt_matmul_count_work(job) * n_items;
    }
    split_k(job, groups < 4 * SPLIT_CORES ? 8 * SPLIT_CORES / groups : 1, INT32_MAX);
}

static void choose_cpu(matmul_job *job, uint64_t n_items)
{
    matmul_variant *v = &job->variant;
    uint32_t size = job->info->subgroup_size;
    bool together = job->info->subgroup_arithmetic && (size == 4 || size == 8 || size == 16);
    int64_t narrow = job->m < job->n ? job->m : job->n, wide = job->m < job->n ? job->n : job->m;
    *v = (matmul_variant){.family = MATMUL_CPU, .threads = CPU_WORKGROUP, .sub = 1};
    if (narrow <= NARROW_CPU) {
        v->tm = wide <= NARROW_CPU ? 1 : 8;
        v->tn = 1;
    } else if (!together) {
        v->tm = v->tn = 8;
    } else {
        bool large = job->n > 32 && (uint64_t)job->m * (uint64_t)job->n * n_items >= 16384;
        v->sub = size;
        v->tm = large || size > 8 ? 16 : 8;
        v->tn = large ? 8 : 4;
    }
    uint64_t invocations = vkt_matmul_count_work(job) * n_items * v->sub;
    split_k(job, CPU_INVOCATIONS / vkt_min_u64(invocations, CPU_INVOCATIONS), CPU_MAX_CHUNK);
}

void vkt_matmul_choose(matmul_job *job, uint64_t n_items)
{
    bool cpu = job->info->serial_kernels;
    int64_t narrow = job->m < job->n ? job->m : job->n;
    /* Kernels for narrow products take the narrow side as N. */
    if (narrow <= (cpu ? NARROW_CPU : NARROW_GPU) && job->m < job->n) {
        matmul_operand *a = job->a;
        int64_t m = job->m;
        job->a = job->b;
        job->b = a;
        job->m = job->n;
        job->n = m;
        job->swapped = true;
    }
    if (cpu)
        choose_cpu(job, n_items);
    else if (narrow <= NARROW_GPU)
        choose_vector(job, n_items);
    else
        choose_tiles(job, n_items);
}
