/* python/arrays.c - functions that reshape, view, convert, assign and compute whole tensors. */
#include "python/core.h"

#include "ops/elementwise.h"

#define FASTCALL(function) (PyCFunction)(void (*)(void)) function
#define KEYWORDS           (METH_FASTCALL | METH_KEYWORDS)

/* The end of a function of one tensor: releases the reference it held and gives the result, or
 * raises. */
static PyObject *finish(vkt_tensor *x, vkt_status status, vkt_tensor *out)
{
    if (status != VKT_OK)
        (void)vkt_py_raise(x->device);
    vkt_tensor_unref(x);
    return status == VKT_OK ? vkt_py_tensor_new(out) : NULL;
}

/* The first argument as a tensor, and the others; false with an exception. */
static bool unpack_tensor(const vkt_py_params *params, PyObject *const *args, Py_ssize_t n_args,
                          PyObject *kwnames, PyObject **given)
{
    return vkt_py_unpack(params, args, n_args, kwnames, given) &&
           vkt_py_tensor_arg(params->function, given[0]);
}

/* ---- Views ----------------------------------------------------------------------------------- */

static const vkt_py_params PERMUTE_PARAMS = {"permute_dims", 2, {"x", "axes"}};

static PyObject *permute_dims(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                              PyObject *kwnames)
{
    PyObject *given[2];
    vkt_py_axes axes;
    vkt_layout layout;
    (void)module;

    if (!unpack_tensor(&PERMUTE_PARAMS, args, n_args, kwnames, given))
        return NULL;
    int32_t ndim = vkt_py_value(given[0])->layout.ndim;
    if (!vkt_py_axes_from("permute_dims", given[1], ndim, &axes))
        return NULL;
    if (axes.n != ndim)
        return PyErr_Format(PyExc_ValueError, "permute_dims: expected %d axes, got %d", (int)ndim,
                            (int)axes.n);
    vkt_tensor *x = vkt_py_value(given[0]);
    if (vkt_layout_permute("permute_dims", &x->layout, axes.axes, &layout) != VKT_OK)
        return vkt_py_raise(x->device);
    return vkt_py_view(x, &layout);
}

/* A view of `x` with the new shape, of a copy of its elements where there is no other way. */
static vkt_status reshape_tensor(vkt_tensor *x, const vkt_py_shape *shape, int copy,
                                 vkt_tensor **out)
{
    vkt_layout layout;
    vkt_tensor *source = NULL;
    bool is_view = false;

    VKT_TRY(vkt_layout_reshape("reshape", &x->layout, shape->ndim, shape->dims, &layout, &is_view));
    VKT_REQUIRE(is_view || copy != 0, VKT_VALUE_ERROR,
                "reshape: this needs a copy, which copy=False forbids");
    if (copy == 1)
        VKT_TRY(vkt_tensor_copy(x, &source));
    else if (!is_view)
        VKT_TRY(vkt_tensor_contiguous(x, &source));
    if (source)
        VKT_TRY(vkt_layout_reshape("reshape", &source->layout, shape->ndim, shape->dims, &layout,
                                   &is_view));
    VKT_TRY(vkt_tensor_view(source ? source : x, &layout, out));
    vkt_tensor_unref(source);
    return VKT_OK;
fail:
    vkt_tensor_unref(source);
    return vkt_status_last();
}

static const vkt_py_params RESHAPE_PARAMS = {"reshape", 2, {"x", "shape", "copy"}};

