/* python/device.c - devices as Python objects, the default device, memory and statistics. */
#include "python/core.h"

#include <ctype.h>
#include <stddef.h>

#define FASTCALL(function) (PyCFunction)(void (*)(void)) function
#define KEYWORDS           (METH_FASTCALL | METH_KEYWORDS)

typedef struct device_object {
    PyObject ob_base;
    const vkt_device_info *info; /* valid for the life of the process */
} device_object;

/* The device new tensors are made on: chosen by the user, else found at the first use. */
static vkt_device *default_device;

static bool is_device(PyObject *object)
{
    return Py_TYPE(object) == vkt_py.device_type;
}

static const vkt_device_info *get_info(PyObject *object)
{
    return ((device_object *)object)->info;
}

/* ---- Finding --------------------------------------------------------------------------------- */

/* A UUID as text: 8-4-4-4-12 hexadecimal digits. */
#define UUID_TEXT 37

static void format_uuid(const uint8_t *uuid, char *text)
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *text++ = '-';
        *text++ = digits[uuid[i] >> 4];
        *text++ = digits[uuid[i] & 15];
    }
    *text = '\0';
}

/* True when `part` is inside `text`, whatever the case. */
static bool contains_text(const char *text, const char *part)
{
    for (; *text; text++) {
        size_t i = 0;
        while (part[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (!part[i])
            return true;
    }
    return false;
}

static bool matches(const vkt_device_info *info, const char *name)
{
    char uuid[UUID_TEXT];

    format_uuid(info->uuid, uuid);
    return name[0] && (contains_text(info->name, name) ||
                       (strlen(name) == UUID_TEXT - 1 && contains_text(uuid, name)));
}

static bool find_by_name(const char *op, PyObject *object, uint32_t *index)
{
    const char *name = PyUnicode_AsUTF8(object);
    const vkt_device_info *info;
    uint32_t n = 0;

    if (!name)
        return false;
    if (vkt_device_count(&n) != VKT_OK)
        goto fail;
    for (uint32_t i = 0; i < n; i++) {
        if (vkt_device_info_at(i, &info) != VKT_OK)
            goto fail;
        if (matches(info, name)) {
            *index = i;
            return true;
        }
    }
    PyErr_Format(PyExc_ValueError, "%s: none of %u devices has the name or UUID '%U'", op, n,
                 object);
    return false;
fail:
    (void)vkt_py_raise(NULL);
    return false;
}

static bool find_by_index(const char *op, PyObject *object, uint32_t *index)
{
    uint32_t n = 0;
    int64_t wanted;

    if (!vkt_py_int64(object, &wanted))
        return false;
    if (vkt_device_count(&n) != VKT_OK) {
        (void)vkt_py_raise(NULL);
        return false;
    }
    if (wanted < 0 || wanted >= (int64_t)n) {
        PyErr_Format(PyExc_ValueError, "%s: there is no device %lld, there are %u", op,
                     (long long)wanted, n);
        return false;
    }
    *index = (uint32_t)wanted;
    return true;
}

static bool find_device(const char *op, PyObject *object, uint32_t *index)
{
    if (is_device(object)) {
        *index = get_info(object)->index;
        return true;
    }
    if (PyUnicode_Check(object))
        return find_by_name(op, object, index);
    if (PyIndex_Check(object) && !PyBool_Check(object) && !vkt_py_is_tensor(object))
        return find_by_index(op, object, index);
    PyErr_Format(PyExc_TypeError,
                 "%s: a device is a Device, an index, a name or a UUID, got %.100s", op,
                 Py_TYPE(object)->tp_name);
    return false;
}

vkt_device *vkt_py_device_arg(const char *op, PyObject *object)
{
    vkt_device *device = NULL;
    uint32_t index = 0;
    bool wants_default = !object || object == Py_None;

    if (wants_default && default_device)
        return default_device;
    if (!wants_default && !find_device(op, object, &index))
        return NULL;
    if (wants_default && vkt_device_default(&index) != VKT_OK)
        goto fail;
    if (vkt_device_open(index, &device) != VKT_OK)
        goto fail;
    if (wants_default)
        default_device = device;
    return device;
fail:
    (void)vkt_py_raise(NULL);
    return NULL;
}

PyObject *vkt_py_device_object(const vkt_device_info *info)
{
    device_object *self = PyObject_New(device_object, vkt_py.device_type);

    if (self)
        self->info = info;
    return (PyObject *)self;
}

static PyObject *make_device_at(uint32_t index)
{
    const vkt_device_info *info;

    if (vkt_device_info_at(index, &info) != VKT_OK)
        return vkt_py_raise(NULL);
    return vkt_py_device_object(info);
}

/* ---- The type -------------------------------------------------------------------------------- */

static void device_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *device_repr(PyObject *self)
{
    return PyUnicode_FromFormat("Device(%u, '%s')", get_info(self)->index, get_info(self)->name);
}

/* Notebooks call it; its text is made where the others are. */
static PyObject *device_repr_html(PyObject *self, PyObject *unused)
{
    PyObject *module = PyImport_ImportModule("vktensor._html");
    (void)unused;

    PyObject *text = module ? PyObject_CallMethod(module, "device", "O", self) : NULL;
    Py_XDECREF(module);
    return text;
}

static PyObject *device_richcompare(PyObject *a, PyObject *b, int how)
{
    if (!is_device(a) || !is_device(b) || (how != Py_EQ && how != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong((get_info(a)->index == get_info(b)->index) == (how == Py_EQ));
}

static Py_hash_t device_hash(PyObject *self)
{
    return (Py_hash_t)get_info(self)->index + 1;
}

static PyObject *device_get_name(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(get_info(self)->name);
}

static PyObject *device_get_index(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLong(get_info(self)->index);
}

static PyObject *device_get_kind(PyObject *self, void *unused)
{
    static const char *const kinds[] = {
        [VKT_DEVICE_OTHER] = "other",       [VKT_DEVICE_CPU] = "cpu",
        [VKT_DEVICE_VIRTUAL] = "virtual",   [VKT_DEVICE_INTEGRATED] = "integrated",
        [VKT_DEVICE_DISCRETE] = "discrete",
    };
    (void)unused;
    return PyUnicode_FromString(kinds[get_info(self)->kind]);
}

static PyObject *device_get_driver(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(get_info(self)->driver_name);
}

static PyObject *device_get_driver_version(PyObject *self, void *unused)
{
    const vkt_device_info *info = get_info(self);
    (void)unused;

    /* The text is the vendor's own spelling; the number's coding differs between vendors. */
    if (info->driver_info[0])
        return PyUnicode_FromString(info->driver_info);
    return PyUnicode_FromFormat("%u", info->driver_version);
}

static PyObject *device_get_uuid(PyObject *self, void *unused)
{
    char text[UUID_TEXT];
    (void)unused;

    format_uuid(get_info(self)->uuid, text);
    return PyUnicode_FromString(text);
}

static PyObject *device_get_api_version(PyObject *self, void *unused)
{
    uint32_t version = get_info(self)->api_version;
    (void)unused;
    return PyUnicode_FromFormat("%u.%u.%u", (version >> 22) & 127, (version >> 12) & 1023,
                                version & 4095);
}

static PyObject *device_get_usable(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(get_info(self)->usable);
}

static PyObject *device_get_missing(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(get_info(self)->missing);
}

/* Adds name: value, which it takes over, to a dict. */
static bool add_item(PyObject *dict, const char *name, PyObject *value)
{
    bool ok = value && PyDict_SetItemString(dict, name, value) == 0;

    Py_XDECREF(value);
    return ok;
}

static PyObject *device_get_features(PyObject *self, void *unused)
{
    const vkt_device_info *info = get_info(self);
    const struct {
        const char *name;
        bool has;
    } rows[] = {
        {"float64", info->float64},
        {"float16", info->float16},
        {"int8", info->int8},
        {"int16", info->int16},
        {"int64", info->int64},
        {"storage8", info->storage8},
        {"push8", info->push8},
        {"storage16", info->storage16},
        {"int64_atomics", info->int64_atomics},
        {"subgroup_arithmetic", info->subgroup_arithmetic},
        {"subgroup_shuffle", info->subgroup_shuffle},
        {"subgroup_size_control", info->subgroup_size_control},
        {"cooperative_matrix", info->cooperative_matrix},
        {"external_host_memory", info->external_host_memory},
        {"unified_memory", info->unified_memory},
        {"memory_budget", info->memory_budget},
        {"calibrated_timestamps", info->calibrated_timestamps},
        {"timestamps", info->timestamps},
        {"preserves_nan16", info->preserves_nan[0]},
        {"preserves_nan32", info->preserves_nan[1]},
        {"preserves_nan64", info->preserves_nan[2]},
        {"rounds_to_even16", info->rounds_to_even[0]},
        {"rounds_to_even32", info->rounds_to_even[1]},
        {"rounds_to_even64", info->rounds_to_even[2]},
        {"preserves_subnormals16", info->preserves_subnormals[0]},
        {"preserves_subnormals32", info->preserves_subnormals[1]},
        {"preserves_subnormals64", info->preserves_subnormals[2]},
    };
    PyObject *dict = PyDict_New();
    (void)unused;

    for (size_t i = 0; dict && i < sizeof(rows) / sizeof(*rows); i++) {
        if (!add_item(dict, rows[i].name, PyBool_FromLong(rows[i].has)))
            Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *device_get_arithmetic(PyObject *self, void *unused)
{
    vkt_device *device = NULL;
    (void)unused;

    if (vkt_device_open(get_info(self)->index, &device) != VKT_OK)
        return vkt_py_raise(NULL);
    uint32_t facts = vkt_device_get_info(device)->arithmetic;
    PyObject *dict = PyDict_New();
    for (int i = 0; dict && i < VKT_FACT_COUNT; i++) {
        if (!add_item(dict, vkt_fact_names[i], PyBool_FromLong(facts >> i & 1)))
            Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *device_get_limits(PyObject *self, void *unused)
{
    const vkt_device_info *info = get_info(self);
    const uint32_t *size = info->max_workgroup_size, *groups = info->max_groups;
    (void)unused;

    return Py_BuildValue(
        "{s:I,s:I,s:I,s:I,s:(III),s:(III),s:I,s:I,s:K,s:K,s:K,s:I,s:d,s:I}", "subgroup_size",
        info->subgroup_size, "min_subgroup_size", info->min_subgroup_size, "max_subgroup_size",
        info->max_subgroup_size, "max_workgroup_invocations", info->max_workgroup_invocations,
        "max_workgroup_size", size[0], size[1], size[2], "max_groups", groups[0], groups[1],
        groups[2], "shared_nbytes", info->shared_nbytes, "push_nbytes", info->push_nbytes,
        "max_block_nbytes", (unsigned long long)info->max_block_nbytes, "device_nbytes",
        (unsigned long long)info->device_nbytes, "host_import_alignment",
        (unsigned long long)info->host_import_alignment, "n_cores", info->n_cores,
        "timestamp_period_ns", info->timestamp_period_ns, "max_turns", info->max_turns);
}

static PyGetSetDef device_attributes[] = {
    {"name", device_get_name, NULL, "Name, as its driver gives it.", NULL},
    {"index", device_get_index, NULL, "Place in `vt.devices()`.", NULL},
    {"kind", device_get_kind, NULL, "Kind: 'discrete', 'integrated', 'virtual', 'cpu' or 'other'.",
     NULL},
    {"driver", device_get_driver, NULL, "Name of the driver.", NULL},
    {"driver_version", device_get_driver_version, NULL, "Version of the driver.", NULL},
    {"uuid", device_get_uuid, NULL, "UUID, which identifies the device across processes.", NULL},
    {"api_version", device_get_api_version, NULL, "Vulkan version that it supports.", NULL},
    {"features", device_get_features, NULL, "What it can do, by name: a dict of bool.", NULL},
    {"arithmetic", device_get_arithmetic, NULL,
     "What its arithmetic keeps of IEEE 754, as measured; opens the device.", NULL},
    {"limits", device_get_limits, NULL, "Sizes by name, a dict; bytes where a name says so.", NULL},
    {"tuning", vkt_py_device_tuning, NULL,
     "Sizes that its kernels are cut to, by name; see `vt.tuning`.", NULL},
    {"usable", device_get_usable, NULL, "False where it lacks something that vktensor needs.",
     NULL},
    {"missing", device_get_missing, NULL, "What it lacks, '' where it is usable.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef device_methods[] = {
    {"_repr_html_", device_repr_html, METH_NOARGS,
     "_repr_html_($self, /)\n--\n\nWhat notebooks show."},
    {NULL, NULL, 0, NULL},
};

static const char DEVICE_DOC[] = "Device()\n"
                                 "--\n"
                                 "\n"
                                 "Vulkan device; `vt.devices()` lists them.\n"
                                 "\n"
                                 "Examples\n"
                                 "--------\n"
                                 ">>> vt.ones(3).device == vt.default_device()\n"
                                 "True";

static PyType_Slot device_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)DEVICE_DOC},
    {Py_tp_dealloc, (void *)device_dealloc},
    {Py_tp_repr, (void *)device_repr},
    {Py_tp_richcompare, (void *)device_richcompare},
    {Py_tp_hash, (void *)device_hash},
    {Py_tp_getset, device_attributes},
    {Py_tp_methods, device_methods},
    {0, NULL},
};

static PyType_Spec device_spec = {
    .name = "vktensor.Device",
    .basicsize = (int)sizeof(device_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = device_slots,
};

bool vkt_py_device_init(PyObject *module)
{
    vkt_py.device_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &device_spec, NULL);
    return vkt_py.device_type &&
           PyModule_AddObjectRef(module, "Device", (PyObject *)vkt_py.device_type) == 0;
}

/* ---- Functions ------------------------------------------------------------------------------- */

static PyObject *device_at(PyObject *module, PyObject *object)
{
    uint32_t index;
    (void)module;

    return find_device("device", object, &index) ? make_device_at(index) : NULL;
}

static PyObject *list_devices(PyObject *module, PyObject *unused)
{
    uint32_t n = 0;
    (void)module;
    (void)unused;

    if (vkt_device_count(&n) != VKT_OK)
        return vkt_py_raise(NULL);
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (uint32_t i = 0; list && i < n; i++) {
        PyObject *device = make_device_at(i);
        if (!device) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, device);
    }
    return list;
}

static PyObject *get_default_device(PyObject *module, PyObject *unused)
{
    uint32_t index = 0;
    (void)module;
    (void)unused;

    /* Not opened: asking which it is must not cost a driver's start. */
    if (default_device)
        return vkt_py_device_object(vkt_device_get_info(default_device));
    if (vkt_device_default(&index) != VKT_OK)
        return vkt_py_raise(NULL);
    return make_device_at(index);
}

static PyObject *set_default_device(PyObject *module, PyObject *object)
{
    vkt_device *device = NULL;
    (void)module;

    if (object != Py_None && !(device = vkt_py_device_arg("set_default_device", object)))
        return NULL;
    default_device = device;
    Py_RETURN_NONE;
}

static PyObject *synchronize(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                             PyObject *kwnames)
{
    static const vkt_py_params params = {"synchronize", 0, {"device"}};
    PyObject *given[1];
    vkt_device *device;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        !(device = vkt_py_device_arg("synchronize", given[0])))
        return NULL;
    if (vkt_wait(device) != VKT_OK)
        return vkt_py_raise(device);
    Py_RETURN_NONE;
}

static PyObject *memory_stats(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                              PyObject *kwnames)
{
    static const vkt_py_params params = {"memory_stats", 0, {"device"}};
    PyObject *given[1];
    vkt_device *device;
    vkt_memory_stats stats;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        !(device = vkt_py_device_arg("memory_stats", given[0])))
        return NULL;
    vkt_memory_get_stats(device, &stats);
    return Py_BuildValue(
        "{s:K,s:K,s:K,s:K,s:K,s:K,s:K}", "in_use", (unsigned long long)stats.in_use, "peak",
        (unsigned long long)stats.peak, "cached", (unsigned long long)stats.cached, "reserved",
        (unsigned long long)stats.reserved, "allocations", (unsigned long long)stats.allocations,
        "driver_allocations", (unsigned long long)stats.driver_allocations, "limit",
        (unsigned long long)stats.limit);
}

static PyObject *empty_cache(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                             PyObject *kwnames)
{
    static const vkt_py_params params = {"empty_cache", 0, {"device"}};
    PyObject *given[1];
    vkt_device *device;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        !(device = vkt_py_device_arg("empty_cache", given[0])))
        return NULL;
    if (vkt_memory_trim(device) != VKT_OK)
        return vkt_py_raise(device);
    Py_RETURN_NONE;
}

static PyObject *set_memory_limit(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                                  PyObject *kwnames)
{
    static const vkt_py_params params = {"set_memory_limit", 1, {"nbytes", "device"}};
    PyObject *given[2];
    vkt_device *device;
    int64_t nbytes;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) || !vkt_py_int64(given[0], &nbytes) ||
        !(device = vkt_py_device_arg("set_memory_limit", given[1])))
        return NULL;
    if (nbytes < 0)
        return PyErr_Format(PyExc_ValueError, "set_memory_limit: expected bytes >= 0, got %lld",
                            (long long)nbytes);
    if (vkt_memory_set_limit(device, (uint64_t)nbytes) != VKT_OK)
        return vkt_py_raise(device);
    Py_RETURN_NONE;
}

