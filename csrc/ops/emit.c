/* ops/emit.c - GLSL and argument bytes of a fused program: what elementwise kernels, reductions
 * and scans share. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ops/expr.h"

/* How an element's word in memory becomes a register and back. `%s` is the word, or the
 * register. */
typedef struct vkt_codec {
    const char *decode;
    const char *encode;
} vkt_codec;

static const vkt_codec codecs[VKT_DTYPE_COUNT] = {
    [VKT_BOOL] = {"%s != 0u", "uint(%s)"},
    [VKT_INT8] = {"bitfieldExtract(int(%s), 0, 8)", "uint(%s) & 0xffu"},
    [VKT_INT16] = {"bitfieldExtract(int(%s), 0, 16)", "uint(%s) & 0xffffu"},
    [VKT_INT32] = {"int(%s)", "uint(%s)"},
    [VKT_INT64] = {"int64_t(%s)", "uint64_t(%s)"},
    [VKT_UINT8] = {"%s", "%s & 0xffu"},
    [VKT_UINT16] = {"%s", "%s & 0xffffu"},
    [VKT_UINT32] = {"%s", "%s"},
    [VKT_UINT64] = {"%s", "%s"},
    /* By integer bits: a driver may fold a conversion to half and back. */
    [VKT_FLOAT16] = {"vkt_unpack_f16(%s)", "vkt_pack_f16(%s)"},
    [VKT_BFLOAT16] = {"vkt_unpack_bf16(%s)", "vkt_pack_bf16(%s)"},
    [VKT_FLOAT32] = {"uintBitsToFloat(%s)", "floatBitsToUint(%s)"},
    [VKT_FLOAT64] = {"uint64BitsToDouble(%s)", "doubleBitsToUint64(%s)"},
    [VKT_COMPLEX64] = {"uintBitsToFloat(unpackUint2x32(%s))", "packUint2x32(floatBitsToUint(%s))"},
    [VKT_COMPLEX128] = {"uint64BitsToDouble(%s)", "doubleBitsToUint64(%s)"},
};

static const char *register_type(vkt_dtype dtype)
{
    return vkt_registers[vkt_dtypes[dtype].reg].type;
}

static vkt_dtype output_dtype(const vkt_program *program, int output)
{
    return (vkt_dtype)program->instrs[program->outputs[output]].dtype;
}

