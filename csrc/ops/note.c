/* ops/note.c - notes of launches for profiles. */
#include "ops/note.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert(VKT_NOTE_NDIM >= VKT_MAX_NDIM, "a note holds every shape");

/* Copies the text, with dots where it does not fit. */
static void fit(char *to, size_t nbytes, const vkt_text *from)
{
    (void)snprintf(to, nbytes, "%s", from->chars ? from->chars : "");
    if (from->length >= nbytes)
        memcpy(to + nbytes - 4, "...", 4);
}

void vkt_note_operands(const char *what, vkt_tensor *const *operands, int n,
                       const vkt_tensor *result, vkt_note *out)
{
    vkt_text text = {0};
    memset(out, 0, sizeof(*out));
    (void)snprintf(out->what, sizeof(out->what), "%s", what);
    for (int i = 0; i < n; i++) {
        const vkt_layout *layout = &operands[i]->layout;
        vkt_text_format(&text, "%s%c: %s[", i ? ", " : "", "abcdefgh"[i],
                        vkt_dtypes[operands[i]->dtype].name);
        for (int32_t d = 0; d < layout->ndim; d++)
            vkt_text_format(&text, "%s%lld", d ? ", " : "", (long long)layout->shape[d]);
        vkt_text_append(&text, "]");
    }
    fit(out->operands, sizeof(out->operands), &text);
    vkt_text_free(&text);
    (void)snprintf(out->dtype, sizeof(out->dtype), "%s", vkt_dtypes[result->dtype].name);
    out->ndim = result->layout.ndim;
    memcpy(out->shape, result->layout.shape, (size_t)out->ndim * sizeof(*out->shape));
}

void vkt_note_fusion(const vkt_fusion *fusion, const char *call, const vkt_tensor *result,
                     vkt_note *out)
{
    vkt_text text = {0};
    if (call)
        vkt_text_format(&text, "%s(", call);
    vkt_program_describe(&fusion->program, fusion->scalars, &text);
    if (call)
        vkt_text_append(&text, ")");
    vkt_note_operands("", fusion->leaves, fusion->program.n_leaves, result, out);
    fit(out->what, sizeof(out->what), &text);
    vkt_text_free(&text);
}
