/* ops/fuse.c - gathers an expression into one program, computing first what cannot be part of
 * it. */
#include <assert.h>
#include <string.h>

#include "ops/expr.h"

/* A smaller operand up to this size is computed again for every copy of it rather than stored
 * and read. */
#define MAX_BROADCAST_NODES 4

typedef struct vkt_walk {
    vkt_fusion *fusion;
    vkt_tensor *root;
    bool keep;
    uint32_t mark;
    int leaf_values[VKT_MAX_LEAVES];
    vkt_tensor *first; /* found: to be computed before, then the walk starts again */
} vkt_walk;

static int visit(vkt_walk *walk, vkt_tensor *tensor);

/* leaf_layouts[n] = layout seen with the space's shape, which it is known to broadcast to. */
static void broadcast_leaf(const vkt_layout *space, const vkt_layout *in, vkt_layout *out)
{
    int32_t missing = space->ndim - in->ndim;
    out->ndim = space->ndim;
    out->n_elems = space->n_elems;
    out->offset = in->offset;
    for (int32_t i = 0; i < space->ndim; i++) {
        int32_t from = i - missing;
        out->shape[i] = space->shape[i];
        out->strides[i] = from >= 0 && in->shape[from] != 1 ? in->strides[from] : 0;
    }
}

static bool same_view(const vkt_layout *a, const vkt_layout *b)
{
    return a->offset == b->offset &&
           (a->ndim == 0 || memcmp(a->strides, b->strides, (size_t)a->ndim * sizeof(int64_t)) == 0);
}

static int visit_leaf(vkt_walk *walk, vkt_tensor *tensor)
{
    vkt_fusion *fusion = walk->fusion;
    int n = fusion->program.n_leaves;
    vkt_layout spare;
    vkt_layout *layout = n < VKT_MAX_LEAVES ? &fusion->leaf_layouts[n] : &spare;
    broadcast_leaf(&fusion->space, &tensor->layout, layout);
    for (int i = 0; i < n; i++) {
        const vkt_tensor *leaf = fusion->leaves[i];
        if (leaf->block == tensor->block && leaf->dtype == tensor->dtype &&
            same_view(&fusion->leaf_layouts[i], layout))
            return walk->leaf_values[i];
    }
    int value = vkt_program_leaf(&fusion->program, tensor->dtype);
    if (value >= 0) {
        fusion->leaves[n] = vkt_tensor_ref(tensor);
        walk->leaf_values[n] = value;
    }
    return value;
}

static int append_scalar(vkt_walk *walk, vkt_dtype dtype, vkt_bits bits)
{
    int n = walk->fusion->program.n_scalars;
    int value = vkt_program_scalar(&walk->fusion->program, dtype);
    if (value >= 0)
        walk->fusion->scalars[n] = bits;
    return value;
}

/* The dtype operand `i` is converted to. */
static vkt_dtype operand_dtype(const vkt_expr *expr, int i)
{
    bool is_condition = i == 0 && vkt_ops[expr->op].result == VKT_RESULT_WHERE;
    return is_condition ? VKT_BOOL : expr->compute_dtype;
}

static int visit_op(vkt_walk *walk, const vkt_tensor *tensor)
{
    const vkt_expr *expr = tensor->expr;
    int args[3] = {0};
    for (int i = 0; i < expr->n_args; i++) {
        vkt_dtype dtype = operand_dtype(expr, i);
        vkt_tensor *arg = expr->args[i].tensor;
        args[i] = arg ? visit(walk, arg) : append_scalar(walk, dtype, expr->args[i].bits);
        if (args[i] >= 0)
            args[i] = vkt_program_cast(&walk->fusion->program, dtype, args[i]);
        if (args[i] < 0)
            return -1;
    }
    return vkt_program_op(&walk->fusion->program, expr->op, expr->compute_dtype, tensor->dtype,
                          args);
}

/* True when a pending value below the root (or the root itself, unless it is to be kept) must be
 * in memory first. */
static bool must_come_first(const vkt_walk *walk, const vkt_tensor *tensor)
{
    const vkt_expr *expr = tensor->expr;
    if (expr->kind == VKT_EXPR_SCALAR)
        return false;
    if (expr->kind == VKT_EXPR_OTHER)
        return true;
    if (tensor == walk->root)
        return !walk->keep && tensor->handles > 0;
    if (!vkt_layout_same_shape(&tensor->layout, &walk->fusion->space))
        return tensor->handles > 0 || expr->heavy || expr->n_nodes > MAX_BROADCAST_NODES ||
               expr->kind == VKT_EXPR_IOTA;
    return !walk->keep && tensor->handles > 0 && expr->kind != VKT_EXPR_IOTA;
}

