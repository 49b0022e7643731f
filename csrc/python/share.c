/* python/share.c - tensors of memory that is somebody else's: NumPy's, or a DLPack producer's. */
#include "python/core.h"

#include <stdio.h>
#include <stdlib.h>

#include "ops/elementwise.h"
#include "ops/expr.h"

/* ---- Lenders --------------------------------------------------------------------------------- */

/* Keeps the owner of borrowed memory alive until the device has given the memory back. */
typedef struct keeper {
    vkt_lender lender;
    vkt_py_later later;
    PyObject *owner;
} keeper;

static void release_owner(vkt_py_later *later)
{
    keeper *self = (keeper *)(void *)((char *)later - offsetof(keeper, later));

    Py_DECREF(self->owner);
    free(self);
}

/* The core is in the middle of something, and an owner's end may run any Python code. */
static void give_back(vkt_lender *lender)
{
    keeper *self = (keeper *)(void *)lender;

    vkt_py_later_add(&self->later);
}

static keeper *keep(PyObject *owner)
{
    keeper *self = malloc(sizeof(*self));

    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    *self = (keeper){.lender = {give_back}, .later = {.run = release_owner}};
    self->owner = Py_NewRef(owner);
    return self;
}

/* ---- Sharing --------------------------------------------------------------------------------- */

/* The layout in elements, offset 0, and the bytes it reaches: data + low .. data + high - 1. */
static const char *fit_layout(const vkt_py_memory *memory, vkt_layout *layout, int64_t *low,
                              int64_t *high)
{
    int64_t itemsize = vkt_dtypes[memory->dtype].nbytes;

    if (vkt_layout_init("share", memory->ndim, memory->shape, (uint64_t)itemsize, layout) != VKT_OK)
        return "its shape is not one of a tensor";
    if ((uintptr_t)memory->data % (uintptr_t)itemsize)
        return "its elements are not aligned";
    for (int32_t i = 0; i < memory->ndim; i++) {
        if (layout->shape[i] <= 1)
            continue;
        if (memory->strides[i] % itemsize)
            return "its strides are no multiples of the element's size";
        layout->strides[i] = memory->strides[i] / itemsize;
    }
    vkt_layout_extent(layout, low, high);
    *low *= itemsize;
    *high *= itemsize;
    return NULL;
}

static int share_block(const vkt_py_memory *memory, vkt_layout *layout, vkt_block *block,
                       vkt_tensor **out)
{
    bool cached;
    vkt_device *device = vkt_block_device(block);
    const char *host = vkt_block_host(block, &cached);

    layout->offset = (memory->data - host) / vkt_dtypes[memory->dtype].nbytes;
    if (vkt_tensor_new(device, memory->dtype, layout, block, out) == VKT_OK)
        return 1;
    vkt_block_unref(block);
    (void)vkt_py_raise(device);
    return -1;
}

int vkt_py_share(const vkt_py_memory *memory, vkt_device *device, vkt_tensor **out,
                 char why[VKT_PY_WHY])
{
    vkt_layout layout;
    int64_t low, high;
    vkt_block *block = NULL;
    const char *unfit = memory->unfit ? memory->unfit : fit_layout(memory, &layout, &low, &high);

    if (!unfit && vkt_tensor_check_dtype("share", device, memory->dtype) != VKT_OK)
        unfit = vkt_status_text();
    if (unfit) {
        (void)snprintf(why, VKT_PY_WHY, "%s", unfit);
        return 0;
    }
    if (layout.n_elems == 0) {
        /* Nothing to share. */
        if (vkt_tensor_empty("share", device, memory->dtype, memory->ndim, memory->shape, out) ==
            VKT_OK)
            return 1;
        (void)vkt_py_raise(device);
        return -1;
    }
    if (memory->block && vkt_block_device(memory->block) == device && memory->writable)
        return share_block(memory, &layout, vkt_block_ref(memory->block), out);
    keeper *owner = keep(memory->owner);
    if (!owner)
        return -1;
    vkt_status status = vkt_block_import(device, memory->data + low, (uint64_t)(high - low),
                                         memory->writable, &owner->lender, &block);
    if (status == VKT_OK)
        return share_block(memory, &layout, block, out);
    Py_DECREF(owner->owner);
    free(owner);
    if (status == VKT_VALUE_ERROR) {
        (void)snprintf(why, VKT_PY_WHY, "%s", vkt_status_text());
        return 0;
    }
    (void)vkt_py_raise(device);
    return -1;
}

bool vkt_py_worth_sharing(const vkt_py_memory *memory, vkt_device *device)
{
    /* Elsewhere each read of the memory crosses the bus. */
    return vkt_device_get_info(device)->unified_memory && memory->writable;
}

