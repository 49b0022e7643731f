/* python/dlpack.c - DLPack: Tensors as capsules for other libraries, and their capsules as
 * Tensors. */
#include "python/dlpack.h"

#include <stdlib.h>

#include "ops/elementwise.h"
#include "ops/expr.h"
#include "python/core.h"

static const char OLD[] = "dltensor", OLD_USED[] = "used_dltensor";
static const char VERSIONED[] = "dltensor_versioned", VERSIONED_USED[] = "used_dltensor_versioned";

/* Memory of a discrete GPU that is mapped but not cached is shared up to here, if a copy is
 * forbidden: the host reads 0.03 GB/s. */
#define SLOW_NBYTES (64 << 10)

static const struct {
    uint8_t code, bits;
} TYPES[VKT_DTYPE_COUNT] = {
    [VKT_BOOL] = {VKT_DL_BOOL, 8},
    [VKT_INT8] = {VKT_DL_INT, 8},
    [VKT_INT16] = {VKT_DL_INT, 16},
    [VKT_INT32] = {VKT_DL_INT, 32},
    [VKT_INT64] = {VKT_DL_INT, 64},
    [VKT_UINT8] = {VKT_DL_UINT, 8},
    [VKT_UINT16] = {VKT_DL_UINT, 16},
    [VKT_UINT32] = {VKT_DL_UINT, 32},
    [VKT_UINT64] = {VKT_DL_UINT, 64},
    [VKT_FLOAT16] = {VKT_DL_FLOAT, 16},
    [VKT_BFLOAT16] = {VKT_DL_BFLOAT, 16},
    [VKT_FLOAT32] = {VKT_DL_FLOAT, 32},
    [VKT_FLOAT64] = {VKT_DL_FLOAT, 64},
    [VKT_COMPLEX64] = {VKT_DL_COMPLEX, 64},
    [VKT_COMPLEX128] = {VKT_DL_COMPLEX, 128},
};

/* ---- Giving ---------------------------------------------------------------------------------- */

/* What a capsule of ours holds. */
typedef struct exported {
    vkt_py_later later;
    vkt_block *block; /* with an export and a reference; NULL without elements */
    int64_t shape[VKT_MAX_NDIM], strides[VKT_MAX_NDIM];
    vkt_dl_managed_old old; /* one of the two */
    vkt_dl_managed versioned;
} exported;

static void end_exported(vkt_py_later *later)
{
    exported *self = (exported *)(void *)later;

    if (self->block)
        vkt_py_export_end(self->block);
    free(self);
}

/* A deleter may come from any thread, holding the interpreter's lock or not, at any time. */
static void delete_exported(exported *self)
{
    if (Py_IsInitialized() && PyGILState_Check())
        end_exported(&self->later);
    else
        vkt_py_later_add(&self->later);
}

static void delete_old(vkt_dl_managed_old *self)
{
    delete_exported(self->context);
}

static void delete_versioned(vkt_dl_managed *self)
{
    delete_exported(self->context);
}

/* Of a capsule that nobody took. */
static void destroy_capsule(PyObject *capsule)
{
    if (PyCapsule_IsValid(capsule, OLD)) {
        vkt_dl_managed_old *old = PyCapsule_GetPointer(capsule, OLD);
        old->deleter(old);
    } else if (PyCapsule_IsValid(capsule, VERSIONED)) {
        vkt_dl_managed *versioned = PyCapsule_GetPointer(capsule, VERSIONED);
        versioned->deleter(versioned);
    }
}

