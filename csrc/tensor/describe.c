/* tensor/describe.c - writes a program as the expression a reader would have typed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/ops.h"
#include "tensor/program.h"

/* A value used twice gets a name where writing it out again would take more characters. */
#define REPEAT_LENGTH 12u

/* Python's operators, the weakest first. */
enum { COMPARE = 1, OR, XOR, AND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM };

static const struct {
    const char *symbol; /* as written, with its spaces */
    uint8_t level;
} operators[VKT_OP_COUNT] = {
    [VKT_OP_equal] = {" == ", COMPARE},
    [VKT_OP_not_equal] = {" != ", COMPARE},
    [VKT_OP_less] = {" < ", COMPARE},
    [VKT_OP_less_equal] = {" <= ", COMPARE},
    [VKT_OP_greater] = {" > ", COMPARE},
    [VKT_OP_greater_equal] = {" >= ", COMPARE},
    [VKT_OP_bitwise_or] = {" | ", OR},
    [VKT_OP_bitwise_xor] = {" ^ ", XOR},
    [VKT_OP_bitwise_and] = {" & ", AND},
    [VKT_OP_bitwise_left_shift] = {" << ", SHIFT},
    [VKT_OP_bitwise_right_shift] = {" >> ", SHIFT},
    [VKT_OP_add] = {" + ", SUM},
    [VKT_OP_subtract] = {" - ", SUM},
    [VKT_OP_multiply] = {"*", PRODUCT},
    [VKT_OP_divide] = {"/", PRODUCT},
    [VKT_OP_floor_divide] = {"//", PRODUCT},
    [VKT_OP_remainder] = {"%", PRODUCT},
    [VKT_OP_negative] = {"-", UNARY},
    [VKT_OP_bitwise_invert] = {"~", UNARY},
    [VKT_OP_pow] = {"**", POWER},
};

typedef struct printer {
    const vkt_program *program;
    const vkt_bits *scalars; /* may be NULL */
    uint32_t uses[VKT_MAX_INSTRS];
    uint32_t lengths[VKT_MAX_INSTRS]; /* of a value written out, about */
    int8_t names[VKT_MAX_INSTRS];     /* number of the name, or -1 */
    vkt_text *out;
} printer;

/* ---- Scalars --------------------------------------------------------------------------------- */

static double half_to_double(uint64_t bits)
{
    uint64_t exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 31  ? (fraction ? (double)NAN : (double)INFINITY)
                   : exponent == 0 ? ldexp((double)fraction, -24)
                                   : ldexp((double)(fraction + 1024), (int)exponent - 25);
    return bits >> 15 & 1 ? -value : value;
}

static double float_to_double(uint64_t bits)
{
    uint32_t word = (uint32_t)bits;
    float value;
    memcpy(&value, &word, sizeof(value));
    return (double)value;
}

/* In the fewest digits that tell it from other values of so many bits: 0.1, not 0.0999755859. */
static void print_float(double value, int bits, vkt_text *out)
{
    char text[40];
    int exponent = 0;
    (void)frexp(value, &exponent);
    for (int digits = 1; digits <= 10; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (fabs(strtod(text, NULL) - value) < ldexp(0.5, exponent - bits))
            break;
    }
    /* 1400, not 1.4e+03. */
    if (strchr(text, '+') && fabs(value) < 1e9)
        (void)snprintf(text, sizeof(text), "%.0f", value);
    vkt_text_append(out, text);
    if (isfinite(value) && !strpbrk(text, ".e"))
        vkt_text_append(out, ".0");
}

static double bits_to_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void print_complex(double real, double imaginary, int bits, vkt_text *out)
{
    vkt_text_append(out, "(");
    print_float(real, bits, out);
    vkt_text_append(out, signbit(imaginary) ? "" : "+");
    print_float(imaginary, bits, out);
    vkt_text_append(out, "j)");
}

static void print_bits(vkt_dtype dtype, vkt_bits bits, vkt_text *out)
{
    unsigned unused = 64u - 8u * vkt_dtypes[dtype].nbytes;
    switch (dtype) {
    case VKT_BOOL:
        vkt_text_append(out, bits.low ? "True" : "False");
        break;
    case VKT_FLOAT16:
        print_float(half_to_double(bits.low), 11, out);
        break;
    case VKT_BFLOAT16:
        print_float(float_to_double(bits.low << 16), 8, out);
        break;
    case VKT_FLOAT32:
        print_float(float_to_double(bits.low), 24, out);
        break;
    case VKT_FLOAT64:
        print_float(bits_to_double(bits.low), 30, out);
        break;
    case VKT_COMPLEX64:
        print_complex(float_to_double(bits.low), float_to_double(bits.low >> 32), 24, out);
        break;
    case VKT_COMPLEX128:
        print_complex(bits_to_double(bits.low), bits_to_double(bits.high), 30, out);
        break;
    default:
        if (vkt_dtypes[dtype].cls == VKT_CLASS_INT)
            vkt_text_format(out, "%lld", (long long)((int64_t)(bits.low << unused) >> unused));
        else
            vkt_text_format(out, "%llu", (unsigned long long)bits.low);
        break;
    }
}

static void print_scalar(const printer *p, int number)
{
    if (p->scalars)
        print_bits((vkt_dtype)p->program->scalar_dtype[number], p->scalars[number], p->out);
    else
        vkt_text_format(p->out, "s%d", number);
}

