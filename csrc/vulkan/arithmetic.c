/* vulkan/arithmetic.c - asks a driver how it computes: a few hundred known cases in one dispatch.
 *
 * Vulkan leaves much open: subnormals may be flushed by nearly every operation, division and
 * square root be off by a few units, fma() be a product and a sum. What a driver reports covers
 * only part of it, so it is measured, once per driver: the answers are kept on disk. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* secure_getenv */
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vulkan/internal.h"

/* Hard cases of each correctly rounded operation. */
#define N_HARD    64
#define MAX_CASES 512
#define GROUP     64u

#define BIT(fact) (UINT32_C(1) << VKT_FACT_##fact)

const char *const vkt_fact_names[VKT_FACT_COUNT] = {
#define FACT(name, meaning) #name,
    VKT_FACTS(FACT)
#undef FACT
};

/* What an invocation computes of x, y and z; the numbers stand in the kernel's text too. */
enum {
    LESS32,
    EQUAL32,
    CLAMP32, /* selects that a compiler may turn into min and max */
    SQRT32,
    FLOOR32,
    CEIL32,
    ADD32,
    SUBTRACT32,
    MULTIPLY32,
    DIVIDE32,
    FMA32,
    PACK16,
    UNPACK16,
    MIN32,
    MAX32,
    FIRST64, /* from here on float64 */
    WIDEN = FIRST64,
    NARROW,
    LESS64,
    ADD64,
    MULTIPLY64,
    SQRT64,
    DIVIDE64,
    FMA64,
};

/* One invocation's: as the kernel reads it. */
typedef struct question {
    uint32_t op;
    uint32_t unused;
    uint64_t x, y, z; /* bit patterns; of float32 the low half */
} question;

typedef struct quiz {
    question questions[MAX_CASES];
    uint64_t answers[MAX_CASES]; /* the right ones */
    uint32_t facts[MAX_CASES];   /* what a wrong one disproves */
    uint32_t n;
} quiz;

static const char probe_glsl[] =
    "#extension GL_EXT_buffer_reference : require\n"
    "#extension GL_EXT_shader_explicit_arithmetic_types : enable\n"
    "layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;\n"
    "struct Question { uvec2 op, x, y, z; };\n"
    "layout(buffer_reference, std430, buffer_reference_align = 16)\n"
    "    readonly buffer Questions { Question data[]; };\n"
    "layout(buffer_reference, std430, buffer_reference_align = 16)\n"
    "    writeonly buffer Answers { uvec2 data[]; };\n"
    "layout(push_constant) uniform Args { Questions src; Answers dst; uint n; } args;\n"
    "uvec2 ask32(uint op, float x, float y, float z)\n"
    "{\n"
    "    precise float r = 0.0;\n"
    "    switch (op) {\n"
    "    case 0: return uvec2(x < y ? 1u : 0u, 0u);\n"
    "    case 1: return uvec2(x == y ? 1u : 0u, 0u);\n"
    "    case 2: r = x > 90.0 ? 90.0 : x < -30.0 ? -30.0 : x; break;\n"
    "    case 3: r = sqrt(x); break;\n"
    "    case 4: r = floor(x); break;\n"
    "    case 5: r = ceil(x); break;\n"
    "    case 6: r = x + y; break;\n"
    "    case 7: r = x - y; break;\n"
    "    case 8: r = x * y; break;\n"
    "    case 9: r = x / y; break;\n"
    "    case 10: r = fma(x, y, z); break;\n"
    "    case 11: return uvec2(packHalf2x16(vec2(x, y)), 0u);\n"
    "    case 12: r = unpackHalf2x16(floatBitsToUint(x)).x; break;\n"
    "    case 13: r = min(x, y); break;\n"
    "    case 14: r = max(x, y); break;\n"
    "    }\n"
    "    return uvec2(floatBitsToUint(r), 0u);\n"
    "}\n"
    "#ifdef FLOAT64\n"
    "uvec2 ask64(uint op, double x, double y, double z, float x32)\n"
    "{\n"
    "    precise double r = 0.0lf;\n"
    "    switch (op) {\n"
    "    case 15: r = double(x32); break;\n"
    "    case 16: return uvec2(floatBitsToUint(float(x)), 0u);\n"
    "    case 17: return uvec2(x < y ? 1u : 0u, 0u);\n"
    "    case 18: r = x + y; break;\n"
    "    case 19: r = x * y; break;\n"
    "    case 20: r = sqrt(x); break;\n"
    "    case 21: r = x / y; break;\n"
    "    case 22: r = fma(x, y, z); break;\n"
    "    }\n"
    "    return unpackDouble2x32(r);\n"
    "}\n"
    "#endif\n"
    "void main()\n"
    "{\n"
    "    uint i = gl_GlobalInvocationID.x;\n"
    "    if (i >= args.n)\n"
    "        return;\n"
    "    Question q = args.src.data[i];\n"
    "    float x = uintBitsToFloat(q.x.x);\n"
    "#ifdef FLOAT64\n"
    "    if (q.op.x >= 15u)\n"
    "        args.dst.data[i] = ask64(q.op.x, packDouble2x32(q.x), packDouble2x32(q.y),\n"
    "            packDouble2x32(q.z), x);\n"
    "    else\n"
    "#endif\n"
    "        args.dst.data[i] = ask32(q.op.x, x, uintBitsToFloat(q.y.x), uintBitsToFloat(q.z.x));\n"
    "}\n";

