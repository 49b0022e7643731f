/* python/number.c - operators: number slots and comparisons, expanded to rows of the op table. */
#include "python/core.h"

#include "ops/elementwise.h"
#include "ops/matmul.h"
#include "python/number.h"

/* ---- Operands -------------------------------------------------------------------------------- */

int vkt_py_operand(const char *op, PyObject *object, vkt_tensor *beside, vkt_arg *out)
{
    out->tensor = NULL;
    if (vkt_py_is_tensor(object)) {
        out->tensor = vkt_tensor_ref(vkt_py_value(object));
        return 1;
    }
    int is_scalar = vkt_py_scalar(op, object, vkt_dtype_is_float(beside->dtype), &out->scalar);
    if (is_scalar)
        return is_scalar;
    if (!vkt_py_is_numpy(object))
        return 0;
    return vkt_py_from_numpy(op, object, NULL, beside->device, &out->tensor) ? 1 : -1;
}

void vkt_py_operands_clear(vkt_arg *args, int n)
{
    for (int i = 0; i < n; i++)
        vkt_tensor_unref(args[i].tensor);
}

/* 1 and the operands, each to be cleared; 0 where one is none, whose number is in *culprit. */
static int convert_operands(const char *op, PyObject *const *objects, int n, vkt_arg *out,
                            int *culprit)
{
    vkt_tensor *beside = NULL;
    int status = 1, i;

    for (i = 0; i < n && !beside; i++) {
        if (vkt_py_is_tensor(objects[i]))
            beside = vkt_py_value(objects[i]);
    }
    if (!beside) {
        *culprit = 0;
        return 0;
    }
    /* Placing an array may wait, and another thread may rebind the Tensor meanwhile. */
    vkt_tensor_ref(beside);
    for (i = 0; i < n && status == 1; i++)
        status = vkt_py_operand(op, objects[i], beside, &out[i]);
    if (status != 1) {
        *culprit = i - 1;
        vkt_py_operands_clear(out, i);
    }
    vkt_tensor_unref(beside);
    return status;
}

/* The value of op, with one reference; *status is 1, 0 where an operand is none, or -1. */
static vkt_tensor *compute(vkt_op op, PyObject *const *objects, int n, int *status, int *culprit)
{
    vkt_arg args[3];
    vkt_tensor *result = NULL;

    *status = convert_operands(vkt_ops[op].name, objects, n, args, culprit);
    if (*status != 1)
        return NULL;
    if (vkt_elementwise(op, args, n, &result) != VKT_OK) {
        const vkt_tensor *first = args[0].tensor ? args[0].tensor : args[1].tensor;
        (void)vkt_py_raise(first ? first->device : NULL);
        *status = -1;
        result = NULL;
    }
    vkt_py_operands_clear(args, n);
    return result;
}

PyObject *vkt_py_call_op(vkt_op op, PyObject *const *objects, Py_ssize_t n)
{
    int status, culprit = 0, arity = vkt_op_arity(op);

    if (n != arity)
        return PyErr_Format(PyExc_TypeError, "%s: expected %d arguments, got %zd", vkt_ops[op].name,
                            arity, n);
    vkt_tensor *result = compute(op, objects, arity, &status, &culprit);
    if (result)
        return vkt_py_tensor_new(result);
    if (status == 0)
        PyErr_Format(PyExc_TypeError, "%s: expected a Tensor, got %.100s", vkt_ops[op].name,
                     Py_TYPE(objects[culprit])->tp_name);
    return NULL;
}

static PyObject *apply(vkt_op op, PyObject *const *objects, int n)
{
    int status, culprit = 0;
    vkt_tensor *result = compute(op, objects, n, &status, &culprit);

    if (result)
        return vkt_py_tensor_new(result);
    if (status == 0)
        Py_RETURN_NOTIMPLEMENTED;
    return NULL;
}

/* ---- Matrix product -------------------------------------------------------------------------- */

