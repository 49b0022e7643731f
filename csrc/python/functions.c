/* python/functions.c - the op table as Python functions: a function for each elementwise row, and
 * reductions, scans, products. */
#include "python/core.h"

#include "ops/compact.h"
#include "ops/gather.h"
#include "ops/matmul.h"
#include "ops/movement.h"
#include "ops/random.h"
#include "ops/reduce.h"
#include "ops/scatter.h"
#include "ops/search.h"
#include "ops/sort.h"
#include "python/number.h"

#define FASTCALL(function) (PyCFunction)(void (*)(void)) function
#define KEYWORDS           (METH_FASTCALL | METH_KEYWORDS)

/* ---- Elementwise ----------------------------------------------------------------------------- */

/* One function for each row; reductions and scans share theirs. */
#define DEFINE_ELEMENTWISE(name)                                                                   \
    static PyObject *call_##name(PyObject *module, PyObject *const *args, Py_ssize_t n_args)       \
    {                                                                                              \
        (void)module;                                                                              \
        return vkt_py_call_op(VKT_OP_##name, args, n_args);                                        \
    }
#define DEFINE_UNARY(name)   DEFINE_ELEMENTWISE(name)
#define DEFINE_BINARY(name)  DEFINE_ELEMENTWISE(name)
#define DEFINE_TERNARY(name) DEFINE_ELEMENTWISE(name)
#define DEFINE_REDUCE(name)
#define DEFINE_SCAN(name)
#define OP(name, kind, ...) DEFINE_##kind(name)
#include "tensor/ops.def"
#undef OP

#define ROW(name, signature)                                                                       \
    {#name, FASTCALL(call_##name), METH_FASTCALL,                                                  \
     #name "($module, " signature ", /)\n--\n\nThe row `" #name "` of the op table."},
#define ROW_UNARY(name)   ROW(name, "x")
#define ROW_BINARY(name)  ROW(name, "x1, x2")
#define ROW_TERNARY(name) ROW(name, "x1, x2, x3")
#define ROW_REDUCE(name)
#define ROW_SCAN(name)

/* ---- Reductions ------------------------------------------------------------------------------ */

static bool find_op(const char *function, PyObject *name, vkt_op_kind kind, vkt_op *out)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "%s: expected the name of an op, got %.100s", function,
                     Py_TYPE(name)->tp_name);
        return false;
    }
    for (int i = 0; i < VKT_OP_COUNT; i++) {
        if (vkt_ops[i].kind == kind &&
            PyUnicode_CompareWithASCIIString(name, vkt_ops[i].name) == 0) {
            *out = (vkt_op)i;
            return true;
        }
    }
    PyErr_Format(PyExc_ValueError, "%s: there is no op '%U' of this kind", function, name);
    return false;
}

/* The axes as bits; None is all of them. */
static bool read_axis_bits(const char *op, PyObject *object, int32_t ndim, uint32_t *bits)
{
    vkt_py_axes axes;

    *bits = (1u << ndim) - 1;
    if (!object || object == Py_None)
        return true;
    if (!vkt_py_axes_from(op, object, ndim, &axes))
        return false;
    *bits = 0;
    for (int32_t i = 0; i < axes.n; i++)
        *bits |= 1u << axes.axes[i];
    return true;
}

/* Takes over `result` where status is OK, and raises where it is not. `held` was kept for the call
 * and is released. */
static PyObject *finish(vkt_tensor *held, vkt_status status, vkt_tensor *result)
{
    if (status != VKT_OK)
        (void)vkt_py_raise(held->device);
    vkt_tensor_unref(held);
    return status == VKT_OK ? vkt_py_tensor_new(result) : NULL;
}

static const vkt_py_params REDUCE_PARAMS = {
    "reduce", 2, {"name", "x", "axis", "keepdims", "dtype", "correction"}};