/* The device meant, if it is open: NULL without an exception when it is not. */
static bool find_open_device(const char *op, PyObject *object, vkt_device **out)
{
    uint32_t index = 0;
    bool wants_default = !object || object == Py_None;

    if (!wants_default && !find_device(op, object, &index))
        return false;
    *out = wants_default ? default_device : vkt_device_if_open(index);
    /* Opened by its name or number, and used as the default only now. */
    if (wants_default && !*out && vkt_is_loaded() && vkt_device_default(&index) == VKT_OK)
        *out = vkt_device_if_open(index);
    return true;
}

static PyObject *metrics(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                         PyObject *kwnames)
{
    static const vkt_py_params params = {"metrics", 0, {"device"}};
    uint64_t values[VKT_N_METRICS];
    PyObject *given[1], *dict;
    vkt_device *device = NULL;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        !find_open_device("metrics", given[0], &device))
        return NULL;
    vkt_metrics_read(device, values);
    dict = PyDict_New();
    for (int i = 0; dict && i < VKT_N_METRICS; i++) {
        if (!add_item(dict, vkt_metric_infos[i].name, PyLong_FromUnsignedLongLong(values[i])))
            Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *metric_meanings(PyObject *module, PyObject *unused)
{
    PyObject *dict = PyDict_New();
    (void)module;
    (void)unused;

    for (int i = 0; dict && i < VKT_N_METRICS; i++) {
        if (!add_item(dict, vkt_metric_infos[i].name,
                      PyUnicode_FromString(vkt_metric_infos[i].meaning)))
            Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *live_counts(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                             PyObject *kwnames)
{
    static const vkt_py_params params = {"live_counts", 0, {"device"}};
    PyObject *given[1];
    vkt_device *device;
    vkt_live_counts live;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        !(device = vkt_py_device_arg("live_counts", given[0])))
        return NULL;
    vkt_device_live(device, &live);
    return Py_BuildValue(
        "{s:K,s:K,s:K,s:K,s:K,s:K}", "memories", (unsigned long long)live.memories, "buffers",
        (unsigned long long)live.buffers, "pipelines", (unsigned long long)live.pipelines, "blocks",
        (unsigned long long)live.blocks, "block_nbytes", (unsigned long long)live.block_nbytes,
        "pending_submits", (unsigned long long)live.pending_submits);
}

static PyObject *vulkan_handles(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                                PyObject *kwnames)
{
    static const vkt_py_params params = {"vulkan_handles", 0, {"device"}};
    PyObject *given[1];
    vkt_device *device;
    vkt_handles handles;
    (void)module;

    if (!vkt_py_unpack(&params, args, n_args, kwnames, given) ||
        !(device = vkt_py_device_arg("vulkan_handles", given[0])))
        return NULL;
    vkt_device_get_handles(device, &handles);
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:I}", "instance", (unsigned long long)handles.instance,
                         "physical_device", (unsigned long long)handles.physical_device, "device",
                         (unsigned long long)handles.device, "queue",
                         (unsigned long long)handles.queue, "queue_family", handles.queue_family);
}

