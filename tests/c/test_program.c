/* test_program.c - programs: common subexpressions, limits, keys, names and their GLSL. */
#include <stdlib.h>

#include "check.h"
#include "tensor/program.h"

static int add_op(vkt_program *program, vkt_op op, int a, int b)
{
    const int args[3] = {a, b, 0};
    return vkt_program_op(program, op, VKT_FLOAT32, VKT_FLOAT32, args);
}

/* sin(x0) * x1 + sin(x0) */
static vkt_program make_program(void)
{
    vkt_program program;
    memset(&program, 0, sizeof(program));
    int x = vkt_program_leaf(&program, VKT_FLOAT32), y = vkt_program_leaf(&program, VKT_FLOAT32);
    int product = add_op(&program, VKT_OP_multiply, add_op(&program, VKT_OP_sin, x, 0), y);
    program.outputs[0] =
        (uint8_t)add_op(&program, VKT_OP_add, product, add_op(&program, VKT_OP_sin, x, 0));
    program.n_outputs = 1;
    return program;
}

static void equal_instructions_are_computed_once(void)
{
    vkt_program program = make_program();
    CHECK_INT(program.n_instrs, 5);
    CHECK_INT(program.n_leaves, 2);
    int x = vkt_program_cast(&program, VKT_FLOAT32, 0);
    CHECK_INT(x, 0);
    int narrow = vkt_program_cast(&program, VKT_INT8, 0);
    CHECK_INT(narrow, 5);
    CHECK_INT(vkt_program_cast(&program, VKT_INT8, 0), narrow);
    int iota = vkt_program_iota(&program);
    CHECK_INT(vkt_program_iota(&program), iota);
    CHECK_INT(vkt_program_scalar(&program, VKT_INT8), iota + 1);
    CHECK_INT(vkt_program_scalar(&program, VKT_INT8), iota + 2);
    CHECK_INT(program.n_scalars, 2);
}

static void a_full_program_takes_nothing_more(void)
{
    vkt_program program;
    memset(&program, 0, sizeof(program));
    for (int i = 0; i < VKT_MAX_LEAVES; i++)
        CHECK_INT(vkt_program_leaf(&program, VKT_FLOAT32), i);
    CHECK_INT(vkt_program_leaf(&program, VKT_FLOAT32), -1);
    for (int i = 0; i < VKT_MAX_SCALARS; i++)
        CHECK_INT(vkt_program_scalar(&program, VKT_FLOAT32), VKT_MAX_LEAVES + i);
    CHECK_INT(vkt_program_scalar(&program, VKT_FLOAT32), -1);
    while (program.n_instrs < VKT_MAX_INSTRS)
        CHECK(add_op(&program, VKT_OP_add, program.n_instrs - 1, 0) >= 0);
    CHECK_INT(add_op(&program, VKT_OP_multiply, 0, 1), -1);
    CHECK_INT(vkt_program_cast(&program, VKT_INT8, 0), -1);
    CHECK_INT(vkt_program_iota(&program), -1);
    CHECK_INT(vkt_program_cast(&program, VKT_FLOAT32, 3), 3);
    CHECK_INT(program.n_instrs, VKT_MAX_INSTRS);
}

static void keys_tell_programs_apart_and_nothing_else(void)
{
    static uint8_t key_a[sizeof(vkt_program)], key_b[sizeof(vkt_program)];
    vkt_program a = make_program(), b = make_program();
    size_t n = vkt_program_key(&a, key_a);
    CHECK(n < sizeof(vkt_program));
    CHECK_UINT(vkt_program_key(&b, key_b), n);
    CHECK(memcmp(key_a, key_b, n) == 0);
    b.outputs[0] = 3;
    CHECK_UINT(vkt_program_key(&b, key_b), n);
    CHECK(memcmp(key_a, key_b, n) != 0);
    (void)vkt_program_iota(&b);
    CHECK(vkt_program_key(&b, key_b) > n);
}