static PyObject *reduce(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                        PyObject *kwnames)
{
    PyObject *given[6];
    vkt_op op;
    vkt_reduce_options options = {0};
    vkt_tensor *x, *result = NULL;
    (void)module;

    if (!vkt_py_unpack(&REDUCE_PARAMS, args, n_args, kwnames, given) ||
        !find_op("reduce", given[0], VKT_REDUCE, &op) ||
        !(x = vkt_py_tensor_arg(vkt_ops[op].name, given[1])))
        return NULL;
    const char *name = vkt_ops[op].name;
    if (!vkt_py_flag(given[3], false, &options.keepdims) ||
        !vkt_py_dtype(name, given[4], &options.dtype, &options.has_dtype) ||
        !read_axis_bits(name, given[2], x->layout.ndim, &options.axes))
        return NULL;
    if (given[5]) {
        options.correction = PyFloat_AsDouble(given[5]);
        if (options.correction == -1.0 && PyErr_Occurred())
            return NULL;
    }
    /* Read again: the conversions may have run Python code that rebound the Tensor. */
    x = vkt_tensor_ref(vkt_py_value(given[1]));
    vkt_status status = vkt_reduce(op, x, &options, &result);
    return finish(x, status, result);
}

static const vkt_py_params SCAN_PARAMS = {
    "scan", 3, {"name", "x", "axis", "dtype", "include_initial"}};

static PyObject *scan(PyObject *module, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames)
{
    PyObject *given[5];
    vkt_op op;
    int32_t axis;
    vkt_dtype dtype = VKT_FLOAT32;
    bool has_dtype, include_initial;
    vkt_tensor *x, *result = NULL;
    (void)module;

    if (!vkt_py_unpack(&SCAN_PARAMS, args, n_args, kwnames, given) ||
        !find_op("scan", given[0], VKT_SCAN, &op) ||
        !(x = vkt_py_tensor_arg(vkt_ops[op].name, given[1])))
        return NULL;
    const char *name = vkt_ops[op].name;
    if (!vkt_py_axis_from(name, given[2], x->layout.ndim, &axis) ||
        !vkt_py_dtype(name, given[3], &dtype, &has_dtype) ||
        !vkt_py_flag(given[4], false, &include_initial))
        return NULL;
    x = vkt_tensor_ref(vkt_py_value(given[1]));
    if (!has_dtype)
        dtype = vkt_dtype_accumulate(x->dtype);
    vkt_status status = vkt_scan(op, x, axis, dtype, include_initial, &result);
    return finish(x, status, result);
}

/* ---- Products and gathering ------------------------------------------------------------------ */

static PyObject *matmul(PyObject *module, PyObject *const *args, Py_ssize_t n_args)
{
    (void)module;
    if (n_args != 2)
        return PyErr_Format(PyExc_TypeError, "matmul: expected 2 arguments, got %zd", n_args);
    return vkt_py_call_matmul(args[0], args[1]);
}

/* The items of a sequence as tensors, in PyMem memory; NumPy arrays join where a Tensor leads. */
static vkt_tensor **read_tensors(PyObject *items, vkt_device **device)
{
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    vkt_tensor **tensors = PyMem_Calloc((size_t)n + 1, sizeof(*tensors));

    if (!tensors) {
        PyErr_NoMemory();
        return NULL;
    }
    *device = NULL;
    for (Py_ssize_t i = 0; i < n && !*device; i++) {
        if (vkt_py_is_tensor(PyTuple_GET_ITEM(items, i)))
            *device = vkt_py_value(PyTuple_GET_ITEM(items, i))->device;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        bool ok = false;
        if (vkt_py_is_tensor(item)) {
            tensors[i] = vkt_tensor_ref(vkt_py_value(item));
            ok = true;
        } else if (*device && vkt_py_is_numpy(item)) {
            ok = vkt_py_from_numpy("concat", item, NULL, *device, &tensors[i]);
        } else {
            (void)vkt_py_tensor_arg("concat", item);
        }
        if (!ok) {
            vkt_py_tensors_free(tensors, n);
            return NULL;
        }
    }
    return tensors;
}

