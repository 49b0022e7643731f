/* python/tensor_type.c - the type vktensor.Tensor: life cycle, attributes, methods. */
#include "python/core.h"

#include <structmember.h>

#include "ops/elementwise.h"
#include "python/number.h"

/* ---- Life cycle ------------------------------------------------------------------------------ */

PyObject *vkt_py_tensor_new(vkt_tensor *tensor)
{
    vkt_py_tensor *self = PyObject_New(vkt_py_tensor, vkt_py.tensor_type);

    if (!self) {
        vkt_tensor_unref(tensor);
        return NULL;
    }
    self->tensor = tensor;
    self->weakrefs = NULL;
    tensor->handles++;
    return (PyObject *)self;
}

void vkt_py_tensor_rebind(PyObject *self, vkt_tensor *tensor)
{
    vkt_tensor *old = vkt_py_value(self);

    tensor->handles++;
    ((vkt_py_tensor *)self)->tensor = tensor;
    old->handles--;
    vkt_tensor_unref(old);
}

PyObject *vkt_py_view(vkt_tensor *base, const vkt_layout *layout)
{
    vkt_tensor *held = vkt_tensor_ref(base), *view = NULL;
    vkt_status status = vkt_tensor_view(held, layout, &view);

    if (status != VKT_OK)
        (void)vkt_py_raise(held->device);
    vkt_tensor_unref(held);
    return status == VKT_OK ? vkt_py_tensor_new(view) : NULL;
}

static PyObject *tensor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)type;
    (void)args;
    (void)kwargs;
    PyErr_SetString(PyExc_TypeError,
                    "Tensor: not made by calling the class: use vt.asarray, vt.zeros, vt.empty");
    return NULL;
}

static void tensor_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    vkt_tensor *tensor = vkt_py_value(self);

    if (((vkt_py_tensor *)self)->weakrefs)
        PyObject_ClearWeakRefs(self);
    tensor->handles--;
    vkt_tensor_unref(tensor);
    PyObject_Free(self);
    Py_DECREF(type);
    vkt_py_later_run();
}

/* ---- Attributes ------------------------------------------------------------------------------ */

static PyObject *tensor_get_dtype(PyObject *self, void *unused)
{
    (void)unused;
    return vkt_py_numpy_dtype(vkt_py_value(self)->dtype);
}

static PyObject *tensor_get_shape(PyObject *self, void *unused)
{
    const vkt_layout *layout = &vkt_py_value(self)->layout;
    (void)unused;
    return vkt_py_shape_tuple(layout->ndim, layout->shape);
}

static PyObject *tensor_get_strides(PyObject *self, void *unused)
{
    const vkt_tensor *tensor = vkt_py_value(self);
    int64_t strides[VKT_MAX_NDIM];
    (void)unused;

    for (int32_t i = 0; i < tensor->layout.ndim; i++)
        strides[i] = tensor->layout.strides[i] * vkt_dtypes[tensor->dtype].nbytes;
    return vkt_py_shape_tuple(tensor->layout.ndim, strides);
}

static PyObject *tensor_get_ndim(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(vkt_py_value(self)->layout.ndim);
}

static PyObject *tensor_get_size(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(vkt_py_value(self)->layout.n_elems);
}

static PyObject *tensor_get_itemsize(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(vkt_dtypes[vkt_py_value(self)->dtype].nbytes);
}

static PyObject *tensor_get_nbytes(PyObject *self, void *unused)
{
    const vkt_tensor *tensor = vkt_py_value(self);
    (void)unused;
    return PyLong_FromLongLong(tensor->layout.n_elems * vkt_dtypes[tensor->dtype].nbytes);
}

static PyObject *tensor_get_device(PyObject *self, void *unused)
{
    (void)unused;
    return vkt_py_device_object(vkt_device_get_info(vkt_py_value(self)->device));
}

/* The view with its last two axes exchanged. */
static PyObject *transpose_matrices(vkt_tensor *tensor)
{
    vkt_layout layout = tensor->layout;
    int32_t rows = layout.ndim - 2, columns = layout.ndim - 1;

    layout.shape[rows] = tensor->layout.shape[columns];
    layout.shape[columns] = tensor->layout.shape[rows];
    layout.strides[rows] = tensor->layout.strides[columns];
    layout.strides[columns] = tensor->layout.strides[rows];
    return vkt_py_view(tensor, &layout);
}

