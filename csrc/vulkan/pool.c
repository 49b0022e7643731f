/* vulkan/pool.c - slabs, size classes and lists of free blocks. */
#include "vulkan/pool.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/checked.h"

/* Every block begins at a multiple: the widest load of a kernel needs 16, caches and copy
 * engines like 256. */
#define ALIGNMENT UINT64_C(256)
/* Up to here blocks share chunks. */
#define SMALL_NBYTES (UINT64_C(1) << 20)
#define PAGE_NBYTES  (UINT64_C(64) << 10)
#define MAX_PAGES    128u
/* A slab has at least so many blocks; a page of the smallest class has 256. */
#define SLAB_SLOTS 8u
/* Large blocks are rounded to an eighth of a power of two, above this to 2 MiB. */
#define HUGE_NBYTES (UINT64_C(64) << 20)
#define HUGE_STEP   (UINT64_C(2) << 20)

typedef struct shared_chunk {
    vkt_chunk chunk; /* first: the record is found by its chunk */
    uint32_t n_pages, n_used;
    vkt_slab *slabs[MAX_PAGES];  /* the slab that has the page, or NULL */
    vkt_usage usages[MAX_PAGES]; /* of pages without a slab */
} shared_chunk;

typedef struct large_chunk {
    vkt_chunk chunk;
    vkt_block block;
} large_chunk;

struct vkt_slab {
    vkt_slab *next, *prev; /* in the class's list, while it has a free block */
    shared_chunk *chunk;
    uint32_t first_page, n_pages, class_index;
    uint32_t n_slots, n_free;
    vkt_block *free;
    vkt_block slots[];
};

/* ---- Sizes */

static uint32_t floor_log2(uint64_t n)
{
    return 63u - (uint32_t)__builtin_clzll(n);
}

static uint32_t class_of(uint64_t nbytes)
{
    if (nbytes <= 4 * ALIGNMENT)
        return nbytes ? (uint32_t)((nbytes - 1) / ALIGNMENT) : 0;
    uint32_t log = floor_log2(nbytes - 1);
    return 4 + (log - 10) * 4 + (uint32_t)(((nbytes - 1) >> (log - 2)) & 3);
}

static uint64_t class_capacity(uint32_t class_index)
{
    if (class_index < 4)
        return ALIGNMENT * (class_index + 1);
    uint32_t log = 10 + (class_index - 4) / 4;
    return (UINT64_C(1) << log) + ((uint64_t)((class_index - 4) % 4 + 1) << (log - 2));
}

static uint64_t large_capacity(uint64_t nbytes)
{
    uint64_t step = nbytes > HUGE_NBYTES ? HUGE_STEP : UINT64_C(1) << (floor_log2(nbytes) - 3);
    return vkt_round_up(nbytes, step);
}

static uint32_t bucket_of(uint64_t capacity)
{
    uint32_t log = floor_log2(capacity);
    return (log - 20) * 8 + (uint32_t)((capacity >> (log - 3)) & 7);
}

static uint32_t slab_pages(uint32_t class_index, bool minimal)
{
    uint64_t nbytes = class_capacity(class_index) * (minimal ? 1 : SLAB_SLOTS);
    return (uint32_t)vkt_ceil_div(nbytes, PAGE_NBYTES);
}

/* ---- Usage */

/* Adds what happened to a neighbour; the span becomes everything, for it may lie anywhere. */
static void merge_usage(vkt_usage *into, const vkt_usage *from)
{
    const vkt_span everything = {0, UINT64_MAX};
    into->write_epoch = vkt_max_u64(into->write_epoch, from->write_epoch);
    into->read_epoch = vkt_max_u64(into->read_epoch, from->read_epoch);
    into->write_submit = vkt_max_u64(into->write_submit, from->write_submit);
    into->read_submit = vkt_max_u64(into->read_submit, from->read_submit);
    into->write_span = everything;
    into->read_span = everything;
}

/* ---- Slabs */

static void link_slab(vkt_size_class *cls, vkt_slab *slab)
{
    slab->prev = NULL;
    slab->next = cls->slabs;
    if (slab->next)
        slab->next->prev = slab;
    cls->slabs = slab;
}

