// matmul_cpu.comp - C = A B on drivers that run on a processor: a tile of C in registers, no
// barriers.
// Reads:  a, b.   Writes: c, or partial sums of a slice of K.   Push: see matmul_types.comp.
// Defines: SUB (invocations of a subgroup that work together, or 1), TM, TN, PACK (elements that
//          one load of WORD brings).
// A subgroup makes TM rows of SUB * TN columns. Such a driver loads for one invocation after the
// other: loads are what costs. So one invocation loads an element of A and hands it to the others,
// and one load brings PACK elements. At most k_chunk / PACK turns of the fast loop and k_chunk of
// the exact one.
// Sums go in the order of K.

#define SHARED_A (TM / PACK < SUB ? TM / PACK : SUB) // lanes whose word along M is used
#define WORDS_A (TM / SUB)
// Elements along the side come in words only where whole words make up the side.
#define PACKED_A (A_K_UNIT || TM % PACK == 0)
#define PACKED_B (B_K_UNIT || TN % PACK == 0)

#if SIZE == 8 && !IS_FLOAT
// Broadcasts of 64-bit integers need a feature of their own.
#define LANE32(x, i) subgroupBroadcast(x, i)
#define LANE(x, i) ACC(pack64(uvec2(LANE32(unpack32(x).x, i), LANE32(unpack32(x).y, i))))
#else
#define LANE(x, i) subgroupBroadcast(x, i)
#endif

// What each member of the subgroup holds, for all: the lane of a broadcast must be a constant.
void hand_out(ACC x, out ACC all[SUB])
{
#if SUB == 1
    all[0] = x;
#else
    all[0] = LANE(x, 0);
    all[1] = LANE(x, 1);
    all[2] = LANE(x, 2);
    all[3] = LANE(x, 3);
#if SUB > 4
    all[4] = LANE(x, 4);
    all[5] = LANE(x, 5);
    all[6] = LANE(x, 6);
    all[7] = LANE(x, 7);
#endif
#if SUB > 8
    all[8] = LANE(x, 8);
    all[9] = LANE(x, 9);
    all[10] = LANE(x, 10);
    all[11] = LANE(x, 11);
    all[12] = LANE(x, 12);
    all[13] = LANE(x, 13);
    all[14] = LANE(x, 14);
    all[15] = LANE(x, 15);
#endif
#endif
}

#if PACK > 1
layout(buffer_reference, scalar, buffer_reference_align = PACK * SIZE) readonly buffer Word {
    WORD v;
};

// Element e of a word.
ACC element(uvec2 w, uint e)
{
#if SIZE == 4 && IS_FLOAT
    return uintBitsToFloat(w[e]);
#elif SIZE == 4
    return ACC(w[e]);
#elif IS_BF16
    return uintBitsToFloat(e % 2u == 0u ? w[e / 2u] << 16 : w[e / 2u] & 0xffff0000u);
#elif IS_FLOAT
    return unpackHalf2x16(w[e / 2u])[e % 2u];
#elif SIZE == 2
    return bitfieldExtract(ACC(w[e / 2u]), int(e % 2u * 16u), 16);
#else
    return bitfieldExtract(ACC(w.x), int(e * 8u), 8);
#endif
}

// The elements of the word at `at`.
void load_word(uint64_t at, out ACC v[PACK])
{
#if SIZE == 1
    uvec2 w = uvec2(Word(at).v, 0u);
#else
    uvec2 w = unpack32(Word(at).v);
#endif
    [[unroll]] for (uint e = 0u; e < PACK; e++)
        v[e] = element(w, e);
}
#endif

// What an invocation holds. Global, so that the steps below can be functions.
uint64_t row[WORDS_A], column[TN]; // the next element of its rows of A, of its columns of B
uint64_t side;                     // its next word along M, where A is read so
int64_t k_step_a, k_step_b;        // bytes from one element to the next along K
ACC sums[TM][TN];

#if PACK > 1 && PACKED_A && PACKED_B
// Of B: PACK elements along K of each column.
void load_words_b(out ACC b[TN][PACK])
{
#if B_K_UNIT
    [[unroll]] for (uint c = 0u; c < TN; c++) {
        load_word(column[c], b[c]);
        column[c] += PACK * SIZE;
    }
#else
    [[unroll]] for (uint p = 0u; p < PACK; p++) {
        [[unroll]] for (uint c = 0u; c < TN; c += PACK) {
            ACC v[PACK];
            load_word(column[c], v);
            [[unroll]] for (uint e = 0u; e < PACK; e++)
                b[c + e][p] = v[e];
            column[c] += k_step_b;
        }
    }
#endif
}

