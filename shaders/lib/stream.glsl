// stream.glsl - neighbours in memory, one for each lane of a subgroup, for CPU drivers.
//
// A CPU driver (llvmpipe) runs a subgroup as one vector, and a load or store whose addresses it
// does not understand as a loop over lanes: ~17 cycles an access. But where the address is made of
// push constants alone, and no branch came before, it loads once for all lanes; and its compiler
// turns "lane k keeps the word at base + k" into one vector load. So: addresses from vkt_uniform,
// all lanes load all words, each keeps its own. Stores have no such way; they are fastest to bound
// buffers, in vectors of four words of 32 bits, which ask once whether a lane is active.
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

// A lane's neighbouring elements as words of 32 bits.
#ifdef PACK
void vkt_pack8(uint w[PACK], out uint a[PACK / 4])
{
    [[unroll]] for (int k = 0; k < PACK; k += 4)
        a[k / 4] = w[k] | (w[k + 1] << 8) | (w[k + 2] << 16) | (w[k + 3] << 24);
}
#endif

#ifdef PACK
void vkt_pack16(uint w[PACK], out uint a[PACK / 2])
{
    [[unroll]] for (int k = 0; k < PACK; k += 2)
        a[k / 2] = w[k] | (w[k + 1] << 16);
}
#endif

#ifdef PACK
void vkt_pack32(uint w[PACK], out uint a[PACK]) { a = w; }
#endif

#ifdef PACK
void vkt_pack64(uint64_t w[PACK], out uint a[2 * PACK])
{
    [[unroll]] for (int k = 0; k < PACK; k++) {
        uvec2 halves = unpackUint2x32(w[k]);
        a[2 * k] = halves.x;
        a[2 * k + 1] = halves.y;
    }
}
#endif