/* ---- The questions --------------------------------------------------------------------------- */

static uint64_t bits32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static uint64_t bits64(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static void ask(quiz *q, uint32_t fact, uint32_t op, uint64_t x, uint64_t y, uint64_t answer)
{
    if (q->n == MAX_CASES)
        return;
    q->questions[q->n] = (question){.op = op, .x = x, .y = y};
    q->answers[q->n] = answer;
    q->facts[q->n++] = fact;
}

static void ask32(quiz *q, uint32_t fact, uint32_t op, float x, float y, float answer)
{
    ask(q, fact, op, bits32(x), bits32(y), bits32(answer));
}

static void ask64(quiz *q, uint32_t fact, uint32_t op, double x, double y, double answer)
{
    ask(q, fact, op, bits64(x), bits64(y), bits64(answer));
}

static void ask_subnormals32(quiz *q, float x)
{
    float above = 1.5f * x, big = 0x1p60f;
    ask(q, BIT(compares_subnormals), LESS32, bits32(0.0f), bits32(x), x > 0);
    ask(q, BIT(compares_subnormals), LESS32, bits32(x), bits32(above), x > 0);
    ask(q, BIT(compares_subnormals), EQUAL32, bits32(x), bits32(-0.0f), 0);
    ask(q, BIT(compares_subnormals), EQUAL32, bits32(x), bits32(above), 0);
    ask32(q, BIT(compares_subnormals), CLAMP32, x, 0, x);
    ask32(q, BIT(rounds_subnormals), FLOOR32, x, 0, x < 0 ? -1.0f : 0.0f);
    ask32(q, BIT(rounds_subnormals), CEIL32, x, 0, x > 0 ? 1.0f : -0.0f);
    ask32(q, BIT(computes_subnormals), ADD32, x, x, x + x);
    ask32(q, BIT(computes_subnormals), ADD32, x, 0x1p-126f, x + 0x1p-126f);
    ask32(q, BIT(computes_subnormals), SUBTRACT32, above, x, above - x);
    ask32(q, BIT(computes_subnormals), MULTIPLY32, x, 0.5f, 0.5f * x);
    ask32(q, BIT(computes_subnormals), MULTIPLY32, x, big, x * big);
    ask32(q, BIT(divides_subnormals), DIVIDE32, x, big, x / big);
    ask32(q, BIT(divides_subnormals), DIVIDE32, x, 0x1p-80f, x / 0x1p-80f);
    ask32(q, BIT(divides_subnormals), DIVIDE32, 3.0f, x, 3.0f / x);
    ask32(q, BIT(divides_subnormals), DIVIDE32, x, 3.0f, x / 3.0f);
    if (x > 0)
        ask32(q, BIT(roots_subnormals), SQRT32, x, 0, sqrtf(x));
}

static void ask_subnormals64(quiz *q, float x)
{
    double tiny = (double)x * 0x1p-900;
    ask(q, BIT(widens_subnormals), WIDEN, bits32(x), 0, bits64((double)x));
    ask(q, BIT(narrows_subnormals), NARROW, bits64((double)x), 0, bits32(x));
    ask(q, BIT(narrows_subnormals), NARROW, bits64(0x1.0000001p-130 + (double)x), 0,
        bits32((float)(0x1.0000001p-130 + (double)x)));
    ask(q, BIT(keeps_subnormals64), LESS64, bits64(0.0), bits64(tiny), tiny > 0);
    ask64(q, BIT(keeps_subnormals64), ADD64, tiny, tiny, tiny + tiny);
    ask64(q, BIT(keeps_subnormals64), MULTIPLY64, tiny, 0x1p300, tiny * 0x1p300);
    ask64(q, BIT(keeps_subnormals64), MULTIPLY64, (double)x, 0x1p-900, tiny);
    ask64(q, BIT(keeps_subnormals64), DIVIDE64, tiny, 3.0, tiny / 3.0);
    if (x > 0)
        ask64(q, BIT(keeps_subnormals64), SQRT64, tiny, 0, sqrt(tiny));
}

/* A congruential generator (Knuth, MMIX); its high bits are good. */
static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 11;
}

