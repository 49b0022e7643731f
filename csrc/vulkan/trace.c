/* vulkan/trace.c - a record of every command and barrier, for tests that look for missing ones. */
#include <stdio.h>
#include <stdlib.h>

#include "vulkan/internal.h"

struct vkt_trace {
    bool running;
    bool failed; /* no memory: the trace ends early */
    vkt_trace_event *events;
    vkt_trace_range *ranges;
    size_t n_events, n_ranges, events_capacity, ranges_capacity;
};

vkt_status vkt_trace_create(vkt_device *device)
{
    device->trace = calloc(1, sizeof *device->trace);
    VKT_REQUIRE(device->trace, VKT_OUT_OF_MEMORY, "out of host memory");
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_trace_destroy(vkt_device *device)
{
    if (!device->trace)
        return;
    free(device->trace->events);
    free(device->trace->ranges);
    free(device->trace);
    device->trace = NULL;
}

bool vkt_trace_running(const vkt_device *device)
{
    return device->trace && device->trace->running;
}

vkt_status vkt_trace_start(vkt_device *device)
{
    vkt_trace *trace;

    VKT_TRY(vkt_device_check(device));
    trace = device->trace;
    VKT_REQUIRE(!trace->running, VKT_UNAVAILABLE, "trace: one is running already");
    trace->n_events = trace->n_ranges = 0;
    trace->failed = false;
    trace->running = true;
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_trace_stop(vkt_device *device, const vkt_trace_event **events, size_t *n_events,
                    const vkt_trace_range **ranges)
{
    vkt_trace *trace = device->trace;

    *events = NULL;
    *n_events = 0;
    *ranges = NULL;
    if (!trace)
        return;
    trace->running = false;
    *events = trace->events;
    *n_events = trace->n_events;
    *ranges = trace->ranges;
}

/* Makes room for `more` elements; false when there is no memory. */
static bool reserve(void **array, size_t *capacity, size_t n, size_t more, size_t elem_nbytes)
{
    if (n + more <= *capacity)
        return true;
    size_t wanted = 2 * (n + more) + 64;
    void *grown = realloc(*array, wanted * elem_nbytes);
    if (!grown)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

void vkt_trace_command(vkt_device *device, vkt_event_kind kind, const char *name,
                       const vkt_access *accesses, uint32_t n, uint64_t submit)
{
    vkt_trace *trace = device->trace;

    if (!trace || !trace->running || trace->failed)
        return;
    void *events = trace->events, *ranges = trace->ranges;
    bool fits =
        reserve(&events, &trace->events_capacity, trace->n_events, 1, sizeof *trace->events);
    fits = reserve(&ranges, &trace->ranges_capacity, trace->n_ranges, n, sizeof *trace->ranges) &&
           fits;
    trace->events = events;
    trace->ranges = ranges;
    if (!fits) {
        trace->failed = true;
        return;
    }
    vkt_trace_event *event = &trace->events[trace->n_events++];
    *event = (vkt_trace_event){
        .kind = kind, .first_range = (uint32_t)trace->n_ranges, .n_ranges = n, .submit = submit};
    (void)snprintf(event->name, sizeof event->name, "%s", name ? name : "");
    for (uint32_t i = 0; i < n; i++) {
        trace->ranges[trace->n_ranges++] = (vkt_trace_range){
            .address = accesses[i].block->address + accesses[i].offset,
            .nbytes = accesses[i].nbytes,
            .write = accesses[i].write,
        };
    }
}
