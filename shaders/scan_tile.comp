// scan_tile.comp - scans long rows: a workgroup takes a chunk of a row, tile by tile.
// Reads:  the leaves, through load and load_one, and the totals of earlier chunks.   Writes: out0,
//         next.
// Push:   n_kept rows of n_reduced elements in chunks; slot0: totals of earlier pieces that lie
//         before this piece's.
// At most chunk / TILE + n_slots turns.

void main()
{
    uint row = group_number();
    uint chunk = gl_WorkGroupID.z;
    if (row >= args.n_kept)
        return;
    uint begin = chunk * args.chunk;
    uint end = min(begin + args.chunk, args.n_reduced);
    int at[OPERANDS];
    kept_at(row, at);

    Carry run = carry_start(row);
    for (uint slot = 0u; slot < chunk; slot++)
        carry_add(run, total_of(row, args.slot0 + slot));
    if (ME == 0u)
        store_initial(chunk, at);
    for (uint tile = begin; tile < end; tile += TILE) {
        HELD v[BATCHES][4], before[BATCHES];
        tile_load(tile, end, at, v);
        VALUE total = tile_scan(v, before);
        tile_store(tile, end, at, carry_value(run), v, before);
        carry_add(run, total);
        barrier();
    }
    if (ME == 0u && end == args.n_reduced)
        store_end(row, run);
}
