/* python/numpy.c - everything that touches NumPy's C API: dtypes and arrays, both ways. */
#include "python/core.h"

#include <math.h>

#include <numpy/arrayobject.h>

#include "ops/elementwise.h"

/* ---- dtypes ---------------------------------------------------------------------------------- */

static const int TYPE_NUMBERS[VKT_DTYPE_COUNT] = {
    [VKT_BOOL] = NPY_BOOL,       [VKT_INT8] = NPY_INT8,           [VKT_INT16] = NPY_INT16,
    [VKT_INT32] = NPY_INT32,     [VKT_INT64] = NPY_INT64,         [VKT_UINT8] = NPY_UINT8,
    [VKT_UINT16] = NPY_UINT16,   [VKT_UINT32] = NPY_UINT32,       [VKT_UINT64] = NPY_UINT64,
    [VKT_FLOAT16] = NPY_FLOAT16, [VKT_BFLOAT16] = NPY_NOTYPE,     [VKT_FLOAT32] = NPY_FLOAT32,
    [VKT_FLOAT64] = NPY_FLOAT64, [VKT_COMPLEX64] = NPY_COMPLEX64, [VKT_COMPLEX128] = NPY_COMPLEX128,
};

static PyArray_Descr *descrs[VKT_DTYPE_COUNT]; /* bfloat16's when first asked for */

/* ml_dtypes takes a third of our own import time, and most programs have no bfloat16. */
static bool load_bfloat16(void)
{
    if (descrs[VKT_BFLOAT16])
        return true;
    PyObject *module = PyImport_ImportModule("ml_dtypes");
    PyObject *type = module ? PyObject_GetAttrString(module, "bfloat16") : NULL;
    bool ok = type && PyArray_DescrConverter(type, &descrs[VKT_BFLOAT16]) == NPY_SUCCEED;
    Py_XDECREF(type);
    Py_XDECREF(module);
    return ok;
}

bool vkt_py_numpy_init(void)
{
    if (PyArray_ImportNumPyAPI() < 0)
        return false;
    for (int i = 0; i < VKT_DTYPE_COUNT; i++) {
        if (TYPE_NUMBERS[i] != NPY_NOTYPE && !(descrs[i] = PyArray_DescrFromType(TYPE_NUMBERS[i])))
            return false;
    }
    return true;
}

PyObject *vkt_py_numpy_dtype(vkt_dtype dtype)
{
    if (dtype == VKT_BFLOAT16 && !load_bfloat16())
        return NULL;
    return Py_NewRef((PyObject *)descrs[dtype]);
}

/* A new reference for calls that steal one. */
static PyArray_Descr *new_descr(vkt_dtype dtype)
{
    return (PyArray_Descr *)vkt_py_numpy_dtype(dtype);
}

bool vkt_py_is_numpy(PyObject *object)
{
    return PyArray_Check(object) || PyArray_IsScalar(object, Generic);
}

bool vkt_py_is_numpy_array(PyObject *object)
{
    return PyArray_Check(object);
}

bool vkt_py_is_numpy_dtype(PyObject *object)
{
    return PyArray_DescrCheck(object);
}

/* Ours of a numpy.dtype, of any byte order. */
static bool find_dtype(const char *op, PyArray_Descr *descr, vkt_dtype *out)
{
    if (PyTypeNum_ISUSERDEF(descr->type_num)) {
        if (!load_bfloat16())
            return false;
        *out = VKT_BFLOAT16;
        if (descr->type_num == descrs[VKT_BFLOAT16]->type_num)
            return true;
    }
    for (int i = 0; i < VKT_DTYPE_COUNT; i++) {
        /* By kind and size: C has two names for some integers. */
        if (TYPE_NUMBERS[i] != NPY_NOTYPE && descrs[i]->kind == descr->kind &&
            PyDataType_ELSIZE(descrs[i]) == PyDataType_ELSIZE(descr)) {
            *out = (vkt_dtype)i;
            return true;
        }
    }
    PyErr_Format(PyExc_TypeError, "%s: dtype %S is not supported", op, descr);
    return false;
}

