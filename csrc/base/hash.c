/* base/hash.c - MurmurHash3 x64 128 (Austin Appleby, public domain), little-endian everywhere. */
#include "base/hash.h"

static uint64_t rotate(uint64_t x, int n)
{
    return (x << n) | (x >> (64 - n));
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ (x >> 33);
}

/* 8 bytes, little-endian: one load, in the form both gcc and clang recognise. */
static uint64_t read_8(const unsigned char *b)
{
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
           (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
           (uint64_t)b[7] << 56;
}

/* Fewer than 8 bytes, little-endian. */
static uint64_t read_le(const unsigned char *bytes, size_t n)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++)
        x |= (uint64_t)bytes[i] << (8 * i);
    return x;
}

static uint64_t scramble_low(uint64_t k)
{
    return rotate(k * UINT64_C(0x87c37b91114253d5), 31) * UINT64_C(0x4cf5ad432745937f);
}

static uint64_t scramble_high(uint64_t k)
{
    return rotate(k * UINT64_C(0x4cf5ad432745937f), 33) * UINT64_C(0x87c37b91114253d5);
}

static vkt_hash128 hash(const void *data, size_t nbytes, uint64_t seed)
{
    const unsigned char *bytes = data;
    uint64_t low = seed, high = seed;
    size_t left = nbytes;

    for (; left >= 16; left -= 16, bytes += 16) {
        low = rotate(low ^ scramble_low(read_8(bytes)), 27) + high;
        low = low * 5 + 0x52dce729;
        high = rotate(high ^ scramble_high(read_8(bytes + 8)), 31) + low;
        high = high * 5 + 0x38495ab5;
    }
    if (left > 8)
        high ^= scramble_high(read_le(bytes + 8, left - 8));
    if (left > 0)
        low ^= scramble_low(left < 8 ? read_le(bytes, left) : read_8(bytes));

    low ^= (uint64_t)nbytes;
    high ^= (uint64_t)nbytes;
    low += high;
    high += low;
    low = mix(low);
    high = mix(high);
    low += high;
    high += low;
    return (vkt_hash128){low, high};
}

uint64_t vkt_hash64(const void *bytes, size_t nbytes, uint64_t seed)
{
    return hash(bytes, nbytes, seed).low;
}

vkt_hash128 vkt_hash128_of(const void *bytes, size_t nbytes)
{
    return hash(bytes, nbytes, 0);
}
