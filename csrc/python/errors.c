/* python/errors.c - the exceptions of the package, and the one place where a status becomes one. */
#include "python/core.h"

/* Makes an exception of the package and keeps it in *out. */
static bool add_exception(PyObject *module, const char *name, const char *doc, PyObject *base,
                          PyObject **out)
{
    *out = PyErr_NewExceptionWithDoc(name, doc, base, NULL);
    return *out && PyModule_AddObjectRef(module, name + sizeof("vktensor.") - 1, *out) == 0;
}

bool vkt_py_errors_init(PyObject *module)
{
    return add_exception(module, "vktensor.OutOfMemoryError",
                         "Device or host memory, or the limit set for it, does not suffice.\n\n"
                         "Nothing was changed.\n\n"
                         "Attributes\n----------\n"
                         "requested : int or None\n    Bytes that were asked for.\n"
                         "in_use, cached, reserved, limit : int or None\n"
                         "    The device's bytes at that time, as of `vt.memory_stats`.",
                         PyExc_MemoryError, &vkt_py.out_of_memory) &&
           add_exception(module, "vktensor.DeviceLostError",
                         "GPU that stopped answering; every later operation on the device fails.",
                         PyExc_RuntimeError, &vkt_py.device_lost) &&
           add_exception(module, "vktensor.KernelCompileError",
                         "Kernel whose GLSL was refused; the text has the log and the source.",
                         PyExc_ValueError, &vkt_py.compile_error) &&
           add_exception(module, "vktensor.VulkanError",
                         "Vulkan call that failed; the text names the call and its result.",
                         PyExc_RuntimeError, &vkt_py.vulkan_error);
}

static PyObject *find_exception(vkt_status status)
{
    switch (status) {
    case VKT_VALUE_ERROR:
        return PyExc_ValueError;
    case VKT_TYPE_ERROR:
        return PyExc_TypeError;
    case VKT_INDEX_ERROR:
        return PyExc_IndexError;
    case VKT_BUFFER_ERROR:
        return PyExc_BufferError;
    case VKT_OUT_OF_MEMORY:
        return vkt_py.out_of_memory;
    case VKT_DEVICE_LOST:
        return vkt_py.device_lost;
    case VKT_COMPILE_ERROR:
        return vkt_py.compile_error;
    case VKT_VULKAN_ERROR:
        return vkt_py.vulkan_error;
    default:
        return PyExc_RuntimeError;
    }
}

/* Sets one attribute of an OutOfMemoryError. */
static bool set_bytes(PyObject *error, const char *name, uint64_t nbytes, bool known)
{
    PyObject *value = known ? PyLong_FromUnsignedLongLong(nbytes) : Py_NewRef(Py_None);
    if (!value)
        return false;
    bool ok = PyObject_SetAttrString(error, name, value) == 0;
    Py_DECREF(value);
    return ok;
}

static bool describe_memory(PyObject *error, const vkt_device *device)
{
    vkt_memory_stats stats = {0};

    if (device)
        vkt_memory_get_stats(device, &stats);
    uint64_t requested = vkt_status_requested();
    return set_bytes(error, "requested", requested, requested > 0) &&
           set_bytes(error, "in_use", stats.in_use, device) &&
           set_bytes(error, "cached", stats.cached, device) &&
           set_bytes(error, "reserved", stats.reserved, device) &&
           set_bytes(error, "limit", stats.limit, device);
}

PyObject *vkt_py_raise(const vkt_device *device)
{
    vkt_status status = vkt_status_last();
    PyObject *type = NULL, *text = NULL, *error = NULL;

    if (status == VKT_INTERRUPTED && PyErr_Occurred())
        return NULL;
    /* A kernel's log may quote any bytes. */
    const char *chars = vkt_status_text();
    text = PyUnicode_DecodeUTF8(chars, (Py_ssize_t)strlen(chars), "replace");
    if (!text)
        goto done;
    type = find_exception(status);
    error = PyObject_CallOneArg(type, text);
    if (!error || (status == VKT_OUT_OF_MEMORY && !describe_memory(error, device)))
        goto done;
    PyErr_SetObject(type, error);
done:
    Py_XDECREF(error);
    Py_XDECREF(text);
    return NULL;
}
