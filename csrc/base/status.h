/* base/status.h - how a C function fails.
 *
 * Every fallible function returns vkt_status and leaves by one label, `fail:`, which releases what
 * the function owns and returns vkt_status_last(). The text of the last failure sits in a record of
 * the calling thread until the next failure overwrites it; one function of the Python layer turns
 * the pair into an exception. Thread-safe: all state is thread-local. */
#ifndef VKT_BASE_STATUS_H
#define VKT_BASE_STATUS_H

#include <stdint.h>

typedef enum vkt_status {
    VKT_OK = 0,
    VKT_VALUE_ERROR,   /* ValueError: the caller's mistake, a bad value, shape or axis */
    VKT_TYPE_ERROR,    /* TypeError: the caller's mistake, a dtype or kind the op does not take */
    VKT_INDEX_ERROR,   /* IndexError: an index outside its axis */
    VKT_BUFFER_ERROR,  /* BufferError: an export that cannot be given, or is in the way */
    VKT_OUT_OF_MEMORY, /* OutOfMemoryError: device or host memory, or our own limit */
    VKT_DEVICE_LOST,   /* DeviceLostError: VK_ERROR_DEVICE_LOST, sticky for the device */
    VKT_COMPILE_ERROR, /* KernelCompileError: GLSL that glslang or the driver refused */
    VKT_VULKAN_ERROR,  /* VulkanError: any other VkResult below zero */
    VKT_UNAVAILABLE,   /* RuntimeError: no loader, driver or device; after fork or shutdown */
    VKT_INTERRUPTED,   /* a signal ended a wait; the Python exception is already set */
} vkt_status;

#if defined(__GNUC__)
#define VKT_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#else
#define VKT_PRINTF(format_index, first)
#endif

/* Records `code` and the formatted text for this thread and returns `code`. `code` is never VKT_OK.
 * The text names the op, what was expected and what came: "add: shapes (3, 4) and (5,) do not
 * broadcast". */
vkt_status vkt_fail(vkt_status code, const char *file, int line, const char *format, ...)
    VKT_PRINTF(4, 5);

/* The code of this thread's last failure. Only meaningful after a call that failed. */
vkt_status vkt_status_last(void);

/* The text of this thread's last failure, never NULL, valid until the thread's next failure. */
const char *vkt_status_text(void);

/* Bytes that the last VKT_OUT_OF_MEMORY could not give, set right after it; 0 where unknown. */
void vkt_status_set_requested(uint64_t nbytes);
uint64_t vkt_status_requested(void);

/* "file:line" of the last failure, for logs. */
const char *vkt_status_where(void);

/* Passes a failure on to the caller's `fail:`. */
#define VKT_TRY(expr)                                                                              \
    do {                                                                                           \
        if ((expr) != VKT_OK)                                                                      \
            goto fail;                                                                             \
    } while (0)

/* Fails with `code` and a formatted text. */
#define VKT_FAIL(code, ...)                                                                        \
    do {                                                                                           \
        (void)vkt_fail((code), __FILE__, __LINE__, __VA_ARGS__);                                   \
        goto fail;                                                                                 \
    } while (0)

/* The caller's duty: fails when `cond` does not hold. Our own invariants use assert. */
#define VKT_REQUIRE(cond, code, ...)                                                               \
    do {                                                                                           \
        if (!(cond))                                                                               \
            VKT_FAIL(code, __VA_ARGS__);                                                           \
    } while (0)

#endif
