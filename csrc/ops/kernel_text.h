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

/* A kernel in parts. Members and body are texts that grow; vkt_kernel_assemble takes them over. */
typedef struct vkt_kernel_parts {
    vkt_kernel_source source;   /* but for glsl */
    const char *const *defines; /* NULL-terminated, or NULL */
    /* The arguments' declarations: "uint64_t leaf0; uint n; float s0;". */
    vkt_text members;
    uint32_t args_nbytes;
    vkt_text body; /* usually generated functions followed by a template */
} vkt_kernel_parts;

/* Puts a whole compute shader together and builds it under `key`:
 *   - #version and the extensions;
 *   - `#define VKT_FACT` for each fact about `device`'s arithmetic that holds (vulkan/device.h);
 *   - `#define NAME value` for each of `defines` ("WIDTH 4");
 *   - the members as push constants, or, when args_nbytes > VKT_PUSH_NBYTES, as a buffer whose
 *     address is pushed; both ways they are read as args.member;
 *   - every chunk of shaders/lib that the body names, in library order;
 *   - the body.
 * Releases members and body, also on failure. Fails as vkt_kernel_build does. */
vkt_status vkt_kernel_assemble(vkt_device *device, const void *key, size_t key_nbytes,
                               vkt_kernel_parts *parts, vkt_kernel **out);

#endif
