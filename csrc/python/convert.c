/* python/convert.c - Python arguments to C values: parameters, dtypes, shapes, axes, scalars. */
#include "python/core.h"

/* ---- Parameters ------------------------------------------------------------------------------ */

static int count_params(const vkt_py_params *params)
{
    int n = 0;
    while (n < VKT_PY_MAX_PARAMS && params->names[n])
        n++;
    return n;
}

static int find_param(const vkt_py_params *params, int n, PyObject *name)
{
    for (int i = 0; i < n; i++) {
        if (PyUnicode_CompareWithASCIIString(name, params->names[i]) == 0)
            return i;
    }
    return -1;
}

bool vkt_py_unpack(const vkt_py_params *params, PyObject *const *args, Py_ssize_t n_args,
                   PyObject *kwnames, PyObject **out)
{
    int n = count_params(params);
    Py_ssize_t n_named = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;

    if (n_args > n) {
        PyErr_Format(PyExc_TypeError, "%s: expected at most %d arguments, got %zd",
                     params->function, n, n_args);
        return false;
    }
    for (int i = 0; i < n; i++)
        out[i] = i < n_args ? args[i] : NULL;
    for (Py_ssize_t i = 0; i < n_named; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        int at = find_param(params, n, name);
        if (at < 0 || out[at]) {
            PyErr_Format(PyExc_TypeError,
                         at < 0 ? "%s: got an unexpected argument '%U'"
                                : "%s: got two values for the argument '%U'",
                         params->function, name);
            return false;
        }
        out[at] = args[n_args + i];
    }
    for (int i = 0; i < params->n_required; i++) {
        if (!out[i]) {
            PyErr_Format(PyExc_TypeError, "%s: the argument '%s' is missing", params->function,
                         params->names[i]);
            return false;
        }
    }
    return true;
}

bool vkt_py_flag(PyObject *object, bool fallback, bool *out)
{
    int truth = object ? PyObject_IsTrue(object) : fallback;

    *out = truth > 0;
    return truth >= 0;
}

bool vkt_py_copy_flag(const char *op, PyObject *object, int *out)
{
    bool flag = false;

    *out = -1;
    if (!object || object == Py_None)
        return true;
    if (PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s: copy is True, False or None, got '%U'", op, object);
        return false;
    }
    if (!vkt_py_flag(object, false, &flag))
        return false;
    *out = flag;
    return true;
}

vkt_tensor *vkt_py_tensor_arg(const char *op, PyObject *object)
{
    if (vkt_py_is_tensor(object))
        return vkt_py_value(object);
    PyErr_Format(PyExc_TypeError, "%s: expected a Tensor, got %.100s", op,
                 Py_TYPE(object)->tp_name);
    return NULL;
}

/* ---- dtypes ---------------------------------------------------------------------------------- */

static bool find_dtype_name(PyObject *object, vkt_dtype *out)
{
    for (int i = 0; i < VKT_DTYPE_COUNT; i++) {
        if (PyUnicode_CompareWithASCIIString(object, vkt_dtypes[i].name) == 0) {
            *out = (vkt_dtype)i;
            return true;
        }
    }
    return false;
}

/* The package's dtype objects carry a numpy.dtype; so do other libraries'. */
static bool read_dtype_attribute(const char *op, PyObject *object, vkt_dtype *out, bool *found)
{
    PyObject *attribute = PyObject_GetAttrString(object, "dtype");
    bool ok = true;

    *found = attribute && vkt_py_is_numpy_dtype(attribute);
    if (!attribute && PyErr_ExceptionMatches(PyExc_AttributeError))
        PyErr_Clear();
    else if (!attribute)
        return false;
    if (*found)
        ok = vkt_py_dtype_from_numpy(op, attribute, out);
    Py_XDECREF(attribute);
    return ok;
}

bool vkt_py_dtype(const char *op, PyObject *object, vkt_dtype *out, bool *given)
{
    bool found = false;

    *given = object && object != Py_None;
    if (!*given)
        return true;
    if (PyUnicode_Check(object) && find_dtype_name(object, out))
        return true;
    /* Python's own types follow our defaults, not NumPy's. */
    if (object == (PyObject *)&PyBool_Type || object == (PyObject *)&PyLong_Type ||
        object == (PyObject *)&PyFloat_Type || object == (PyObject *)&PyComplex_Type) {
        *out = object == (PyObject *)&PyBool_Type    ? VKT_BOOL
               : object == (PyObject *)&PyLong_Type  ? VKT_INT64
               : object == (PyObject *)&PyFloat_Type ? VKT_FLOAT32
                                                     : VKT_COMPLEX64;
        return true;
    }
    if (!vkt_py_is_numpy_dtype(object) && !PyUnicode_Check(object)) {
        if (!read_dtype_attribute(op, object, out, &found))
            return false;
        if (found)
            return true;
    }
    return vkt_py_dtype_from_numpy(op, object, out);
}

