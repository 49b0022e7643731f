// reduce_rows.comp - reduces rows whose elements lie along the innermost dim: 1 to GROUP lanes a
// row, a row split over workgroups.
// Reads:  the leaves, through load and load_one.   Writes: out0, or partials where a row has more
//         than one slot.
// Push:   n_kept rows of n_reduced elements, chunk elements a workgroup, 2^lanes_log2 lanes a row,
//         where partials go.
//         STREAMED: next, what reduce_stream.comp made of the blocks, next_step of them a row.
// Lane l takes batches l, l + lanes, ... of four elements, four of them a turn. BLOCKED:
// 2^BLOCK_LOG2 turns are a block, and BLOCK blocks are added up apart from the others. At most
// chunk / (16 lanes) + 4 turns, and 1 more for each block of them and each BLOCK of blocks.

// Four batches that begin at r, r + apart, ...: all are asked for before the first is used.
void take_turn(inout Lane lane, uint r, uint apart, int at[OPERANDS])
{
    VALUE v[4][4];
    [[unroll]] for (uint q = 0u; q < 4u; q++)
        load(r + q * apart, at, v[q]);
    lane_take_four(lane, v, r, apart);
}

#ifdef BLOCKED
// The block of `lane` that begins at `r`.
Acc block_at(uint r, uint row, uint lane, int at[OPERANDS])
{
#ifdef STREAMED
    uint block = row * args.next_step + (r >> (args.lanes_log2 + 4u + BLOCK_LOG2));
    return Partials(args.next).acc[(block << args.lanes_log2) + lane];
#else
    Lane block;
    lane_start(block);
    for (uint turn = 0u; turn < (1u << BLOCK_LOG2); turn++) {
        take_turn(block, r + 4u * lane, 4u << args.lanes_log2, at);
        r += 16u << args.lanes_log2;
    }
    return lane_close(block);
#endif
}
#endif

void main()
{
    uint lanes = 1u << args.lanes_log2;
    uint lane = ME & (lanes - 1u);
    uint row = group_number() * (GROUP >> args.lanes_log2) + (ME >> args.lanes_log2);
    bool inside = row < args.n_kept;
    uint begin = gl_WorkGroupID.z * args.chunk;
    uint end = inside ? min(begin + args.chunk, args.n_reduced) : begin;
    int at[OPERANDS];
    kept_at(inside ? row : 0u, at);

    Acc acc = acc_empty();
    uint batch = lane;
#ifdef BLOCKED
    uint block_log2 = args.lanes_log2 + 4u + BLOCK_LOG2;
    uint n_blocks = (end - begin) >> block_log2;
    for (uint i = 0u; i < n_blocks;) {
        Acc middle = acc_empty();
        for (uint n = 0u; n < BLOCK && i < n_blocks; n++, i++)
            middle = acc_merge(middle, block_at(begin + (i << block_log2), row, lane, at));
        acc = acc_merge(acc, middle);
    }
    batch += (n_blocks << block_log2) >> 2;
#endif
    Lane state;
    lane_start(state);
    uint n_full = (end - begin) >> 2;
    for (; batch + 3u * lanes < n_full; batch += 4u * lanes)
        take_turn(state, begin + 4u * batch, 4u * lanes, at);
    for (; batch < n_full; batch += lanes) {
        VALUE v[4];
        load(begin + 4u * batch, at, v);
        lane_take(state, v, begin + 4u * batch, 1u);
    }
    uint rest = (end - begin) & 3u;
    if (batch == n_full && rest != 0u) {
        VALUE v[4];
        [[unroll]] for (int j = 0; j < 3; j++) {
            if (uint(j) < rest)
                load_one(begin + 4u * batch + uint(j), at, v[j]);
        }
        lane_take_some(state, v, rest, begin + 4u * batch, 1u);
    }

    acc = acc_merge(acc, lane_close(state));
#ifdef TREE
    acc = tree_merge(acc, lane, lanes, 1u);
    inside = inside && lane == 0u;
    uint slot = gl_WorkGroupID.z;
#else
    uint slot = gl_WorkGroupID.z * lanes + lane;
#endif
    if (!inside)
        return;
    if (args.n_slots == 1u)
        vkt_out0(at[0], finish(acc));
    else
        put_partial(row, slot, acc);
}
