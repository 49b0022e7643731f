/* python/number.h - the ops as functions: number.c converts operands for both. */
#ifndef VKT_PYTHON_NUMBER_H
#define VKT_PYTHON_NUMBER_H

#include "python/core.h"

/* The function of one row of the op table: n objects, at least one of them a Tensor. */
PyObject *vkt_py_call_op(vkt_op op, PyObject *const *objects, Py_ssize_t n);
PyObject *vkt_py_call_matmul(PyObject *a, PyObject *b);

/* Tensor.__complex__ */
PyObject *vkt_py_tensor_complex(PyObject *self, PyObject *unused);

#endif