/* The nearest floats to products of a float and the middle between two, and to squares of such:
 * quotients and roots that lie beside a middle. */
static void ask_hard_cases(quiz *q, bool float64)
{
    uint64_t state = 1;
    for (int i = 0; i < N_HARD; i++) {
        int e = (int)(next_random(&state) % 60) - 30;
        float y = ldexpf((float)((next_random(&state) & 0x7fffff) | 0x800000), e);
        double middle = (double)((next_random(&state) & 0xffffff) | 0x1000001);
        float x = (float)(middle * (double)y);
        ask32(q, BIT(exact_divide), DIVIDE32, x, y, x / y);
        float square = ldexpf((float)(middle * middle), 2 * e);
        ask32(q, BIT(exact_sqrt), SQRT32, square, 0, sqrtf(square));
        if (!float64)
            continue;
        double y64 = (double)((next_random(&state) & 0xfffffffffffff) | 0x10000000000000);
        double middle64 = (double)((next_random(&state) & 0x7ffffff) | 0x4000001); /* exact */
        double x64 = ldexp(y64 * middle64, e);
        ask64(q, BIT(exact_divide64), DIVIDE64, x64, y64, x64 / y64);
        ask64(q, BIT(exact_sqrt64), SQRT64, x64, 0, sqrt(x64));
    }
}

static void ask_fma(quiz *q, bool float64)
{
    /* (1 + d)(1 - d) - 1 = -d^2: lost where the product is rounded. */
    ask32(q, BIT(fused_fma), FMA32, 1 + 0x1p-13f, 1 - 0x1p-13f, -0x1p-26f);
    q->questions[q->n - 1].z = bits32(-1.0f);
    ask32(q, BIT(fused_fma), FMA32, 1 + 0x1p-20f, 1 + 0x1p-20f, 0x1p-40f);
    q->questions[q->n - 1].z = bits32(-(1 + 0x1p-19f));
    if (!float64)
        return;
    ask64(q, BIT(fused_fma64), FMA64, 1 + 0x1p-30, 1 - 0x1p-30, -0x1p-60);
    q->questions[q->n - 1].z = bits64(-1.0);
}

/* Middles between two halves, beside them, subnormal ones, and where infinity begins. */
static void ask_half(quiz *q)
{
    const struct {
        float x;
        uint16_t half;
    } rows[] = {
        {1.0f, 0x3c00},           {1 + 0x1p-11f, 0x3c00},
        {1 + 0x1.8p-10f, 0x3c02}, {1 + 0x1.002p-11f, 0x3c01},
        {-2049.0f, 0xe800},       {2051.0f, 0x6802},
        {65504.0f, 0x7bff},       {0x1.ffdffep15f, 0x7bff},
        {65520.0f, 0x7c00},       {-0x1p40f, 0xfc00},
        {INFINITY, 0x7c00},       {0x1p-24f, 0x0001},
        {0x1p-25f, 0x0000},       {-0x1.8p-24f, 0x8002},
        {0x1.002p-25f, 0x0001},   {0x1.ff8p-15f, 0x03ff},
        {0x1.ffcp-15f, 0x0400},   {-0.0f, 0x8000},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ask(q, BIT(packs_half), PACK16, bits32(rows[i].x), bits32(0.0f), rows[i].half);
        uint32_t h = rows[i].half, a = h & 0x7fff;
        float x = a == 0x7c00 ? INFINITY
                  : a < 0x400 ? ldexpf((float)a, -24)
                              : ldexpf((float)((a & 0x3ff) | 0x400), (int)(a >> 10) - 25);
        ask(q, BIT(unpacks_half), UNPACK16, h, 0, bits32(h & 0x8000 ? -x : x));
    }
}

static void ask_all(quiz *q, bool float64)
{
    const float least = 0x1p-149f, largest = 0x1.fffffcp-127f, half = 0x1p-127f;
    const float subnormals[] = {least, half, largest, -half};
    for (int i = 0; i < 4; i++) {
        ask_subnormals32(q, subnormals[i]);
        if (float64)
            ask_subnormals64(q, subnormals[i]);
    }
    ask_hard_cases(q, float64);
    ask_fma(q, float64);
    ask_half(q);
    uint64_t nan = 0x7fc00000, one = bits32(1.0f);
    ask(q, BIT(keeps_nan), MIN32, nan, one, nan);
    ask(q, BIT(keeps_nan), MIN32, one, nan, nan);
    ask(q, BIT(keeps_nan), MAX32, nan, one, nan);
    ask(q, BIT(keeps_nan), MAX32, one, nan, nan);
}

