/* python/hostmem.c - the data of NumPy arrays in pinned blocks: who has which, and their end. */
#include <stdlib.h>

#include "base/thread.h"
#include "python/core.h"

/* Smaller arrays gain nothing: their uploads wait for nobody. */
#define LEAST_NBYTES (64u << 10)
/* Lists of live arrays, by address: with 64 KiB each, a list of ten means 640 MiB. */
#define N_LISTS 1024u

/* One array's data. */
typedef struct host_data {
    vkt_py_later later;
    struct host_data *next;
    vkt_block *block; /* with an export and a reference */
    void *data;
} host_data;

/* Guarded by the interpreter's lock, which NumPy holds when it allocates; it need not when it
 * frees. */
static vkt_mutex lock = VKT_MUTEX_INIT;
static host_data *lists[N_LISTS];
static size_t n_live;

static host_data **list_of(const void *data)
{
    return &lists[((uintptr_t)data >> 16) * UINT64_C(0x9E3779B97F4A7C15) >> 54];
}
_Static_assert(N_LISTS == 1u << (64 - 54), "the hash gives 10 bits");

/* The entry of `data`, or NULL; unlinked with `remove`. */
static host_data *find(const void *data, bool remove)
{
    vkt_mutex_lock(&lock);
    host_data **at = n_live ? list_of(data) : NULL;
    while (at && *at && (*at)->data != data)
        at = &(*at)->next;
    host_data *found = at ? *at : NULL;
    if (found && remove) {
        *at = found->next;
        n_live--;
    }
    vkt_mutex_unlock(&lock);
    return found;
}

static void end_data(vkt_py_later *later)
{
    host_data *self = (host_data *)(void *)later;

    vkt_py_export_end(self->block);
    free(self);
}

void *vkt_py_host_alloc(vkt_device *device, size_t nbytes)
{
    bool cached;
    host_data *self;

    if (nbytes < LEAST_NBYTES || !PyGILState_Check())
        return NULL;
    self = calloc(1, sizeof(*self));
    if (!self)
        return NULL;
    if (vkt_block_alloc(device, nbytes, VKT_MEMORY_HOST, &self->block) != VKT_OK) {
        free(self);
        return NULL;
    }
    self->later.run = end_data;
    self->data = vkt_block_host(self->block, &cached);
    vkt_block_add_export(self->block);
    vkt_mutex_lock(&lock);
    host_data **list = list_of(self->data);
    self->next = *list;
    *list = self;
    n_live++;
    vkt_mutex_unlock(&lock);
    return self->data;
}

bool vkt_py_host_free(void *data)
{
    host_data *self = find(data, true);

    if (!self)
        return false;
    if (Py_IsInitialized() && PyGILState_Check())
        end_data(&self->later);
    else
        vkt_py_later_add(&self->later);
    return true;
}

vkt_block *vkt_py_host_block(const void *data)
{
    host_data *self = find(data, false);

    return self ? self->block : NULL;
}
