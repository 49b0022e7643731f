/* vulkan/queue.c - records commands, submits them by a policy, waits for them. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <assert.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "vulkan/internal.h"

/* Submits in flight; the next one waits for the oldest. */
#define MAX_SLOTS 32
/* Commands per submit: few when the GPU has nothing to do, many when it is busy anyway. A submit
 * costs two dispatches. */
#define FIRST_THRESHOLD 4
#define LAST_THRESHOLD  64
/* Submits in flight that keep the GPU busy while the host records the next one. A submit of one
 * small command takes the GPU 7-9 us, a command inside one at most 3. */
#define BUSY_SUBMITS 3
/* Work worth a submit of its own: ~0.1 ms of a GPU's bandwidth, ~1 ms of a CPU's. */
#define GPU_WORTH_NBYTES (UINT64_C(128) << 20)
#define CPU_WORTH_NBYTES (UINT64_C(4) << 20)
/* A round trip takes 13 us spinning, 43 us blocking. On a CPU driver it takes 20 us and 95 us: a
 * core that goes to sleep must be woken. */
#define GPU_SPIN_NS 50000
#define CPU_SPIN_NS 100000
/* The longest time between two looks at signals and shutdown. */
#define SLICE_NS UINT64_C(20000000)
/* Arguments of one submit: 64 commands of half a KiB. */
#define ARGS_NBYTES (32u << 10)
#define ARGS_ALIGN  64u
#define N_RECENT    16

typedef struct slot {
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkEvent finished; /* on CPU drivers, see record_finished */
    uint64_t value;   /* the slot is free once this is reached */
} slot;

typedef enum queue_state {
    IDLE,      /* nothing recorded */
    RECORDING, /* into slots[current] */
    ENDED,     /* recorded, but its submit has failed so far */
} queue_state;

/* What a wait is for. */
typedef enum wait_end {
    FINISHED, /* the host may touch what the commands wrote and read */
    REACHED,  /* the timeline is there: the driver needs the objects of the submit no more */
} wait_end;

struct vkt_queue {
    VkSemaphore timeline;
    VkPipelineLayout layout;
    VkDescriptorSetLayout buffers; /* of layout; none where nothing is ever bound */
    slot slots[MAX_SLOTS];
    uint32_t n_slots, current;
    queue_state state;
    VkPipeline bound;
    uint32_t n_commands, threshold, args_used;
    uint64_t nbytes, worth_nbytes, spin_ns;
    _Atomic uint64_t submitted, reached;
    _Atomic uint32_t n_waiters; /* threads inside vkWaitSemaphores */
    vkt_chunk args;             /* MAX_SLOTS parts of ARGS_NBYTES */
    const char *recent[N_RECENT];
    uint32_t n_recent;
};

/* ---- Where the timeline stands */

uint64_t vkt_queue_next_value(vkt_device *device)
{
    return atomic_load_explicit(&device->queue->submitted, memory_order_relaxed) + 1;
}

uint64_t vkt_queue_submitted(const vkt_device *device)
{
    return atomic_load_explicit(&device->queue->submitted, memory_order_relaxed);
}

uint64_t vkt_queue_known(const vkt_device *device)
{
    return atomic_load_explicit(&device->queue->reached, memory_order_acquire);
}

static void note_reached(vkt_queue *queue, uint64_t value)
{
    uint64_t before = atomic_load(&queue->reached);
    while (before < value && !atomic_compare_exchange_weak(&queue->reached, &before, value))
        ;
}

uint64_t vkt_queue_reached(vkt_device *device)
{
    vkt_queue *queue = device->queue;
    uint64_t submitted = vkt_queue_submitted(device), value = 0;

    if (vkt_queue_known(device) == submitted)
        return submitted;
    VkResult result =
        device->vk.vkGetSemaphoreCounterValue(device->handle, queue->timeline, &value);
    if (result == VK_ERROR_DEVICE_LOST)
        vkt_device_mark_lost(device, "vkGetSemaphoreCounterValue gave VK_ERROR_DEVICE_LOST");
    else if (result >= 0 && value > submitted)
        vkt_device_mark_lost(device, "the timeline ran ahead of what was submitted");
    if (device->lost)
        value = submitted; /* nothing runs any more */
    if (result >= 0 || device->lost)
        note_reached(queue, value);
    return vkt_queue_known(device);
}