static vkt_tensor *multiply_matrices(PyObject *a, PyObject *b, int *status, int *culprit)
{
    PyObject *objects[2] = {a, b};
    vkt_arg args[2];
    vkt_tensor *result = NULL;

    *status = convert_operands("matmul", objects, 2, args, culprit);
    if (*status != 1)
        return NULL;
    for (int i = 0; i < 2 && *status == 1; i++) {
        if (!args[i].tensor) {
            *culprit = i;
            *status = 0;
        }
    }
    if (*status == 1 && vkt_matmul(args[0].tensor, args[1].tensor, &result) != VKT_OK) {
        (void)vkt_py_raise(args[0].tensor->device);
        *status = -1;
        result = NULL;
    }
    vkt_py_operands_clear(args, 2);
    return result;
}

PyObject *vkt_py_call_matmul(PyObject *a, PyObject *b)
{
    int status, culprit = 0;
    vkt_tensor *result = multiply_matrices(a, b, &status, &culprit);

    if (result)
        return vkt_py_tensor_new(result);
    if (status == 0)
        PyErr_Format(PyExc_TypeError, "matmul: expected a Tensor, got %.100s",
                     Py_TYPE(culprit ? b : a)->tp_name);
    return NULL;
}

static PyObject *tensor_matmul(PyObject *a, PyObject *b)
{
    int status, culprit = 0;
    vkt_tensor *result = multiply_matrices(a, b, &status, &culprit);

    if (result)
        return vkt_py_tensor_new(result);
    if (status == 0)
        Py_RETURN_NOTIMPLEMENTED;
    return NULL;
}

/* ---- In place -------------------------------------------------------------------------------- */

/* The kinds of NumPy's same-kind rule, in the order in which one may become another. */
static int find_kind(vkt_dtype dtype)
{
    switch (vkt_dtypes[dtype].cls) {
    case VKT_CLASS_BOOL:
        return 0;
    case VKT_CLASS_UINT:
        return 1;
    case VKT_CLASS_INT:
        return 2;
    case VKT_CLASS_COMPLEX:
        return 4;
    default:
        return 3;
    }
}

/* Gives *result the dtype of `target` where the same-kind rule allows it; shapes must agree. */
static bool fit_result(const char *op, vkt_tensor **result, const vkt_tensor *target)
{
    char result_text[VKT_SHAPE_TEXT], target_text[VKT_SHAPE_TEXT];
    const vkt_layout *from = &(*result)->layout, *to = &target->layout;
    vkt_tensor *cast = NULL;

    if (!vkt_layout_same_shape(from, to)) {
        PyErr_Format(PyExc_ValueError, "%s: a result of shape %s does not fit in place into %s", op,
                     vkt_shape_text(from->ndim, from->shape, result_text),
                     vkt_shape_text(to->ndim, to->shape, target_text));
        return false;
    }
    if ((*result)->dtype == target->dtype)
        return true;
    if (find_kind((*result)->dtype) > find_kind(target->dtype)) {
        PyErr_Format(PyExc_TypeError, "%s: a result of dtype %s does not fit in place into %s", op,
                     vkt_dtypes[(*result)->dtype].name, vkt_dtypes[target->dtype].name);
        return false;
    }
    if (vkt_astype(*result, target->dtype, &cast) != VKT_OK) {
        (void)vkt_py_raise(target->device);
        return false;
    }
    vkt_tensor_unref(*result);
    *result = cast;
    return true;
}

/* Stores `result`, which it takes over, as the new value of `self`. `target` is the value the
 * operands were read from. */
static PyObject *store_in_place(const char *op, PyObject *self, vkt_tensor *target,
                                vkt_tensor *result)
{
    PyObject *stored = NULL;

    if (!fit_result(op, &result, target))
        goto done;
    /* With no other view to see the change the handle may name the new value, not yet computed. */
    if (vkt_py_value(self) == target && vkt_tensor_is_sole_view(target)) {
        vkt_py_tensor_rebind(self, vkt_tensor_ref(result));
    } else {
        vkt_arg value = {.tensor = result};
        if (vkt_assign(op, target, &value) != VKT_OK) {
            (void)vkt_py_raise(target->device);
            goto done;
        }
    }
    stored = Py_NewRef(self);
done:
    vkt_tensor_unref(result);
    return stored;
}

