/* ops/expr.c - pending values: their list, their limits, and when they are computed. */
#include "ops/expr.h"

#include <stdlib.h>

#include "ops/elementwise.h"

/* One kernel's size. Beyond it registers spill, and the GPU idles while the host goes on
 * collecting. */
#define MAX_NODES 32

/* Values of VKT_EXPR_OTHER (and small operands computed on their own) nest evaluations: each
 * level holds about 10 KiB of stack. */
#define MAX_DEPTH 48

/* All pending values, newest first. Serialised by the Python layer, as all of this. */
static vkt_tensor *newest;

/* ---- The list -------------------------------------------------------------------------------- */

static void list_insert(vkt_tensor *tensor)
{
    tensor->previous = NULL;
    tensor->next = newest;
    if (newest)
        newest->previous = tensor;
    newest = tensor;
}

static void list_remove(vkt_tensor *tensor)
{
    if (tensor->previous)
        tensor->previous->next = tensor->next;
    else
        newest = tensor->next;
    if (tensor->next)
        tensor->next->previous = tensor->previous;
    tensor->previous = NULL;
    tensor->next = NULL;
}

void vkt_expr_free(vkt_expr *expr)
{
    if (!expr)
        return;
    for (int i = 0; i < expr->n_args; i++)
        vkt_tensor_unref(expr->args[i].tensor);
    free(expr);
}

void vkt_expr_drop(vkt_tensor *tensor)
{
    vkt_expr *expr = tensor->expr;
    list_remove(tensor);
    tensor->expr = NULL;
    vkt_expr_free(expr);
}

