/* python/index_key.c - reads x[key]: integers, slices, `...`, None, arrays of integers, masks. */
#include "python/index_key.h"

#include <string.h>

#include "ops/compact.h"
#include "ops/elementwise.h"

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
    INDEX_MASK,  /* booleans for as many axes as they have */
    INDEX_ERROR, /* the exception is set */
} index_kind;

typedef struct index_item {
    index_kind kind;
    PyObject *object; /* borrowed */
    PyObject *array;  /* owned: what a sequence is as a NumPy array, or NULL */
    bool truth;
    int32_t ndim; /* of a mask */
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
static index_kind classify_elements(vkt_dtype dtype, int32_t ndim, index_item *item)
{
    item->ndim = ndim;
    if (dtype == VKT_BOOL)
        return ndim == 0 ? INDEX_TRUTH : INDEX_MASK;
    if (!vkt_dtype_is_integer(dtype))
        return refuse(vkt_dtypes[dtype].name);
    return ndim == 0 ? INDEX_INTEGER : INDEX_ARRAY;
}

static index_kind classify_numpy(PyObject *array, index_item *item)
{
    vkt_dtype dtype = VKT_BOOL;
    int ndim = 0;

    if (vkt_py_numpy_describe("index", array, &dtype, &ndim))
        return classify_elements(dtype, ndim, item);
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
    return classify_numpy(array, item);
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
        return classify_elements(vkt_py_value(object)->dtype, vkt_py_value(object)->layout.ndim,
                                 item);
    if (vkt_py_is_numpy(object))
        return classify_numpy(object, item);
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
        used += kind == INDEX_MASK ? items->items[i].ndim : 0;
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

/* Gives the selection a further index, whose reference it takes over. */
static bool add_index(vkt_py_key *key, vkt_tensor *tensor, int32_t axis, int32_t source,
                      bool trusted)
{
    if (key->selection.n == VKT_MAX_INDICES) {
        vkt_tensor_unref(tensor);
        PyErr_Format(PyExc_IndexError, "too many indices for tensor: at most %d arrays",
                     VKT_MAX_INDICES);
        return false;
    }
    key->selection.indices[key->selection.n++] =
        (vkt_index){.tensor = tensor, .axis = axis, .number = source, .trusted = trusted};
    return true;
}

/* The item as a tensor: lists go where x is; an index elsewhere is the caller's mistake. */
static bool load_item(const index_item *item, const vkt_py_key *key, vkt_tensor **out)
{
    PyObject *array = item->array ? item->array : item->object;

    return vkt_py_asarray("index", array, NULL, vkt_py_is_tensor(array) ? NULL : key->device, -1,
                          out);
}

static bool add_array(const index_item *item, int32_t axis, int32_t source, vkt_py_key *key)
{
    vkt_tensor *tensor = NULL;

    return load_item(item, key, &tensor) && add_index(key, tensor, axis, source, false);
}

/* Makes the view's axes axis .. axis + n - 1 one, if they lie evenly. */
static bool merge_axes(vkt_layout *view, int32_t axis, int32_t n)
{
    int64_t length = view->shape[axis + n - 1], stride = view->strides[axis + n - 1];

    for (int32_t d = axis + n - 2; d >= axis; d--) {
        if (view->shape[d] > 1 && length > 1 && view->strides[d] != stride * length)
            return false;
        if (length == 1)
            stride = view->strides[d];
        length *= view->shape[d];
    }
    int32_t n_behind = view->ndim - axis - n;
    view->shape[axis] = length;
    view->strides[axis] = stride;
    memmove(&view->shape[axis + 1], &view->shape[axis + n], (size_t)n_behind * sizeof(int64_t));
    memmove(&view->strides[axis + 1], &view->strides[axis + n], (size_t)n_behind * sizeof(int64_t));
    view->ndim -= n - 1;
    return true;
}

/* Coordinate d of elements numbered in C order over lengths[0 .. n - 1]. */
static vkt_status find_coordinate(vkt_tensor *flat, const int64_t *lengths, int32_t n, int32_t d,
                                  vkt_tensor **out)
{
    vkt_tensor *row = NULL;
    int64_t inner = 1;
    for (int32_t i = d + 1; i < n; i++)
        inner *= lengths[i];
    vkt_arg by[2] = {{.tensor = flat}, {.scalar = {.cls = VKT_CLASS_INT, .value.i = inner}}};
    VKT_TRY(vkt_elementwise(VKT_OP_floor_divide, by, 2, &row));
    vkt_arg in[2] = {{.tensor = row}, {.scalar = {.cls = VKT_CLASS_INT, .value.i = lengths[d]}}};
    VKT_TRY(vkt_elementwise(VKT_OP_remainder, in, 2, out));
    vkt_tensor_unref(row);
    return VKT_OK;
fail:
    vkt_tensor_unref(row);
    return vkt_status_last();
}

/* The places where a mask of the view's axes from `axis` on is true, as indices. */
static bool expand_mask(vkt_tensor *mask, int32_t axis, int32_t source, vkt_py_key *key)
{
    vkt_tensor *flat = NULL, *coordinate = NULL;
    int32_t n = mask->layout.ndim;
    bool ok = vkt_flat_nonzero("index", mask, &flat) == VKT_OK;

    if (!ok) {
        (void)vkt_py_raise(key->device);
        return false;
    }
    if (merge_axes(&key->view, axis, n))
        return add_index(key, flat, axis, source, true);
    for (int32_t d = 0; ok && d < n; d++) {
        ok = find_coordinate(flat, mask->layout.shape, n, d, &coordinate) == VKT_OK;
        if (!ok)
            (void)vkt_py_raise(key->device);
        else
            ok = add_index(key, coordinate, axis + d, source + d, true);
    }
    vkt_tensor_unref(flat);
    return ok;
}

/* A mask: it stays one when it is alone and has the view's shape. As in NumPy a length of 0 fits
 * any axis, for no place can be out of it. */
static bool add_mask(const index_item *item, bool alone, int32_t axis, int32_t source,
                     vkt_py_key *key)
{
    vkt_tensor *mask = NULL;

    if (!load_item(item, key, &mask))
        return false;
    bool whole = alone && item->ndim == key->view.ndim;
    for (int32_t d = 0; d < item->ndim; d++) {
        if (mask->layout.shape[d] == key->view.shape[axis + d])
            continue;
        whole = false;
        if (mask->layout.shape[d] != 0) {
            PyErr_Format(PyExc_IndexError,
                         "boolean index did not match indexed tensor along axis %d; size of axis "
                         "is %lld but size of corresponding boolean axis is %lld",
                         (int)(source + d), (long long)key->view.shape[axis + d],
                         (long long)mask->layout.shape[d]);
            vkt_tensor_unref(mask);
            return false;
        }
    }
    if (whole) {
        key->mask = mask;
        return true;
    }
    bool ok = expand_mask(mask, axis, source, key);
    vkt_tensor_unref(mask);
    return ok;
}

bool vkt_py_key_expand(vkt_py_key *key)
{
    if (!expand_mask(key->mask, 0, 0, key))
        return false;
    key->selection.shape = key->selection.indices[0].tensor->layout;
    key->selection.place = 0;
    key->selection.unique = true;
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
    bool arrays =
        kind == INDEX_ARRAY || kind == INDEX_INTEGER || kind == INDEX_TRUTH || kind == INDEX_MASK;

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
        case INDEX_MASK: {
            int32_t n_before = view->ndim;
            if (!add_mask(item, items->n == 1, axis, source, key))
                return false;
            /* Axes of the view that became one are no longer there. */
            axis += item->ndim - (n_before - view->ndim);
            source += item->ndim;
            key->advanced = true;
            break;
        }
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
        while (k < key->selection.n && key->selection.indices[k].trusted)
            k++; /* a mask's */
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
    out->mask = NULL;
    vkt_layout_assign(&out->view, &x->layout);
    ok = read_items(key, &items) && apply_items(&items, out) &&
         (!out->advanced || out->mask || join_arrays(&items, writes, out));
    for (Py_ssize_t i = 0; i < items.n; i++)
        Py_XDECREF(items.items[i].array);
    return ok;
}

void vkt_py_key_clear(vkt_py_key *key)
{
    for (int i = 0; i < key->selection.n; i++)
        vkt_tensor_unref(key->selection.indices[i].tensor);
    vkt_tensor_unref(key->mask);
    key->selection.n = 0;
    key->mask = NULL;
}
