/* python/profile.c - timings and traces of what a device did, as lists of dicts. */
#include "python/core.h"

#define FASTCALL(function) (PyCFunction)(void (*)(void)) function
#define KEYWORDS           (METH_FASTCALL | METH_KEYWORDS)

static const char *const KINDS[] = {
    [VKT_EVENT_DISPATCH] = "dispatch",
    [VKT_EVENT_COPY] = "copy",
    [VKT_EVENT_BARRIER] = "barrier",
    [VKT_EVENT_SUBMIT] = "submit",
    [VKT_EVENT_WAIT] = "wait",
    [VKT_EVENT_HOST_READ] = "host_read",
    [VKT_EVENT_HOST_WRITE] = "host_write",
    [VKT_EVENT_COMPILE] = "compile",
};

/* The device argument that all functions here have. */
static vkt_device *unpack_device(const char *function, PyObject *const *args, Py_ssize_t n_args,
                                 PyObject *kwnames)
{
    const vkt_py_params params = {function, 0, {"device"}};
    PyObject *given[1];

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given))
        return NULL;
    return vkt_py_device_arg(function, given[0]);
}

/* Appends `item`, which it takes over. */
static bool append(PyObject *list, PyObject *item)
{
    bool ok = item && PyList_Append(list, item) == 0;

    Py_XDECREF(item);
    return ok;
}

static PyObject *decode(const char *text)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *profile_start(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                               PyObject *kwnames)
{
    vkt_device *device = unpack_device("profile_start", args, n_args, kwnames);
    (void)module;

    if (!device)
        return NULL;
    if (vkt_profile_start(device) != VKT_OK)
        return vkt_py_raise(device);
    Py_RETURN_NONE;
}

static PyObject *describe_profile_event(const vkt_profile_event *event)
{
    return Py_BuildValue(
        "{s:s,s:N,s:N,s:K,s:K,s:K,s:K,s:(III)}", "kind", KINDS[event->kind], "name",
        decode(event->name), "what", decode(event->what), "gpu_ns",
        (unsigned long long)event->gpu_ns, "gpu_start", (unsigned long long)event->gpu_start,
        "host_ns", (unsigned long long)event->host_ns, "nbytes", (unsigned long long)event->nbytes,
        "groups", event->groups[0], event->groups[1], event->groups[2]);
}

static PyObject *profile_stop(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                              PyObject *kwnames)
{
    vkt_device *device = unpack_device("profile_stop", args, n_args, kwnames);
    const vkt_profile_event *events = NULL;
    size_t n = 0;
    (void)module;

    if (!device)
        return NULL;
    if (vkt_profile_stop(device, &events, &n) != VKT_OK)
        return vkt_py_raise(device);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < n; i++) {
        if (!append(list, describe_profile_event(&events[i])))
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *trace_start(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                             PyObject *kwnames)
{
    vkt_device *device = unpack_device("trace_start", args, n_args, kwnames);
    (void)module;

    if (!device)
        return NULL;
    if (vkt_trace_start(device) != VKT_OK)
        return vkt_py_raise(device);
    Py_RETURN_NONE;
}

static PyObject *describe_trace_event(const vkt_trace_event *event, const vkt_trace_range *ranges)
{
    PyObject *list = PyList_New(0);

    for (uint32_t i = 0; list && i < event->n_ranges; i++) {
        const vkt_trace_range *range = &ranges[event->first_range + i];
        PyObject *item =
            Py_BuildValue("(KKN)", (unsigned long long)range->address,
                          (unsigned long long)range->nbytes, PyBool_FromLong(range->write));
        if (!append(list, item))
            Py_CLEAR(list);
    }
    if (!list)
        return NULL;
    return Py_BuildValue("{s:s,s:N,s:K,s:N}", "kind", KINDS[event->kind], "name",
                         decode(event->name), "submit", (unsigned long long)event->submit, "ranges",
                         list);
}

static PyObject *trace_stop(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                            PyObject *kwnames)
{
    vkt_device *device = unpack_device("trace_stop", args, n_args, kwnames);
    const vkt_trace_event *events = NULL;
    const vkt_trace_range *ranges = NULL;
    size_t n = 0;
    (void)module;

    if (!device)
        return NULL;
    vkt_trace_stop(device, &events, &n, &ranges);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < n; i++) {
        if (!append(list, describe_trace_event(&events[i], ranges)))
            Py_CLEAR(list);
    }
    return list;
}

PyMethodDef vkt_py_profile_functions[] = {
    {"profile_start", FASTCALL(profile_start), KEYWORDS,
     "profile_start($module, device=None)\n--\n\nTimes dispatches and copies from now on."},
    {"profile_stop", FASTCALL(profile_stop), KEYWORDS,
     "profile_stop($module, device=None)\n--\n\nWaits and gives the events, a dict each."},
    {"trace_start", FASTCALL(trace_start), KEYWORDS,
     "trace_start($module, device=None)\n--\n\nRecords every command and barrier from now on."},
    {"trace_stop", FASTCALL(trace_stop), KEYWORDS,
     "trace_stop($module, device=None)\n--\n\n"
     "The events, a dict each; ranges are (address, nbytes, write)."},
    {NULL, NULL, 0, NULL},
};