static PyObject *make_capsule(vkt_dtype dtype, const vkt_layout *layout, const vkt_py_export *bytes,
                              bool versioned, bool copied)
{
    exported *self = calloc(1, sizeof(*self));
    vkt_dl_tensor tensor = {
        .data = layout->n_elems ? bytes->data : NULL,
        .device_type = VKT_DL_CPU,
        .ndim = layout->ndim,
        .code = TYPES[dtype].code,
        .bits = TYPES[dtype].bits,
        .lanes = 1,
    };
    PyObject *capsule = NULL;

    if (self) {
        for (int32_t i = 0; i < layout->ndim; i++) {
            self->shape[i] = layout->shape[i];
            self->strides[i] = layout->strides[i];
        }
        tensor.shape = self->shape;
        tensor.strides = self->strides;
        self->later.run = end_exported;
        self->old = (vkt_dl_managed_old){tensor, self, delete_old};
        self->versioned = (vkt_dl_managed){
            .major = VKT_DL_MAJOR,
            .minor = VKT_DL_MINOR,
            .context = self,
            .deleter = delete_versioned,
            .flags = (bytes->writable ? 0u : VKT_DL_READ_ONLY) | (copied ? VKT_DL_IS_COPIED : 0u),
            .tensor = tensor,
        };
        capsule = versioned ? PyCapsule_New(&self->versioned, VERSIONED, destroy_capsule)
                            : PyCapsule_New(&self->old, OLD, destroy_capsule);
    } else {
        PyErr_NoMemory();
    }
    if (capsule) {
        self->block = bytes->block;
    } else {
        vkt_py_export_end(bytes->block);
        free(self);
    }
    return capsule;
}

/* A contiguous copy that the host may view. */
static bool export_copy(vkt_tensor *tensor, vkt_layout *layout, vkt_py_export *out)
{
    vkt_tensor *copy = NULL;
    uint64_t offset;
    bool cached;

    memset(out, 0, sizeof(*out));
    if (vkt_tensor_copy(tensor, &copy) != VKT_OK ||
        vkt_tensor_to_host_block(copy, &out->block, &offset) != VKT_OK) {
        (void)vkt_py_raise(tensor->device);
        vkt_tensor_unref(copy);
        return false;
    }
    vkt_layout_assign(layout, &copy->layout);
    vkt_tensor_unref(copy);
    vkt_block_add_export(out->block);
    out->data = (char *)vkt_block_host(out->block, &cached) + offset;
    out->writable = true;
    return true;
}

/* How __dlpack__ was asked. */
typedef struct request {
    bool versioned;
    bool to_cpu; /* dl_device is (1, 0) */
    int copy;    /* -1 where needed, 0 never, 1 always */
} request;

/* 1: the host can view the computed tensor, 0: it cannot, -1: exception. */
static int lies_on_host(vkt_tensor *tensor)
{
    bool cached = false;

    if (vkt_eval(&tensor, 1) == VKT_OK)
        return vkt_block_host(tensor->block, &cached) && cached;
    (void)vkt_py_raise(tensor->device);
    return -1;
}

static PyObject *give(vkt_tensor *tensor, const request *asked)
{
    vkt_py_export bytes = {.block = NULL};
    vkt_layout layout = {.ndim = 0};
    uint64_t nbytes = (uint64_t)tensor->layout.n_elems * vkt_dtypes[tensor->dtype].nbytes;
    bool slow = asked->to_cpu && asked->copy == 0 && nbytes <= SLOW_NBYTES;
    int on_host = lies_on_host(tensor);

    if (on_host < 0)
        return NULL;
    if (!on_host && !asked->to_cpu) {
        PyErr_SetString(PyExc_BufferError,
                        "__dlpack__: no other library reads this memory: ask for the host's, "
                        "dl_device=(1, 0), or use numpy()");
        return NULL;
    }
    if (asked->copy != 1) {
        if (!vkt_py_export_begin(tensor, slow, &bytes))
            return NULL;
        vkt_layout_assign(&layout, &tensor->layout);
    }
    bool copied = !bytes.block;
    if (copied && asked->copy == 0) {
        PyErr_SetString(PyExc_BufferError,
                        "__dlpack__: the host cannot view this memory, and copy=False forbids a "
                        "copy");
        return NULL;
    }
    if (copied && !export_copy(tensor, &layout, &bytes))
        return NULL;
    if (!bytes.writable && !asked->versioned) {
        vkt_py_export_end(bytes.block);
        PyErr_SetString(PyExc_BufferError,
                        "__dlpack__: the elements overlap or were lent for reading, which a "
                        "capsule before DLPack 1.0 cannot say: pass max_version=(1, 0)");
        return NULL;
    }
    return make_capsule(tensor->dtype, &layout, &bytes, asked->versioned, copied);
}

/* A pair of ints, as versions and devices are. */
static bool read_pair(const char *what, PyObject *object, int64_t pair[2])
{
    if (!PyTuple_Check(object) || PyTuple_GET_SIZE(object) != 2) {
        PyErr_Format(PyExc_TypeError, "__dlpack__: %s is a tuple of two ints or None, got %R", what,
                     object);
        return false;
    }
    return vkt_py_int64(PyTuple_GET_ITEM(object, 0), &pair[0]) &&
           vkt_py_int64(PyTuple_GET_ITEM(object, 1), &pair[1]);
}

