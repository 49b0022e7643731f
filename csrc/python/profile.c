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
    [VKT_EVENT_TRANSFER] = "transfer",
    [VKT_EVENT_MEMORY] = "memory",
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

/* ---- Profiles -------------------------------------------------------------------------------- */

static PyObject *profile_start(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                               PyObject *kwnames)
{
    static const vkt_py_params params = {"profile_start", 0, {"device", "calibrated"}};
    PyObject *given[2];
    vkt_device *device;
    vkt_profile_mark mark;
    bool calibrated;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        !vkt_py_flag(given[1], true, &calibrated) ||
        !(device = vkt_py_device_arg("profile_start", given[0])))
        return NULL;
    if (vkt_profile_start(device, calibrated, &mark) != VKT_OK)
        return vkt_py_raise(device);
    return Py_BuildValue("(KKK)", (unsigned long long)mark.serial, (unsigned long long)mark.first,
                         (unsigned long long)mark.started_ns);
}

/* Adds name: value, which it takes over, to a dict; false with an exception when that fails. */
static bool add_item(PyObject *dict, const char *name, PyObject *value)
{
    bool ok = value && PyDict_SetItemString(dict, name, value) == 0;

    Py_XDECREF(value);
    return ok;
}

static bool add_number(PyObject *dict, const char *name, uint64_t value)
{
    return add_item(dict, name, PyLong_FromUnsignedLongLong(value));
}

static PyObject *make_shape(const vkt_note *note)
{
    PyObject *shape = PyTuple_New(note->ndim);

    for (int32_t i = 0; shape && i < note->ndim; i++) {
        PyObject *length = PyLong_FromLongLong(note->shape[i]);
        if (!length)
            Py_CLEAR(shape);
        else
            PyTuple_SET_ITEM(shape, i, length);
    }
    return shape;
}

static bool add_command(PyObject *dict, const vkt_profile_event *event)
{
    const vkt_note *note = event->note;
    const uint32_t *groups = event->groups;

    return add_number(dict, "recorded_ns", event->recorded_ns) &&
           add_item(dict, "groups", Py_BuildValue("(III)", groups[0], groups[1], groups[2])) &&
           add_item(dict, "what", decode(note ? note->what : "")) &&
           add_item(dict, "operands", decode(note ? note->operands : "")) &&
           add_item(dict, "dtype", decode(note ? note->dtype : "")) &&
           add_item(dict, "shape", note ? make_shape(note) : PyTuple_New(0));
}

static bool add_details(PyObject *dict, const vkt_profile_event *event)
{
    switch (event->kind) {
    case VKT_EVENT_DISPATCH:
    case VKT_EVENT_COPY:
        return add_command(dict, event);
    case VKT_EVENT_COMPILE:
        return add_number(dict, "glslang_ns", event->glslang_ns) &&
               add_number(dict, "driver_ns", event->driver_ns) &&
               add_item(dict, "spirv_cached",
                        PyBool_FromLong(event->flags & VKT_EVENT_SPIRV_CACHED)) &&
               add_item(dict, "pipeline_cached",
                        PyBool_FromLong(event->flags & VKT_EVENT_PIPELINE_CACHED));
    case VKT_EVENT_SUBMIT:
        if (!add_number(dict, "n_commands", event->n_commands))
            return false;
        /* fall through */
    case VKT_EVENT_MEMORY:
        return add_number(dict, "in_use", event->in_use) &&
               add_number(dict, "reserved", event->reserved);
    default:
        return true;
    }
}

static PyObject *describe_profile_event(const vkt_profile_event *event)
{
    PyObject *dict = Py_BuildValue(
        "{s:s,s:N,s:L,s:K,s:K,s:K,s:K}", "kind", KINDS[event->kind], "name", decode(event->name),
        "start_ns", (long long)event->start_ns, "ns", (unsigned long long)event->ns, "nbytes",
        (unsigned long long)event->nbytes, "submit", (unsigned long long)event->submit, "thread",
        (unsigned long long)event->thread);

    if (dict && !add_details(dict, event))
        Py_CLEAR(dict);
    return dict;
}

static PyObject *describe_record(const vkt_profile_record *record)
{
    PyObject *list = PyList_New(0);

    for (size_t i = 0; list && i < record->n_events; i++) {
        if (!append(list, describe_profile_event(&record->events[i])))
            Py_CLEAR(list);
    }
    if (!list)
        return NULL;
    return Py_BuildValue("{s:N,s:K,s:K,s:K,s:N}", "events", list, "ns",
                         (unsigned long long)record->ns, "dropped",
                         (unsigned long long)record->n_dropped, "clock_error_ns",
                         (unsigned long long)record->clock_error_ns, "calibrated",
                         PyBool_FromLong(record->calibrated));
}

/* The mark is what profile_start gave. */
static bool unpack_mark(const char *function, PyObject *object, vkt_profile_mark *out)
{
    unsigned long long serial, first, started;

    if (!PyTuple_Check(object) || !PyArg_ParseTuple(object, "KKK", &serial, &first, &started)) {
        PyErr_Format(PyExc_TypeError, "%s: expected the mark of profile_start", function);
        return false;
    }
    *out = (vkt_profile_mark){.serial = serial, .first = first, .started_ns = started};
    return true;
}

static PyObject *profile_stop(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                              PyObject *kwnames)
{
    static const vkt_py_params params = {"profile_stop", 1, {"mark", "device"}};
    PyObject *given[2];
    vkt_device *device;
    vkt_profile_mark mark;
    vkt_profile_record record;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        !unpack_mark("profile_stop", given[0], &mark) ||
        !(device = vkt_py_device_arg("profile_stop", given[1])))
        return NULL;
    if (vkt_profile_stop(device, &mark, &record) != VKT_OK)
        return vkt_py_raise(device);
    PyObject *result = describe_record(&record);
    vkt_profile_record_free(&record);
    return result;
}

static PyObject *profile_drop(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                              PyObject *kwnames)
{
    static const vkt_py_params params = {"profile_drop", 1, {"mark", "device"}};
    PyObject *given[2];
    vkt_device *device;
    vkt_profile_mark mark;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        !unpack_mark("profile_drop", given[0], &mark) ||
        !(device = vkt_py_device_arg("profile_drop", given[1])))
        return NULL;
    vkt_profile_drop(device, &mark);
    Py_RETURN_NONE;
}

/* ---- Traces ---------------------------------------------------------------------------------- */

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
     "profile_start($module, device=None, calibrated=True)\n--\n\n"
     "Notes all that the device does from now on; gives the mark for profile_stop."},
    {"profile_stop", FASTCALL(profile_stop), KEYWORDS,
     "profile_stop($module, mark, device=None)\n--\n\n"
     "Waits and gives the events since the mark, a dict each, and facts about the clock."},
    {"profile_drop", FASTCALL(profile_drop), KEYWORDS,
     "profile_drop($module, mark, device=None)\n--\n\nEnds a profile without its events."},
    {"trace_start", FASTCALL(trace_start), KEYWORDS,
     "trace_start($module, device=None)\n--\n\nRecords every command and barrier from now on."},
    {"trace_stop", FASTCALL(trace_stop), KEYWORDS,
     "trace_stop($module, device=None)\n--\n\n"
     "The events, a dict each; ranges are (address, nbytes, write)."},
    {NULL, NULL, 0, NULL},
};