// One turn: PACK elements along K.
void step_words()
{
    ACC b[TN][PACK];
    load_words_b(b);
#if A_K_UNIT
    [[unroll]] for (uint w = 0u; w < WORDS_A; w++) {
        ACC a[PACK];
        load_word(row[w], a);
        row[w] += PACK * SIZE;
        [[unroll]] for (uint p = 0u; p < PACK; p++) {
            ACC all[SUB];
            hand_out(a[p], all);
            [[unroll]] for (uint l = 0u; l < SUB; l++) {
                [[unroll]] for (uint c = 0u; c < TN; c++)
                    sums[w * SUB + l][c] = MULADD(all[l], b[c][p], sums[w * SUB + l][c]);
            }
        }
    }
#else
    [[unroll]] for (uint p = 0u; p < PACK; p++) {
        [[unroll]] for (uint w = 0u; w < TM / PACK; w += SUB) {
            ACC a[PACK];
            load_word(side + w * uint64_t(PACK * SIZE), a);
            [[unroll]] for (uint e = 0u; e < PACK; e++) {
                ACC all[SUB];
                hand_out(a[e], all);
                [[unroll]] for (uint l = 0u; l < SHARED_A; l++) {
                    uint r = (w + l) * PACK + e;
                    [[unroll]] for (uint c = 0u; c < TN; c++)
                        sums[r][c] = MULADD(all[l], b[c][p], sums[r][c]);
                }
            }
        }
        side += k_step_a;
    }
#endif
}
#endif

// One turn: one element along K.
void step_one()
{
    ACC b[TN];
    [[unroll]] for (uint c = 0u; c < TN; c++) {
        b[c] = load_one(column[c]);
        column[c] += k_step_b;
    }
    [[unroll]] for (uint w = 0u; w < WORDS_A; w++) {
        ACC a = load_one(row[w]);
        row[w] += k_step_a;
        ACC all[SUB];
        hand_out(a, all);
        [[unroll]] for (uint l = 0u; l < SUB; l++) {
            [[unroll]] for (uint c = 0u; c < TN; c++)
                sums[w * SUB + l][c] = MULADD(all[l], b[c], sums[w * SUB + l][c]);
        }
    }
}

void main()
{
    uint lane = SUB > 1 ? gl_SubgroupInvocationID : 0u;
    uint members = gl_WorkGroupSize.x / SUB;
    uint work = (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * members;
    // Not gl_SubgroupID: llvmpipe with vectors of 4 numbers its subgroups as if they were of 8.
    work += SUB > 1 ? gl_LocalInvocationIndex / SUB : gl_LocalInvocationIndex;
    if (work >= args.n_work)
        return;
    uint tiles_m = (args.m + TM - 1u) / TM, tiles_n = (args.n + SUB * TN - 1u) / (SUB * TN);
    uint tile = work % (tiles_m * tiles_n), item = work / (tiles_m * tiles_n);
    uint m0 = tile / tiles_n * TM, n0 = tile % tiles_n * (SUB * TN);
    uint k_begin = item / args.n_batch * args.k_chunk;
    uint k_end = min(args.k, k_begin + args.k_chunk);
    uint64_t base_a = start_of_a(item % args.n_batch), base_b = start_of_b(item % args.n_batch);

    // Rows and columns past the edge are read from the last one: what they give is not stored.
    k_step_a = A_K_UNIT == 1 ? int64_t(SIZE) : args.pitch_a;
    k_step_b = B_K_UNIT == 1 ? int64_t(SIZE) : args.pitch_b;
    int64_t m_step = A_K_UNIT == 1 ? args.pitch_a : int64_t(SIZE);
    int64_t n_step = B_K_UNIT == 1 ? args.pitch_b : int64_t(SIZE);
    [[unroll]] for (uint w = 0u; w < WORDS_A; w++) {
        uint m = min(m0 + w * SUB + lane % TM, args.m - 1u);
        row[w] = base_a + int64_t(m) * m_step + int64_t(k_begin) * k_step_a;
    }
    [[unroll]] for (uint c = 0u; c < TN; c++) {
        uint n = min(n0 + lane * TN + c, args.n - 1u);
        column[c] = base_b + int64_t(n) * n_step + int64_t(k_begin) * k_step_b;
    }

    [[unroll]] for (int r = 0; r < TM; r++)
        [[unroll]] for (int c = 0; c < TN; c++)
            sums[r][c] = ACC(0);
    uint k = k_begin;

#if PACK > 1 && PACKED_A && PACKED_B
    bool fast = (args.flags & FLAG_VECTOR_A) != 0u && (A_K_UNIT == 1 || m0 + TM <= args.m)
        && (args.flags & FLAG_VECTOR_B) != 0u && (B_K_UNIT == 1 || n0 + SUB * TN <= args.n);
    uint k_fast = fast ? k_begin + (k_end - k_begin) / PACK * PACK : k_begin;
#if !A_K_UNIT
    // Lane l holds word l of the column of A: rows l * PACK and on.
    int64_t ahead = int64_t(lane % (TM / PACK) * PACK) - int64_t(lane % TM);
    side = row[0] + uint64_t(ahead * SIZE);
#endif
    for (; k < k_fast; k += PACK)
        step_words();
#if !A_K_UNIT
    [[unroll]] for (uint w = 0u; w < WORDS_A; w++)
        row[w] += (k - k_begin) * k_step_a;
#endif
#if !B_K_UNIT
    // Only the first column of each word has moved.
    [[unroll]] for (uint c = 0u; c < TN; c++) {
        if (c % PACK != 0u)
            column[c] += (k - k_begin) * k_step_b;
    }
#endif
#endif

    for (; k < k_end; k++)
        step_one();

    [[unroll]] for (uint r = 0u; r < TM; r++) {
        [[unroll]] for (uint c = 0u; c < TN; c++) {
            uint m = m0 + r, n = n0 + lane * TN + c;
            if (m < args.m && n < args.n)
                store_c(item, m, n, sums[r][c]);
        }
    }
}