vkt_status vkt_expr_new(vkt_expr_kind kind, vkt_expr **out)
{
    vkt_expr *expr = calloc(1, sizeof(*expr));
    VKT_REQUIRE(expr, VKT_OUT_OF_MEMORY, "tensor: no host memory for an expression");
    expr->kind = kind;
    *out = expr;
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Limits ---------------------------------------------------------------------------------- */

static bool is_fusable(const vkt_tensor *tensor)
{
    return tensor->expr && tensor->expr->kind != VKT_EXPR_OTHER;
}

/* Sums what the operands bring. A value read twice is counted twice: see recount. */
static void count_operands(vkt_expr *expr)
{
    expr->n_nodes = 1;
    expr->n_leaves = 0;
    expr->n_scalars = expr->kind == VKT_EXPR_SCALAR;
    expr->depth = 1;
    expr->heavy = expr->kind == VKT_EXPR_OP && (vkt_ops[expr->op].facts & VKT_HEAVY);
    for (int i = 0; i < expr->n_args; i++) {
        const vkt_tensor *arg = expr->args[i].tensor;
        if (!arg) {
            expr->n_scalars++;
            continue;
        }
        if (arg->expr && arg->expr->depth >= expr->depth)
            expr->depth = arg->expr->depth + 1;
        if (!is_fusable(arg)) {
            expr->n_leaves++;
            continue;
        }
        expr->n_nodes += arg->expr->n_nodes;
        expr->n_leaves += arg->expr->n_leaves;
        expr->n_scalars += arg->expr->n_scalars;
        expr->heavy |= arg->expr->heavy;
    }
}

/* Counts each value below once. The walk is short: what is below has passed the limits. */
static void count_once(vkt_tensor *tensor, uint32_t mark, vkt_expr *total)
{
    if (tensor->mark == mark)
        return;
    tensor->mark = mark;
    if (!is_fusable(tensor)) {
        total->n_leaves++;
        return;
    }
    total->n_nodes++;
    total->n_scalars += tensor->expr->kind == VKT_EXPR_SCALAR;
    for (int i = 0; i < tensor->expr->n_args; i++) {
        if (tensor->expr->args[i].tensor)
            count_once(tensor->expr->args[i].tensor, mark, total);
        else
            total->n_scalars++;
    }
}

static bool is_too_large(const vkt_expr *expr)
{
    return expr->n_nodes > MAX_NODES || expr->n_leaves > VKT_MAX_LEAVES ||
           expr->n_scalars > VKT_MAX_SCALARS;
}

static void recount(vkt_expr *expr)
{
    uint32_t mark = vkt_next_mark();
    expr->n_nodes = 1;
    expr->n_leaves = 0;
    expr->n_scalars = 0;
    for (int i = 0; i < expr->n_args; i++) {
        if (expr->args[i].tensor)
            count_once(expr->args[i].tensor, mark, expr);
        else
            expr->n_scalars++;
    }
}

uint32_t vkt_next_mark(void)
{
    static uint32_t mark;
    return ++mark;
}

/* The operand that would lighten the expression most. */
static vkt_tensor *largest_operand(const vkt_expr *expr)
{
    vkt_tensor *largest = NULL;
    for (int i = 0; i < expr->n_args; i++) {
        vkt_tensor *arg = expr->args[i].tensor;
        if (arg && is_fusable(arg) && (!largest || arg->expr->n_nodes > largest->expr->n_nodes))
            largest = arg;
    }
    return largest;
}

static vkt_status enforce_limits(vkt_expr *expr)
{
    count_operands(expr);
    if (expr->depth > MAX_DEPTH) {
        for (int i = 0; i < expr->n_args; i++) {
            if (expr->args[i].tensor)
                VKT_TRY(vkt_eval(&expr->args[i].tensor, 1));
        }
        count_operands(expr);
    }
    /* A reduction reads its operand through one kernel of its own: the operand's limits hold for
     * it. */
    while (expr->kind != VKT_EXPR_OTHER && is_too_large(expr)) {
        recount(expr);
        vkt_tensor *operand = largest_operand(expr);
        if (!is_too_large(expr) || !operand)
            break;
        VKT_TRY(vkt_eval(&operand, 1));
        count_operands(expr);
    }
    if (expr->kind == VKT_EXPR_OTHER) {
        expr->n_nodes = 1;
        expr->n_leaves = 1;
        expr->n_scalars = 0;
        expr->heavy = true;
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Making ---------------------------------------------------------------------------------- */

vkt_status vkt_finish_exported(vkt_block *block, bool wrote)
{
    (void)wrote; /* the other side may write: reads must be over too */
    return vkt_block_exports(block) > 0 ? vkt_block_wait(block, true) : VKT_OK;
}

/* The other side may change an exported operand at any moment: the value is that of now. */
static vkt_status compute_if_exported(vkt_tensor *tensor, const vkt_expr *expr)
{
    vkt_block *exported[3];
    int n = 0;
    for (int i = 0; i < expr->n_args; i++) {
        const vkt_tensor *arg = expr->args[i].tensor;
        if (arg && arg->block && vkt_block_exports(arg->block) > 0)
            exported[n++] = vkt_block_ref(arg->block);
    }
    vkt_status status = n > 0 ? vkt_eval(&tensor, 1) : VKT_OK;
    for (int i = 0; i < n; i++) {
        if (status == VKT_OK)
            status = vkt_finish_exported(exported[i], false);
        vkt_block_unref(exported[i]);
    }
    return status;
}

vkt_status vkt_expr_tensor(vkt_device *device, vkt_dtype dtype, const vkt_layout *layout,
                           vkt_expr *expr, vkt_tensor **out)
{
    vkt_tensor *tensor = NULL;
    VKT_TRY(enforce_limits(expr));
    VKT_TRY(vkt_tensor_new(device, dtype, layout, NULL, &tensor));
    tensor->expr = expr;
    list_insert(tensor);
    vkt_metric_add(device, VKT_METRIC_expressions_built, 1);
    VKT_TRY(compute_if_exported(tensor, expr));
    *out = tensor;
    return VKT_OK;
fail:
    if (tensor)
        vkt_tensor_unref(tensor);
    else
        vkt_expr_free(expr);
    return vkt_status_last();
}

/* ---- Computing ------------------------------------------------------------------------------- */

static vkt_status give_block(vkt_tensor *tensor)
{
    uint64_t nbytes = (uint64_t)tensor->layout.n_elems * vkt_dtypes[tensor->dtype].nbytes;
    return vkt_block_alloc(tensor->device, nbytes, VKT_MEMORY_DEVICE, &tensor->block);
}

static void take_block(vkt_tensor *tensor)
{
    vkt_block_unref(tensor->block);
    tensor->block = NULL;
}

static vkt_status compute_other(vkt_tensor *tensor)
{
    VKT_TRY(give_block(tensor));
    if (tensor->layout.n_elems > 0)
        VKT_TRY(tensor->expr->compute(tensor));
    vkt_expr_drop(tensor);
    return VKT_OK;
fail:
    take_block(tensor);
    return vkt_status_last();
}

static bool reads_directly(const vkt_tensor *tensor, const vkt_block *block)
{
    for (int i = 0; i < tensor->expr->n_args; i++) {
        const vkt_tensor *arg = tensor->expr->args[i].tensor;
        if (arg && arg->block == block)
            return true;
    }
    return false;
}

static bool reads_below(vkt_tensor *tensor, const vkt_block *block, uint32_t mark)
{
    if (!tensor->expr || tensor->mark == mark)
        return false;
    tensor->mark = mark;
    if (reads_directly(tensor, block))
        return true;
    for (int i = 0; i < tensor->expr->n_args; i++) {
        if (tensor->expr->args[i].tensor && reads_below(tensor->expr->args[i].tensor, block, mark))
            return true;
    }
    return false;
}

/* Outputs from `first` on become computed values. */
static void finish_outputs(vkt_fusion *fusion, int first)
{
    int n = fusion->program.n_outputs;
    /* Those below the root hang on its expression: hold them while it goes. */
    for (int i = first; i < n; i++)
        (void)vkt_tensor_ref(fusion->outputs[i]);
    for (int i = first; i < n; i++)
        vkt_expr_drop(fusion->outputs[i]);
    for (int i = first; i < n; i++)
        vkt_tensor_unref(fusion->outputs[i]);
}

/* An element of `into` may be read by another invocation than the one that writes it. */
static bool lies_askew(const vkt_fusion *fusion, const vkt_tensor *into)
{
    uint64_t nbytes = vkt_dtypes[into->dtype].nbytes;
    for (int i = 0; i < fusion->program.n_leaves; i++) {
        const vkt_tensor *leaf = fusion->leaves[i];
        const vkt_layout *layout = &fusion->leaf_layouts[i];
        if (!vkt_blocks_share_memory(leaf->block, into->block))
            continue;
        /* Two imports of one array: rare, and not worth finding out where they meet. */
        if (leaf->block != into->block)
            return true;
        if (layout->n_elems <= 1)
            continue;
        bool same = leaf->dtype == into->dtype && layout->offset == into->layout.offset;
        for (int32_t d = 0; same && d < layout->ndim; d++)
            same = layout->shape[d] == 1 || layout->strides[d] == into->layout.strides[d];
        if (!same && vkt_layout_may_overlap(&leaf->layout, vkt_dtypes[leaf->dtype].nbytes,
                                            &into->layout, nbytes))
            return true;
    }
    return false;
}

/* Fuses root so that its elements may be written to `into`. */
static vkt_status fuse_into(vkt_tensor *root, vkt_tensor *into, vkt_fusion *fusion)
{
    vkt_tensor *copy = NULL;
    VKT_TRY(vkt_fuse(root, true, fusion));
    if (lies_askew(fusion, into)) {
        vkt_fusion_clear(fusion);
        if (root->expr)
            VKT_TRY(vkt_eval(&root, 1));
        else
            VKT_TRY(vkt_tensor_copy(root, &copy));
        VKT_TRY(vkt_fuse(copy ? copy : root, true, fusion));
        vkt_tensor_unref(copy); /* the fusion holds it */
    }
    /* A value that others hold would be computed later, from what is overwritten now. */
    bool needed = root->expr && (root->handles > 0 || root->refs > 1);
    if (needed && reads_below(root, into->block, vkt_next_mark())) {
        vkt_program *program = &fusion->program;
        if (program->n_outputs == VKT_MAX_OUTPUTS) {
            vkt_fusion_clear(fusion);
            VKT_TRY(vkt_eval(&root, 1));
            VKT_TRY(vkt_fuse(root, true, fusion));
        } else {
            fusion->outputs[program->n_outputs] = root;
            program->outputs[program->n_outputs++] = program->outputs[0];
        }
    }
    fusion->outputs[0] = into;
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_expr_compute(vkt_tensor *root, vkt_tensor *into)
{
    vkt_fusion fusion;
    int first = into ? 1 : 0;
    int n_given = first;
    fusion.program.n_leaves = 0;
    if (into)
        VKT_TRY(fuse_into(root, into, &fusion));
    else
        VKT_TRY(vkt_fuse(root, true, &fusion));
    for (; n_given < fusion.program.n_outputs; n_given++)
        VKT_TRY(give_block(fusion.outputs[n_given]));
    if (root->layout.n_elems > 0)
        VKT_TRY(vkt_map(&fusion));
    finish_outputs(&fusion, first);
    vkt_fusion_clear(&fusion);
    return VKT_OK;
fail:
    while (n_given > first)
        take_block(fusion.outputs[--n_given]);
    vkt_fusion_clear(&fusion);
    return vkt_status_last();
}

vkt_status vkt_eval(vkt_tensor *const *tensors, int n)
{
    for (int i = 0; i < n; i++) {
        vkt_tensor *tensor = tensors[i];
        if (!tensor->expr)
            continue;
        /* Computing may drop the last expression that holds it. */
        (void)vkt_tensor_ref(tensor);
        vkt_metric_add(tensor->device, VKT_METRIC_expressions_computed, 1);
        vkt_status status = tensor->expr->kind == VKT_EXPR_OTHER ? compute_other(tensor)
                                                                 : vkt_expr_compute(tensor, NULL);
        vkt_tensor_unref(tensor);
        VKT_TRY(status);
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* ---- Readers of a block ---------------------------------------------------------------------- */

static vkt_tensor *find_reader(const vkt_block *block, bool named, uint32_t skip)
{
    /* A value seen without success leads nowhere for later ones too: one mark serves the whole
     * walk. */
    uint32_t mark = vkt_next_mark();
    for (vkt_tensor *tensor = newest; tensor; tensor = tensor->next) {
        if (tensor->expr->skip == skip)
            continue;
        if (named ? tensor->handles > 0 && reads_below(tensor, block, mark)
                  : reads_directly(tensor, block))
            return tensor;
    }
    return NULL;
}

static void skip_below(vkt_tensor *tensor, uint32_t skip)
{
    if (!tensor->expr || tensor->expr->skip == skip)
        return;
    tensor->expr->skip = skip;
    for (int i = 0; i < tensor->expr->n_args; i++) {
        if (tensor->expr->args[i].tensor)
            skip_below(tensor->expr->args[i].tensor, skip);
    }
}

vkt_status vkt_expr_compute_other_readers(vkt_block *block, vkt_tensor *value)
{
    uint32_t skip = vkt_next_mark();
    if (value)
        skip_below(value, skip);
    /* Values a handle names come first: what lies between them and the block is then fused, not
     * stored. */
    for (int named = 1; named >= 0; named--) {
        vkt_tensor *reader;
        while ((reader = find_reader(block, named == 1, skip)) != NULL)
            VKT_TRY(vkt_eval(&reader, 1));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_expr_compute_readers(vkt_block *block)
{
    return vkt_expr_compute_other_readers(block, NULL);
}
