// sort_move.comp - moves the elements of each block to where their digit says, in their order.
// Reads:  src, src_index, counts, totals.   Writes: dst, dst_index.   After: sort_rank.comp.
// Push:   n_rows of n elements, n_blocks blocks of per_block elements in each row; shift.
// One workgroup moves one block, tile by tile, each sorted first, so that neighbours go to
// neighbours: at most 64 turns for each of its per_block / TILE tiles.

shared uint offsets[RADIX]; // what leads from a place in the sorted tile to one in the row

void main()
{
    uint row = group_number() / args.n_blocks;
    uint block = group_number() - row * args.n_blocks;
    if (row >= args.n_rows)
        return;
    uint next[OWN], n_own[OWN], sum = 0u;
    [[unroll]] for (uint own = 0u; own < OWN; own++) {
        next[own] = IS_OWNER ? total_at(row, ME * OWN + own).v : 0u;
        sum += next[own];
    }
    uint before = add_before(sum);
    [[unroll]] for (uint own = 0u; own < OWN; own++) {
        uint n = next[own];
        next[own] = IS_OWNER ? before + count_at(counts_of(row, block), ME * OWN + own).v : 0u;
        before += n;
    }
    barrier();

    uint first = block * args.per_block, end = first + min(args.per_block, args.n - first);
    uint64_t start = uint64_t(row) * args.n;
    for (; first < end; first += TILE) {
        KEY element[ITEMS];
        uint digit[ITEMS], to[ITEMS], n = min(end - first, TILE);
        load_tile(start, first, element);
        [[unroll]] for (uint i = 0u; i < ITEMS; i++)
            digit[i] = place_of(i) < n ? digit_of(element[i]) : RADIX - 1u;
#ifdef INDEXED
        uint index[ITEMS];
        [[unroll]] for (uint i = 0u; i < ITEMS; i++) {
            uint place = first + place_of(i);
            index[i] = place_of(i) < n ? load_index(start + place, place) : 0u;
        }
#endif
        rank(digit, to, n_own);
        [[unroll]] for (uint own = 0u; own < OWN && IS_OWNER; own++) {
            offsets[ME * OWN + own] = next[own] - starts[ME * OWN + own];
            next[own] += n_own[own];
        }
        exchange_elements(to, element);
        [[unroll]] for (uint i = 0u; i < ITEMS; i++) {
            uint place = place_of(i);
            digit[i] = offsets[digit_of(element[i])] + place;
            if (place < n)
                store(start + digit[i], element[i]);
        }
#ifdef INDEXED
        exchange(to, index);
        [[unroll]] for (uint i = 0u; i < ITEMS; i++) {
            if (place_of(i) < n)
                store_index(start + digit[i], index[i]);
        }
#endif
    }
}
