/* base/thread.h - the few thread primitives the core uses, named once. */
#ifndef VKT_BASE_THREAD_H
#define VKT_BASE_THREAD_H

#include <pthread.h>
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

/* Copies nbytes with up to n_threads threads of a lazily started, process-wide set (the caller's
 * own included); splits only where the size repays it. The ranges do not overlap. Called without
 * any lock of ours held. */
void vkt_parallel_copy(void *dst, const void *src, size_t nbytes, unsigned n_threads);

#endif
