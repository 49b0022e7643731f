/* base/hash.h - 64- and 128-bit hashes for tables and file checksums. Not cryptographic: they find
 * accidents, not attacks. */
#ifndef VKT_BASE_HASH_H
#define VKT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct vkt_hash128 {
    uint64_t low;
    uint64_t high;
} vkt_hash128;

/* The same bytes and seed give the same value on every machine and in every version: cache files
 * depend on it. */
uint64_t vkt_hash64(const void *bytes, size_t nbytes, uint64_t seed);
vkt_hash128 vkt_hash128_of(const void *bytes, size_t nbytes);

#endif
