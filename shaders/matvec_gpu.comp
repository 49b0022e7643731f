// matvec_gpu.comp - C = A B where B has at most NV columns: bound by the reading of A, not of B.
// Reads:  a, b.   Writes: c, or partial sums of a slice of K.   Push: see matmul_types.comp.
// Defines: NV (columns of B in one go), THREADS. `lanes`, a power of two, stands in the flags.
// A_K_UNIT: `lanes` invocations share a row, 4 neighbours of K each in a turn, which go to 4 sums;
// UNROLL turns are loaded together. Else an invocation holds 4 rows, `lanes` of them lie side by
// side, and THREADS / lanes of those share K. At most k_chunk turns and one merge, in an order that
// does not depend on how elements are loaded.
// Needs:  THREADS sums of shared memory.

#if A_K_UNIT
#define SUM ACC
#else
#define SUM ACC4
#endif
shared SUM merged[THREADS];

// Four elements from `at`: where `whole`, at once. The first `left` of them exist.
ACC4 fetch(uint64_t at, bool whole, uint left)
{
    if (whole && left >= 4u)
        return load_four(at);
    ACC4 v = ACC4(0);
    [[unroll]] for (uint e = 0u; e < 4u; e++) {
        if (e < left)
            v[e] = load_one(at + e * SIZE);
    }
    return v;
}

// Four neighbours of K from column n of B, the first `left` of them; `whole` as above.
ACC4 fetch_b(uint64_t base_b, uint n, uint k, bool whole, uint left)
{
    uint column = min(n, args.n - 1u);
#if B_K_UNIT
    return fetch(base_b + int64_t(column) * args.pitch_b + k * uint64_t(SIZE), whole, left);
#else
    ACC4 b = ACC4(0);
    [[unroll]] for (uint e = 0u; e < 4u; e++) {
        if (e < left)
            b[e] = load_one(base_b + int64_t(k + e) * args.pitch_b + column * uint64_t(SIZE));
    }
    return b;
#endif
}

// Element k of column n of B.
ACC fetch_one_b(uint64_t base_b, uint n, uint k)
{
    uint column = min(n, args.n - 1u);
#if B_K_UNIT
    return load_one(base_b + int64_t(column) * args.pitch_b + k * uint64_t(SIZE));
#else
    return load_one(base_b + int64_t(k) * args.pitch_b + column * uint64_t(SIZE));
#endif
}

// Adds up what `count` invocations that lie `apart` hold, as a tree; merged[] of part 0 is the sum.
void merge(SUM sum, uint part, uint count, uint apart)
{
    uint id = gl_LocalInvocationIndex;
    barrier();
    merged[id] = sum;
    for (uint near = count / 2u; near > 0u; near /= 2u) {
        barrier();
        if (part < near)
            merged[id] = merged[id] + merged[id + near * apart];
    }
}

void main()
{
    uint id = gl_LocalInvocationIndex;
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= args.n_work)
        return;
    uint lanes = 1u << (args.flags >> FLAG_LANES_SHIFT);
    bool whole_a = (args.flags & FLAG_VECTOR_A) != 0u;
#if A_K_UNIT
    // Rows of all items and slices are one list.
    uint shares = 1u, part = id % lanes;
    uint row = group * (THREADS / lanes) + id / lanes;
    uint item = row / args.m, m = row % args.m;
    bool live = item < args.n_batch * ((args.k + args.k_chunk - 1u) / args.k_chunk);
#else
    uint shares = THREADS / lanes, part = id / lanes;
    uint strips = (args.m + lanes * 4u - 1u) / (lanes * 4u);
    uint item = group / strips, m = (group % strips * lanes + id % lanes) * 4u;
    bool live = m < args.m;
#endif
    uint k_begin = item / args.n_batch * args.k_chunk;
    uint k_end = live ? min(args.k, k_begin + args.k_chunk) : 0u;
    uint64_t base_a = start_of_a(item % args.n_batch), base_b = start_of_b(item % args.n_batch);

    ACC4 sums[NV];
    [[unroll]] for (int n = 0; n < NV; n++)
        sums[n] = ACC4(0);
#if A_K_UNIT
    base_a += uint64_t(int64_t(m) * args.pitch_a);
    bool whole_b = B_K_UNIT == 0 || (args.flags & FLAG_VECTOR_B) != 0u;
    uint turn = lanes * 4u, k = k_begin + part * 4u;
    if (whole_a && whole_b) {
        for (; k + (UNROLL - 1u) * turn + 4u <= k_end; k += UNROLL * turn) {
            ACC4 a[UNROLL];
            [[unroll]] for (uint u = 0u; u < UNROLL; u++)
                a[u] = load_four(base_a + (k + u * turn) * uint64_t(SIZE));
            [[unroll]] for (uint u = 0u; u < UNROLL; u++)
                [[unroll]] for (uint n = 0u; n < NV; n++)
                    sums[n] = MULADD(a[u], fetch_b(base_b, n, k + u * turn, true, 4u), sums[n]);
        }
    }
    for (; k < k_end; k += turn) {
        uint left = k_end - k;
        ACC4 a = fetch(base_a + k * uint64_t(SIZE), whole_a, left);
        [[unroll]] for (uint n = 0u; n < NV; n++)
            sums[n] = MULADD(a, fetch_b(base_b, n, k, whole_b, left), sums[n]);
    }
#else
    base_a += m * uint64_t(SIZE);
    uint k = k_begin + part, rows = args.m - m;
    if (whole_a && rows >= 4u) {
        for (; k + (UNROLL - 1u) * shares < k_end; k += UNROLL * shares) {
            ACC4 a[UNROLL];
            [[unroll]] for (uint u = 0u; u < UNROLL; u++)
                a[u] = load_four(base_a + int64_t(k + u * shares) * args.pitch_a);
            [[unroll]] for (uint u = 0u; u < UNROLL; u++)
                [[unroll]] for (uint n = 0u; n < NV; n++)
                    sums[n] = MULADD(a[u], ACC4(fetch_one_b(base_b, n, k + u * shares)), sums[n]);
        }
    }
    for (; k < k_end; k += shares) {
        ACC4 a = fetch(base_a + int64_t(k) * args.pitch_a, whole_a, rows);
        [[unroll]] for (uint n = 0u; n < NV; n++)
            sums[n] = MULADD(a, ACC4(fetch_one_b(base_b, n, k)), sums[n]);
    }
#endif
    [[unroll]] for (uint n = 0u; n < NV; n++) {
#if A_K_UNIT
        merge((sums[n].x + sums[n].y) + (sums[n].z + sums[n].w), part, lanes, 1u);
        if (part == 0u && live && n < args.n)
            store_c(item, m, n, merged[id]);
#else
        merge(sums[n], part, shares, lanes);
        [[unroll]] for (uint e = 0u; e < 4u; e++) {
            if (part == 0u && live && n < args.n && m + e < args.m)
                store_c(item, m + e, n, merged[id][e]);
        }
#endif
    }
}
