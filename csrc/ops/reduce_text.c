/* ops/reduce_text.c - kernel text of reductions and scans: arguments, loads, what is
 * accumulated, and the templates. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ops/reduce_internal.h"

static const struct {
    const char *name;
    const char *templates[5];
} families[] = {
    [VKT_FAMILY_ROWS] = {"rows", {"reduce_walk", "reduce_state", "reduce_rows"}},
    [VKT_FAMILY_COLUMNS] = {"columns", {"reduce_walk", "reduce_state", "reduce_columns"}},
    [VKT_FAMILY_MERGE] = {"merge", {"reduce_walk", "reduce_state", "reduce_merge"}},
    [VKT_FAMILY_STREAM] = {"stream", {0}},
    [VKT_FAMILY_SCAN_SERIAL] = {"serial", {"reduce_walk", "scan_carry", "scan_serial"}},
    [VKT_FAMILY_SCAN_TILE] = {"tiles", {"reduce_walk", "scan_carry", "scan_group", "scan_tile"}},
    [VKT_FAMILY_SCAN_ONE_PASS] = {"one_pass",
                                  {"reduce_walk", "scan_carry", "scan_group", "scan_look_back",
                                   "scan_one_pass"}},
    [VKT_FAMILY_SCAN_STRIPS] = {"strips", {"reduce_walk", "scan_carry", "scan_strips"}},
};

static bool is_scan(const vkt_variant *variant)
{
    return variant->family >= VKT_FAMILY_SCAN_SERIAL;
}

static bool has_strips(const vkt_variant *variant)
{
    return variant->family == VKT_FAMILY_COLUMNS || variant->family == VKT_FAMILY_SCAN_STRIPS;
}

static const char *register_type(vkt_dtype dtype)
{
    return vkt_registers[vkt_dtypes[dtype].reg].type;
}

/* ---- What is accumulated --------------------------------------------------------------------- */

/* Extremes of floats are found among integers that have their order, so that one comparison does
 * and NaN wins it: the op's number of x, given o = vkt_order(x), and x again. */
static bool is_ranked(const vkt_reducer *reducer)
{
    bool extreme =
        reducer->op == VKT_OP_max || reducer->op == VKT_OP_min || reducer->merge == VKT_MERGE_INDEX;
    return extreme && vkt_dtypes[reducer->value].cls == VKT_CLASS_FLOAT;
}

static vkt_register rank_register(const vkt_reducer *reducer)
{
    return vkt_dtypes[reducer->value].reg == VKT_REG_F64 ? VKT_REG_I64 : VKT_REG_I32;
}

/* Where zeros are equal, as for an index, -0 has the number of 0. */
static const char *find_rank(vkt_op op)
{
    switch (op) {
    case VKT_OP_max:
        return "o";
    case VKT_OP_min:
        return "~o";
    case VKT_OP_argmax:
        return "o - (o >> SIGN)";
    default:
        return "(o >> SIGN) - o";
    }
}

static void emit_rank(const vkt_reducer *reducer, vkt_text *out)
{
    const vkt_register_info *rank = &vkt_registers[rank_register(reducer)];
    const char *x = vkt_registers[vkt_dtypes[reducer->value].reg].suffix;
    vkt_text_format(out,
                    "#define RANKED\n#define SIGN %d\nVALUE take(%s x)\n{\n    VALUE o = "
                    "vkt_order_%s(x);\n    return vkt_isnan_%s(x) ? vkt_highest_%s() : %s;\n}\n\n",
                    rank_register(reducer) == VKT_REG_I64 ? 63 : 31, register_type(reducer->value),
                    x, x, rank->suffix, find_rank(reducer->op));
}

uint32_t vkt_reducer_nbytes(const vkt_reducer *reducer)
{
    uint8_t nbytes = vkt_dtypes[reducer->value].nbytes;
    uint32_t value = nbytes < 4 ? 4 : nbytes;
    return reducer->merge == VKT_MERGE_PLAIN   ? value
           : reducer->merge == VKT_MERGE_INDEX ? 16
                                               : 4 * value;
}

static void append_with_suffix(const char *glsl, vkt_dtype dtype, vkt_text *out)
{
    for (; *glsl; glsl++) {
        if (*glsl == '$')
            vkt_text_append(out, vkt_registers[vkt_dtypes[dtype].reg].suffix);
        else
            vkt_text_append_n(out, glsl, 1);
    }
}

