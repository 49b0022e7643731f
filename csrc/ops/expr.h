/* ops/expr.h - how a pending value will be computed, and how expressions are fused.
 *
 * A pending tensor owns one vkt_expr, whose operands are tensors it holds references to. Fusable
 * kinds are gathered into one program by vkt_fuse; the others (reductions, scans) bring their
 * own `compute` and fuse what they read.
 *
 * All pending tensors of a device are in one list, so that a write in place can first compute
 * those that read the block. */
#ifndef VKT_OPS_EXPR_H
#define VKT_OPS_EXPR_H

#include "ops/reduce.h"
#include "ops/tensor.h"
#include "tensor/program.h"

typedef enum vkt_expr_kind {
    VKT_EXPR_OP,     /* op of args[0..n_args-1] in `compute_dtype` */
    VKT_EXPR_CAST,   /* args[0] converted to the tensor's dtype */
    VKT_EXPR_SCALAR, /* every element is args[0].bits */
    VKT_EXPR_IOTA,   /* the flat index in C order */
    VKT_EXPR_OTHER,  /* not fusable: `compute` does it */
} vkt_expr_kind;

typedef struct vkt_expr_arg {
    vkt_tensor *tensor; /* owned reference, or NULL: a scalar */
    vkt_bits bits;      /* the scalar's, in the expression's compute dtype */
} vkt_expr_arg;

struct vkt_expr {
    vkt_expr_kind kind;
    vkt_op op;
    vkt_dtype compute_dtype; /* operands are converted to it, one rounding each */
    int32_t n_args;
    vkt_expr_arg args[3];
    /* VKT_EXPR_OTHER: computes `self` into self->block, which is there, and records the work.
     * Leaves self->expr alone. */
    vkt_status (*compute)(vkt_tensor *self);
    vkt_reduce_options reduce; /* reductions; scans use axes (one bit) and dtype */
    bool include_initial;      /* scans */

    /* Set by vkt_expr_tensor; for VKT_EXPR_OTHER 1, 1, 0, true. */
    uint32_t n_nodes;   /* nodes that would be fused, this one included; at most */
    uint32_t n_leaves;  /* tensors in memory they read; at most */
    uint32_t n_scalars; /* at most */
    bool heavy;         /* a VKT_HEAVY op is among the nodes */
    uint32_t depth;     /* longest chain of pending values below; bounds recursion */
    uint32_t skip;      /* the walk that leaves this value alone */
};

/* Makes a pending tensor of contiguous `layout` (offset 0) that takes ownership of `expr`'s
 * operand references, and of `expr` itself, a malloc'ed struct; on failure both are released.
 * Enforces the size limits: operands that would make the fused expression too large, or deeper
 * than the limit, are computed first. */
vkt_status vkt_expr_tensor(vkt_device *device, vkt_dtype dtype, const vkt_layout *layout,
                           vkt_expr *expr, vkt_tensor **out);

/* A computed tensor of `layout` in `block`, or with NULL a value without either; takes the
 * caller's reference to `block`. */
vkt_status vkt_tensor_new(vkt_device *device, vkt_dtype dtype, const vkt_layout *layout,
                          vkt_block *block, vkt_tensor **out);

/* A zeroed expression for vkt_expr_tensor. */
vkt_status vkt_expr_new(vkt_expr_kind kind, vkt_expr **out);
void vkt_expr_free(vkt_expr *expr); /* with its operands' references; NULL is fine */

/* Ends a value's being pending: releases its expression and takes it off the list. */
void vkt_expr_drop(vkt_tensor *tensor);

/* A number no value is marked with: each walk over a graph of values takes its own. */
uint32_t vkt_next_mark(void);

/* Computes every pending tensor that reads `block` directly, before it is overwritten. */
vkt_status vkt_expr_compute_readers(vkt_block *block);

/* The same, leaving alone what `value` (NULL: nothing) is made of: the caller reads it in the
 * kernel that writes the block. */
vkt_status vkt_expr_compute_other_readers(vkt_block *block, vkt_tensor *value);

/* Computes `root`, and pending values with handles below it, in one kernel. With `into`, a
 * computed tensor of root's dtype and shape, the elements of root are written there; root stays
 * pending unless it reads the block and is held by more than the caller's one reference, when it
 * is written too. Where a view the kernel reads lies askew over `into`, root is computed first. */
vkt_status vkt_expr_compute(vkt_tensor *root, vkt_tensor *into);

/* `value` for an assignment: broadcast to the shape, leading axes of length 1 dropped, converted to
 * dtype. A pending one stays pending where its shape allows. One reference in *out. */
vkt_status vkt_fit_value(const char *op, const vkt_layout *shape, vkt_dtype dtype,
                         vkt_tensor *value, vkt_tensor **out);

/* Waits, if `block` is exported, until the work that touches it is finished: called at the end
 * of each op that recorded any. */
vkt_status vkt_finish_exported(vkt_block *block, bool wrote);

