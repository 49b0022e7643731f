/* ops/movement.c - concat: tensors copied side by side. */
#include "ops/movement.h"

#include <string.h>

#include "base/checked.h"
#include "ops/elementwise.h"

/* Checks that the tensors fit, and gives dtype and shape of the result. */
static vkt_status check_concat(vkt_tensor *const *tensors, int n, int32_t axis, vkt_dtype *dtype,
                               int64_t *shape)
{
    const vkt_layout *first = &tensors[0]->layout;
    char text1[VKT_SHAPE_TEXT], text2[VKT_SHAPE_TEXT];
    VKT_REQUIRE(first->ndim > 0, VKT_VALUE_ERROR, "concat: expected at least one axis, got 0-d");
    VKT_REQUIRE(axis >= 0 && axis < first->ndim, VKT_VALUE_ERROR,
                "concat: expected an axis below %d, got %d", first->ndim, axis);
    *dtype = tensors[0]->dtype;
    memcpy(shape, first->shape, sizeof(*shape) * (size_t)first->ndim);
    for (int i = 1; i < n; i++) {
        const vkt_layout *layout = &tensors[i]->layout;
        VKT_REQUIRE(tensors[i]->device == tensors[0]->device, VKT_VALUE_ERROR,
                    "concat: the tensors are on two devices, %s and %s",
                    vkt_device_get_info(tensors[0]->device)->name,
                    vkt_device_get_info(tensors[i]->device)->name);
        bool fit = layout->ndim == first->ndim;
        for (int32_t d = 0; fit && d < first->ndim; d++)
            fit = d == axis || layout->shape[d] == first->shape[d];
        VKT_REQUIRE(fit && vkt_add_i64(shape[axis], layout->shape[axis], &shape[axis]),
                    VKT_VALUE_ERROR, "concat: shapes %s and %s do not fit along axis %d",
                    vkt_shape_text(first->ndim, first->shape, text1),
                    vkt_shape_text(layout->ndim, layout->shape, text2), axis);
        *dtype = vkt_dtype_promote(*dtype, tensors[i]->dtype);
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_concat(vkt_tensor *const *tensors, int n, int32_t axis, vkt_tensor **out)
{
    vkt_tensor *whole = NULL, *part = NULL;
    vkt_dtype dtype = VKT_BOOL;
    int64_t shape[VKT_MAX_NDIM], start = 0;
    VKT_REQUIRE(n > 0, VKT_VALUE_ERROR, "concat: expected at least one tensor");
    VKT_TRY(check_concat(tensors, n, axis, &dtype, shape));
    VKT_TRY(vkt_tensor_empty("concat", tensors[0]->device, dtype, tensors[0]->layout.ndim, shape,
                             &whole));
    for (int i = 0; i < n; i++) {
        int64_t length = tensors[i]->layout.shape[axis];
        if (tensors[i]->layout.n_elems > 0) {
            vkt_layout slice;
            vkt_arg value = {.tensor = tensors[i]};
            vkt_layout_assign(&slice, &whole->layout);
            vkt_layout_slice(&slice, axis, start, 1, length);
            VKT_TRY(vkt_tensor_view(whole, &slice, &part));
            VKT_TRY(vkt_assign("concat", part, &value));
            vkt_tensor_unref(part);
            part = NULL;
        }
        start += length;
    }
    *out = whole;
    return VKT_OK;
fail:
    vkt_tensor_unref(part);
    vkt_tensor_unref(whole);
    return vkt_status_last();
}