/* ---- NumPy arrays ---------------------------------------------------------------------------- */

bool vkt_py_share_numpy(const char *op, PyObject *array, vkt_device *device, vkt_tensor **out)
{
    vkt_py_memory memory;
    char why[VKT_PY_WHY];

    if (!vkt_py_numpy_memory(op, array, &memory))
        return false;
    int shared = vkt_py_share(&memory, device, out, why);
    if (shared == 0)
        PyErr_Format(PyExc_ValueError, "%s: copy=False, but this array cannot be shared: %s", op,
                     why);
    return shared == 1;
}

/* Shares where that is as good as a copy, else copies. */
static bool take_array(PyObject *array, vkt_device *device, vkt_tensor **out)
{
    vkt_py_memory memory;
    char why[VKT_PY_WHY];

    if (!vkt_py_numpy_memory("from_numpy", array, &memory))
        return false;
    if (!memory.unfit && vkt_py_worth_sharing(&memory, device)) {
        int shared = vkt_py_share(&memory, device, out, why);
        if (shared)
            return shared == 1;
    }
    return vkt_py_from_numpy("from_numpy", array, NULL, device, out);
}

static const vkt_py_params FROM_NUMPY_PARAMS = {"from_numpy", 1, {"array", "device", "copy"}};

static PyObject *from_numpy(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                            PyObject *kwnames)
{
    PyObject *given[3];
    vkt_tensor *out = NULL;
    int copy;
    bool ok;
    (void)module;

    if (!vkt_py_unpack(&FROM_NUMPY_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_copy_flag("from_numpy", given[2], &copy))
        return NULL;
    if (!vkt_py_is_numpy_array(given[0]))
        return PyErr_Format(PyExc_TypeError,
                            "from_numpy: expected a NumPy array, got %.100s: use asarray",
                            Py_TYPE(given[0])->tp_name);
    vkt_device *device = vkt_py_device_arg("from_numpy", given[1]);
    if (!device)
        return NULL;
    if (copy == 0)
        ok = vkt_py_share_numpy("from_numpy", given[0], device, &out);
    else if (copy == 1)
        ok = vkt_py_from_numpy("from_numpy", given[0], NULL, device, &out);
    else
        ok = take_array(given[0], device, &out);
    return ok ? vkt_py_tensor_new(out) : NULL;
}

static const vkt_py_params TO_NUMPY_PARAMS = {"to_numpy", 1, {"x", "out"}};

static PyObject *to_numpy(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                          PyObject *kwnames)
{
    PyObject *given[2];
    vkt_tensor *tensor;
    (void)module;

    if (!vkt_py_unpack(&TO_NUMPY_PARAMS, args, n_args, kwnames, given) ||
        !(tensor = vkt_py_tensor_arg("to_numpy", given[0])))
        return NULL;
    if (!given[1] || given[1] == Py_None)
        return vkt_py_to_numpy(tensor, -1);
    return vkt_py_to_numpy_into(tensor, given[1]) ? Py_NewRef(given[1]) : NULL;
}

static PyObject *allocate_on(PyObject *module, PyObject *object)
{
    vkt_device *device = vkt_py_device_arg("host_memory", object);
    (void)module;

    return device ? vkt_py_numpy_allocate_on(device) : NULL;
}

static PyObject *set_handler(PyObject *module, PyObject *handler)
{
    (void)module;
    if (!vkt_py_numpy_set_handler(handler))
        return NULL;
    Py_RETURN_NONE;
}

PyMethodDef vkt_py_share_functions[] = {
    {"to_numpy", (PyCFunction)(void (*)(void))to_numpy, METH_FASTCALL | METH_KEYWORDS,
     "to_numpy($module, x, out=None)\n--\n\n"
     "The elements as a NumPy array, or copied into one."},
    {"allocate_on", allocate_on, METH_O,
     "allocate_on($module, device, /)\n--\n\n"
     "Makes NumPy allocate in the device's pinned memory; gives the handler there was."},
    {"set_handler", set_handler, METH_O,
     "set_handler($module, handler, /)\n--\n\nGoes back to a handler of NumPy's."},
    {"from_numpy", (PyCFunction)(void (*)(void))from_numpy, METH_FASTCALL | METH_KEYWORDS,
     "from_numpy($module, array, device=None, copy=None)\n--\n\n"
     "A Tensor of a NumPy array's own memory, or of a copy."},
    {"from_dlpack", (PyCFunction)(void (*)(void))vkt_py_from_dlpack, METH_FASTCALL | METH_KEYWORDS,
     "from_dlpack($module, x, device=None, copy=None)\n--\n\n"
     "A Tensor of what a DLPack producer or capsule gives."},
    {NULL, NULL, 0, NULL},
};
