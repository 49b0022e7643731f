/* python/creation.c - tensors from Python objects, and filled or counted ones. */
#include "python/core.h"

#include "ops/elementwise.h"
#include "ops/movement.h"

#define FASTCALL(function) (PyCFunction)(void (*)(void)) function
#define KEYWORDS           (METH_FASTCALL | METH_KEYWORDS)

/* ---- Looking into sequences ------------------------------------------------------------------ */

/* What the leaves of a nested sequence are. */
typedef struct leaves {
    bool has_strong;   /* arrays, Tensors and NumPy scalars: they have a dtype */
    bool has_weak;     /* Python scalars */
    bool has_unknown;  /* anything else: for NumPy to judge */
    bool beyond_int64; /* an int only uint64 holds */
    vkt_dtype strong;
    vkt_class weak;
    vkt_device *device; /* of the first Tensor, or NULL */
    bool all_tensors;   /* at depth 1, of one shape and device */
} leaves;

static bool add_strong(leaves *found, vkt_dtype dtype)
{
    found->strong = found->has_strong ? vkt_dtype_promote(found->strong, dtype) : dtype;
    found->has_strong = true;
    return true;
}

static void add_weak(leaves *found, const vkt_scalar *scalar)
{
    vkt_class cls = scalar->cls == VKT_CLASS_UINT ? VKT_CLASS_INT : scalar->cls;

    found->beyond_int64 |= scalar->cls == VKT_CLASS_UINT;
    if (!found->has_weak || cls > found->weak)
        found->weak = cls;
    found->has_weak = true;
}

static bool look_at_leaf(const char *op, PyObject *leaf, leaves *found)
{
    vkt_scalar scalar;
    vkt_dtype dtype;
    int ndim;
    int is_scalar = vkt_py_scalar(op, leaf, false, &scalar);

    if (is_scalar < 0)
        return false;
    if (is_scalar) {
        add_weak(found, &scalar);
        return true;
    }
    if (vkt_py_is_tensor(leaf)) {
        vkt_tensor *tensor = vkt_py_value(leaf);
        if (!found->device)
            found->device = tensor->device;
        /* Recorded now, all are computed by the time NumPy asks for the first. */
        if (vkt_eval(&tensor, 1) != VKT_OK) {
            (void)vkt_py_raise(tensor->device);
            return false;
        }
        return add_strong(found, tensor->dtype);
    }
    if (vkt_py_is_numpy(leaf))
        return vkt_py_numpy_describe(op, leaf, &dtype, &ndim) && add_strong(found, dtype);
    found->has_unknown = true;
    return true;
}

static bool look_inside(const char *op, PyObject *object, int depth, leaves *found)
{
    if (depth > VKT_MAX_NDIM) {
        /* Too deep, perhaps endless: NumPy says what is wrong. */
        found->has_unknown = true;
        return true;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(object); i++) {
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(object, i));
        bool nested = PyList_Check(item) || PyTuple_Check(item);
        bool ok = nested ? look_inside(op, item, depth + 1, found) : look_at_leaf(op, item, found);
        Py_DECREF(item);
        if (!ok)
            return false;
    }
    return true;
}

/* The dtype of the tensor the leaves make, by our defaults. */
static vkt_dtype find_leaf_dtype(const leaves *found)
{
    if (found->has_strong)
        return found->has_weak ? vkt_py_weak(found->strong, found->weak) : found->strong;
    /* Nothing inside is float, as in NumPy. */
    if (!found->has_weak)
        return VKT_FLOAT32;
    vkt_dtype dtype = vkt_py_weak(VKT_BOOL, found->weak);
    return dtype == VKT_INT64 && found->beyond_int64 ? VKT_UINT64 : dtype;
}

/* True when a sequence is nothing but Tensors of one shape on one device. */
static bool is_stack(PyObject *object, vkt_device *device)
{
    Py_ssize_t n = PySequence_Fast_GET_SIZE(object);
    const vkt_tensor *first = NULL;

    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(object, i);
        if (!vkt_py_is_tensor(item))
            return false;
        const vkt_tensor *tensor = vkt_py_value(item);
        first = first ? first : tensor;
        if (tensor->device != device || tensor->layout.ndim >= VKT_MAX_NDIM ||
            !vkt_layout_same_shape(&tensor->layout, &first->layout))
            return false;
    }
    return n > 0 && n <= INT32_MAX;
}