static PyObject *apply_in_place(vkt_op op, PyObject *self, PyObject *other)
{
    PyObject *objects[2] = {self, other}, *stored = NULL;
    vkt_tensor *target = vkt_tensor_ref(vkt_py_value(self));
    int status, culprit = 0;
    vkt_tensor *result = compute(op, objects, 2, &status, &culprit);

    if (result)
        stored = store_in_place(vkt_ops[op].name, self, target, result);
    vkt_tensor_unref(target);
    if (!result && status == 0)
        Py_RETURN_NOTIMPLEMENTED;
    return stored;
}

static PyObject *tensor_inplace_matmul(PyObject *self, PyObject *other)
{
    PyObject *stored = NULL;
    vkt_tensor *target = vkt_tensor_ref(vkt_py_value(self));
    int status, culprit = 0;
    vkt_tensor *result = multiply_matrices(self, other, &status, &culprit);

    if (result)
        stored = store_in_place("matmul", self, target, result);
    vkt_tensor_unref(target);
    if (!result && status == 0)
        Py_RETURN_NOTIMPLEMENTED;
    return stored;
}

/* ---- Slots ----------------------------------------------------------------------------------- */

#define UNARY_SLOTS(X)                                                                             \
    X(negative, negative)                                                                          \
    X(positive, positive)                                                                          \
    X(absolute, abs)                                                                               \
    X(invert, bitwise_invert)

#define BINARY_SLOTS(X)                                                                            \
    X(add, add)                                                                                    \
    X(subtract, subtract)                                                                          \
    X(multiply, multiply)                                                                          \
    X(true_divide, divide)                                                                         \
    X(floor_divide, floor_divide)                                                                  \
    X(remainder, remainder)                                                                        \
    X(and, bitwise_and)                                                                            \
    X(or, bitwise_or)                                                                              \
    X(xor, bitwise_xor)                                                                            \
    X(lshift, bitwise_left_shift)                                                                  \
    X(rshift, bitwise_right_shift)

