/* tensor/program.h - one fused expression as a short straight-line program.
 *
 * A program is what a kernel computes for one element: instruction i defines value i from
 * earlier values. It knows nothing of shapes, strides or scalar values: those reach the kernel
 * as arguments, so that two expressions of the same form share one kernel. Pure data, no
 * ownership. */
#ifndef VKT_TENSOR_PROGRAM_H
#define VKT_TENSOR_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "tensor/dtype.h"
#include "tensor/ops.h"

/* Limits of one kernel: beyond them registers spill and compile times grow faster than fusion
 * gains. */
#define VKT_MAX_INSTRS  64
#define VKT_MAX_LEAVES  8
#define VKT_MAX_SCALARS 32
#define VKT_MAX_OUTPUTS 4

typedef enum vkt_instr_kind {
    VKT_INSTR_LEAF,   /* args[0] = leaf number: an element of a tensor in memory */
    VKT_INSTR_SCALAR, /* args[0] = scalar number: a Python scalar, already of this dtype */
    VKT_INSTR_IOTA,   /* the element's own index, flat in C order, as int64 */
    VKT_INSTR_CAST,   /* args[0] converted to dtype */
    VKT_INSTR_OP,     /* op of args[0..arity-1], computed in `compute`, result of dtype */
} vkt_instr_kind;

typedef struct vkt_instr {
    uint8_t kind;
    uint8_t op;      /* vkt_op; 0 unless VKT_INSTR_OP */
    uint8_t dtype;   /* vkt_dtype of the value */
    uint8_t compute; /* vkt_dtype of the operands of VKT_INSTR_OP; else equal to dtype */
    uint8_t args[3]; /* 0 where unused */
    uint8_t unused;  /* 0: a program is hashed as bytes */
} vkt_instr;

typedef struct vkt_program {
    uint8_t n_instrs;
    uint8_t n_leaves;
    uint8_t n_scalars;
    uint8_t n_outputs;
    uint8_t leaf_dtype[VKT_MAX_LEAVES];
    uint8_t scalar_dtype[VKT_MAX_SCALARS];
    uint8_t outputs[VKT_MAX_OUTPUTS]; /* instructions whose values are the results */
    vkt_instr instrs[VKT_MAX_INSTRS];
} vkt_program;

/* Each append returns the number of the value, reusing an equal earlier instruction, or -1 when
 * the program is full. The caller starts from a zeroed program. */
int vkt_program_leaf(vkt_program *program, vkt_dtype dtype);   /* always a new leaf */
int vkt_program_scalar(vkt_program *program, vkt_dtype dtype); /* always a new scalar */
int vkt_program_iota(vkt_program *program);
/* `value` itself when it has that dtype. */
int vkt_program_cast(vkt_program *program, vkt_dtype to, int value);
int vkt_program_op(vkt_program *program, vkt_op op, vkt_dtype compute, vkt_dtype result,
                   const int *args);

/* The bytes that identify the program in a kernel key: a prefix of the struct without unused
 * instructions. Writes at most sizeof(vkt_program) bytes to `key` and returns how many. */
size_t vkt_program_key(const vkt_program *program, void *key);

/* A short name for profiles and debug names: "add_f32_sin_mul", at most 63 characters. */
#define VKT_PROGRAM_NAME 64
void vkt_program_name(const vkt_program *program, char name[VKT_PROGRAM_NAME]);

/* "sin(a)*b + exp(-a)": the expression as a reader would have typed it, for profiles. Leaves are a
 * to h; scalars show their values (raw bits) or, for NULL, are s0, s1, ...; a long
 * value used more than once gets a name: "t = sin(a)*b + 1.0; t*t, t"; several outputs are
 * separated by commas. Cut, with dots, at VKT_DESCRIBE_LENGTH characters. */
#define VKT_DESCRIBE_LENGTH 196
void vkt_program_describe(const vkt_program *program, const vkt_bits *scalars, vkt_text *out);

/* ---- GLSL ------------------------------------------------------------------------------------ */

/* Appends a function of one element:
 *
 *     void vkt_compute(float x0, int x1, <leaf registers in order>, int64_t iota, out float
 *         y0, <output registers>)
 *
 * Scalars are read from the members s0, s1, ... of the kernel's arguments `args` (see
 * ops/kernel_text.h). Every result of an op is fitted to its dtype, so fused equals unfused. */
void vkt_program_emit(const vkt_program *program, vkt_text *out);

#endif
