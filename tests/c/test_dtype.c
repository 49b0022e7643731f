/* test_dtype.c - the tables of dtypes and ops, promotion, and what an op makes of a dtype. */
#include <ctype.h>
#include <stdlib.h>

#include "check.h"
#include "tensor/ops.h"

static void dtype_rows_fit_their_class_and_register(void)
{
    for (int t = 0; t < VKT_DTYPE_COUNT; t++) {
        const vkt_dtype_info *info = &vkt_dtypes[t];
        check_trial = t;
        CHECK(info->name && info->tag && info->storage);
        CHECK(info->nbytes == 1 || info->nbytes == 2 || info->nbytes == 4 || info->nbytes == 8 ||
              t == VKT_COMPLEX128);
        /* Narrow: the register is wider than the element. */
        int reg_nbytes = info->reg == VKT_REG_BOOL                              ? 1
                         : info->reg >= VKT_REG_I64 && info->reg <= VKT_REG_U64 ? 8
                         : info->reg == VKT_REG_F64 || info->reg == VKT_REG_C64 ? 8
                         : info->reg == VKT_REG_C128                            ? 16
                                                                                : 4;
        CHECK_INT(info->narrow, info->nbytes < reg_nbytes);
        for (int other = 0; other < t; other++) {
            CHECK(strcmp(vkt_dtypes[other].name, info->name) != 0);
            CHECK(strcmp(vkt_dtypes[other].tag, info->tag) != 0);
        }
    }
    for (int r = 0; r < VKT_REG_COUNT; r++)
        CHECK(vkt_registers[r].type && vkt_registers[r].suffix);
    CHECK_TEXT(vkt_dtypes[VKT_BFLOAT16].storage, "uint16_t");
    CHECK_TEXT(vkt_registers[vkt_dtypes[VKT_UINT8].reg].suffix, "u32");
}

static void promotion_follows_the_array_api_table(void)
{
    /* Rows and columns in the enum's order: b i8 i16 i32 i64 u8 u16 u32 u64 f16 bf16 f32 f64 c64
     * c128. */
    static const char *const table[VKT_DTYPE_COUNT] = {
        "bool i8 i16 i32 i64 u8 u16 u32 u64 f16 bf16 f32 f64 c64 c128",
        "i8 i8 i16 i32 i64 i16 i32 i64 f64 f16 bf16 f32 f64 c64 c128",
        "i16 i16 i16 i32 i64 i16 i32 i64 f64 f16 bf16 f32 f64 c64 c128",
        "i32 i32 i32 i32 i64 i32 i32 i64 f64 f16 bf16 f32 f64 c64 c128",
        "i64 i64 i64 i64 i64 i64 i64 i64 f64 f16 bf16 f32 f64 c64 c128",
        "u8 i16 i16 i32 i64 u8 u16 u32 u64 f16 bf16 f32 f64 c64 c128",
        "u16 i32 i32 i32 i64 u16 u16 u32 u64 f16 bf16 f32 f64 c64 c128",
        "u32 i64 i64 i64 i64 u32 u32 u32 u64 f16 bf16 f32 f64 c64 c128",
        "u64 f64 f64 f64 f64 u64 u64 u64 u64 f16 bf16 f32 f64 c64 c128",
        "f16 f16 f16 f16 f16 f16 f16 f16 f16 f16 f32 f32 f64 c64 c128",
        "bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 f32 bf16 f32 f64 c64 c128",
        "f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f64 c64 c128",
        "f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 c128 c128",
        "c64 c64 c64 c64 c64 c64 c64 c64 c64 c64 c64 c64 c128 c64 c128",
        "c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128",
    };
    for (int a = 0; a < VKT_DTYPE_COUNT; a++) {
        char row[128], *rest = row;
        (void)snprintf(row, sizeof(row), "%s", table[a]);
        for (int b = 0; b < VKT_DTYPE_COUNT; b++) {
            check_trial = a * 100 + b;
            char *end = strchr(rest, ' ');
            if (end)
                *end = '\0';
            CHECK_TEXT(vkt_dtypes[vkt_dtype_promote((vkt_dtype)a, (vkt_dtype)b)].tag, rest);
            CHECK_INT(vkt_dtype_promote((vkt_dtype)b, (vkt_dtype)a),
                      vkt_dtype_promote((vkt_dtype)a, (vkt_dtype)b));
            rest = end ? end + 1 : rest;
        }
    }
}