static void unlink_slab(vkt_size_class *cls, vkt_slab *slab)
{
    if (slab->prev)
        slab->prev->next = slab->next;
    else
        cls->slabs = slab->next;
    if (slab->next)
        slab->next->prev = slab->prev;
}

/* First run of n unused pages, or UINT32_MAX. */
static uint32_t find_pages(const shared_chunk *chunk, uint32_t n)
{
    uint32_t run = 0;
    if (chunk->n_pages - chunk->n_used < n)
        return UINT32_MAX;
    for (uint32_t i = 0; i < chunk->n_pages; i++) {
        run = chunk->slabs[i] ? 0 : run + 1;
        if (run == n)
            return i + 1 - n;
    }
    return UINT32_MAX;
}

/* Cuts n pages of the chunk into blocks. False when the host has no memory for their records. */
static bool make_slab(vkt_pool *pool, shared_chunk *chunk, uint32_t first, uint32_t n,
                      uint32_t class_index)
{
    uint64_t capacity = class_capacity(class_index);
    uint32_t n_slots = (uint32_t)(n * PAGE_NBYTES / capacity);
    vkt_slab *slab = calloc(1, sizeof *slab + n_slots * sizeof slab->slots[0]);
    vkt_usage usage = {0};

    if (!slab)
        return false;
    slab->chunk = chunk;
    slab->first_page = first;
    slab->n_pages = n;
    slab->class_index = class_index;
    slab->n_slots = slab->n_free = n_slots;
    for (uint32_t i = first; i < first + n; i++) {
        merge_usage(&usage, &chunk->usages[i]);
        chunk->slabs[i] = slab;
    }
    chunk->n_used += n;
    for (uint32_t i = n_slots; i-- > 0;) {
        vkt_block *block = &slab->slots[i];
        block->device = pool->device;
        block->kind = pool->kind;
        block->capacity = capacity;
        block->buffer = chunk->chunk.buffer;
        block->buffer_offset = first * PAGE_NBYTES + i * capacity;
        block->address = chunk->chunk.address + block->buffer_offset;
        if (chunk->chunk.host)
            block->host = (char *)chunk->chunk.host + block->buffer_offset;
        block->host_cached = chunk->chunk.host_cached;
        block->usage = usage;
        block->owner = slab;
        block->next = slab->free;
        slab->free = block;
    }
    link_slab(&pool->classes[class_index], slab);
    vkt_metric_add(pool->device, VKT_METRIC_slabs_cut, 1);
    return true;
}

/* Gives the pages of a slab without live blocks back to its chunk. */
static void dissolve_slab(vkt_pool *pool, vkt_slab *slab)
{
    vkt_usage usage = {0};
    for (uint32_t i = 0; i < slab->n_slots; i++)
        merge_usage(&usage, &slab->slots[i].usage);
    for (uint32_t i = slab->first_page; i < slab->first_page + slab->n_pages; i++) {
        slab->chunk->slabs[i] = NULL;
        slab->chunk->usages[i] = usage;
    }
    slab->chunk->n_used -= slab->n_pages;
    unlink_slab(&pool->classes[slab->class_index], slab);
    vkt_metric_add(pool->device, VKT_METRIC_slabs_dissolved, 1);
    free(slab);
}

static void dissolve_empty_slabs(vkt_pool *pool)
{
    for (uint32_t c = 0; c < VKT_POOL_CLASSES; c++) {
        for (vkt_slab *slab = pool->classes[c].slabs, *next; slab; slab = next) {
            next = slab->next;
            if (slab->n_free == slab->n_slots)
                dissolve_slab(pool, slab);
        }
    }
}

static void put_in_slab(vkt_pool *pool, vkt_block *block)
{
    vkt_slab *slab = block->owner;
    vkt_size_class *cls = &pool->classes[slab->class_index];

    block->next = slab->free;
    slab->free = block;
    if (slab->n_free++ == 0)
        link_slab(cls, slab);
    /* One empty slab per class stays, so that a block freed and taken in turn costs no slab. */
    if (slab->n_free == slab->n_slots && (cls->slabs != slab || slab->next))
        dissolve_slab(pool, slab);
}

