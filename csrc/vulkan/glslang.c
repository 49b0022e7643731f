/* vulkan/glslang.c - GLSL to SPIR-V by the glslang linked into the library. */
#include "vulkan/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glslang/Include/glslang_c_interface.h>
#if __has_include(<glslang/Public/resource_limits_c.h>)
#include <glslang/Public/resource_limits_c.h>
#else
#include <glslang/StandAlone/resource_limits_c.h>
#endif
#if __has_include(<glslang/build_info.h>)
#include <glslang/build_info.h>
#endif

#include "base/text.h"

/* A runaway log (one error per line of a large kernel) must not become the exception's text. */
#define MAX_LOG_NBYTES 65536

#define STRINGIFY_(x) #x
#define STRINGIFY(x)  STRINGIFY_(x)

static pthread_once_t initialize_once = PTHREAD_ONCE_INIT;
static bool initialized;

/* Never finalized: a thread may still compile while the process exits. */
static void initialize_glslang(void)
{
    initialized = glslang_initialize_process() != 0;
}

const char *vkt_glsl_version(void)
{
#ifdef GLSLANG_VERSION_MAJOR
    return STRINGIFY(GLSLANG_VERSION_MAJOR) "." STRINGIFY(GLSLANG_VERSION_MINOR) "." STRINGIFY(
        GLSLANG_VERSION_PATCH) GLSLANG_VERSION_FLAVOR;
#else
    return "unknown";
#endif
}

static void append_log(vkt_text *text, const char *log)
{
    if (!log || text->length >= MAX_LOG_NBYTES)
        return;
    size_t room = MAX_LOG_NBYTES - text->length;
    size_t n = strlen(log);
    vkt_text_append_n(text, log, n < room ? n : room);
    if (n > room)
        vkt_text_append(text, "\n... (log cut)\n");
}

static void append_numbered(vkt_text *text, const char *glsl)
{
    int line = 1;
    while (*glsl) {
        const char *end = strchr(glsl, '\n');
        size_t n = end ? (size_t)(end - glsl) : strlen(glsl);
        vkt_text_format(text, "%5d | ", line++);
        vkt_text_append_n(text, glsl, n);
        vkt_text_append(text, "\n");
        glsl += n + (end ? 1 : 0);
    }
}

/* Fails with the log gathered so far and the source. */
static vkt_status refuse(const char *name, const char *glsl, const char *stage, vkt_text *log)
{
    vkt_text text = {0};
    vkt_text_format(&text, "kernel %s: glslang could not %s it\n", name, stage);
    if (log->chars)
        vkt_text_append_n(&text, log->chars, log->length);
    vkt_text_append(&text, "\n");
    append_numbered(&text, glsl);
    vkt_status status;
    if (text.chars && !text.failed)
        status = vkt_fail(VKT_COMPILE_ERROR, __FILE__, __LINE__, "%s", text.chars);
    else
        status = vkt_fail(VKT_COMPILE_ERROR, __FILE__, __LINE__,
                          "kernel %s: glslang could not %s it", name, stage);
    vkt_text_free(&text);
    return status;
}

static vkt_status take_words(glslang_program_t *program, const char *name, uint32_t **words,
                             size_t *n_words)
{
    size_t n = glslang_program_SPIRV_get_size(program);
    VKT_REQUIRE(n > 0, VKT_COMPILE_ERROR, "kernel %s: glslang gave no SPIR-V", name);
    uint32_t *copy = malloc(n * sizeof(*copy));
    VKT_REQUIRE(copy, VKT_OUT_OF_MEMORY, "kernel %s: no memory for %zu words", name, n);
    memcpy(copy, glslang_program_SPIRV_get_ptr(program), n * sizeof(*copy));
    *words = copy;
    *n_words = n;
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_glsl_compile(const char *name, const char *glsl, uint32_t **words, size_t *n_words)
{
    glslang_shader_t *shader = NULL;
    glslang_program_t *program = NULL;
    vkt_text log = {0};

    (void)pthread_once(&initialize_once, initialize_glslang);
    VKT_REQUIRE(initialized, VKT_UNAVAILABLE, "kernel %s: glslang did not start", name);

    const int messages = GLSLANG_MSG_SPV_RULES_BIT | GLSLANG_MSG_VULKAN_RULES_BIT;
    const glslang_input_t input = {
        .language = GLSLANG_SOURCE_GLSL,
        .stage = GLSLANG_STAGE_COMPUTE,
        .client = GLSLANG_CLIENT_VULKAN,
        .client_version = GLSLANG_TARGET_VULKAN_1_3,
        .target_language = GLSLANG_TARGET_SPV,
        .target_language_version = GLSLANG_TARGET_SPV_1_6,
        .code = glsl,
        .default_version = 460,
        .default_profile = GLSLANG_NO_PROFILE,
        .messages = (glslang_messages_t)messages,
        .resource = glslang_default_resource(),
    };
    shader = glslang_shader_create(&input);
    VKT_REQUIRE(shader, VKT_OUT_OF_MEMORY, "kernel %s: glslang has no memory", name);
    if (!glslang_shader_preprocess(shader, &input) || !glslang_shader_parse(shader, &input)) {
        append_log(&log, glslang_shader_get_info_log(shader));
        append_log(&log, glslang_shader_get_info_debug_log(shader));
        VKT_TRY(refuse(name, glsl, "parse", &log));
    }
    program = glslang_program_create();
    VKT_REQUIRE(program, VKT_OUT_OF_MEMORY, "kernel %s: glslang has no memory", name);
    glslang_program_add_shader(program, shader);
    if (!glslang_program_link(program, messages)) {
        append_log(&log, glslang_program_get_info_log(program));
        append_log(&log, glslang_program_get_info_debug_log(program));
        VKT_TRY(refuse(name, glsl, "link", &log));
    }
    /* The optimiser costs more than it gains: the driver has its own. */
    glslang_spv_options_t options = {.disable_optimizer = true};
    glslang_program_SPIRV_generate_with_options(program, GLSLANG_STAGE_COMPUTE, &options);
    VKT_TRY(take_words(program, name, words, n_words));

    vkt_text_free(&log);
    glslang_program_delete(program);
    glslang_shader_delete(shader);
    return VKT_OK;
fail:
    vkt_text_free(&log);
    if (program)
        glslang_program_delete(program);
    if (shader)
        glslang_shader_delete(shader);
    return vkt_status_last();
}
