/* ops/reduce_internal.h - what reduce*.c and scan.c share. Nobody else includes this.
 *
 * reduce.c        the public op: checks, dtypes, the pending tensor
 * reduce_space.c  the input's iteration space, cut into kept and reduced dims and into pieces
 * reduce_text.c   kernel text and keys
 * reduce_run.c    plans (how the work is spread), arguments, launches
 * reduce_stream.c whole blocks of contiguous rows, on CPU drivers
 * scan.c          scans: in one pass, or totals of chunks by a reduction, then each chunk
 */
#ifndef VKT_OPS_REDUCE_INTERNAL_H
#define VKT_OPS_REDUCE_INTERNAL_H

#include "ops/expr.h"
#include "ops/kernel_text.h"

/* ---- What is accumulated --------------------------------------------------------------------- */

typedef enum vkt_merge {
    VKT_MERGE_PLAIN,   /* one value, merged by the op's expression */
    VKT_MERGE_INDEX,   /* a value and its index: argmin, argmax */
    VKT_MERGE_MOMENTS, /* count, mean, squared deviations: var, std */
} vkt_merge;

typedef struct vkt_reducer {
    vkt_op op;
    vkt_merge merge;
    vkt_dtype value; /* elements are converted to it and accumulated in its register */
    vkt_dtype result;
    bool divides; /* the accumulator is divided by `divisor` at the end: mean, var, std */
    double divisor;
} vkt_reducer;

/* Bytes of one accumulator in a block of partial results. */
uint32_t vkt_reducer_nbytes(const vkt_reducer *reducer);
/* 64-bit numbers, of which an invocation cannot hold as many: longer rows are scanned in chunks. */
bool vkt_reducer_is_wide(const vkt_reducer *reducer);

/* ---- Where the elements are ------------------------------------------------------------------ */

/* Operands of a space: its order, then those a kernel walks (numbered from 0 in the kernel:
 * result, index, leaves). */
enum { VKT_AT_ORDER, VKT_AT_OUT, VKT_AT_IOTA, VKT_AT_LEAF };

/* The two halves of an iteration space. An operand's first element lies at the sum of its
 * offsets in both, beside the leaf's own. */
typedef struct vkt_halves {
    vkt_space kept, reduced;
    bool uses_iota; /* operand VKT_AT_IOTA is real */
    bool columns;   /* the innermost dim of all is a kept one */
} vkt_halves;

/* Cuts the fusion's space. `out_strides[axis]` are the result's, by axis of the fusion's space
 * (0 for one that it lacks). With `memory_order` the order of dims follows leaf 0's strides, unless
 * one of them repeats elements: for a lone computed leaf. Else C order, so that fused and unfused
 * give the same bits. `in_order`: reduced dims keep C order whatever the memory's (indices count
 * in it). */
void vkt_halves_init(const vkt_fusion *fusion, uint32_t axes, const int64_t *out_strides,
                     bool memory_order, bool in_order, vkt_halves *out);

/* Kernels count elements and offsets in 32 bits: larger spaces are walked in pieces, boxes of
 * consecutive elements. Only where there are several does the order of summation depend on how
 * the dims of all operands merge. */
typedef struct vkt_pieces {
    int32_t dim; /* cut in steps of `step`; dims before it one by one, dims after it whole */
    int64_t step;
    uint64_t n_inner;  /* elements of the dims after it */
    uint64_t per_dim;  /* pieces along `dim` */
    uint64_t n_pieces; /* at least 1 */
} vkt_pieces;

/* `most`: elements in a piece. Offsets in one stay within VKT_PIECE_LIMIT, which keeps sums of two
 * below 2^31. */
#define VKT_PIECE_LIMIT (INT64_C(1) << 30)
void vkt_pieces_init(const vkt_space *space, int64_t most, vkt_pieces *out);
/* Piece number `index`, and its first element's number. */
void vkt_pieces_get(const vkt_space *space, const vkt_pieces *pieces, uint64_t index,
                    vkt_space *out, uint64_t *first);

