// index_walk.comp - from an element's number to its place in x, by the values of indices: comes
// before gather.comp and scatter.comp.
// Push:   x, other, bad (or 0): addresses; index0 ..: of the indices; n_work: words walked; div:
//         vkt_fastdivs, innermost dim first; x_step, other_step: bytes; index_step: elements;
//         axis_length, axis_step (bytes of x) of each index.
// Defines: NBYTES (of a word moved), NDIM, INDICES, INDEX and INDEX_NBYTES (their type), ITEMS.

layout(buffer_reference, scalar, buffer_reference_align = NBYTES) buffer Words { WORD v; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Flag { uint v; };
layout(buffer_reference, scalar, buffer_reference_align = INDEX_NBYTES) readonly buffer Index {
    INDEX v;
};

// (n / d, n % d) for n < 2^31, by the three words of a vkt_fastdiv (tensor/layout.h).
uvec2 divide(uint n, uint divisor, uint multiplier, uint shift)
{
    uint high, low;
    umulExtended(n, multiplier, high, low);
    uint quotient = (high + n) >> shift;
    return uvec2(quotient, n - quotient * divisor);
}

// The coordinates of element n, innermost first.
void find_coordinates(uint n, out uint at[NDIM])
{
#if NDIM > 1
    [[unroll]] for (int d = 0; d < NDIM - 1; d++) {
        uvec2 q = divide(n, args.div[3 * d], args.div[3 * d + 1], args.div[3 * d + 2]);
        at[d] = q.y;
        n = q.x;
    }
#endif
    at[NDIM - 1] = n;
}

// Index k's value there, in 0 .. length - 1. One out of range becomes 0: the host raises before
// anyone sees what comes of it.
int64_t index_at(int k, uint64_t address, uint at[NDIM])
{
    int place = 0;
    [[unroll]] for (int d = 0; d < NDIM; d++)
        place += int(at[d]) * args.index_step[k * NDIM + d];
    INDEX index = Index(address + uint64_t(int64_t(place) * INDEX_NBYTES)).v;
    int64_t length = args.axis_length[k], i = int64_t(index);
    // An unsigned index beyond the signed range must not come back as a negative one.
    bool wraps = index < 0 && i >= -length;
    i += wraps ? length : int64_t(0);
    if (i < 0 || i >= length) {
        if (args.bad != 0ul)
            Flag(args.bad).v = 1u;
        i = int64_t(0);
    }
    return i;
}