bool vkt_py_dtype_from_numpy(const char *op, PyObject *object, vkt_dtype *out)
{
    PyArray_Descr *descr = NULL;

    if (PyArray_DescrConverter(object, &descr) != NPY_SUCCEED) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "%s: expected a dtype, got %R", op, object);
        return false;
    }
    bool ok = find_dtype(op, descr, out);
    Py_DECREF(descr);
    return ok;
}

bool vkt_py_numpy_describe(const char *op, PyObject *object, vkt_dtype *dtype, int *ndim)
{
    if (PyArray_Check(object)) {
        *ndim = PyArray_NDIM((PyArrayObject *)object);
        return find_dtype(op, PyArray_DESCR((PyArrayObject *)object), dtype);
    }
    PyArray_Descr *descr = PyArray_DescrFromScalar(object);
    bool ok = descr && find_dtype(op, descr, dtype);
    *ndim = 0;
    Py_XDECREF(descr);
    return ok;
}

/* ---- To the device --------------------------------------------------------------------------- */

/* The elements in native byte order and C order, of `dtype` or their own. */
static PyArrayObject *convert_array(const char *op, PyObject *object, const vkt_dtype *dtype,
                                    vkt_dtype *found)
{
    const int wanted = NPY_ARRAY_CARRAY_RO | NPY_ARRAY_NOTSWAPPED | NPY_ARRAY_FORCECAST;
    PyArray_Descr *descr = NULL;
    PyArrayObject *array = NULL, *converted = NULL;

    if (dtype && (PyList_Check(object) || PyTuple_Check(object))) {
        /* At once: NumPy refuses Python integers that do not fit. */
        *found = *dtype;
        descr = new_descr(*dtype);
        return descr ? (PyArrayObject *)PyArray_FromAny(object, descr, 0, 0, wanted, NULL) : NULL;
    }
    /* First as it is: its dtype may be none of ours, which deserves its name in the error. */
    array = (PyArrayObject *)PyArray_FromAny(object, NULL, 0, 0, 0, NULL);
    if (!array || !find_dtype(op, PyArray_DESCR(array), found))
        goto done;
    if (dtype)
        *found = *dtype;
    descr = new_descr(*found);
    if (descr)
        converted = (PyArrayObject *)PyArray_FromArray(array, descr, wanted);
done:
    Py_XDECREF(array);
    return converted;
}

PyObject *vkt_py_numpy_discover(PyObject *object)
{
    return PyArray_FromAny(object, NULL, 0, 0, 0, NULL);
}

/* 1: copied by the device, at the speed of the bus, from an array in one of its blocks. 0: the
 * array is no such, or its elements are to be converted. */
static int copy_from_block(const char *op, PyObject *object, const vkt_dtype *dtype,
                           vkt_device *device, vkt_tensor **out)
{
    vkt_py_memory memory;
    vkt_tensor *view = NULL;
    char why[VKT_PY_WHY];

    if (!PyArray_Check(object) || vkt_device_get_info(device)->unified_memory)
        return 0;
    if (!vkt_py_numpy_memory(op, object, &memory))
        return -1;
    if (!memory.block || vkt_block_device(memory.block) != device ||
        (dtype && *dtype != memory.dtype))
        return 0;
    memory.writable = true; /* the view does not get out of here */
    int shared = vkt_py_share(&memory, device, &view, why);
    if (shared != 1)
        return shared;
    vkt_status status = vkt_tensor_from_view(view, out);
    if (status != VKT_OK)
        (void)vkt_py_raise(device);
    vkt_tensor_unref(view);
    return status == VKT_OK ? 1 : -1;
}

/* Whether it is NaN, of which a double does not keep all bits of a narrower format. */
static bool is_nan(const vkt_scalar *value)
{
    return (value->cls == VKT_CLASS_FLOAT && isnan(value->value.f)) ||
           (value->cls == VKT_CLASS_COMPLEX &&
            (isnan(value->value.c.re) || isnan(value->value.c.im)));
}