static void names_are_short_and_descriptions_readable(void)
{
    vkt_program program = make_program();
    char name[VKT_PROGRAM_NAME];
    vkt_text text = {0};
    vkt_program_name(&program, name);
    CHECK_TEXT(name, "add_f32_sin_multiply");
    vkt_program_describe(&program, NULL, &text);
    CHECK_TEXT(text.chars, "sin(a)*b + sin(a)");
    vkt_text_free(&text);

    /* Each sum doubles the one before: names keep its description short, and it is cut. */
    for (int value = program.outputs[0]; value >= 0;
         value = add_op(&program, VKT_OP_add, value, value))
        program.outputs[0] = (uint8_t)value;
    CHECK_INT(program.n_instrs, VKT_MAX_INSTRS);
    vkt_program_name(&program, name);
    CHECK(strlen(name) < VKT_PROGRAM_NAME);
    vkt_program_describe(&program, NULL, &text);
    CHECK_UINT(text.length, VKT_DESCRIBE_LENGTH);
    CHECK(strncmp(text.chars, "t = sin(a)*b + sin(a); u = t + t + (t + t); v = ", 48) == 0);
    CHECK(strcmp(text.chars + text.length - 3, "...") == 0);
    vkt_text_free(&text);
}

static int add_scalar(vkt_program *program, vkt_bits *scalars, vkt_dtype dtype, vkt_bits bits)
{
    scalars[program->n_scalars] = bits;
    return vkt_program_scalar(program, dtype);
}

/* "what" of the value, as the only output. */
static void check_description(vkt_program *program, const vkt_bits *scalars, int value,
                              const char *what)
{
    vkt_text text = {0};
    program->outputs[0] = (uint8_t)value;
    program->n_outputs = 1;
    vkt_program_describe(program, scalars, &text);
    CHECK_TEXT(text.chars, what);
    vkt_text_free(&text);
}

static void descriptions_bracket_as_python_does(void)
{
    vkt_program program;
    memset(&program, 0, sizeof(program));
    int a = vkt_program_leaf(&program, VKT_FLOAT32), b = vkt_program_leaf(&program, VKT_FLOAT32);
    int sum = add_op(&program, VKT_OP_add, a, b), less = add_op(&program, VKT_OP_less, a, b);
    int minus = add_op(&program, VKT_OP_negative, a, 0);
    check_description(&program, NULL, add_op(&program, VKT_OP_multiply, sum, b), "(a + b)*b");
    check_description(&program, NULL, add_op(&program, VKT_OP_subtract, sum, b), "a + b - b");
    check_description(&program, NULL, add_op(&program, VKT_OP_subtract, a, sum), "a - (a + b)");
    int quotient = add_op(&program, VKT_OP_divide, a, b);
    check_description(&program, NULL, add_op(&program, VKT_OP_multiply, a, quotient), "a*(a/b)");
    check_description(&program, NULL, add_op(&program, VKT_OP_pow, minus, b), "(-a)**b");
    int power = add_op(&program, VKT_OP_pow, a, minus);
    check_description(&program, NULL, power, "a**-a");
    check_description(&program, NULL, add_op(&program, VKT_OP_negative, power, 0), "-a**-a");
    check_description(&program, NULL, add_op(&program, VKT_OP_pow, power, b), "(a**-a)**b");
    check_description(&program, NULL, add_op(&program, VKT_OP_equal, less, less),
                      "(a < b) == (a < b)");
    check_description(&program, NULL, add_op(&program, VKT_OP_maximum, sum, b),
                      "maximum(a + b, b)");
    check_description(&program, NULL, vkt_program_cast(&program, VKT_INT8, sum), "int8(a + b)");
}

