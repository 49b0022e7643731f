/* python/core.h - what the files of the extension module vktensor._core share.
 *
 *  * Conventions. A function that gives PyObject * gives a new reference, or NULL with an
 * exception set; one that gives bool gives false with an exception set. `op` begins error texts
 * ("reshape: ..."). A vkt_tensor * in an argument is borrowed unless it is said to be stolen.
 * The interpreter lock is held everywhere but in the log sink; calls into the core may drop it
 * while they wait, so a function keeps references of its own to the values it works on: another
 * thread may rebind a Tensor meanwhile.
 *
 *  * The state is one static struct and not per module: devices are process-wide, and the module
 * cannot be loaded twice. */
#ifndef VKT_PYTHON_CORE_H
#define VKT_PYTHON_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include "ops/tensor.h"

/* ---- State ----------------------------------------------------------------------------------- */

typedef struct vkt_py_state {
    PyTypeObject *tensor_type;
    PyTypeObject *device_type;
    PyObject *out_of_memory; /* the exceptions */
    PyObject *device_lost;
    PyObject *compile_error;
    PyObject *vulkan_error;
} vkt_py_state;

extern vkt_py_state vkt_py;

/* vktensor.Tensor: a handle. It holds one reference to its value and counts among the value's
 * handles. */
typedef struct vkt_py_tensor {
    PyObject ob_base;
    vkt_tensor *tensor; /* never NULL */
    PyObject *weakrefs;
} vkt_py_tensor;

static inline bool vkt_py_is_tensor(PyObject *object)
{
    return Py_TYPE(object) == vkt_py.tensor_type;
}

/* The value of a Tensor, borrowed. */
static inline vkt_tensor *vkt_py_value(PyObject *object)
{
    return ((vkt_py_tensor *)object)->tensor;
}

/* Each file's part of the module's start; the type of a file that defines one is stored in
 * vkt_py. */
bool vkt_py_errors_init(PyObject *module);
bool vkt_py_hooks_init(PyObject *module);
bool vkt_py_numpy_init(void);
bool vkt_py_tensor_init(PyObject *module);
bool vkt_py_device_init(PyObject *module);

/* Functions of the module, each list ended by a row of NULLs. */
extern PyMethodDef vkt_py_op_functions[];       /* functions.c */
extern PyMethodDef vkt_py_array_functions[];    /* arrays.c */
extern PyMethodDef vkt_py_creation_functions[]; /* creation.c */
extern PyMethodDef vkt_py_device_functions[];   /* device.c */
extern PyMethodDef vkt_py_profile_functions[];  /* profile.c */
extern PyMethodDef vkt_py_tuning_functions[];   /* tuning.c */
extern PyMethodDef vkt_py_hooks_functions[];    /* hooks.c */
extern PyMethodDef vkt_py_share_functions[];    /* share.c */

/* Slots of the Tensor type, each list ended by a zero slot; tensor_type.c joins them. */
extern PyType_Slot vkt_py_number_slots[];   /* number.c */
extern PyType_Slot vkt_py_indexing_slots[]; /* indexing.c */
extern PyType_Slot vkt_py_buffer_slots[];   /* buffer.c */

/* ---- Errors ---------------------------------------------------------------------------------- */

/* Turns this thread's last failure into an exception and gives NULL. `device`, or NULL, is whose
 * memory statistics an OutOfMemoryError carries. */
PyObject *vkt_py_raise(const vkt_device *device);

/* ---- Arguments ------------------------------------------------------------------------------- */

#define VKT_PY_MAX_PARAMS 7

/* Parameters of a METH_FASTCALL | METH_KEYWORDS function, all of which may be passed either way. */
typedef struct vkt_py_params {
    const char *function;
    int n_required;
    const char *names[VKT_PY_MAX_PARAMS]; /* NULL where unused */
} vkt_py_params;