static PyObject *reshape(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                         PyObject *kwnames)
{
    PyObject *given[3];
    vkt_py_shape shape;
    vkt_tensor *out = NULL;
    int copy;
    (void)module;

    if (!unpack_tensor(&RESHAPE_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_shape_from("reshape", given[1], &shape) ||
        !vkt_py_copy_flag("reshape", given[2], &copy))
        return NULL;
    vkt_tensor *x = vkt_tensor_ref(vkt_py_value(given[0]));
    vkt_status status = reshape_tensor(x, &shape, copy, &out);
    return finish(x, status, out);
}

static const vkt_py_params BROADCAST_PARAMS = {"broadcast_to", 2, {"x", "shape"}};

static PyObject *broadcast_to(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                              PyObject *kwnames)
{
    PyObject *given[2];
    vkt_py_shape shape;
    vkt_layout layout;
    (void)module;

    if (!unpack_tensor(&BROADCAST_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_shape_from("broadcast_to", given[1], &shape))
        return NULL;
    vkt_tensor *x = vkt_py_value(given[0]);
    if (vkt_layout_broadcast_to("broadcast_to", &x->layout, shape.ndim, shape.dims, &layout) !=
        VKT_OK)
        return vkt_py_raise(x->device);
    return vkt_py_view(x, &layout);
}

#define MAX_SHAPES 64

static PyObject *broadcast_shapes(PyObject *module, PyObject *const *args, Py_ssize_t n_args)
{
    vkt_layout layouts[MAX_SHAPES], result;
    const vkt_layout *pointers[MAX_SHAPES];
    (void)module;

    if (n_args > MAX_SHAPES)
        return PyErr_Format(PyExc_ValueError, "broadcast_shapes: at most %d shapes, got %zd",
                            MAX_SHAPES, n_args);
    for (Py_ssize_t i = 0; i < n_args; i++) {
        vkt_py_shape shape;
        if (!vkt_py_shape_from("broadcast_shapes", args[i], &shape))
            return NULL;
        if (vkt_layout_init("broadcast_shapes", shape.ndim, shape.dims, 1, &layouts[i]) != VKT_OK)
            return vkt_py_raise(NULL);
        pointers[i] = &layouts[i];
    }
    if (n_args == 0)
        return PyTuple_New(0);
    if (vkt_layout_broadcast("broadcast_shapes", pointers, (int)n_args, &result) != VKT_OK)
        return vkt_py_raise(NULL);
    return vkt_py_shape_tuple(result.ndim, result.shape);
}

static const vkt_py_params EXPAND_PARAMS = {"expand_dims", 2, {"x", "axes"}};

static PyObject *expand_dims(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                             PyObject *kwnames)
{
    PyObject *given[2];
    vkt_py_axes axes;
    uint32_t bits = 0;
    (void)module;

    if (!unpack_tensor(&EXPAND_PARAMS, args, n_args, kwnames, given))
        return NULL;
    /* Positions are those of the result, whose ndim needs the number of axes first. */
    Py_ssize_t n_new =
        PyTuple_Check(given[1]) || PyList_Check(given[1]) ? PySequence_Size(given[1]) : 1;
    int32_t ndim = vkt_py_value(given[0])->layout.ndim + (int32_t)Py_MIN(n_new, VKT_MAX_NDIM);
    if (ndim > VKT_MAX_NDIM)
        return PyErr_Format(PyExc_ValueError,
                            "expand_dims: a tensor has at most %d dimensions, got %d", VKT_MAX_NDIM,
                            (int)ndim);
    if (!vkt_py_axes_from("expand_dims", given[1], ndim, &axes))
        return NULL;
    for (int32_t i = 0; i < axes.n; i++)
        bits |= 1u << axes.axes[i];
    vkt_tensor *x = vkt_py_value(given[0]);
    vkt_layout layout = x->layout;
    for (int32_t axis = 0; axis < ndim; axis++) {
        if ((bits & (1u << axis)) && vkt_layout_insert("expand_dims", &layout, axis) != VKT_OK)
            return vkt_py_raise(x->device);
    }
    return vkt_py_view(x, &layout);
}

static const vkt_py_params SQUEEZE_PARAMS = {"squeeze", 2, {"x", "axes"}};

static PyObject *squeeze(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                         PyObject *kwnames)
{
    PyObject *given[2];
    vkt_py_axes axes;
    uint32_t bits = 0;
    (void)module;

    if (!unpack_tensor(&SQUEEZE_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_axes_from("squeeze", given[1], vkt_py_value(given[0])->layout.ndim, &axes))
        return NULL;
    vkt_tensor *x = vkt_py_value(given[0]);
    vkt_layout layout = x->layout;
    for (int32_t i = 0; i < axes.n; i++) {
        if (layout.shape[axes.axes[i]] != 1)
            return PyErr_Format(PyExc_ValueError,
                                "squeeze: axis %d has length %lld, only 1 can be dropped",
                                (int)axes.axes[i], (long long)layout.shape[axes.axes[i]]);
        bits |= 1u << axes.axes[i];
    }
    for (int32_t axis = layout.ndim - 1; axis >= 0; axis--) {
        if (bits & (1u << axis))
            vkt_layout_select(&layout, axis, 0);
    }
    return vkt_py_view(x, &layout);
}

static const vkt_py_params FLIP_PARAMS = {"flip", 2, {"x", "axes"}};

static PyObject *flip(PyObject *module, PyObject *const *args, Py_ssize_t n_args, PyObject *kwnames)
{
    PyObject *given[2];
    vkt_py_axes axes;
    (void)module;

    if (!unpack_tensor(&FLIP_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_axes_from("flip", given[1], vkt_py_value(given[0])->layout.ndim, &axes))
        return NULL;
    vkt_tensor *x = vkt_py_value(given[0]);
    vkt_layout layout = x->layout;
    for (int32_t i = 0; i < axes.n; i++) {
        int64_t length = layout.shape[axes.axes[i]];
        if (length > 1)
            vkt_layout_slice(&layout, axes.axes[i], length - 1, -1, length);
    }
    return vkt_py_view(x, &layout);
}

/* ---- Values ---------------------------------------------------------------------------------- */

static const vkt_py_params ASTYPE_PARAMS = {"astype", 2, {"x", "dtype", "copy"}};

static PyObject *astype(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                        PyObject *kwnames)
{
    PyObject *given[3];
    vkt_dtype dtype = VKT_FLOAT32;
    bool has_dtype, copy;
    vkt_tensor *out = NULL;
    (void)module;

    if (!unpack_tensor(&ASTYPE_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_dtype("astype", given[1], &dtype, &has_dtype) ||
        !vkt_py_flag(given[2], true, &copy))
        return NULL;
    if (!has_dtype)
        return PyErr_Format(PyExc_TypeError, "astype: expected a dtype, got None");
    vkt_tensor *x = vkt_py_value(given[0]);
    if (x->dtype == dtype && !copy)
        return Py_NewRef(given[0]);
    vkt_tensor_ref(x);
    vkt_status status = x->dtype == dtype ? vkt_tensor_copy(x, &out) : vkt_astype(x, dtype, &out);
    return finish(x, status, out);
}

static const vkt_py_params ASSIGN_PARAMS = {"assign", 2, {"x", "value"}};

static PyObject *assign(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                        PyObject *kwnames)
{
    PyObject *given[2];
    (void)module;

    if (!unpack_tensor(&ASSIGN_PARAMS, args, n_args, kwnames, given))
        return NULL;
    vkt_tensor *x = vkt_tensor_ref(vkt_py_value(given[0]));
    bool ok = vkt_py_assign("assign", x, given[1]);
    vkt_tensor_unref(x);
    if (!ok)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- dtypes ---------------------------------------------------------------------------------- */

typedef struct promotion {
    bool has_strong, has_weak;
    vkt_dtype strong;
    vkt_class weak;
    bool beyond_int64; /* a weak integer only uint64 holds */
} promotion;

static bool promote(promotion *state, PyObject *object)
{
    vkt_scalar scalar;
    vkt_dtype dtype = VKT_FLOAT32;
    bool given = true, ok;
    int ndim;
    int is_scalar = vkt_py_scalar("result_type", object, false, &scalar);

    if (is_scalar < 0)
        return false;
    if (is_scalar) {
        vkt_class cls = scalar.cls == VKT_CLASS_UINT ? VKT_CLASS_INT : scalar.cls;
        state->beyond_int64 |= scalar.cls == VKT_CLASS_UINT;
        state->weak = state->has_weak && state->weak > cls ? state->weak : cls;
        state->has_weak = true;
        return true;
    }
    if (vkt_py_is_tensor(object)) {
        dtype = vkt_py_value(object)->dtype;
        ok = true;
    } else if (vkt_py_is_numpy(object)) {
        ok = vkt_py_numpy_describe("result_type", object, &dtype, &ndim);
    } else {
        ok = vkt_py_dtype("result_type", object, &dtype, &given);
    }
    if (ok && !given) {
        PyErr_SetString(PyExc_TypeError, "result_type: None is not a dtype");
        return false;
    }
    if (ok)
        state->strong = state->has_strong ? vkt_dtype_promote(state->strong, dtype) : dtype;
    state->has_strong = true;
    return ok;
}

static PyObject *result_type(PyObject *module, PyObject *const *args, Py_ssize_t n_args)
{
    promotion state = {.weak = VKT_CLASS_BOOL};
    (void)module;

    if (n_args == 0)
        return PyErr_Format(PyExc_ValueError, "result_type: expected at least one argument");
    for (Py_ssize_t i = 0; i < n_args; i++) {
        if (!promote(&state, args[i]))
            return NULL;
    }
    if (!state.has_strong) {
        vkt_dtype alone = vkt_py_weak(VKT_BOOL, state.weak);
        return vkt_py_numpy_dtype(alone == VKT_INT64 && state.beyond_int64 ? VKT_UINT64 : alone);
    }
    return vkt_py_numpy_dtype(state.has_weak ? vkt_py_weak(state.strong, state.weak)
                                             : state.strong);
}

/* ---- Computing ------------------------------------------------------------------------------- */

static bool compute_all(vkt_tensor **tensors, Py_ssize_t n)
{
    if (n == 0 || vkt_eval(tensors, (int)n) == VKT_OK)
        return true;
    (void)vkt_py_raise(tensors[0]->device);
    return false;
}

static PyObject *eval(PyObject *module, PyObject *const *args, Py_ssize_t n_args)
{
    vkt_tensor **tensors = vkt_py_tensors_arg("eval", args, n_args);
    (void)module;

    if (!tensors)
        return NULL;
    bool ok = compute_all(tensors, n_args);
    for (Py_ssize_t i = 0; ok && i < n_args; i++) {
        ok = vkt_block_wait(tensors[i]->block, false) == VKT_OK;
        if (!ok)
            (void)vkt_py_raise(tensors[i]->device);
    }
    vkt_py_tensors_free(tensors, n_args);
    if (!ok)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *async_eval(PyObject *module, PyObject *const *args, Py_ssize_t n_args)
{
    vkt_tensor **tensors = vkt_py_tensors_arg("async_eval", args, n_args);
    (void)module;

    if (!tensors)
        return NULL;
    bool ok = compute_all(tensors, n_args);
    for (Py_ssize_t i = 0; ok && i < n_args; i++) {
        /* One submit for each device: an empty one costs nothing but a call. */
        if (i > 0 && tensors[i]->device == tensors[i - 1]->device)
            continue;
        ok = vkt_flush_idle(tensors[i]->device) == VKT_OK;
        if (!ok)
            (void)vkt_py_raise(tensors[i]->device);
    }
    vkt_py_tensors_free(tensors, n_args);
    if (!ok)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *pending(PyObject *module, PyObject *x)
{
    (void)module;
    if (!vkt_py_tensor_arg("pending", x))
        return NULL;
    return PyBool_FromLong(!vkt_py_value(x)->block);
}

PyMethodDef vkt_py_array_functions[] = {
    {"permute_dims", FASTCALL(permute_dims), KEYWORDS,
     "permute_dims($module, x, axes)\n--\n\nA view with the axes in another order."},
    {"reshape", FASTCALL(reshape), KEYWORDS,
     "reshape($module, x, shape, copy=None)\n--\n\nThe elements in another shape."},
    {"broadcast_to", FASTCALL(broadcast_to), KEYWORDS,
     "broadcast_to($module, x, shape)\n--\n\nA view that repeats axes of length 1."},
    {"broadcast_shapes", FASTCALL(broadcast_shapes), METH_FASTCALL,
     "broadcast_shapes($module, /, *shapes)\n--\n\nThe shape that all shapes broadcast to."},
    {"expand_dims", FASTCALL(expand_dims), KEYWORDS,
     "expand_dims($module, x, axes)\n--\n\nA view with new axes of length 1."},
    {"squeeze", FASTCALL(squeeze), KEYWORDS,
     "squeeze($module, x, axes)\n--\n\nA view without the named axes of length 1."},
    {"flip", FASTCALL(flip), KEYWORDS, "flip($module, x, axes)\n--\n\nA view in reverse order."},
    {"astype", FASTCALL(astype), KEYWORDS,
     "astype($module, x, dtype, copy=True)\n--\n\nThe elements converted."},
    {"assign", FASTCALL(assign), KEYWORDS, "assign($module, x, value)\n--\n\nx[...] = value"},
    {"result_type", FASTCALL(result_type), METH_FASTCALL,
     "result_type($module, /, *arrays_and_dtypes)\n--\n\n"
     "The dtype an op on these would compute in; Python scalars are weak."},
    {"eval", FASTCALL(eval), METH_FASTCALL,
     "eval($module, /, *tensors)\n--\n\nComputes and waits."},
    {"async_eval", FASTCALL(async_eval), METH_FASTCALL,
     "async_eval($module, /, *tensors)\n--\n\nStarts computing."},
    {"pending", pending, METH_O, "pending($module, x, /)\n--\n\nTrue until x is computed."},
    {NULL, NULL, 0, NULL},
};
