/* base/log.c - formats a message and hands it to the one sink. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static _Atomic(vkt_log_sink) the_sink;
static _Atomic int the_lowest;

void vkt_log_set_sink(vkt_log_sink sink, vkt_log_level lowest)
{
    atomic_store(&the_lowest, (int)lowest);
    atomic_store(&the_sink, sink);
}

void vkt_log_text(vkt_log_level level, const char *text)
{
    vkt_log_sink sink = atomic_load(&the_sink);
    if (sink && (int)level >= atomic_load(&the_lowest))
        sink(level, text);
}

void vkt_log(vkt_log_level level, const char *format, ...)
{
    vkt_log_sink sink = atomic_load(&the_sink);
    char text[2048];
    va_list args;

    if (!sink || (int)level < atomic_load(&the_lowest))
        return;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n >= 0)
        sink(level, text);
}
