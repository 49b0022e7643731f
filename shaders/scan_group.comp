// scan_group.comp - the scan of a tile that a workgroup holds in registers. Comes before the bodies
// that scan rows in tiles.
// Needs:  VALUE, NEUTRAL, combine(x, y); GROUP; BATCHES (of four elements, in an invocation); SPAN:
//         invocations that hand values to each other. That is a subgroup where SHUFFLE is defined,
//         and hand(x, i) gives x of its invocation i; else the workgroup.
// A span takes 4 * BATCHES * SPAN elements in a row, its batch q 4 * SPAN of them. The order is
// always the same: elements of a batch one by one, batches of a span as Hillis and Steele do, q
// too, then spans one by one.

#define TILE (4u * BATCHES * GROUP)

#ifdef SHUFFLE
#define ME (gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID)
#else
#define ME gl_LocalInvocationIndex

shared VALUE handed[GROUP];

VALUE hand(VALUE x, uint i)
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

// This invocation's elements of the tile that begins at element r of the row; neutral ones past
// the end.
void tile_load(uint r, uint end, int at[OPERANDS], out VALUE v[BATCHES][4])
{
    [[unroll]] for (uint q = 0u; q < BATCHES; q++) {
        uint first = r + batch_at(q);
        if (first + 4u <= end) {
            load(first, at, v[q]);
        } else {
            [[unroll]] for (uint j = 0u; j < 4u; j++) {
                v[q][j] = NEUTRAL;
                if (first + j < end)
                    load_one(first + j, at, v[q][j]);
            }
        }
    }
}

// Scans each batch in place; before[q] is the sum of what precedes batch q in the tile. Gives the
// sum of the tile. In uniform control flow; a barrier must lie between two calls.
VALUE tile_scan(inout VALUE v[BATCHES][4], out VALUE before[BATCHES])
{
    VALUE sum[BATCHES], run[BATCHES], total = NEUTRAL, spans = NEUTRAL;
    uint place = ME % SPAN;
    [[unroll]] for (uint q = 0u; q < BATCHES; q++) {
        [[unroll]] for (uint j = 1u; j < 4u; j++)
            v[q][j] = combine(v[q][j - 1u], v[q][j]);
        sum[q] = v[q][3];
    }
    [[unroll]] for (uint apart = 1u; apart < SPAN; apart <<= 1) {
        [[unroll]] for (uint q = 0u; q < BATCHES; q++) {
            VALUE x = hand(sum[q], place >= apart ? place - apart : place);
            sum[q] = place >= apart ? combine(x, sum[q]) : sum[q];
        }
    }
    [[unroll]] for (uint q = 0u; q < BATCHES; q++)
        run[q] = hand(sum[q], SPAN - 1u);
    [[unroll]] for (uint apart = 1u; apart < BATCHES; apart <<= 1) {
        [[unroll]] for (uint q = BATCHES - 1u; q >= apart; q--)
            run[q] = combine(run[q - apart], run[q]);
    }
    [[unroll]] for (uint q = 0u; q < BATCHES; q++) {
        VALUE x = hand(sum[q], max(place, 1u) - 1u);
        VALUE start = q > 0u ? run[max(q, 1u) - 1u] : NEUTRAL;
        before[q] = place > 0u ? combine(start, x) : start;
    }
    if (place == 0u)
        span_sums[ME / SPAN] = run[BATCHES - 1u];
    barrier();
    [[unroll]] for (uint s = 0u; s < GROUP / SPAN; s++) {
        spans = s == ME / SPAN ? total : spans;
        total = combine(total, span_sums[s]);
    }
    [[unroll]] for (uint q = 0u; q < BATCHES; q++)
        before[q] = combine(spans, before[q]);
    return total;
}

// Stores the scanned tile, `start` being the sum of what precedes it.
void tile_store(uint r, uint end, int at[OPERANDS], VALUE start, VALUE v[BATCHES][4],
                VALUE before[BATCHES])
{
    [[unroll]] for (uint q = 0u; q < BATCHES; q++) {
        uint first = r + batch_at(q);
        VALUE x = combine(start, before[q]);
        [[unroll]] for (uint j = 0u; j < 4u; j++)
            v[q][j] = combine(x, v[q][j]);
        if (first + 4u <= end) {
            store_four(first, at, v[q]);
            continue;
        }
        [[unroll]] for (uint j = 0u; j < 3u; j++) {
            if (first + j < end)
                store(first + j, at, v[q][j]);
        }
    }
}