/* Fills out[i] with the argument for names[i], borrowed; NULL where it was left out. */
bool vkt_py_unpack(const vkt_py_params *params, PyObject *const *args, Py_ssize_t n_args,
                   PyObject *kwnames, PyObject **out);

/* NULL and None stand for "not given" in all of these: *given tells. */
bool vkt_py_dtype(const char *op, PyObject *object, vkt_dtype *out, bool *given);
bool vkt_py_copy_flag(const char *op, PyObject *object, int *out); /* -1 not given, 0, 1 */

/* True or false by truth value; `fallback` where it is not given. */
bool vkt_py_flag(PyObject *object, bool fallback, bool *out);

typedef struct vkt_py_shape {
    int32_t ndim;
    int64_t dims[VKT_MAX_NDIM];
} vkt_py_shape;

/* An int or a sequence of ints, as they are: negative lengths are refused by the core. */
bool vkt_py_shape_from(const char *op, PyObject *object, vkt_py_shape *out);

/* Axes (an int or a sequence) of an ndim-d tensor, in the order given, negative ones resolved,
 * each in range and once. */
typedef struct vkt_py_axes {
    int32_t n;
    int32_t axes[VKT_MAX_NDIM];
} vkt_py_axes;
bool vkt_py_axes_from(const char *op, PyObject *object, int32_t ndim, vkt_py_axes *out);
bool vkt_py_axis_from(const char *op, PyObject *object, int32_t ndim, int32_t *out);

bool vkt_py_int64(PyObject *object, int64_t *out);

/* The value of a Tensor argument, borrowed, or NULL with TypeError "sin: expected a Tensor, got
 * list". */
vkt_tensor *vkt_py_tensor_arg(const char *op, PyObject *object);

PyObject *vkt_py_shape_tuple(int32_t ndim, const int64_t *dims);

/* ---- Scalars --------------------------------------------------------------------------------- */

/* 1: `object` is a Python bool, int, float or complex, and *out its value. 0: it is something
 * else. -1: OverflowError, an int beyond 64 bits; `as_float` takes it as a float instead. NumPy's
 * scalars are not Python scalars, whatever they inherit. */
int vkt_py_scalar(const char *op, PyObject *object, bool as_float, vkt_scalar *out);

/* One element, as stored in memory, as a scalar and back. */
void vkt_py_decode(vkt_dtype dtype, const void *bytes, vkt_scalar *out);
PyObject *vkt_py_scalar_object(const vkt_scalar *scalar);

/* The only element of a tensor (n_elems is 1, checked by the caller) as a Python bool, int,
 * float or complex. Computes and waits. */
PyObject *vkt_py_element(vkt_tensor *tensor);

/* The dtype of a tensor operand beside a weak scalar of class `cls`. */
vkt_dtype vkt_py_weak(vkt_dtype dtype, vkt_class cls);

/* ---- Tensors --------------------------------------------------------------------------------- */

/* A Tensor that takes over one reference to `tensor`, also on failure. */
PyObject *vkt_py_tensor_new(vkt_tensor *tensor);

/* Makes `self` name another value, whose reference it takes over. */
void vkt_py_tensor_rebind(PyObject *self, vkt_tensor *tensor);

/* A Tensor of the view `layout` of `base`. */
PyObject *vkt_py_view(vkt_tensor *base, const vkt_layout *layout);

/* An operand for an op: 1, and *out owns a reference or is a scalar; 0: not a kind of operand;
 * -1: exception. Arrays are placed on the device of `beside`. */
int vkt_py_operand(const char *op, PyObject *object, vkt_tensor *beside, vkt_arg *out);

/* Drops the references of operands. */
void vkt_py_operands_clear(vkt_arg *args, int n);

/* Any array-like as a tensor on `device` (NULL: the input's, or the default); *has_dtype false:
 * its own dtype, else `dtype`. copy: -1 when needed, 0 never (ValueError), 1 always. One
 * reference in *out. */
