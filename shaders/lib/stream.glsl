// stream.glsl - neighbours in memory, one for each lane of a subgroup, for CPU drivers.
//
// A CPU driver (llvmpipe) runs a subgroup as one vector, and a load or store whose addresses it
// does not understand as a loop over lanes: ~17 cycles an access. But where the address is made of
// push constants alone, and no branch came before, it loads once for all lanes; and its compiler
// turns "lane k keeps the word at base + k" into one vector load. So: addresses from vkt_uniform,
// all lanes load all words, each keeps its own. Stores have no such way: their words are made as
// wide as there are, 64 bits.
//
// Needs LANES, the subgroup's size, PACK, the neighbouring elements a lane has, and args.digits,
// 32 bytes with the values 0 to 31. `at` is the address of the first lane's first element.

// x < 2^15, as if pushed.
uint vkt_uniform(uint x)
{
    uint low = uint(args.digits[x & 31u]), mid = uint(args.digits[(x >> 5) & 31u]);
    return low | (mid << 5) | (uint(args.digits[x >> 10]) << 10);
}

#define VKT_PICK(type, memory, at)                                       \
    type w = type(memory(at).v[0]);                                      \
    [[unroll]] for (int k = 1; k < LANES; k++) {                         \
        type a = type(memory(at).v[k * PACK]);                           \
        w = int(gl_SubgroupInvocationID) >= k ? a : w;                   \
    }                                                                    \
    return w;

uint vkt_pick8(uint64_t at) { VKT_PICK(uint, vkt_mem8, at) }

uint vkt_pick16(uint64_t at) { VKT_PICK(uint, vkt_mem16, at) }

uint vkt_pick32(uint64_t at) { VKT_PICK(uint, vkt_mem32, at) }

uint64_t vkt_pick64(uint64_t at) { VKT_PICK(uint64_t, vkt_mem64, at) }

#ifdef PACK
void vkt_give8(uint64_t at, uint w[PACK])
{
    uint a[PACK / 4];
    [[unroll]] for (int k = 0; k < PACK; k += 4)
        a[k / 4] = w[k] | (w[k + 1] << 8) | (w[k + 2] << 16) | (w[k + 3] << 24);
    at += uint64_t(gl_SubgroupInvocationID * PACK);
    [[unroll]] for (int k = 0; k < PACK / 8; k++)
        vkt_mem64(at).v[k] = packUint2x32(uvec2(a[2 * k], a[2 * k + 1]));
}
#endif

#ifdef PACK
void vkt_give16(uint64_t at, uint w[PACK])
{
    uint a[PACK / 2];
    [[unroll]] for (int k = 0; k < PACK; k += 2)
        a[k / 2] = w[k] | (w[k + 1] << 16);
    at += uint64_t(gl_SubgroupInvocationID * (PACK * 2));
    [[unroll]] for (int k = 0; k < PACK / 4; k++)
        vkt_mem64(at).v[k] = packUint2x32(uvec2(a[2 * k], a[2 * k + 1]));
}
#endif

#ifdef PACK
void vkt_give32(uint64_t at, uint w[PACK])
{
    at += uint64_t(gl_SubgroupInvocationID * (PACK * 4));
    [[unroll]] for (int k = 0; k < PACK / 2; k++)
        vkt_mem64(at).v[k] = packUint2x32(uvec2(w[2 * k], w[2 * k + 1]));
}
#endif

#ifdef PACK
void vkt_give64(uint64_t at, uint64_t w[PACK])
{
    at += uint64_t(gl_SubgroupInvocationID * (PACK * 8));
    [[unroll]] for (int k = 0; k < PACK; k++)
        vkt_mem64(at).v[k] = w[k];
}
#endif
