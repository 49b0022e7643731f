/* vulkan/profile.c - times every dispatch and copy on the GPU between a start and a stop. */
#include "vulkan/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Queries of one pool, two per command; a pool is 16-64 KiB for the driver. */
#define POOL_QUERIES 4096
/* Events kept in one profile, ~85 MiB; later ones are counted and dropped. */
#define MAX_EVENTS (256u << 10)
#define MAX_POOLS  (2 * MAX_EVENTS / POOL_QUERIES + 1)
#define NO_QUERY   UINT32_MAX

struct vkt_profile {
    bool running;
    bool open; /* between begin and end of a recorded event */
    uint64_t started_ns;
    vkt_profile_event *events;
    uint32_t *queries; /* per event: number of its first query, or NO_QUERY */
    size_t n_events, capacity;
    uint64_t n_dropped;
    VkQueryPool pools[MAX_POOLS]; /* kept from one profile to the next */
    uint32_t n_pools;
    uint32_t n_queries; /* taken in this profile; each pool is reset before its first */
};

bool vkt_profile_running(const vkt_device *device)
{
    return device->profile && device->profile->running;
}

/* ---- Recording */

static vkt_profile_event *push_event(vkt_profile *profile, vkt_event_kind kind, const char *name,
                                     const char *what)
{
    if (profile->n_events == profile->capacity) {
        size_t grown = profile->capacity ? 2 * profile->capacity : 1024;
        vkt_profile_event *events = NULL;
        uint32_t *queries = NULL;
        if (grown <= MAX_EVENTS)
            events = realloc(profile->events, grown * sizeof(*events));
        if (events) {
            profile->events = events;
            queries = realloc(profile->queries, grown * sizeof(*queries));
        }
        if (!queries) {
            profile->n_dropped++;
            return NULL;
        }
        profile->queries = queries;
        profile->capacity = grown;
    }
    profile->queries[profile->n_events] = NO_QUERY;
    vkt_profile_event *event = &profile->events[profile->n_events++];
    *event = (vkt_profile_event){.kind = kind, .host_ns = vkt_now_ns() - profile->started_ns};
    (void)snprintf(event->name, sizeof(event->name), "%s", name ? name : "");
    (void)snprintf(event->what, sizeof(event->what), "%s", what ? what : "");
    return event;
}

