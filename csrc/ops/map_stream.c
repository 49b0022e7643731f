/* ops/map_stream.c - long contiguous spaces on CPU drivers: subgroups that load as vectors.
 *
 * shaders/lib/stream.glsl tells the way. The kernel is straight-line code, so it takes whole
 * workgroups only, and what is left goes to the flat kernel. */
#include <stdio.h>

#include "base/checked.h"
#include "ops/kernel_text.h"
#include "ops/map_internal.h"
#include "ops/note.h"
#include "ops/stream.h"

/* Invocations of a workgroup: small groups cost llvmpipe up to a tenth. */
#define WORKGROUP 256u
/* Subgroups of one dispatch: three digits of vkt_uniform. */
#define MAX_CHUNKS 32768u
#define N_DIGITS   32
/* The most an output of one dispatch has: 32768 subgroups of 8 x 16 elements of 8 bytes. */
#define BIND_NBYTES (UINT64_C(32) << 20)

typedef struct stream {
    uint32_t lanes;
    uint32_t pack;  /* neighbouring elements of a lane: 16 bytes of the narrowest output */
    uint32_t packs; /* of each lane, one after the other */
    uint32_t still; /* bit i: leaf i is one element for all */
} stream;

/* Address arithmetic is shared by the packs of a lane, code is not: long programs take few. */
static uint32_t find_unrolling(const vkt_program *program)
{
    uint32_t cost = 0;
    for (int i = 0; i < program->n_instrs; i++) {
        const vkt_instr *instr = &program->instrs[i];
        if (instr->kind == VKT_INSTR_OP)
            cost += vkt_ops[instr->op].facts & VKT_HEAVY ? 16 : 1;
    }
    return cost <= 4 ? 16 : cost <= 16 ? 8 : 4;
}

/* False when the space is not for streams. */
static bool init_stream(const vkt_map_plan *plan, const vkt_space *space, stream *out)
{
    const vkt_device_info *info = vkt_device_get_info(plan->device);
    uint32_t n_outputs = plan->program->n_outputs, narrowest = 8;
    uint64_t align = info->bind_alignment > 16 ? info->bind_alignment : 16;

    if (!info->serial_kernels || !info->push8 || info->bind_nbytes < BIND_NBYTES ||
        WORKGROUP > info->max_workgroup_invocations || WORKGROUP % info->subgroup_size != 0)
        return false;
    out->still = 0;
    for (int p = 0; p < plan->n_tensors; p++) {
        bool is_output = p < (int)n_outputs;
        if (plan->nbytes[p] > 8 || (is_output && vkt_map_address(plan, space, p) % align != 0))
            return false;
        if (is_output && plan->nbytes[p] < narrowest)
            narrowest = plan->nbytes[p];
        if (!is_output && space->strides[p][0] == 0)
            out->still |= UINT32_C(1) << (p - (int)n_outputs);
    }
    out->lanes = info->subgroup_size;
    out->pack = 16 / narrowest;
    uint32_t unrolling = find_unrolling(plan->program);
    out->packs = unrolling > out->pack ? unrolling / out->pack : 1;
    return true;
}

/* ---- The kernel ------------------------------------------------------------------------------ */

static void emit_members(const vkt_map_plan *plan, vkt_text *members)
{
    vkt_emit_members(plan->program, false, members);
    if (plan->counts)
        vkt_text_append(members, "int64_t start; ");
    vkt_text_format(members, "uint8_t digits[%d]; ", N_DIGITS);
}

static void emit_main(const vkt_map_plan *plan, const stream *s, vkt_text *out)
{
    const vkt_program *program = plan->program;
    for (int i = 0; i < program->n_outputs; i++)
        vkt_text_format(out,
                        "layout(set = 0, binding = %d, std430) writeonly buffer Bound%d { "
                        "uvec4 v[]; } bound%d;\n\n",
                        i, i, i);
    vkt_text_append(out, "void main()\n{\n"
                         "    uint chunk = vkt_uniform(gl_WorkGroupID.x * SUBGROUPS + "
                         "gl_SubgroupID);\n"
                         "    [[unroll]] for (uint q = 0u; q < PACKS; q++) {\n"
                         "        uint64_t at = uint64_t((chunk * PACKS + q) * (LANES * PACK));\n");
    vkt_emit_registers(program, "PACK", out);
    vkt_text_append(out, "        [[unroll]] for (int k = 0; k < PACK; k++) {\n");
    for (int i = 0; i < program->n_leaves; i++) {
        vkt_dtype dtype = (vkt_dtype)program->leaf_dtype[i];
        int nbytes = vkt_dtypes[dtype].nbytes;
        char word[96];
        if (s->still & UINT32_C(1) << i)
            (void)snprintf(word, sizeof(word), "vkt_word%d(args.leaf%d, 0)", nbytes * 8, i);
        else
            (void)snprintf(word, sizeof(word), "vkt_pick%d(args.leaf%d + (at + uint64_t(k)) * %d)",
                           nbytes * 8, i, nbytes);
        vkt_text_format(out, "            x%d[k] = ", i);
        vkt_emit_decode(dtype, word, out);
        vkt_text_append(out, ";\n");
    }
    vkt_text_append(out, "        }\n        [[unroll]] for (int k = 0; k < PACK; k++)\n"
                         "            vkt_compute(");
    for (int i = 0; i < program->n_leaves; i++)
        vkt_text_format(out, "x%d[k], ", i);
    vkt_text_append(out, plan->counts ? "args.start + int64_t(at) + int64_t("
                                        "gl_SubgroupInvocationID * PACK) + int64_t(k)"
                                      : "int64_t(0)");
    for (int i = 0; i < program->n_outputs; i++)
        vkt_text_format(out, ", y%d[k]", i);
    vkt_text_append(out, ");\n");
    for (int i = 0; i < program->n_outputs; i++)
        vkt_emit_give(program, i, out);
    vkt_text_append(out, "    }\n}\n");
}

