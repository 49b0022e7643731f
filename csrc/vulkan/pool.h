/* vulkan/pool.h - the free blocks of one kind of memory: slabs of small ones, lists of large ones.
 *
 * Bookkeeping only: no Vulkan call, no lock. memory.c, the only user, holds the pool's lock
 * around every call, brings chunks in and takes them away. Blocks up to 1 MiB share chunks of 8
 * MiB: a chunk is cut into pages of 64 KiB, a run of pages is a slab, a slab is cut into blocks
 * of one size class. A larger block has a chunk of its own, which stays in a list by size after
 * the block is freed.
 *
 * `reached` is the timeline value known to be finished: a host block is not handed out, and no
 * chunk taken away, before the submits that use it. */
#ifndef VKT_VULKAN_POOL_H
#define VKT_VULKAN_POOL_H

#include "vulkan/internal.h"

/* Size classes: multiples of 256 up to 1 KiB, then 4 per doubling up to 1 MiB. */
#define VKT_POOL_CLASSES 44
/* Lists of cached large blocks: 8 per doubling from 1 MiB. */
#define VKT_POOL_BUCKETS (8 * 44)

typedef struct vkt_slab vkt_slab;

typedef struct vkt_size_class {
    vkt_slab *slabs;              /* those with a free block */
    vkt_block *pending, **append; /* host blocks freed while submits still use them, oldest first */
} vkt_size_class;

typedef struct vkt_pool {
    vkt_device *device;
    vkt_memory_kind kind;
    vkt_size_class classes[VKT_POOL_CLASSES];
    vkt_chunk *shared, *large; /* all chunks */
    vkt_block *buckets[VKT_POOL_BUCKETS];
} vkt_pool;

void vkt_pool_init(vkt_pool *pool, vkt_device *device, vkt_memory_kind kind);

/* A free block of at least nbytes and at most an eighth (small: a quarter) more, or NULL. Its
 * record is ready but for nbytes, refs and exports. */
vkt_block *vkt_pool_take(vkt_pool *pool, uint64_t nbytes, uint64_t reached);
void vkt_pool_put(vkt_pool *pool, vkt_block *block, uint64_t reached);

/* Makes room for a small block in the chunks there are. False when they are full. */
bool vkt_pool_cut(vkt_pool *pool, uint64_t nbytes, bool minimal);

/* An empty record for a chunk that will hold a block of nbytes, its nbytes set to the size to
 * ask the driver for: no more than the block when minimal or when `room` is short. NULL when the
 * host has no memory. */
vkt_chunk *vkt_pool_new_chunk(uint64_t nbytes, bool minimal, uint64_t room);
/* Takes the record over, now with memory. False when the host has no memory for a slab; the
 * chunk is the pool's all the same. */
bool vkt_pool_add_chunk(vkt_pool *pool, vkt_chunk *chunk, uint64_t nbytes, bool minimal);
/* Removes a chunk that nothing uses, large ones first, and gives its record to the caller to
 * destroy and free; NULL when there is none. */
vkt_chunk *vkt_pool_remove_chunk(vkt_pool *pool, uint64_t reached);

/* Frees all records. No block is live and the chunks' memory is gone. */
void vkt_pool_free_records(vkt_pool *pool);

#endif
