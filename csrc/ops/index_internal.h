/* ops/index_internal.h - what gather.c and scatter.c share. Nobody else includes this.
 *
 * A walk goes over the elements of a shape in C order. The place of each in x is that of an
 * element of a view plus, for each index, the value of the index there times a step. index_walk.c
 * prepares walks, writes their kernels and arguments, and tells which index was out of range. */
#ifndef VKT_OPS_INDEX_INTERNAL_H
#define VKT_OPS_INDEX_INTERNAL_H

#include "ops/expr.h"
#include "ops/gather.h"

/* Operands of a walk's space. Indices begin at VKT_WALK_INDEX. */
enum {
    VKT_WALK_NUMBER, /* the element's number: C order over the shape */
    VKT_WALK_X,
    VKT_WALK_OTHER,    /* scatter: the value, or its number for gather */
    VKT_WALK_POSITION, /* scatter: which index tuple it is, in C order */
    VKT_WALK_TARGET,   /* scatter: the part of the target's number that no index tells */
    VKT_WALK_INDEX,
};

typedef struct vkt_walk_index {
    vkt_tensor
        *tensor;       /* owned, computed; those of a walk have one dtype: int32, int64 or uint64 */
    vkt_layout layout; /* its elements, broadcast to the walk's shape */
    int64_t length;    /* of the axis of x */
    int64_t step;      /* ... in elements of x */
    int64_t scale;     /* ... in targets */
    int32_t number;    /* of the axis, for messages */
    bool trusted;
} vkt_walk_index;

typedef struct vkt_walk {
    const char *op;
    vkt_tensor *x;      /* owned, computed */
    vkt_layout shape;   /* contiguous */
    vkt_layout at;      /* of the walk's shape: x's element where every index is 0 */
    uint32_t rest_dims; /* bit d: dim d of the shape is an axis of x that no index replaces */
    /* Of the walk's shape, scatter only. */
    vkt_layout position, target;
    uint64_t n_positions, n_targets;
    int n_indices;
    vkt_walk_index indices[VKT_MAX_INDICES];
    /* Owned: a word, set to 1 by a kernel that meets an index out of range, to 2 by one that finds
     * no room in a hash table; NULL where all are trusted. */
    vkt_block *bad;
} vkt_walk;

/* Prepares a walk over x[selection]: the result's shape. Clear it also after a failure. With
 * `writes` no index shares memory with x. */
vkt_status vkt_walk_select(const char *op, vkt_tensor *x, const vkt_selection *selection,
                           bool writes, vkt_walk *out);
/* The same over x[..., indices[...], ...] along `axis`; `indices` has x's axes, and the other
 * lengths broadcast. */
vkt_status vkt_walk_along(const char *op, vkt_tensor *x, vkt_tensor *indices, int32_t axis,
                          bool writes, vkt_walk *out);
void vkt_walk_clear(vkt_walk *walk);

/* A cleared flag, a new one where the walk has none. */
vkt_status vkt_walk_flag(vkt_walk *walk);
/* Reads the flag back, waiting for the work that may set it; VKT_INDEX_ERROR with the first index
 * out of range. `crowded`, or NULL: set where a hash table was too full. */
vkt_status vkt_walk_verify(const vkt_walk *walk, bool *crowded);

/* Kernels over a walk. The number is MODE in shaders/index_walk.comp. */
typedef enum vkt_walk_mode {
    VKT_WALK_CHECK,   /* looks at the indices alone */
    VKT_WALK_GATHER,  /* result = x[indices] */
    VKT_WALK_CLAIM,   /* each target remembers the last position that wants it */
    VKT_WALK_SCATTER, /* x[indices] = value */
} vkt_walk_mode;

typedef struct vkt_walk_launch {
    vkt_walk_mode mode;
    vkt_tensor *other; /* GATHER: the result, contiguous. SCATTER: the value, of x's dtype */
    vkt_layout value;  /* SCATTER: its elements, of the walk's shape */
    /* CLAIM, SCATTER (NULL: duplicates do not matter): for each target the last position + 1, or,
     * with a mask, for each hash the target + 1 and the last position + 1. */
    vkt_block *claims;
    uint32_t hash_mask;
    /* Others than the 2^31 from these on are left out. */
    uint64_t first_position, first_target;
} vkt_walk_launch;

/* Records it, in as many dispatches as it takes. */
vkt_status vkt_walk_run(const vkt_walk *walk, const vkt_walk_launch *launch);

#endif