static PyObject *tensor_get_transpose(PyObject *self, void *unused)
{
    vkt_tensor *tensor = vkt_py_value(self);
    (void)unused;

    if (tensor->layout.ndim != 2)
        return PyErr_Format(PyExc_ValueError,
                            "T: expected a 2-d tensor, got %d-d: use mT or vt.permute_dims",
                            (int)tensor->layout.ndim);
    return transpose_matrices(tensor);
}

static PyObject *tensor_get_matrix_transpose(PyObject *self, void *unused)
{
    vkt_tensor *tensor = vkt_py_value(self);
    (void)unused;

    if (tensor->layout.ndim < 2)
        return PyErr_Format(PyExc_ValueError, "mT: expected at least 2 dimensions, got %d",
                            (int)tensor->layout.ndim);
    return transpose_matrices(tensor);
}

static PyObject *get_part(const char *op, PyObject *self, bool imaginary)
{
    vkt_tensor *tensor = vkt_tensor_ref(vkt_py_value(self)), *part = NULL;
    vkt_status status;

    if (imaginary && !vkt_dtype_is_complex(tensor->dtype)) {
        /* Also of bool, which the op refuses: an attribute that raises hides from hasattr. */
        const vkt_scalar zero = {.cls = VKT_CLASS_BOOL, .value.b = false};
        const vkt_layout *layout = &tensor->layout;
        status =
            vkt_full(op, tensor->device, tensor->dtype, layout->ndim, layout->shape, &zero, &part);
    } else {
        status = vkt_tensor_part(op, tensor, imaginary, &part);
    }
    if (status != VKT_OK)
        (void)vkt_py_raise(tensor->device);
    vkt_tensor_unref(tensor);
    return status == VKT_OK ? vkt_py_tensor_new(part) : NULL;
}

static PyObject *tensor_get_real(PyObject *self, void *unused)
{
    (void)unused;
    return vkt_dtype_is_complex(vkt_py_value(self)->dtype) ? get_part("real", self, false)
                                                           : Py_NewRef(self);
}

static PyObject *tensor_get_imag(PyObject *self, void *unused)
{
    (void)unused;
    return get_part("imag", self, true);
}