vkt_dtype vkt_py_weak(vkt_dtype dtype, vkt_class cls)
{
    if (cls == VKT_CLASS_COMPLEX)
        return vkt_dtype_complex(dtype);
    if (cls == VKT_CLASS_FLOAT)
        return vkt_dtype_is_float(dtype) || vkt_dtype_is_complex(dtype) ? dtype : VKT_FLOAT32;
    if (cls != VKT_CLASS_BOOL && dtype == VKT_BOOL)
        return VKT_INT64;
    return dtype;
}

/* ---- Shapes and axes ------------------------------------------------------------------------- */

bool vkt_py_int64(PyObject *object, int64_t *out)
{
    PyObject *index = PyNumber_Index(object);
    int overflow = 0;

    if (!index)
        return false;
    *out = PyLong_AsLongLongAndOverflow(index, &overflow);
    if (overflow)
        PyErr_Format(PyExc_ValueError, "the integer %S does not fit in 64 bits", index);
    Py_DECREF(index);
    return !PyErr_Occurred();
}

/* Reads at most VKT_MAX_NDIM integers, from one or from a sequence. */
static bool read_integers(const char *op, const char *what, PyObject *object, int64_t *out, int *n)
{
    PyObject *items = NULL;
    bool ok = false;

    *n = 1;
    if (PyIndex_Check(object)) {
        if (vkt_py_int64(object, out))
            return true;
        /* An array with axes has an __index__ that fails. */
        if (!PyErr_ExceptionMatches(PyExc_TypeError) || !PySequence_Check(object))
            return false;
        PyErr_Clear();
    }
    if (!PyUnicode_Check(object) && PySequence_Check(object))
        items = PySequence_Tuple(object);
    if (!items) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "%s: %s is an int or a tuple of ints, got %.100s", op,
                         what, Py_TYPE(object)->tp_name);
        return false;
    }
    Py_ssize_t length = PyTuple_GET_SIZE(items);
    if (length > VKT_MAX_NDIM) {
        PyErr_Format(PyExc_ValueError, "%s: a tensor has at most %d dimensions, got %zd", op,
                     VKT_MAX_NDIM, length);
        goto done;
    }
    *n = (int)length;
    for (Py_ssize_t i = 0; i < length; i++) {
        if (!vkt_py_int64(PyTuple_GET_ITEM(items, i), &out[i])) {
            if (PyErr_ExceptionMatches(PyExc_TypeError))
                PyErr_Format(PyExc_TypeError,
                             "%s: %s is an int or a tuple of ints, got %.100s in it", op, what,
                             Py_TYPE(PyTuple_GET_ITEM(items, i))->tp_name);
            goto done;
        }
    }
    ok = true;
done:
    Py_DECREF(items);
    return ok;
}

bool vkt_py_shape_from(const char *op, PyObject *object, vkt_py_shape *out)
{
    int n;

    memset(out, 0, sizeof(*out));
    if (!read_integers(op, "a shape", object, out->dims, &n))
        return false;
    out->ndim = n;
    return true;
}

/* Raises NumPy's AxisError, which is both a ValueError and an IndexError. */
static void raise_axis(const char *op, int64_t axis, int32_t ndim)
{
    PyObject *module = PyImport_ImportModule("numpy.exceptions");
    PyObject *error = module ? PyObject_GetAttrString(module, "AxisError") : NULL;

    if (error)
        PyErr_Format(error, "%s: axis %lld is out of bounds for %d dimensions", op, (long long)axis,
                     (int)ndim);
    Py_XDECREF(error);
    Py_XDECREF(module);
}

static bool resolve_axis(const char *op, int64_t axis, int32_t ndim, int32_t *out)
{
    if (axis < -ndim || axis >= ndim) {
        raise_axis(op, axis, ndim);
        return false;
    }
    *out = (int32_t)(axis < 0 ? axis + ndim : axis);
    return true;
}

bool vkt_py_axes_from(const char *op, PyObject *object, int32_t ndim, vkt_py_axes *out)
{
    int64_t axes[VKT_MAX_NDIM];
    uint32_t seen = 0;

    memset(out, 0, sizeof(*out));
    if (!read_integers(op, "axis", object, axes, &out->n))
        return false;
    for (int i = 0; i < out->n; i++) {
        if (!resolve_axis(op, axes[i], ndim, &out->axes[i]))
            return false;
        uint32_t bit = 1u << out->axes[i];
        if (seen & bit) {
            PyErr_Format(PyExc_ValueError, "%s: axis %d is named twice", op, (int)out->axes[i]);
            return false;
        }
        seen |= bit;
    }
    return true;
}

bool vkt_py_axis_from(const char *op, PyObject *object, int32_t ndim, int32_t *out)
{
    int64_t axis;

    return vkt_py_int64(object, &axis) && resolve_axis(op, axis, ndim, out);
}

PyObject *vkt_py_shape_tuple(int32_t ndim, const int64_t *dims)
{
    PyObject *tuple = PyTuple_New(ndim);

    for (int32_t i = 0; tuple && i < ndim; i++) {
        PyObject *dim = PyLong_FromLongLong(dims[i]);
        if (!dim) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, dim);
    }
    return tuple;
}

/* ---- Scalars --------------------------------------------------------------------------------- */

