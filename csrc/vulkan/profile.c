/* vulkan/profile.c - the timeline of a profile: commands timed on the GPU, the rest on the host. */
#include "vulkan/internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/log.h"

/* Queries of one pool, two per command; a pool is 16-64 KiB for the driver. */
#define POOL_QUERIES 4096
/* Events kept while profiles run, ~45 MiB without notes; later ones are counted and dropped. */
#define MAX_EVENTS (256u << 10)
#define MAX_POOLS  (2 * MAX_EVENTS / POOL_QUERIES + 1)
/* Notes kept, ~60 MiB: programs repeat themselves. */
#define MAX_NOTES (128u << 10)
/* Notes a new one is compared with: the length of a loop's body, in launches. */
#define RECENT_NOTES 16
/* Below this long the GPU's nominal clock is better than the quotient of two readings. */
#define DRIFT_NS UINT64_C(50000000)
#define NONE     UINT32_MAX

typedef struct entry {
    vkt_profile_event event; /* start_ns and recorded_ns on CLOCK_MONOTONIC; note not set */
    uint32_t query;          /* number of its first query, or NONE */
    uint32_t note;           /* or NONE */
} entry;

struct vkt_profile {
    vkt_mutex lock; /* guards the rest: blocks are released on any thread */
    uint32_t n_running;
    uint64_t serial; /* counts times that n_running left 0 */
    entry *entries;
    vkt_note *notes;
    size_t n_entries, capacity, n_notes, notes_capacity;
    size_t open; /* the command being recorded, or SIZE_MAX */
    uint64_t n_dropped;
    bool calibrated;
    vkt_clock clock;              /* when n_running left 0 */
    VkQueryPool pools[MAX_POOLS]; /* kept from one profile to the next */
    uint32_t n_pools;
    uint32_t n_queries; /* taken since n_running left 0; a pool is reset before its first */
};

bool vkt_profile_running(const vkt_device *device)
{
    return device->profiled;
}

/* ---- Noting */