/* Tensors of one shape joined along a new first axis, without leaving the device. */
static bool stack_tensors(const char *op, PyObject *object, vkt_device *device, vkt_tensor **out)
{
    Py_ssize_t n = PySequence_Fast_GET_SIZE(object), n_made = 0;
    vkt_tensor **rows = PyMem_Calloc((size_t)n, sizeof(*rows));
    vkt_status status = VKT_OK;

    if (!rows) {
        PyErr_NoMemory();
        return false;
    }
    for (; n_made < n && status == VKT_OK; n_made++) {
        vkt_tensor *tensor = vkt_py_value(PySequence_Fast_GET_ITEM(object, n_made));
        vkt_layout layout = tensor->layout;
        status = vkt_layout_insert(op, &layout, 0);
        if (status == VKT_OK)
            status = vkt_tensor_view(tensor, &layout, &rows[n_made]);
    }
    if (status == VKT_OK)
        status = vkt_concat(rows, (int)n, 0, out);
    if (status != VKT_OK)
        (void)vkt_py_raise(device);
    vkt_py_tensors_free(rows, n);
    return status == VKT_OK;
}

/* ---- asarray --------------------------------------------------------------------------------- */

/* `source`, which it takes over, converted to `dtype`. */
static bool convert_dtype(vkt_tensor *source, const vkt_dtype *dtype, vkt_tensor **out)
{
    if (!dtype || source->dtype == *dtype) {
        *out = source;
        return true;
    }
    vkt_status status = vkt_astype(source, *dtype, out);
    if (status != VKT_OK)
        (void)vkt_py_raise(source->device);
    vkt_tensor_unref(source);
    return status == VKT_OK;
}

/* A tensor of another device with the elements of `source`. */
static bool move_tensor(vkt_tensor *source, vkt_device *device, vkt_tensor **out)
{
    vkt_block *block = NULL;
    uint64_t offset = 0;
    bool cached;
    const vkt_layout *layout = &source->layout;

    if (vkt_tensor_to_host_block(source, &block, &offset) != VKT_OK) {
        (void)vkt_py_raise(source->device);
        return false;
    }
    vkt_status status =
        vkt_tensor_from_host(device, source->dtype, layout->ndim, layout->shape,
                             (const char *)vkt_block_host(block, &cached) + offset, out);
    if (status != VKT_OK)
        (void)vkt_py_raise(device);
    vkt_block_unref(block);
    return status == VKT_OK;
}

static bool convert_tensor(const char *op, vkt_tensor *source, const vkt_dtype *dtype,
                           vkt_device *device, int copy, vkt_tensor **out)
{
    vkt_tensor *moved = NULL;
    bool moves = device && device != source->device;
    bool converts = dtype && *dtype != source->dtype;

    if (copy == 0 && (moves || converts)) {
        PyErr_Format(PyExc_ValueError, "%s: another %s needs a copy, which copy=False forbids", op,
                     moves ? "device" : "dtype");
        return false;
    }
    if (moves)
        return move_tensor(source, device, &moved) && convert_dtype(moved, dtype, out);
    if (copy != 1 || converts)
        return convert_dtype(vkt_tensor_ref(source), dtype, out);
    if (vkt_tensor_copy(source, out) == VKT_OK)
        return true;
    (void)vkt_py_raise(source->device);
    return false;
}

static bool make_scalar(const char *op, const vkt_scalar *scalar, const vkt_dtype *dtype,
                        vkt_device *device, vkt_tensor **out)
{
    vkt_dtype own = vkt_scalar_dtype(scalar);

    if (vkt_full(op, device, dtype ? *dtype : own, 0, NULL, scalar, out) == VKT_OK)
        return true;
    (void)vkt_py_raise(device);
    return false;
}

/* The tensor of a list or tuple. */
static bool convert_sequence(const char *op, PyObject *object, const vkt_dtype *dtype,
                             vkt_device *device, vkt_tensor **out)
{
    leaves found = {.has_strong = false};

    if (!look_inside(op, object, 1, &found))
        return false;
    if (!device)
        device = found.device ? found.device : vkt_py_device_arg(op, NULL);
    if (!device)
        return false;
    if (found.device == device && is_stack(object, device)) {
        vkt_tensor *stacked = NULL;
        return stack_tensors(op, object, device, &stacked) && convert_dtype(stacked, dtype, out);
    }
    if (!found.has_unknown) {
        vkt_dtype own = find_leaf_dtype(&found);
        return vkt_py_from_numpy(op, object, dtype ? dtype : &own, device, out);
    }
    PyObject *array = vkt_py_numpy_discover(object);
    bool ok = array && vkt_py_from_numpy(op, array, dtype, device, out);
    Py_XDECREF(array);
    return ok;
}

