/* python/index_key.c - reads x[key]: integers, slices, `...`, None, arrays of integers. */
#include "python/index_key.h"

#include <string.h>

/* Axes, new axes and an ellipsis. */
#define MAX_ITEMS (2 * VKT_MAX_NDIM + 1)

/* Indices from the host up to here are compared with the axis there, about 1 ns each: a wait for
 * the device to do it costs 13 us and more. */
#define HOST_CHECKED 16384

typedef enum index_kind {
    INDEX_INTEGER,
    INDEX_SLICE,
    INDEX_ELLIPSIS,
    INDEX_NEW_AXIS,
    INDEX_TRUTH, /* True, False: an axis that is there once or not at all */
    INDEX_ARRAY, /* integers for one axis */
    INDEX_ERROR, /* the exception is set */
} index_kind;

typedef struct index_item {
    index_kind kind;
    PyObject *object; /* borrowed */
    PyObject *array;  /* owned: what a sequence is as a NumPy array, or NULL */
    bool truth;
} index_item;

typedef struct index_items {
    Py_ssize_t n;
    index_item items[MAX_ITEMS];
} index_items;

/* ---- What an item is ------------------------------------------------------------------------- */

static index_kind refuse(const char *what)
{
    PyErr_Format(PyExc_IndexError,
                 "only integers, slices (`:`), ellipsis (`...`), None and arrays of integers or "
                 "booleans are valid indices, got %.100s",
                 what);
    return INDEX_ERROR;
}

/* An index with elements of a dtype. */
static index_kind classify_elements(vkt_dtype dtype, int64_t ndim)
{
    if (dtype == VKT_BOOL)
        return ndim == 0 ? INDEX_TRUTH : refuse("a boolean mask");
    if (!vkt_dtype_is_integer(dtype))
        return refuse(vkt_dtypes[dtype].name);
    return ndim == 0 ? INDEX_INTEGER : INDEX_ARRAY;
}

static index_kind classify_numpy(PyObject *array)
{
    vkt_dtype dtype = VKT_BOOL;
    int ndim = 0;

    if (vkt_py_numpy_describe("index", array, &dtype, &ndim))
        return classify_elements(dtype, ndim);
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        return refuse("an array of another dtype");
    }
    return INDEX_ERROR;
}

/* A list, or another sequence, as NumPy sees it; an empty one is of integers. */
static index_kind classify_sequence(index_item *item)
{
    PyObject *array = vkt_py_numpy_discover(item->object), *typed = NULL;

    if (!array)
        return INDEX_ERROR;
    Py_ssize_t size = PyObject_Size(array);
    PyObject *count = size < 0 ? NULL : PyObject_GetAttrString(array, "size");
    if (count && PyLong_AsLong(count) == 0)
        typed = PyObject_CallMethod(array, "astype", "s", "int64");
    Py_XDECREF(count);
    if (typed) {
        Py_DECREF(array);
        array = typed;
    }
    if (PyErr_Occurred()) {
        Py_DECREF(array);
        return INDEX_ERROR;
    }
    item->array = array;
    return classify_numpy(array);
}

static index_kind classify(index_item *item)
{
    PyObject *object = item->object;

    if (PyLong_CheckExact(object))
        return INDEX_INTEGER;
    if (PySlice_Check(object))
        return INDEX_SLICE;
    if (object == Py_Ellipsis)
        return INDEX_ELLIPSIS;
    if (object == Py_None)
        return INDEX_NEW_AXIS;
    if (PyBool_Check(object))
        return INDEX_TRUTH;
    if (vkt_py_is_tensor(object))
        return classify_elements(vkt_py_value(object)->dtype, vkt_py_value(object)->layout.ndim);
    if (vkt_py_is_numpy(object))
        return classify_numpy(object);
    if (PyIndex_Check(object))
        return INDEX_INTEGER;
    if (PySequence_Check(object) && !PyUnicode_Check(object) && !PyBytes_Check(object) &&
        !PyByteArray_Check(object))
        return classify_sequence(item);
    return refuse(Py_TYPE(object)->tp_name);
}

static bool read_item(PyObject *object, index_items *out)
{
    if (out->n == MAX_ITEMS) {
        PyErr_Format(PyExc_IndexError, "too many indices for tensor: at most %d", MAX_ITEMS);
        return false;
    }
    index_item *item = &out->items[out->n++];
    *item = (index_item){.object = object};
    item->kind = classify(item);
    if (item->kind == INDEX_TRUTH) {
        int truth = PyObject_IsTrue(object);
        if (truth < 0)
            return false;
        item->truth = truth;
    }
    return item->kind != INDEX_ERROR;
}

