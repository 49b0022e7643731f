// access.glsl - elements in memory as raw words: one, or WIDTH of them for one invocation.
//
// A word is an element's bits, zero-extended to uint (8, 16 and 32 bits), uint64_t or u64vec2;
// ops/emit.c adds the conversions from and to registers. `base` is the byte address of element 0,
// `i` counts elements and may be negative: addresses are added up, as an index below 0 faults on
// GPUs.
// The _part functions move elements i, i + step, ..., at most the first last + 1 of them; step 0
// loads once. `vector` promises step 1, last = WIDTH - 1 and an address that is a multiple of
// min(16, WIDTH * element size): then accesses are as wide as the hardware has them. Both ways give
// the same words, so what is computed from them is the same too.

layout(buffer_reference, scalar, buffer_reference_align = 1) buffer vkt_mem8 { uint8_t v[]; };

layout(buffer_reference, scalar, buffer_reference_align = 2) buffer vkt_mem16 { uint16_t v[]; };

layout(buffer_reference, scalar, buffer_reference_align = 4) buffer vkt_mem32 { uint v[]; };

layout(buffer_reference, scalar, buffer_reference_align = 8) buffer vkt_mem64 { uint64_t v[]; };

layout(buffer_reference, scalar, buffer_reference_align = 16) buffer vkt_mem64x2 { u64vec2 v[]; };

layout(buffer_reference, scalar, buffer_reference_align = 8) buffer vkt_mem128 { u64vec2 v[]; };

// One word at a time: those of elements i, i + step, ..., where `word` gives element `at`. CPU
// drivers run both sides of a branch, one of them without effect: a loop keeps this side short
// there, and as a loop must not index registers, it selects. Elsewhere plain code runs fastest.
#ifdef CPU
#define VKT_GATHER(type, word, w)                                        \
    int turns = step == 0 ? 1 : WIDTH;                                   \
    [[dont_unroll]] for (int k = 0; k < WIDTH; k++) {                    \
        if (k >= turns)                                                  \
            break;                                                       \
        int at = i + min(k, last) * step;                                \
        type a = word;                                                   \
        [[unroll]] for (int n = 0; n < WIDTH; n++)                       \
            w[n] = n >= k ? a : w[n];                                    \
    }
#else
#define VKT_GATHER(type, word, w)                                        \
    if (step == 0) {                                                     \
        int at = i;                                                      \
        type a = word;                                                   \
        [[unroll]] for (int k = 0; k < WIDTH; k++)                       \
            w[k] = a;                                                    \
    } else {                                                             \
        [[unroll]] for (int k = 0; k < WIDTH; k++) {                     \
            int at = i + min(k, last) * step;                            \
            w[k] = word;                                                 \
        }                                                                \
    }
#endif

// The other way: `put` stores the word `a` at element `at`.
#ifdef CPU
#define VKT_SCATTER(type, put, w)                                        \
    [[dont_unroll]] for (int k = 0; k <= last; k++) {                    \
        int at = i + k * step;                                           \
        type a = w[0];                                                   \
        [[unroll]] for (int n = 1; n < WIDTH; n++)                       \
            a = n == k ? w[n] : a;                                       \
        put;                                                             \
    }
#else
#define VKT_SCATTER(type, put, w)                                        \
    [[unroll]] for (int k = 0; k < WIDTH; k++) {                         \
        int at = i + k * step;                                           \
        type a = w[k];                                                   \
        if (k <= last)                                                   \
            put;                                                         \
    }
#endif

// In words of 64 bits, the largest a CPU driver moves at once.
uvec4 vkt_load128(uint64_t at)
{
    u64vec2 a = vkt_mem64x2(at).v[0];
    return uvec4(unpackUint2x32(a.x), unpackUint2x32(a.y));
}

uvec2 vkt_load64(uint64_t at) { return unpackUint2x32(vkt_mem64(at).v[0]); }

void vkt_store128(uint64_t at, uvec4 a)
{
    vkt_mem64x2(at).v[0] = u64vec2(packUint2x32(a.xy), packUint2x32(a.zw));
}

void vkt_store64(uint64_t at, uvec2 a) { vkt_mem64(at).v[0] = packUint2x32(a); }

uint vkt_word8(uint64_t base, int i) { return uint(vkt_mem8(base + int64_t(i)).v[0]); }

uint vkt_word16(uint64_t base, int i) { return uint(vkt_mem16(base + int64_t(i) * 2).v[0]); }

uint vkt_word32(uint64_t base, int i) { return vkt_mem32(base + int64_t(i) * 4).v[0]; }