/* Truth values are merged as the words 0 and 1: a bool has no place in memory. */
static const char *find_merge(const vkt_reducer *reducer, const char **neutral)
{
    const vkt_op_info *info = &vkt_ops[reducer->op];
    vkt_class cls = vkt_dtypes[reducer->value].cls;
    if (reducer->op == VKT_OP_any || reducer->op == VKT_OP_all) {
        *neutral = reducer->op == VKT_OP_any ? "0u" : "1u";
        return reducer->op == VKT_OP_any ? "x | y" : "x & y";
    }
    *neutral = info->identity[cls];
    if (cls == VKT_CLASS_COMPLEX && strcmp(*neutral, "1.0") == 0)
        *neutral = "1.0, 0.0";
    return info->glsl[cls];
}

static void emit_merge(const vkt_reducer *reducer, vkt_text *out)
{
    vkt_dtype value = reducer->value;
    if (is_ranked(reducer)) {
        vkt_text_append(out,
                        reducer->merge == VKT_MERGE_INDEX ? "#define INDEX\n" : "#define PLAIN\n");
        vkt_text_format(out,
                        "#define NEUTRAL vkt_lowest_%s()\n"
                        "VALUE combine(VALUE x, VALUE y) { return max(x, y); }\n"
                        "bool better(VALUE x, VALUE y) { return x > y; }\n\n",
                        vkt_registers[rank_register(reducer)].suffix);
        emit_rank(reducer, out);
        return;
    }
    if (reducer->merge == VKT_MERGE_MOMENTS) {
        vkt_text_append(out, "#define MOMENTS\n#define NOT_A_NUMBER ");
        append_with_suffix("vkt_nan_$()\n#define FINITE(x) vkt_isfinite_$(x)\n", value, out);
        return;
    }
    if (reducer->merge == VKT_MERGE_PLAIN) {
        const char *neutral = NULL;
        const char *glsl = find_merge(reducer, &neutral);
        assert(glsl && neutral);
        vkt_text_append(out, "#define PLAIN\n#define NEUTRAL VALUE(");
        append_with_suffix(neutral, value, out);
        vkt_text_append(out, ")\nVALUE combine(VALUE x, VALUE y) { return ");
        append_with_suffix(glsl, value, out);
        vkt_text_append(out, "; }\n\n");
        return;
    }
    bool max = reducer->op == VKT_OP_argmax;
    vkt_text_append(out, "#define INDEX\n#define NEUTRAL VALUE(");
    append_with_suffix(max ? "vkt_lowest_$()" : "vkt_highest_$()", value, out);
    vkt_text_format(out, ")\nbool better(VALUE x, VALUE y) { return x %s y; }\n\n",
                    max ? ">" : "<");
}

/* The register of the accumulator as one of the result. */
static void emit_fit(const vkt_reducer *reducer, const char *value, vkt_text *out)
{
    const vkt_dtype_info *result = &vkt_dtypes[reducer->result];
    if (reducer->result == VKT_BOOL)
        vkt_text_format(out, "%s != 0u", value);
    else if (result->narrow)
        vkt_text_format(out, "vkt_fit_%s(%s)", result->tag, value);
    else
        vkt_text_append(out, value);
}