static const vkt_py_params CONCAT_PARAMS = {"concat", 2, {"arrays", "axis"}};

static PyObject *concat(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                        PyObject *kwnames)
{
    PyObject *given[2], *items = NULL;
    vkt_tensor **tensors = NULL, *result = NULL;
    vkt_device *device = NULL;
    Py_ssize_t n = 0;
    int32_t axis;
    (void)module;

    if (!vkt_py_unpack(&CONCAT_PARAMS, args, n_args, kwnames, given))
        return NULL;
    items = vkt_py_is_tensor(given[0]) ? PySequence_List(given[0]) : Py_NewRef(given[0]);
    if (items)
        Py_SETREF(items, PySequence_Tuple(items));
    if (!items)
        return NULL;
    n = PyTuple_GET_SIZE(items);
    if (n == 0 || n > INT32_MAX) {
        PyErr_Format(PyExc_ValueError, "concat: expected at least one Tensor, got %zd", n);
        goto done;
    }
    tensors = read_tensors(items, &device);
    if (!tensors || !vkt_py_axis_from("concat", given[1], tensors[0]->layout.ndim, &axis))
        goto done;
    if (vkt_concat(tensors, (int)n, axis, &result) != VKT_OK) {
        (void)vkt_py_raise(device);
        result = NULL;
    }
done:
    if (tensors)
        vkt_py_tensors_free(tensors, n);
    Py_DECREF(items);
    return result ? vkt_py_tensor_new(result) : NULL;
}

static const vkt_py_params TAKE_PARAMS = {"take", 3, {"x", "indices", "axis", "trusted"}};

