/* python/later.c - work that must wait for the interpreter's lock, or for the core to return. */
#include "python/core.h"

#include <stdatomic.h>

static _Atomic(vkt_py_later *) waiting; /* newest first */

static int run_pending(void *unused)
{
    (void)unused;
    vkt_py_later_run();
    return 0;
}

void vkt_py_later_add(vkt_py_later *item)
{
    vkt_py_later *first = atomic_load(&waiting);
    do {
        item->next = first;
    } while (!atomic_compare_exchange_weak(&waiting, &first, item));
    /* May be refused, as the queue is short: the next release or collection looks here too. */
    if (!first && Py_IsInitialized())
        (void)Py_AddPendingCall(run_pending, NULL);
}

void vkt_py_later_run(void)
{
    PyObject *type, *value, *traceback;

    if (!atomic_load_explicit(&waiting, memory_order_relaxed))
        return;
    PyErr_Fetch(&type, &value, &traceback);
    vkt_py_later *next = atomic_exchange(&waiting, NULL);
    while (next) {
        vkt_py_later *item = next;
        next = item->next;
        item->run(item);
    }
    PyErr_Restore(type, value, traceback);
}
