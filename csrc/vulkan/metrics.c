/* vulkan/metrics.c - counters that only grow. */
#include <stdatomic.h>

#include "vulkan/internal.h"

const vkt_metric_info vkt_metric_infos[VKT_N_METRICS] = {
#define METRIC(name, meaning) {#name, meaning},
#include "vulkan/metrics.def"
#undef METRIC
};

void vkt_metric_add(vkt_device *device, vkt_metric metric, uint64_t n)
{
    _Atomic uint64_t *counter = &device->metrics[metric];
    /* One writer at a time: a load and a store are a tenth of an atomic addition. */
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + n, memory_order_relaxed);
}

void vkt_metrics_read(const vkt_device *device, uint64_t out[VKT_N_METRICS])
{
    for (int i = 0; i < VKT_N_METRICS; i++)
        out[i] = device ? atomic_load_explicit(&device->metrics[i], memory_order_relaxed) : 0;
}