bool vkt_py_asarray(const char *op, PyObject *object, const vkt_dtype *dtype, vkt_device *device,
                    int copy, vkt_tensor **out);

/* dst[...] = value, as NumPy assigns: any array-like, leading axes of length 1 dropped. */
bool vkt_py_assign(const char *op, vkt_tensor *dst, PyObject *value);

/* ---- Exports --------------------------------------------------------------------------------- */

/* The block's bytes for the host while an export lasts. */
typedef struct vkt_py_export {
    vkt_block *block; /* owned; NULL when the bytes cannot be shared (no exception) */
    char *data;       /* element (0, ..., 0) */
    bool writable;    /* false where elements overlap, in broadcast views */
} vkt_py_export;

/* Computes `tensor` and shares its bytes if the host may view its block; then waits for the GPU.
 * With `slow`, also where the host reads its memory across the bus, uncached. */
bool vkt_py_export_begin(vkt_tensor *tensor, bool slow, vkt_py_export *out);
void vkt_py_export_end(vkt_block *block); /* any time, also after shutdown */

/* ---- NumPy (numpy.c, the only user of its headers) ------------------------------------------- */

/* An array or an array scalar. */
bool vkt_py_is_numpy(PyObject *object);
bool vkt_py_is_numpy_array(PyObject *object);
bool vkt_py_is_numpy_dtype(PyObject *object);

/* The numpy.dtype of ours. */
PyObject *vkt_py_numpy_dtype(vkt_dtype dtype);

/* Ours of anything numpy.dtype() takes. TypeError names what is not supported. */
bool vkt_py_dtype_from_numpy(const char *op, PyObject *object, vkt_dtype *out);

/* The dtype and the number of dimensions of an array or array scalar. */
bool vkt_py_numpy_describe(const char *op, PyObject *object, vkt_dtype *dtype, int *ndim);

/* An array, array scalar, or anything numpy.asarray takes, copied to `device`; converted by
 * NumPy to `dtype` unless it is NULL. 0-d values cost no upload. */
bool vkt_py_from_numpy(const char *op, PyObject *object, const vkt_dtype *dtype, vkt_device *device,
                       vkt_tensor **out);

/* numpy.asarray(object): for objects only NumPy can make sense of. */
PyObject *vkt_py_numpy_discover(PyObject *object);

/* The tensor's elements as a NumPy array. copy as in vkt_py_asarray; without it the array shares
 * the block where it can. */
PyObject *vkt_py_to_numpy(vkt_tensor *tensor, int copy);

/* Copies the elements into `array`, of the same shape and dtype. */
bool vkt_py_to_numpy_into(vkt_tensor *tensor, PyObject *array);

/* Tensor.__array__: `dtype` is anything numpy.dtype() takes, or None. */
PyObject *vkt_py_to_numpy_dtype(vkt_tensor *tensor, PyObject *dtype, int copy);

/* Nested Python scalars. */
PyObject *vkt_py_to_list(vkt_tensor *tensor);

/* ---- Memory of others (share.c) -------------------------------------------------------------- */

/* Strided elements in memory we did not make. */
typedef struct vkt_py_memory {
    vkt_dtype dtype;
    int32_t ndim;
    int64_t shape[VKT_MAX_NDIM];
    int64_t strides[VKT_MAX_NDIM]; /* bytes */
    char *data;                    /* element (0, ..., 0) */
    bool writable;
    PyObject *owner;   /* borrowed: the memory stays while it lives */
    vkt_block *block;  /* borrowed: the block of ours that the memory is part of, or NULL */
    bool born_there;   /* ... because NumPy allocated it there */
    const char *unfit; /* why no tensor can lie there ("its byte order is foreign"), or NULL */
} vkt_py_memory;

