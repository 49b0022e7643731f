/* base/status.c - the thread-local record of the last failure. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/status.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Compile errors carry a log and a numbered source: cut there rather than fill memory with a
 * runaway text. */
#define MAX_TEXT_NBYTES (256 * 1024)

typedef struct failure {
    vkt_status code;
    int line;
    uint64_t requested;
    const char *file;
    char *longer; /* owned; NULL while `text` holds it all */
    char text[512];
    char where[256];
} failure;

static _Thread_local failure last;

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_made;

static void free_longer(void *chars)
{
    free(chars);
}

static void make_key(void)
{
    key_made = pthread_key_create(&key, free_longer) == 0;
}

/* The key's destructor frees the long text when its thread ends. */
static void keep_longer(char *chars)
{
    (void)pthread_once(&key_once, make_key);
    free(last.longer);
    last.longer = chars;
    if (key_made)
        (void)pthread_setspecific(key, chars);
}

vkt_status vkt_fail(vkt_status code, const char *file, int line, const char *format, ...)
{
    char short_text[sizeof last.text];
    char *longer = NULL;
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(short_text, sizeof short_text, format, args);
    if (n >= (int)sizeof short_text) {
        size_t nbytes = (size_t)n < MAX_TEXT_NBYTES ? (size_t)n + 1 : MAX_TEXT_NBYTES;
        longer = malloc(nbytes);
        if (longer)
            (void)vsnprintf(longer, nbytes, format, again);
    }
    va_end(again);
    va_end(args);

    /* Only now: the arguments may point into the record itself. */
    if (n < 0)
        short_text[0] = '\0';
    memcpy(last.text, short_text, sizeof last.text);
    if (longer || last.longer)
        keep_longer(longer);
    last.code = code;
    last.file = file;
    last.line = line;
    last.requested = 0;
    return code;
}

vkt_status vkt_status_last(void)
{
    return last.code;
}

const char *vkt_status_text(void)
{
    return last.longer ? last.longer : last.text;
}

void vkt_status_set_requested(uint64_t nbytes)
{
    last.requested = nbytes;
}

uint64_t vkt_status_requested(void)
{
    return last.requested;
}

const char *vkt_status_where(void)
{
    const char *file = last.file ? last.file : "";
    (void)snprintf(last.where, sizeof last.where, "%s:%d", file, last.line);
    return last.where;
}