/* Host blocks whose submits are finished become free. */
static void retire_pending(vkt_pool *pool, vkt_size_class *cls, uint64_t reached)
{
    while (cls->pending && vkt_usage_last_submit(&cls->pending->usage) <= reached) {
        vkt_block *block = cls->pending;
        cls->pending = block->next;
        if (!cls->pending)
            cls->append = &cls->pending;
        put_in_slab(pool, block);
    }
}

/* ---- Taking and putting back */

static vkt_block *take_small(vkt_pool *pool, uint64_t nbytes, uint64_t reached)
{
    vkt_size_class *cls = &pool->classes[class_of(nbytes)];

    if (cls->pending)
        retire_pending(pool, cls, reached);
    vkt_slab *slab = cls->slabs;
    if (!slab)
        return NULL;
    vkt_block *block = slab->free;
    slab->free = block->next;
    if (--slab->n_free == 0)
        unlink_slab(cls, slab);
    return block;
}

/* The smallest cached block that is large enough and not much larger. */
static vkt_block *take_large(vkt_pool *pool, uint64_t nbytes, uint64_t reached)
{
    uint64_t rounded = large_capacity(nbytes);
    uint64_t most = rounded + rounded / 8;

    for (uint32_t i = bucket_of(nbytes); i <= bucket_of(most); i++) {
        vkt_block **best = NULL;
        for (vkt_block **at = &pool->buckets[i]; *at; at = &(*at)->next) {
            uint64_t capacity = (*at)->capacity;
            if (capacity < nbytes || capacity > most || (best && capacity >= (*best)->capacity))
                continue;
            if (pool->kind == VKT_MEMORY_HOST && vkt_usage_last_submit(&(*at)->usage) > reached)
                continue;
            best = at;
        }
        if (best) {
            vkt_block *block = *best;
            *best = block->next;
            return block;
        }
    }
    return NULL;
}

vkt_block *vkt_pool_take(vkt_pool *pool, uint64_t nbytes, uint64_t reached)
{
    return nbytes <= SMALL_NBYTES ? take_small(pool, nbytes, reached)
                                  : take_large(pool, nbytes, reached);
}

static void put_in_bucket(vkt_pool *pool, vkt_block *block)
{
    vkt_block **bucket = &pool->buckets[bucket_of(block->capacity)];
    block->next = *bucket;
    *bucket = block;
}

void vkt_pool_put(vkt_pool *pool, vkt_block *block, uint64_t reached)
{
    vkt_slab *slab = block->owner;

    if (!slab) {
        put_in_bucket(pool, block);
    } else if (pool->kind == VKT_MEMORY_HOST && vkt_usage_last_submit(&block->usage) > reached) {
        vkt_size_class *cls = &pool->classes[slab->class_index];
        block->next = NULL;
        *cls->append = block;
        cls->append = &block->next;
    } else {
        put_in_slab(pool, block);
    }
}

/* ---- Chunks */

bool vkt_pool_cut(vkt_pool *pool, uint64_t nbytes, bool minimal)
{
    if (nbytes > SMALL_NBYTES)
        return false;
    uint32_t class_index = class_of(nbytes);
    uint32_t n = slab_pages(class_index, minimal);

    for (int attempt = 0; attempt < 2; attempt++) {
        for (vkt_chunk *chunk = pool->shared; chunk; chunk = chunk->next) {
            shared_chunk *shared = (shared_chunk *)chunk;
            uint32_t first = find_pages(shared, n);
            if (first != UINT32_MAX)
                return make_slab(pool, shared, first, n, class_index);
        }
        dissolve_empty_slabs(pool);
    }
    return false;
}

vkt_chunk *vkt_pool_new_chunk(uint64_t nbytes, bool minimal, uint64_t room)
{
    vkt_chunk *chunk;

    if (nbytes <= SMALL_NBYTES) {
        chunk = calloc(1, sizeof(shared_chunk));
        if (!chunk)
            return NULL;
        chunk->nbytes = MAX_PAGES * PAGE_NBYTES;
        if (minimal || chunk->nbytes > room)
            chunk->nbytes = slab_pages(class_of(nbytes), minimal) * PAGE_NBYTES;
    } else {
        chunk = calloc(1, sizeof(large_chunk));
        if (!chunk)
            return NULL;
        chunk->nbytes = large_capacity(nbytes);
        if (minimal || chunk->nbytes > room)
            chunk->nbytes = vkt_round_up(nbytes, ALIGNMENT);
    }
    return chunk;
}

