/* ops/map_text.c - writes the kernels of ops/map.c. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ops/kernel_text.h"
#include "ops/map_internal.h"
#include "ops/tuning.h"

static const char *const layout_names[] = {"flat", "rows", "general", "tiles"};

int vkt_map_outer_limit(vkt_map_layout layout)
{
    static const int limits[] = {0, 2, VKT_MAX_NDIM - 1, 2};
    return limits[layout];
}

/* The outermost dim takes what the others leave. */
int vkt_map_divisors(vkt_map_layout layout)
{
    return vkt_map_outer_limit(layout) + (layout == VKT_MAP_TILES);
}

int vkt_map_shift_words(vkt_map_layout layout)
{
    return (vkt_map_divisors(layout) + 3) / 4;
}

uint32_t vkt_map_tile_side(const vkt_map_plan *plan)
{
    return plan->width <= 4 ? 32 : 64;
}

static bool is_short(const vkt_program *program)
{
    for (int i = 0; i < program->n_instrs; i++) {
        const vkt_instr *instr = &program->instrs[i];
        if (instr->kind == VKT_INSTR_OP && (vkt_ops[instr->op].facts & VKT_HEAVY))
            return false;
    }
    return true;
}

uint32_t vkt_map_group_size(const vkt_map_plan *plan, vkt_map_layout layout)
{
    const vkt_device_info *info = vkt_device_get_info(plan->device);
    uint32_t side = vkt_map_tile_side(plan);
    if (layout == VKT_MAP_TILES)
        return side * side / plan->width;
    uint32_t wished =
        vkt_tuned(plan->device, is_short(plan->program) ? VKT_TUNE_ELEMENTWISE_WORKGROUP
                                                        : VKT_TUNE_ELEMENTWISE_WORKGROUP_HEAVY);
    uint32_t limit = info->max_workgroup_invocations;
    return limit < wished ? limit : wished;
}

static void emit_members(const vkt_map_plan *plan, vkt_map_layout layout, vkt_text *members)
{
    int outer = vkt_map_outer_limit(layout);
    for (int i = 0; i < plan->program->n_outputs; i++)
        vkt_text_format(members, "uint64_t out%d; ", i);
    vkt_emit_members(plan->program, false, members);
    if (plan->counts)
        vkt_text_append(members, "int64_t start; ");
    vkt_text_append(members, "uint n; uint flags; ");
    if (layout == VKT_MAP_FLAT)
        return;
    vkt_text_format(members, "uint inner; %suint shifts[%d]; uint divisors[%d]; int steps[%d]; ",
                    layout == VKT_MAP_GENERAL ? "uint n_outer; "
                    : layout == VKT_MAP_TILES ? "uint inner_y; "
                                              : "",
                    vkt_map_shift_words(layout), 2 * vkt_map_divisors(layout), plan->n_operands);
    if (layout == VKT_MAP_TILES)
        vkt_text_format(members, "int steps_y[%d]; ", plan->n_operands);
    vkt_text_format(members, "int outer[%d]; ", outer * plan->n_operands);
}

static const char *register_type(int dtype)
{
    return vkt_registers[vkt_dtypes[dtype].reg].type;
}

/* `int at, int step`: where operand p begins for this invocation, and its step along WIDTH. */
static void emit_leaf_load(int leaf, int p, const char *at, const char *step, vkt_text *out)
{
    vkt_text_format(
        out, "vkt_leaf%d_part(%s[%d], %s[%d], last, full && (args.flags & %uu) != 0u, x%d);\n",
        leaf, at, p, step, p, 1u << p, leaf);
}

void vkt_emit_registers(const vkt_program *program, const char *n, vkt_text *out)
{
    for (int i = 0; i < program->n_leaves; i++)
        vkt_text_format(out, "    %s x%d[%s];\n", register_type(program->leaf_dtype[i]), i, n);
    for (int i = 0; i < program->n_outputs; i++)
        vkt_text_format(out, "    %s y%d[%s];\n",
                        register_type(program->instrs[program->outputs[i]].dtype), i, n);
}

static void emit_compute_and_store(const vkt_map_plan *plan, const char *step, vkt_text *out)
{
    const vkt_program *program = plan->program;
    vkt_text_append(out, "    [[unroll]] for (int k = 0; k < WIDTH; k++)\n        vkt_compute(");
    for (int i = 0; i < program->n_leaves; i++)
        vkt_text_format(out, "x%d[k], ", i);
    if (plan->counts)
        vkt_text_format(out, "args.start + int64_t(at[%d] + k * %s[%d])", plan->n_operands - 1,
                        step, plan->n_operands - 1);
    else
        vkt_text_append(out, "int64_t(0)");
    for (int i = 0; i < program->n_outputs; i++)
        vkt_text_format(out, ", y%d[k]", i);
    vkt_text_append(out, ");\n");
    for (int p = 0; p < program->n_outputs; p++)
        vkt_text_format(
            out,
            "    vkt_out%d_part(at[%d], %s[%d], last, full && (args.flags & %uu) != 0u, y%d);\n", p,
            p, step, p, 1u << p, p);
    vkt_text_append(out, "}\n\n");
}

/* vkt_run: loads, the program for each element, stores. */
static void emit_run(const vkt_map_plan *plan, vkt_text *out)
{
    const vkt_program *program = plan->program;
    vkt_text_append(out, "void vkt_run(int at[OPERANDS], int step[OPERANDS], int last)\n{\n"
                         "    bool full = last == WIDTH - 1;\n");
    vkt_emit_registers(program, "WIDTH", out);
    for (int i = 0; i < program->n_leaves; i++) {
        vkt_text_append(out, "    ");
        emit_leaf_load(i, program->n_outputs + i, "at", "step", out);
    }
    emit_compute_and_store(plan, "step", out);
}