uint64_t vkt_queue_poll(vkt_device *device)
{
    uint64_t value = 0;
    VkResult result =
        device->vk.vkGetSemaphoreCounterValue(device->handle, device->queue->timeline, &value);

    /* Losses are for those who hold the lock to find. */
    if (result >= 0 && value <= vkt_queue_submitted(device))
        note_reached(device->queue, value);
    return vkt_queue_known(device);
}

/* ---- Submitting */

static VkResult submit_current(vkt_device *device)
{
    vkt_queue *queue = device->queue;
    VkCommandBufferSubmitInfo commands = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
        .commandBuffer = queue->slots[queue->current].commands,
    };
    VkSemaphoreSubmitInfo signal = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = queue->timeline,
        .value = vkt_queue_next_value(device),
        .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    VkSubmitInfo2 submit = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .commandBufferInfoCount = 1,
        .pCommandBufferInfos = &commands,
        .signalSemaphoreInfoCount = 1,
        .pSignalSemaphoreInfos = &signal,
    };
    return device->vk.vkQueueSubmit2(device->vk_queue, 1, &submit, VK_NULL_HANDLE);
}

static VkResult wait_slice(vkt_device *device, uint64_t value, uint64_t timeout_ns)
{
    VkSemaphoreWaitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
        .semaphoreCount = 1,
        .pSemaphores = &device->queue->timeline,
        .pValues = &value,
    };
    return device->vk.vkWaitSemaphores(device->handle, &info, timeout_ns);
}

/* A CPU driver signals the timeline from a thread of its own, under a lock that every look at the
 * timeline takes: that costs more than small work. The event is set as soon as the work is done. */
static void record_finished(vkt_device *device, const slot *current)
{
    VkMemoryBarrier2 barrier = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    VkDependencyInfo info = {
        .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
        .memoryBarrierCount = 1,
        .pMemoryBarriers = &barrier,
    };
    device->vk.vkCmdSetEvent2(current->commands, current->finished, &info);
}

/* Ends and submits the current command buffer. A submit that finds no memory may be tried again:
 * nothing recorded is lost. */
static vkt_status submit(vkt_device *device)
{
    vkt_queue *queue = device->queue;
    slot *current = &queue->slots[queue->current];
    uint64_t began = vkt_profile_now(device);

    VKT_TRY(vkt_device_check(device));
    if (queue->state == RECORDING) {
        /* Also the last barrier: what follows in later submits starts with a clean epoch, and
         * the host may read. */
        vkt_hazard_barrier(device, current->commands, true);
        if (current->finished)
            record_finished(device, current);
        if (device->vk.vkEndCommandBuffer(current->commands) < 0) {
            vkt_device_mark_lost(device, "vkEndCommandBuffer failed and recorded work is gone");
            VKT_FAIL(VKT_DEVICE_LOST, "%s", device->lost_text);
        }
        queue->state = ENDED;
    }
    VkResult result = submit_current(device);
    if (result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY) {
        (void)wait_slice(device, vkt_queue_submitted(device), SLICE_NS);
        result = submit_current(device);
    }
    if (result < 0) {
        (void)vkt_vk_fail(device, result, "vkQueueSubmit2", __FILE__, __LINE__);
        goto fail;
    }
    current->value = vkt_queue_next_value(device);
    vkt_trace_command(device, VKT_EVENT_SUBMIT, "", NULL, 0, current->value);
    vkt_metric_add(device, VKT_METRIC_submits, 1);
    atomic_store(&queue->submitted, current->value);
    queue->state = IDLE;
    if (began)
        vkt_profile_submitted(device, began, current->value, queue->n_commands, queue->nbytes);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_flush(vkt_device *device)
{
    vkt_queue *queue = device->queue;

    VKT_TRY(vkt_device_check(device));
    if (queue->state == ENDED || (queue->state == RECORDING && queue->n_commands > 0))
        return submit(device);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_flush_idle(vkt_device *device)
{
    uint64_t submitted = vkt_queue_submitted(device);

    VKT_TRY(vkt_device_check(device));
    if (submitted - vkt_queue_known(device) >= BUSY_SUBMITS &&
        submitted - vkt_queue_reached(device) >= BUSY_SUBMITS)
        return VKT_OK;
    return vkt_flush(device);
fail:
    return vkt_status_last();
}

/* ---- Recording */

static vkt_status add_slot(vkt_device *device)
{
    slot fresh = {0};
    VkEventCreateInfo event = {.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
    VkCommandPoolCreateInfo pool = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
        .queueFamilyIndex = device->queue_family,
    };
    VKT_VK(device, device->vk.vkCreateCommandPool(device->handle, &pool, NULL, &fresh.pool));
    VkCommandBufferAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = fresh.pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1,
    };
    VKT_VK(device, device->vk.vkAllocateCommandBuffers(device->handle, &info, &fresh.commands));
    if (device->info.kind == VKT_DEVICE_CPU)
        VKT_VK(device, device->vk.vkCreateEvent(device->handle, &event, NULL, &fresh.finished));
    device->queue->slots[device->queue->n_slots++] = fresh;
    return VKT_OK;
fail:
    if (fresh.pool)
        device->vk.vkDestroyCommandPool(device->handle, fresh.pool, NULL);
    return vkt_status_last();
}

static uint32_t find_oldest(const vkt_queue *queue)
{
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < queue->n_slots; i++) {
        if (queue->slots[i].value < queue->slots[oldest].value)
            oldest = i;
    }
    return oldest;
}