static void link_chunk(vkt_chunk **list, vkt_chunk *chunk)
{
    chunk->prev = NULL;
    chunk->next = *list;
    if (chunk->next)
        chunk->next->prev = chunk;
    *list = chunk;
}

static void unlink_chunk(vkt_chunk **list, vkt_chunk *chunk)
{
    if (chunk->prev)
        chunk->prev->next = chunk->next;
    else
        *list = chunk->next;
    if (chunk->next)
        chunk->next->prev = chunk->prev;
}

bool vkt_pool_add_chunk(vkt_pool *pool, vkt_chunk *chunk, uint64_t nbytes, bool minimal)
{
    if (nbytes > SMALL_NBYTES) {
        large_chunk *large = (large_chunk *)chunk;
        link_chunk(&pool->large, chunk);
        large->block = (vkt_block){
            .device = pool->device,
            .kind = pool->kind,
            .capacity = chunk->nbytes,
            .buffer = chunk->buffer,
            .address = chunk->address,
            .host = chunk->host,
            .host_cached = chunk->host_cached,
            .usage = chunk->usage,
        };
        put_in_bucket(pool, &large->block);
        return true;
    }
    shared_chunk *shared = (shared_chunk *)chunk;
    link_chunk(&pool->shared, chunk);
    shared->n_pages = (uint32_t)(chunk->nbytes / PAGE_NBYTES);
    for (uint32_t i = 0; i < shared->n_pages; i++)
        shared->usages[i] = chunk->usage;
    uint32_t class_index = class_of(nbytes);
    return make_slab(pool, shared, 0, slab_pages(class_index, minimal), class_index);
}

static bool is_chunk_idle(const shared_chunk *chunk, uint64_t reached)
{
    if (chunk->n_used)
        return false;
    for (uint32_t i = 0; i < chunk->n_pages; i++) {
        if (vkt_usage_last_submit(&chunk->usages[i]) > reached)
            return false;
    }
    return true;
}

vkt_chunk *vkt_pool_remove_chunk(vkt_pool *pool, uint64_t reached)
{
    for (uint32_t i = VKT_POOL_BUCKETS; i-- > 0;) {
        for (vkt_block **at = &pool->buckets[i]; *at; at = &(*at)->next) {
            vkt_block *block = *at;
            if (vkt_usage_last_submit(&block->usage) > reached)
                continue;
            *at = block->next;
            vkt_chunk *chunk = (void *)((char *)block - offsetof(large_chunk, block));
            unlink_chunk(&pool->large, chunk);
            return chunk;
        }
    }
    for (uint32_t c = 0; c < VKT_POOL_CLASSES; c++)
        retire_pending(pool, &pool->classes[c], reached);
    dissolve_empty_slabs(pool);
    for (vkt_chunk *chunk = pool->shared; chunk; chunk = chunk->next) {
        if (is_chunk_idle((shared_chunk *)chunk, reached)) {
            unlink_chunk(&pool->shared, chunk);
            return chunk;
        }
    }
    return NULL;
}

/* ---- Life */

void vkt_pool_init(vkt_pool *pool, vkt_device *device, vkt_memory_kind kind)
{
    *pool = (vkt_pool){.device = device, .kind = kind};
    for (uint32_t c = 0; c < VKT_POOL_CLASSES; c++)
        pool->classes[c].append = &pool->classes[c].pending;
}

void vkt_pool_free_records(vkt_pool *pool)
{
    for (vkt_chunk *chunk = pool->shared, *next; chunk; chunk = next) {
        shared_chunk *shared = (shared_chunk *)chunk;
        next = chunk->next;
        /* From the last page down: a slab is freed at its first page, after all others named it. */
        for (uint32_t i = shared->n_pages; i-- > 0;) {
            if (shared->slabs[i] && shared->slabs[i]->first_page == i)
                free(shared->slabs[i]);
        }
        free(chunk);
    }
    for (vkt_chunk *chunk = pool->large, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
}
