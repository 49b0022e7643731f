// sort_serial.comp - the three steps of sorting by one digit on CPU drivers, in plain loops.
// Reads:  src, src_index.   Writes: counts, totals; dst, dst_index.   After: sort_element.comp.
// Push:   n_rows of n elements, n_blocks blocks of per_block elements in each row; shift.
// Defines: STEP.
// One invocation walks a block (COUNT, MOVE), or all blocks for one digit (SCAN): at most RADIX +
// per_block turns, or n_blocks.

#define COUNT 0
#define SCAN 1
#define MOVE 2

#if STEP == SCAN

void main()
{
    uint id = group_number() * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
    if (id >= args.n_rows * RADIX)
        return;
    uint row = id / RADIX, digit = id % RADIX, run = 0u;
    for (uint block = 0u; block < args.n_blocks; block++) {
        Word count = count_at(counts_of(row, block), digit);
        uint n = count.v;
        count.v = run;
        run += n;
    }
    total_at(row, digit).v = run;
}

#else

void main()
{
    uint id = group_number() * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
    if (id >= args.n_rows * args.n_blocks)
        return;
    uint row = id / args.n_blocks, block = id - row * args.n_blocks, run = 0u;
    uint first = block * args.per_block, end = first + min(args.per_block, args.n - first);
    uint64_t start = uint64_t(row) * args.n, counts = counts_of(row, block);
    for (uint digit = 0u; digit < RADIX; digit++) {
#if STEP == COUNT
        count_at(counts, digit).v = 0u;
#else
        count_at(counts, digit).v += run;
        run += total_at(row, digit).v;
#endif
    }
    for (uint i = first; i < end; i++) {
        KEY element = load(start + i);
        Word count = count_at(counts, digit_of(element));
        uint to = count.v;
        count.v = to + 1u;
#if STEP == MOVE
        store(start + to, element);
#ifdef INDEXED
        store_index(start + to, load_index(start + i, i));
#endif
#endif
    }
}

#endif