/* 1: a tensor of the memory of an array that NumPy allocated in a block, where the device computes
 * there as fast as on a copy. */
static int share_born_there(const char *op, PyObject *object, const vkt_dtype *dtype,
                            vkt_device *device, vkt_tensor **out)
{
    vkt_py_memory memory;
    char why[VKT_PY_WHY];

    if (!vkt_py_is_numpy_array(object))
        return 0;
    if (!vkt_py_numpy_memory(op, object, &memory))
        return -1;
    if (!memory.born_there || memory.unfit || (dtype && *dtype != memory.dtype) ||
        vkt_block_device(memory.block) != device || !vkt_py_worth_sharing(&memory, device))
        return 0;
    return vkt_py_share(&memory, device, out, why);
}

/* Whether an array's elements are not of `dtype` (NULL: they always are). */
static bool needs_cast(const char *op, PyObject *array, const vkt_dtype *dtype, bool *out)
{
    vkt_dtype own = VKT_BOOL;
    int ndim;

    if (dtype && !vkt_py_numpy_describe(op, array, &own, &ndim))
        return false;
    *out = dtype && own != *dtype;
    return true;
}

bool vkt_py_asarray(const char *op, PyObject *object, const vkt_dtype *dtype, vkt_device *device,
                    int copy, vkt_tensor **out)
{
    vkt_scalar scalar;

    if (vkt_py_is_tensor(object)) {
        vkt_tensor *source = vkt_tensor_ref(vkt_py_value(object));
        bool ok = convert_tensor(op, source, dtype, device, copy, out);
        vkt_tensor_unref(source);
        return ok;
    }
    if (copy == 0 && vkt_py_is_numpy_array(object)) {
        bool converts = false;
        if (!device)
            device = vkt_py_device_arg(op, NULL);
        if (!device || !needs_cast(op, object, dtype, &converts))
            return false;
        if (!converts)
            return vkt_py_share_numpy(op, object, device, out);
        PyErr_Format(PyExc_ValueError, "%s: another dtype needs a copy, which copy=False forbids",
                     op);
        return false;
    }
    if (copy == 0) {
        PyErr_Format(
            PyExc_ValueError,
            "%s: a Tensor cannot share the memory of %.100s, and copy=False forbids a copy", op,
            Py_TYPE(object)->tp_name);
        return false;
    }
    if (PyList_Check(object) || PyTuple_Check(object))
        return convert_sequence(op, object, dtype, device, out);
    if (!device)
        device = vkt_py_device_arg(op, NULL);
    if (!device)
        return false;
    int is_scalar = vkt_py_scalar(op, object, dtype && vkt_dtype_is_float(*dtype), &scalar);
    if (is_scalar)
        return is_scalar > 0 && make_scalar(op, &scalar, dtype, device, out);
    int shared = copy < 0 ? share_born_there(op, object, dtype, device, out) : 0;
    if (shared)
        return shared > 0;
    if (vkt_py_is_numpy(object) || !PyObject_CheckBuffer(object))
        return vkt_py_from_numpy(op, object, dtype, device, out);
    /* A buffer's own format, where NumPy would make bytes a string. */
    PyObject *view = PyMemoryView_FromObject(object);
    bool ok = view && vkt_py_from_numpy(op, view, dtype, device, out);
    Py_XDECREF(view);
    return ok;
}

static const vkt_py_params ASARRAY_PARAMS = {"asarray", 1, {"obj", "dtype", "device", "copy"}};

