/* ops/gather.c - x[indices], take and take_along_axis. */
#include "ops/gather.h"

#include "ops/index_internal.h"

/* Gathers, and in the same submit finds out whether an index was bad. */
static vkt_status gather(vkt_walk *walk, vkt_tensor **out)
{
    vkt_tensor *result = NULL;
    VKT_TRY(vkt_tensor_empty(walk->op, walk->x->device, walk->x->dtype, walk->shape.ndim,
                             walk->shape.shape, &result));
    /* Where x has no elements no index can be good: there is nothing to read. */
    bool empty = walk->x->layout.n_elems == 0 || walk->shape.n_elems == 0;
    vkt_walk_launch launch = {.mode = empty ? VKT_WALK_CHECK : VKT_WALK_GATHER, .other = result};
    if (!empty || walk->bad) {
        VKT_TRY(vkt_walk_run(walk, &launch));
        VKT_TRY(vkt_walk_verify(walk, NULL));
        VKT_TRY(vkt_finish_exported(walk->x->block, false));
        for (int k = 0; k < walk->n_indices; k++)
            VKT_TRY(vkt_finish_exported(walk->indices[k].tensor->block, false));
    }
    *out = result;
    return VKT_OK;
fail:
    vkt_tensor_unref(result);
    return vkt_status_last();
}

vkt_status vkt_gather(const char *op, vkt_tensor *x, const vkt_selection *selection,
                      vkt_tensor **out)
{
    vkt_walk walk;
    VKT_TRY(vkt_walk_select(op, x, selection, false, &walk));
    VKT_TRY(gather(&walk, out));
    vkt_walk_clear(&walk);
    return VKT_OK;
fail:
    vkt_walk_clear(&walk);
    return vkt_status_last();
}

vkt_status vkt_take(vkt_tensor *x, vkt_tensor *indices, int32_t axis, bool trusted,
                    vkt_tensor **out)
{
    const vkt_layout *by = &indices->layout;
    vkt_selection selection = {.n = 1, .place = axis};
    VKT_REQUIRE(axis >= 0 && axis < x->layout.ndim, VKT_VALUE_ERROR,
                "take: expected an axis below %d, got %d", x->layout.ndim, axis);
    selection.indices[0] =
        (vkt_index){.tensor = indices, .axis = axis, .number = axis, .trusted = trusted};
    VKT_TRY(vkt_layout_init("take", by->ndim, by->shape, 1, &selection.shape));
    return vkt_gather("take", x, &selection, out);
fail:
    return vkt_status_last();
}

vkt_status vkt_take_along(vkt_tensor *x, vkt_tensor *indices, int32_t axis, vkt_tensor **out)
{
    vkt_walk walk;
    VKT_TRY(vkt_walk_along("take_along_axis", x, indices, axis, false, &walk));
    VKT_TRY(gather(&walk, out));
    vkt_walk_clear(&walk);
    return VKT_OK;
fail:
    vkt_walk_clear(&walk);
    return vkt_status_last();
}
