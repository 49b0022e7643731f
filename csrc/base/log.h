/* base/log.h - messages for the person who debugs. Nothing is ever printed by the core itself.
 *
 * Messages go to one sink, installed by the Python layer (logging.getLogger("vktensor")). A message
 * logged by a thread that does not hold Python's lock, or while a lock of ours is held, is queued
 * by the sink; logging never fails and never blocks. */
#ifndef VKT_BASE_LOG_H
#define VKT_BASE_LOG_H

#include "base/status.h"

typedef enum vkt_log_level {
    VKT_LOG_DEBUG,
    VKT_LOG_INFO,
    VKT_LOG_WARNING,
    VKT_LOG_ERROR
} vkt_log_level;

typedef void (*vkt_log_sink)(vkt_log_level level, const char *text);

/* NULL (the start) drops all messages. */
void vkt_log_set_sink(vkt_log_sink sink, vkt_log_level lowest);
/* A formatted message, cut at 2047 characters. */
void vkt_log(vkt_log_level level, const char *format, ...) VKT_PRINTF(2, 3);
/* A message of any length, as it is. */
void vkt_log_text(vkt_log_level level, const char *text);

#endif