static bool read_items(PyObject *key, index_items *out)
{
    if (!PyTuple_Check(key))
        return read_item(key, out);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); i++) {
        if (!read_item(PyTuple_GET_ITEM(key, i), out))
            return false;
    }
    return true;
}

/* How many axes an Ellipsis stands for; a second one is an error. */
static bool count_axes(const index_items *items, int32_t ndim, int32_t *n_skipped)
{
    Py_ssize_t used = 0;
    bool seen = false;

    for (Py_ssize_t i = 0; i < items->n; i++) {
        index_kind kind = items->items[i].kind;
        if (kind == INDEX_ELLIPSIS && seen) {
            PyErr_SetString(PyExc_IndexError, "an index can only have a single ellipsis ('...')");
            return false;
        }
        seen |= kind == INDEX_ELLIPSIS;
        used += kind == INDEX_INTEGER || kind == INDEX_SLICE || kind == INDEX_ARRAY;
    }
    if (used > ndim) {
        PyErr_Format(PyExc_IndexError,
                     "too many indices for tensor: tensor is %d-dimensional, but %zd were indexed",
                     (int)ndim, used);
        return false;
    }
    *n_skipped = ndim - (int32_t)used;
    return true;
}

/* ---- What it does to the view ---------------------------------------------------------------- */

static bool raise_range(int64_t index, int32_t axis, int64_t length)
{
    PyErr_Format(PyExc_IndexError, "index %lld is out of bounds for axis %d with size %lld",
                 (long long)index, (int)axis, (long long)length);
    return false;
}

/* Selects one position along `axis`; `source` is the axis' number before any was dropped. */
static bool select_integer(vkt_layout *layout, int32_t axis, int32_t source, PyObject *item)
{
    int64_t length = layout->shape[axis], index;

    if (!vkt_py_int64(item, &index)) {
        if (PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_IndexError, "index %R is out of bounds for axis %d with size %lld",
                         item, (int)source, (long long)length);
        }
        return false;
    }
    if (index < -length || index >= length)
        return raise_range(index, source, length);
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

static bool add_array(const index_item *item, int32_t axis, int32_t source, vkt_py_key *key)
{
    PyObject *array = item->array ? item->array : item->object;
    vkt_index *index = &key->selection.indices[key->selection.n];

    if (key->selection.n == VKT_MAX_INDICES) {
        PyErr_Format(PyExc_IndexError, "too many indices for tensor: at most %d arrays",
                     VKT_MAX_INDICES);
        return false;
    }
    /* Lists go where the tensor is; an index elsewhere is the caller's mistake. */
    vkt_device *device = vkt_py_is_tensor(array) ? NULL : key->device;
    *index = (vkt_index){.axis = axis, .number = source};
    if (!vkt_py_asarray("index", array, NULL, device, -1, &index->tensor))
        return false;
    key->selection.n++;
    return true;
}

/* Where the axes of the arrays go: in place of their axes where those stand side by side (integers
 * count among them), else in front. */
typedef struct placing {
    bool begun, interrupted, apart;
    int32_t place;
} placing;

static void place_item(placing *at, index_kind kind, int32_t n_kept)
{
    bool arrays = kind == INDEX_ARRAY || kind == INDEX_INTEGER || kind == INDEX_TRUTH;

    if (!arrays) {
        at->interrupted |= at->begun;
        return;
    }
    if (!at->begun)
        at->place = n_kept;
    at->apart |= at->interrupted;
    at->begun = true;
}

static bool apply_items(const index_items *items, vkt_py_key *key)
{
    vkt_layout *view = &key->view;
    int32_t axis = 0, source = 0, n_skipped;
    placing at = {0};

    if (!count_axes(items, view->ndim, &n_skipped))
        return false;
    for (Py_ssize_t i = 0; i < items->n; i++) {
        const index_item *item = &items->items[i];
        place_item(&at, item->kind, axis - key->selection.n);
        switch (item->kind) {
        case INDEX_INTEGER:
            if (!select_integer(view, axis, source++, item->object))
                return false;
            break;
        case INDEX_SLICE:
            if (!select_slice(view, axis++, item->object))
                return false;
            source++;
            break;
        case INDEX_ELLIPSIS:
            axis += n_skipped;
            source += n_skipped;
            break;
        case INDEX_NEW_AXIS:
            if (vkt_layout_insert("index", view, axis++) != VKT_OK) {
                (void)vkt_py_raise(NULL);
                return false;
            }
            break;
        case INDEX_ARRAY:
            if (!add_array(item, axis++, source++, key))
                return false;
            key->advanced = true;
            break;
        default:
            key->advanced = true;
        }
    }
    key->selection.place = at.apart ? 0 : at.place;
    return true;
}