static bool read_request(PyObject *const *given, request *out)
{
    int64_t stream = -1, pair[2];

    out->versioned = out->to_cpu = false;
    if (given[0] && given[0] != Py_None && !vkt_py_int64(given[0], &stream))
        return false;
    if (stream != -1) {
        PyErr_Format(PyExc_BufferError, "__dlpack__: the host has no stream %R", given[0]);
        return false;
    }
    if (given[1] && given[1] != Py_None) {
        if (!read_pair("max_version", given[1], pair))
            return false;
        out->versioned = pair[0] >= 1;
    }
    if (given[2] && given[2] != Py_None) {
        if (!read_pair("dl_device", given[2], pair))
            return false;
        out->to_cpu = pair[0] == VKT_DL_CPU && pair[1] == 0;
        if (!out->to_cpu) {
            PyErr_Format(PyExc_BufferError,
                         "__dlpack__: only the host's memory, dl_device=(1, 0), can be given, not "
                         "%R",
                         given[2]);
            return false;
        }
    }
    return vkt_py_copy_flag("__dlpack__", given[3], &out->copy);
}

static const vkt_py_params DLPACK_PARAMS = {
    "__dlpack__", 0, {"stream", "max_version", "dl_device", "copy"}};

PyObject *vkt_py_tensor_dlpack(PyObject *self, PyObject *const *args, Py_ssize_t n_args,
                               PyObject *kwnames)
{
    PyObject *given[4];
    request asked;

    if (!vkt_py_unpack(&DLPACK_PARAMS, args, n_args, kwnames, given) ||
        !read_request(given, &asked))
        return NULL;
    vkt_tensor *tensor = vkt_tensor_ref(vkt_py_value(self));
    PyObject *capsule = give(tensor, &asked);
    vkt_tensor_unref(tensor);
    return capsule;
}

PyObject *vkt_py_tensor_dlpack_device(PyObject *self, PyObject *unused)
{
    vkt_tensor *tensor = vkt_tensor_ref(vkt_py_value(self));
    int on_host = lies_on_host(tensor);
    PyObject *pair = NULL;
    (void)unused;

    if (on_host == 1)
        pair = Py_BuildValue("(ii)", VKT_DL_CPU, 0);
    else if (on_host == 0)
        pair = Py_BuildValue("(iI)", VKT_DL_VULKAN, vkt_device_get_info(tensor->device)->index);
    vkt_tensor_unref(tensor);
    return pair;
}

/* ---- Taking ---------------------------------------------------------------------------------- */

static bool is_host(int64_t device_type)
{
    return device_type == VKT_DL_CPU || device_type == VKT_DL_CUDA_HOST ||
           device_type == VKT_DL_ROCM_HOST || device_type == VKT_DL_CUDA_MANAGED;
}

/* Asks a producer for a capsule of memory the host can read. */
static PyObject *ask(PyObject *producer, int copy)
{
    PyObject *device = NULL, *method = NULL, *none = NULL, *keywords = NULL, *capsule = NULL;
    int device_type, device_id;

    method = PyObject_GetAttrString(producer, "__dlpack__");
    device = method ? PyObject_CallMethod(producer, "__dlpack_device__", NULL) : NULL;
    if (device && !PyTuple_Check(device))
        PyErr_Format(PyExc_TypeError, "from_dlpack: __dlpack_device__ gave %R, not a tuple",
                     device);
    if (PyErr_Occurred() || !PyArg_ParseTuple(device, "ii", &device_type, &device_id))
        goto done;
    keywords = Py_BuildValue("{s(ii)}", "max_version", VKT_DL_MAJOR, VKT_DL_MINOR);
    none = PyTuple_New(0);
    if (!keywords || !none)
        goto done;
    if (copy == 0 && PyDict_SetItemString(keywords, "copy", Py_False) < 0)
        goto done;
    if (!is_host(device_type)) {
        PyObject *host = Py_BuildValue("(ii)", VKT_DL_CPU, 0);
        int set = host ? PyDict_SetItemString(keywords, "dl_device", host) : -1;
        Py_XDECREF(host);
        if (set < 0)
            goto done;
    }
    capsule = PyObject_Call(method, none, keywords);
    /* A producer from before 1.0 knows no keywords; it never copies. */
    if (!capsule && is_host(device_type) && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        capsule = PyObject_CallNoArgs(method);
    }
done:
    Py_XDECREF(device);
    Py_XDECREF(method);
    Py_XDECREF(keywords);
    Py_XDECREF(none);
    return capsule;
}