bool vkt_py_from_numpy(const char *op, PyObject *object, const vkt_dtype *dtype, vkt_device *device,
                       vkt_tensor **out)
{
    int copied = copy_from_block(op, object, dtype, device, out);

    if (copied)
        return copied > 0;
    vkt_dtype found = VKT_FLOAT32;
    vkt_py_shape shape = {.ndim = 0};
    vkt_status status = VKT_OK;
    PyArrayObject *array = convert_array(op, object, dtype, &found);

    if (!array)
        return false;
    int ndim = PyArray_NDIM(array);
    if (ndim > VKT_MAX_NDIM) {
        PyErr_Format(PyExc_ValueError, "%s: a tensor has at most %d dimensions, got %d", op,
                     VKT_MAX_NDIM, ndim);
        Py_DECREF(array);
        return false;
    }
    shape.ndim = ndim;
    for (int i = 0; i < ndim; i++)
        shape.dims[i] = PyArray_DIM(array, i);
    vkt_scalar value = {.cls = VKT_CLASS_BOOL};
    if (ndim == 0)
        vkt_py_decode(found, PyArray_DATA(array), &value);
    if (ndim == 0 && !is_nan(&value))
        status = vkt_full(op, device, found, 0, shape.dims, &value, out);
    else
        status = vkt_tensor_from_host(device, found, ndim, shape.dims, PyArray_DATA(array), out);
    if (status != VKT_OK)
        (void)vkt_py_raise(device);
    Py_DECREF(array);
    return status == VKT_OK;
}

/* ---- Its memory ------------------------------------------------------------------------------ */

static const char CAPSULE_NAME[] = "vktensor.block";

/* The block that an array's data lie in, or NULL. */
static vkt_block *find_block(PyArrayObject *array, bool *born_there)
{
    PyObject *base = PyArray_BASE(array);

    while (base && PyArray_Check(base)) {
        array = (PyArrayObject *)base;
        base = PyArray_BASE(array);
    }
    if (base && PyCapsule_IsValid(base, CAPSULE_NAME))
        return PyCapsule_GetPointer(base, CAPSULE_NAME);
    if (!PyArray_CHKFLAGS(array, NPY_ARRAY_OWNDATA))
        return NULL;
    vkt_block *block = vkt_py_host_block(PyArray_DATA(array));
    *born_there = block != NULL;
    return block;
}

bool vkt_py_numpy_memory(const char *op, PyObject *object, vkt_py_memory *out)
{
    PyArrayObject *array = (PyArrayObject *)object;
    int ndim = PyArray_NDIM(array);

    memset(out, 0, sizeof(*out));
    if (!find_dtype(op, PyArray_DESCR(array), &out->dtype))
        return false;
    out->data = PyArray_BYTES(array);
    out->writable = PyArray_ISWRITEABLE(array);
    out->owner = object;
    out->block = find_block(array, &out->born_there);
    if (PyArray_ISBYTESWAPPED(array))
        out->unfit = "its byte order is foreign";
    if (ndim > VKT_MAX_NDIM) {
        out->unfit = "it has more than 16 dimensions";
        return true;
    }
    out->ndim = ndim;
    for (int i = 0; i < ndim; i++) {
        out->shape[i] = PyArray_DIM(array, i);
        out->strides[i] = PyArray_STRIDE(array, i);
    }
    return true;
}

PyObject *vkt_py_numpy_wrap(const vkt_py_memory *memory)
{
    npy_intp shape[VKT_MAX_NDIM], strides[VKT_MAX_NDIM];
    PyArray_Descr *descr = new_descr(memory->dtype);
    PyObject *array = NULL;

    for (int32_t i = 0; i < memory->ndim; i++) {
        shape[i] = memory->shape[i];
        strides[i] = memory->strides[i];
    }
    if (descr)
        array = PyArray_NewFromDescr(&PyArray_Type, descr, memory->ndim, shape, strides,
                                     memory->data, 0, NULL);
    if (array && PyArray_SetBaseObject((PyArrayObject *)array, Py_NewRef(memory->owner)) < 0)
        Py_CLEAR(array);
    return array;
}

/* ---- To the host ----------------------------------------------------------------------------- */

static void release_capsule(PyObject *capsule)
{
    vkt_py_export_end(PyCapsule_GetPointer(capsule, CAPSULE_NAME));
}