static PyObject *cache_directory(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyUnicode_DecodeFSDefault(vkt_cache_directory());
}

static PyObject *validation_messages(PyObject *module, PyObject *unused)
{
    const char *text = "";
    uint32_t n = vkt_validation_messages(&text);
    (void)module;
    (void)unused;

    return Py_BuildValue(
        "IN", n,
        PyUnicode_DecodeUTF8(text ? text : "", text ? (Py_ssize_t)strlen(text) : 0, "replace"));
}

vkt_tensor **vkt_py_tensors_arg(const char *op, PyObject *const *objects, Py_ssize_t n)
{
    vkt_tensor **tensors = PyMem_Calloc((size_t)n + 1, sizeof(*tensors));

    if (!tensors) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        vkt_tensor *tensor = vkt_py_tensor_arg(op, objects[i]);
        if (!tensor) {
            vkt_py_tensors_free(tensors, n);
            return NULL;
        }
        tensors[i] = vkt_tensor_ref(tensor);
    }
    return tensors;
}

void vkt_py_tensors_free(vkt_tensor **tensors, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        vkt_tensor_unref(tensors[i]);
    PyMem_Free(tensors);
}

PyMethodDef vkt_py_device_functions[] = {
    {"device_at", device_at, METH_O,
     "device_at($module, device, /)\n--\n\nThe Device of an index, a name or a UUID."},
    {"devices", list_devices, METH_NOARGS,
     "devices($module)\n--\n\nAll devices, usable or not, the preferred kinds first."},
    {"default_device", get_default_device, METH_NOARGS,
     "default_device($module)\n--\n\nThe device new tensors are made on."},
    {"set_default_device", set_default_device, METH_O,
     "set_default_device($module, device, /)\n--\n\n"
     "Chooses the device new tensors are made on; None lets vktensor choose."},
    {"synchronize", FASTCALL(synchronize), KEYWORDS,
     "synchronize($module, device=None)\n--\n\nWaits for all recorded work."},
    {"memory_stats", FASTCALL(memory_stats), KEYWORDS,
     "memory_stats($module, device=None)\n--\n\nBytes in use, cached, reserved, and counts."},
    {"empty_cache", FASTCALL(empty_cache), KEYWORDS,
     "empty_cache($module, device=None)\n--\n\nGives unused memory back to the driver."},
    {"set_memory_limit", FASTCALL(set_memory_limit), KEYWORDS,
     "set_memory_limit($module, nbytes, device=None)\n--\n\nThe most bytes to reserve."},
    {"metrics", FASTCALL(metrics), KEYWORDS,
     "metrics($module, device=None)\n--\n\nThe device's counters by name; opens nothing."},
    {"metric_meanings", metric_meanings, METH_NOARGS,
     "metric_meanings($module)\n--\n\nWhat each counter counts."},
    {"vulkan_handles", FASTCALL(vulkan_handles), KEYWORDS,
     "vulkan_handles($module, device=None)\n--\n\nVkInstance, VkPhysicalDevice, VkDevice and "
     "VkQueue as numbers, and the queue's family, for programs that share the device."},
    {"live_counts", FASTCALL(live_counts), KEYWORDS,
     "live_counts($module, device=None)\n--\n\nLive Vulkan objects and blocks, for leak tests."},
    {"cache_directory", cache_directory, METH_NOARGS,
     "cache_directory($module)\n--\n\nWhere compiled kernels are kept; '' when nowhere."},
    {"validation_messages", validation_messages, METH_NOARGS,
     "validation_messages($module)\n--\n\n"
     "(count, text of the last) of validation messages since the last call."},
    {NULL, NULL, 0, NULL},
};
