/* python/tuning.c - the sizes of a device's kernels: shown, chosen, kept. */
#include "ops/tuning.h"
#include "python/core.h"

#define FASTCALL(function) (PyCFunction)(void (*)(void)) function
#define KEYWORDS           (METH_FASTCALL | METH_KEYWORDS)

/* Adds name: value, which it takes over, to a dict. */
static bool add_item(PyObject *dict, const char *name, PyObject *value)
{
    bool ok = value && PyDict_SetItemString(dict, name, value) == 0;

    Py_XDECREF(value);
    return ok;
}

PyObject *vkt_py_device_tuning(PyObject *self, void *unused)
{
    vkt_device *device = vkt_py_device_arg("tuning", self);
    PyObject *dict = device ? PyDict_New() : NULL;
    (void)unused;

    for (int i = 0; dict && i < VKT_N_TUNABLES; i++) {
        uint32_t value = vkt_tuned(device, (vkt_tunable)i);
        if (!add_item(dict, vkt_tunables[i].name, PyLong_FromUnsignedLong(value)))
            Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *list_tunables(PyObject *module, PyObject *unused)
{
    PyObject *dict = PyDict_New();
    (void)module;
    (void)unused;

    for (int i = 0; dict && i < VKT_N_TUNABLES; i++) {
        const vkt_tunable_info *row = &vkt_tunables[i];
        if (!add_item(dict, row->name,
                      Py_BuildValue("(IIN)", row->least, row->most, PyBool_FromLong(row->counts))))
            Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *set_tuning(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                            PyObject *kwnames)
{
    static const vkt_py_params params = {"set_tuning", 1, {"text", "device"}};
    PyObject *given[2];
    vkt_device *device;
    const char *text = NULL;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        (given[0] != Py_None && !(text = PyUnicode_AsUTF8(given[0]))) ||
        !(device = vkt_py_device_arg("set_tuning", given[1])))
        return NULL;
    if (vkt_tuning_set(device, text) != VKT_OK)
        return vkt_py_raise(device);
    Py_RETURN_NONE;
}

static PyObject *store_tuning(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                              PyObject *kwnames)
{
    static const vkt_py_params params = {"store_tuning", 0, {"device"}};
    PyObject *given[1];
    vkt_device *device;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        !(device = vkt_py_device_arg("store_tuning", given[0])))
        return NULL;
    return PyBool_FromLong(vkt_tuning_store(device));
}

PyMethodDef vkt_py_tuning_functions[] = {
    {"tunables", list_tunables, METH_NOARGS,
     "tunables($module)\n--\n\n"
     "The (least, most, whether any number between them will do) of each tunable, by name."},
    {"set_tuning", FASTCALL(set_tuning), KEYWORDS,
     "set_tuning($module, text, device=None)\n--\n\n"
     "Sets tunables from 'name=value, ...'; None: the values at start."},
    {"store_tuning", FASTCALL(store_tuning), KEYWORDS,
     "store_tuning($module, device=None)\n--\n\n"
     "Keeps the values in force for later processes; False where there is no cache."},
    {NULL, NULL, 0, NULL},
};