/* An array of the bytes of an exported block, whose export and reference it takes over. */
static PyObject *wrap_block(vkt_block *block, char *data, vkt_dtype dtype, const vkt_layout *layout,
                            bool writable)
{
    npy_intp shape[VKT_MAX_NDIM], strides[VKT_MAX_NDIM];
    PyObject *capsule = PyCapsule_New(block, CAPSULE_NAME, release_capsule);

    if (!capsule) {
        vkt_py_export_end(block);
        return NULL;
    }
    for (int32_t i = 0; i < layout->ndim; i++) {
        shape[i] = layout->shape[i];
        strides[i] = layout->strides[i] * vkt_dtypes[dtype].nbytes;
    }
    PyArray_Descr *descr = new_descr(dtype);
    PyObject *array = NULL;
    if (descr)
        array = PyArray_NewFromDescr(&PyArray_Type, descr, layout->ndim, shape, strides, data,
                                     writable ? NPY_ARRAY_WRITEABLE : 0, NULL);
    if (!array) {
        Py_DECREF(capsule);
        return NULL;
    }
    /* Steals the capsule, also when it fails. */
    if (PyArray_SetBaseObject((PyArrayObject *)array, capsule) < 0)
        Py_CLEAR(array);
    return array;
}

/* An array of NumPy's own memory. */
static PyObject *copy_array(vkt_tensor *tensor)
{
    npy_intp shape[VKT_MAX_NDIM];
    PyArray_Descr *descr = new_descr(tensor->dtype);
    PyObject *array = NULL;

    for (int32_t i = 0; i < tensor->layout.ndim; i++)
        shape[i] = tensor->layout.shape[i];
    if (descr)
        array = PyArray_NewFromDescr(&PyArray_Type, descr, tensor->layout.ndim, shape, NULL, NULL,
                                     0, NULL);
    if (array && vkt_tensor_to_host(tensor, PyArray_DATA((PyArrayObject *)array)) != VKT_OK) {
        (void)vkt_py_raise(tensor->device);
        Py_CLEAR(array);
    }
    return array;
}

/* An array of a pinned block that it alone owns. */
static PyObject *stage_array(vkt_tensor *tensor)
{
    vkt_block *block = NULL;
    uint64_t offset = 0;
    vkt_layout layout;
    bool cached = false;

    if (vkt_layout_init("numpy", tensor->layout.ndim, tensor->layout.shape,
                        vkt_dtypes[tensor->dtype].nbytes, &layout) != VKT_OK ||
        vkt_tensor_to_host_block(tensor, &block, &offset) != VKT_OK)
        return vkt_py_raise(tensor->device);
    vkt_block_add_export(block);
    char *data = (char *)vkt_block_host(block, &cached) + offset;
    return wrap_block(block, data, tensor->dtype, &layout, true);
}

static PyObject *make_array(vkt_tensor *tensor, int copy)
{
    vkt_py_export export = {.block = NULL};

    if (!vkt_py_export_begin(tensor, false, &export))
        return NULL;
    if (export.block && copy != 1)
        return wrap_block(export.block, export.data, tensor->dtype, &tensor->layout,
                          export.writable);
    if (export.block) {
        vkt_py_export_end(export.block);
        return copy_array(tensor);
    }
    if (copy == 0) {
        PyErr_SetString(PyExc_ValueError,
                        "numpy: the host cannot view this memory, and copy=False forbids a copy");
        return NULL;
    }
    return stage_array(tensor);
}

PyObject *vkt_py_to_numpy(vkt_tensor *tensor, int copy)
{
    vkt_tensor *held = vkt_tensor_ref(tensor);
    PyObject *array = make_array(held, copy);

    vkt_tensor_unref(held);
    return array;
}