/* A leaf whose neighbours in memory lie along y: read along y, handed over in shared memory,
 * WIDTH words along x each. */
static void emit_turned_leaf(int leaf, int p, int dtype, vkt_text *out)
{
    bool wide = vkt_dtypes[dtype].nbytes == 8;
    vkt_text_format(out,
                    "    if ((args.flags & %uu) != 0u) {\n"
                    "        %s w[WIDTH];\n"
                    "        barrier();\n"
                    "        if (turned_last >= 0)\n"
                    "            vkt_part%d(args.leaf%d, turned_at[%d], args.steps_y[%d], "
                    "turned_last,\n"
                    "                turned_last == WIDTH - 1 && (args.flags & %uu) != 0u, w);\n",
                    0x10000u << p, wide ? "uint64_t" : "uint", vkt_dtypes[dtype].nbytes * 8, leaf,
                    p, p, 1u << p);
    vkt_text_append(out, wide ? "        VKT_PUT_TILE_WIDE(w)\n        barrier();\n"
                                "        VKT_GET_TILE_WIDE(w)\n"
                              : "        VKT_PUT_TILE(w)\n        barrier();\n"
                                "        VKT_GET_TILE(w)\n");
    vkt_text_format(
        out, "        [[unroll]] for (int k = 0; k < WIDTH; k++)\n            x%d[k] = ", leaf);
    vkt_emit_decode((vkt_dtype)dtype, "w[k]", out);
    vkt_text_append(out, ";\n    } else if (last >= 0) {\n        ");
    emit_leaf_load(leaf, p, "at", "args.steps", out);
    vkt_text_append(out, "    }\n");
}

/* vkt_run_tile: the same where leaves are turned: `last` is -1 for an invocation outside the
 * space. */
static void emit_run_tile(const vkt_map_plan *plan, vkt_text *out)
{
    const vkt_program *program = plan->program;
    vkt_text_append(out, "void vkt_run_tile(int at[OPERANDS], int last, ivec2 place, "
                         "int turned_at[OPERANDS], int turned_last, ivec2 turned_place)\n{\n"
                         "    bool full = last == WIDTH - 1;\n");
    vkt_emit_registers(program, "WIDTH", out);
    for (int i = 0; i < program->n_leaves; i++)
        emit_turned_leaf(i, program->n_outputs + i, program->leaf_dtype[i], out);
    vkt_text_append(out, "    if (last < 0)\n        return;\n");
    emit_compute_and_store(plan, "args.steps", out);
}

static vkt_status build_kernel(const vkt_map_plan *plan, vkt_map_layout layout,
                               uint32_t args_nbytes, const void *key, size_t key_nbytes,
                               vkt_kernel **out)
{
    bool on_cpu = vkt_device_get_info(plan->device)->serial_kernels;
    char numbers[5][32], program_name[VKT_PROGRAM_NAME], name[VKT_PROGRAM_NAME + 16];
    uint32_t constants[3] = {vkt_map_group_size(plan, layout), 1, 1};

    (void)snprintf(numbers[0], sizeof(numbers[0]), "WIDTH %u", plan->width);
    (void)snprintf(numbers[1], sizeof(numbers[1]), "OPERANDS %d", plan->n_operands);
    (void)snprintf(numbers[2], sizeof(numbers[2]), "LAYOUT %d", (int)layout);
    (void)snprintf(numbers[3], sizeof(numbers[3]), "SIDE %u", vkt_map_tile_side(plan));
    (void)snprintf(numbers[4], sizeof(numbers[4]), "UNIT %u", plan->nbytes[0]);
    const char *defines[] = {
        numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], on_cpu ? "CPU" : NULL, NULL};
    vkt_program_name(plan->program, program_name);
    (void)snprintf(name, sizeof(name), "%s_%s", layout_names[layout], program_name);

    vkt_kernel_parts parts = {
        .source = {.name = name, .constants = constants, .n_constants = 3},
        .defines = defines,
        .args_nbytes = args_nbytes,
    };
    emit_members(plan, layout, &parts.members);
    vkt_program_emit(plan->program, &parts.body);
    vkt_emit_access(plan->program, true, &parts.body);
    if (layout == VKT_MAP_TILES && !on_cpu) {
        vkt_text_append(&parts.body, vkt_glsl_template("elementwise_tile"));
        emit_run_tile(plan, &parts.body);
    } else {
        emit_run(plan, &parts.body);
    }
    vkt_text_append(&parts.body, vkt_glsl_template("elementwise"));
    return vkt_kernel_assemble(plan->device, key, key_nbytes, &parts, out);
}

vkt_status vkt_map_kernel(const vkt_map_plan *plan, vkt_map_layout layout, uint32_t args_nbytes,
                          vkt_kernel **out)
{
    uint32_t group = vkt_map_group_size(plan, layout);
    uint8_t key[5 + sizeof(vkt_program)] = {'E', (uint8_t)layout, (uint8_t)plan->width,
                                            (uint8_t)group, (uint8_t)(group >> 8)};
    size_t key_nbytes = 5 + vkt_program_key(plan->program, key + 5);
    *out = vkt_kernel_find(plan->device, key, key_nbytes);
    return *out ? VKT_OK : build_kernel(plan, layout, args_nbytes, key, key_nbytes, out);
}
