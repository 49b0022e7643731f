/* python/dlpack.h - the layouts and numbers of DLPack 1.3 that we speak.
 *
 * Facts from the specification (https://dmlc.github.io/dlpack/latest/c_api.html and
 * python_spec.html). A capsule named "dltensor" holds a vkt_dl_managed_old, one named
 * "dltensor_versioned" a vkt_dl_managed; a consumer renames what it took to "used_...". */
#ifndef VKT_PYTHON_DLPACK_H
#define VKT_PYTHON_DLPACK_H

#include <stdint.h>

#define VKT_DL_MAJOR 1
#define VKT_DL_MINOR 3

enum { /* device types */
       VKT_DL_CPU = 1,
       VKT_DL_CUDA_HOST = 3,
       VKT_DL_VULKAN = 7, /* what `data` points to is written nowhere */
       VKT_DL_ROCM_HOST = 11,
       VKT_DL_CUDA_MANAGED = 13,
};

enum { /* type codes */
       VKT_DL_INT = 0,
       VKT_DL_UINT = 1,
       VKT_DL_FLOAT = 2,
       VKT_DL_BFLOAT = 4,
    VKT_DL_COMPLEX = 5,
       VKT_DL_BOOL = 6,
};

enum { /* flags */
       VKT_DL_READ_ONLY = 1,
       VKT_DL_IS_COPIED = 2,
};

typedef struct vkt_dl_tensor {
    void *data; /* NULL where there are no elements */
    int32_t device_type, device_id;
    int32_t ndim;
    uint8_t code, bits;
    uint16_t lanes; /* 1 */
    int64_t *shape;
    int64_t *strides; /* in elements; NULL before 1.2 for C order */
    uint64_t byte_offset;
} vkt_dl_tensor;

typedef struct vkt_dl_managed_old {
    vkt_dl_tensor tensor;
    void *context;
    void (*deleter)(struct vkt_dl_managed_old *self); /* may be NULL; any thread */
} vkt_dl_managed_old;

typedef struct vkt_dl_managed {
    uint32_t major, minor; /* of another major version only these and the deleter are as here */
    void *context;
    void (*deleter)(struct vkt_dl_managed *self);
    uint64_t flags;
    vkt_dl_tensor tensor;
} vkt_dl_managed;

#endif
