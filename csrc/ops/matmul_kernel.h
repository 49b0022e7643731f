/* ops/matmul_kernel.h - what matmul.c and matmul_kernel.c share: a product on its way to a kernel.
 *
 * C (m x n) = A (m x k) B (k x n), for each item of a batch. One of the two strides of an operand's
 * matrices is 1 ("unit"), the other is its pitch. Counts and strides are elements. */
#ifndef VKT_OPS_MATMUL_KERNEL_H
#define VKT_OPS_MATMUL_KERNEL_H

#include "ops/tensor.h"

/* `side` is the stride along M for A, along N for B. */
typedef struct matmul_operand {
    vkt_tensor *tensor; /* owned, computed */
    vkt_layout layout;  /* with both matrix axes */
    int64_t side, k;
} matmul_operand;

typedef enum matmul_family {
    MATMUL_TILES,  /* matmul_gpu: bm x bn x bk by a workgroup, tm x tn by an invocation */
    MATMUL_VECTOR, /* matvec_gpu: n <= bn */
    MATMUL_CPU,    /* matmul_cpu: tm x (sub * tn) by `sub` invocations together */
} matmul_family;

typedef struct matmul_variant {
    matmul_family family;
    uint32_t bm, bn, bk, tm, tn, threads, sub;
} matmul_variant;

typedef struct matmul_job {
    vkt_device *device;
    const vkt_device_info *info;
    vkt_dtype dtype;
    matmul_operand *a, *b;
    int64_t m, n, k; /* each below INT32_MAX and at least 1 */
    bool swapped;    /* a and b have changed places: C is written n x m */
    matmul_variant variant;
    uint32_t lanes_log2;       /* of MATMUL_VECTOR */
    int64_t k_chunk, n_slices; /* K is summed in n_slices slices of k_chunk, the last one shorter */
    vkt_kernel *kernel;
    vkt_kernel *sum_kernel; /* NULL for one slice */
    vkt_tensor *c;
} matmul_job;

/* Arguments of the three families, explained in shaders/matmul_types.comp. */
#define MATMUL_DIMS 3
typedef struct matmul_args {
    uint64_t a, b, c;
    int64_t batch_a[MATMUL_DIMS], batch_b[MATMUL_DIMS], pitch_a, pitch_b;
    uint32_t m, n, k, k_chunk, n_batch, b1, b2, n_work, flags;
} matmul_args;
#define MATMUL_ARGS_NBYTES 124u

enum {
    MATMUL_FLAG_VECTOR_A = 1,
    MATMUL_FLAG_VECTOR_B = 2,
    MATMUL_FLAG_VECTOR_C = 4,
    MATMUL_FLAG_SPLIT = 8,
    MATMUL_FLAG_SWAPPED = 16,
    MATMUL_FLAG_LANES_SHIFT = 8,
};

typedef struct matmul_sum_args {
    uint64_t src, dst, n_elems;
    uint32_t n_slices, n_merge, last;
} matmul_sum_args;
#define MATMUL_SUM_ARGS_NBYTES 36u

/* Bytes of one accumulator, in registers and in partial sums. */
uint32_t vkt_matmul_acc_nbytes(vkt_dtype dtype);

/* Sets variant, lanes_log2, k_chunk and n_slices, and swaps a and b where the kernel wants the
 * narrow side as n. By shape, layout and device kind alone, so that results repeat. */
void vkt_matmul_choose(matmul_job *job, uint64_t n_items);

/* Workgroups (MATMUL_VECTOR with unit k: rows; MATMUL_CPU: tiles) of one item and one slice. */
uint64_t vkt_matmul_count_work(const matmul_job *job);

/* The alignment that vector loads of the chosen kernel need. */
uint64_t vkt_matmul_vector_nbytes(const matmul_job *job);

/* Finds or builds the kernels of the choice. */
vkt_status vkt_matmul_find_kernels(matmul_job *job);

#endif
