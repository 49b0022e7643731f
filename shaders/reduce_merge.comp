// reduce_merge.comp - merges the slots of every row that earlier dispatches left behind, in a
// fixed order.
// Reads:  partials.   Writes: out0, or next where a row still has more than one slot.
// Push:   n_kept rows of n_reduced slots, chunk slots a lane group, 2^lanes_log2 lanes a row.
// Lane l takes slots l, l + lanes, ... of its chunk. At most chunk / lanes + 1 turns, and 1 more
// for each BLOCK of them.

void main()
{
    uint lanes = 1u << args.lanes_log2;
    uint lane = ME & (lanes - 1u);
    uint row = group_number() * (GROUP >> args.lanes_log2) + (ME >> args.lanes_log2);
    bool inside = row < args.n_kept;
    uint begin = gl_WorkGroupID.z * args.chunk;
    uint end = inside ? min(begin + args.chunk, args.n_reduced) : begin;

    Acc acc = merge_slots(row, begin + lane, lanes, end);
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
