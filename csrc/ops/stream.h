/* ops/stream.h - when a CPU driver gets a second kernel for a program: the one that
 * shaders/lib/stream.glsl tells of, faster over long contiguous arrays, as good as any other. */
#ifndef VKT_OPS_STREAM_H
#define VKT_OPS_STREAM_H

#include "tensor/program.h"
#include "vulkan/device.h"

/* Counts a run of `program` (as part of `op`, or -1 for an elementwise kernel) over n_elems
 * elements, if those are stream.elements (ops/tuning.h) or more. True once stream.after have been
 * counted: the time that the second kernel would have saved is then what its compile takes. Until
 * then one kernel serves all shapes of a layout class. Results are the same bits both ways. */
bool vkt_stream_is_due(vkt_device *device, const vkt_program *program, int op, uint64_t n_elems);

#endif
