// matmul_gpu.comp - C = A B in tiles of BM x BN: tiles of A and B in shared memory, of C in
// registers.
// Reads:  a, b.   Writes: c, or partial sums of a slice of K.   Push: see matmul_types.comp.
// Defines: BM, BN, BK, THREADS (a workgroup's tile), TM, TN (an invocation's part of it),
//          UNROLL_K ([[unroll]] or nothing).
// A workgroup makes one tile in ceil(k_chunk / BK) + 1 turns, the loads of the next step under way
// while this one is computed. Each element is summed in the order of K, whatever the tile.
// Needs:  2 * BK * (BM + BN + 8) accumulators of shared memory.

#define GROUPS_M (BM / TM / 8)
#define BLOCKS_M (TM / 4)
#define BLOCKS_N (TN / 4)
#define LOADS_A (BM * BK / 4 / THREADS)
#define LOADS_B (BN * BK / 4 / THREADS)
// Tile rows walked together: neighbouring workgroups share tiles of A and B in the cache.
#define SUPER 8u

// A tile is held as rows of K, padded by a vector against bank conflicts of the transposing stores.
shared ACC4 tile_a[2][BK][BM / 4 + 1];
shared ACC4 tile_b[2][BK][BN / 4 + 1];

// Element 0 of vector v of a tile: .x along the tile's side, .y along K.
uvec2 place(uint v, bool k_unit, uint side)
{
    return k_unit ? uvec2(v / (BK / 4), v % (BK / 4) * 4u)
                  : uvec2(v % (side / 4) * 4u, v / (side / 4));
}

// Where that lies in the matrix, in bytes. Rows past the edge are read from the last one: what they
// give is not stored.
uint64_t place_offset(uvec2 p, bool k_unit, uint n_rows, int64_t pitch)
{
    return k_unit ? uint64_t(int64_t(min(p.x, n_rows - 1u)) * pitch) + p.y * uint64_t(SIZE)
                  : uint64_t(int64_t(p.y) * pitch) + p.x * uint64_t(SIZE);
}

// Four elements along the unit axis. Outside the matrix, or the slice of K, they are 0 and not
// read.
ACC4 fetch(uint64_t at, bool k_unit, uint i, uint n_i, uint k, uint k_end)
{
    ACC4 v = ACC4(0);
    [[unroll]] for (uint e = 0u; e < 4u; e++) {
        if (k_unit ? k + e < k_end : i + e < n_i && k < k_end)
            v[e] = load_one(at + e * SIZE);
    }
    return v;
}

// The parts of a step. They are macros because register arrays must not travel through calls.
#define FETCH_WHOLE                                                                                \
    [[unroll]] for (uint l = 0u; l < LOADS_A; l++) {                                               \
        next_a[l] = load_four(from_a[l]);                                                          \
        from_a[l] += step_a;                                                                       \
    }                                                                                              \
    [[unroll]] for (uint l = 0u; l < LOADS_B; l++) {                                               \
        next_b[l] = load_four(from_b[l]);                                                          \
        from_b[l] += step_b;                                                                       \
    }

#define FETCH_EDGE(next, from, step, n_loads, k_unit, side, i0, n_i)                               \
    [[unroll]] for (uint l = 0u; l < n_loads; l++) {                                               \
        uvec2 p = place(id + l * THREADS, k_unit == 1, side);                                      \
        next[l] = fetch(from[l], k_unit == 1, i0 + p.x, n_i, k + p.y, k_end);                      \
        from[l] += step;                                                                           \
    }

#define STORE_TILE(tile, next, n_loads, k_unit, side)                                              \
    [[unroll]] for (uint l = 0u; l < n_loads; l++) {                                               \
        uvec2 p = place(id + l * THREADS, k_unit == 1, side);                                      \
        if (k_unit == 1) {                                                                         \
            [[unroll]] for (uint e = 0u; e < 4u; e++)                                              \
                tile[p.y + e][p.x / 4u][p.x % 4u] = next[l][e];                                    \
        } else {                                                                                   \
            tile[p.y][p.x / 4u] = next[l];                                                         \
        }                                                                                          \
    }

#define STORE_NEXT(stage)                                                                          \
    STORE_TILE(tile_a[stage], next_a, LOADS_A, A_K_UNIT, BM)                                       \
    STORE_TILE(tile_b[stage], next_b, LOADS_B, B_K_UNIT, BN)

#define COMPUTE(stage)                                                                             \
    UNROLL_K for (uint kk = 0u; kk < BK; kk++) {                                                   \
        ACC4 a[BLOCKS_M], b[BLOCKS_N];                                                             \
        [[unroll]] for (uint i = 0u; i < BLOCKS_M; i++)                                            \
            a[i] = tile_a[stage][kk][i * (BM / 4 / BLOCKS_M) + tm];                                \
        [[unroll]] for (uint j = 0u; j < BLOCKS_N; j++)                                            \
            b[j] = tile_b[stage][kk][j * (BN / 4 / BLOCKS_N) + tn];                                \
        [[unroll]] for (int i = 0; i < TM; i++)                                                    \
            [[unroll]] for (int j = 0; j < BLOCKS_N; j++)                                          \
                sums[i][j] = MULADD(ACC4(a[i / 4][i % 4]), b[j], sums[i][j]);                      \
    }

