// reduce_columns.comp - reduces columns: the innermost dim is kept. An invocation owns a strip of
// COLUMNS of them side by side; the last strip of each inner row may hold fewer.
// Reads:  the leaves, through load.   Writes: out0, or partials where a column has more than one
//         slot.
// Push:   n_kept columns of n_reduced elements, chunk rows a workgroup, 2^lanes_log2 invocations
//         across, where partials go.
// Lane l of a column (one of GROUP / across) takes rows l, l + lanes, ... in batches of four. At
// most chunk / (4 lanes) + 2 turns, and 1 more for each BLOCK of them, and of those.

#define COLUMNS 4

// Four rows from r, `lanes` apart.
void take_turn(inout Lane state[COLUMNS], uint r, uint lanes, int at[OPERANDS], int last)
{
    VALUE rows[4][COLUMNS];
    [[unroll]] for (int j = 0; j < 4; j++)
        load(r + uint(j) * lanes, at, last, rows[j]);
    [[unroll]] for (int c = 0; c < COLUMNS; c++) {
        VALUE v[4] = {rows[0][c], rows[1][c], rows[2][c], rows[3][c]};
        lane_take(state[c], v, r, lanes);
    }
}

void main()
{
    uint across = 1u << args.lanes_log2;
    uint lanes = GROUP >> args.lanes_log2;
    uint lane = ME >> args.lanes_log2;
    uint strip = group_number() * across + (ME & (across - 1u));
    bool inside = strip < args.n_strips;
    uvec2 at_strip = divide(inside ? strip : 0u, args.strip_div[0], args.strip_div[1],
                            args.strip_div[2]);
    uint first = at_strip.y * COLUMNS;
    uint column = at_strip.x * args.inner_length + first;
    int last = min(COLUMNS - 1, int(args.inner_length - first) - 1);
    uint begin = gl_WorkGroupID.z * args.chunk;
    uint end = inside ? min(begin + args.chunk, args.n_reduced) : begin;
    int at[OPERANDS];
    kept_at(column, at);

    Lane state[COLUMNS];
    [[unroll]] for (int c = 0; c < COLUMNS; c++)
        lane_start(state[c]);
    uint r = begin + lane;
#ifdef BLOCKED
    while (r + 3u * lanes < end) {
        Lane middle[COLUMNS];
        [[unroll]] for (int c = 0; c < COLUMNS; c++)
            lane_start(middle[c]);
        for (uint n = 0u; n < BLOCK && r + 3u * lanes < end; n++) {
            Lane block[COLUMNS];
            [[unroll]] for (int c = 0; c < COLUMNS; c++)
                lane_start(block[c]);
            for (uint turn = 0u; turn < BLOCK && r + 3u * lanes < end; turn++, r += 4u * lanes)
                take_turn(block, r, lanes, at, last);
            [[unroll]] for (int c = 0; c < COLUMNS; c++)
                lane_join(middle[c], block[c]);
        }
        [[unroll]] for (int c = 0; c < COLUMNS; c++)
            lane_join(state[c], middle[c]);
    }
#else
    for (; r + 3u * lanes < end; r += 4u * lanes)
        take_turn(state, r, lanes, at, last);
#endif
    if (r < end) {
        VALUE rows[4][COLUMNS];
        uint rest = (end - r + lanes - 1u) / lanes;
        [[unroll]] for (int j = 0; j < 3; j++) {
            if (uint(j) < rest)
                load(r + uint(j) * lanes, at, last, rows[j]);
        }
        [[unroll]] for (int c = 0; c < COLUMNS; c++) {
            VALUE v[4] = {rows[0][c], rows[1][c], rows[2][c], rows[2][c]};
            lane_take_some(state[c], v, rest, r, lanes);
        }
    }

    [[unroll]] for (int c = 0; c < COLUMNS; c++) {
        Acc acc = lane_close(state[c]);
#ifdef TREE
        acc = tree_merge(acc, lane, lanes, across);
#endif
        if (inside && lane == 0u && c <= last) {
            if (args.n_slots == 1u)
                vkt_out0(at[0] + c * args.kept_step[0], finish(acc));
            else
                put_partial(column + uint(c), gl_WorkGroupID.z, acc);
        }
#ifdef TREE
        barrier();
#endif
    }
}