#define DEFINE_UNARY(slot, op)                                                                     \
    static PyObject *tensor_##slot(PyObject *x)                                                    \
    {                                                                                              \
        return apply(VKT_OP_##op, &x, 1);                                                          \
    }
UNARY_SLOTS(DEFINE_UNARY)

#define DEFINE_BINARY(slot, op)                                                                    \
    static PyObject *tensor_##slot(PyObject *a, PyObject *b)                                       \
    {                                                                                              \
        PyObject *objects[2] = {a, b};                                                             \
        return apply(VKT_OP_##op, objects, 2);                                                     \
    }                                                                                              \
    static PyObject *tensor_inplace_##slot(PyObject *self, PyObject *other)                        \
    {                                                                                              \
        return apply_in_place(VKT_OP_##op, self, other);                                           \
    }
BINARY_SLOTS(DEFINE_BINARY)

static PyObject *tensor_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    PyObject *objects[2] = {a, b};

    if (modulus != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return apply(VKT_OP_pow, objects, 2);
}

static PyObject *tensor_inplace_power(PyObject *self, PyObject *other, PyObject *modulus)
{
    if (modulus != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return apply_in_place(VKT_OP_pow, self, other);
}

static PyObject *tensor_divmod(PyObject *a, PyObject *b)
{
    PyObject *quotient = tensor_floor_divide(a, b), *rest = NULL, *pair = NULL;

    if (!quotient || quotient == Py_NotImplemented)
        return quotient;
    rest = tensor_remainder(a, b);
    if (rest)
        pair = PyTuple_Pack(2, quotient, rest);
    Py_DECREF(quotient);
    Py_XDECREF(rest);
    return pair;
}

static PyObject *tensor_richcompare(PyObject *a, PyObject *b, int how)
{
    static const vkt_op ops[] = {
        [Py_LT] = VKT_OP_less,      [Py_LE] = VKT_OP_less_equal, [Py_EQ] = VKT_OP_equal,
        [Py_NE] = VKT_OP_not_equal, [Py_GT] = VKT_OP_greater,    [Py_GE] = VKT_OP_greater_equal,
    };
    PyObject *objects[2] = {a, b};

    return apply(ops[how], objects, 2);
}

/* ---- One element ----------------------------------------------------------------------------- */

/* The only element of a 0-d tensor. */
static PyObject *read_scalar(PyObject *self)
{
    vkt_tensor *tensor = vkt_py_value(self);

    if (tensor->layout.ndim != 0)
        return PyErr_Format(PyExc_TypeError,
                            "only 0-d tensors can be converted to Python scalars, this one is %d-d",
                            (int)tensor->layout.ndim);
    return vkt_py_element(tensor);
}

static int tensor_bool(PyObject *self)
{
    vkt_tensor *tensor = vkt_py_value(self);

    if (tensor->layout.n_elems != 1) {
        PyErr_Format(PyExc_ValueError,
                     "the truth value of a tensor of %lld elements is ambiguous: use vt.any or "
                     "vt.all",
                     (long long)tensor->layout.n_elems);
        return -1;
    }
    PyObject *element = vkt_py_element(tensor);
    int truth = element ? PyObject_IsTrue(element) : -1;
    Py_XDECREF(element);
    return truth;
}

static PyObject *tensor_int(PyObject *self)
{
    PyObject *element = read_scalar(self);
    PyObject *result = element ? PyNumber_Long(element) : NULL;

    Py_XDECREF(element);
    return result;
}

static PyObject *tensor_float(PyObject *self)
{
    PyObject *element = read_scalar(self);
    PyObject *result = element ? PyNumber_Float(element) : NULL;

    Py_XDECREF(element);
    return result;
}

static PyObject *tensor_index(PyObject *self)
{
    vkt_tensor *tensor = vkt_py_value(self);

    if (tensor->layout.ndim != 0 || !vkt_dtype_is_integer(tensor->dtype))
        return PyErr_Format(PyExc_TypeError,
                            "only 0-d integer tensors can be used as an index, this one is %d-d %s",
                            (int)tensor->layout.ndim, vkt_dtypes[tensor->dtype].name);
    return vkt_py_element(tensor);
}

PyObject *vkt_py_tensor_complex(PyObject *self, PyObject *unused)
{
    PyObject *element = read_scalar(self), *result = NULL;
    (void)unused;

    if (element)
        result = PyObject_CallOneArg((PyObject *)&PyComplex_Type, element);
    Py_XDECREF(element);
    return result;
}

#define UNARY_SLOT(slot, op) {Py_nb_##slot, (void *)tensor_##slot},
#define BINARY_SLOT(slot, op)                                                                      \
    {Py_nb_##slot, (void *)tensor_##slot}, {Py_nb_inplace_##slot, (void *)tensor_inplace_##slot},

PyType_Slot vkt_py_number_slots[] = {
    UNARY_SLOTS(UNARY_SLOT) BINARY_SLOTS(BINARY_SLOT){Py_nb_power, (void *)tensor_power},
    {Py_nb_inplace_power, (void *)tensor_inplace_power},
    {Py_nb_matrix_multiply, (void *)tensor_matmul},
    {Py_nb_inplace_matrix_multiply, (void *)tensor_inplace_matmul},
    {Py_nb_divmod, (void *)tensor_divmod},
    {Py_nb_bool, (void *)tensor_bool},
    {Py_nb_int, (void *)tensor_int},
    {Py_nb_float, (void *)tensor_float},
    {Py_nb_index, (void *)tensor_index},
    {Py_tp_richcompare, (void *)tensor_richcompare},
    {0, NULL},
};