/* 1: copied by the device into an array in one of its blocks; 0: the array is no such. */
static int copy_into_block(vkt_tensor *tensor, PyObject *array)
{
    vkt_py_memory memory;
    vkt_tensor *view = NULL;
    char why[VKT_PY_WHY];

    if (vkt_device_get_info(tensor->device)->unified_memory)
        return 0;
    if (!vkt_py_numpy_memory("to_numpy", array, &memory))
        return -1;
    if (!memory.block || vkt_block_device(memory.block) != tensor->device)
        return 0;
    int shared = vkt_py_share(&memory, tensor->device, &view, why);
    if (shared != 1)
        return shared;
    vkt_status status = vkt_tensor_into_view(tensor, view);
    if (status != VKT_OK)
        (void)vkt_py_raise(tensor->device);
    vkt_tensor_unref(view);
    return status == VKT_OK ? 1 : -1;
}

/* Bytes of the array may be bytes of the tensor. */
static bool may_overlap(const vkt_tensor *tensor, PyArrayObject *array)
{
    bool cached;
    const char *host = tensor->block ? vkt_block_host(tensor->block, &cached) : NULL;
    const char *data = PyArray_BYTES(array);

    return host && host < data + PyArray_NBYTES(array) &&
           data < host + vkt_block_nbytes(tensor->block);
}

static bool is_fit_for(const vkt_tensor *tensor, PyObject *object)
{
    PyArrayObject *array = (PyArrayObject *)object;
    const vkt_layout *layout = &tensor->layout;
    char text[VKT_SHAPE_TEXT];

    if (!PyArray_Check(object)) {
        PyErr_Format(PyExc_TypeError, "to_numpy: out is a NumPy array, got %.100s",
                     Py_TYPE(object)->tp_name);
        return false;
    }
    PyObject *own = vkt_py_numpy_dtype(tensor->dtype);
    bool same = own && PyArray_EquivTypes((PyArray_Descr *)own, PyArray_DESCR(array));
    if (own && !same)
        PyErr_Format(PyExc_TypeError, "to_numpy: expected an array of %S, got one of %S", own,
                     PyArray_DESCR(array));
    Py_XDECREF(own);
    if (!same)
        return false;
    same = PyArray_NDIM(array) == layout->ndim;
    for (int32_t i = 0; same && i < layout->ndim; i++)
        same = PyArray_DIM(array, i) == layout->shape[i];
    if (!same)
        PyErr_Format(PyExc_ValueError, "to_numpy: expected an array of shape %s",
                     vkt_shape_text(layout->ndim, layout->shape, text));
    return same && PyArray_FailUnlessWriteable(array, "to_numpy: out") == 0;
}

static bool copy_into(vkt_tensor *tensor, PyArrayObject *array)
{
    int copied = copy_into_block(tensor, (PyObject *)array);

    if (copied)
        return copied > 0;
    if (PyArray_IS_C_CONTIGUOUS(array) && !may_overlap(tensor, array)) {
        if (vkt_tensor_to_host(tensor, PyArray_DATA(array)) == VKT_OK)
            return true;
        (void)vkt_py_raise(tensor->device);
        return false;
    }
    PyObject *source = make_array(tensor, -1);
    bool ok = source && PyArray_CopyInto(array, (PyArrayObject *)source) == 0;
    Py_XDECREF(source);
    return ok;
}

bool vkt_py_to_numpy_into(vkt_tensor *tensor, PyObject *array)
{
    vkt_tensor *held = vkt_tensor_ref(tensor);
    bool ok = is_fit_for(held, array) && copy_into(held, (PyArrayObject *)array);

    vkt_tensor_unref(held);
    return ok;
}

PyObject *vkt_py_to_numpy_dtype(vkt_tensor *tensor, PyObject *dtype, int copy)
{
    PyArray_Descr *wanted = NULL, *own = NULL;
    PyObject *array = NULL;

    if (!dtype || dtype == Py_None)
        return vkt_py_to_numpy(tensor, copy);
    own = new_descr(tensor->dtype);
    if (!own || PyArray_DescrConverter(dtype, &wanted) != NPY_SUCCEED)
        goto done;
    if (PyArray_EquivTypes(own, wanted)) {
        array = vkt_py_to_numpy(tensor, copy);
        goto done;
    }
    if (copy == 0) {
        PyErr_Format(PyExc_ValueError, "__array__: %S from %S is a copy, which copy=False forbids",
                     wanted, own);
        goto done;
    }
    PyObject *source = vkt_py_to_numpy(tensor, -1);
    if (source) {
        array = PyArray_CastToType((PyArrayObject *)source, wanted, 0);
        wanted = NULL;
        Py_DECREF(source);
    }
done:
    Py_XDECREF(wanted);
    Py_XDECREF(own);
    return array;
}