uint64_t vkt_space_count(const vkt_space *space);

/* ---- Kernels --------------------------------------------------------------------------------- */

/* How one leaf is read in a batch of elements. */
typedef enum vkt_mode { VKT_MODE_NEXT, VKT_MODE_SAME, VKT_MODE_STRIDED } vkt_mode;

/* What a kernel is told of alignment at run time, in args.flags; bit i: leaf i, of mode NEXT, lies
 * where vectors can reach every batch. */
#define VKT_FLAG_OUT_ALIGNED (1u << 30) /* scans: four results lie side by side, aligned */
#define VKT_FLAG_ONE_BY_ONE  (1u << 31) /* a batch may cross a dim's end: find each element */

typedef enum vkt_family {
    VKT_FAMILY_ROWS,
    VKT_FAMILY_COLUMNS,
    VKT_FAMILY_MERGE,
    VKT_FAMILY_STREAM,
    VKT_FAMILY_SCAN_SERIAL,
    VKT_FAMILY_SCAN_TILE,
    VKT_FAMILY_SCAN_ONE_PASS,
    VKT_FAMILY_SCAN_STRIPS,
} vkt_family;

/* All that a kernel's text depends on beside the reducer and the program. Hashed as bytes: no
 * padding. */
typedef struct vkt_variant {
    uint8_t family;
    uint8_t kept_dims; /* dims that are decoded by division: 1, 2, 3, 4, 8 or 16 */
    uint8_t reduced_dims;
    uint8_t crosses; /* several inner dims: VKT_FLAG_ONE_BY_ONE is looked at */
    uint8_t tree;    /* invocations of a workgroup merge in shared memory */
    uint8_t subgroups;
    uint8_t compensated; /* scans: running sums carry their rounding errors */
    uint8_t initial;     /* scans: rows begin with the neutral element */
    uint8_t batches;     /* scans of tiles: batches of four elements an invocation holds */
    uint8_t silent;      /* for tests: part of what workgroups tell each other is left out */
    uint16_t group;      /* invocations of a workgroup */
    uint8_t blocked;     /* lanes are long: they add up blocks, and blocks of blocks */
    uint8_t streamed;    /* rows: vkt_reduce_stream has made the blocks */
    uint8_t modes[VKT_MAX_LEAVES];
} vkt_variant;

/* Finds or builds the kernel. `args_nbytes` is the size its arguments have. program may be
 * NULL (VKT_FAMILY_MERGE). */
vkt_status vkt_reduce_kernel(vkt_device *device, const vkt_variant *variant,
                             const vkt_reducer *reducer, const vkt_program *program,
                             uint32_t args_nbytes, vkt_kernel **out);

/* ---- Running --------------------------------------------------------------------------------- */

/* A fusion whose elements are to be reduced or scanned, and where the result goes. */
typedef struct vkt_reduction {
    vkt_device *device;
    const vkt_device_info *info;
    vkt_reducer reducer;
    vkt_fusion fusion;
    vkt_halves halves;
    bool memory_order; /* x is one computed leaf: dims may follow its strides */
    vkt_block *out;    /* the result's block, contiguous */
    const vkt_tensor *result;
    vkt_access leaf_accesses[VKT_MAX_LEAVES];
} vkt_reduction;

/* How the reduced elements of each kept one are spread over invocations and workgroups. A
 * function of the numbers of elements and the kind of device alone. */
typedef struct vkt_spread {
    uint32_t lanes_log2; /* rows: lanes of a row; columns: invocations across */
    uint32_t chunk;      /* reduced elements of one workgroup (or of one invocation's turn in z) */
    uint32_t n_chunks;
    uint32_t n_slots; /* partial results of a kept element */
    bool streams;     /* rows: of SERIAL_LANES lanes, in chunks of whole blocks */
} vkt_spread;