static PyObject *asarray(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                         PyObject *kwnames)
{
    PyObject *given[4];
    vkt_dtype dtype = VKT_FLOAT32;
    bool has_dtype;
    vkt_device *device = NULL;
    vkt_tensor *out = NULL;
    int copy;
    (void)module;

    if (!vkt_py_unpack(&ASARRAY_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_dtype("asarray", given[1], &dtype, &has_dtype) ||
        !vkt_py_copy_flag("asarray", given[3], &copy))
        return NULL;
    if (given[2] && given[2] != Py_None && !(device = vkt_py_device_arg("asarray", given[2])))
        return NULL;
    if (!vkt_py_asarray("asarray", given[0], has_dtype ? &dtype : NULL, device, copy, &out))
        return NULL;
    if (vkt_py_is_tensor(given[0]) && vkt_py_value(given[0]) == out) {
        vkt_tensor_unref(out);
        return Py_NewRef(given[0]);
    }
    return vkt_py_tensor_new(out);
}

/* ---- Filled ---------------------------------------------------------------------------------- */

/* `value` as a scalar and the dtype it brings, from a Python scalar or anything 0-d. */
static bool read_fill(PyObject *value, bool as_float, vkt_scalar *scalar, vkt_dtype *dtype)
{
    int is_scalar = vkt_py_scalar("full", value, as_float, scalar);
    vkt_tensor *tensor = NULL;

    if (is_scalar < 0)
        return false;
    if (is_scalar) {
        *dtype = vkt_scalar_dtype(scalar);
        return true;
    }
    if (!vkt_py_asarray("full", value, NULL, NULL, -1, &tensor))
        return false;
    bool ok = tensor->layout.ndim == 0;
    if (!ok)
        PyErr_Format(PyExc_ValueError, "full: expected a scalar to fill with, got %d dimensions",
                     (int)tensor->layout.ndim);
    *dtype = tensor->dtype;
    PyObject *element = ok ? vkt_py_element(tensor) : NULL;
    vkt_tensor_unref(tensor);
    ok = element && vkt_py_scalar("full", element, as_float, scalar) > 0;
    Py_XDECREF(element);
    return ok;
}

static const vkt_py_params FULL_PARAMS = {"full", 2, {"shape", "value", "dtype", "device"}};

static PyObject *full(PyObject *module, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames)
{
    PyObject *given[4];
    vkt_py_shape shape;
    vkt_dtype dtype = VKT_FLOAT32, own;
    bool has_dtype;
    vkt_scalar scalar;
    vkt_device *device;
    vkt_tensor *out = NULL;
    (void)module;

    if (!vkt_py_unpack(&FULL_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_shape_from("full", given[0], &shape) ||
        !vkt_py_dtype("full", given[2], &dtype, &has_dtype) ||
        !(device = vkt_py_device_arg("full", given[3])) ||
        !read_fill(given[1], has_dtype && vkt_dtype_is_float(dtype), &scalar, &own))
        return NULL;
    if (vkt_full("full", device, has_dtype ? dtype : own, shape.ndim, shape.dims, &scalar, &out) !=
        VKT_OK)
        return vkt_py_raise(device);
    return vkt_py_tensor_new(out);
}

static const vkt_py_params EMPTY_PARAMS = {"empty", 1, {"shape", "dtype", "device"}};

static PyObject *empty(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                       PyObject *kwnames)
{
    PyObject *given[3];
    vkt_py_shape shape;
    vkt_dtype dtype = VKT_FLOAT32;
    bool has_dtype;
    vkt_device *device;
    vkt_tensor *out = NULL;
    (void)module;

    if (!vkt_py_unpack(&EMPTY_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_shape_from("empty", given[0], &shape) ||
        !vkt_py_dtype("empty", given[1], &dtype, &has_dtype) ||
        !(device = vkt_py_device_arg("empty", given[2])))
        return NULL;
    if (vkt_tensor_empty("empty", device, has_dtype ? dtype : VKT_FLOAT32, shape.ndim, shape.dims,
                         &out) != VKT_OK)
        return vkt_py_raise(device);
    return vkt_py_tensor_new(out);
}

static const vkt_py_params IOTA_PARAMS = {"iota", 1, {"shape", "device"}};

static PyObject *iota(PyObject *module, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames)
{
    PyObject *given[2];
    vkt_py_shape shape;
    vkt_device *device;
    vkt_tensor *out = NULL;
    (void)module;

    if (!vkt_py_unpack(&IOTA_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_shape_from("iota", given[0], &shape) ||
        !(device = vkt_py_device_arg("iota", given[1])))
        return NULL;
    if (vkt_iota(device, shape.ndim, shape.dims, &out) != VKT_OK)
        return vkt_py_raise(device);
    return vkt_py_tensor_new(out);
}

PyMethodDef vkt_py_creation_functions[] = {
    {"asarray", FASTCALL(asarray), KEYWORDS,
     "asarray($module, obj, dtype=None, device=None, copy=None)\n--\n\n"
     "A Tensor of any array-like. Python numbers make bool, int64 or float32; arrays keep their\n"
     "dtype. A Tensor that fits is given back itself unless copy is True."},
    {"full", FASTCALL(full), KEYWORDS,
     "full($module, shape, value, dtype=None, device=None)\n--\n\nEvery element is `value`."},
    {"empty", FASTCALL(empty), KEYWORDS,
     "empty($module, shape, dtype=None, device=None)\n--\n\nElements of no particular value."},
    {"iota", FASTCALL(iota), KEYWORDS,
     "iota($module, shape, device=None)\n--\n\n0, 1, 2, ... in C order, int64."},
    {NULL, NULL, 0, NULL},
};
