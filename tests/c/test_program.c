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
    vkt_program_describe(&program, &text);
    CHECK_TEXT(text.chars, "(sin(x0) * x1) + sin(x0)");
    vkt_text_free(&text);

    /* Each sum doubles the description of the one before: it is cut, and soon. */
    for (int value = program.outputs[0]; value >= 0;
         value = add_op(&program, VKT_OP_add, value, value))
        program.outputs[0] = (uint8_t)value;
    CHECK_INT(program.n_instrs, VKT_MAX_INSTRS);
    vkt_program_name(&program, name);
    CHECK(strlen(name) < VKT_PROGRAM_NAME);
    vkt_program_describe(&program, &text);
    CHECK_UINT(text.length, 200);
    vkt_text_free(&text);
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
    RUN(every_op_gives_whole_glsl);
}
