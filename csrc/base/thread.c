/* base/thread.c - the clock, and a set of helper threads that copy. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/thread.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One core copies 10-14 GB/s; beyond 8 threads memory is the limit. */
#define MAX_WORKERS 8
/* Waking a thread costs 10-50 us, what one core copies in half a megabyte. */
#define MIN_PARALLEL_NBYTES ((size_t)2 << 20)
/* Large enough for memcpy's streaming stores, small enough that a late thread does not hold up
 * the end. */
#define MIN_CHUNK_NBYTES ((size_t)256 << 10)

/* Workers sleep on `wake` until `round` changes; `wanted` of them join the job, and the last to
 * leave signals `done`. */
static struct {
    pthread_mutex_t busy; /* held by the caller that owns the workers */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake, done;
    unsigned n_workers, wanted, active;
    uint64_t round;
    pid_t pid; /* a child of fork has no workers */
    void (*share)(void *arg);
    void *arg;
    atomic_bool halted;
} team = {.busy = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

uint64_t vkt_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- The team -------------------------------------------------------------------------------- */

static void *work(void *unused)
{
    uint64_t seen = 0;
    (void)unused;
    (void)pthread_mutex_lock(&team.lock);
    for (;;) {
        while (team.round == seen || team.wanted == 0) {
            seen = team.round;
            (void)pthread_cond_wait(&team.wake, &team.lock);
        }
        seen = team.round;
        team.wanted--;
        team.active++;
        (void)pthread_mutex_unlock(&team.lock);
        team.share(team.arg);
        (void)pthread_mutex_lock(&team.lock);
        if (--team.active == 0)
            (void)pthread_cond_broadcast(&team.done);
    }
    return NULL;
}

/* Called with `busy` held. Signals stay with the threads of the program. */
static void start_workers(unsigned n)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    while (team.n_workers < n) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, NULL) != 0)
            break;
        (void)pthread_detach(thread);
        team.n_workers++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

unsigned vkt_team_begin(void (*share)(void *arg), void *arg, unsigned n)
{
    if (n > MAX_WORKERS)
        n = MAX_WORKERS;
    if (n == 0 || vkt_team_halted() || pthread_mutex_trylock(&team.busy) != 0)
        return 0;
    pid_t pid = getpid();
    if (team.pid == 0)
        team.pid = pid;
    if (team.pid == pid)
        start_workers(n);
    if (team.pid != pid || team.n_workers == 0) {
        (void)pthread_mutex_unlock(&team.busy);
        return 0;
    }
    (void)pthread_mutex_lock(&team.lock);
    team.share = share;
    team.arg = arg;
    team.wanted = n < team.n_workers ? n : team.n_workers;
    n = team.wanted;
    team.round++;
    (void)pthread_cond_broadcast(&team.wake);
    (void)pthread_mutex_unlock(&team.lock);
    return n;
}

static void wait_until_idle(void)
{
    (void)pthread_mutex_lock(&team.lock);
    team.wanted = 0; /* those not awake yet are no longer needed */
    while (team.active > 0)
        (void)pthread_cond_wait(&team.done, &team.lock);
    (void)pthread_mutex_unlock(&team.lock);
}

void vkt_team_end(void)
{
    wait_until_idle();
    (void)pthread_mutex_unlock(&team.busy);
}

bool vkt_team_halted(void)
{
    return atomic_load_explicit(&team.halted, memory_order_relaxed);
}

void vkt_team_halt(void)
{
    atomic_store(&team.halted, true);
    wait_until_idle();
}

/* ---- Copying --------------------------------------------------------------------------------- */

typedef struct copy_job {
    char *dst;
    const char *src;
    size_t nbytes, chunk;
    atomic_size_t next; /* first byte nobody has taken */
} copy_job;

static void copy_share(void *arg)
{
    copy_job *job = arg;
    for (;;) {
        size_t begin = atomic_fetch_add(&job->next, job->chunk);
        if (begin >= job->nbytes)
            return;
        size_t left = job->nbytes - begin;
        memcpy(job->dst + begin, job->src + begin, left < job->chunk ? left : job->chunk);
    }
}

void vkt_parallel_copy(void *dst, const void *src, size_t nbytes, unsigned n_threads)
{
    unsigned n_helpers = n_threads - (n_threads > 0);
    copy_job job = {.dst = dst, .src = src, .nbytes = nbytes};

    if (nbytes < MIN_PARALLEL_NBYTES)
        n_helpers = 0;
    size_t chunk = nbytes / (4 * (size_t)(n_helpers + 1));
    job.chunk = ((chunk > MIN_CHUNK_NBYTES ? chunk : MIN_CHUNK_NBYTES) + 4095) & ~(size_t)4095;
    /* A second caller copies alone: the first already has the cores. */
    bool helped = vkt_team_begin(copy_share, &job, n_helpers) > 0;
    copy_share(&job);
    if (helped)
        vkt_team_end();
}
