/* vulkan/spirv.c - asks for IEEE 754 arithmetic in a module: NoContraction and float controls. */
#include "vulkan/internal.h"

#include <stdlib.h>
#include <string.h>

/* The few names of SPIR-V 1.6 this pass knows (the unified specification, section 3). */
enum {
    SPV_MAGIC = 0x07230203,
    SPV_VERSION_1_4 = 0x00010400, /* float controls are core from here on */
    SPV_HEADER_WORDS = 5,
    SPV_MAX_BOUND = 0x3fffff, /* universal limit on ids */

    OP_SOURCE_CONTINUED = 2,
    OP_SOURCE = 3,
    OP_SOURCE_EXTENSION = 4,
    OP_NAME = 5,
    OP_MEMBER_NAME = 6,
    OP_STRING = 7,
    OP_EXTENSION = 10,
    OP_EXT_INST_IMPORT = 11,
    OP_MEMORY_MODEL = 14,
    OP_ENTRY_POINT = 15,
    OP_EXECUTION_MODE = 16,
    OP_CAPABILITY = 17,
    OP_TYPE_FLOAT = 22,
    OP_DECORATE = 71,
    OP_MEMBER_DECORATE = 72,
    OP_DECORATION_GROUP = 73,
    OP_GROUP_DECORATE = 74,
    OP_GROUP_MEMBER_DECORATE = 75,
    OP_F_NEGATE = 127,
    OP_F_ADD = 129,
    OP_F_SUB = 131,
    OP_F_MUL = 133,
    OP_F_DIV = 136,
    OP_F_REM = 140,
    OP_F_MOD = 141,
    OP_VECTOR_TIMES_SCALAR = 142,
    OP_MATRIX_TIMES_SCALAR = 143,
    OP_VECTOR_TIMES_MATRIX = 144,
    OP_MATRIX_TIMES_VECTOR = 145,
    OP_MATRIX_TIMES_MATRIX = 146,
    OP_OUTER_PRODUCT = 147,
    OP_DOT = 148,
    OP_MODULE_PROCESSED = 330,
    OP_EXECUTION_MODE_ID = 331,
    OP_DECORATE_ID = 332,
    OP_DECORATE_STRING = 5632,
    OP_MEMBER_DECORATE_STRING = 5633,

    DECORATION_NO_CONTRACTION = 42,
};

/* A float control: one capability, and one execution mode per width. */
typedef struct control {
    uint32_t capability;
    uint32_t mode;
} control;

enum { N_CONTROLS = 3, N_WIDTHS = 3 };
static const control CONTROLS[N_CONTROLS] = {
    {4466, 4461}, /* SignedZeroInfNanPreserve */
    {4467, 4462}, /* RoundingModeRTE */
    {4464, 4459}, /* DenormPreserve */
};

typedef struct module {
    const uint32_t *words;
    size_t n_words;
    uint32_t bound;
    uint8_t *contracted; /* per id: 1 = float arithmetic, 2 = already NoContraction */
    size_t n_arithmetic;
    size_t n_entry_points;
    size_t modes_at;       /* word at which execution modes may be inserted */
    size_t annotations_at; /* word at which decorations may be inserted */
    bool width_used[N_WIDTHS];
    bool has_capability[N_CONTROLS];
    bool has_mode[N_CONTROLS][N_WIDTHS];
} module;

enum { IS_ARITHMETIC = 1, IS_DECORATED = 2 };

static bool is_float_arithmetic(uint32_t op)
{
    switch (op) {
    case OP_F_NEGATE:
    case OP_F_ADD:
    case OP_F_SUB:
    case OP_F_MUL:
    case OP_F_DIV:
    case OP_F_REM:
    case OP_F_MOD:
    case OP_VECTOR_TIMES_SCALAR:
    case OP_MATRIX_TIMES_SCALAR:
    case OP_VECTOR_TIMES_MATRIX:
    case OP_MATRIX_TIMES_VECTOR:
    case OP_MATRIX_TIMES_MATRIX:
    case OP_OUTER_PRODUCT:
    case OP_DOT:
        return true;
    default:
        return false;
    }
}