static void descriptions_show_the_values_of_scalars(void)
{
    vkt_bits scalars[VKT_MAX_SCALARS];
    vkt_program program;
    memset(&program, 0, sizeof(program));
    static const struct {
        vkt_dtype dtype;
        vkt_bits bits;
        const char *text;
    } rows[] = {
        {VKT_BOOL, {1, 0}, "True"},
        {VKT_INT8, {0xFF, 0}, "-1"},
        {VKT_INT64, {UINT64_MAX, 0}, "-1"},
        {VKT_UINT8, {0xFF, 0}, "255"},
        {VKT_UINT64, {UINT64_MAX, 0}, "18446744073709551615"},
        {VKT_FLOAT16, {0x2E66, 0}, "0.1"},
        {VKT_FLOAT16, {0x8001, 0}, "-5.96e-08"},
        {VKT_FLOAT16, {0xFC00, 0}, "-inf"},
        {VKT_BFLOAT16, {0x3DCD, 0}, "0.1"},
        {VKT_FLOAT32, {0x3DCCCCCD, 0}, "0.1"},
        {VKT_FLOAT32, {0x3F800000, 0}, "1.0"},
        {VKT_FLOAT32, {0x7F800000, 0}, "inf"},
        {VKT_FLOAT32, {0x44AF0000, 0}, "1400.0"},
        {VKT_FLOAT32, {0x7149F2CA, 0}, "1e+30"},
        {VKT_FLOAT64, {UINT64_C(0x4005BF0A8B145769), 0}, "2.71828183"},
        {VKT_COMPLEX64, {UINT64_C(0xC00000003FC00000), 0}, "(1.5-2.0j)"},
        {VKT_COMPLEX128, {0, UINT64_C(0x3FF0000000000000)}, "(0.0+1.0j)"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int value = add_scalar(&program, scalars, rows[i].dtype, rows[i].bits);
        check_trial = (int)i;
        check_description(&program, scalars, value, rows[i].text);
    }
    check_description(&program, NULL, 1, "s1");
}

/* Every op with every dtype it takes: balanced, and `$` replaced. */
static void every_op_gives_whole_glsl(void)
{
    for (int op = 0; op < VKT_OP_COUNT; op++) {
        for (int t = 0; t < VKT_DTYPE_COUNT; t++) {
            vkt_program program;
            vkt_dtype compute, result;
            int args[3], depth = 0;
            vkt_text text = {0};
            memset(&program, 0, sizeof(program));
            check_trial = op * 100 + t;
            if (vkt_ops[op].kind == VKT_REDUCE || vkt_ops[op].kind == VKT_SCAN ||
                vkt_op_resolve((vkt_op)op, (vkt_dtype)t, &compute, &result) != VKT_OK)
                continue;
            for (int i = 0; i < vkt_op_arity((vkt_op)op); i++) {
                bool is_condition = i == 0 && vkt_ops[op].result == VKT_RESULT_WHERE;
                int leaf = vkt_program_leaf(&program, is_condition ? VKT_BOOL : (vkt_dtype)t);
                args[i] = is_condition ? leaf : vkt_program_cast(&program, compute, leaf);
            }
            int root = vkt_program_op(&program, (vkt_op)op, compute, result, args);
            program.outputs[program.n_outputs++] = (uint8_t)root;
            vkt_program_emit(&program, &text);
            CHECK_OK(vkt_text_check(&text));
            for (const char *at = text.chars; at && *at; at++) {
                depth += (*at == '(' || *at == '{') - (*at == ')' || *at == '}');
                CHECK(depth >= 0 && *at != '$');
            }
            CHECK_INT(depth, 0);
            CHECK(strncmp(text.chars, "void vkt_compute(", 17) == 0);
            CHECK(strstr(text.chars, "y0 = t") != NULL);
            vkt_text_free(&text);
        }
    }
}

void run_program_tests(void)
{
    RUN(equal_instructions_are_computed_once);
    RUN(a_full_program_takes_nothing_more);
    RUN(keys_tell_programs_apart_and_nothing_else);
    RUN(names_are_short_and_descriptions_readable);
    RUN(descriptions_bracket_as_python_does);
    RUN(descriptions_show_the_values_of_scalars);
    RUN(every_op_gives_whole_glsl);
}
