/* ops/kernel_text.c - puts kernels together from the embedded library. */
#include "ops/kernel_text.h"

#include <stdlib.h>
#include <string.h>

#include "ops/embedded.h"

/* Enabling an extension costs nothing: a capability is declared only where a type or function of it
 * is used. */
static const char PREAMBLE[] =
    "#version 460\n"
    "#extension GL_EXT_buffer_reference : require\n"
    "#extension GL_EXT_buffer_reference2 : require\n"
    "#extension GL_EXT_buffer_reference_uvec2 : require\n"
    "#extension GL_EXT_scalar_block_layout : require\n"
    "#extension GL_EXT_control_flow_attributes : require\n"
    "#extension GL_EXT_shader_explicit_arithmetic_types : enable\n"
    "#extension GL_EXT_shader_8bit_storage : enable\n"
    "#extension GL_EXT_shader_16bit_storage : enable\n"
    "#extension GL_EXT_shader_atomic_int64 : enable\n"
    "#extension GL_EXT_spirv_intrinsics : enable\n"
    "#extension GL_KHR_shader_subgroup_basic : enable\n"
    "#extension GL_KHR_shader_subgroup_vote : enable\n"
    "#extension GL_KHR_shader_subgroup_ballot : enable\n"
    "#extension GL_KHR_shader_subgroup_arithmetic : enable\n"
    "#extension GL_KHR_shader_subgroup_shuffle : enable\n"
    "#extension GL_KHR_memory_scope_semantics : enable\n"
    "layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;\n";

const char *vkt_glsl_template(const char *name)
{
    for (unsigned i = 0; i < vkt_glsl_templates_count; i++) {
        if (strcmp(vkt_glsl_templates[i].name, name) == 0)
            return vkt_glsl_templates[i].text;
    }
    return NULL;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Marks the chunks that `text` names, and those they name. Chunks of one name are overloads and
 * come together. */
static void mark_used(const char *text, bool *used)
{
    const char *at = text;
    while (*at) {
        if (!is_name_char(*at)) {
            at++;
            continue;
        }
        const char *start = at;
        while (is_name_char(*at))
            at++;
        size_t n = (size_t)(at - start);
        if (n < 5 || (memcmp(start, "vkt_", 4) != 0 && memcmp(start, "VKT_", 4) != 0))
            continue;
        for (unsigned i = 0; i < vkt_glsl_library_count; i++) {
            const char *name = vkt_glsl_library[i].name;
            if (!used[i] && strncmp(name, start, n) == 0 && name[n] == '\0') {
                used[i] = true;
                mark_used(vkt_glsl_library[i].text, used);
            }
        }
    }
}

/* A macro for each fact about the device's arithmetic that holds. */
static void define_facts(const vkt_device *device, vkt_text *out)
{
    uint32_t facts = vkt_device_get_info(device)->arithmetic;
    for (int i = 0; i < VKT_FACT_COUNT; i++) {
        if (!(facts & 1u << i))
            continue;
        vkt_text_append(out, "#define VKT_");
        for (const char *c = vkt_fact_names[i]; *c; c++)
            vkt_text_format(out, "%c", *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        vkt_text_append(out, "\n");
    }
}

/* VKT_ZERO: 0 as no compiler knows, the highest bit of the first address among the arguments. */
static void define_zero(const char *members, vkt_text *out)
{
    const char *name = strstr(members, "uint64_t ");
    if (!name)
        return;
    name += strlen("uint64_t ");
    size_t n = 0;
    while (is_name_char(name[n]))
        n++;
    vkt_text_format(out, "#define VKT_ZERO uint(args.%.*s >> 63)\n", (int)n, name);
}

static void assemble(const vkt_device *device, const vkt_kernel_parts *parts, vkt_text *out)
{
    const char *members = parts->members.chars, *body = parts->body.chars;
    bool *used = calloc(vkt_glsl_library_count + 1, sizeof(*used));
    if (!used) {
        out->failed = true;
        return;
    }
    mark_used(body, used);

    vkt_text_append(out, PREAMBLE);
    define_facts(device, out);
    for (const char *const *define = parts->defines; define && *define; define++)
        vkt_text_format(out, "#define %s\n", *define);
    if (parts->args_nbytes > VKT_PUSH_NBYTES) {
        vkt_text_format(out,
                        "layout(buffer_reference, scalar, buffer_reference_align = 16) readonly "
                        "buffer VktArgs { %s };\n"
                        "layout(push_constant, scalar) uniform VktPush { VktArgs args; };\n",
                        members);
    } else if (parts->args_nbytes > 0) {
        vkt_text_format(out, "layout(push_constant, scalar) uniform VktPush { %s } args;\n",
                        members);
    }
    define_zero(members, out);
    for (unsigned i = 0; i < vkt_glsl_library_count; i++) {
        if (used[i])
            vkt_text_append(out, vkt_glsl_library[i].text);
    }
    vkt_text_append(out, body);
    free(used);
}

static vkt_status build(vkt_device *device, const void *key, size_t key_nbytes,
                        const vkt_kernel_parts *parts, vkt_text *glsl, vkt_kernel **out)
{
    vkt_kernel_source source = parts->source;
    VKT_TRY(vkt_text_check(&parts->members));
    VKT_TRY(vkt_text_check(&parts->body));
    assemble(device, parts, glsl);
    VKT_TRY(vkt_text_check(glsl));
    source.glsl = glsl->chars;
    return vkt_kernel_build(device, key, key_nbytes, &source, out);
fail:
    return vkt_status_last();
}

vkt_status vkt_kernel_assemble(vkt_device *device, const void *key, size_t key_nbytes,
                               vkt_kernel_parts *parts, vkt_kernel **out)
{
    vkt_text glsl = {0};
    vkt_status status = build(device, key, key_nbytes, parts, &glsl, out);
    vkt_text_free(&parts->members);
    vkt_text_free(&parts->body);
    vkt_text_free(&glsl);
    return status;
}
