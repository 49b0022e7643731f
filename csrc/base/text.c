/* base/text.c - the growing string. */
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for n more characters and the NUL. */
static bool grow(vkt_text *text, size_t n)
{
    if (text->failed)
        return false;
    if (n >= SIZE_MAX / 2 - text->length) {
        text->failed = true;
        return false;
    }
    size_t needed = text->length + n + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity ? text->capacity : 256;
    while (capacity < needed)
        capacity *= 2;
    char *chars = realloc(text->chars, capacity);
    if (!chars) {
        text->failed = true;
        return false;
    }
    text->chars = chars;
    text->capacity = capacity;
    return true;
}

void vkt_text_append_n(vkt_text *text, const char *chars, size_t n)
{
    if (!grow(text, n))
        return;
    if (n)
        memcpy(text->chars + text->length, chars, n);
    text->length += n;
    text->chars[text->length] = '\0';
}

void vkt_text_append(vkt_text *text, const char *chars)
{
    vkt_text_append_n(text, chars, strlen(chars));
}

void vkt_text_format(vkt_text *text, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n < 0)
        text->failed = true;
    else if (grow(text, (size_t)n)) {
        (void)vsnprintf(text->chars + text->length, (size_t)n + 1, format, again);
        text->length += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

vkt_status vkt_text_check(const vkt_text *text)
{
    VKT_REQUIRE(!text->failed, VKT_OUT_OF_MEMORY, "out of host memory for a text of %zu characters",
                text->length);
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_text_free(vkt_text *text)
{
    free(text->chars);
    *text = (vkt_text){0};
}