uint64_t vkt_word64(uint64_t base, int i) { return vkt_mem64(base + int64_t(i) * 8).v[0]; }

u64vec2 vkt_word128(uint64_t base, int i) { return vkt_mem128(base + int64_t(i) * 16).v[0]; }

void vkt_put8(uint64_t base, int i, uint w) { vkt_mem8(base + int64_t(i)).v[0] = uint8_t(w); }

void vkt_put16(uint64_t base, int i, uint w)
{
    vkt_mem16(base + int64_t(i) * 2).v[0] = uint16_t(w);
}

void vkt_put32(uint64_t base, int i, uint w) { vkt_mem32(base + int64_t(i) * 4).v[0] = w; }

void vkt_put64(uint64_t base, int i, uint64_t w) { vkt_mem64(base + int64_t(i) * 8).v[0] = w; }

void vkt_put128(uint64_t base, int i, u64vec2 w)
{
    vkt_mem128(base + int64_t(i) * 16).v[0] = w;
}

#ifdef WIDTH
void vkt_part8(uint64_t base, int i, int step, int last, bool vector, out uint w[WIDTH])
{
    if (vector) {
        uint64_t at = base + int64_t(i);
#if WIDTH == 16
        uvec4 a = vkt_load128(at);
        [[unroll]] for (int k = 0; k < WIDTH; k++)
            w[k] = (a[k / 4] >> (k % 4 * 8)) & 0xffu;
#elif WIDTH == 8
        uvec2 a = vkt_load64(at);
        [[unroll]] for (int k = 0; k < WIDTH; k++)
            w[k] = (a[k / 4] >> (k % 4 * 8)) & 0xffu;
#elif WIDTH == 4
        uint a = vkt_word32(at, 0);
        [[unroll]] for (int k = 0; k < WIDTH; k++)
            w[k] = (a >> (k * 8)) & 0xffu;
#elif WIDTH == 2
        uint a = vkt_word16(at, 0);
        w[0] = a & 0xffu;
        w[1] = a >> 8;
#else
        w[0] = vkt_word8(at, 0);
#endif
    } else {
        VKT_GATHER(uint, vkt_word8(base, at), w)
    }
}
#endif

#ifdef WIDTH
void vkt_part16(uint64_t base, int i, int step, int last, bool vector, out uint w[WIDTH])
{
    if (vector) {
        uint64_t at = base + int64_t(i) * 2;
#if WIDTH >= 8
        [[unroll]] for (int n = 0; n < WIDTH; n += 8) {
            uvec4 a = vkt_load128(at + 2 * n);
            [[unroll]] for (int k = 0; k < 8; k++)
                w[n + k] = (a[k / 2] >> (k % 2 * 16)) & 0xffffu;
        }
#elif WIDTH == 4
        uvec2 a = vkt_load64(at);
        [[unroll]] for (int k = 0; k < WIDTH; k++)
            w[k] = (a[k / 2] >> (k % 2 * 16)) & 0xffffu;
#elif WIDTH == 2
        uint a = vkt_word32(at, 0);
        w[0] = a & 0xffffu;
        w[1] = a >> 16;
#else
        w[0] = vkt_word16(at, 0);
#endif
    } else {
        VKT_GATHER(uint, vkt_word16(base, at), w)
    }
}
#endif

#ifdef WIDTH
void vkt_part32(uint64_t base, int i, int step, int last, bool vector, out uint w[WIDTH])
{
    if (vector) {
        uint64_t at = base + int64_t(i) * 4;
#if WIDTH >= 4
        [[unroll]] for (int n = 0; n < WIDTH; n += 4) {
            uvec4 a = vkt_load128(at + 4 * n);
            [[unroll]] for (int k = 0; k < 4; k++)
                w[n + k] = a[k];
        }
#elif WIDTH == 2
        uvec2 a = vkt_load64(at);
        w[0] = a.x;
        w[1] = a.y;
#else
        w[0] = vkt_word32(at, 0);
#endif
    } else {
        VKT_GATHER(uint, vkt_word32(base, at), w)
    }
}
#endif

#ifdef WIDTH
void vkt_part64(uint64_t base, int i, int step, int last, bool vector, out uint64_t w[WIDTH])
{
    if (vector) {
        uint64_t at = base + int64_t(i) * 8;
#if WIDTH >= 2
        [[unroll]] for (int n = 0; n < WIDTH; n += 2) {
            u64vec2 a = vkt_mem64x2(at).v[n / 2];
            w[n] = a.x;
            w[n + 1] = a.y;
        }
#else
        w[0] = vkt_word64(at, 0);
#endif
    } else {
        VKT_GATHER(uint64_t, vkt_word64(base, at), w)
    }
}
#endif

