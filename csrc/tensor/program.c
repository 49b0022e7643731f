/* tensor/program.c - builds and names the straight-line programs that kernels compute. */
#include "tensor/program.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tensor/ops.h"

/* ---- Building -------------------------------------------------------------------------------- */

static int append(vkt_program *program, const vkt_instr *instr)
{
    if (program->n_instrs >= VKT_MAX_INSTRS)
        return -1;
    program->instrs[program->n_instrs] = *instr;
    return program->n_instrs++;
}

static int append_once(vkt_program *program, const vkt_instr *instr)
{
    for (int i = 0; i < program->n_instrs; i++) {
        if (memcmp(&program->instrs[i], instr, sizeof(*instr)) == 0)
            return i;
    }
    return append(program, instr);
}

int vkt_program_leaf(vkt_program *program, vkt_dtype dtype)
{
    if (program->n_leaves >= VKT_MAX_LEAVES || program->n_instrs >= VKT_MAX_INSTRS)
        return -1;
    vkt_instr instr = {.kind = VKT_INSTR_LEAF, .dtype = (uint8_t)dtype, .compute = (uint8_t)dtype};
    instr.args[0] = program->n_leaves;
    program->leaf_dtype[program->n_leaves++] = (uint8_t)dtype;
    return append(program, &instr);
}

int vkt_program_scalar(vkt_program *program, vkt_dtype dtype)
{
    if (program->n_scalars >= VKT_MAX_SCALARS || program->n_instrs >= VKT_MAX_INSTRS)
        return -1;
    vkt_instr instr = {
        .kind = VKT_INSTR_SCALAR, .dtype = (uint8_t)dtype, .compute = (uint8_t)dtype};
    instr.args[0] = program->n_scalars;
    program->scalar_dtype[program->n_scalars++] = (uint8_t)dtype;
    return append(program, &instr);
}

int vkt_program_iota(vkt_program *program)
{
    vkt_instr instr = {.kind = VKT_INSTR_IOTA, .dtype = VKT_INT64, .compute = VKT_INT64};
    return append_once(program, &instr);
}

int vkt_program_cast(vkt_program *program, vkt_dtype to, int value)
{
    assert(value >= 0 && value < program->n_instrs);
    if (program->instrs[value].dtype == to)
        return value;
    vkt_instr instr = {.kind = VKT_INSTR_CAST, .dtype = (uint8_t)to, .compute = (uint8_t)to};
    instr.args[0] = (uint8_t)value;
    return append_once(program, &instr);
}

int vkt_program_op(vkt_program *program, vkt_op op, vkt_dtype compute, vkt_dtype result,
                   const int *args)
{
    vkt_instr instr = {.kind = VKT_INSTR_OP,
                       .op = (uint8_t)op,
                       .dtype = (uint8_t)result,
                       .compute = (uint8_t)compute};
    for (int i = 0; i < vkt_op_arity(op); i++) {
        assert(args[i] >= 0 && args[i] < program->n_instrs);
        instr.args[i] = (uint8_t)args[i];
    }
    return append_once(program, &instr);
}

