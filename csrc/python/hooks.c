/* python/hooks.c - what the core asks of the interpreter: its lock, signals, garbage, logging. */
#include "python/core.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/thread.h"

/* ---- Waiting --------------------------------------------------------------------------------- */

/* The state of a thread that has dropped the lock. */
static _Thread_local PyThreadState *waiting;

static void begin_blocking(void)
{
    waiting = PyEval_SaveThread();
}

static void end_blocking(void)
{
    PyThreadState *state = waiting;

    waiting = NULL;
    PyEval_RestoreThread(state);
}

static bool check_signals(void)
{
    return PyErr_CheckSignals() != 0;
}

static void collect_garbage(void)
{
    PyObject *type, *value, *traceback, *result = NULL;

    vkt_py_later_run();
    /* Not PyGC_Collect, which does nothing while the user has automatic collection off. */
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *gc = PyImport_ImportModule("gc");
    if (gc)
        result = PyObject_CallMethod(gc, "collect", NULL);
    Py_XDECREF(result);
    Py_XDECREF(gc);
    PyErr_Restore(type, value, traceback);
}

/* ---- Logging --------------------------------------------------------------------------------- */

/* Messages waiting for the interpreter: the thread that logs may not hold its lock, nor be one of
 * its own. More than MAX_QUEUED are dropped: nobody reads them in time. */
#define MAX_QUEUED 1000

typedef struct message {
    struct message *next;
    vkt_log_level level;
    char text[];
} message;

static vkt_mutex queue_lock = VKT_MUTEX_INIT;
static message *queue_first, *queue_last;
static unsigned n_queued;
static PyObject *log_function; /* or NULL */

static int deliver_pending(void *unused)
{
    (void)unused;
    vkt_py_logs_deliver();
    return 0;
}

static void queue_message(vkt_log_level level, const char *text)
{
    size_t nbytes = strlen(text) + 1;
    message *item = malloc(sizeof(message) + nbytes);

    if (!item)
        return;
    item->next = NULL;
    item->level = level;
    memcpy(item->text, text, nbytes);

    vkt_mutex_lock(&queue_lock);
    bool kept = n_queued < MAX_QUEUED;
    if (kept) {
        if (queue_last)
            queue_last->next = item;
        else
            queue_first = item;
        queue_last = item;
        n_queued++;
    }
    vkt_mutex_unlock(&queue_lock);
    if (!kept)
        free(item);
    /* Asked for each message: an earlier request may have been refused. */
    (void)Py_AddPendingCall(deliver_pending, NULL);
}

static message *take_messages(void)
{
    vkt_mutex_lock(&queue_lock);
    message *first = queue_first;
    queue_first = queue_last = NULL;
    n_queued = 0;
    vkt_mutex_unlock(&queue_lock);
    return first;
}

/* The numbers of the logging module. */
static int find_logging_level(vkt_log_level level)
{
    return 10 * ((int)level + 1);
}

void vkt_py_logs_deliver(void)
{
    PyObject *type, *value, *traceback;
    message *next = take_messages();

    if (!next)
        return;
    PyErr_Fetch(&type, &value, &traceback);
    while (next) {
        message *item = next;
        next = item->next;
        if (log_function) {
            PyObject *function = Py_NewRef(log_function);
            PyObject *result = NULL;
            PyObject *text =
                PyUnicode_DecodeUTF8(item->text, (Py_ssize_t)strlen(item->text), "replace");
            if (text)
                result =
                    PyObject_CallFunction(function, "iO", find_logging_level(item->level), text);
            if (!result)
                PyErr_WriteUnraisable(function);
            Py_XDECREF(result);
            Py_XDECREF(text);
            Py_DECREF(function);
        }
        free(item);
    }
    PyErr_Restore(type, value, traceback);
}

static const vkt_py_params SINK_PARAMS = {"set_log_sink", 1, {"sink", "lowest"}};

static PyObject *hooks_set_log_sink(PyObject *module, PyObject *const *args, Py_ssize_t n_args,
                                    PyObject *kwnames)
{
    PyObject *given[2];
    int64_t lowest = 10;
    (void)module;

    if (!vkt_py_unpack(&SINK_PARAMS, args, n_args, kwnames, given))
        return NULL;
    if (given[1] && !vkt_py_int64(given[1], &lowest))
        return NULL;
    if (given[0] != Py_None && !PyCallable_Check(given[0]))
        return PyErr_Format(PyExc_TypeError,
                            "set_log_sink: expected a callable or None, got %.100s",
                            Py_TYPE(given[0])->tp_name);
    vkt_log_level level = lowest <= 10   ? VKT_LOG_DEBUG
                          : lowest <= 20 ? VKT_LOG_INFO
                          : lowest <= 30 ? VKT_LOG_WARNING
                                         : VKT_LOG_ERROR;
    bool off = given[0] == Py_None;
    vkt_log_set_sink(off ? NULL : queue_message, level);
    PyObject *old = log_function;
    log_function = off ? NULL : Py_NewRef(given[0]);
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

/* ---- Start and end --------------------------------------------------------------------------- */

static PyObject *hooks_shutdown(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    vkt_shutdown();
    vkt_py_logs_deliver();
    /* Later messages come from releases, when there may be no interpreter to hear them. */
    vkt_log_set_sink(NULL, VKT_LOG_ERROR);
    Py_CLEAR(log_function);
    Py_RETURN_NONE;
}

bool vkt_py_hooks_init(PyObject *module)
{
    static const vkt_hooks hooks = {begin_blocking, end_blocking, check_signals, collect_garbage};
    PyObject *atexit = NULL, *shutdown = NULL, *result = NULL;

    vkt_set_hooks(&hooks);
    shutdown = PyObject_GetAttrString(module, "_shutdown");
    atexit = shutdown ? PyImport_ImportModule("atexit") : NULL;
    result = atexit ? PyObject_CallMethod(atexit, "register", "O", shutdown) : NULL;
    Py_XDECREF(atexit);
    Py_XDECREF(shutdown);
    Py_XDECREF(result);
    return result != NULL;
}

PyMethodDef vkt_py_hooks_functions[] = {
    {"set_log_sink", (PyCFunction)(void (*)(void))hooks_set_log_sink, METH_FASTCALL | METH_KEYWORDS,
     "set_log_sink($module, sink, lowest=10)\n--\n\n"
     "Gives messages of at least level `lowest` to sink(level, text); None drops them."},
    {"_shutdown", hooks_shutdown, METH_NOARGS,
     "_shutdown($module)\n--\n\nWaits for all devices and destroys everything; called at exit."},
    {NULL, NULL, 0, NULL},
};