static void emit_finish(const vkt_reducer *reducer, vkt_text *out)
{
    vkt_text_append(out, "RESULT finish(Acc acc) { return ");
    if (reducer->merge == VKT_MERGE_INDEX)
        vkt_text_append(out, "acc.index");
    else if (reducer->op == VKT_OP_mean)
        emit_fit(reducer, "acc.value / args.divisor", out);
    else if (reducer->op == VKT_OP_var)
        emit_fit(reducer, "moments_variance(acc)", out);
    else if (reducer->op == VKT_OP_std)
        emit_fit(reducer, "sqrt(moments_variance(acc))", out);
    else if (is_ranked(reducer)) {
        char value[64];
        (void)snprintf(value, sizeof(value), "vkt_unorder_%s(%sacc.value)",
                       vkt_registers[vkt_dtypes[reducer->value].reg].suffix,
                       reducer->op == VKT_OP_min ? "~" : "");
        emit_fit(reducer, value, out);
    } else
        emit_fit(reducer, "acc.value", out);
    vkt_text_append(out, "; }\n\n");
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static void emit_dims(const char *half, int n_dims, vkt_text *out)
{
    if (n_dims > 1)
        vkt_text_format(out, "uint %s_div[%d]; ", half, 3 * (n_dims - 1));
    vkt_text_format(out, "int %s_step[%d * OPERANDS]; ", half, n_dims);
}

static bool program_uses_iota(const vkt_program *program)
{
    for (int i = 0; i < program->n_instrs; i++) {
        if (program->instrs[i].kind == VKT_INSTR_IOTA)
            return true;
    }
    return false;
}

/* In the order of reduce_stream.c. */
static void emit_stream_members(const vkt_reducer *reducer, const vkt_program *program,
                                vkt_text *out)
{
    vkt_text_append(out, "uint64_t partials; ");
    if (reducer->merge == VKT_MERGE_INDEX)
        vkt_text_append(out, "int64_t index0; ");
    vkt_emit_members(program, false, out);
    vkt_text_append(out, "uint first_block; uint n_blocks; uint block_div[3]; ");
    if (program->n_leaves)
        vkt_text_format(out, "int kept_step[%d]; ", program->n_leaves);
    vkt_text_format(out, "uint8_t digits[%d]; ", VKT_STREAM_DIGITS);
}

/* In the order of reduce_run.c and scan.c, which pack them. */
static void emit_members(const vkt_variant *variant, const vkt_reducer *reducer,
                         const vkt_program *program, vkt_text *out)
{
    vkt_text_append(out, "uint64_t out0; ");
    vkt_text_append(out, variant->initial ? "uint64_t out1; " : "");
    vkt_text_append(out, "uint64_t partials; uint64_t next; ");
    vkt_text_append(out, variant->family == VKT_FAMILY_SCAN_ONE_PASS ? "uint64_t state; " : "");
    if (reducer->merge == VKT_MERGE_INDEX)
        vkt_text_append(out, "int64_t index0; ");
    if (program) {
        if (program_uses_iota(program))
            vkt_text_append(out, "int64_t iota0; ");
        vkt_emit_members(program, false, out);
    }
    if (reducer->divides)
        vkt_text_format(out, "%s divisor; ", register_type(vkt_dtype_real(reducer->value)));
    vkt_text_append(out, "uint n_kept; uint n_reduced; uint chunk; uint lanes_log2; uint n_slots; "
                         "uint slot0; uint row_step; uint slot_step; uint next_step; ");
    if (variant->family != VKT_FAMILY_MERGE)
        vkt_text_append(out, "uint flags; ");
    if (has_strips(variant))
        vkt_text_append(out, "uint n_strips; uint inner_length; uint strip_div[3]; ");
    emit_dims("kept", variant->kept_dims, out);
    if (variant->family != VKT_FAMILY_MERGE)
        emit_dims("reduced", variant->reduced_dims, out);
}

/* ---- Loads ----------------------------------------------------------------------------------- */

/* One element into `to`, its operands where leaf_format says: a call of vkt_compute. */
static void emit_compute(const vkt_reducer *reducer, const vkt_program *program,
                         const char *leaf_format, const char *iota, const char *to, vkt_text *out)
{
    bool ranked = is_ranked(reducer);
    vkt_text_format(out, "{ %s e; vkt_compute(", register_type(reducer->value));
    for (int i = 0; i < program->n_leaves; i++) {
        char leaf[64];
        (void)snprintf(leaf, sizeof(leaf), leaf_format, i, i + 2);
        vkt_text_format(out, "%s, ", leaf);
    }
    vkt_text_format(out, "%s, e); %s = %s(e); }\n",
                    program_uses_iota(program) ? iota : "int64_t(0)", to, ranked ? "take" : "");
}

static void emit_load_one(const vkt_reducer *reducer, const vkt_program *program, vkt_text *out)
{
    vkt_text_append(out, "void load_one(uint r, int at[OPERANDS], out VALUE v)\n{\n"
                         "    int o[OPERANDS];\n    reduced_at(r, at, o);\n    ");
    emit_compute(reducer, program, "vkt_leaf%d(o[%d])", "args.iota0 + int64_t(o[1])", "v", out);
    vkt_text_append(out, "}\n\n");
}

/* A batch of four elements along `inner`, the half whose innermost dim they follow; of columns, the
 * first last + 1 of them. */
static void emit_load_batch(const vkt_variant *variant, const vkt_reducer *reducer,
                            const vkt_program *program, const char *inner, vkt_text *out)
{
    bool columns = has_strips(variant);
    vkt_text_format(out, "void load(uint r, int at[OPERANDS], %sout VALUE v[4])\n{\n",
                    columns ? "int last, " : "");
    if (variant->crosses)
        vkt_text_format(out,
                        "    if ((args.flags & %uu) != 0u) {\n"
                        "        [[unroll]] for (int j = 0; j < 4; j++)\n"
                        "            load_one(r + uint(j), at, v[j]);\n        return;\n    }\n",
                        VKT_FLAG_ONE_BY_ONE);
    vkt_text_append(out, "    int o[OPERANDS];\n    reduced_at(r, at, o);\n");
    for (int i = 0; i < program->n_leaves; i++) {
        const char *type = register_type((vkt_dtype)program->leaf_dtype[i]);
        const char *last = columns ? "last" : "3";
        vkt_text_format(out, "    %s x%d[4];\n    vkt_leaf%d_part(o[%d], ", type, i, i, i + 2);
        if (variant->modes[i] == VKT_MODE_NEXT)
            vkt_text_format(out, "1, %s, (args.flags & %uu) != 0u%s", last, 1u << i,
                            columns ? " && last == 3" : "");
        else if (variant->modes[i] == VKT_MODE_SAME)
            vkt_text_format(out, "0, %s, false", last);
        else
            vkt_text_format(out, "args.%s_step[%d], %s, false", inner, i + 2, last);
        vkt_text_format(out, ", x%d);\n", i);
    }
    char iota[80];
    (void)snprintf(iota, sizeof(iota), "args.iota0 + int64_t(o[1] + j * args.%s_step[1])", inner);
    vkt_text_append(out, "    [[unroll]] for (int j = 0; j < 4; j++)\n        ");
    emit_compute(reducer, program, "x%d[j]", iota, "v[j]", out);
    vkt_text_append(out, "}\n\n");
}

static void emit_loads(const vkt_variant *variant, const vkt_reducer *reducer,
                       const vkt_program *program, vkt_text *out)
{
    vkt_emit_access(program, false, out);
    vkt_program_emit(program, out);
    emit_load_one(reducer, program, out);
    emit_load_batch(variant, reducer, program, has_strips(variant) ? "kept" : "reduced", out);
}

/* Four elements of each lane, neighbours, `r` being the first lane's first of the row. */
static void emit_stream_load(const vkt_variant *variant, const vkt_reducer *reducer,
                             const vkt_program *program, vkt_text *out)
{
    vkt_program_emit(program, out);
    vkt_text_append(out, "void load(uint row, uint r, out VALUE v[4])\n{\n");
    for (int i = 0; i < program->n_leaves; i++) {
        vkt_dtype dtype = (vkt_dtype)program->leaf_dtype[i];
        bool next = variant->modes[i] == VKT_MODE_NEXT;
        int nbytes = vkt_dtypes[dtype].nbytes;
        char word[64];
        vkt_text_format(out,
                        "    uint64_t a%d = args.leaf%d + uint64_t(int64_t(row) * "
                        "int64_t(args.kept_step[%d])%s) * %d;\n    %s x%d[4];\n"
                        "    [[unroll]] for (int j = 0; j < 4; j++)\n        x%d[j] = ",
                        i, i, i, next ? " + int64_t(r)" : "", nbytes, register_type(dtype), i, i);
        (void)snprintf(word, sizeof(word),
                       next ? "vkt_pick%d(a%d + uint64_t(j * %d))" : "vkt_word%d(a%d, 0)",
                       nbytes * 8, i, nbytes);
        vkt_emit_decode(dtype, word, out);
        vkt_text_append(out, ";\n");
    }
    vkt_text_append(out, "    [[unroll]] for (int j = 0; j < 4; j++)\n        ");
    emit_compute(reducer, program, "x%d[j]", "", "v[j]", out);
    vkt_text_append(out, "}\n\n");
}

/* vkt_out0, the store of one result, and vkt_out1, that of a row's neutral first. */
static void emit_store(const vkt_variant *variant, const vkt_reducer *reducer, vkt_text *out)
{
    vkt_program result = {.n_instrs = 1, .n_outputs = variant->initial ? 2 : 1};
    result.instrs[0] = (vkt_instr){.kind = VKT_INSTR_SCALAR,
                                   .dtype = (uint8_t)reducer->result,
                                   .compute = (uint8_t)reducer->result};
    vkt_emit_access(&result, true, out);
}

/* What stands for a value in arrays of registers: 64-bit ones are words, as an H100's compiler
 * keeps arrays of them in memory, and as subgroups of 64-bit integers are a feature of their own.
 * Others have no type here and stand for themselves. */
static const struct {
    const char *type, *put, *get;
} held[VKT_REG_COUNT] = {
    [VKT_REG_I64] = {"ivec2", "unpack32(x)", "pack64(x)"},
    [VKT_REG_U64] = {"uvec2", "unpack32(x)", "pack64(x)"},
    [VKT_REG_F64] = {"uvec2", "unpackDouble2x32(x)", "packDouble2x32(x)"},
    [VKT_REG_C128] = {"uvec4", "uvec4(unpackDouble2x32(x.x), unpackDouble2x32(x.y))",
                      "dvec2(packDouble2x32(x.xy), packDouble2x32(x.zw))"},
};

bool vkt_reducer_is_wide(const vkt_reducer *reducer)
{
    return held[vkt_dtypes[reducer->value].reg].type != NULL;
}

static void emit_held(vkt_register reg, vkt_text *out)
{
    if (!held[reg].type) {
        vkt_text_append(out, "#define SAME\n#define HELD VALUE\n#define put(x) (x)\n"
                             "#define get(x) (x)\n");
        return;
    }
    vkt_text_format(out,
                    "#define HELD %s\nHELD put(VALUE x) { return %s; }\n\n"
                    "VALUE get(HELD x) { return %s; }\n\n",
                    held[reg].type, held[reg].put, held[reg].get);
}

/* A value that is not wide as 32-bit words, in memory that others may be writing. */
static void emit_words(vkt_register reg, vkt_text *out)
{
    static const struct {
        int n;
        const char *to, *from;
    } words[VKT_REG_COUNT] = {
        [VKT_REG_I32] = {1, "w[0] = uint(x);", "int(w[0])"},
        [VKT_REG_U32] = {1, "w[0] = x;", "w[0]"},
        [VKT_REG_F32] = {1, "w[0] = floatBitsToUint(x);", "uintBitsToFloat(w[0])"},
        [VKT_REG_C64] = {2, "w[0] = floatBitsToUint(x.x); w[1] = floatBitsToUint(x.y);",
                         "vec2(uintBitsToFloat(w[0]), uintBitsToFloat(w[1]))"},
    };
    vkt_text_format(out,
                    "#define WORDS %d\nvoid to_words(VALUE x, out uint w[WORDS]) { %s }\n\n"
                    "VALUE from_words(uint w[WORDS]) { return %s; }\n\n",
                    words[reg].n, words[reg].to, words[reg].from);
}

static void emit_scan(const vkt_variant *variant, const vkt_reducer *reducer, vkt_text *out)
{
    vkt_register reg = vkt_dtypes[reducer->value].reg;
    vkt_text_append(out, variant->compensated ? "#define COMPENSATED\n" : "");
    vkt_text_append(out, variant->initial ? "#define INITIAL\n" : "");
    vkt_text_append(out, variant->silent ? "#define SILENT\n" : "");
    vkt_text_format(out, "#define OUT_ALIGNED %uu\n", VKT_FLAG_OUT_ALIGNED);
    if (variant->compensated) {
        vkt_text_append(out, "#define FINITE(x) ");
        append_with_suffix("vkt_isfinite_$(x)\n", reducer->value, out);
    }
    if (variant->batches > 0) {
        vkt_text_format(out, "#define BATCHES %uu\n", variant->batches);
        vkt_text_append(out, variant->subgroups ? "#define SHUFFLE\n" : "");
        emit_held(reg, out);
    }
    if (variant->family == VKT_FAMILY_SCAN_ONE_PASS)
        emit_words(reg, out);
}

/* ---- Whole kernels --------------------------------------------------------------------------- */

static void emit_body(const vkt_variant *variant, const vkt_reducer *reducer,
                      const vkt_program *program, vkt_text *out)
{
    vkt_register value =
        is_ranked(reducer) ? rank_register(reducer) : vkt_dtypes[reducer->value].reg;
    vkt_text_format(out, "#define VALUE %s\n#define RESULT %s\n", vkt_registers[value].type,
                    register_type(reducer->result));
    vkt_text_format(out, "#define GROUP %uu\n", variant->group);
    vkt_text_append(out, variant->tree ? "#define TREE\n" : "");
    vkt_text_append(out, variant->subgroups ? "#define SUBGROUPS\n" : "");
    vkt_text_append(out, variant->blocked ? "#define BLOCKED\n" : "");
    vkt_text_append(out, variant->streamed ? "#define STREAMED\n" : "");
    vkt_text_format(out, "#define BLOCK_LOG2 %du\n",
                    variant->tree ? VKT_GPU_BLOCK_LOG2 : VKT_SERIAL_BLOCK_LOG2);
    if (variant->family == VKT_FAMILY_STREAM) {
        emit_merge(reducer, out);
        emit_stream_load(variant, reducer, program, out);
        vkt_text_append(out, vkt_glsl_template("reduce_state"));
        vkt_text_append(out, vkt_glsl_template("reduce_stream"));
        return;
    }
    vkt_text_append(out, program ? "" : "#define KEPT_ONLY\n");
    vkt_text_format(out, "#define KEPT_DIMS %d\n#define REDUCED_DIMS %d\n", variant->kept_dims,
                    variant->reduced_dims);
    if (is_scan(variant))
        emit_scan(variant, reducer, out);
    emit_merge(reducer, out);
    emit_store(variant, reducer, out);
    if (is_scan(variant)) {
        vkt_text_append(out, "RESULT as_result(VALUE x) { return ");
        emit_fit(reducer, "x", out);
        vkt_text_append(out, "; }\n\n");
    }
    for (int i = 0; i < 5 && families[variant->family].templates[i]; i++) {
        vkt_text_append(out, vkt_glsl_template(families[variant->family].templates[i]));
        if (i == 0 && program)
            emit_loads(variant, reducer, program, out);
        if (i == 1 && !is_scan(variant))
            emit_finish(reducer, out);
    }
}

static vkt_status build(vkt_device *device, const void *key, size_t key_nbytes,
                        const vkt_variant *variant, const vkt_reducer *reducer,
                        const vkt_program *program, uint32_t args_nbytes, vkt_kernel **out)
{
    char name[VKT_PROGRAM_NAME + 64], inner[VKT_PROGRAM_NAME] = "", operands[32], span[32];
    uint32_t constants[3] = {variant->group, 1, 1};
    uint32_t subgroup_size = variant->subgroups ? vkt_device_get_info(device)->subgroup_size : 0;
    bool streams = variant->family == VKT_FAMILY_STREAM;
    char lanes[32];
    (void)snprintf(lanes, sizeof(lanes), "LANES %d", 1 << VKT_SERIAL_LANES_LOG2);
    const char *defines[] = {operands, span, streams ? lanes : "WIDTH 4", streams ? "PACK 4" : NULL,
                             NULL};

    (void)snprintf(operands, sizeof(operands), "OPERANDS %d",
                   program ? program->n_leaves + VKT_AT_LEAF - VKT_AT_OUT : 1);
    (void)snprintf(span, sizeof(span), "SPAN %uu", subgroup_size ? subgroup_size : variant->group);
    if (program)
        vkt_program_name(program, inner);
    (void)snprintf(name, sizeof(name), "%s_%s%s%s", vkt_ops[reducer->op].name,
                   families[variant->family].name, program ? "_" : "", inner);
    vkt_kernel_parts parts = {
        .source = {.name = name,
                   .constants = constants,
                   .n_constants = 3,
                   .subgroup_size = subgroup_size},
        .defines = defines,
        .args_nbytes = args_nbytes,
    };
    if (streams)
        emit_stream_members(reducer, program, &parts.members);
    else
        emit_members(variant, reducer, program, &parts.members);
    emit_body(variant, reducer, program, &parts.body);
    return vkt_kernel_assemble(device, key, key_nbytes, &parts, out);
}

vkt_status vkt_reduce_kernel(vkt_device *device, const vkt_variant *variant,
                             const vkt_reducer *reducer, const vkt_program *program,
                             uint32_t args_nbytes, vkt_kernel **out)
{
    uint8_t key[8 + sizeof(vkt_variant) + sizeof(vkt_program)] = {'r', 'e', 'd'};
    size_t n = 8;
    key[3] = (uint8_t)reducer->op;
    key[4] = (uint8_t)reducer->value;
    key[5] = (uint8_t)reducer->result;
    key[6] = args_nbytes > VKT_PUSH_NBYTES;
    memcpy(key + n, variant, sizeof(*variant));
    n += sizeof(*variant);
    if (program)
        n += vkt_program_key(program, key + n);
    *out = vkt_kernel_find(device, key, n);
    if (*out)
        return VKT_OK;
    return build(device, key, n, variant, reducer, program, args_nbytes, out);
}