static PyGetSetDef tensor_attributes[] = {
    {"dtype", tensor_get_dtype, NULL, "Element type, a numpy.dtype.", NULL},
    {"shape", tensor_get_shape, NULL, "Length of each dimension, a tuple.", NULL},
    {"strides", tensor_get_strides, NULL, "Bytes from one element to the next, for each dimension.",
     NULL},
    {"ndim", tensor_get_ndim, NULL, "Number of dimensions.", NULL},
    {"size", tensor_get_size, NULL, "Number of elements.", NULL},
    {"itemsize", tensor_get_itemsize, NULL, "Bytes of one element.", NULL},
    {"nbytes", tensor_get_nbytes, NULL, "Bytes of all elements.", NULL},
    {"device", tensor_get_device, NULL, "Device that the elements live on.", NULL},
    {"T", tensor_get_transpose, NULL,
     "View of a 2-d tensor with its axes exchanged; else ValueError.", NULL},
    {"real", tensor_get_real, NULL, "Real parts, a view; of a real tensor itself. `vt.real` fuses.",
     NULL},
    {"imag", tensor_get_imag, NULL,
     "Imaginary parts, a view; of a real tensor zeros. `vt.imag` fuses.", NULL},
    {"mT", tensor_get_matrix_transpose, NULL,
     "View with the last two axes exchanged; ValueError for fewer.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef tensor_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(vkt_py_tensor, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

/* ---- Methods --------------------------------------------------------------------------------- */

static PyObject *tensor_numpy(PyObject *self, PyObject *unused)
{
    (void)unused;
    return vkt_py_to_numpy(vkt_py_value(self), -1);
}

static const vkt_py_params ARRAY_PARAMS = {"__array__", 0, {"dtype", "copy"}};

static PyObject *tensor_array(PyObject *self, PyObject *const *args, Py_ssize_t n_args,
                              PyObject *kwnames)
{
    PyObject *given[2];
    int copy;

    if (!vkt_py_unpack(&ARRAY_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_copy_flag("__array__", given[1], &copy))
        return NULL;
    return vkt_py_to_numpy_dtype(vkt_py_value(self), given[0], copy);
}

/* The position in `layout` that item's arguments mean. */
static bool find_item(PyObject *const *args, Py_ssize_t n_args, vkt_layout *layout)
{
    int64_t index[VKT_MAX_NDIM], flat;
    int32_t ndim = layout->ndim;

    if (n_args == 1 && PyTuple_Check(args[0])) {
        n_args = PyTuple_GET_SIZE(args[0]);
        args = &PyTuple_GET_ITEM(args[0], 0);
    }
    if (n_args == 1) {
        if (!vkt_py_int64(args[0], &flat))
            return false;
        int64_t n = layout->n_elems;
        if (flat < -n || flat >= n) {
            PyErr_Format(PyExc_IndexError, "item: index %lld is out of bounds for size %lld",
                         (long long)flat, (long long)n);
            return false;
        }
        flat += flat < 0 ? n : 0;
        for (int32_t i = ndim - 1; i >= 0; i--) {
            index[i] = flat % layout->shape[i];
            flat /= layout->shape[i];
        }
    } else if (n_args == ndim) {
        for (int32_t i = 0; i < ndim; i++) {
            int64_t length = layout->shape[i];
            if (!vkt_py_int64(args[i], &index[i]))
                return false;
            if (index[i] < -length || index[i] >= length) {
                PyErr_Format(PyExc_IndexError,
                             "item: index %lld is out of bounds for axis %d with size %lld",
                             (long long)index[i], (int)i, (long long)length);
                return false;
            }
            index[i] += index[i] < 0 ? length : 0;
        }
    } else {
        PyErr_Format(PyExc_ValueError, "item: expected 0, 1 or %d indices, got %zd", (int)ndim,
                     n_args);
        return false;
    }
    for (int32_t i = ndim - 1; i >= 0; i--)
        vkt_layout_select(layout, i, index[i]);
    return true;
}

static PyObject *tensor_item(PyObject *self, PyObject *const *args, Py_ssize_t n_args)
{
    vkt_tensor *tensor = vkt_py_value(self);
    vkt_layout layout = tensor->layout;

    if (n_args == 0) {
        if (layout.n_elems == 1)
            return vkt_py_element(tensor);
        return PyErr_Format(PyExc_ValueError, "item: expected a tensor of one element, got %lld",
                            (long long)layout.n_elems);
    }
    if (!find_item(args, n_args, &layout))
        return NULL;
    PyObject *view = vkt_py_view(tensor, &layout);
    PyObject *element = view ? vkt_py_element(vkt_py_value(view)) : NULL;
    Py_XDECREF(view);
    return element;
}

static PyObject *tensor_tolist(PyObject *self, PyObject *unused)
{
    (void)unused;
    return vkt_py_to_list(vkt_py_value(self));
}

static PyObject *tensor_tobytes(PyObject *self, PyObject *unused)
{
    vkt_tensor *tensor = vkt_tensor_ref(vkt_py_value(self));
    int64_t nbytes = tensor->layout.n_elems * vkt_dtypes[tensor->dtype].nbytes;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, nbytes);
    (void)unused;

    if (bytes && vkt_tensor_to_host(tensor, PyBytes_AS_STRING(bytes)) != VKT_OK) {
        (void)vkt_py_raise(tensor->device);
        Py_CLEAR(bytes);
    }
    vkt_tensor_unref(tensor);
    return bytes;
}

static PyObject *tensor_copy(PyObject *self, PyObject *unused)
{
    vkt_tensor *tensor = vkt_tensor_ref(vkt_py_value(self)), *copy = NULL;
    vkt_status status = vkt_tensor_copy(tensor, &copy);
    (void)unused;

    if (status != VKT_OK)
        (void)vkt_py_raise(tensor->device);
    vkt_tensor_unref(tensor);
    return status == VKT_OK ? vkt_py_tensor_new(copy) : NULL;
}

static PyObject *tensor_view(PyObject *self, PyObject *arg)
{
    vkt_dtype dtype = VKT_FLOAT32;
    bool given;
    vkt_tensor *out = NULL;

    if (!vkt_py_dtype("view", arg, &dtype, &given))
        return NULL;
    if (!given)
        return PyErr_Format(PyExc_TypeError, "view: expected a dtype, got None");
    vkt_tensor *tensor = vkt_tensor_ref(vkt_py_value(self));
    vkt_status status = vkt_tensor_reinterpret("view", tensor, dtype, &out);
    if (status != VKT_OK)
        (void)vkt_py_raise(tensor->device);
    vkt_tensor_unref(tensor);
    return status == VKT_OK ? vkt_py_tensor_new(out) : NULL;
}

#define FASTCALL(function) (PyCFunction)(void (*)(void)) function

static PyMethodDef tensor_methods[] = {
    {"numpy", tensor_numpy, METH_NOARGS,
     "numpy($self, /)\n--\n\n"
     "Elements as a NumPy array; computes and waits.\n"
     "\n"
     "Returns\n"
     "-------\n"
     "ndarray\n"
     "    Of the shape and dtype of the tensor. It shares the tensor's memory where the host can\n"
     "    view it cached; elsewhere it owns one pinned copy, which returns to the pool when the\n"
     "    array dies.\n"
     "\n"
     "Examples\n"
     "--------\n"
     ">>> vt.arange(3).numpy()\n"
     "array([0, 1, 2])"},
    {"__array__", FASTCALL(tensor_array), METH_FASTCALL | METH_KEYWORDS,
     "__array__($self, dtype=None, copy=None)\n--\n\nThe protocol of numpy.asarray."},
    {"item", FASTCALL(tensor_item), METH_FASTCALL,
     "item($self, /, *index)\n--\n\n"
     "One element as a Python bool, int, float or complex.\n"
     "\n"
     "Parameters\n"
     "----------\n"
     "*index : int\n"
     "    Its place: counted in C order, or along each axis. None for a tensor of one element.\n"
     "\n"
     "Returns\n"
     "-------\n"
     "bool, int, float or complex\n"
     "    The element.\n"
     "\n"
     "Raises\n"
     "------\n"
     "ValueError\n"
     "    No place for other than one element, or not one number for each axis.\n"
     "IndexError\n"
     "    A place that is out of range.\n"
     "\n"
     "Examples\n"
     "--------\n"
     ">>> vt.asarray([[1, 2], [3, 4]]).item(1, 0)\n"
     "3"},
    {"tolist", tensor_tolist, METH_NOARGS,
     "tolist($self, /)\n--\n\n"
     "Elements as nested lists of Python scalars.\n"
     "\n"
     "Returns\n"
     "-------\n"
     "list, bool, int, float or complex\n"
     "    A list for each axis; without dimensions the element itself.\n"
     "\n"
     "Examples\n"
     "--------\n"
     ">>> vt.asarray([[1, 2], [3, 4]]).tolist()\n"
     "[[1, 2], [3, 4]]"},
    {"tobytes", tensor_tobytes, METH_NOARGS,
     "tobytes($self, /)\n--\n\n"
     "Bytes of the elements in C order.\n"
     "\n"
     "Returns\n"
     "-------\n"
     "bytes\n"
     "    A copy on the host.\n"
     "\n"
     "Examples\n"
     "--------\n"
     ">>> vt.asarray([1, 2], dtype=vt.uint8).tobytes()\n"
     "b'\\x01\\x02'"},
    {"copy", tensor_copy, METH_NOARGS,
     "copy($self, /)\n--\n\n"
     "Contiguous copy with memory of its own.\n"
     "\n"
     "Returns\n"
     "-------\n"
     "Tensor\n"
     "    Of the same shape, dtype and device.\n"
     "\n"
     "Examples\n"
     "--------\n"
     ">>> x = vt.asarray([1, 2])\n"
     ">>> y = x.copy()\n"
     ">>> y[0] = 7\n"
     ">>> x\n"
     "Tensor([1, 2], dtype=int64)"},
    {"view", tensor_view, METH_O,
     "view($self, dtype, /)\n--\n\n"
     "View of the same bytes as elements of another dtype.\n"
     "\n"
     "Parameters\n"
     "----------\n"
     "dtype : dtype\n"
     "    Of another item size only where the last axis is contiguous: its length changes.\n"
     "\n"
     "Returns\n"
     "-------\n"
     "Tensor\n"
     "    On the same memory.\n"
     "\n"
     "Raises\n"
     "------\n"
     "TypeError\n"
     "    A dtype there are no tensors of.\n"
     "ValueError\n"
     "    The last axis is not contiguous, or not of whole items of the dtype.\n"
     "\n"
     "Examples\n"
     "--------\n"
     ">>> vt.asarray([1.0], dtype=vt.float32).view(vt.uint32)\n"
     "Tensor([1065353216], dtype=uint32)"},
    {"__copy__", tensor_copy, METH_NOARGS, "__copy__($self, /)\n--\n\nFor copy.copy."},
    {"__deepcopy__", tensor_copy, METH_O, "__deepcopy__($self, memo, /)\n--\n\nFor copy.deepcopy."},
    {"__dlpack__", FASTCALL(vkt_py_tensor_dlpack), METH_FASTCALL | METH_KEYWORDS,
     "__dlpack__($self, *, stream=None, max_version=None, dl_device=None, copy=None)\n--\n\n"
     "A DLPack capsule of the host's memory: the tensor's own where the host can view it cached,\n"
     "with dl_device=(1, 0) or copy=True else a copy. BufferError where neither can be."},
    {"__dlpack_device__", vkt_py_tensor_dlpack_device, METH_NOARGS,
     "__dlpack_device__($self, /)\n--\n\n"
     "(1, 0), the host, where it can view the memory cached; else (7, index), Vulkan."},
    {"__complex__", vkt_py_tensor_complex, METH_NOARGS,
     "__complex__($self, /)\n--\n\nFor complex()."},
    {NULL, NULL, 0, NULL},
};

/* ---- The type -------------------------------------------------------------------------------- */

static const char TENSOR_DOC[] =
    "Tensor()\n"
    "--\n"
    "\n"
    "Strided view of device memory, or an expression that is computed when its bytes are needed.\n"
    "\n"
    "Made by vt.asarray, vt.zeros and the like, not by calling the class.\n"
    "\n"
    "Examples\n"
    "--------\n"
    ">>> x = vt.asarray([[1.0, 2.0], [3.0, 4.0]])\n"
    ">>> (x * 2 + 1).sum(axis=0)\n"
    "Tensor([10., 14.], dtype=float32)";

static PyType_Slot own_slots[] = {
    {Py_tp_doc, (void *)TENSOR_DOC},         {Py_tp_new, (void *)tensor_new},
    {Py_tp_dealloc, (void *)tensor_dealloc}, {Py_tp_hash, (void *)PyObject_HashNotImplemented},
    {Py_tp_getset, tensor_attributes},       {Py_tp_members, tensor_members},
    {Py_tp_methods, tensor_methods},         {0, NULL},
};

#define MAX_SLOTS 80

static int append_slots(PyType_Slot *all, int n, const PyType_Slot *slots)
{
    for (; slots->slot && n < MAX_SLOTS - 1; slots++)
        all[n++] = *slots;
    return n;
}

bool vkt_py_tensor_init(PyObject *module)
{
    PyType_Slot slots[MAX_SLOTS] = {{0, NULL}};
    PyType_Spec spec = {
        .name = "vktensor.Tensor",
        .basicsize = (int)sizeof(vkt_py_tensor),
        /* Mutable: the package adds the methods that are written in Python. No GC: a handle refers
         * to no object but its type, so it is part of no cycle. */
        .flags = Py_TPFLAGS_DEFAULT,
        .slots = slots,
    };
    int n = append_slots(slots, 0, own_slots);

    n = append_slots(slots, n, vkt_py_number_slots);
    n = append_slots(slots, n, vkt_py_indexing_slots);
    (void)append_slots(slots, n, vkt_py_buffer_slots);
    vkt_py.tensor_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (!vkt_py.tensor_type)
        return false;
    /* Above every ndarray: NumPy's operators leave mixed operands to ours. */
    PyObject *priority = PyFloat_FromDouble(1000.0);
    bool ok = priority && PyObject_SetAttrString((PyObject *)vkt_py.tensor_type,
                                                 "__array_priority__", priority) == 0;
    Py_XDECREF(priority);
    return ok && PyModule_AddObjectRef(module, "Tensor", (PyObject *)vkt_py.tensor_type) == 0;
}