/* Whether the instruction stands before the types in the logical layout of a module. */
static bool precedes_types(uint32_t op)
{
    switch (op) {
    case OP_SOURCE_CONTINUED:
    case OP_SOURCE:
    case OP_SOURCE_EXTENSION:
    case OP_NAME:
    case OP_MEMBER_NAME:
    case OP_STRING:
    case OP_EXTENSION:
    case OP_EXT_INST_IMPORT:
    case OP_MEMORY_MODEL:
    case OP_ENTRY_POINT:
    case OP_EXECUTION_MODE:
    case OP_CAPABILITY:
    case OP_DECORATE:
    case OP_MEMBER_DECORATE:
    case OP_DECORATION_GROUP:
    case OP_GROUP_DECORATE:
    case OP_GROUP_MEMBER_DECORATE:
    case OP_MODULE_PROCESSED:
    case OP_EXECUTION_MODE_ID:
    case OP_DECORATE_ID:
    case OP_DECORATE_STRING:
    case OP_MEMBER_DECORATE_STRING:
        return true;
    default:
        return false;
    }
}

static int width_index(uint32_t width)
{
    return width == 16 ? 0 : width == 32 ? 1 : width == 64 ? 2 : -1;
}

static void note_mode(module *m, const uint32_t *at, size_t n)
{
    int width = n == 4 ? width_index(at[3]) : -1;
    for (int c = 0; width >= 0 && c < N_CONTROLS; c++) {
        if (at[2] == CONTROLS[c].mode)
            m->has_mode[c][width] = true;
    }
}

/* Notes one instruction of n words; `next` is the word after it. False when it is malformed. */
static bool note_instruction(module *m, const uint32_t *at, size_t n, size_t next)
{
    uint32_t op = at[0] & 0xffff;
    if (precedes_types(op) && m->annotations_at == next - n)
        m->annotations_at = next;
    if (op == OP_CAPABILITY && n == 2) {
        for (int c = 0; c < N_CONTROLS; c++)
            m->has_capability[c] |= at[1] == CONTROLS[c].capability;
    } else if (op == OP_ENTRY_POINT) {
        if (n < 4 || at[2] >= m->bound)
            return false;
        m->n_entry_points++;
        m->modes_at = next;
    } else if (op == OP_EXECUTION_MODE && n >= 3) {
        note_mode(m, at, n);
    } else if (op == OP_TYPE_FLOAT && n == 3) { /* a 4th word is an encoding: not an IEEE type */
        int width = width_index(at[2]);
        if (width >= 0)
            m->width_used[width] = true;
    } else if (op == OP_DECORATE && n == 3 && at[2] == DECORATION_NO_CONTRACTION) {
        if (at[1] >= m->bound)
            return false;
        m->contracted[at[1]] |= IS_DECORATED;
    } else if (is_float_arithmetic(op)) {
        if (n < 4 || at[2] >= m->bound)
            return false;
        m->contracted[at[2]] |= IS_ARITHMETIC;
        m->n_arithmetic++;
    }
    return true;
}