size_t vkt_program_key(const vkt_program *program, void *key)
{
    size_t nbytes = offsetof(vkt_program, instrs) + program->n_instrs * sizeof(vkt_instr);
    memcpy(key, program, nbytes);
    return nbytes;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static const char *root_word(const vkt_instr *root)
{
    switch ((vkt_instr_kind)root->kind) {
    case VKT_INSTR_LEAF:
        return "copy";
    case VKT_INSTR_SCALAR:
        return "fill";
    case VKT_INSTR_IOTA:
        return "iota";
    case VKT_INSTR_CAST:
        return "cast";
    case VKT_INSTR_OP:
        break;
    }
    return vkt_ops[root->op].name;
}

void vkt_program_name(const vkt_program *program, char name[VKT_PROGRAM_NAME])
{
    int root = program->n_outputs ? program->outputs[0] : program->n_instrs - 1;
    const vkt_instr *instr = &program->instrs[root];
    int n =
        snprintf(name, VKT_PROGRAM_NAME, "%s_%s", root_word(instr), vkt_dtypes[instr->compute].tag);
    for (int i = 0; i < program->n_instrs && n < VKT_PROGRAM_NAME - 1; i++) {
        if (program->instrs[i].kind != VKT_INSTR_OP || i == root)
            continue;
        n += snprintf(name + n, (size_t)(VKT_PROGRAM_NAME - n), "_%s",
                      vkt_ops[program->instrs[i].op].name);
    }
}

/* ---- GLSL ------------------------------------------------------------------------------------ */

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The op's expression with its operands' values for x, y, z; `$` and `@` as in tensor/ops.h. */
static void emit_expression(const char *glsl, const vkt_instr *instr, vkt_text *out)
{
    const vkt_dtype_info *compute = &vkt_dtypes[instr->compute];
    for (const char *at = glsl; *at; at++) {
        bool word_starts = at == glsl || (!is_word_char(at[-1]) && at[-1] != '.');
        if (*at == '$')
            vkt_text_append(out, vkt_registers[compute->reg].suffix);
        else if (*at == '@')
            vkt_text_append(out, compute->tag);
        else if (*at >= 'x' && *at <= 'z' && word_starts && !is_word_char(at[1]))
            vkt_text_format(out, "t%d", instr->args[*at - 'x']);
        else
            vkt_text_append_n(out, at, 1);
    }
}

static void emit_op(const vkt_instr *instr, vkt_text *out)
{
    const vkt_dtype_info *compute = &vkt_dtypes[instr->compute];
    const vkt_dtype_info *result = &vkt_dtypes[instr->dtype];
    const char *glsl = vkt_ops[instr->op].glsl[compute->cls];
    assert(glsl);
    bool same = instr->dtype == instr->compute;
    if (same && compute->narrow)
        vkt_text_format(out, "vkt_fit_%s(", compute->tag);
    else if (!same && instr->dtype != VKT_BOOL && vkt_ops[instr->op].result != VKT_RESULT_REAL)
        vkt_text_format(out, "vkt_as_%s_%s(", result->tag, vkt_registers[compute->reg].suffix);
    else
        vkt_text_append(out, "(");
    emit_expression(glsl, instr, out);
    vkt_text_append(out, ")");
}

static void emit_cast(const vkt_program *program, const vkt_instr *instr, vkt_text *out)
{
    const vkt_dtype_info *to = &vkt_dtypes[instr->dtype];
    const vkt_dtype_info *from = &vkt_dtypes[program->instrs[instr->args[0]].dtype];
    /* A narrow dtype widens by itself: its values lie in the register already. */
    if (to->reg == from->reg && !to->narrow)
        vkt_text_format(out, "t%d", instr->args[0]);
    else
        vkt_text_format(out, "vkt_as_%s_%s(t%d)", to->tag, vkt_registers[from->reg].suffix,
                        instr->args[0]);
}

static const char *register_type(uint8_t dtype)
{
    return vkt_registers[vkt_dtypes[dtype].reg].type;
}

void vkt_program_emit(const vkt_program *program, vkt_text *out)
{
    vkt_text_append(out, "void vkt_compute(");
    for (int i = 0; i < program->n_leaves; i++)
        vkt_text_format(out, "%s x%d, ", register_type(program->leaf_dtype[i]), i);
    vkt_text_append(out, "int64_t iota");
    for (int i = 0; i < program->n_outputs; i++)
        vkt_text_format(out, ", out %s y%d",
                        register_type(program->instrs[program->outputs[i]].dtype), i);
    vkt_text_append(out, ")\n{\n");
    for (int i = 0; i < program->n_instrs; i++) {
        const vkt_instr *instr = &program->instrs[i];
        vkt_text_format(out, "    %s t%d = ", register_type(instr->dtype), i);
        switch ((vkt_instr_kind)instr->kind) {
        case VKT_INSTR_LEAF:
            vkt_text_format(out, "x%d", instr->args[0]);
            break;
        case VKT_INSTR_SCALAR:
            vkt_text_format(out, instr->dtype == VKT_BOOL ? "args.s%d != 0u" : "args.s%d",
                            instr->args[0]);
            break;
        case VKT_INSTR_IOTA:
            vkt_text_append(out, "iota");
            break;
        case VKT_INSTR_CAST:
            emit_cast(program, instr, out);
            break;
        case VKT_INSTR_OP:
            emit_op(instr, out);
            break;
        }
        vkt_text_append(out, ";\n");
    }
    for (int i = 0; i < program->n_outputs; i++)
        vkt_text_format(out, "    y%d = t%d;\n", i, program->outputs[i]);
    vkt_text_append(out, "}\n\n");
}
