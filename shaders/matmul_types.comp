// matmul_types.comp - the start of every matmul kernel: how elements are read, accumulated and
// written.
// Defines: STORE, STORE4 (an element in memory, four of them), ACC, ACC4 (accumulators), SIZE,
//          ACC_SIZE (their bytes), OUT (what is written), NARROW(x) (ACC to OUT), NARROWED (1: that
//          is not ACC), IS_FLOAT, IS_BF16, A_K_UNIT, B_K_UNIT (1: neighbours along K are neighbours
//          in memory; 0: those along M, or N, are).
// Push:    a, b, c     addresses of the first elements; c of the first partial sums when K is split
//          batch_a, b  bytes to the next item along the (at most three) batch dims; b1, b2: lengths
//                   of the last two
//          pitch_a, b  bytes to the next item along the axis of the matrix that is not unit
//          k_chunk     of K for one slice, a multiple of 8; slices are the outermost part of the
//                      grid
//          n_batch     items of the batch; n_work: groups, or subgroups, that have work
//          flags       FLAG_* below

#define FLAG_VECTOR_A 1u // vector loads of a are aligned
#define FLAG_VECTOR_B 2u
#define FLAG_VECTOR_C 4u
#define FLAG_SPLIT 8u    // write ACC, not OUT
#define FLAG_SWAPPED 16u // c is N x M
#define FLAG_LANES_SHIFT 8

#if SIZE >= 4
#define VECTOR_ALIGN 16
#elif SIZE == 2
#define VECTOR_ALIGN 8
#else
#define VECTOR_ALIGN 4
#endif

layout(buffer_reference, scalar, buffer_reference_align = SIZE) readonly buffer One { STORE v; };
layout(buffer_reference, scalar, buffer_reference_align = VECTOR_ALIGN) readonly buffer Four {
    STORE4 v;
};
layout(buffer_reference, scalar, buffer_reference_align = 1) writeonly buffer PutOut { OUT v; };
layout(buffer_reference, scalar, buffer_reference_align = 4) writeonly buffer PutAcc { ACC v; };
layout(buffer_reference, scalar, buffer_reference_align = 16) writeonly buffer PutAcc4 { ACC4 v; };

#if IS_FLOAT
#define MULADD(x, y, z) fma(x, y, z)
#else
#define MULADD(x, y, z) ((x) * (y) + (z))
#endif

#if IS_BF16
#define WIDEN(x) uintBitsToFloat(uint(x) << 16)
#define WIDEN4(x) uintBitsToFloat(uvec4(x) << 16)
#else
#define WIDEN(x) ACC(x)
#define WIDEN4(x) ACC4(x)
#endif

ACC load_one(uint64_t at) { return WIDEN(One(at).v); }

ACC4 load_four(uint64_t at) { return WIDEN4(Four(at).v); }

// Where an item of the batch lies.
uint64_t batch_offset(uint item, i64vec3 steps)
{
    uint i2 = item % args.b2, rest = item / args.b2;
    uint i1 = rest % args.b1, i0 = rest / args.b1;
    return uint64_t(int64_t(i0) * steps.x + int64_t(i1) * steps.y + int64_t(i2) * steps.z);
}

uint64_t start_of_a(uint item)
{
    return args.a + batch_offset(item, i64vec3(args.batch_a0, args.batch_a1, args.batch_a2));
}

uint64_t start_of_b(uint item)
{
    return args.b + batch_offset(item, i64vec3(args.batch_b0, args.batch_b1, args.batch_b2));
}

// Element (m, n) of matrix `item`, or of slice * n_batch + item.
void store_c(uint item, uint m, uint n, ACC x)
{
    bool swapped = (args.flags & FLAG_SWAPPED) != 0u;
    uint64_t i = swapped ? uint64_t(n) * args.m + m : uint64_t(m) * args.n + n;
    i += uint64_t(item) * args.m * args.n;
#if NARROWED
    if ((args.flags & FLAG_SPLIT) == 0u) {
        PutOut(args.c + i * SIZE).v = NARROW(x);
        return;
    }
#endif
    PutAcc(args.c + i * ACC_SIZE).v = x;
}
