/* ops/note.h - says for profiles what a launch computes, in the words of the one who asked for it.
 *
 * Writing a note costs microseconds: callers do it only while vkt_profile_running(). */
#ifndef VKT_OPS_NOTE_H
#define VKT_OPS_NOTE_H

#include "ops/expr.h"

/* The fusion's expression, inside `call` ("sum") unless that is NULL; its leaves; the shape and
 * dtype of `result`. */
void vkt_note_fusion(const vkt_fusion *fusion, const char *call, const vkt_tensor *result,
                     vkt_note *out);

/* `what` is written of operands a, b, ..., at most 8. */
void vkt_note_operands(const char *what, vkt_tensor *const *operands, int n,
                       const vkt_tensor *result, vkt_note *out);

#endif
