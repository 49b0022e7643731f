// reduce_merge.comp - merges the slots of every row that earlier dispatches left behind, in a
// fixed order.
// Reads:  partials.   Writes: out0, or next where a row still has more than one slot.
// Push:   n_kept rows of n_reduced slots, chunk slots a lane group, 2^lanes_log2 lanes a row.
// Lane l takes slots l, l + lanes, ... of its chunk. At most chunk / lanes + 1 turns, and 1 more
// for each BLOCK of them.

// Slots asked for before the first is used: a divisor of BLOCK.
#ifdef TREE
#define AHEAD 8u
#else
#define AHEAD 1u
#endif

void main()
{
    uint lanes = 1u << args.lanes_log2;
    uint lane = ME & (lanes - 1u);
    uint row = group_number() * (GROUP >> args.lanes_log2) + (ME >> args.lanes_log2);
    bool inside = row < args.n_kept;
    uint begin = gl_WorkGroupID.z * args.chunk;
    uint end = inside ? min(begin + args.chunk, args.n_reduced) : begin;

    Acc acc = acc_empty();
    for (uint slot = begin + lane; slot < end;) {
        Acc block = acc_empty();
        for (uint turn = 0u; turn < BLOCK && slot < end; turn += AHEAD, slot += AHEAD * lanes) {
            Acc next[AHEAD];
            [[unroll]] for (uint i = 0u; i < AHEAD; i++) {
                if (slot + i * lanes < end)
                    next[i] = partial(row, slot + i * lanes);
            }
            [[unroll]] for (uint i = 0u; i < AHEAD; i++) {
                if (slot + i * lanes < end)
                    block = acc_merge(block, next[i]);
            }
        }
        acc = acc_merge(acc, block);
    }
#ifdef TREE
    acc = tree_merge(acc, lane, lanes, 1u);
    inside = inside && lane == 0u;
#endif
    if (!inside)
        return;
    int at[OPERANDS];
    kept_at(row, at);
    if (args.n_slots == 1u)
        vkt_out0(at[0], finish(acc));
    else
        Partials(args.next).acc[row * args.n_slots + gl_WorkGroupID.z] = acc;
}
