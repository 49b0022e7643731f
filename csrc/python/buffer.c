/* python/buffer.c - the buffer protocol: the host's view of a block while an export lasts. */
#include "python/core.h"

#include <stdlib.h>

#include "ops/expr.h"

/* ---- Exports --------------------------------------------------------------------------------- */

/* True when two indices reach one element: then the host may not write. */
static bool overlaps_itself(const vkt_layout *layout)
{
    for (int32_t i = 0; i < layout->ndim; i++) {
        if (layout->strides[i] == 0 && layout->shape[i] > 1)
            return layout->n_elems > 0;
    }
    return false;
}

bool vkt_py_export_begin(vkt_tensor *tensor, bool slow, vkt_py_export *out)
{
    bool cached = false;

    memset(out, 0, sizeof(*out));
    if (vkt_eval(&tensor, 1) != VKT_OK)
        goto fail;
    char *host = vkt_block_host(tensor->block, &cached);
    if (!host || !(cached || slow))
        return true;
    out->writable = !overlaps_itself(&tensor->layout) && vkt_block_is_writable(tensor->block);
    out->data = host + tensor->layout.offset * vkt_dtypes[tensor->dtype].nbytes;
    out->block = vkt_block_ref(tensor->block);
    /* Counted before the waits, which may let other threads record work. */
    vkt_block_add_export(out->block);
    if (out->writable && vkt_expr_compute_readers(out->block) != VKT_OK)
        goto fail;
    if (vkt_block_wait(out->block, out->writable) != VKT_OK)
        goto fail;
    return true;
fail:
    (void)vkt_py_raise(tensor->device);
    if (out->block)
        vkt_py_export_end(out->block);
    out->block = NULL;
    return false;
}

void vkt_py_export_end(vkt_block *block)
{
    vkt_block_drop_export(block);
    vkt_block_unref(block);
    vkt_py_later_run();
}

/* ---- The protocol ---------------------------------------------------------------------------- */

static const char *const FORMATS[VKT_DTYPE_COUNT] = {
    [VKT_BOOL] = "?",       [VKT_INT8] = "b",        [VKT_INT16] = "h",   [VKT_INT32] = "i",
    [VKT_INT64] = "l",      [VKT_UINT8] = "B",       [VKT_UINT16] = "H",  [VKT_UINT32] = "I",
    [VKT_UINT64] = "L",     [VKT_FLOAT16] = "e",     [VKT_FLOAT32] = "f", [VKT_FLOAT64] = "d",
    [VKT_COMPLEX64] = "Zf", [VKT_COMPLEX128] = "Zd",
};
_Static_assert(sizeof(long) == 8, "int64 is spelled l");

/* What a Py_buffer points into; freed with it. */
typedef struct buffer_export {
    vkt_block *block;
    Py_ssize_t shape[VKT_MAX_NDIM];
    Py_ssize_t strides[VKT_MAX_NDIM];
} buffer_export;

static bool is_fortran(const vkt_layout *layout)
{
    int64_t expected = 1;

    if (layout->n_elems == 0)
        return true;
    for (int32_t i = 0; i < layout->ndim; i++) {
        if (layout->shape[i] != 1 && layout->strides[i] != expected)
            return false;
        expected *= layout->shape[i];
    }
    return true;
}

/* What the consumer cannot do without, or NULL. */
static const char *find_unmet(const vkt_layout *layout, int flags)
{
    bool c_order = vkt_layout_is_contiguous(layout);

    if ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS && !c_order)
        return "C-contiguous";
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && !is_fortran(layout))
        return "Fortran-contiguous";
    if ((flags & PyBUF_ANY_CONTIGUOUS) == PyBUF_ANY_CONTIGUOUS && !c_order && !is_fortran(layout))
        return "contiguous";
    if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES && !c_order)
        return "C-contiguous";
    return NULL;
}

static void fill_view(Py_buffer *view, const vkt_tensor *tensor, buffer_export *export,
                      const vkt_py_export *bytes, int flags)
{
    const vkt_layout *layout = &tensor->layout;
    Py_ssize_t itemsize = vkt_dtypes[tensor->dtype].nbytes;

    for (int32_t i = 0; i < layout->ndim; i++) {
        export->shape[i] = layout->shape[i];
        export->strides[i] = layout->strides[i] * itemsize;
    }
    view->buf = bytes->data;
    view->len = layout->n_elems * itemsize;
    view->itemsize = itemsize;
    view->readonly = !bytes->writable;
    view->ndim = layout->ndim;
    view->format = (flags & PyBUF_FORMAT) ? (char *)(uintptr_t)FORMATS[tensor->dtype] : NULL;
    view->shape = (flags & PyBUF_ND) ? export->shape : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? export->strides : NULL;
    view->suboffsets = NULL;
    view->internal = export;
}

static int tensor_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    vkt_tensor *tensor = vkt_tensor_ref(vkt_py_value(self));
    buffer_export *export = NULL;
    vkt_py_export bytes = {.block = NULL};

    view->obj = NULL;
    if (!FORMATS[tensor->dtype]) {
        PyErr_Format(PyExc_BufferError, "buffer: dtype %s has no format: use numpy()",
                     vkt_dtypes[tensor->dtype].name);
        goto fail;
    }
    const char *unmet = find_unmet(&tensor->layout, flags);
    if (unmet) {
        PyErr_Format(PyExc_BufferError, "buffer: the tensor is not %s", unmet);
        goto fail;
    }
    export = malloc(sizeof(*export));
    if (!export) {
        PyErr_NoMemory();
        goto fail;
    }
    if (!vkt_py_export_begin(tensor, false, &bytes))
        goto fail;
    if (!bytes.block) {
        PyErr_SetString(PyExc_BufferError,
                        "buffer: the host cannot view this memory: use numpy() for a copy");
        goto fail;
    }
    if ((flags & PyBUF_WRITABLE) && !bytes.writable) {
        vkt_py_export_end(bytes.block);
        PyErr_SetString(PyExc_BufferError,
                        "buffer: the elements overlap or were lent for reading: the view is "
                        "read-only");
        goto fail;
    }
    export->block = bytes.block;
    fill_view(view, tensor, export, &bytes, flags);
    vkt_tensor_unref(tensor);
    view->obj = Py_NewRef(self);
    return 0;
fail:
    free(export);
    vkt_tensor_unref(tensor);
    return -1;
}

static void tensor_releasebuffer(PyObject *self, Py_buffer *view)
{
    buffer_export *export = view->internal;
    (void)self;

    vkt_py_export_end(export->block);
    free(export);
}

PyType_Slot vkt_py_buffer_slots[] = {
    {Py_bf_getbuffer, (void *)tensor_getbuffer},
    {Py_bf_releasebuffer, (void *)tensor_releasebuffer},
    {0, NULL},
};