static vkt_status scan_module(module *m)
{
    size_t at = SPV_HEADER_WORDS;
    m->annotations_at = at;
    while (at < m->n_words) {
        size_t n = m->words[at] >> 16;
        VKT_REQUIRE(n > 0 && n <= m->n_words - at && note_instruction(m, m->words + at, n, at + n),
                    VKT_COMPILE_ERROR, "spirv: malformed instruction at word %zu", at);
        at += n;
    }
    VKT_REQUIRE(m->n_entry_points == 1 && m->modes_at <= m->annotations_at, VKT_COMPILE_ERROR,
                "spirv: expected one entry point before the types, found %zu", m->n_entry_points);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* The id of the one entry point. */
static uint32_t find_entry(const module *m)
{
    size_t at = SPV_HEADER_WORDS;
    while ((m->words[at] & 0xffff) != OP_ENTRY_POINT)
        at += m->words[at] >> 16;
    return m->words[at + 2];
}

static size_t copy_words(uint32_t *out, size_t n_out, const module *m, size_t from, size_t to)
{
    memcpy(out + n_out, m->words + from, (to - from) * sizeof(*out));
    return n_out + (to - from);
}

/* Writes the module with what is missing inserted; `out` has room for the largest result. */
static size_t write_module(const module *m, const vkt_device_info *info, bool fast_math,
                           uint32_t *out)
{
    size_t n = copy_words(out, 0, m, 0, SPV_HEADER_WORDS);
    const bool *reported[N_CONTROLS] = {info->preserves_nan, info->rounds_to_even,
                                        info->preserves_subnormals};
    bool wanted[N_CONTROLS][N_WIDTHS];
    /* Capabilities come first in a module, in any order. */
    for (int c = 0; c < N_CONTROLS; c++) {
        bool any = false;
        for (int w = 0; w < N_WIDTHS; w++) {
            wanted[c][w] = m->width_used[w] && reported[c][w] && !m->has_mode[c][w];
            any |= wanted[c][w];
        }
        if (any && !m->has_capability[c]) {
            out[n++] = 2u << 16 | OP_CAPABILITY;
            out[n++] = CONTROLS[c].capability;
        }
    }
    n = copy_words(out, n, m, SPV_HEADER_WORDS, m->modes_at);
    uint32_t entry = find_entry(m);
    for (int c = 0; c < N_CONTROLS; c++) {
        for (int w = 0; w < N_WIDTHS; w++) {
            if (!wanted[c][w])
                continue;
            out[n++] = 4u << 16 | OP_EXECUTION_MODE;
            out[n++] = entry;
            out[n++] = CONTROLS[c].mode;
            out[n++] = 16u << w;
        }
    }
    n = copy_words(out, n, m, m->modes_at, m->annotations_at);
    for (uint32_t id = 0; !fast_math && id < m->bound; id++) {
        if (m->contracted[id] == IS_ARITHMETIC) {
            out[n++] = 3u << 16 | OP_DECORATE;
            out[n++] = id;
            out[n++] = DECORATION_NO_CONTRACTION;
        }
    }
    return copy_words(out, n, m, m->annotations_at, m->n_words);
}

vkt_status vkt_spirv_finish(const vkt_device_info *info, bool fast_math, uint32_t **words,
                            size_t *n_words)
{
    module m = {.words = *words, .n_words = *n_words};
    VKT_REQUIRE(m.n_words > SPV_HEADER_WORDS && m.words[0] == SPV_MAGIC &&
                    m.words[1] >= SPV_VERSION_1_4 && m.words[3] <= SPV_MAX_BOUND,
                VKT_COMPILE_ERROR, "spirv: expected a module of version 1.4 or later");
    m.bound = m.words[3];
    m.contracted = calloc((size_t)m.bound + 1, 1);
    VKT_REQUIRE(m.contracted, VKT_OUT_OF_MEMORY, "spirv: no memory for %u ids", m.bound);
    VKT_TRY(scan_module(&m));

    size_t largest = m.n_words + 3 * m.n_arithmetic + N_CONTROLS * (2 + 4 * N_WIDTHS);
    uint32_t *out = malloc(largest * sizeof(*out));
    VKT_REQUIRE(out, VKT_OUT_OF_MEMORY, "spirv: no memory for %zu words", largest);
    *n_words = write_module(&m, info, fast_math, out);
    free(*words);
    *words = out;
    free(m.contracted);
    return VKT_OK;
fail:
    free(m.contracted);
    return vkt_status_last();
}