PyObject *vkt_py_to_list(vkt_tensor *tensor)
{
    /* ml_dtypes' elements are no Python floats. */
    PyObject *dtype = tensor->dtype == VKT_BFLOAT16 ? (PyObject *)descrs[VKT_FLOAT32] : NULL;
    PyObject *array = vkt_py_to_numpy_dtype(tensor, dtype, -1);
    PyObject *list = array ? PyArray_ToList((PyArrayObject *)array) : NULL;

    Py_XDECREF(array);
    return list;
}

/* ---- Where NumPy allocates (NEP 49) ---------------------------------------------------------- */

/* A handler for each device asked for. Arrays free through theirs at any later time: they stay. */
typedef struct handler {
    PyDataMem_Handler handler; /* ctx is this struct */
    struct handler *next;
    vkt_device *device;
    PyObject *capsule;
} handler;

static handler *handlers;

static const PyDataMemAllocator *ordinary(void)
{
    return &((PyDataMem_Handler *)PyCapsule_GetPointer(PyDataMem_DefaultHandler, "mem_handler"))
                ->allocator;
}

static void *handler_malloc(void *ctx, size_t nbytes)
{
    void *data = vkt_py_host_alloc(((handler *)ctx)->device, nbytes);

    return data ? data : ordinary()->malloc(ordinary()->ctx, nbytes);
}

static void *handler_calloc(void *ctx, size_t n, size_t nbytes)
{
    bool fits = n == 0 || nbytes <= SIZE_MAX / n;
    void *data = fits ? vkt_py_host_alloc(((handler *)ctx)->device, n * nbytes) : NULL;

    return data ? memset(data, 0, n * nbytes) : ordinary()->calloc(ordinary()->ctx, n, nbytes);
}

static void handler_free(void *ctx, void *data, size_t nbytes)
{
    (void)ctx;
    if (data && !vkt_py_host_free(data))
        ordinary()->free(ordinary()->ctx, data, nbytes);
}

static void *handler_realloc(void *ctx, void *data, size_t nbytes)
{
    const vkt_block *block = data ? vkt_py_host_block(data) : NULL;

    if (!block)
        return ordinary()->realloc(ordinary()->ctx, data, nbytes);
    uint64_t before = vkt_block_nbytes(block);
    void *moved = handler_malloc(ctx, nbytes);
    if (moved) {
        memcpy(moved, data, before < nbytes ? (size_t)before : nbytes);
        (void)vkt_py_host_free(data);
    }
    return moved;
}

static handler *find_handler(vkt_device *device)
{
    for (handler *known = handlers; known; known = known->next) {
        if (known->device == device)
            return known;
    }
    handler *fresh = PyMem_Calloc(1, sizeof(*fresh));
    if (!fresh) {
        PyErr_NoMemory();
        return NULL;
    }
    fresh->handler = (PyDataMem_Handler){
        .name = "vktensor host memory",
        .version = 1,
        .allocator = {fresh, handler_malloc, handler_calloc, handler_realloc, handler_free},
    };
    fresh->device = device;
    fresh->capsule = PyCapsule_New(&fresh->handler, "mem_handler", NULL);
    if (!fresh->capsule) {
        PyMem_Free(fresh);
        return NULL;
    }
    fresh->next = handlers;
    handlers = fresh;
    return fresh;
}

PyObject *vkt_py_numpy_allocate_on(vkt_device *device)
{
    handler *wanted = find_handler(device);

    return wanted ? PyDataMem_SetHandler(wanted->capsule) : NULL;
}

bool vkt_py_numpy_set_handler(PyObject *capsule)
{
    PyObject *old = PyDataMem_SetHandler(capsule);

    Py_XDECREF(old);
    return old != NULL;
}