// Slice and item of the batch, and the first element of the tile.
void find_tile(uint work, out uint item, out uint m0, out uint n0)
{
    uint tiles_m = (args.m + BM - 1u) / BM, tiles_n = (args.n + BN - 1u) / BN;
    uint tile = work % (tiles_m * tiles_n), rest = tile % (SUPER * tiles_n);
    uint first = tile / (SUPER * tiles_n) * SUPER, rows = min(tiles_m - first, SUPER);
    item = work / (tiles_m * tiles_n);
    m0 = (first + rest % rows) * BM;
    n0 = rest / rows * BN;
}

void main()
{
    uint id = gl_LocalInvocationIndex;
    uint work = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (work >= args.n_work)
        return;
    uint item, m0, n0;
    find_tile(work, item, m0, n0);
    uint k_begin = item / args.n_batch * args.k_chunk;
    uint k_end = min(args.k, k_begin + args.k_chunk);

    uint64_t from_a[LOADS_A], from_b[LOADS_B];
    uint64_t base_a = start_of_a(item % args.n_batch), base_b = start_of_b(item % args.n_batch);
    [[unroll]] for (uint l = 0u; l < LOADS_A; l++) {
        uvec2 p = place(id + l * THREADS, A_K_UNIT == 1, BM) + uvec2(m0, k_begin);
        from_a[l] = base_a + place_offset(p, A_K_UNIT == 1, args.m, args.pitch_a);
    }
    [[unroll]] for (uint l = 0u; l < LOADS_B; l++) {
        uvec2 p = place(id + l * THREADS, B_K_UNIT == 1, BN) + uvec2(n0, k_begin);
        from_b[l] = base_b + place_offset(p, B_K_UNIT == 1, args.n, args.pitch_b);
    }
    int64_t step_a = A_K_UNIT == 1 ? int64_t(BK * SIZE) : BK * args.pitch_a;
    int64_t step_b = B_K_UNIT == 1 ? int64_t(BK * SIZE) : BK * args.pitch_b;
    bool whole_a = (args.flags & FLAG_VECTOR_A) != 0u && (A_K_UNIT == 1 || m0 + BM <= args.m);
    bool whole_b = (args.flags & FLAG_VECTOR_B) != 0u && (B_K_UNIT == 1 || n0 + BN <= args.n);

    // Eight by four invocations lie together, in pairs along M, so that each half of 32 reads 64
    // bytes of either tile: no two of them meet in a bank of shared memory.
    uint tm = id / 32u % GROUPS_M * 8u + id % 32u / 8u * 2u + id % 2u;
    uint tn = id / 32u / GROUPS_M * 4u + id / 2u % 4u;

    ACC4 sums[TM][BLOCKS_N];
    [[unroll]] for (int i = 0; i < TM; i++)
        [[unroll]] for (int j = 0; j < BLOCKS_N; j++)
            sums[i][j] = ACC4(0);

    ACC4 next_a[LOADS_A], next_b[LOADS_B];
    uint stage = 0u, k = k_begin;
    uint k_whole = whole_a && whole_b ? k_begin + (k_end - k_begin) / BK * BK : k_begin;
    if (k < k_whole) {
        FETCH_WHOLE
        STORE_NEXT(stage)
        barrier();
        // The loads of a step have the whole of the step before to arrive.
        for (k += BK; k < k_whole; k += BK) {
            FETCH_WHOLE
            COMPUTE(stage)
            stage ^= 1u;
            STORE_NEXT(stage)
            barrier();
        }
        COMPUTE(stage)
        stage ^= 1u;
    }
    // What is left of K, or all of it at the edges.
    for (; k < k_end; k += BK) {
        FETCH_EDGE(next_a, from_a, step_a, LOADS_A, A_K_UNIT, BM, m0, args.m)
        FETCH_EDGE(next_b, from_b, step_b, LOADS_B, B_K_UNIT, BN, n0, args.n)
        STORE_NEXT(stage)
        barrier();
        COMPUTE(stage)
        stage ^= 1u;
    }

    bool vector = (args.flags & FLAG_VECTOR_C) != 0u && m0 + BM <= args.m && n0 + BN <= args.n;
    [[unroll]] for (uint i = 0u; i < TM; i++) {
        uint m = m0 + i / 4u * (BM / BLOCKS_M) + tm * 4u + i % 4u;
        [[unroll]] for (uint j = 0u; j < BLOCKS_N; j++) {
            uint n = n0 + j * (BN / BLOCKS_N) + tn * 4u;
            if (vector) {
                uint64_t at = (uint64_t(item) * args.m + m) * args.n + n;
                PutAcc4(args.c + at * ACC_SIZE).v = sums[i][j];
            } else {
                [[unroll]] for (uint e = 0u; e < 4u; e++)
                    if (m < args.m && n + e < args.n)
                        store_c(item, m, n + e, sums[i][j][e]);
            }
        }
    }
}