/* Makes room for one more; false when there is no memory or the limit is reached. */
static bool reserve(void **array, size_t *capacity, size_t n, size_t limit, size_t elem_nbytes)
{
    if (n < *capacity)
        return true;
    size_t wanted = *capacity ? 2 * *capacity : 256;
    void *grown = wanted <= limit ? realloc(*array, wanted * elem_nbytes) : NULL;
    if (!grown)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

/* A place for the event, or NULL. The lock is held. */
static entry *push(vkt_profile *profile, const vkt_profile_event *event)
{
    void *entries = profile->entries;
    if (profile->n_running == 0)
        return NULL;
    bool fits =
        reserve(&entries, &profile->capacity, profile->n_entries, MAX_EVENTS, sizeof(entry));
    profile->entries = entries;
    if (!fits) {
        profile->n_dropped++;
        return NULL;
    }
    entry *pushed = &profile->entries[profile->n_entries++];
    *pushed = (entry){.event = *event, .query = NONE, .note = NONE};
    pushed->event.thread = (uint64_t)(uintptr_t)pthread_self();
    return pushed;
}

/* Something on the host that has just ended. */
static void note_host(vkt_device *device, vkt_profile_event *event, const char *name)
{
    vkt_profile *profile = device->profile;
    if (!profile)
        return;
    (void)snprintf(event->name, sizeof(event->name), "%s", name);
    event->ns = vkt_now_ns() - (uint64_t)event->start_ns;
    vkt_mutex_lock(&profile->lock);
    (void)push(profile, event);
    vkt_mutex_unlock(&profile->lock);
}

static uint32_t keep_note(vkt_profile *profile, const vkt_note *note)
{
    size_t n = profile->n_notes;
    for (size_t i = n; i > 0 && i + RECENT_NOTES > n; i--) {
        if (memcmp(&profile->notes[i - 1], note, sizeof(*note)) == 0)
            return (uint32_t)(i - 1);
    }
    void *notes = profile->notes;
    bool fits = reserve(&notes, &profile->notes_capacity, n, MAX_NOTES, sizeof(*note));
    profile->notes = notes;
    if (!fits)
        return NONE;
    profile->notes[profile->n_notes++] = *note;
    return (uint32_t)n;
}

/* Two neighbouring queries, ready to be written by `commands`; or NONE. */
static uint32_t take_queries(vkt_device *device, VkCommandBuffer commands)
{
    vkt_profile *profile = device->profile;
    uint32_t pool = profile->n_queries / POOL_QUERIES;
    if (!device->info.timestamps || device->timestamp_bits == 0 || pool >= MAX_POOLS)
        return NONE;
    if (pool == profile->n_pools) {
        const VkQueryPoolCreateInfo info = {
            .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
            .queryType = VK_QUERY_TYPE_TIMESTAMP,
            .queryCount = POOL_QUERIES,
        };
        if (device->vk.vkCreateQueryPool(device->handle, &info, NULL, &profile->pools[pool]) !=
            VK_SUCCESS)
            return NONE;
        profile->n_pools++;
    }
    if (profile->n_queries % POOL_QUERIES == 0)
        device->vk.vkCmdResetQueryPool(commands, profile->pools[pool], 0, POOL_QUERIES);
    profile->n_queries += 2;
    return profile->n_queries - 2;
}

/* Written when all earlier commands are finished, so that durations of overlapping commands add up
 * to the time that passed. */
static void write_timestamp(vkt_device *device, VkCommandBuffer commands, uint32_t query)
{
    device->vk.vkCmdWriteTimestamp2(commands, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                                    device->profile->pools[query / POOL_QUERIES],
                                    query % POOL_QUERIES);
}

void vkt_profile_begin(vkt_device *device, VkCommandBuffer commands, const char *name,
                       const vkt_launch *launch, uint64_t nbytes)
{
    vkt_profile *profile = device->profile;
    uint64_t now = vkt_now_ns();
    vkt_profile_event event = {
        .kind = launch ? VKT_EVENT_DISPATCH : VKT_EVENT_COPY,
        .start_ns = (int64_t)now,
        .recorded_ns = now,
        .nbytes = nbytes,
        .submit = vkt_queue_next_value(device),
    };
    (void)snprintf(event.name, sizeof(event.name), "%s", name);
    for (int i = 0; launch && i < 3; i++)
        event.groups[i] = launch->groups[i];
    vkt_mutex_lock(&profile->lock);
    entry *pushed = push(profile, &event);
    profile->open = SIZE_MAX;
    if (pushed) {
        profile->open = profile->n_entries - 1;
        pushed->query = take_queries(device, commands);
        if (launch && launch->note)
            pushed->note = keep_note(profile, launch->note);
        if (pushed->query != NONE)
            write_timestamp(device, commands, pushed->query);
    }
    vkt_mutex_unlock(&profile->lock);
}

void vkt_profile_end(vkt_device *device, VkCommandBuffer commands)
{
    vkt_profile *profile = device->profile;
    vkt_mutex_lock(&profile->lock);
    if (profile->open < profile->n_entries && profile->entries[profile->open].query != NONE)
        write_timestamp(device, commands, profile->entries[profile->open].query + 1);
    profile->open = SIZE_MAX;
    vkt_mutex_unlock(&profile->lock);
}

void vkt_profile_submitted(vkt_device *device, uint64_t began_ns, uint64_t value,
                           uint32_t n_commands, uint64_t nbytes)
{
    vkt_memory_stats stats;
    vkt_memory_get_stats(device, &stats);
    vkt_profile_event event = {
        .kind = VKT_EVENT_SUBMIT,
        .start_ns = (int64_t)began_ns,
        .nbytes = nbytes,
        .submit = value,
        .n_commands = n_commands,
        .in_use = stats.in_use,
        .reserved = stats.reserved,
    };
    note_host(device, &event, "submit");
}

void vkt_profile_waited(vkt_device *device, uint64_t began_ns, uint64_t value, const char *why)
{
    vkt_profile_event event = {
        .kind = VKT_EVENT_WAIT, .start_ns = (int64_t)began_ns, .submit = value};
    note_host(device, &event, why);
}

void vkt_profile_compiled(vkt_device *device, uint64_t began_ns, const char *name,
                          uint64_t glslang_ns, uint64_t driver_ns, uint32_t flags)
{
    vkt_profile_event event = {
        .kind = VKT_EVENT_COMPILE,
        .flags = flags,
        .start_ns = (int64_t)began_ns,
        .glslang_ns = glslang_ns,
        .driver_ns = driver_ns,
    };
    note_host(device, &event, name);
}

void vkt_profile_transferred(vkt_device *device, uint64_t began_ns, const char *direction,
                             uint64_t nbytes)
{
    vkt_profile_event event = {
        .kind = VKT_EVENT_TRANSFER, .start_ns = (int64_t)began_ns, .nbytes = nbytes};
    note_host(device, &event, direction);
}

void vkt_profile_memory(vkt_device *device, uint64_t began_ns, const char *what, uint64_t nbytes,
                        uint64_t in_use, uint64_t reserved)
{
    vkt_profile_event event = {
        .kind = VKT_EVENT_MEMORY,
        .start_ns = (int64_t)began_ns,
        .nbytes = nbytes,
        .in_use = in_use,
        .reserved = reserved,
    };
    note_host(device, &event, what);
}

void vkt_profile_pool(vkt_device *device, uint64_t began_ns, const char *what, uint64_t nbytes)
{
    vkt_memory_stats stats;
    vkt_memory_get_stats(device, &stats);
    vkt_profile_memory(device, began_ns, what, nbytes, stats.in_use, stats.reserved);
}

/* ---- Start and stop */

static void leave(vkt_device *device, const vkt_profile_mark *mark)
{
    vkt_profile *profile = device->profile;
    vkt_mutex_lock(&profile->lock);
    if (profile->n_running > 0 && profile->serial == mark->serial)
        profile->n_running--;
    device->profiled = profile->n_running > 0;
    vkt_mutex_unlock(&profile->lock);
}

void vkt_profile_drop(vkt_device *device, const vkt_profile_mark *mark)
{
    if (!vkt_is_dead() && device->profile)
        leave(device, mark);
}

vkt_status vkt_profile_start(vkt_device *device, bool calibrated, vkt_profile_mark *out)
{
    vkt_profile *profile = device->profile;
    vkt_clock clock = {0};
    VKT_TRY(vkt_device_check(device));
    VKT_TRY(vkt_queue_wait_value(device, vkt_queue_next_value(device), "profile"));
    if (!device->profiled)
        VKT_TRY(vkt_clock_read(device, calibrated, &clock));
    vkt_mutex_lock(&profile->lock);
    if (profile->n_running++ == 0) {
        profile->serial++;
        profile->n_entries = profile->n_notes = 0;
        profile->n_dropped = 0;
        profile->n_queries = 0;
        profile->open = SIZE_MAX;
        profile->calibrated = calibrated && device->get_calibrated_timestamps;
        profile->clock = clock;
    }
    *out = (vkt_profile_mark){
        .serial = profile->serial, .first = profile->n_entries, .started_ns = vkt_now_ns()};
    device->profiled = true;
    vkt_mutex_unlock(&profile->lock);
    vkt_profile_pool(device, vkt_now_ns(), "start", 0);
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* A query of a command that was never submitted is unavailable. */
typedef struct query_result {
    uint64_t ticks;
    uint64_t available;
} query_result;

static vkt_status read_queries(vkt_device *device, uint32_t n_queries, query_result **out)
{
    vkt_profile *profile = device->profile;
    query_result *results = calloc((size_t)n_queries + 1, sizeof(*results));
    VKT_REQUIRE(results, VKT_OUT_OF_MEMORY, "profile: no memory for %u timestamps", n_queries);
    for (uint32_t first = 0; first < n_queries; first += POOL_QUERIES) {
        uint32_t n = n_queries - first < POOL_QUERIES ? n_queries - first : POOL_QUERIES;
        VKT_VK(device, device->vk.vkGetQueryPoolResults(
                           device->handle, profile->pools[first / POOL_QUERIES], 0, n,
                           n * sizeof(*results), results + first, sizeof(*results),
                           VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
    }
    *out = results;
    return VKT_OK;
fail:
    free(results);
    return vkt_status_last();
}

/* Ticks from one timestamp to another, across a wrap of the counter; negative when `to` is
 * earlier. */
static double count_ticks(const vkt_device *device, uint64_t from, uint64_t to)
{
    const uint32_t bits = device->timestamp_bits;
    const uint64_t mask = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    uint64_t forward = (to - from) & mask;
    return forward <= mask / 2 ? (double)forward : -(double)((from - to) & mask);
}

/* Nanoseconds of the host in a tick. */
static double find_period(const vkt_device *device, const vkt_clock *begin, const vkt_clock *end)
{
    const double nominal = device->info.timestamp_period_ns;
    double host = (double)(end->host_ns - begin->host_ns);
    double ticks = count_ticks(device, begin->ticks, end->ticks);
    bool plausible = ticks > 0 && host / ticks > 0.99 * nominal && host / ticks < 1.01 * nominal;
    return end->host_ns - begin->host_ns >= DRIFT_NS && plausible ? host / ticks : nominal;
}

static uint64_t since(uint64_t origin, double ns)
{
    return ns > (double)origin ? (uint64_t)ns - origin : 0;
}

/* Puts the event on the profile's own axis. */
static void place_event(const vkt_device *device, const vkt_clock *clock, double period,
                        const entry *from, const query_result *results, uint64_t origin,
                        vkt_profile_event *event)
{
    *event = from->event;
    event->start_ns -= (int64_t)origin;
    event->recorded_ns = event->recorded_ns > origin ? event->recorded_ns - origin : 0;
    if (!results || !results[from->query].available || !results[from->query + 1].available)
        return;
    uint64_t start = results[from->query].ticks;
    double ticks = count_ticks(device, start, results[from->query + 1].ticks);
    /* In two parts: a double does not hold nanoseconds since the machine's start exactly. */
    double after = count_ticks(device, clock->ticks, start) * period;
    event->start_ns = (int64_t)since(origin - clock->host_ns, after);
    event->ns = ticks > 0 ? (uint64_t)(ticks * device->info.timestamp_period_ns) : 0;
}

static vkt_status fill_record(vkt_device *device, const vkt_profile_mark *mark, size_t end,
                              uint32_t n_queries, const vkt_clock *clock, vkt_profile_record *out)
{
    vkt_profile *profile = device->profile;
    query_result *results = NULL;
    VKT_TRY(read_queries(device, n_queries, &results));
    size_t n = end - (size_t)mark->first;
    double period = find_period(device, &profile->clock, clock);
    out->events = malloc((n + 1) * sizeof(*out->events));
    out->notes = malloc((profile->n_notes + 1) * sizeof(*out->notes));
    VKT_REQUIRE(out->events && out->notes, VKT_OUT_OF_MEMORY, "profile: no memory for %zu events",
                n);
    if (profile->n_notes)
        memcpy(out->notes, profile->notes, profile->n_notes * sizeof(*out->notes));
    for (size_t i = 0; i < n; i++) {
        const entry *from = &profile->entries[mark->first + i];
        bool timed = from->query != NONE && from->query + 1 < n_queries;
        place_event(device, &profile->clock, period, from, timed ? results : NULL, mark->started_ns,
                    &out->events[i]);
        if (from->note != NONE)
            out->events[i].note = &out->notes[from->note];
    }
    out->n_events = n;
    out->n_dropped = profile->n_dropped;
    out->clock_error_ns = vkt_max_u64(profile->clock.error_ns, clock->error_ns);
    out->calibrated = profile->calibrated;
    free(results);
    return VKT_OK;
fail:
    free(results);
    return vkt_status_last();
}

vkt_status vkt_profile_stop(vkt_device *device, const vkt_profile_mark *mark,
                            vkt_profile_record *out)
{
    vkt_profile *profile = device->profile;
    vkt_clock clock;
    *out = (vkt_profile_record){0};
    if (vkt_device_check(device) != VKT_OK)
        goto ended;
    VKT_REQUIRE(profile->n_running > 0 && profile->serial == mark->serial &&
                    mark->first <= profile->n_entries,
                VKT_UNAVAILABLE, "profile: it is not running");
    if (vkt_queue_wait_value(device, vkt_queue_next_value(device), "profile") != VKT_OK)
        goto ended;
    vkt_profile_pool(device, vkt_now_ns(), "stop", 0);
    /* What other threads recorded during the wait is submitted by now, or not in the record. */
    vkt_mutex_lock(&profile->lock);
    size_t end = profile->n_entries;
    uint32_t n_queries = profile->n_queries;
    vkt_mutex_unlock(&profile->lock);
    if (vkt_queue_wait_inside(device, vkt_queue_next_value(device), "profile") != VKT_OK ||
        vkt_clock_read(device, profile->calibrated, &clock) != VKT_OK)
        goto ended;
    out->ns = vkt_now_ns() - mark->started_ns;
    vkt_mutex_lock(&profile->lock);
    vkt_status status = fill_record(device, mark, end, n_queries, &clock, out);
    vkt_mutex_unlock(&profile->lock);
    leave(device, mark);
    if (status != VKT_OK)
        vkt_profile_record_free(out);
    else if (out->n_dropped > 0)
        vkt_log(VKT_LOG_WARNING, "profile: kept %zu events, dropped %llu later ones", out->n_events,
                (unsigned long long)out->n_dropped);
    return status;
ended:
    vkt_profile_drop(device, mark);
fail:
    return vkt_status_last();
}

void vkt_profile_record_free(vkt_profile_record *record)
{
    free(record->events);
    free(record->notes);
    *record = (vkt_profile_record){0};
}

/* ---- Life */

vkt_status vkt_profile_create(vkt_device *device)
{
    device->profile = calloc(1, sizeof(*device->profile));
    VKT_REQUIRE(device->profile, VKT_OUT_OF_MEMORY, "device: no memory for the profile");
    vkt_mutex_init(&device->profile->lock);
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_profile_destroy(vkt_device *device)
{
    vkt_profile *profile = device->profile;
    if (!profile)
        return;
    device->profiled = false;
    for (uint32_t i = 0; i < profile->n_pools; i++)
        device->vk.vkDestroyQueryPool(device->handle, profile->pools[i], NULL);
    vkt_mutex_destroy(&profile->lock);
    free(profile->entries);
    free(profile->notes);
    free(profile);
    device->profile = NULL;
}
