/* ops/tuning.h - the sizes of kernels that may differ between devices, in one table.
 *
 * A tunable says how the work of a kernel is cut into invocations and workgroups, never in which
 * order numbers are added: whatever the values, results are the same bits. What decides an order
 * (lanes of a reduction, slices of K) is a constant beside its kernel and not here.
 *
 * The values of a device are, each overriding the ones before: the default of its class (measured,
 * in tuning.c), what `python -m vktensor tune` stored for this device and driver beside the cached
 * kernels, the environment variable VKTENSOR_TUNING, and vkt_tuning_set. */
#ifndef VKT_OPS_TUNING_H
#define VKT_OPS_TUNING_H

#include "vulkan/device.h"

typedef enum vkt_tunable {
    VKT_TUNE_ELEMENTWISE_WORKGROUP,       /* invocations of a workgroup, short programs */
    VKT_TUNE_ELEMENTWISE_WORKGROUP_HEAVY, /* ... of programs with transcendental functions */
    VKT_TUNE_ELEMENTWISE_VECTOR,          /* bytes of the widest operand an invocation takes */
    VKT_TUNE_STREAM_ELEMENTS,             /* CPU drivers: a long array has so many (ops/stream.h) */
    VKT_TUNE_STREAM_AFTER,                /* ... and its program ran over so many */
    VKT_TUNE_GATHER_WORKGROUP,            /* take: invocations of a workgroup */
    VKT_TUNE_GATHER_ITEMS,                /* take: words an invocation moves */
    VKT_TUNE_MATMUL_LARGE,                /* the tile of large products, on kernels for GPUs */
    VKT_TUNE_MATMUL_MEDIUM,               /* ... of those with too few large tiles */
    VKT_TUNE_MATMUL_LARGE8,               /* the same where 8-byte numbers are added up */
    VKT_TUNE_MATMUL_MEDIUM8,
    VKT_N_TUNABLES,
} vkt_tunable;

/* Tiles that ops/matmul_kernel.c lists. */
#define VKT_N_MATMUL_TILES 12

typedef struct vkt_tunable_info {
    const char *name; /* "elementwise.workgroup" */
    /* The values allowed: the powers of two from least to most; with `counts`, every number. */
    uint32_t least, most;
    bool counts;
} vkt_tunable_info;

extern const vkt_tunable_info vkt_tunables[VKT_N_TUNABLES];

/* The value in force. The first call for a device reads the stored table and the environment;
 * what is wrong there is logged and left out. */
uint32_t vkt_tuned(vkt_device *device, vkt_tunable which);

/* Sets values from text, "elementwise.workgroup=128, elementwise.vector=8", for kernels recorded
 * from now on; NULL goes back to the values at start. VKT_VALUE_ERROR, and no change, for an
 * unknown name or a value that is not allowed. */
vkt_status vkt_tuning_set(vkt_device *device, const char *text);

/* Keeps the values in force for later processes, as far as they differ from the class's. False
 * where no cache directory can be used; the log says why. */
bool vkt_tuning_store(vkt_device *device);

#endif
