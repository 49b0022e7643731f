// scan_serial.comp - scans with one invocation for each chunk of each row: for columns, for short
// rows, and for CPUs.
// Reads:  the leaves, through load and load_one, and the totals of earlier chunks.   Writes: out0,
//         next.
// Push:   n_kept rows of n_reduced elements in chunks; 2^lanes_log2 rows side by side in a
//         workgroup, its other invocations take further chunks; slot0: totals of earlier pieces
//         that lie before this piece's.
// At most chunk / 4 + 4 turns, and one for each total before.

#define ME gl_LocalInvocationIndex

void main()
{
    uint across = 1u << args.lanes_log2;
    uint row = group_number() * across + (ME & (across - 1u));
    uint chunk = gl_WorkGroupID.z * (GROUP >> args.lanes_log2) + (ME >> args.lanes_log2);
    if (row >= args.n_kept || (chunk > 0u && chunk * args.chunk >= args.n_reduced))
        return;
    uint r = chunk * args.chunk;
    uint end = min(r + args.chunk, args.n_reduced);
    int at[OPERANDS];
    kept_at(row, at);

    Carry run = carry_start(row);
    for (uint slot = 0u; slot < chunk; slot++)
        carry_add(run, total_of(row, args.slot0 + slot));
    store_initial(chunk, at);
    for (; r + 4u <= end; r += 4u) {
        VALUE v[4];
        load(r, at, v);
        [[unroll]] for (int j = 0; j < 4; j++) {
            carry_add(run, v[j]);
            v[j] = carry_value(run);
        }
        store_four(r, at, v);
    }
    for (; r < end; r++) {
        VALUE v;
        load_one(r, at, v);
        carry_add(run, v);
        store(r, at, carry_value(run));
    }
    if (end == args.n_reduced)
        store_end(row, run);
}