/* Two neighbouring queries, ready to be written by `commands`; or NO_QUERY. */
static uint32_t take_queries(vkt_device *device, VkCommandBuffer commands)
{
    vkt_profile *profile = device->profile;
    uint32_t pool = profile->n_queries / POOL_QUERIES;
    if (!device->info.timestamps || device->timestamp_bits == 0 || pool >= MAX_POOLS)
        return NO_QUERY;
    if (pool == profile->n_pools) {
        const VkQueryPoolCreateInfo info = {
            .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
            .queryType = VK_QUERY_TYPE_TIMESTAMP,
            .queryCount = POOL_QUERIES,
        };
        if (device->vk.vkCreateQueryPool(device->handle, &info, NULL, &profile->pools[pool]) !=
            VK_SUCCESS)
            return NO_QUERY;
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

void vkt_profile_begin(vkt_device *device, VkCommandBuffer commands, vkt_event_kind kind,
                       const char *name, const char *what, uint64_t nbytes,
                       const uint32_t groups[3])
{
    vkt_profile *profile = device->profile;
    if (!vkt_profile_running(device))
        return;
    vkt_profile_event *event = push_event(profile, kind, name, what);
    profile->open = event != NULL;
    if (!event)
        return;
    event->nbytes = nbytes;
    for (int i = 0; groups && i < 3; i++)
        event->groups[i] = groups[i];
    uint32_t query = take_queries(device, commands);
    profile->queries[profile->n_events - 1] = query;
    if (query != NO_QUERY)
        write_timestamp(device, commands, query);
}

void vkt_profile_end(vkt_device *device, VkCommandBuffer commands)
{
    vkt_profile *profile = device->profile;
    if (!vkt_profile_running(device) || !profile->open)
        return;
    profile->open = false;
    uint32_t query = profile->queries[profile->n_events - 1];
    if (query != NO_QUERY)
        write_timestamp(device, commands, query + 1);
}

void vkt_profile_compiled(vkt_device *device, const char *name, uint64_t took_ns)
{
    if (!vkt_profile_running(device))
        return;
    vkt_profile_event *event = push_event(device->profile, VKT_EVENT_COMPILE, name, NULL);
    if (event) {
        event->gpu_ns = took_ns;
        event->host_ns = event->host_ns > took_ns ? event->host_ns - took_ns : 0;
    }
}

/* ---- Start and stop */

/* A first timestamp, waited for, ties the GPU's clock to the host's within a round trip. */
static vkt_status mark_start(vkt_device *device)
{
    VkCommandBuffer commands;
    VKT_TRY(vkt_wait(device));
    VKT_TRY(vkt_queue_commands(device, &commands));
    uint32_t query = take_queries(device, commands);
    device->profile->started_ns = vkt_now_ns();
    if (query != NO_QUERY)
        write_timestamp(device, commands, query);
    VKT_TRY(vkt_queue_recorded(device, 0));
    VKT_TRY(vkt_wait(device));
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_profile_start(vkt_device *device)
{
    vkt_profile *profile = device->profile;
    VKT_TRY(vkt_device_check(device));
    VKT_REQUIRE(!profile->running, VKT_UNAVAILABLE, "profile: one is running already");
    profile->n_events = 0;
    profile->n_dropped = 0;
    profile->n_queries = 0;
    profile->open = false;
    VKT_TRY(mark_start(device));
    profile->running = true;
    return VKT_OK;
fail:
    return vkt_status_last();
}

/* A query of a command that was never submitted is unavailable: its event keeps 0. */
typedef struct query_result {
    uint64_t ticks;
    uint64_t available;
} query_result;

static vkt_status read_queries(vkt_device *device, query_result **out)
{
    vkt_profile *profile = device->profile;
    query_result *results = calloc((size_t)profile->n_queries + 1, sizeof(*results));
    VKT_REQUIRE(results, VKT_OUT_OF_MEMORY, "profile: no memory for %u timestamps",
                profile->n_queries);
    for (uint32_t first = 0; first < profile->n_queries; first += POOL_QUERIES) {
        uint32_t n = profile->n_queries - first;
        n = n < POOL_QUERIES ? n : POOL_QUERIES;
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

static void fill_times(vkt_device *device, const query_result *results)
{
    vkt_profile *profile = device->profile;
    const uint32_t bits = device->timestamp_bits;
    const uint64_t mask = bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    const double period = device->info.timestamp_period_ns;
    for (size_t i = 0; i < profile->n_events; i++) {
        uint32_t query = profile->queries[i];
        if (query == NO_QUERY || !results[query].available || !results[query + 1].available)
            continue;
        /* Differences within the valid bits are right across one wrap of the counter. */
        uint64_t start = (results[query].ticks - results[0].ticks) & mask;
        uint64_t ticks = (results[query + 1].ticks - results[query].ticks) & mask;
        profile->events[i].gpu_start = (uint64_t)((double)start * period);
        profile->events[i].gpu_ns = (uint64_t)((double)ticks * period);
    }
}

vkt_status vkt_profile_stop(vkt_device *device, const vkt_profile_event **events, size_t *n_events)
{
    vkt_profile *profile = device->profile;
    query_result *results = NULL;
    VKT_REQUIRE(profile && profile->running, VKT_UNAVAILABLE, "profile: none is running");
    /* Whatever fails below, a next profile may start. */
    profile->running = false;
    VKT_TRY(vkt_wait(device));
    VKT_TRY(read_queries(device, &results));
    fill_times(device, results);
    free(results);
    if (profile->n_dropped > 0)
        vkt_log(VKT_LOG_WARNING, "profile: kept %zu events, dropped %llu later ones",
                profile->n_events, (unsigned long long)profile->n_dropped);
    *events = profile->events;
    *n_events = profile->n_events;
    return VKT_OK;
fail:
    free(results);
    return vkt_status_last();
}

/* ---- Life */

vkt_status vkt_profile_create(vkt_device *device)
{
    device->profile = calloc(1, sizeof(*device->profile));
    VKT_REQUIRE(device->profile, VKT_OUT_OF_MEMORY, "device: no memory for the profile");
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_profile_destroy(vkt_device *device)
{
    vkt_profile *profile = device->profile;
    if (!profile)
        return;
    for (uint32_t i = 0; i < profile->n_pools; i++)
        device->vk.vkDestroyQueryPool(device->handle, profile->pools[i], NULL);
    free(profile->events);
    free(profile->queries);
    free(profile);
    device->profile = NULL;
}