static const char OWNER_OLD[] = "vktensor.dlpack", OWNER[] = "vktensor.dlpack_versioned";

/* Of the capsule that keeps what a producer gave. */
static void delete_taken(PyObject *owner)
{
    PyObject *type, *value, *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    if (PyCapsule_IsValid(owner, OWNER)) {
        vkt_dl_managed *managed = PyCapsule_GetPointer(owner, OWNER);
        if (managed->deleter)
            managed->deleter(managed);
    } else {
        vkt_dl_managed_old *managed = PyCapsule_GetPointer(owner, OWNER_OLD);
        if (managed->deleter)
            managed->deleter(managed);
    }
    PyErr_Restore(type, value, traceback);
}

/* Takes a capsule's contents over, into an object that deletes them. */
static PyObject *take(PyObject *capsule, const vkt_dl_tensor **tensor, uint64_t *flags)
{
    bool versioned = PyCapsule_IsValid(capsule, VERSIONED);

    if (!versioned && !PyCapsule_IsValid(capsule, OLD)) {
        PyErr_Format(PyExc_BufferError,
                     "from_dlpack: expected a capsule \"%s\" or \"%s\" not used before, got %R",
                     OLD, VERSIONED, capsule);
        return NULL;
    }
    void *contents = PyCapsule_GetPointer(capsule, versioned ? VERSIONED : OLD);
    PyObject *owner = PyCapsule_New(contents, versioned ? OWNER : OWNER_OLD, NULL);
    /* From the renaming on, deleting is our duty. */
    if (!owner || PyCapsule_SetName(capsule, versioned ? VERSIONED_USED : OLD_USED) < 0 ||
        PyCapsule_SetDestructor(owner, delete_taken) < 0) {
        Py_XDECREF(owner);
        return NULL;
    }
    *flags = 0;
    *tensor = &((const vkt_dl_managed_old *)contents)->tensor;
    if (versioned) {
        const vkt_dl_managed *managed = contents;
        if (managed->major != VKT_DL_MAJOR) {
            PyErr_Format(PyExc_BufferError, "from_dlpack: expected DLPack %d, got %u.%u",
                         VKT_DL_MAJOR, managed->major, managed->minor);
            Py_DECREF(owner);
            return NULL;
        }
        *tensor = &managed->tensor;
        *flags = managed->flags;
    }
    return owner;
}

static bool find_dtype(const vkt_dl_tensor *tensor, vkt_dtype *out)
{
    for (int i = 0; i < VKT_DTYPE_COUNT && tensor->lanes == 1; i++) {
        if (TYPES[i].code == tensor->code && TYPES[i].bits == tensor->bits) {
            *out = (vkt_dtype)i;
            return true;
        }
    }
    PyErr_Format(PyExc_TypeError,
                 "from_dlpack: a dtype of code %d, %d bits and %d lanes is not supported",
                 tensor->code, tensor->bits, tensor->lanes);
    return false;
}

/* What is wrong with a producer's tensor beyond its dtype, or NULL. */
static const char *find_fault(const vkt_dl_tensor *tensor)
{
    if (!is_host(tensor->device_type))
        return "its memory is not the host's";
    if (tensor->ndim < 0 || tensor->ndim > VKT_MAX_NDIM)
        return "it has not 0 to 16 dimensions";
    if (tensor->ndim > 0 && !tensor->shape)
        return "it has no shape";
    for (int32_t i = 0; i < tensor->ndim; i++) {
        if (tensor->shape[i] < 0)
            return "a length is negative";
    }
    return NULL;
}