static PyObject *take(PyObject *module, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames)
{
    PyObject *given[4];
    vkt_tensor *x, *indices = NULL, *result = NULL;
    int32_t axis;
    bool trusted;
    (void)module;

    if (!vkt_py_unpack(&TAKE_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_flag(given[3], false, &trusted) || !(x = vkt_py_tensor_arg("take", given[0])) ||
        !vkt_py_axis_from("take", given[2], x->layout.ndim, &axis))
        return NULL;
    x = vkt_tensor_ref(vkt_py_value(given[0]));
    /* Lists go where x is; a Tensor elsewhere is the caller's mistake. */
    vkt_device *device = vkt_py_is_tensor(given[1]) ? NULL : x->device;
    if (!vkt_py_asarray("take", given[1], NULL, device, -1, &indices)) {
        vkt_tensor_unref(x);
        return NULL;
    }
    vkt_status status = vkt_take(x, indices, axis, trusted, &result);
    vkt_tensor_unref(indices);
    return finish(x, status, result);
}

static const vkt_py_params ALONG_PARAMS = {"take_along_axis", 3, {"x", "indices", "axis"}};

static PyObject *take_along_axis(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                                 PyObject *kwnames)
{
    PyObject *given[3];
    vkt_tensor *x, *indices, *result = NULL;
    int32_t axis;
    (void)module;

    if (!vkt_py_unpack(&ALONG_PARAMS, args, n_args, kwnames, given) ||
        !(x = vkt_py_tensor_arg("take_along_axis", given[0])) ||
        !(indices = vkt_py_tensor_arg("take_along_axis", given[1])) ||
        !vkt_py_axis_from("take_along_axis", given[2], x->layout.ndim, &axis))
        return NULL;
    vkt_tensor_ref(x);
    vkt_tensor_ref(indices);
    vkt_status status = vkt_take_along(x, indices, axis, &result);
    vkt_tensor_unref(indices);
    return finish(x, status, result);
}

static const vkt_py_params PUT_PARAMS = {"put_along_axis", 4, {"x", "indices", "values", "axis"}};

static PyObject *put_along_axis(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                                PyObject *kwnames)
{
    PyObject *given[4];
    int32_t axis;
    (void)module;

    if (!vkt_py_unpack(&PUT_PARAMS, args, n_args, kwnames, given))
        return NULL;
    for (int i = 0; i < 3; i++) {
        if (!vkt_py_tensor_arg("put_along_axis", given[i]))
            return NULL;
    }
    vkt_tensor *x = vkt_py_value(given[0]), *indices = vkt_py_value(given[1]);
    vkt_arg values = {.tensor = vkt_py_value(given[2])};
    if (!vkt_py_axis_from("put_along_axis", given[3], x->layout.ndim, &axis))
        return NULL;
    vkt_tensor_ref(x);
    vkt_tensor_ref(indices);
    vkt_tensor_ref(values.tensor);
    bool ok = vkt_put_along(x, indices, axis, &values) == VKT_OK;
    if (!ok)
        (void)vkt_py_raise(x->device);
    vkt_tensor_unref(x);
    vkt_tensor_unref(indices);
    vkt_tensor_unref(values.tensor);
    if (!ok)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *flat_nonzero(PyObject *module, PyObject *object)
{
    vkt_tensor *x = vkt_py_tensor_arg("nonzero", object), *result = NULL;
    (void)module;

    if (!x)
        return NULL;
    vkt_tensor_ref(x);
    vkt_status status = vkt_flat_nonzero("nonzero", x, &result);
    return finish(x, status, result);
}

static const vkt_py_params SEARCH_PARAMS = {"searchsorted", 2, {"x1", "x2", "right"}};

static PyObject *searchsorted(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                              PyObject *kwnames)
{
    PyObject *given[3];
    vkt_tensor *sorted, *values, *result = NULL;
    bool right;
    (void)module;

    if (!vkt_py_unpack(&SEARCH_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_flag(given[2], false, &right) || !vkt_py_tensor_arg("searchsorted", given[0]) ||
        !vkt_py_tensor_arg("searchsorted", given[1]))
        return NULL;
    sorted = vkt_tensor_ref(vkt_py_value(given[0]));
    values = vkt_tensor_ref(vkt_py_value(given[1]));
    vkt_status status = vkt_search_sorted(sorted, values, right, &result);
    vkt_tensor_unref(values);
    return finish(sorted, status, result);
}

static const vkt_py_params SORT_PARAMS = {
    "sort", 2, {"x", "axis", "descending", "values", "indices"}};

static PyObject *sort(PyObject *module, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames)
{
    PyObject *given[5];
    vkt_tensor *x, *values = NULL, *indices = NULL;
    bool descending, wants_values, wants_indices;
    int32_t axis;
    (void)module;

    if (!vkt_py_unpack(&SORT_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_flag(given[2], false, &descending) || !vkt_py_flag(given[3], true, &wants_values) ||
        !vkt_py_flag(given[4], false, &wants_indices))
        return NULL;
    const char *name = wants_values ? "sort" : "argsort";
    if (!(x = vkt_py_tensor_arg(name, given[0])) ||
        !vkt_py_axis_from(name, given[1], x->layout.ndim, &axis))
        return NULL;
    x = vkt_tensor_ref(vkt_py_value(given[0]));
    vkt_status status = vkt_sort(name, x, axis, descending, wants_values ? &values : NULL,
                                 wants_indices ? &indices : NULL);
    if (status != VKT_OK || !values || !indices)
        return finish(x, status, values ? values : indices);
    vkt_tensor_unref(x);
    /* N takes both over, also where one could not be made. */
    return Py_BuildValue("NN", vkt_py_tensor_new(values), vkt_py_tensor_new(indices));
}

/* ---- Random numbers -------------------------------------------------------------------------- */

static bool read_u64(PyObject *object, uint64_t *out)
{
    *out = PyLong_AsUnsignedLongLong(object);
    return !PyErr_Occurred();
}

static const vkt_py_params RANDOM_PARAMS = {
    "random", 7, {"kind", "position", "shape", "dtype", "device", "first", "second"}};

/* first and second are shift and scale of real numbers, low and range of integers. */
static PyObject *random_values(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                               PyObject *kwnames)
{
    static const char *const kinds[VKT_RANDOM_COUNT] = {"bits", "uniform", "normal", "exponential",
                                                        "integers"};
    PyObject *given[7];
    vkt_random_request request = {.kind = VKT_RANDOM_COUNT};
    vkt_py_shape shape;
    vkt_dtype dtype = VKT_FLOAT32;
    vkt_tensor *result = NULL;
    bool has_dtype;
    (void)module;

    if (!vkt_py_unpack(&RANDOM_PARAMS, args, n_args, kwnames, given))
        return NULL;
    for (int i = 0; i < VKT_RANDOM_COUNT; i++) {
        if (PyUnicode_Check(given[0]) && PyUnicode_CompareWithASCIIString(given[0], kinds[i]) == 0)
            request.kind = (vkt_random_kind)i;
    }
    if (request.kind == VKT_RANDOM_COUNT || !PyTuple_Check(given[1]) ||
        PyTuple_GET_SIZE(given[1]) != 3)
        return PyErr_Format(PyExc_TypeError,
                            "random: expected a kind and (key, stream, block), got %R and %R",
                            given[0], given[1]);
    if (!read_u64(PyTuple_GET_ITEM(given[1], 0), &request.key) ||
        !read_u64(PyTuple_GET_ITEM(given[1], 1), &request.stream) ||
        !read_u64(PyTuple_GET_ITEM(given[1], 2), &request.first_block) ||
        !vkt_py_shape_from("random", given[2], &shape) ||
        !vkt_py_dtype("random", given[3], &dtype, &has_dtype))
        return NULL;
    if (request.kind == VKT_RANDOM_INTEGERS) {
        if (!vkt_py_int64(given[5], &request.low) || !read_u64(given[6], &request.range))
            return NULL;
    } else {
        request.shift = PyFloat_AsDouble(given[5]);
        request.scale = PyFloat_AsDouble(given[6]);
        if (PyErr_Occurred())
            return NULL;
    }
    vkt_device *device = vkt_py_device_arg("random", given[4]);
    if (!device)
        return NULL;
    if (vkt_random(device, &request, dtype, shape.ndim, shape.dims, &result) != VKT_OK)
        return vkt_py_raise(device);
    uint64_t n_blocks = vkt_random_blocks(&request, dtype, (uint64_t)result->layout.n_elems);
    PyObject *values = vkt_py_tensor_new(result);
    return values ? Py_BuildValue("NK", values, (unsigned long long)n_blocks) : NULL;
}

/* ---- The table, for tests and benchmarks ----------------------------------------------------- */

static const char *const KINDS[] = {"unary", "binary", "ternary", "reduce", "scan"};
static const char *const RESULTS[] = {"same",       "real",  "bool", "float",
                                      "accumulate", "index", "where"};
static const char *const CLASSES[] = {"bool", "int", "uint", "float", "complex"};
static const char *const FACTS[] = {"commutative", "exact", "heavy", "shift", "divides"};

/* The names whose bits are set. */
static PyObject *list_bits(uint32_t bits, const char *const *names, size_t n)
{
    PyObject *list = PyList_New(0);

    for (size_t i = 0; list && i < n; i++) {
        if (!(bits & (1u << i)))
            continue;
        PyObject *name = PyUnicode_FromString(names[i]);
        if (!name || PyList_Append(list, name) < 0)
            Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

static PyObject *describe_op(vkt_op op)
{
    const vkt_op_info *info = &vkt_ops[op];
    PyObject *takes = list_bits(vkt_op_takes(op), CLASSES, sizeof(CLASSES) / sizeof(*CLASSES));
    PyObject *facts = list_bits(info->facts, FACTS, sizeof(FACTS) / sizeof(*FACTS));

    /* N takes the lists over, also when it fails. */
    return Py_BuildValue("{s:s,s:s,s:N,s:s,s:d,s:N,s:d,s:d}", "name", info->name, "kind",
                         KINDS[info->kind], "takes", takes, "result", RESULTS[info->result], "ulp",
                         (double)info->ulp, "facts", facts, "low", info->low, "high", info->high);
}

static PyObject *list_ops(PyObject *module, PyObject *unused)
{
    PyObject *list = PyList_New(0);
    (void)module;
    (void)unused;

    for (int i = 0; list && i < VKT_OP_COUNT; i++) {
        PyObject *row = describe_op((vkt_op)i);
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *list_dtypes(PyObject *module, PyObject *unused)
{
    PyObject *list = PyList_New(VKT_DTYPE_COUNT);
    (void)module;
    (void)unused;

    for (int i = 0; list && i < VKT_DTYPE_COUNT; i++) {
        PyObject *name = PyUnicode_FromString(vkt_dtypes[i].name);
        if (!name) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, name);
    }
    return list;
}

PyMethodDef vkt_py_op_functions[] = {
#define OP(name, kind, ...) ROW_##kind(name)
#include "tensor/ops.def"
#undef OP
    {"reduce", FASTCALL(reduce), KEYWORDS,
     "reduce($module, name, x, axis=None, keepdims=False, dtype=None, correction=0.0)\n--\n\n"
     "The reduction `name` of the op table over an axis, several, or all (None)."},
    {"scan", FASTCALL(scan), KEYWORDS,
     "scan($module, name, x, axis, dtype=None, include_initial=False)\n--\n\n"
     "The scan `name` of the op table along one axis."},
    {"matmul", FASTCALL(matmul), METH_FASTCALL,
     "matmul($module, x1, x2, /)\n--\n\nMatrix product, as the array API defines it."},
    {"concat", FASTCALL(concat), KEYWORDS,
     "concat($module, arrays, axis)\n--\n\nJoins tensors along an axis."},
    {"take", FASTCALL(take), KEYWORDS,
     "take($module, x, indices, axis, trusted=False)\n--\n\n"
     "Elements at integer indices; negative ones count from the end."},
    {"take_along_axis", FASTCALL(take_along_axis), KEYWORDS,
     "take_along_axis($module, x, indices, axis)\n--\n\n"
     "Elements at indices along an axis, of which each other position has its own."},
    {"put_along_axis", FASTCALL(put_along_axis), KEYWORDS,
     "put_along_axis($module, x, indices, values, axis)\n--\n\n"
     "Writes the values where take_along_axis reads."},
    {"flat_nonzero", flat_nonzero, METH_O,
     "flat_nonzero($module, x, /)\n--\n\n"
     "Numbers, in C order, of the elements that are not zero: int64."},
    {"searchsorted", FASTCALL(searchsorted), KEYWORDS,
     "searchsorted($module, x1, x2, right=False)\n--\n\n"
     "Where the elements of x2 belong in the sorted x1."},
    {"sort", FASTCALL(sort), KEYWORDS,
     "sort($module, x, axis, descending=False, values=True, indices=False)\n--\n\n"
     "The elements sorted along an axis, where each was, or both."},
    {"random", FASTCALL(random_values), KEYWORDS,
     "random($module, kind, position, shape, dtype, device, first, second)\n--\n\n"
     "Values of a counted random stream from position (key, stream, block) on, and how many "
     "blocks they take."},
    {"ops", list_ops, METH_NOARGS, "ops($module)\n--\n\nThe op table, a dict for each row."},
    {"dtypes", list_dtypes, METH_NOARGS, "dtypes($module)\n--\n\nThe names of all dtypes."},
    {NULL, NULL, 0, NULL},
};
