/* python/indexing.c - x[...], x[...] = value, iteration: basic indexing, and one index array. */
#include "python/core.h"

#include "ops/elementwise.h"
#include "ops/movement.h"
#include "ops/reduce.h"

/* ---- From an index to a view ----------------------------------------------------------------- */

typedef enum index_kind {
    INDEX_INTEGER,
    INDEX_SLICE,
    INDEX_ELLIPSIS,
    INDEX_NEW_AXIS,
    INDEX_ARRAY, /* integers to take along the first axis */
    INDEX_ERROR, /* the exception is set */
} index_kind;

static index_kind refuse(const char *what)
{
    PyErr_Format(PyExc_IndexError,
                 "only integers, slices (`:`), ellipsis (`...`), None and, alone, one array of "
                 "integers are valid indices, got %.100s",
                 what);
    return INDEX_ERROR;
}

/* An index with elements: an integer when it is one, an array of integers, or not supported. */
static index_kind classify_array(vkt_dtype dtype, int64_t ndim)
{
    if (dtype == VKT_BOOL)
        return refuse("a boolean mask");
    if (!vkt_dtype_is_integer(dtype))
        return refuse(vkt_dtypes[dtype].name);
    return ndim == 0 ? INDEX_INTEGER : INDEX_ARRAY;
}

static index_kind classify(PyObject *item)
{
    vkt_dtype dtype = VKT_BOOL;
    int ndim = 0;

    if (PyLong_CheckExact(item))
        return INDEX_INTEGER;
    if (PySlice_Check(item))
        return INDEX_SLICE;
    if (item == Py_Ellipsis)
        return INDEX_ELLIPSIS;
    if (item == Py_None)
        return INDEX_NEW_AXIS;
    if (PyBool_Check(item))
        return refuse("a boolean mask");
    if (vkt_py_is_tensor(item))
        return classify_array(vkt_py_value(item)->dtype, vkt_py_value(item)->layout.ndim);
    if (vkt_py_is_numpy(item))
        return vkt_py_numpy_describe("index", item, &dtype, &ndim) ? classify_array(dtype, ndim)
                                                                   : INDEX_ERROR;
    if (PyList_Check(item))
        return INDEX_ARRAY;
    if (PyIndex_Check(item))
        return INDEX_INTEGER;
    return refuse(Py_TYPE(item)->tp_name);
}

/* Selects one position along `axis`; `source` is the axis' number before any was dropped. */
static bool select_integer(vkt_layout *layout, int32_t axis, int32_t source, PyObject *item)
{
    int64_t length = layout->shape[axis], index;

    if (!vkt_py_int64(item, &index))
        return false;
    if (index < -length || index >= length) {
        PyErr_Format(PyExc_IndexError, "index %lld is out of bounds for axis %d with size %lld",
                     (long long)index, (int)source, (long long)length);
        return false;
    }
    vkt_layout_select(layout, axis, index < 0 ? index + length : index);
    return true;
}

static bool select_slice(vkt_layout *layout, int32_t axis, PyObject *item)
{
    Py_ssize_t start, stop, step;

    if (PySlice_Unpack(item, &start, &stop, &step) < 0)
        return false;
    Py_ssize_t count = PySlice_AdjustIndices(layout->shape[axis], &start, &stop, step);
    /* A step nobody takes could overflow the stride. */
    vkt_layout_slice(layout, axis, count ? start : 0, count > 1 ? step : 1, count);
    return true;
}

/* How many axes the items use up; a second Ellipsis is an error. */
static bool count_axes(PyObject *const *items, Py_ssize_t n, int32_t ndim, Py_ssize_t *n_skipped)
{
    Py_ssize_t used = 0;
    bool seen = false;

    for (Py_ssize_t i = 0; i < n; i++) {
        index_kind kind = classify(items[i]);
        if (kind == INDEX_ERROR)
            return false;
        if (kind == INDEX_ARRAY)
            return refuse("an index array beside other indices") != INDEX_ERROR;
        if (kind == INDEX_ELLIPSIS && seen) {
            PyErr_SetString(PyExc_IndexError, "an index can only have a single ellipsis ('...')");
            return false;
        }
        seen |= kind == INDEX_ELLIPSIS;
        used += kind == INDEX_INTEGER || kind == INDEX_SLICE;
    }
    if (used > ndim) {
        PyErr_Format(PyExc_IndexError,
                     "too many indices for tensor: tensor is %d-dimensional, but %zd were indexed",
                     (int)ndim, used);
        return false;
    }
    *n_skipped = ndim - used;
    return true;
}

