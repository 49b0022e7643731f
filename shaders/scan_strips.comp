// scan_strips.comp - scans columns: the innermost dim is kept. A workgroup takes WIDE of them side
// by side, tile by tile of TALL rows; the next tile's loads are under way while one is scanned.
// Reads:  the leaves, through load, and the totals of earlier chunks.   Writes: out0, next.
// Push:   n_kept columns of n_reduced elements in chunks; slot0: totals of earlier pieces that lie
//         before this piece's.
// Needs:  GROUP, BATCHES (rows of an invocation). An invocation owns a strip of four columns; the
//         last strip of each inner row may hold fewer.
// At most chunk / TALL + n_slots turns, and GROUP / ACROSS more for each tile.

#define ME gl_LocalInvocationIndex
#define ACROSS 8u // invocations side by side
#define DOWN (GROUP / ACROSS)
#define WIDE (4u * ACROSS)
#define TALL (BATCHES * DOWN)

shared VALUE sums[DOWN][WIDE];

struct Strip { uint first; int last; int at[OPERANDS]; };

// Rows past the end are neutral.
void tile_load(uint r, uint end, Strip strip, out VALUE v[BATCHES][4])
{
    [[unroll]] for (uint i = 0u; i < BATCHES; i++) {
        uint row = r + ME / ACROSS * BATCHES + i;
        [[unroll]] for (int c = 0; c < 4; c++)
            v[i][c] = NEUTRAL;
        if (row < end)
            load(row, strip.at, strip.last, v[i]);
    }
}

void tile_store(uint r, uint end, Strip strip, VALUE v[BATCHES][4])
{
    bool vector = (args.flags & OUT_ALIGNED) != 0u && strip.last == 3;
    [[unroll]] for (uint i = 0u; i < BATCHES; i++) {
        uint row = r + ME / ACROSS * BATCHES + i;
        int to[OPERANDS];
        RESULT w[4];
        [[unroll]] for (int c = 0; c < 4; c++)
            w[c] = as_result(combine(sums[ME / ACROSS][ME % ACROSS * 4u + c], v[i][c]));
        reduced_at(row, strip.at, to);
        if (row < end)
            vkt_out0_part(to[0], args.kept_step[0], strip.last, vector, w);
    }
}

// Replaces the sums of one column, after `run`, by what precedes each; `run` becomes their end.
void scan_column(uint column, inout Carry run)
{
    VALUE sum = NEUTRAL;
    [[unroll]] for (uint y = 0u; y < DOWN; y++) {
        Carry here = run;
        VALUE x = sums[y][column];
        carry_add(here, sum);
        sums[y][column] = carry_value(here);
        sum = combine(sum, x);
    }
    carry_add(run, sum);
}

// The strip of this invocation; of no columns beyond the last.
Strip find_strip()
{
    Strip strip;
    uint n = group_number() * ACROSS + ME % ACROSS;
    uvec2 at_strip = divide(min(n, args.n_strips - 1u), args.strip_div[0], args.strip_div[1],
                            args.strip_div[2]);
    uint first = at_strip.y * 4u;
    strip.first = at_strip.x * args.inner_length + first;
    strip.last = n < args.n_strips ? min(3, int(args.inner_length - first) - 1) : -1;
    kept_at(strip.first, strip.at);
    return strip;
}

shared uint columns[WIDE]; // their numbers, or NO_COLUMN

#define NO_COLUMN 0xffffffffu

void main()
{
    Strip strip = find_strip();
    uint chunk = gl_WorkGroupID.z;
    uint begin = chunk * args.chunk;
    uint end = strip.last < 0 ? begin : min(begin + args.chunk, args.n_reduced);
    if (ME < ACROSS) {
        [[unroll]] for (int c = 0; c < 4; c++) {
            columns[4u * ME + uint(c)] = c <= strip.last ? strip.first + uint(c) : NO_COLUMN;
#ifdef INITIAL
            if (c <= strip.last && chunk == 0u && args.slot0 == 0u)
                vkt_out1(strip.at[0] + c * args.kept_step[0], as_result(NEUTRAL));
#endif
        }
    }
    barrier();

    Carry run;
    bool scans = ME < WIDE && columns[ME % WIDE] != NO_COLUMN;
    if (scans) {
        run = carry_start(columns[ME]);
        for (uint slot = 0u; slot < chunk; slot++)
            carry_add(run, total_of(columns[ME], args.slot0 + slot));
    }
    VALUE next[BATCHES][4];
    uint n_rows = min(args.chunk, args.n_reduced - begin);
    tile_load(begin, end, strip, next);
    for (uint r = 0u; r < n_rows; r += TALL) {
        VALUE v[BATCHES][4];
        v = next;
        if (r + TALL < n_rows)
            tile_load(begin + r + TALL, end, strip, next);
        [[unroll]] for (uint i = 1u; i < BATCHES; i++) {
            [[unroll]] for (int c = 0; c < 4; c++)
                v[i][c] = combine(v[i - 1u][c], v[i][c]);
        }
        [[unroll]] for (int c = 0; c < 4; c++)
            sums[ME / ACROSS][ME % ACROSS * 4u + c] = v[BATCHES - 1u][c];
        barrier();
        if (scans)
            scan_column(ME, run);
        barrier();
        tile_store(begin + r, end, strip, v);
        barrier();
    }
    if (scans && begin + n_rows == args.n_reduced)
        store_end(columns[ME], run);
}