/* An array's memory. TypeError for a dtype there are no tensors of. */
bool vkt_py_numpy_memory(const char *op, PyObject *array, vkt_py_memory *out);
/* A read-only array of the memory, which keeps the owner. */
PyObject *vkt_py_numpy_wrap(const vkt_py_memory *memory);

/* A tensor of the memory where it lies, which keeps the owner. 1: one reference in *out. 0: that
 * cannot be, `why` says why. -1: exception. Read-only memory gives a read-only tensor. */
#define VKT_PY_WHY 512
int vkt_py_share(const vkt_py_memory *memory, vkt_device *device, vkt_tensor **out,
                 char why[VKT_PY_WHY]);

/* True when a tensor there is as good as a copy: the device computes on host memory at full speed,
 * and the memory may be written. */
bool vkt_py_worth_sharing(const vkt_py_memory *memory, vkt_device *device);

/* The same for an array, with copy=False: ValueError where it cannot be. */
bool vkt_py_share_numpy(const char *op, PyObject *array, vkt_device *device, vkt_tensor **out);

/* ---- Arrays born in pinned blocks (hostmem.c) ------------------------------------------------ */

/* Memory for NumPy in a block of the device, or NULL: too small to be worth it, none to be had. No
 * exception. */
void *vkt_py_host_alloc(vkt_device *device, size_t nbytes);
/* False when `data` is not from vkt_py_host_alloc. Any thread, with or without the lock, at any
 * time. */
bool vkt_py_host_free(void *data);
/* The block that begins at `data`, borrowed, or NULL. */
vkt_block *vkt_py_host_block(const void *data);

/* Makes NumPy allocate in blocks of the device, in the context that is current; gives the handler
 * there was. */
PyObject *vkt_py_numpy_allocate_on(vkt_device *device);
/* Goes back to a handler. */
bool vkt_py_numpy_set_handler(PyObject *handler);

/* ---- DLPack (dlpack.c) ----------------------------------------------------------------------- */

/* Tensor.__dlpack__, Tensor.__dlpack_device__, and the function from_dlpack. */
PyObject *vkt_py_tensor_dlpack(PyObject *self, PyObject *const *args, Py_ssize_t n_args,
                               PyObject *kwnames);
PyObject *vkt_py_tensor_dlpack_device(PyObject *self, PyObject *unused);
PyObject *vkt_py_from_dlpack(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                             PyObject *kwnames);

/* ---- Work for later (later.c) ---------------------------------------------------------------- */

typedef struct vkt_py_later {
    struct vkt_py_later *next;
    void (*run)(struct vkt_py_later *item); /* with the lock held; may free item */
} vkt_py_later;

/* Has the item run soon, by a thread that holds the lock. Any thread, with or without the lock, at
 * any time; after the interpreter's end it never runs. */
void vkt_py_later_add(vkt_py_later *item);
/* Runs what waits: called wherever Python code may run. Costs one load when nothing waits. */
void vkt_py_later_run(void);

/* ---- Devices --------------------------------------------------------------------------------- */

/* Opens the device that a Device, an index, a name, a UUID or None (the default) means. */
vkt_device *vkt_py_device_arg(const char *op, PyObject *object);
/* Device.tuning: the values in force, by name; opens the device. */
PyObject *vkt_py_device_tuning(PyObject *self, void *unused);

/* A Device object. */
PyObject *vkt_py_device_object(const vkt_device_info *info);

/* The values of Tensor arguments (numpy arrays and scalars are not taken), each with a
 * reference, in PyMem memory. NULL and an exception when one is no Tensor; n == 0 gives memory
 * too. */
vkt_tensor **vkt_py_tensors_arg(const char *op, PyObject *const *objects, Py_ssize_t n);
void vkt_py_tensors_free(vkt_tensor **tensors, Py_ssize_t n);

/* ---- Hooks ----------------------------------------------------------------------------------- */

/* Gives queued log messages to the installed function. */
void vkt_py_logs_deliver(void);

#endif