static bool apply_items(PyObject *const *items, Py_ssize_t n, vkt_layout *layout)
{
    Py_ssize_t n_skipped;
    int32_t axis = 0, source = 0;

    if (!count_axes(items, n, layout->ndim, &n_skipped))
        return false;
    for (Py_ssize_t i = 0; i < n; i++) {
        switch (classify(items[i])) {
        case INDEX_INTEGER:
            if (!select_integer(layout, axis, source++, items[i]))
                return false;
            break;
        case INDEX_SLICE:
            if (!select_slice(layout, axis++, items[i]))
                return false;
            source++;
            break;
        case INDEX_ELLIPSIS:
            axis += (int32_t)n_skipped;
            source += (int32_t)n_skipped;
            break;
        case INDEX_NEW_AXIS:
            if (vkt_layout_insert("index", layout, axis++) != VKT_OK) {
                (void)vkt_py_raise(NULL);
                return false;
            }
            break;
        default:
            return false;
        }
    }
    return true;
}

/* The layout that `key` selects. */
static bool select_view(PyObject *key, vkt_layout *layout)
{
    if (PyTuple_Check(key))
        return apply_items(&PyTuple_GET_ITEM(key, 0), PyTuple_GET_SIZE(key), layout);
    return apply_items(&key, 1, layout);
}

/* The item of a key that is one index array and nothing else, else NULL; an error may be set. */
static PyObject *find_index_array(PyObject *key)
{
    if (PyTuple_Check(key)) {
        if (PyTuple_GET_SIZE(key) != 1)
            return NULL;
        key = PyTuple_GET_ITEM(key, 0);
    }
    if (PyLong_CheckExact(key) || PySlice_Check(key))
        return NULL;
    return classify(key) == INDEX_ARRAY ? key : NULL;
}

/* x[indices] along the first axis. */
static PyObject *take_rows(vkt_tensor *tensor, PyObject *key)
{
    vkt_tensor *held = vkt_tensor_ref(tensor), *indices = NULL, *rows = NULL;
    const vkt_dtype int64 = VKT_INT64;
    /* An empty list would otherwise be float. */
    bool empty = PyList_Check(key) && PyList_GET_SIZE(key) == 0;

    if (held->layout.ndim == 0) {
        PyErr_SetString(PyExc_IndexError,
                        "too many indices for tensor: tensor is 0-dimensional, but 1 were indexed");
        goto done;
    }
    /* Lists go where the tensor is; an index elsewhere is the caller's mistake. */
    vkt_device *device = vkt_py_is_tensor(key) ? NULL : held->device;
    if (!vkt_py_asarray("index", key, empty ? &int64 : NULL, device, -1, &indices))
        goto done;
    if (classify_array(indices->dtype, indices->layout.ndim) == INDEX_ERROR)
        goto done;
    if (vkt_take(held, indices, 0, &rows) != VKT_OK) {
        (void)vkt_py_raise(held->device);
        rows = NULL;
    }
done:
    vkt_tensor_unref(indices);
    vkt_tensor_unref(held);
    return rows ? vkt_py_tensor_new(rows) : NULL;
}

/* ---- Slots ----------------------------------------------------------------------------------- */

static PyObject *tensor_subscript(PyObject *self, PyObject *key)
{
    vkt_tensor *tensor = vkt_py_value(self);
    vkt_layout layout = tensor->layout;
    PyObject *array = find_index_array(key);

    if (array)
        return take_rows(tensor, array);
    if (PyErr_Occurred() || !select_view(key, &layout))
        return NULL;
    return vkt_py_view(vkt_py_value(self), &layout);
}

/* Drops leading axes of length 1 of a value with more axes than its target, as NumPy does. */
static bool drop_leading_axes(vkt_tensor *dst, vkt_tensor **value)
{
    vkt_layout layout = (*value)->layout;
    vkt_tensor *view = NULL;

    while (layout.ndim > dst->layout.ndim && layout.shape[0] == 1)
        vkt_layout_select(&layout, 0, 0);
    if (layout.ndim == (*value)->layout.ndim)
        return true;
    if (vkt_tensor_view(*value, &layout, &view) != VKT_OK) {
        (void)vkt_py_raise(dst->device);
        return false;
    }
    vkt_tensor_unref(*value);
    *value = view;
    return true;
}

