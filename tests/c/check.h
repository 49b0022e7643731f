/* check.h - macros for the C tests: a failed check prints place and values, and the run goes on. */
#ifndef VKT_TESTS_CHECK_H
#define VKT_TESTS_CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"

extern int check_failures;
extern const char *check_test; /* the running test */
extern int64_t check_trial;    /* what repeats a failing random trial; printed with it */

#define CHECK_FAILED(...)                                                                          \
    do {                                                                                           \
        check_failures++;                                                                          \
        printf("%s:%d: %s (trial %" PRId64 "): ", __FILE__, __LINE__, check_test, check_trial);    \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
    } while (0)

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            CHECK_FAILED("%s does not hold", #cond);                                               \
    } while (0)

#define CHECK_INT(got, expected)                                                                   \
    do {                                                                                           \
        int64_t got_ = (int64_t)(got), expected_ = (int64_t)(expected);                            \
        if (got_ != expected_)                                                                     \
            CHECK_FAILED("%s: expected %" PRId64 ", got %" PRId64, #got, expected_, got_);         \
    } while (0)

#define CHECK_UINT(got, expected)                                                                  \
    do {                                                                                           \
        uint64_t got_ = (got), expected_ = (expected);                                             \
        if (got_ != expected_)                                                                     \
            CHECK_FAILED("%s: expected %" PRIu64 ", got %" PRIu64, #got, expected_, got_);         \
    } while (0)

#define CHECK_TEXT(got, expected)                                                                  \
    do {                                                                                           \
        const char *got_ = (got), *expected_ = (expected);                                         \
        if (!got_ || strcmp(got_, expected_) != 0)                                                 \
            CHECK_FAILED("%s: expected \"%s\", got \"%s\"", #got, expected_,                       \
                         got_ ? got_ : "NULL");                                                    \
    } while (0)

#define CHECK_OK(expr)                                                                             \
    do {                                                                                           \
        if ((expr) != VKT_OK)                                                                      \
            CHECK_FAILED("%s failed: %s", #expr, vkt_status_text());                               \
    } while (0)

/* The call fails with this code and this whole text. */
#define CHECK_FAILS(expr, code, text)                                                              \
    do {                                                                                           \
        CHECK_INT(expr, code);                                                                     \
        CHECK_INT(vkt_status_last(), code);                                                        \
        CHECK_TEXT(vkt_status_text(), text);                                                       \
    } while (0)

#define RUN(test)                                                                                  \
    do {                                                                                           \
        check_test = #test;                                                                        \
        check_trial = -1;                                                                          \
        test();                                                                                    \
    } while (0)

/* xorshift64*: the same trials on every machine. */
static inline uint64_t random_u64(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

/* In low..high, both included. */
static inline int64_t random_in(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)(random_u64(state) % (uint64_t)(high - low + 1));
}

/* One for each file of tests; main.c calls them. */
void run_base_tests(void);
void run_dtype_tests(void);
void run_layout_tests(void);
void run_view_tests(void);
void run_space_tests(void);
void run_program_tests(void);

#endif
