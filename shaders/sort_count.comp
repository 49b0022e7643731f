// sort_count.comp - how many elements of each block have each digit.
// Reads:  src.   Writes: counts.   After: sort_rank.comp.
// Push:   n_rows of n elements, n_blocks blocks of per_block elements in each row; shift.
// One workgroup counts one block: at most per_block / TILE * ITEMS turns, and a few more.

void main()
{
    uint row = group_number() / args.n_blocks;
    uint block = group_number() - row * args.n_blocks;
    if (row >= args.n_rows)
        return;
    for (uint i = ME; i < RADIX; i += GROUP)
        pool[i] = 0u;
    barrier();
    uint first = block * args.per_block, n = min(args.per_block, args.n - first);
    uint64_t start = uint64_t(row) * args.n;
    for (uint at = 0u; at < n; at += TILE) {
        KEY element[ITEMS];
        load_tile(start, first + at, element);
        [[unroll]] for (uint i = 0u; i < ITEMS; i++) {
            if (at + place_of(i) < n)
                atomicAdd(pool[digit_of(element[i])], 1u);
        }
    }
    barrier();
    for (uint i = ME; i < RADIX; i += GROUP)
        count_at(counts_of(row, block), i).v = pool[i];
}