/* ---- Values ---------------------------------------------------------------------------------- */

static void print_name(const printer *p, int name)
{
    if (name < 4)
        vkt_text_append_n(p->out, &"tuvw"[name], 1);
    else
        vkt_text_format(p->out, "t%d", name);
}

static void print_value(const printer *p, int value, int least);

static void print_op(const printer *p, const vkt_instr *instr)
{
    const char *symbol = operators[instr->op].symbol;
    int level = operators[instr->op].level, arity = vkt_op_arity((vkt_op)instr->op);
    if (level == UNARY) {
        vkt_text_append(p->out, symbol);
        print_value(p, instr->args[0], UNARY);
    } else if (symbol) {
        /* Powers group to the right, comparisons not at all, the others to the left. */
        bool left = level != POWER && level != COMPARE;
        print_value(p, instr->args[0], left ? level : level + 1);
        vkt_text_append(p->out, symbol);
        print_value(p, instr->args[1], level == POWER ? UNARY : level + 1);
    } else {
        vkt_text_format(p->out, "%s(", vkt_ops[instr->op].name);
        for (int i = 0; i < arity; i++) {
            vkt_text_append(p->out, i ? ", " : "");
            print_value(p, instr->args[i], 0);
        }
        vkt_text_append(p->out, ")");
    }
}

/* The instruction itself, whatever name it has; in parentheses where it binds less than `least`. */
static void print_instr(const printer *p, int value, int least)
{
    const vkt_instr *instr = &p->program->instrs[value];
    /* Enough has been written to know that it will be cut. */
    if (p->out->length > VKT_DESCRIBE_LENGTH)
        return;
    switch ((vkt_instr_kind)instr->kind) {
    case VKT_INSTR_LEAF:
        vkt_text_append_n(p->out, &"abcdefgh"[instr->args[0]], 1);
        return;
    case VKT_INSTR_SCALAR:
        print_scalar(p, instr->args[0]);
        return;
    case VKT_INSTR_IOTA:
        vkt_text_append(p->out, "iota");
        return;
    case VKT_INSTR_CAST:
        vkt_text_format(p->out, "%s(", vkt_dtypes[instr->dtype].name);
        print_value(p, instr->args[0], 0);
        vkt_text_append(p->out, ")");
        return;
    case VKT_INSTR_OP:
        break;
    }
    bool nested = operators[instr->op].symbol && operators[instr->op].level < least;
    vkt_text_append(p->out, nested ? "(" : "");
    print_op(p, instr);
    vkt_text_append(p->out, nested ? ")" : "");
}

static void print_value(const printer *p, int value, int least)
{
    if (p->names[value] >= 0)
        print_name(p, p->names[value]);
    else
        print_instr(p, value, least);
}

static int count_args(const vkt_instr *instr)
{
    if (instr->kind == VKT_INSTR_OP)
        return vkt_op_arity((vkt_op)instr->op);
    return instr->kind == VKT_INSTR_CAST ? 1 : 0;
}

/* Chooses which values get names. Values below those nobody uses do not count. */
static void choose_names(printer *p)
{
    const vkt_program *program = p->program;
    int n_names = 0;
    for (int i = 0; i < program->n_outputs; i++)
        p->uses[program->outputs[i]]++;
    for (int i = program->n_instrs - 1; i >= 0; i--) {
        const vkt_instr *instr = &program->instrs[i];
        for (int k = 0; p->uses[i] && k < count_args(instr); k++)
            p->uses[instr->args[k]]++;
    }
    for (int i = 0; i < program->n_instrs; i++) {
        const vkt_instr *instr = &program->instrs[i];
        uint32_t length = instr->kind == VKT_INSTR_OP && !operators[instr->op].symbol
                              ? (uint32_t)strlen(vkt_ops[instr->op].name) + 2
                              : 3;
        for (int k = 0; k < count_args(instr); k++)
            length += p->lengths[instr->args[k]];
        bool named = p->uses[i] > 1 && count_args(instr) > 0 && length > REPEAT_LENGTH;
        p->names[i] = (int8_t)(named ? n_names++ : -1);
        p->lengths[i] = named ? 1 : count_args(instr) ? length : 1;
    }
}

void vkt_program_describe(const vkt_program *program, const vkt_bits *scalars, vkt_text *out)
{
    vkt_text text = {0};
    printer p = {.program = program, .scalars = scalars, .out = &text};
    choose_names(&p);
    for (int i = 0; i < program->n_instrs; i++) {
        if (p.names[i] < 0)
            continue;
        print_name(&p, p.names[i]);
        vkt_text_append(&text, " = ");
        print_instr(&p, i, 0);
        vkt_text_append(&text, "; ");
    }
    for (int i = 0; i < program->n_outputs; i++) {
        vkt_text_append(&text, i ? ", " : "");
        print_value(&p, program->outputs[i], 0);
    }
    if (text.failed) {
        out->failed = true;
    } else if (text.length > VKT_DESCRIBE_LENGTH) {
        vkt_text_append_n(out, text.chars, VKT_DESCRIBE_LENGTH - 3);
        vkt_text_append(out, "...");
    } else if (text.chars) {
        vkt_text_append_n(out, text.chars, text.length);
    }
    vkt_text_free(&text);
}
