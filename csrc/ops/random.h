/* ops/random.h - random numbers by a counter: value i of a stream depends on nothing but the key,
 * the stream and i.
 *
 * Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011): block b of a stream is the cipher of the counter (b, stream) under the key, four words
 * of 32 bits. Values of 4 bytes take one word each, values of 8 bytes two. */
#ifndef VKT_OPS_RANDOM_H
#define VKT_OPS_RANDOM_H

#include "ops/tensor.h"

typedef enum vkt_random_kind {
    VKT_RANDOM_BITS,        /* the words themselves: uint32, uint64 */
    VKT_RANDOM_UNIFORM,     /* shift + scale * u, u in [0, 1): float32 of 24 bits, float64 of 53 */
    VKT_RANDOM_NORMAL,      /* shift + scale * z, by Box and Muller (1958) */
    VKT_RANDOM_EXPONENTIAL, /* shift + scale * e, by the logarithm */
    VKT_RANDOM_INTEGERS,    /* low + r, r below `range` without bias (Lemire 2019) */
    VKT_RANDOM_COUNT,
} vkt_random_kind;

typedef struct vkt_random_request {
    vkt_random_kind kind;
    uint64_t key, stream;
    uint64_t first_block; /* the stream's next unused block; vkt_random_blocks says how many go */
    double scale, shift;
    int64_t low;
    uint64_t range; /* 0: as many as the words have values */
} vkt_random_request;

/* Blocks that n values take: four values to a block, or two of 64 bits. Integers below 2^32 of any
 * dtype are drawn from 32 bits. */
uint64_t vkt_random_blocks(const vkt_random_request *request, vkt_dtype dtype, uint64_t n);

/* A new tensor of random values. Kinds of real numbers give float32 and float64, BITS uint32 and
 * uint64, INTEGERS these and int32 and int64; VKT_TYPE_ERROR for another dtype. Recorded at once;
 * does not wait. */
vkt_status vkt_random(vkt_device *device, const vkt_random_request *request, vkt_dtype dtype,
                      int32_t ndim, const int64_t *shape, vkt_tensor **out);

#endif
