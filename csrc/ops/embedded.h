/* ops/embedded.h - the tables that shaders/embed.py writes at build. */
#ifndef VKT_OPS_EMBEDDED_H
#define VKT_OPS_EMBEDDED_H

#include "ops/kernel_text.h"

/* In library order: a chunk only uses earlier ones of its file, or of files that sort before it. */
extern const vkt_glsl_chunk vkt_glsl_library[];
extern const unsigned vkt_glsl_library_count;
extern const vkt_glsl_chunk vkt_glsl_templates[];
extern const unsigned vkt_glsl_templates_count;

#endif
