/* base/thread.h - the few thread primitives the core uses, named once. */
#ifndef VKT_BASE_THREAD_H
#define VKT_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef pthread_mutex_t vkt_mutex;
#define VKT_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER

static inline void vkt_mutex_init(vkt_mutex *mutex)
{
    (void)pthread_mutex_init(mutex, NULL);
}
static inline void vkt_mutex_destroy(vkt_mutex *mutex)
{
    (void)pthread_mutex_destroy(mutex);
}
static inline void vkt_mutex_lock(vkt_mutex *mutex)
{
    (void)pthread_mutex_lock(mutex);
}
static inline void vkt_mutex_unlock(vkt_mutex *mutex)
{
    (void)pthread_mutex_unlock(mutex);
}

/* Monotonic time in nanoseconds (CLOCK_MONOTONIC). */
uint64_t vkt_now_ns(void);

/* A hint to the core that this is a spin loop. */
static inline void vkt_cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Helper threads: lazily started, process-wide, of use to one caller at a time. vkt_team_begin has
 * up to n of them run share(arg) and returns at once with their number; 0 where there are none,
 * another caller has them, or after fork: nothing was started then. Otherwise vkt_team_end waits
 * until every share has returned and gives the helpers back. */
unsigned vkt_team_begin(void (*share)(void *arg), void *arg, unsigned n);
void vkt_team_end(void);
/* For the end of the process: waits until no share runs, and nobody gets helpers any more. A share
 * that goes on for long looks at vkt_team_halted and returns. */
void vkt_team_halt(void);
bool vkt_team_halted(void);

/* Copies nbytes with up to n_threads threads of a lazily started, process-wide set (the caller's
 * own included); splits only where the size repays it. The ranges do not overlap. Called without
 * any lock of ours held. */
void vkt_parallel_copy(void *dst, const void *src, size_t nbytes, unsigned n_threads);

#endif