static vkt_status build_kernel(const vkt_map_plan *plan, const stream *s, uint32_t args_nbytes,
                               const void *key, size_t key_nbytes, vkt_kernel **out)
{
    char numbers[4][32], program_name[VKT_PROGRAM_NAME], name[VKT_PROGRAM_NAME + 16];
    const uint32_t constants[3] = {WORKGROUP, 1, 1};

    (void)snprintf(numbers[0], sizeof(numbers[0]), "LANES %u", s->lanes);
    (void)snprintf(numbers[1], sizeof(numbers[1]), "PACK %u", s->pack);
    (void)snprintf(numbers[2], sizeof(numbers[2]), "PACKS %u", s->packs);
    (void)snprintf(numbers[3], sizeof(numbers[3]), "SUBGROUPS %u", WORKGROUP / s->lanes);
    const char *defines[] = {numbers[0], numbers[1], numbers[2], numbers[3], "CPU", NULL};
    vkt_program_name(plan->program, program_name);
    (void)snprintf(name, sizeof(name), "stream_%s", program_name);

    vkt_kernel_parts parts = {
        .source = {.name = name, .constants = constants, .n_constants = 3},
        .defines = defines,
        .args_nbytes = args_nbytes,
    };
    emit_members(plan, &parts.members);
    vkt_program_emit(plan->program, &parts.body);
    emit_main(plan, s, &parts.body);
    return vkt_kernel_assemble(plan->device, key, key_nbytes, &parts, out);
}

static vkt_status find_kernel(const vkt_map_plan *plan, const stream *s, uint32_t args_nbytes,
                              vkt_kernel **out)
{
    uint8_t key[2 + sizeof(vkt_program)] = {'V', (uint8_t)s->still};
    size_t key_nbytes = 2 + vkt_program_key(plan->program, key + 2);
    *out = vkt_kernel_find(plan->device, key, key_nbytes);
    return *out ? VKT_OK : build_kernel(plan, s, args_nbytes, key, key_nbytes, out);
}

/* ---- Recording ------------------------------------------------------------------------------- */

static void pack_args(const vkt_map_plan *plan, const vkt_space *space, vkt_args *args)
{
    args->nbytes = 0;
    for (int p = plan->program->n_outputs; p < plan->n_tensors; p++)
        vkt_args_u64(args, vkt_map_address(plan, space, p));
    vkt_pack_scalars(plan->fusion, args);
    if (plan->counts)
        vkt_args_u64(args, (uint64_t)space->offsets[plan->n_operands - 1]);
    for (uint32_t i = 0; i < N_DIGITS; i += 4)
        vkt_args_u32(args, i | (i + 1) << 8 | (i + 2) << 16 | (i + 3) << 24);
}

/* Records `piece`, a whole number of workgroups. */
static vkt_status record(const vkt_map_plan *plan, const stream *s, const vkt_space *piece,
                         uint32_t n_groups, const vkt_args *args)
{
    vkt_access accesses[MAX_MAP_OPERANDS];
    vkt_note note;
    vkt_launch launch = {
        .groups = {n_groups, 1, 1},
        .args = args->bytes,
        .args_nbytes = args->nbytes,
        .accesses = accesses,
        .n_accesses = (uint32_t)plan->n_tensors,
        .n_bound = plan->program->n_outputs,
    };
    for (int p = 0; p < plan->n_tensors; p++)
        launch.nbytes += vkt_map_access(plan, piece, p, &accesses[p]);
    VKT_TRY(find_kernel(plan, s, args->nbytes, &launch.kernel));
    if (vkt_profile_running(plan->device)) {
        vkt_note_fusion(plan->fusion, NULL, plan->fusion->outputs[0], &note);
        launch.note = &note;
    }
    return vkt_dispatch(plan->device, &launch);
fail:
    return vkt_status_last();
}

vkt_status vkt_map_stream(const vkt_map_plan *plan, vkt_space *space)
{
    vkt_args args;
    stream s;

    if (!init_stream(plan, space, &s) ||
        !vkt_stream_is_due(plan->device, plan->program, -1, (uint64_t)space->shape[0]))
        return VKT_OK;
    uint32_t group_elems = WORKGROUP * s.pack * s.packs;
    uint32_t max_groups = MAX_CHUNKS / (WORKGROUP / s.lanes);
    while (space->shape[0] >= group_elems) {
        uint64_t n_groups = vkt_min_u64((uint64_t)space->shape[0] / group_elems, max_groups);
        vkt_space piece = *space;
        piece.shape[0] = (int64_t)n_groups * group_elems;
        pack_args(plan, &piece, &args);
        if (args.nbytes > VKT_PUSH_NBYTES)
            return VKT_OK; /* arguments in memory are not understood as the same for all lanes */
        VKT_TRY(record(plan, &s, &piece, (uint32_t)n_groups, &args));
        space->shape[0] -= piece.shape[0];
        for (int p = 0; p < space->n_operands; p++)
            space->offsets[p] += piece.shape[0] * space->strides[p][0];
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}
