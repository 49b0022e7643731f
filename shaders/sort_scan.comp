// sort_scan.comp - where each block's elements of each digit go among all of that digit.
// Reads:  counts.   Writes: counts, totals.   After: sort_rank.comp.
// Push:   n_rows, n_blocks.
// One workgroup takes one digit of one row: n_blocks / GROUP turns, and a few in each. Of up to FEW
// blocks one invocation does.

void scan_few()
{
    uint i = group_number() * GROUP + ME, row = i / RADIX, digit = i % RADIX, run = 0u;
    if (row >= args.n_rows)
        return;
    for (uint block = 0u; block < args.n_blocks; block++) {
        Word at = count_at(counts_of(row, block), digit);
        uint n = at.v;
        at.v = run;
        run += n;
    }
    total_at(row, digit).v = run;
}

void main()
{
    if (args.n_blocks <= FEW) {
        scan_few();
        return;
    }
    uint row = group_number() / RADIX, digit = group_number() % RADIX, run = 0u;
    if (row >= args.n_rows)
        return;
    for (uint first = 0u; first < args.n_blocks; first += GROUP) {
        uint block = first + ME, n = 0u;
        if (block < args.n_blocks)
            n = count_at(counts_of(row, block), digit).v;
        uint before = run + add_before(n);
        if (block < args.n_blocks)
            count_at(counts_of(row, block), digit).v = before;
        for (uint i = 0u; i < SUBGROUPS; i++)
            run += parts[i];
        barrier();
    }
    if (ME == 0u)
        total_at(row, digit).v = run;
}