/* ---- The arrays together --------------------------------------------------------------------- */

/* The shape that all arrays broadcast to; True counts as an axis of length 1, False of 0. */
static bool broadcast_arrays(const index_items *items, vkt_py_key *key)
{
    const vkt_layout *layouts[MAX_ITEMS + VKT_MAX_INDICES];
    static const int64_t lengths[2] = {0, 1};
    vkt_layout truths[2];
    int n = 0;

    for (int i = 0; i < 2; i++)
        (void)vkt_layout_init("index", 1, &lengths[i], 1, &truths[i]);
    for (Py_ssize_t i = 0; i < items->n; i++) {
        if (items->items[i].kind == INDEX_TRUTH)
            layouts[n++] = &truths[items->items[i].truth];
    }
    for (int i = 0; i < key->selection.n; i++)
        layouts[n++] = &key->selection.indices[i].tensor->layout;
    if (vkt_layout_broadcast("index", layouts, n, &key->selection.shape) == VKT_OK)
        return true;
    PyErr_Format(PyExc_IndexError, "%s: the index arrays do not fit together", vkt_status_text());
    return false;
}

/* Value i, one beyond int64 as its largest: no axis is that long. */
static int64_t read_value(vkt_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case VKT_INT8:
        return ((const int8_t *)data)[i];
    case VKT_INT16:
        return ((const int16_t *)data)[i];
    case VKT_INT32:
        return ((const int32_t *)data)[i];
    case VKT_INT64:
        return ((const int64_t *)data)[i];
    case VKT_UINT8:
        return ((const uint8_t *)data)[i];
    case VKT_UINT16:
        return ((const uint16_t *)data)[i];
    case VKT_UINT32:
        return ((const uint32_t *)data)[i];
    default: {
        uint64_t value = ((const uint64_t *)data)[i];
        return value > INT64_MAX ? INT64_MAX : (int64_t)value;
    }
    }
}

/* Looks at an array on the host where that is quick: it is trusted then. A write first wants to see
 * whether its value fits: it leaves the error to the device. */
static bool check_on_host(PyObject *array, int64_t length, bool writes, vkt_index *index)
{
    vkt_py_memory memory;
    int64_t n = index->tensor->layout.n_elems, step;

    if (!vkt_py_is_numpy_array(array) || n > HOST_CHECKED)
        return true;
    if (!vkt_py_numpy_memory("index", array, &memory))
        return false;
    step = vkt_dtypes[memory.dtype].nbytes;
    for (int32_t d = memory.ndim - 1; d >= 0; d--) {
        if (memory.unfit || (memory.shape[d] > 1 && memory.strides[d] != step))
            return true;
        step *= memory.shape[d];
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t value = read_value(memory.dtype, memory.data, i);
        if (value < -length || value >= length)
            return writes || raise_range(value, index->number, length);
    }
    index->trusted = true;
    return true;
}

static bool join_arrays(const index_items *items, bool writes, vkt_py_key *key)
{
    int k = 0;

    if (!broadcast_arrays(items, key))
        return false;
    for (Py_ssize_t i = 0; i < items->n; i++) {
        const index_item *item = &items->items[i];
        if (item->kind != INDEX_ARRAY)
            continue;
        vkt_index *index = &key->selection.indices[k++];
        PyObject *array = item->array ? item->array : item->object;
        /* NumPy never looks at indices that nothing is read by. */
        if (key->selection.shape.n_elems == 0)
            index->trusted = true;
        else if (!check_on_host(array, key->view.shape[index->axis], writes, index))
            return false;
    }
    return true;
}

/* ---- All of it ------------------------------------------------------------------------------- */

bool vkt_py_key_read(vkt_tensor *x, PyObject *key, bool writes, vkt_py_key *out)
{
    index_items items;
    bool ok;

    items.n = 0;
    out->advanced = false;
    out->device = x->device;
    out->selection.n = 0;
    out->selection.unique = false;
    vkt_layout_assign(&out->view, &x->layout);
    ok = read_items(key, &items) && apply_items(&items, out) &&
         (!out->advanced || join_arrays(&items, writes, out));
    for (Py_ssize_t i = 0; i < items.n; i++)
        Py_XDECREF(items.items[i].array);
    return ok;
}

void vkt_py_key_clear(vkt_py_key *key)
{
    for (int i = 0; i < key->selection.n; i++)
        vkt_tensor_unref(key->selection.indices[i].tensor);
    key->selection.n = 0;
}