/* One launch of a walk over elements: a piece of each half. */
typedef struct vkt_pass {
    const vkt_space *kept, *reduced;
    uint64_t n_kept, n_reduced;
    uint64_t first_reduced; /* number of the piece's first reduced element */
    bool columns;           /* the family */
    vkt_spread spread;
    int64_t initial_step; /* scans: the neutral element lies this far before the first, or 0 */
    uint32_t flags;       /* VKT_FLAG_*, set by vkt_pass_variant */
    vkt_block *state;     /* scans: what workgroups tell each other, or NULL */
    /* Scans: the first slots of the totals of the piece that follows, or NULL, and its kept_step.
     * Streamed rows: the blocks, and how many a row has. */
    vkt_block *next;
    uint32_t next_step;
} vkt_pass;

/* Where partial results go: accumulator of (kept, slot) at kept * kept_step + (slot0 + slot) *
 * slot_step. */
typedef struct vkt_partials {
    vkt_block *block;
    uint32_t n_slots;
    uint32_t slot0;
    uint32_t kept_step;
    uint32_t slot_step;
} vkt_partials;

/* Sums and products of `x` in `dtype`, the rest by the table: what is accumulated and how it
 * ends, for n_reduced elements of each kept one. */
vkt_status vkt_reducer_init(vkt_op op, vkt_dtype x, const vkt_reduce_options *options,
                            int64_t n_reduced, vkt_reducer *out);

/* Begins a reduction of `x` into `self`, whose block exists: gathers x into out->fusion,
 * converted to reducer->value. The caller clears the fusion, also after a failure.
 * `out_strides[axis]` as for vkt_halves_init. */
vkt_status vkt_reduction_init(vkt_tensor *self, vkt_tensor *x, const vkt_reducer *reducer,
                              vkt_reduction *out);

/* The address of a leaf's first element in the pass. */
uint64_t vkt_pass_leaf_address(const vkt_reduction *reduction, const vkt_pass *pass, int leaf);

bool vkt_reduce_serial(const vkt_device_info *info); /* a CPU: no trees, long serial loops */
uint32_t vkt_reduce_group(const vkt_device_info *info);

/* Turns of a lane that make a block, as a power of two. */
#define VKT_SERIAL_BLOCK_LOG2 2
#define VKT_GPU_BLOCK_LOG2    4
/* Entries of args.digits in shaders/lib/stream.glsl. */
#define VKT_STREAM_DIGITS 32
/* Rows of serial kernels that are split among lanes have so many. */
#define VKT_SERIAL_LANES_LOG2 3

/* Rows whose spread streams: reduces their whole blocks into a new block of partial results,
 * pass->next, which the caller releases; leaves it NULL where the rows are not for that. */
vkt_status vkt_reduce_stream(const vkt_reduction *reduction, vkt_pass *pass);

/* Records one dispatch into `partials`, or into the result where they have one slot. */
vkt_status vkt_reduce_pass(const vkt_reduction *reduction, vkt_pass *pass,
                           const vkt_partials *partials);

/* Reduces everything, final stage included. */
vkt_status vkt_reduce_run(const vkt_reduction *reduction);

/* For scans: the layout class of a walk's loads; its strips, each of four columns side by side, the
 * last of an inner row maybe of fewer; its arguments; and a dispatch of n_groups x n_chunks
 * workgroups that reads the leaves and touches `others` (at most 4). */
void vkt_pass_variant(const vkt_reduction *reduction, vkt_pass *pass, vkt_variant *out);
uint64_t vkt_count_strips(const vkt_space *kept);
void vkt_pack_pass(const vkt_reduction *reduction, const vkt_pass *pass,
                   const vkt_partials *partials, vkt_args *args);
vkt_status vkt_reduce_launch(const vkt_reduction *reduction, const vkt_variant *variant,
                             const vkt_args *args, uint64_t n_groups, uint32_t n_chunks,
                             const vkt_access *others, int n_others);

#endif
