// scan_one_pass.comp - scans long rows in one pass: a workgroup takes one tile.
// Reads:  the leaves, through load and load_one; state.   Writes: out0, next, state.
// Push:   n_kept rows of n_reduced elements, n_slots tiles each.   Turns: see scan_look_back.comp.

void main()
{
    uint row = group_number() / args.n_slots;
    uint tile = group_number() - row * args.n_slots;
    if (row >= args.n_kept)
        return;
    int at[OPERANDS];
    kept_at(row, at);

    HELD v[BATCHES][4], before[BATCHES];
    tile_load(tile * TILE, args.n_reduced, at, v);
    VALUE total = tile_scan(v, before);
    Carry run = look_back(row, tile, total, at);
    if (ME == 0u)
        store_initial(tile, at);
    tile_store(tile * TILE, args.n_reduced, at, carry_value(run), v, before);
    if (ME == 0u && tile + 1u == args.n_slots) {
        carry_add(run, total);
        store_end(row, run);
    }
}
