/* base/checked.h - 64-bit size arithmetic that reports overflow instead of wrapping.
 *
 * Sizes that come from outside pass through these before any allocation or Vulkan call. Each
 * returns true when the result fits, and leaves *out untouched when it does not. */
#ifndef VKT_BASE_CHECKED_H
#define VKT_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

static inline bool vkt_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    if (a > UINT64_MAX - b)
        return false;
    *out = a + b;
    return true;
}

static inline bool vkt_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    if (b != 0 && a > UINT64_MAX / b)
        return false;
    *out = a * b;
    return true;
}

/* Both operands are counts or strides; the result must fit in int64_t. */
static inline bool vkt_mul_i64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool vkt_add_i64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline uint64_t vkt_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t vkt_max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Rounds up to a multiple of `step`, a power of two. The caller has checked that the sum fits. */
static inline uint64_t vkt_round_up(uint64_t n, uint64_t step)
{
    return (n + step - 1) & ~(step - 1);
}

/* ceil(n / d) for d > 0, without overflow. */
static inline uint64_t vkt_ceil_div(uint64_t n, uint64_t d)
{
    return n / d + (n % d != 0);
}

#endif