/* Makes slots[current] a free one. Waiting may let other threads record: the caller looks again. */
static vkt_status find_slot(vkt_device *device, bool *found)
{
    vkt_queue *queue = device->queue;
    uint32_t oldest = find_oldest(queue);

    *found = false;
    if (queue->n_slots && (queue->slots[oldest].value <= vkt_queue_known(device) ||
                           queue->slots[oldest].value <= vkt_queue_reached(device))) {
        queue->current = oldest;
        *found = true;
    } else if (queue->n_slots < MAX_SLOTS) {
        VKT_TRY(add_slot(device));
        queue->current = queue->n_slots - 1;
        *found = true;
    } else {
        VKT_TRY(vkt_queue_wait_inside(device, queue->slots[oldest].value, "slot"));
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

static vkt_status begin_commands(vkt_device *device)
{
    vkt_queue *queue = device->queue;
    VkCommandBufferBeginInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
        .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
    };
    bool found = false;

    while (queue->state != RECORDING) {
        VKT_TRY(vkt_device_check(device));
        if (queue->state == ENDED) {
            VKT_TRY(submit(device));
            continue;
        }
        VKT_TRY(find_slot(device, &found));
        if (!found)
            continue;
        slot *current = &queue->slots[queue->current];
        VKT_VK(device, device->vk.vkResetCommandPool(device->handle, current->pool, 0));
        if (current->finished)
            VKT_VK(device, device->vk.vkResetEvent(device->handle, current->finished));
        VKT_VK(device, device->vk.vkBeginCommandBuffer(current->commands, &info));
        queue->state = RECORDING;
        queue->bound = VK_NULL_HANDLE;
        queue->n_commands = 0;
        queue->nbytes = 0;
        queue->args_used = 0;
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_queue_commands(vkt_device *device, VkCommandBuffer *out)
{
    vkt_queue *queue = device->queue;

    if (queue->state != RECORDING)
        VKT_TRY(begin_commands(device));
    *out = queue->slots[queue->current].commands;
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_queue_recorded(vkt_device *device, uint64_t nbytes)
{
    vkt_queue *queue = device->queue;

    queue->n_commands++;
    queue->nbytes += nbytes;
    if (queue->n_commands < queue->threshold && queue->nbytes < queue->worth_nbytes)
        return VKT_OK;
    if (vkt_queue_reached(device) == vkt_queue_submitted(device))
        queue->threshold = FIRST_THRESHOLD;
    if (queue->threshold < LAST_THRESHOLD)
        queue->threshold *= 2;
    return submit(device);
}

vkt_status vkt_queue_place_args(vkt_device *device, const void *bytes, uint32_t nbytes,
                                uint64_t *address)
{
    vkt_queue *queue = device->queue;
    VkCommandBuffer commands = VK_NULL_HANDLE;

    VKT_REQUIRE(nbytes <= ARGS_NBYTES, VKT_VALUE_ERROR,
                "dispatch: %u bytes of arguments, at most %u fit", nbytes, ARGS_NBYTES);
    VKT_TRY(vkt_queue_commands(device, &commands));
    while (queue->args_used + nbytes > ARGS_NBYTES) {
        VKT_TRY(submit(device));
        VKT_TRY(vkt_queue_commands(device, &commands));
    }
    /* The slot's part is idle: the slot was free when its recording began. */
    uint64_t offset = (uint64_t)queue->current * ARGS_NBYTES + queue->args_used;
    memcpy((char *)queue->args.host + offset, bytes, nbytes);
    queue->args_used += (uint32_t)vkt_round_up(nbytes, ARGS_ALIGN);
    *address = queue->args.address + offset;
    return VKT_OK;
fail:
    return vkt_status_last();
}

VkPipelineLayout vkt_queue_pipeline_layout(vkt_device *device)
{
    return device->queue->layout;
}

static void note_kernel(vkt_queue *queue, const char *name)
{
    queue->recent[queue->n_recent++ % N_RECENT] = name;
}

void vkt_queue_describe_recent(const vkt_device *device, char *text, size_t nbytes)
{
    const vkt_queue *queue = device->queue;
    size_t length = 0;

    text[0] = '\0';
    if (!queue)
        return;
    for (uint32_t i = 0; i < N_RECENT && i < queue->n_recent && length + 1 < nbytes; i++) {
        const char *name = queue->recent[(queue->n_recent - 1 - i) % N_RECENT];
        int n = snprintf(text + length, nbytes - length, "%s%s", i ? ", " : "", name);
        length += n > 0 ? (size_t)n : 0;
    }
}

static vkt_status check_groups(vkt_device *device, const vkt_launch *launch)
{
    const uint32_t *most = device->info.max_groups;
    for (int i = 0; i < 3; i++) {
        VKT_REQUIRE(launch->groups[i] >= 1 && launch->groups[i] <= most[i], VKT_VALUE_ERROR,
                    "dispatch: %s: expected 1 to %u groups along axis %d, got %u",
                    vkt_kernel_name(launch->kernel), most[i], i, launch->groups[i]);
    }
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_dispatch(vkt_device *device, const vkt_launch *launch)
{
    vkt_queue *queue = device->queue;
    VkPipeline pipeline = vkt_kernel_pipeline(launch->kernel);
    const char *name = vkt_kernel_name(launch->kernel);
    const void *args = launch->args;
    uint32_t args_nbytes = launch->args_nbytes;
    uint64_t nbytes = launch->nbytes, args_address;
    VkCommandBuffer commands = VK_NULL_HANDLE;

    assert(args_nbytes % 4 == 0);
    VKT_TRY(vkt_device_check(device));
    VKT_TRY(check_groups(device, launch));
    if (args_nbytes > VKT_PUSH_NBYTES) {
        VKT_TRY(vkt_queue_place_args(device, args, args_nbytes, &args_address));
        args = &args_address;
        args_nbytes = sizeof args_address;
    }
    VKT_TRY(vkt_queue_commands(device, &commands));
    VKT_TRY(vkt_hazard_order(device, commands, launch->accesses, launch->n_accesses));
    if (queue->bound != pipeline) {
        device->vk.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
        queue->bound = pipeline;
    }
    if (args_nbytes)
        device->vk.vkCmdPushConstants(commands, queue->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                                      args_nbytes, args);
    if (launch->n_bound)
        vkt_bind_record(device, commands, launch);
    for (uint32_t i = 0; i < launch->n_accesses; i++) {
        assert(launch->accesses[i].offset + launch->accesses[i].nbytes <=
               launch->accesses[i].block->capacity);
        if (!launch->nbytes)
            nbytes += launch->accesses[i].nbytes;
    }
    if (device->profiled)
        vkt_profile_begin(device, commands, name, launch, nbytes);
    device->vk.vkCmdDispatch(commands, launch->groups[0], launch->groups[1], launch->groups[2]);
    if (device->profiled)
        vkt_profile_end(device, commands);
    vkt_trace_command(device, VKT_EVENT_DISPATCH, name, launch->accesses, launch->n_accesses,
                      vkt_queue_next_value(device));
    note_kernel(queue, name);
    vkt_metric_add(device, VKT_METRIC_dispatches, 1);
    return vkt_queue_recorded(device, nbytes);
fail:
    return vkt_status_last();
}

/* ---- Waiting */

/* One slice of a wait, inside which shutdown leaves the device alone. VK_TIMEOUT while the value
 * is not reached. */
static VkResult wait_guarded(vkt_device *device, uint64_t value)
{
    vkt_queue *queue = device->queue;
    VkResult result = VK_ERROR_UNKNOWN;

    /* Shutdown ends our life first and looks at n_waiters then; we go the other way round. */
    (void)atomic_fetch_add(&queue->n_waiters, 1);
    if (!vkt_is_dead()) {
        result = wait_slice(device, value, SLICE_NS);
        if (result == VK_SUCCESS)
            note_reached(queue, value);
    }
    (void)atomic_fetch_sub(&queue->n_waiters, 1);
    return result;
}

static vkt_status block_until(vkt_device *device, uint64_t value, bool keep_lock)
{
    VkResult result;

    vkt_metric_add(device, VKT_METRIC_waits_blocked, 1);
    if (!keep_lock)
        vkt_the_hooks.blocking_begin();
    while ((result = wait_guarded(device, value)) == VK_TIMEOUT) {
        if (!keep_lock)
            vkt_the_hooks.blocking_end();
        if (vkt_the_hooks.interrupted())
            return vkt_fail(VKT_INTERRUPTED, __FILE__, __LINE__, "wait: interrupted");
        if (!keep_lock)
            vkt_the_hooks.blocking_begin();
    }
    if (!keep_lock)
        vkt_the_hooks.blocking_end();
    VKT_TRY(vkt_device_check(device));
    if (result < 0)
        return vkt_vk_fail(device, result, "vkWaitSemaphores", __FILE__, __LINE__);
    return VKT_OK;
fail:
    return vkt_status_last();
}

static bool is_finished(vkt_device *device, uint64_t value)
{
    const vkt_queue *queue = device->queue;

    for (uint32_t i = 0; i < queue->n_slots; i++) {
        VkEvent event = queue->slots[i].finished;
        if (queue->slots[i].value != value || !event)
            continue;
        bool set = device->vk.vkGetEventStatus(device->handle, event) == VK_EVENT_SET;
        atomic_thread_fence(memory_order_acquire); /* what the driver's threads wrote before it */
        return set;
    }
    return vkt_queue_reached(device) >= value;
}

static bool spin_until(vkt_device *device, uint64_t value, wait_end end)
{
    bool is_cpu = device->info.kind == VKT_DEVICE_CPU;
    uint64_t deadline = vkt_now_ns() + device->queue->spin_ns;
    do {
        for (int i = 0; i < 8; i++) {
            if (end == FINISHED ? is_finished(device, value) : vkt_queue_reached(device) >= value)
                return true;
            if (is_cpu)
                (void)sched_yield(); /* the driver's threads may need this core */
            else
                vkt_cpu_pause();
        }
    } while (vkt_now_ns() < deadline);
    return false;
}

void vkt_queue_catch_up(vkt_device *device, uint64_t value)
{
    if (device->lost || value > vkt_queue_submitted(device) || value <= vkt_queue_known(device))
        return;
    if (is_finished(device, value) && !spin_until(device, value, REACHED))
        (void)wait_guarded(device, value);
}

static vkt_status wait_value(vkt_device *device, uint64_t value, wait_end end, bool keep_lock,
                             const char *why)
{
    vkt_queue *queue = device->queue;
    uint64_t began = 0;

    VKT_TRY(vkt_device_check(device));
    vkt_metric_add(device, VKT_METRIC_waits, 1);
    if (value > vkt_queue_submitted(device))
        VKT_TRY(vkt_flush(device));
    /* Nothing was recorded for a value still to come: what is submitted is all there is. */
    value = vkt_min_u64(value, vkt_queue_submitted(device));
    if (vkt_queue_known(device) < value) {
        began = vkt_profile_now(device);
        if (!spin_until(device, value, end))
            VKT_TRY(block_until(device, value, keep_lock));
    }
    VKT_REQUIRE(!device->lost, VKT_DEVICE_LOST, "%s", device->lost_text);
    if (vkt_max_u64(value, vkt_queue_known(device)) == vkt_queue_submitted(device))
        queue->threshold = FIRST_THRESHOLD;
    vkt_trace_command(device, VKT_EVENT_WAIT, "", NULL, 0, value);
    if (began)
        vkt_profile_waited(device, began, value, why);
    return VKT_OK;
fail:
    if (began)
        vkt_profile_waited(device, began, value, why);
    return vkt_status_last();
}

vkt_status vkt_queue_wait_value(vkt_device *device, uint64_t value, const char *why)
{
    return wait_value(device, value, REACHED, false, why);
}

vkt_status vkt_queue_wait_inside(vkt_device *device, uint64_t value, const char *why)
{
    return wait_value(device, value, REACHED, true, why);
}

vkt_status vkt_wait(vkt_device *device)
{
    VKT_TRY(vkt_flush(device));
    VKT_TRY(vkt_queue_wait_value(device, vkt_queue_submitted(device), "synchronize"));
    vkt_imports_reap(device);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_block_wait(vkt_block *block, bool for_write)
{
    uint64_t value = block->usage.write_submit;
    vkt_access access = {.block = block,
                         .offset = block->begin,
                         .nbytes = block->nbytes - block->begin,
                         .write = for_write};

    if (for_write)
        value = vkt_max_u64(value, block->usage.read_submit);
    VKT_TRY(wait_value(block->device, value, FINISHED, false, for_write ? "write" : "read"));
    vkt_trace_command(block->device, for_write ? VKT_EVENT_HOST_WRITE : VKT_EVENT_HOST_READ, "wait",
                      &access, 1, value);
    return VKT_OK;
fail:
    return vkt_status_last();
}

bool vkt_queue_drain(vkt_device *device, uint64_t timeout_ns)
{
    vkt_queue *queue = device->queue;
    uint64_t end = vkt_now_ns() + timeout_ns, value = vkt_queue_submitted(device);

    while (!device->lost && vkt_queue_known(device) < value) {
        VkResult result = wait_slice(device, value, SLICE_NS);
        if (result == VK_SUCCESS)
            note_reached(queue, value);
        else if (result != VK_TIMEOUT || vkt_now_ns() > end)
            return result == VK_ERROR_DEVICE_LOST;
    }
    while (atomic_load(&queue->n_waiters) > 0) {
        if (vkt_now_ns() > end)
            return false;
        (void)sched_yield();
    }
    return true;
}

/* ---- Life */

static vkt_status create_args(vkt_device *device)
{
    vkt_queue *queue = device->queue;
    const uint64_t nbytes = (uint64_t)MAX_SLOTS * ARGS_NBYTES;
    vkt_types types;

    vkt_types_choose(device, VKT_MEMORY_DEVICE, &types);
    VKT_TRY(vkt_chunk_create(device, &types, VKT_MEMORY_DEVICE, nbytes, &queue->args));
    if (!queue->args.host) {
        vkt_chunk_destroy(device, &queue->args);
        vkt_types_choose(device, VKT_MEMORY_HOST, &types);
        VKT_TRY(vkt_chunk_create(device, &types, VKT_MEMORY_HOST, nbytes, &queue->args));
    }
    memset(queue->args.host, 0, nbytes);
    return VKT_OK;
fail:
    return vkt_status_last();
}

vkt_status vkt_queue_create(vkt_device *device)
{
    vkt_queue *queue = calloc(1, sizeof *queue);
    bool is_cpu = device->info.kind == VKT_DEVICE_CPU;
    VkSemaphoreTypeCreateInfo type = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
        .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
    };
    VkSemaphoreCreateInfo semaphore = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                       .pNext = &type};
    VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                 .size = VKT_PUSH_NBYTES};
    VkPipelineLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &range,
    };

    VKT_REQUIRE(queue, VKT_OUT_OF_MEMORY, "out of host memory");
    device->queue = queue;
    queue->threshold = FIRST_THRESHOLD;
    queue->worth_nbytes = is_cpu ? CPU_WORTH_NBYTES : GPU_WORTH_NBYTES;
    queue->spin_ns = is_cpu ? CPU_SPIN_NS : GPU_SPIN_NS;
    VKT_VK(device,
           device->vk.vkCreateSemaphore(device->handle, &semaphore, NULL, &queue->timeline));
    if (device->info.bind_nbytes) {
        VKT_TRY(vkt_bind_create(device, &queue->buffers));
        layout.setLayoutCount = 1;
        layout.pSetLayouts = &queue->buffers;
    }
    VKT_VK(device,
           device->vk.vkCreatePipelineLayout(device->handle, &layout, NULL, &queue->layout));
    VKT_TRY(create_args(device));
    return VKT_OK;
fail:
    return vkt_status_last();
}

void vkt_queue_destroy(vkt_device *device)
{
    vkt_queue *queue = device->queue;

    if (!queue)
        return;
    for (uint32_t i = 0; i < queue->n_slots; i++) {
        device->vk.vkDestroyCommandPool(device->handle, queue->slots[i].pool, NULL);
        device->vk.vkDestroyEvent(device->handle, queue->slots[i].finished, NULL);
    }
    vkt_chunk_destroy(device, &queue->args);
    device->vk.vkDestroySemaphore(device->handle, queue->timeline, NULL);
    device->vk.vkDestroyPipelineLayout(device->handle, queue->layout, NULL);
    device->vk.vkDestroyDescriptorSetLayout(device->handle, queue->buffers, NULL);
    free(queue);
    device->queue = NULL;
}
