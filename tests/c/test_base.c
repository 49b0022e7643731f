/* test_base.c - status, checked arithmetic, hashes, text, log, clock and the threaded copy. */
#include <stdlib.h>

#include "base/checked.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "check.h"

/* ---- Status ---- */

static vkt_status fail_inside(int depth)
{
    if (depth > 0)
        VKT_TRY(fail_inside(depth - 1));
    VKT_REQUIRE(depth > 0, VKT_INDEX_ERROR, "take: index %d is out of bounds", 7);
    return VKT_OK;
fail:
    return vkt_status_last();
}

static void a_failure_keeps_its_code_text_and_place(void)
{
    CHECK_FAILS(fail_inside(3), VKT_INDEX_ERROR, "take: index 7 is out of bounds");
    CHECK(strstr(vkt_status_where(), "test_base.c:") != NULL);
    CHECK_FAILS(vkt_fail(VKT_TYPE_ERROR, "f.c", 12, "next"), VKT_TYPE_ERROR, "next");
    CHECK_TEXT(vkt_status_where(), "f.c:12");
}

static void a_failure_text_may_be_long_and_quote_the_one_before(void)
{
    static char line[5001];
    memset(line, 'x', 5000);
    CHECK_FAILS(vkt_fail(VKT_COMPILE_ERROR, "f.c", 1, "%s", line), VKT_COMPILE_ERROR, line);
    CHECK_INT(vkt_fail(VKT_VALUE_ERROR, "f.c", 2, "kernel: %s", vkt_status_text()),
              VKT_VALUE_ERROR);
    CHECK_UINT(strlen(vkt_status_text()), 5008);
    CHECK(strncmp(vkt_status_text(), "kernel: xxx", 11) == 0);
    CHECK_FAILS(vkt_fail(VKT_VALUE_ERROR, "f.c", 3, "short"), VKT_VALUE_ERROR, "short");
    CHECK_FAILS(vkt_fail(VKT_VALUE_ERROR, "f.c", 3, "%s again", vkt_status_text()), VKT_VALUE_ERROR,
                "short again");
}

static void *fail_in_thread(void *argument)
{
    (void)argument;
    (void)vkt_fail(VKT_OUT_OF_MEMORY, "f.c", 1, "%2000d", 1); /* long enough to be on the heap */
    return NULL;
}

