// scan_group.comp - the scan of a tile that a workgroup holds in registers. Comes before the bodies
// that scan rows in tiles.
// Needs:  VALUE, NEUTRAL, combine(x, y); GROUP; BATCHES (of four elements, in an invocation); SPAN:
//         invocations that hand values to each other: a subgroup where SHUFFLE is defined, else the
//         workgroup. HELD stands for a VALUE in arrays, put(x) and get(x) lead there and back;
//         where it is a VALUE, SAME is defined.
// A span takes 4 * BATCHES * SPAN elements in a row, its batch q 4 * SPAN of them. The order is
// always the same: elements of a batch one by one, batches of a span as Hillis and Steele do, q
// too, then spans one by one.

#define TILE (4u * BATCHES * GROUP)

// hand(x, i): x of the span's invocation i.
#ifdef SHUFFLE
#define hand(x, i) subgroupShuffle(x, i)
#define ME (gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID)
#else
#define ME gl_LocalInvocationIndex

shared HELD handed[GROUP];

HELD hand(HELD x, uint i)
{
    barrier();
    handed[ME] = x;
    barrier();
    return handed[i];
}
#endif

shared VALUE span_sums[GROUP / SPAN];

// The first element, counted in the tile, of this invocation's batch q.
uint batch_at(uint q) { return 4u * ((ME / SPAN * BATCHES + q) * SPAN + ME % SPAN); }

// What tile_load and tile_store hand to functions: batch q, or where that is not SAME a batch x of
// its own, as the whole array would lie in memory.
#ifdef SAME
#define BATCH v[q]
#else
#define BATCH x
#endif

// This invocation's elements of the tile that begins at element r of the row; neutral ones past
// the end.
void tile_load(uint r, uint end, int at[OPERANDS], out HELD v[BATCHES][4])
{
    [[unroll]] for (uint q = 0u; q < BATCHES; q++) {
        uint first = r + batch_at(q);
#ifndef SAME
        VALUE x[4];
#endif
        if (first + 4u <= end) {
            load(first, at, BATCH);
        } else {
            [[unroll]] for (uint j = 0u; j < 4u; j++) {
                BATCH[j] = NEUTRAL;
                if (first + j < end)
                    load_one(first + j, at, BATCH[j]);
            }
        }
#ifndef SAME
        [[unroll]] for (uint j = 0u; j < 4u; j++)
            v[q][j] = put(x[j]);
#endif
    }
}

// Scans each batch in place; before[q] is the sum of what precedes batch q in the tile. Gives the
// sum of the tile. In uniform control flow; a barrier must lie between two calls.
VALUE tile_scan(inout HELD v[BATCHES][4], out HELD before[BATCHES])
{
    HELD sum[BATCHES], run[BATCHES];
    VALUE total = NEUTRAL, spans = NEUTRAL;
    uint place = ME % SPAN;
    [[unroll]] for (uint q = 0u; q < BATCHES; q++) {
        [[unroll]] for (uint j = 1u; j < 4u; j++)
            v[q][j] = put(combine(get(v[q][j - 1u]), get(v[q][j])));
        sum[q] = v[q][3];
    }
    [[unroll]] for (uint apart = 1u; apart < SPAN; apart <<= 1) {
        [[unroll]] for (uint q = 0u; q < BATCHES; q++) {
            HELD x = hand(sum[q], place >= apart ? place - apart : place);
            sum[q] = place >= apart ? put(combine(get(x), get(sum[q]))) : sum[q];
        }
    }
    [[unroll]] for (uint q = 0u; q < BATCHES; q++)
        run[q] = hand(sum[q], SPAN - 1u);
    [[unroll]] for (uint apart = 1u; apart < BATCHES; apart <<= 1) {
        [[unroll]] for (uint q = BATCHES - 1u; q >= apart; q--)
            run[q] = put(combine(get(run[q - apart]), get(run[q])));
    }
    [[unroll]] for (uint q = 0u; q < BATCHES; q++) {
        HELD x = hand(sum[q], max(place, 1u) - 1u);
        VALUE start = q > 0u ? get(run[max(q, 1u) - 1u]) : NEUTRAL;
        before[q] = put(place > 0u ? combine(start, get(x)) : start);
    }
    if (place == 0u)
        span_sums[ME / SPAN] = get(run[BATCHES - 1u]);
    barrier();
    [[unroll]] for (uint s = 0u; s < GROUP / SPAN; s++) {
        spans = s == ME / SPAN ? total : spans;
        total = combine(total, span_sums[s]);
    }
    [[unroll]] for (uint q = 0u; q < BATCHES; q++)
        before[q] = put(combine(spans, get(before[q])));
    return total;
}

// Stores the scanned tile, `start` being the sum of what precedes it.
void tile_store(uint r, uint end, int at[OPERANDS], VALUE start, HELD v[BATCHES][4],
                HELD before[BATCHES])
{
    [[unroll]] for (uint q = 0u; q < BATCHES; q++) {
        uint first = r + batch_at(q);
        VALUE precedes = combine(start, get(before[q]));
#ifndef SAME
        VALUE x[4];
#endif
        [[unroll]] for (uint j = 0u; j < 4u; j++)
            BATCH[j] = combine(precedes, get(v[q][j]));
        if (first + 4u <= end) {
            store_four(first, at, BATCH);
            continue;
        }
        [[unroll]] for (uint j = 0u; j < 3u; j++) {
            if (first + j < end)
                store(first + j, at, BATCH[j]);
        }
    }
}