static void accumulators_are_wide(void)
{
    CHECK_INT(vkt_dtype_accumulate(VKT_BOOL), VKT_INT64);
    CHECK_INT(vkt_dtype_accumulate(VKT_INT8), VKT_INT64);
    CHECK_INT(vkt_dtype_accumulate(VKT_INT64), VKT_INT64);
    CHECK_INT(vkt_dtype_accumulate(VKT_UINT8), VKT_UINT64);
    CHECK_INT(vkt_dtype_accumulate(VKT_UINT64), VKT_UINT64);
    CHECK_INT(vkt_dtype_accumulate(VKT_BFLOAT16), VKT_BFLOAT16);
    CHECK_INT(vkt_dtype_accumulate(VKT_FLOAT32), VKT_FLOAT32);
}

/* True when `glsl` names the operand: the letter on its own, not inside a longer name. */
static bool names_operand(const char *glsl, char operand)
{
    for (const char *at = glsl; *at; at++) {
        bool starts =
            at == glsl || (!isalnum((unsigned char)at[-1]) && at[-1] != '_' && at[-1] != '.');
        bool ends = !isalnum((unsigned char)at[1]) && at[1] != '_';
        if (*at == operand && starts && ends)
            return true;
    }
    return false;
}

static void op_rows_are_whole(void)
{
    for (int op = 0; op < VKT_OP_COUNT; op++) {
        const vkt_op_info *info = &vkt_ops[op];
        bool merges = info->kind == VKT_REDUCE || info->kind == VKT_SCAN;
        check_trial = op;
        CHECK(info->name && info->name[0]);
        CHECK(info->takes != 0 && (info->takes & ~(uint32_t)VKT_TAKES_ALL) == 0);
        CHECK(info->low < info->high);
        CHECK(info->ulp >= 0 && (info->ulp == 0 || !(info->facts & VKT_EXACT)));
        CHECK_INT(info->result == VKT_RESULT_WHERE, strcmp(info->name, "where") == 0);
        CHECK(merges || (info->result != VKT_RESULT_ACCUM && info->result != VKT_RESULT_INDEX));
        CHECK(!(info->facts & VKT_COMMUTATIVE) || merges || vkt_op_arity((vkt_op)op) == 2);
        for (int c = 0; c < VKT_CLASS_COUNT; c++) {
            const char *glsl = info->glsl[c];
            CHECK(!info->identity[c] || merges);
            if (!glsl)
                continue;
            CHECK(vkt_op_takes((vkt_op)op) & 1u << c);
            int n = merges ? 2 : vkt_op_arity((vkt_op)op);
            CHECK(n >= 2 || !names_operand(glsl, 'y'));
            CHECK(n >= 3 || !names_operand(glsl, 'z'));
        }
        for (int other = 0; other < op; other++)
            CHECK(strcmp(vkt_ops[other].name, info->name) != 0);
    }
}

/* Every op with every dtype: either an expression exists for what it resolves to, or a TypeError
 * names op and dtype. */
