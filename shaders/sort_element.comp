// sort_element.comp - begins every kernel that sorts: elements, their order, their places.
// Push:   src, dst: rows of n elements (dst 0: not wanted); src_index, dst_index: where each comes
//         from in its row (src_index 0: it is where it was; dst_wide: int64, else uint32).
// Defines: WORD (an element's bits in memory) and NBYTES of it, KEY (the same in a register: uint
//         or uint64_t), MASK (its bits), for floats INFINITY and SIGN; BITS of a digit; INDEXED.
//
// Elements move as they are; what they are compared by is worked out from them wherever it is
// needed. So a zero keeps its sign and a NaN its payload, though all zeros are equal, and all NaNs.

#define RADIX (1u << BITS)

layout(buffer_reference, scalar, buffer_reference_align = NBYTES) buffer Element { WORD v; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Word { uint v; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer Wide { int64_t v; };

uint group_number() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }

// The unsigned number in whose order elements are sorted; flip: the sign bit of signed integers,
// all bits for descending order.
KEY key_of(KEY element)
{
    KEY key = element;
#ifdef SIGN
    KEY magnitude = element & (SIGN - 1);
    key = magnitude > INFINITY ? MASK
          : magnitude == 0     ? SIGN
          : element >= SIGN    ? element ^ MASK
                               : element | SIGN;
#endif
    return key ^ KEY(args.flip);
}

uint digit_of(KEY element) { return uint(key_of(element) >> args.shift) & (RADIX - 1u); }

KEY load(uint64_t at) { return KEY(Element(args.src + at * NBYTES).v); }

void store(uint64_t at, KEY element)
{
    if (args.dst != 0ul)
        Element(args.dst + at * NBYTES).v = WORD(element);
}

uint load_index(uint64_t at, uint place)
{
    return args.src_index != 0ul ? Word(args.src_index + at * 4).v : place;
}

void store_index(uint64_t at, uint index)
{
    if (args.dst_wide != 0u)
        Wide(args.dst_index + at * 8).v = int64_t(index);
    else
        Word(args.dst_index + at * 4).v = index;
}

// Counts of a block begin here, one for each digit: how many elements it has, later where its first
// one goes among those of the digit.
uint64_t counts_of(uint row, uint block)
{
    return args.counts + (uint64_t(row) * RADIX * args.n_blocks + block) * 4;
}

// In 32 bits: CPU drivers do this for every element.
Word count_at(uint64_t counts, uint digit) { return Word(counts + digit * args.n_blocks * 4u); }

// How many elements of the row have the digit.
Word total_at(uint row, uint digit)
{
    return Word(args.totals + (uint64_t(row) * RADIX + digit) * 4);
}