/* Scalars are passed in their register, bool as uint. */
static bool scalar_is_wide(vkt_dtype dtype)
{
    return vkt_dtypes[dtype].nbytes >= 8;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static void put_bytes(vkt_args *args, const void *bytes, uint32_t nbytes)
{
    assert(args->nbytes + nbytes <= VKT_MAX_ARGS_NBYTES);
    memcpy(args->bytes + args->nbytes, bytes, nbytes);
    args->nbytes += nbytes;
}

void vkt_args_u64(vkt_args *args, uint64_t value)
{
    static const uint8_t gap[4] = {0};
    if (args->nbytes % 8 != 0)
        put_bytes(args, gap, 4);
    put_bytes(args, &value, sizeof(value));
}

void vkt_args_u32(vkt_args *args, uint32_t value)
{
    put_bytes(args, &value, sizeof(value));
}

void vkt_args_i32(vkt_args *args, int32_t value)
{
    put_bytes(args, &value, sizeof(value));
}

void vkt_emit_members(const vkt_program *program, bool with_outputs, vkt_text *members)
{
    for (int i = 0; i < program->n_leaves; i++)
        vkt_text_format(members, "uint64_t leaf%d; ", i);
    for (int i = 0; with_outputs && i < program->n_outputs; i++)
        vkt_text_format(members, "uint64_t out%d; ", i);
    for (int wide = 1; wide >= 0; wide--) {
        for (int i = 0; i < program->n_scalars; i++) {
            vkt_dtype dtype = (vkt_dtype)program->scalar_dtype[i];
            if (scalar_is_wide(dtype) == (wide == 1))
                vkt_text_format(members, "%s s%d; ",
                                dtype == VKT_BOOL ? "uint" : register_type(dtype), i);
        }
    }
}

static uint32_t widen_half(uint32_t bits)
{
    uint32_t sign = (bits & 0x8000u) << 16;
    uint32_t exponent = bits >> 10 & 31u;
    uint32_t mantissa = bits & 0x3ffu;
    if (exponent == 31)
        return sign | 0x7f800000u | mantissa << 13;
    if (exponent != 0)
        return sign | (exponent + 112) << 23 | mantissa << 13;
    /* Subnormal halves are mantissa * 2^-24, exact in float32. */
    float value = (float)mantissa * 0x1p-24f;
    uint32_t word;
    memcpy(&word, &value, sizeof(word));
    return sign | word;
}

/* The bits of a narrow scalar as its 32-bit register holds them. */
static uint32_t widen_scalar(vkt_dtype dtype, uint64_t bits)
{
    switch (dtype) {
    case VKT_BOOL:
        return bits & 0xff ? 1 : 0;
    case VKT_INT8:
        return (uint32_t)(int32_t)(int8_t)(bits & 0xff);
    case VKT_INT16:
        return (uint32_t)(int32_t)(int16_t)(bits & 0xffff);
    case VKT_FLOAT16:
        return widen_half((uint32_t)(bits & 0xffff));
    case VKT_BFLOAT16:
        return (uint32_t)(bits & 0xffff) << 16;
    default:
        return (uint32_t)bits;
    }
}

void vkt_pack_members(const vkt_fusion *fusion, bool with_outputs, vkt_args *args)
{
    const vkt_program *program = &fusion->program;
    for (int i = 0; i < program->n_leaves; i++) {
        const vkt_tensor *leaf = fusion->leaves[i];
        int64_t nbytes = vkt_dtypes[leaf->dtype].nbytes;
        vkt_args_u64(args, vkt_block_address(leaf->block) +
                               (uint64_t)(fusion->leaf_layouts[i].offset * nbytes));
    }
    for (int i = 0; with_outputs && i < program->n_outputs; i++) {
        const vkt_tensor *output = fusion->outputs[i];
        int64_t nbytes = vkt_dtypes[output->dtype].nbytes;
        vkt_args_u64(args,
                     vkt_block_address(output->block) + (uint64_t)(output->layout.offset * nbytes));
    }
    vkt_pack_scalars(fusion, args);
}

void vkt_pack_scalars(const vkt_fusion *fusion, vkt_args *args)
{
    const vkt_program *program = &fusion->program;
    for (int i = 0; i < program->n_scalars; i++) {
        if (!scalar_is_wide((vkt_dtype)program->scalar_dtype[i]))
            continue;
        vkt_args_u64(args, fusion->scalars[i].low);
        if (program->scalar_dtype[i] == VKT_COMPLEX128)
            vkt_args_u64(args, fusion->scalars[i].high);
    }
    for (int i = 0; i < program->n_scalars; i++) {
        vkt_dtype dtype = (vkt_dtype)program->scalar_dtype[i];
        if (!scalar_is_wide(dtype))
            vkt_args_u32(args, widen_scalar(dtype, fusion->scalars[i].low));
    }
}

/* ---- Kernel text ----------------------------------------------------------------------------- */

static void emit_code(const char *format, const char *value, vkt_text *out)
{
    vkt_text_format(out, format, value);
}

void vkt_emit_decode(vkt_dtype dtype, const char *word, vkt_text *out)
{
    emit_code(codecs[dtype].decode, word, out);
}

static const char *word_type(vkt_dtype dtype)
{
    uint8_t nbytes = vkt_dtypes[dtype].nbytes;
    return nbytes == 16 ? "u64vec2" : nbytes == 8 ? "uint64_t" : "uint";
}

static void emit_leaf(int leaf, vkt_dtype dtype, vkt_text *out)
{
    int bits = vkt_dtypes[dtype].nbytes * 8;
    const char *type = register_type(dtype);

    vkt_text_format(out, "%s vkt_leaf%d(int i)\n{\n    %s w = vkt_word%d(args.leaf%d, i);\n", type,
                    leaf, word_type(dtype), bits, leaf);
    vkt_text_append(out, "    return ");
    vkt_emit_decode(dtype, "w", out);
    vkt_text_append(out, ";\n}\n\n#ifdef WIDTH\n");

    vkt_text_format(
        out,
        "void vkt_leaf%d_part(int i, int step, int last, bool vector, out %s v[WIDTH])\n"
        "{\n    %s w[WIDTH];\n"
        "    vkt_part%d(args.leaf%d, i, step, last, vector, w);\n"
        "    [[unroll]] for (int k = 0; k < WIDTH; k++)\n        v[k] = ",
        leaf, type, word_type(dtype), bits, leaf);
    vkt_emit_decode(dtype, "w[k]", out);
    vkt_text_format(out,
                    ";\n}\n"
                    "#define vkt_leaf%d_wide(i, vector, v) "
                    "vkt_leaf%d_part(i, 1, WIDTH - 1, vector, v)\n"
                    "#define vkt_leaf%d_strided(i, step, v) "
                    "vkt_leaf%d_part(i, step, WIDTH - 1, false, v)\n#endif\n\n",
                    leaf, leaf, leaf, leaf);
}

static void emit_out(int output, vkt_dtype dtype, vkt_text *out)
{
    int bits = vkt_dtypes[dtype].nbytes * 8;
    const char *type = register_type(dtype);
    const char *encode = codecs[dtype].encode;

    vkt_text_format(out, "void vkt_out%d(int i, %s x)\n{\n    vkt_put%d(args.out%d, i, ", output,
                    type, bits, output);
    emit_code(encode, "x", out);
    vkt_text_append(out, ");\n}\n\n#ifdef WIDTH\n");

    vkt_text_format(out,
                    "void vkt_out%d_part(int i, int step, int last, bool vector, %s v[WIDTH])\n"
                    "{\n    %s w[WIDTH];\n"
                    "    [[unroll]] for (int k = 0; k < WIDTH; k++)\n        w[k] = ",
                    output, type, word_type(dtype));
    emit_code(encode, "v[k]", out);
    vkt_text_format(out,
                    ";\n    vkt_put_part%d(args.out%d, i, step, last, vector, w);\n}\n"
                    "#define vkt_out%d_wide(i, vector, v) "
                    "vkt_out%d_part(i, 1, WIDTH - 1, vector, v)\n#endif\n\n",
                    bits, output, output, output);
}

void vkt_emit_give(const vkt_program *program, int output, vkt_text *out)
{
    vkt_dtype dtype = output_dtype(program, output);
    int nbytes = vkt_dtypes[dtype].nbytes;
    char value[16];
    vkt_text_format(out,
                    "        %s w%d[PACK];\n        uint a%d[PACK * %d / 4];\n"
                    "        [[unroll]] for (int k = 0; k < PACK; k++)\n            w%d[k] = ",
                    word_type(dtype), output, output, nbytes, output);
    (void)snprintf(value, sizeof(value), "y%d[k]", output);
    emit_code(codecs[dtype].encode, value, out);
    vkt_text_format(out,
                    ";\n        vkt_pack%d(w%d, a%d);\n"
                    "        [[unroll]] for (uint k = 0u; k < PACK * %du / 16u; k++)\n"
                    "            bound%d.v[(uint(at) + gl_SubgroupInvocationID * PACK) * %du / 16u"
                    " + k] =\n                uvec4(a%d[4 * k], a%d[4 * k + 1], a%d[4 * k + 2], "
                    "a%d[4 * k + 3]);\n",
                    nbytes * 8, output, output, nbytes, output, nbytes, output, output, output,
                    output);
}

void vkt_emit_access(const vkt_program *program, bool with_outputs, vkt_text *out)
{
    for (int i = 0; i < program->n_leaves; i++)
        emit_leaf(i, (vkt_dtype)program->leaf_dtype[i], out);
    for (int i = 0; with_outputs && i < program->n_outputs; i++)
        emit_out(i, output_dtype(program, i), out);
}

void vkt_emit_element(const vkt_program *program, vkt_text *out)
{
    vkt_text_format(out, "void vkt_element(int i[%d], int64_t iota",
                    program->n_leaves ? program->n_leaves : 1);
    for (int i = 0; i < program->n_outputs; i++)
        vkt_text_format(out, ", out %s y%d", register_type(output_dtype(program, i)), i);
    vkt_text_append(out, ")\n{\n    vkt_compute(");
    for (int i = 0; i < program->n_leaves; i++)
        vkt_text_format(out, "vkt_leaf%d(i[%d]), ", i, i);
    vkt_text_append(out, "iota");
    for (int i = 0; i < program->n_outputs; i++)
        vkt_text_format(out, ", y%d", i);
    vkt_text_append(out, ");\n}\n\n");
}