/* The strides in bytes, and whether all elements lie in an address space. */
static bool read_strides(const vkt_dl_tensor *tensor, int64_t itemsize, vkt_py_memory *memory)
{
    int64_t packed = itemsize, reach, sum = 0;
    bool fits = true;

    for (int32_t i = tensor->ndim - 1; i >= 0; i--) {
        int64_t length = tensor->shape[i];
        memory->shape[i] = length;
        memory->strides[i] = packed;
        if (tensor->strides && length > 1)
            fits &= !__builtin_mul_overflow(tensor->strides[i], itemsize, &memory->strides[i]);
        fits &= !__builtin_mul_overflow(packed, length > 0 ? length : 1, &packed);
        fits &= !__builtin_mul_overflow(memory->strides[i], length > 0 ? length - 1 : 0, &reach);
        fits &= reach != INT64_MIN &&
                !__builtin_add_overflow(sum, reach < 0 ? -reach : reach, &sum) &&
                sum < INT64_MAX / 2;
        if (!fits)
            return false;
    }
    return true;
}

static bool describe(const vkt_dl_tensor *tensor, uint64_t flags, PyObject *owner,
                     vkt_py_memory *out)
{
    int64_t n_elems = 1;

    memset(out, 0, sizeof(*out));
    if (!find_dtype(tensor, &out->dtype))
        return false;
    const char *fault = find_fault(tensor);
    if (!fault && !read_strides(tensor, vkt_dtypes[out->dtype].nbytes, out))
        fault = "it reaches beyond 63 bits";
    for (int32_t i = 0; !fault && i < tensor->ndim; i++)
        n_elems *= tensor->shape[i];
    if (!fault && n_elems && !tensor->data)
        fault = "it has no data";
    if (fault) {
        PyErr_Format(PyExc_BufferError, "from_dlpack: the producer's tensor cannot be read: %s",
                     fault);
        return false;
    }
    out->ndim = tensor->ndim;
    out->data = tensor->data ? (char *)tensor->data + tensor->byte_offset : NULL;
    out->writable = !(flags & VKT_DL_READ_ONLY);
    out->owner = owner;
    return true;
}

static bool take_memory(const vkt_py_memory *memory, vkt_device *device, int copy, vkt_tensor **out)
{
    char why[VKT_PY_WHY];

    if (copy == 0 || (copy < 0 && vkt_py_worth_sharing(memory, device))) {
        int shared = vkt_py_share(memory, device, out, why);
        if (shared == 0 && copy == 0)
            PyErr_Format(PyExc_ValueError,
                         "from_dlpack: copy=False, but this memory cannot be shared: %s", why);
        if (shared || copy == 0)
            return shared == 1;
    }
    PyObject *array = vkt_py_numpy_wrap(memory);
    bool ok = array && vkt_py_from_numpy("from_dlpack", array, NULL, device, out);
    Py_XDECREF(array);
    return ok;
}

static const vkt_py_params FROM_PARAMS = {"from_dlpack", 1, {"x", "device", "copy"}};

PyObject *vkt_py_from_dlpack(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                             PyObject *kwnames)
{
    PyObject *given[3], *capsule = NULL, *owner = NULL;
    const vkt_dl_tensor *tensor = NULL;
    uint64_t flags = 0;
    vkt_py_memory memory;
    vkt_device *device = NULL;
    vkt_tensor *out = NULL;
    int copy;
    bool ok = false;
    (void)module;

    if (!vkt_py_unpack(&FROM_PARAMS, args, n_args, kwnames, given) ||
        !vkt_py_copy_flag("from_dlpack", given[2], &copy))
        return NULL;
    bool is_tensor = vkt_py_is_tensor(given[0]);
    bool placed = given[1] && given[1] != Py_None;
    if ((placed || !is_tensor) && !(device = vkt_py_device_arg("from_dlpack", given[1])))
        return NULL;
    if (is_tensor) {
        ok = vkt_py_asarray("from_dlpack", given[0], NULL, device, copy, &out);
        return ok ? vkt_py_tensor_new(out) : NULL;
    }
    capsule = PyCapsule_CheckExact(given[0]) ? Py_NewRef(given[0]) : ask(given[0], copy);
    owner = capsule ? take(capsule, &tensor, &flags) : NULL;
    if (owner && describe(tensor, flags, owner, &memory))
        ok = take_memory(&memory, device, copy, &out);
    Py_XDECREF(owner);
    Py_XDECREF(capsule);
    return ok ? vkt_py_tensor_new(out) : NULL;
}