#ifdef WIDTH
void vkt_part128(uint64_t base, int i, int step, int last, bool vector, out u64vec2 w[WIDTH])
{
    if (vector) {
        [[unroll]] for (int k = 0; k < WIDTH; k++)
            w[k] = vkt_mem64x2(base + int64_t(i) * 16).v[k];
    } else {
        VKT_GATHER(u64vec2, vkt_word128(base, at), w)
    }
}
#endif

#ifdef WIDTH
void vkt_put_part8(uint64_t base, int i, int step, int last, bool vector, uint w[WIDTH])
{
    if (vector) {
        uint64_t at = base + int64_t(i);
#if WIDTH >= 4
        uint a[WIDTH / 4];
        [[unroll]] for (int k = 0; k < WIDTH; k += 4)
            a[k / 4] = w[k] | (w[k + 1] << 8) | (w[k + 2] << 16) | (w[k + 3] << 24);
#endif
#if WIDTH == 16
        vkt_store128(at, uvec4(a[0], a[1], a[2], a[3]));
#elif WIDTH == 8
        vkt_store64(at, uvec2(a[0], a[1]));
#elif WIDTH == 4
        vkt_put32(at, 0, a[0]);
#elif WIDTH == 2
        vkt_put16(at, 0, w[0] | (w[1] << 8));
#else
        vkt_put8(at, 0, w[0]);
#endif
    } else {
        VKT_SCATTER(uint, vkt_put8(base, at, a), w)
    }
}
#endif

#ifdef WIDTH
void vkt_put_part16(uint64_t base, int i, int step, int last, bool vector, uint w[WIDTH])
{
    if (vector) {
        uint64_t at = base + int64_t(i) * 2;
#if WIDTH >= 2
        uint a[WIDTH / 2];
        [[unroll]] for (int k = 0; k < WIDTH; k += 2)
            a[k / 2] = w[k] | (w[k + 1] << 16);
#endif
#if WIDTH >= 8
        [[unroll]] for (int n = 0; n < WIDTH / 2; n += 4)
            vkt_store128(at + 4 * n, uvec4(a[n], a[n + 1], a[n + 2], a[n + 3]));
#elif WIDTH == 4
        vkt_store64(at, uvec2(a[0], a[1]));
#elif WIDTH == 2
        vkt_put32(at, 0, a[0]);
#else
        vkt_put16(at, 0, w[0]);
#endif
    } else {
        VKT_SCATTER(uint, vkt_put16(base, at, a), w)
    }
}
#endif

#ifdef WIDTH
void vkt_put_part32(uint64_t base, int i, int step, int last, bool vector, uint w[WIDTH])
{
    if (vector) {
        uint64_t at = base + int64_t(i) * 4;
#if WIDTH >= 4
        [[unroll]] for (int n = 0; n < WIDTH; n += 4)
            vkt_store128(at + 4 * n, uvec4(w[n], w[n + 1], w[n + 2], w[n + 3]));
#elif WIDTH == 2
        vkt_store64(at, uvec2(w[0], w[1]));
#else
        vkt_put32(at, 0, w[0]);
#endif
    } else {
        VKT_SCATTER(uint, vkt_put32(base, at, a), w)
    }
}
#endif

#ifdef WIDTH
void vkt_put_part64(uint64_t base, int i, int step, int last, bool vector, uint64_t w[WIDTH])
{
    if (vector) {
        uint64_t at = base + int64_t(i) * 8;
#if WIDTH >= 2
        [[unroll]] for (int n = 0; n < WIDTH; n += 2)
            vkt_mem64x2(at).v[n / 2] = u64vec2(w[n], w[n + 1]);
#else
        vkt_put64(at, 0, w[0]);
#endif
    } else {
        VKT_SCATTER(uint64_t, vkt_put64(base, at, a), w)
    }
}
#endif

#ifdef WIDTH
void vkt_put_part128(uint64_t base, int i, int step, int last, bool vector, u64vec2 w[WIDTH])
{
    if (vector) {
        [[unroll]] for (int k = 0; k < WIDTH; k++)
            vkt_mem64x2(base + int64_t(i) * 16).v[k] = w[k];
    } else {
        VKT_SCATTER(u64vec2, vkt_put128(base, at, a), w)
    }
}
#endif
