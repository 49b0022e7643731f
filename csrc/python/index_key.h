/* python/index_key.h - what x[key] means: a view, and the arrays that index some of its axes. */
#ifndef VKT_PYTHON_INDEX_KEY_H
#define VKT_PYTHON_INDEX_KEY_H

#include "ops/gather.h"
#include "python/core.h"

typedef struct vkt_py_key {
    /* x with integers, slices and new axes applied; the axes that arrays index are still there. */
    vkt_layout view;
    /* False: `view` is all. True: the elements are view[selection], or, where selection.n is 0
     * (nothing but True and False), the view with the axes of selection.shape at `place`. */
    bool advanced;
    vkt_selection selection; /* its tensors are owned */
    /* Owned: a mask of all of x, alone in the key; the selection is empty then. Or NULL. */
    vkt_tensor *mask;
    vkt_device *device;
} vkt_py_key;

/* Reads the key for x, with NumPy's rules and its kinds of errors. Clear it also after a failure.
 * Indices that come from the host and are few are looked at here, and trusted later. */
bool vkt_py_key_read(vkt_tensor *x, PyObject *key, bool writes, vkt_py_key *out);
/* Makes the mask that is alone a selection. */
bool vkt_py_key_expand(vkt_py_key *key);
void vkt_py_key_clear(vkt_py_key *key);

#endif
