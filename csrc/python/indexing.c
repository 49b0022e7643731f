/* python/indexing.c - x[...], x[...] = value, iteration. */
#include "ops/compact.h"
#include "ops/elementwise.h"
#include "ops/reduce.h"
#include "ops/scatter.h"
#include "python/index_key.h"

/* ---- Reading --------------------------------------------------------------------------------- */

/* The view with the axes of `shape` at `place`: what True and False alone select. */
static bool insert_truths(vkt_py_key *key)
{
    const vkt_layout *shape = &key->selection.shape;

    if (vkt_layout_insert("index", &key->view, key->selection.place) != VKT_OK) {
        (void)vkt_py_raise(NULL);
        return false;
    }
    vkt_layout_slice(&key->view, key->selection.place, 0, 1, shape->shape[0]);
    return true;
}

/* Elements at index arrays: always a copy. */
static PyObject *read_selection(vkt_tensor *tensor, vkt_py_key *key)
{
    vkt_tensor *view = NULL, *result = NULL;

    if (key->selection.n == 0 && !key->mask && !insert_truths(key))
        return NULL;
    vkt_status status = vkt_tensor_view(tensor, &key->view, &view);
    if (status == VKT_OK && key->mask)
        status = vkt_compress("index", view, key->mask, &result);
    else if (status == VKT_OK && key->selection.n > 0)
        status = vkt_gather("index", view, &key->selection, &result);
    else if (status == VKT_OK)
        status = vkt_tensor_copy(view, &result);
    vkt_tensor_unref(view);
    if (status != VKT_OK)
        return vkt_py_raise(key->device);
    return vkt_py_tensor_new(result);
}

static PyObject *tensor_subscript(PyObject *self, PyObject *index)
{
    vkt_tensor *tensor = vkt_tensor_ref(vkt_py_value(self));
    PyObject *result = NULL;
    vkt_py_key key;

    if (vkt_py_key_read(tensor, index, false, &key))
        result = key.advanced ? read_selection(tensor, &key) : vkt_py_view(tensor, &key.view);
    vkt_py_key_clear(&key);
    vkt_tensor_unref(tensor);
    return result;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* A value to be written into elements of dtype: a scalar, or a tensor with one reference. */
static bool read_value(const char *op, PyObject *value, vkt_dtype dtype, vkt_device *device,
                       vkt_arg *out)
{
    int is_scalar = vkt_py_scalar(op, value, vkt_dtype_is_float(dtype), &out->scalar);

    out->tensor = NULL;
    if (is_scalar)
        return is_scalar > 0;
    if (!vkt_py_is_tensor(value))
        return vkt_py_asarray(op, value, &dtype, device, -1, &out->tensor);
    out->tensor = vkt_tensor_ref(vkt_py_value(value));
    return true;
}

bool vkt_py_assign(const char *op, vkt_tensor *dst, PyObject *value)
{
    vkt_arg arg;

    if (!read_value(op, value, dst->dtype, dst->device, &arg))
        return false;
    bool ok = vkt_assign(op, dst, &arg) == VKT_OK;
    if (!ok)
        (void)vkt_py_raise(dst->device);
    vkt_tensor_unref(arg.tensor);
    return ok;
}

/* view[mask] = value, for a mask of all of it: like NumPy, which takes one value or as many as
 * there are places. */
static bool write_mask(vkt_tensor *view, vkt_py_key *key, const vkt_arg *value)
{
    const vkt_layout *given = value->tensor ? &value->tensor->layout : NULL;

    if (given && given->ndim > 1) {
        PyErr_Format(PyExc_TypeError,
                     "setitem: a mask of all axes takes a value of at most 1 dimension, got %d",
                     (int)given->ndim);
        return false;
    }
    if (!given || given->n_elems == 1) {
        if (vkt_fill_mask("setitem", view, key->mask, value) == VKT_OK)
            return true;
        (void)vkt_py_raise(view->device);
        return false;
    }
    if (!vkt_py_key_expand(key))
        return false;
    int64_t n_places = key->selection.shape.n_elems, n_values = given->n_elems;
    if (n_values != n_places) {
        PyErr_Format(PyExc_ValueError,
                     "setitem: %lld values do not fit the %lld places where the mask is true",
                     (long long)n_values, (long long)n_places);
        return false;
    }
    return true;
}

/* view[selection] = value. */
static bool write_selection(vkt_tensor *view, vkt_py_key *key, PyObject *value)
{
    vkt_tensor *merged = NULL;
    vkt_arg arg;

    if (!read_value("setitem", value, view->dtype, view->device, &arg))
        return false;
    bool ok = !key->mask || write_mask(view, key, &arg);
    if (ok && key->selection.n > 0) {
        vkt_status status = vkt_tensor_view(view, &key->view, &merged);
        if (status == VKT_OK)
            status = vkt_scatter("setitem", merged, &key->selection, &arg);
        ok = status == VKT_OK;
        if (!ok)
            (void)vkt_py_raise(view->device);
    }
    vkt_tensor_unref(merged);
    vkt_tensor_unref(arg.tensor);
    return ok;
}

static bool write_items(vkt_tensor *tensor, vkt_py_key *key, PyObject *value)
{
    vkt_tensor *view = NULL;

    if (key->advanced && key->selection.n == 0 && !key->mask && !insert_truths(key))
        return false;
    if (vkt_tensor_view(tensor, &key->view, &view) != VKT_OK) {
        (void)vkt_py_raise(tensor->device);
        return false;
    }
    bool arrays = key->selection.n > 0 || key->mask;
    bool ok = arrays ? write_selection(view, key, value) : vkt_py_assign("setitem", view, value);
    vkt_tensor_unref(view);
    return ok;
}

static int tensor_ass_subscript(PyObject *self, PyObject *index, PyObject *value)
{
    vkt_tensor *tensor;
    vkt_py_key key;

    if (!value) {
        PyErr_SetString(PyExc_TypeError, "setitem: elements of a Tensor cannot be deleted");
        return -1;
    }
    tensor = vkt_tensor_ref(vkt_py_value(self));
    bool ok = vkt_py_key_read(tensor, index, true, &key) && write_items(tensor, &key, value);
    vkt_py_key_clear(&key);
    vkt_tensor_unref(tensor);
    return ok ? 0 : -1;
}

/* ---- As a sequence --------------------------------------------------------------------------- */

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

/* ---- Slots ----------------------------------------------------------------------------------- */

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