bool vkt_py_assign(const char *op, vkt_tensor *dst, PyObject *value)
{
    vkt_arg arg = {.tensor = NULL};
    bool ok = false;
    int is_scalar = vkt_py_scalar(op, value, vkt_dtype_is_float(dst->dtype), &arg.scalar);

    if (is_scalar < 0)
        return false;
    if (!is_scalar) {
        if (vkt_py_is_tensor(value))
            arg.tensor = vkt_tensor_ref(vkt_py_value(value));
        else if (!vkt_py_asarray(op, value, &dst->dtype, dst->device, -1, &arg.tensor))
            return false;
        if (!drop_leading_axes(dst, &arg.tensor))
            goto done;
    }
    ok = vkt_assign(op, dst, &arg) == VKT_OK;
    if (!ok)
        (void)vkt_py_raise(dst->device);
done:
    vkt_tensor_unref(arg.tensor);
    return ok;
}

static int tensor_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    vkt_tensor *tensor = vkt_py_value(self);
    vkt_layout layout = tensor->layout;

    if (!value) {
        PyErr_SetString(PyExc_TypeError, "setitem: elements of a Tensor cannot be deleted");
        return -1;
    }
    if (find_index_array(key)) {
        (void)refuse("an index array in an assignment");
        return -1;
    }
    if (PyErr_Occurred() || !select_view(key, &layout))
        return -1;
    PyObject *view = vkt_py_view(vkt_py_value(self), &layout);
    if (!view)
        return -1;
    bool ok = vkt_py_assign("setitem", vkt_py_value(view), value);
    Py_DECREF(view);
    return ok ? 0 : -1;
}

static Py_ssize_t tensor_length(PyObject *self)
{
    const vkt_layout *layout = &vkt_py_value(self)->layout;

    if (layout->ndim > 0)
        return layout->shape[0];
    PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
    return -1;
}

static PyObject *tensor_item_at(PyObject *self, Py_ssize_t index)
{
    vkt_layout layout = vkt_py_value(self)->layout;

    if (layout.ndim == 0 || index < 0 || index >= layout.shape[0])
        return PyErr_Format(PyExc_IndexError, "index %zd is out of bounds for axis 0", index);
    vkt_layout_select(&layout, 0, index);
    return vkt_py_view(vkt_py_value(self), &layout);
}

static PyObject *tensor_iter(PyObject *self)
{
    if (vkt_py_value(self)->layout.ndim > 0)
        return PySeqIter_New(self);
    PyErr_SetString(PyExc_TypeError, "iteration over a 0-d tensor");
    return NULL;
}

static int tensor_contains(PyObject *self, PyObject *value)
{
    PyObject *equal = PyObject_RichCompare(self, value, Py_EQ), *any = NULL;
    vkt_tensor *result = NULL;
    int found = -1;

    if (!equal || !vkt_py_is_tensor(equal)) {
        /* Not comparable with numbers, hence not among them. */
        found = equal ? 0 : -1;
        goto done;
    }
    vkt_tensor *mask = vkt_py_value(equal);
    vkt_reduce_options options = {.axes = (1u << mask->layout.ndim) - 1};
    if (vkt_reduce(VKT_OP_any, mask, &options, &result) != VKT_OK) {
        (void)vkt_py_raise(mask->device);
        goto done;
    }
    any = vkt_py_tensor_new(result);
    found = any ? PyObject_IsTrue(any) : -1;
done:
    Py_XDECREF(any);
    Py_XDECREF(equal);
    return found;
}

PyType_Slot vkt_py_indexing_slots[] = {
    {Py_mp_subscript, (void *)tensor_subscript},
    {Py_mp_ass_subscript, (void *)tensor_ass_subscript},
    {Py_mp_length, (void *)tensor_length},
    {Py_sq_length, (void *)tensor_length},
    {Py_sq_item, (void *)tensor_item_at},
    {Py_sq_contains, (void *)tensor_contains},
    {Py_tp_iter, (void *)tensor_iter},
    {0, NULL},
};
