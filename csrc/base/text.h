/* base/text.h - a growing string, for generated GLSL and messages.
 *
 * An append that finds no memory marks the text as failed and later appends do nothing, so that a
 * generator is written without a check on each line and asks once at the end, by vkt_text_check. */
#ifndef VKT_BASE_TEXT_H
#define VKT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct vkt_text {
    char *chars; /* NUL-terminated, or NULL while empty; owned */
    size_t length;
    size_t capacity;
    bool failed;
} vkt_text;

void vkt_text_append(vkt_text *text, const char *chars);
void vkt_text_append_n(vkt_text *text, const char *chars, size_t n);
void vkt_text_format(vkt_text *text, const char *format, ...) VKT_PRINTF(2, 3);

/* VKT_OUT_OF_MEMORY when an append failed. */
vkt_status vkt_text_check(const vkt_text *text);

/* Releases the characters and makes the text empty again. */
void vkt_text_free(vkt_text *text);

#endif
