// matvec_gpu.comp - C = A B where B has at most NV columns: bound by the reading of A, not of B.
// Reads:  a, b.   Writes: c, or partial sums of a slice of K.   Push: see matmul_types.comp.
// Defines: NV (columns of B in one go), THREADS. `lanes`, a power of two, stands in the flags.
// A_K_UNIT: `lanes` invocations share a row, 4 neighbours of K each in a turn. Else an invocation
// holds 4 rows, `lanes` of them lie side by side, and THREADS / lanes of those share K. At most
// k_chunk turns and one merge, in a fixed order.
// Needs:  THREADS * ACC4 of shared memory.

shared ACC4 merged[THREADS];

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

// Adds up what `count` invocations that lie `apart` hold, as a tree; merged[] of part 0 is the sum.
void merge(ACC4 sum, uint part, uint count, uint apart)
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
    // Component 0 of sums[n] is the sum: one chain, so that every way of loading rounds the same.
    base_a += uint64_t(int64_t(m) * args.pitch_a);
    bool whole_b = (args.flags & FLAG_VECTOR_B) != 0u;
    for (uint k = k_begin + part * 4u; k < k_end; k += lanes * 4u) {
        uint left = k_end - k;
        ACC4 a = fetch(base_a + k * uint64_t(SIZE), whole_a, left);
        [[unroll]] for (uint n = 0u; n < NV; n++) {
            uint column = min(n, args.n - 1u);
#if B_K_UNIT
            uint64_t at = base_b + int64_t(column) * args.pitch_b + k * uint64_t(SIZE);
            ACC4 b = fetch(at, whole_b, left);
#else
            ACC4 b = ACC4(0);
            [[unroll]] for (uint e = 0u; e < 4u; e++) {
                uint64_t at = base_b + int64_t(k + e) * args.pitch_b + column * uint64_t(SIZE);
                if (e < left)
                    b[e] = load_one(at);
            }
#endif
            [[unroll]] for (uint e = 0u; e < 4u; e++)
                sums[n].x = MULADD(a[e], b[e], sums[n].x);
        }
    }
#else
    for (uint k = k_begin + part; k < k_end; k += shares) {
        uint64_t strip = base_a + int64_t(k) * args.pitch_a + m * uint64_t(SIZE);
        ACC4 a = fetch(strip, whole_a, args.m - m);
        [[unroll]] for (uint n = 0u; n < NV; n++) {
            uint column = min(n, args.n - 1u);
#if B_K_UNIT
            ACC b = load_one(base_b + int64_t(column) * args.pitch_b + k * uint64_t(SIZE));
#else
            ACC b = load_one(base_b + int64_t(k) * args.pitch_b + column * uint64_t(SIZE));
#endif
            sums[n] = MULADD(a, ACC4(b), sums[n]);
        }
    }
#endif
    [[unroll]] for (uint n = 0u; n < NV; n++) {
        merge(sums[n], part, A_K_UNIT == 1 ? lanes : shares, A_K_UNIT == 1 ? 1u : lanes);
        if (part == 0u && live && n < args.n) {
#if A_K_UNIT
            store_c(item, m, n, merged[id].x);
#else
            [[unroll]] for (uint e = 0u; e < 4u; e++) {
                if (m + e < args.m)
                    store_c(item, m + e, n, merged[id][e]);
            }
#endif
        }
    }
}