static void each_thread_has_its_own_failure(void)
{
    pthread_t thread;
    (void)vkt_fail(VKT_VALUE_ERROR, "f.c", 1, "mine");
    CHECK_INT(pthread_create(&thread, NULL, fail_in_thread, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(vkt_status_last(), VKT_VALUE_ERROR);
    CHECK_TEXT(vkt_status_text(), "mine");
}

/* ---- Checked arithmetic ---- */

/* The edges, and what division says about random operands. */
static void checked_products_and_sums_agree_with_division_and_subtraction(void)
{
    static const uint64_t edges[] = {0,          1,         2,          3,          UINT32_MAX,
                                     1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX, UINT64_MAX - 1};
    uint64_t seed = 3;
    for (int i = 0; i < 20000; i++) {
        uint64_t a = random_u64(&seed) >> random_in(&seed, 0, 63), out = 99;
        uint64_t b = random_u64(&seed) >> random_in(&seed, 0, 63);
        if (i < 100) {
            a = edges[i / 10];
            b = edges[i % 10];
        }
        check_trial = i;
        bool fits = a == 0 || b <= UINT64_MAX / a;
        CHECK_INT(vkt_mul_u64(a, b, &out), fits);
        CHECK_UINT(out, fits ? a * b : 99);
        fits = b <= UINT64_MAX - a;
        out = 99;
        CHECK_INT(vkt_add_u64(a, b, &out), fits);
        CHECK_UINT(out, fits ? a + b : 99);
        CHECK_UINT(vkt_min_u64(a, b) + (vkt_max_u64(a, b) - a), b);
        CHECK(vkt_min_u64(a, b) <= vkt_max_u64(a, b));
    }
}

static void signed_products_and_sums_report_overflow(void)
{
    int64_t out = 0;
    CHECK(vkt_mul_i64(INT64_MIN, 1, &out) && out == INT64_MIN);
    CHECK(!vkt_mul_i64(INT64_MIN, -1, &out));
    CHECK(!vkt_mul_i64(1ll << 32, 1ll << 31, &out));
    CHECK(vkt_mul_i64(-(1ll << 32), 1ll << 31, &out) && out == INT64_MIN);
    CHECK(vkt_add_i64(INT64_MAX, INT64_MIN, &out) && out == -1);
    CHECK(!vkt_add_i64(INT64_MAX, 1, &out));
    CHECK(!vkt_add_i64(INT64_MIN, -1, &out));
}

static void rounding_up_and_ceiling_division_are_exact(void)
{
    CHECK_UINT(vkt_round_up(0, 256), 0);
    CHECK_UINT(vkt_round_up(1, 256), 256);
    CHECK_UINT(vkt_round_up(256, 256), 256);
    CHECK_UINT(vkt_round_up(257, 256), 512);
    CHECK_UINT(vkt_ceil_div(0, 7), 0);
    CHECK_UINT(vkt_ceil_div(7, 7), 1);
    CHECK_UINT(vkt_ceil_div(8, 7), 2);
    CHECK_UINT(vkt_ceil_div(UINT64_MAX, 2), 1ull << 63);
    CHECK_UINT(vkt_ceil_div(UINT64_MAX, UINT64_MAX), 1);
}

/* ---- Hash ---- */

static void hashes_are_the_published_ones(void)
{
    /* MurmurHash3 x64 128: values of the reference program. Cache files depend on them. */
    const char *fox = "The quick brown fox jumps over the lazy dog";
    vkt_hash128 hash = vkt_hash128_of(fox, strlen(fox));
    CHECK_UINT(hash.low, UINT64_C(0xe34bbc7bbc071b6c));
    CHECK_UINT(hash.high, UINT64_C(0x7a433ca9c49a9347));
    CHECK_UINT(vkt_hash64(fox, strlen(fox), 0), hash.low);
    CHECK_UINT(vkt_hash64("", 0, 0), 0);
}

static void hashes_depend_on_every_bit_and_length_but_not_on_alignment(void)
{
    unsigned char bytes[80], moved[81];
    for (size_t i = 0; i < 80; i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    memcpy(moved + 1, bytes, 80);
    for (size_t n = 0; n <= 80; n++) {
        check_trial = (int64_t)n;
        uint64_t hash = vkt_hash64(bytes, n, 5);
        CHECK_UINT(vkt_hash64(moved + 1, n, 5), hash);
        CHECK(vkt_hash64(bytes, n, 6) != hash);
        CHECK(n == 80 || vkt_hash64(bytes, n + 1, 5) != hash);
        for (size_t bit = 0; bit < n * 8; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            uint64_t changed = vkt_hash64(bytes, n, 5) ^ hash;
            int n_changed = 0;
            for (; changed; changed &= changed - 1)
                n_changed++;
            CHECK(n_changed >= 10 && n_changed <= 54);
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
    }
}

/* ---- Text ---- */

static void text_grows_and_keeps_its_end(void)
{
    vkt_text text = {0};
    vkt_text_append_n(&text, "", 0);
    CHECK_UINT(text.length, 0);
    for (int i = 0; i < 1000; i++) {
        vkt_text_append(&text, "ab");
        vkt_text_format(&text, "%d", i % 10);
        vkt_text_append_n(&text, "xyz", 1);
    }
    CHECK_OK(vkt_text_check(&text));
    CHECK_UINT(text.length, 4000);
    CHECK_UINT(strlen(text.chars), 4000);
    CHECK(strncmp(text.chars, "ab0xab1x", 8) == 0);
    CHECK_TEXT(text.chars + 3996, "ab9x");
    vkt_text_free(&text);
    CHECK(text.chars == NULL && text.length == 0);
    vkt_text_free(&text);
}

static void text_without_memory_fails_once_at_the_end(void)
{
    vkt_text text = {0};
    vkt_text_append(&text, "before");
    vkt_text_append_n(&text, "x", SIZE_MAX / 2);
    vkt_text_append(&text, "after");
    vkt_text_format(&text, "%d", 5);
    CHECK_TEXT(text.chars, "before");
    CHECK_INT(vkt_text_check(&text), VKT_OUT_OF_MEMORY);
    vkt_text_free(&text);
    CHECK_OK(vkt_text_check(&text));
}

/* ---- Log ---- */

static int n_logged;
static char last_logged[128];

static void keep_message(vkt_log_level level, const char *text)
{
    n_logged++;
    (void)snprintf(last_logged, sizeof(last_logged), "%d %s", (int)level, text);
}

static void log_reaches_the_sink_from_its_level_on(void)
{
    vkt_log(VKT_LOG_ERROR, "nobody listens");
    vkt_log_set_sink(keep_message, VKT_LOG_WARNING);
    vkt_log(VKT_LOG_INFO, "too low");
    CHECK_INT(n_logged, 0);
    vkt_log(VKT_LOG_WARNING, "%d of %s", 3, "them");
    CHECK_INT(n_logged, 1);
    CHECK_TEXT(last_logged, "2 3 of them");
    vkt_log_set_sink(NULL, VKT_LOG_DEBUG);
    vkt_log(VKT_LOG_ERROR, "nobody listens again");
    CHECK_INT(n_logged, 1);
}

/* ---- Threads ---- */

static void time_goes_forward(void)
{
    uint64_t before = vkt_now_ns();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = vkt_now_ns();
        CHECK(now >= before);
        before = now;
    }
}

#define COPY_NBYTES ((size_t)9 << 20)

static void check_copies(void)
{
    static const size_t sizes[] = {
        0, 1, 4095, (2 << 20) - 1, (2 << 20), (2 << 20) + 1, (3 << 20) + 77, COPY_NBYTES - 2};
    unsigned char *src = malloc(COPY_NBYTES), *dst = malloc(COPY_NBYTES);
    uint64_t seed = 9;
    CHECK(src && dst);
    for (size_t i = 0; src && i < COPY_NBYTES; i++)
        src[i] = (unsigned char)(random_u64(&seed) >> 56);
    for (unsigned n_threads = 0; src && dst && n_threads < 10; n_threads += 3) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            memset(dst, 0xEE, COPY_NBYTES);
            vkt_parallel_copy(dst + 1, src, sizes[i], n_threads);
            CHECK(memcmp(dst + 1, src, sizes[i]) == 0);
            CHECK(dst[0] == 0xEE && dst[sizes[i] + 1] == 0xEE);
        }
    }
    free(src);
    free(dst);
}

static void *copy_in_thread(void *argument)
{
    (void)argument;
    check_copies();
    return NULL;
}

static void parallel_copies_move_every_byte_from_several_callers(void)
{
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, copy_in_thread, NULL), 0);
    check_copies();
    CHECK_INT(pthread_join(thread, NULL), 0);
}

void run_base_tests(void)
{
    RUN(a_failure_keeps_its_code_text_and_place);
    RUN(a_failure_text_may_be_long_and_quote_the_one_before);
    RUN(each_thread_has_its_own_failure);
    RUN(checked_products_and_sums_agree_with_division_and_subtraction);
    RUN(signed_products_and_sums_report_overflow);
    RUN(rounding_up_and_ceiling_division_are_exact);
    RUN(hashes_are_the_published_ones);
    RUN(hashes_depend_on_every_bit_and_length_but_not_on_alignment);
    RUN(text_grows_and_keeps_its_end);
    RUN(text_without_memory_fails_once_at_the_end);
    RUN(log_reaches_the_sink_from_its_level_on);
    RUN(time_goes_forward);
    RUN(parallel_copies_move_every_byte_from_several_callers);
}