/* One fused expression, ready to be bound to a kernel. */
typedef struct vkt_fusion {
    vkt_program program;
    vkt_layout space; /* the iteration space: a contiguous layout of the root's shape */
    vkt_tensor *leaves[VKT_MAX_LEAVES];      /* computed; references owned until vkt_fusion_clear */
    vkt_layout leaf_layouts[VKT_MAX_LEAVES]; /* broadcast to `space` */
    vkt_bits scalars[VKT_MAX_SCALARS];       /* of program.scalar_dtype */
    vkt_tensor *outputs[VKT_MAX_OUTPUTS];    /* outputs[0] is the root; borrowed */
} vkt_fusion;

/* Gathers the expression under `root`. A computed root gives the program of one leaf. Operands
 * that cannot be part of it (other kinds, smaller operands worth computing once, too many
 * leaves) are computed first, and are leaves. With `keep`, pending values of the root's shape
 * that still have a handle become further outputs; without it (the caller computes something
 * else from the root, a reduction say) values with a handle, the root too, are computed first
 * and are leaves. */
vkt_status vkt_fuse(vkt_tensor *root, bool keep, vkt_fusion *out);
void vkt_fusion_clear(vkt_fusion *fusion);

/* Records the kernels that compute a fusion into its outputs, whose blocks exist. outputs[0] may
 * have any layout of the space's shape, also one that a leaf reads, element by element the same;
 * further outputs are contiguous. */
vkt_status vkt_map(const vkt_fusion *fusion);

/* ---- Kernel text and arguments of a fusion, shared by elementwise kernels and reductions ----- */

/* Arguments of a launch, packed as a GLSL struct in scalar layout: members and bytes grow together;
 * vkt_args_u64 leaves a gap of 4 where that layout does. Above VKT_PUSH_NBYTES they come from
 * memory, and each costs a CPU driver as much as an operand: keep them few. */
#define VKT_MAX_ARGS_NBYTES 2048
typedef struct vkt_args {
    uint32_t nbytes;
    uint8_t bytes[VKT_MAX_ARGS_NBYTES];
} vkt_args;

void vkt_args_u64(vkt_args *args, uint64_t value);
void vkt_args_u32(vkt_args *args, uint32_t value);
void vkt_args_i32(vkt_args *args, int32_t value);

/* Member declarations of a fusion, in order: "uint64_t leaf0; uint64_t leaf1; ... uint64_t out0;
 * ..." (only if n_outputs > 0 is asked), scalars of 8 and 16 bytes, 4-byte scalars (narrow ones
 * widened to their register type): names leafN, outN, sN. */
void vkt_emit_members(const vkt_program *program, bool with_outputs, vkt_text *members);

/* The matching bytes: addresses of each leaf's first element (offset folded in), of each output
 * block, and the scalars. */
void vkt_pack_members(const vkt_fusion *fusion, bool with_outputs, vkt_args *args);
/* The scalars alone, for callers with addresses of their own. */
void vkt_pack_scalars(const vkt_fusion *fusion, vkt_args *args);

/* Load functions for every leaf, for a kernel that defines WIDTH (elements a thread takes at
 * once; 1, 2, 4, 8 or 16):
 *   REG vkt_leafN(int i)                                     element i counted from args.leafN
 *   void vkt_leafN_wide(int i, bool vector, out REG v[WIDTH]) elements i .. i+WIDTH-1;
 *       `vector`: 16-byte aligned loads may be used
 *   void vkt_leafN_strided(int i, int step, out REG v[WIDTH]) elements i, i+step, ...
 * and, with_outputs, the stores vkt_outN(int i, REG x) and vkt_outN_wide(int i, bool vector, REG
 * v[WIDTH]). What those are made of serves tails too: elements i + min(k, last) * step for k in
 * 0 .. WIDTH-1, stores only for k <= last:
 *   void vkt_leafN_part(int i, int step, int last, bool vector, out REG v[WIDTH])
 *   void vkt_outN_part(int i, int step, int last, bool vector, REG v[WIDTH])
 * `vector` may be true where step is 1, last is WIDTH-1 and the address of element i is a
 * multiple of min(16, WIDTH * element size). Without WIDTH only the functions of one element
 * exist. */
void vkt_emit_access(const vkt_program *program, bool with_outputs, vkt_text *out);

/* The expression that turns a word in memory (an element's bits in a uint, a uint64_t for 8 bytes
 * or a u64vec2 for 16) into a register. */
void vkt_emit_decode(vkt_dtype dtype, const char *word, vkt_text *out);

/* Stores y<output>[0..PACK-1] of each lane, neighbours from element `at` on, to the bound buffer
 * bound<output> of uvec4 v[] (shaders/lib/stream.glsl). */
void vkt_emit_give(const vkt_program *program, int output, vkt_text *out);

/* Loads of all leaves and the call of vkt_compute are spelled by these, for templates:
 *   vkt_emit_element: `void vkt_element(int i[N_LEAVES], int64_t iota, out REG y0, ...)`: each
 *       leaf at its own index.
 * N_LEAVES is written as 1 for a program without leaves. Comes after vkt_emit_access and
 * vkt_program_emit. */
void vkt_emit_element(const vkt_program *program, vkt_text *out);

#endif
