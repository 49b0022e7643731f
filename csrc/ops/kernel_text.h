/* ops/kernel_text.h - from parts of GLSL to a whole kernel.
 *
 * Every kernel of the library is put together here: preamble, arguments, the functions of
 * shaders/lib it uses, its body. The library is embedded at build, cut into top-level chunks; a
 * kernel takes only the chunks its text names, directly or through other chunks, so that small
 * kernels stay small. */
#ifndef VKT_OPS_KERNEL_TEXT_H
#define VKT_OPS_KERNEL_TEXT_H

#include "base/text.h"
#include "vulkan/device.h"

/* One chunk of shaders/lib: a function or constant and what it is called. Generated at build
 * (csrc/ops/embedded.h). */
typedef struct vkt_glsl_chunk {
    const char *name;
    const char *text;
} vkt_glsl_chunk;

/* The text of shaders/<name>.comp (without its own #version), or NULL. */
const char *vkt_glsl_template(const char *name);

/* Appends a whole compute shader:
 *   - #version and the extensions;
 *   - `#define VKT_FACT` for each fact about `device`'s arithmetic that holds (vulkan/device.h);
 *   - `#define NAME value` for each of `defines` ("WIDTH 4"), a NULL-terminated list, may be NULL;
 * - the arguments: `members` ("uint64_t leaf0; uint n; float s0;") as push constants, or, when
 * args_nbytes >
 *     VKT_PUSH_NBYTES, as a buffer whose address is pushed; both ways they are read as args.member;
 *   - every chunk of shaders/lib that `body` names, in library order;
 *   - body.
 * `body` is usually generated functions followed by a template. */
void vkt_glsl_assemble(const vkt_device *device, const char *const *defines, const char *members,
                       uint32_t args_nbytes, const char *body, vkt_text *out);

#endif