/* A value with a handle is written too. True when there is no room for it. */
static bool add_output(vkt_walk *walk, vkt_tensor *tensor, int value)
{
    vkt_program *program = &walk->fusion->program;
    if (program->n_outputs >= VKT_MAX_OUTPUTS)
        return true;
    walk->fusion->outputs[program->n_outputs] = tensor;
    program->outputs[program->n_outputs++] = (uint8_t)value;
    return false;
}

static int visit_pending(vkt_walk *walk, vkt_tensor *tensor)
{
    const vkt_expr *expr = tensor->expr;
    vkt_program *program = &walk->fusion->program;
    if (must_come_first(walk, tensor)) {
        walk->first = tensor;
        return -1;
    }
    int value = -1;
    switch (expr->kind) {
    case VKT_EXPR_SCALAR:
        value = append_scalar(walk, tensor->dtype, expr->args[0].bits);
        break;
    case VKT_EXPR_IOTA:
        value = vkt_program_iota(program);
        break;
    case VKT_EXPR_CAST:
        value = visit(walk, expr->args[0].tensor);
        if (value >= 0)
            value = vkt_program_cast(program, tensor->dtype, value);
        break;
    default:
        value = visit_op(walk, tensor);
        break;
    }
    /* Constants and counters are cheaper to make again than to store. */
    bool worth_storing = expr->kind == VKT_EXPR_OP || expr->kind == VKT_EXPR_CAST;
    if (value >= 0 && walk->keep && tensor != walk->root && tensor->handles > 0 && worth_storing &&
        vkt_layout_same_shape(&tensor->layout, &walk->fusion->space) &&
        add_output(walk, tensor, value)) {
        /* Its own kernel then takes those before it along. */
        walk->first = tensor;
        return -1;
    }
    return value;
}

static int visit(vkt_walk *walk, vkt_tensor *tensor)
{
    if (tensor->mark == walk->mark)
        return tensor->result;
    int value = tensor->expr ? visit_pending(walk, tensor) : visit_leaf(walk, tensor);
    if (value >= 0) {
        tensor->mark = walk->mark;
        tensor->result = value;
    }
    return value;
}

/* The program is full: computing the largest operand of the root makes room. */
static vkt_tensor *choose_operand(const vkt_tensor *root)
{
    vkt_tensor *chosen = NULL;
    for (int i = 0; root->expr && i < root->expr->n_args; i++) {
        vkt_tensor *arg = root->expr->args[i].tensor;
        if (arg && arg->expr && (!chosen || arg->expr->n_nodes > chosen->expr->n_nodes))
            chosen = arg;
    }
    return chosen;
}

static void begin(vkt_walk *walk)
{
    vkt_program *program = &walk->fusion->program;
    memset(program, 0, offsetof(vkt_program, instrs));
    program->n_outputs = 1;
    walk->fusion->outputs[0] = walk->root;
    walk->mark = vkt_next_mark();
    walk->first = NULL;
}

/* The layout of results: the root's shape in C order, also where the root itself is a strided
 * view. */
static void make_space(const vkt_layout *root, vkt_layout *space)
{
    vkt_layout_assign(space, root);
    space->offset = 0;
    int64_t stride = 1;
    for (int32_t i = root->ndim - 1; i >= 0; i--) {
        space->strides[i] = stride;
        stride *= root->shape[i];
    }
}

vkt_status vkt_fuse(vkt_tensor *root, bool keep, vkt_fusion *out)
{
    vkt_walk walk = {.fusion = out, .root = root, .keep = keep};
    make_space(&root->layout, &out->space);
    for (;;) {
        begin(&walk);
        int value = visit(&walk, root);
        if (value >= 0) {
            out->program.outputs[0] = (uint8_t)value;
            return VKT_OK;
        }
        if (!walk.first)
            walk.first = choose_operand(root);
        assert(walk.first);
        vkt_fusion_clear(out);
        VKT_TRY(vkt_eval(&walk.first, 1));
    }
fail:
    return vkt_status_last();
}

void vkt_fusion_clear(vkt_fusion *fusion)
{
    for (int i = 0; i < fusion->program.n_leaves; i++)
        vkt_tensor_unref(fusion->leaves[i]);
    fusion->program.n_leaves = 0;
}
