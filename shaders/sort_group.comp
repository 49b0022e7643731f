// sort_group.comp - sorts rows that fit a workgroup's tile, by all digits.
// Reads:  src.   Writes: dst, dst_index.   After: sort_rank.comp.
// Push:   n <= TILE; one workgroup takes one row of n_rows.

void main()
{
    uint row = group_number();
    if (row >= args.n_rows)
        return;
    uint64_t start = uint64_t(row) * args.n;
    KEY element[ITEMS];
    uint digit[ITEMS], to[ITEMS], index[ITEMS], n_own[OWN];
    load_tile(start, 0u, element);
    [[unroll]] for (uint i = 0u; i < ITEMS; i++)
        index[i] = place_of(i);
    for (uint shift = 0u; shift < NBYTES * 8u; shift += BITS) {
        [[unroll]] for (uint i = 0u; i < ITEMS; i++) {
            uint own = uint(key_of(element[i]) >> shift) & (RADIX - 1u);
            digit[i] = place_of(i) < args.n ? own : RADIX - 1u;
        }
        rank(digit, to, n_own);
        exchange_elements(to, element);
#ifdef INDEXED
        exchange(to, index);
#endif
    }
    [[unroll]] for (uint i = 0u; i < ITEMS; i++) {
        if (place_of(i) < args.n) {
            store(start + place_of(i), element[i]);
#ifdef INDEXED
            store_index(start + place_of(i), index[i]);
#endif
        }
    }
}