static int read_int(const char *op, PyObject *object, bool as_float, vkt_scalar *out)
{
    int overflow = 0;

    out->cls = VKT_CLASS_INT;
    out->value.i = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (!overflow)
        return 1;
    if (as_float) {
        out->cls = VKT_CLASS_FLOAT;
        out->value.f = PyLong_AsDouble(object);
        return PyErr_Occurred() ? -1 : 1;
    }
    if (overflow > 0) {
        out->cls = VKT_CLASS_UINT;
        out->value.u = PyLong_AsUnsignedLongLong(object);
        if (!PyErr_Occurred())
            return 1;
        PyErr_Clear();
    }
    PyErr_Format(PyExc_OverflowError, "%s: a Python integer beyond 64 bits", op);
    return -1;
}

static int read_complex(PyObject *object, vkt_scalar *out)
{
    Py_complex value = PyComplex_AsCComplex(object);

    out->cls = VKT_CLASS_COMPLEX;
    out->value.c.re = value.real;
    out->value.c.im = value.imag;
    return 1;
}

int vkt_py_scalar(const char *op, PyObject *object, bool as_float, vkt_scalar *out)
{
    if (PyFloat_CheckExact(object)) {
        out->cls = VKT_CLASS_FLOAT;
        out->value.f = PyFloat_AS_DOUBLE(object);
        return 1;
    }
    if (PyLong_CheckExact(object))
        return read_int(op, object, as_float, out);
    if (PyBool_Check(object)) {
        out->cls = VKT_CLASS_BOOL;
        out->value.b = object == Py_True;
        return 1;
    }
    if (PyComplex_CheckExact(object))
        return read_complex(object, out);
    if (vkt_py_is_numpy(object))
        return 0;
    if (PyComplex_Check(object))
        return read_complex(object, out);
    if (PyLong_Check(object))
        return read_int(op, object, as_float, out);
    if (PyFloat_Check(object)) {
        out->cls = VKT_CLASS_FLOAT;
        out->value.f = PyFloat_AsDouble(object);
        return 1;
    }
    return 0;
}

static double decode_float(vkt_dtype dtype, const void *bytes)
{
    if (dtype == VKT_FLOAT64) {
        double value;
        memcpy(&value, bytes, sizeof(value));
        return value;
    }
    if (dtype == VKT_FLOAT16)
        return PyFloat_Unpack2(bytes, PY_LITTLE_ENDIAN);
    uint32_t bits = 0;
    float value;
    if (dtype == VKT_BFLOAT16) {
        uint16_t high;
        memcpy(&high, bytes, sizeof(high));
        bits = (uint32_t)high << 16;
    } else {
        memcpy(&bits, bytes, sizeof(bits));
    }
    memcpy(&value, &bits, sizeof(value));
    return (double)value;
}

void vkt_py_decode(vkt_dtype dtype, const void *bytes, vkt_scalar *out)
{
    const vkt_dtype_info *info = &vkt_dtypes[dtype];
    uint64_t word = 0;

    out->cls = info->cls;
    if (info->cls == VKT_CLASS_COMPLEX) {
        vkt_dtype part = vkt_dtype_real(dtype);
        out->value.c.re = decode_float(part, bytes);
        out->value.c.im = decode_float(part, (const char *)bytes + vkt_dtypes[part].nbytes);
        return;
    }
    if (info->cls == VKT_CLASS_FLOAT) {
        out->value.f = decode_float(dtype, bytes);
        return;
    }
    memcpy(&word, bytes, info->nbytes);
    if (info->cls == VKT_CLASS_BOOL) {
        out->value.b = word != 0;
    } else if (info->cls == VKT_CLASS_UINT) {
        out->value.u = word;
    } else {
        unsigned unused = 64 - 8u * info->nbytes;
        out->value.i = (int64_t)(word << unused) >> unused;
    }
}

PyObject *vkt_py_scalar_object(const vkt_scalar *scalar)
{
    switch (scalar->cls) {
    case VKT_CLASS_BOOL:
        return PyBool_FromLong(scalar->value.b);
    case VKT_CLASS_INT:
        return PyLong_FromLongLong(scalar->value.i);
    case VKT_CLASS_UINT:
        return PyLong_FromUnsignedLongLong(scalar->value.u);
    case VKT_CLASS_COMPLEX:
        return PyComplex_FromDoubles(scalar->value.c.re, scalar->value.c.im);
    default:
        return PyFloat_FromDouble(scalar->value.f);
    }
}

PyObject *vkt_py_element(vkt_tensor *tensor)
{
    vkt_bits raw = {0};
    vkt_scalar scalar;
    vkt_tensor *held = vkt_tensor_ref(tensor);
    vkt_status status = vkt_tensor_to_host(held, &raw);
    vkt_dtype dtype = held->dtype;

    if (status != VKT_OK)
        (void)vkt_py_raise(held->device);
    vkt_tensor_unref(held);
    if (status != VKT_OK)
        return NULL;
    vkt_py_decode(dtype, &raw, &scalar);
    return vkt_py_scalar_object(&scalar);
}