static void every_op_resolves_or_says_why_not(void)
{
    for (int op = 0; op < VKT_OP_COUNT; op++) {
        const vkt_op_info *info = &vkt_ops[op];
        for (int t = 0; t < VKT_DTYPE_COUNT; t++) {
            vkt_dtype compute = VKT_DTYPE_COUNT, result = VKT_DTYPE_COUNT;
            char start[64], end[64];
            check_trial = op * 100 + t;
            if (vkt_op_resolve((vkt_op)op, (vkt_dtype)t, &compute, &result) == VKT_OK) {
                CHECK((unsigned)compute < VKT_DTYPE_COUNT && (unsigned)result < VKT_DTYPE_COUNT);
                CHECK(info->kind == VKT_REDUCE || info->glsl[vkt_dtypes[compute].cls]);
                CHECK(info->kind != VKT_SCAN || info->identity[vkt_dtypes[compute].cls]);
                CHECK(info->result != VKT_RESULT_BOOL || result == VKT_BOOL);
                CHECK(info->result != VKT_RESULT_INDEX || result == VKT_INT64);
                CHECK(info->result != VKT_RESULT_FLOAT ||
                      vkt_dtype_is_float(vkt_dtype_real(result)));
                CHECK(info->result != VKT_RESULT_REAL || result == vkt_dtype_real(compute));
                CHECK(info->result != VKT_RESULT_SAME || (result == compute && (int)compute == t));
                continue;
            }
            CHECK_INT(vkt_status_last(), VKT_TYPE_ERROR);
            CHECK(!(vkt_op_takes((vkt_op)op) & 1u << vkt_dtypes[t].cls));
            CHECK_INT(compute, VKT_DTYPE_COUNT);
            (void)snprintf(start, sizeof(start), "%s: expected a", info->name);
            (void)snprintf(end, sizeof(end), " dtype, got %s", vkt_dtypes[t].name);
            CHECK(strncmp(vkt_status_text(), start, strlen(start)) == 0);
            CHECK(strstr(vkt_status_text(), end) != NULL);
            CHECK(strstr(vkt_status_text(), "another") == NULL);
        }
    }
}

static void results_have_the_dtypes_the_array_api_asks_for(void)
{
    vkt_dtype compute, result;
    CHECK_OK(vkt_op_resolve(VKT_OP_sin, VKT_INT8, &compute, &result));
    CHECK_INT(compute, VKT_FLOAT32);
    CHECK_INT(result, VKT_FLOAT32);
    CHECK_OK(vkt_op_resolve(VKT_OP_sin, VKT_FLOAT16, &compute, &result));
    CHECK_INT(result, VKT_FLOAT16);
    CHECK_OK(vkt_op_resolve(VKT_OP_divide, VKT_INT64, &compute, &result));
    CHECK_INT(result, VKT_FLOAT32);
    CHECK_OK(vkt_op_resolve(VKT_OP_less, VKT_UINT16, &compute, &result));
    CHECK_INT(compute, VKT_UINT16);
    CHECK_INT(result, VKT_BOOL);
    CHECK_OK(vkt_op_resolve(VKT_OP_sum, VKT_BOOL, &compute, &result));
    CHECK_INT(compute, VKT_INT64);
    CHECK_INT(result, VKT_INT64);
    CHECK_OK(vkt_op_resolve(VKT_OP_any, VKT_FLOAT32, &compute, &result));
    CHECK_INT(compute, VKT_BOOL);
    CHECK_OK(vkt_op_resolve(VKT_OP_argmax, VKT_FLOAT32, &compute, &result));
    CHECK_INT(compute, VKT_FLOAT32);
    CHECK_INT(result, VKT_INT64);
    CHECK_OK(vkt_op_resolve(VKT_OP_where, VKT_UINT8, &compute, &result));
    CHECK_INT(result, VKT_UINT8);
    CHECK_FAILS(vkt_op_resolve(VKT_OP_bitwise_and, VKT_FLOAT64, &compute, &result), VKT_TYPE_ERROR,
                "bitwise_and: expected an integer or boolean dtype, got float64");
    CHECK_FAILS(vkt_op_resolve(VKT_OP_subtract, VKT_BOOL, &compute, &result), VKT_TYPE_ERROR,
                "subtract: expected a numeric dtype, got bool");
}

void run_dtype_tests(void)
{
    RUN(dtype_rows_fit_their_class_and_register);
    RUN(promotion_follows_the_array_api_table);
    RUN(accumulators_are_wide);
    RUN(op_rows_are_whole);
    RUN(every_op_resolves_or_says_why_not);
    RUN(results_have_the_dtypes_the_array_api_asks_for);
}