/* ---- The dispatch ---------------------------------------------------------------------------- */

static vkt_status run_quiz(vkt_device *device, const quiz *q, uint64_t *got)
{
    static const char key[] = "vkt_arithmetic";
    const uint32_t workgroup[3] = {GROUP, 1, 1};
    char glsl[sizeof(probe_glsl) + 64];
    vkt_kernel *kernel = NULL;
    vkt_block *src = NULL, *dst = NULL;
    uint64_t src_nbytes = q->n * sizeof(question), dst_nbytes = q->n * sizeof(*got);

    (void)snprintf(glsl, sizeof(glsl), "#version 460\n%s%s",
                   device->info.float64 ? "#define FLOAT64\n" : "", probe_glsl);
    const vkt_kernel_source source = {
        .name = "arithmetic", .glsl = glsl, .constants = workgroup, .n_constants = 3};
    VKT_TRY(vkt_kernel_build(device, key, sizeof(key), &source, &kernel));
    VKT_TRY(vkt_block_alloc(device, src_nbytes, VKT_MEMORY_DEVICE, &src));
    VKT_TRY(vkt_block_alloc(device, dst_nbytes, VKT_MEMORY_DEVICE, &dst));
    VKT_TRY(vkt_upload(device, src, 0, q->questions, src_nbytes));
    struct {
        uint64_t src, dst;
        uint32_t n, unused;
    } args = {src->address, dst->address, q->n, 0};
    const vkt_access accesses[2] = {{src, 0, src_nbytes, false}, {dst, 0, dst_nbytes, true}};
    const vkt_launch launch = {
        .kernel = kernel,
        .groups = {(q->n + GROUP - 1) / GROUP, 1, 1},
        .args = &args,
        .args_nbytes = sizeof(args),
        .accesses = accesses,
        .n_accesses = 2,
    };
    VKT_TRY(vkt_dispatch(device, &launch));
    VKT_TRY(vkt_download(device, dst, 0, got, dst_nbytes));
    vkt_block_unref(src);
    vkt_block_unref(dst);
    return VKT_OK;
fail:
    vkt_block_unref(src);
    vkt_block_unref(dst);
    return vkt_status_last();
}

static vkt_status measure(vkt_device *device, uint32_t *facts)
{
    uint64_t *got = NULL;
    quiz *q = calloc(1, sizeof(*q));
    VKT_REQUIRE(q, VKT_OUT_OF_MEMORY, "device: no memory for the questions about its arithmetic");
    got = calloc(MAX_CASES, sizeof(*got));
    VKT_REQUIRE(got, VKT_OUT_OF_MEMORY, "device: no memory for the answers about its arithmetic");
    ask_all(q, device->info.float64);
    VKT_TRY(run_quiz(device, q, got));
    uint32_t asked = 0, wrong = 0;
    for (uint32_t i = 0; i < q->n; i++) {
        asked |= q->facts[i];
        if (got[i] == q->answers[i])
            continue;
        if (!(wrong & q->facts[i]))
            vkt_log(VKT_LOG_DEBUG, "arithmetic: case %u (op %u of %016llx, %016llx): %016llx", i,
                    q->questions[i].op, (unsigned long long)q->questions[i].x,
                    (unsigned long long)q->questions[i].y, (unsigned long long)got[i]);
        wrong |= q->facts[i];
    }
    *facts = asked & ~wrong;
    free(q);
    free(got);
    return VKT_OK;
fail:
    free(q);
    free(got);
    return vkt_status_last();
}

/* llvmpipe of Mesa 22.3 computes both sides of every branch, that of 25.0 does not. Its version is
 * told in words alone. */
static bool skips_branches(const vkt_device_info *info)
{
    static const char mesa[] = "Mesa ";
    bool is_mesa = strncmp(info->driver_info, mesa, strlen(mesa)) == 0;
    return info->kind != VKT_DEVICE_CPU ||
           (is_mesa && strtol(info->driver_info + strlen(mesa), NULL, 10) >= 25);
}

vkt_status vkt_arithmetic_create(vkt_device *device)
{
    const char *wish = secure_getenv("VKTENSOR_ARITHMETIC");
    uint32_t facts = 0;
    if (wish && strcmp(wish, "cautious") == 0)
        return VKT_OK;
    if (!vkt_kernels_load_facts(device, &facts)) {
        VKT_TRY(measure(device, &facts));
        vkt_kernels_store_facts(device, facts);
    }
    if (skips_branches(&device->info))
        facts |= BIT(skips_branches);
    if (wish && strcmp(wish, "fused") == 0)
        facts |= BIT(fused_fma) | BIT(emulates_fma);
    device->info.arithmetic = facts;
    return VKT_OK;
fail:
    return vkt_status_last();
}
