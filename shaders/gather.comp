// gather.comp - dst[o, j, i] = src[o, index[j], i], in words: elements, or longer runs of
// neighbours.
// Reads:  src, index.   Writes: dst (contiguous), *bad (the lowest j whose index is out of range).
// Push:   addresses; step_*: bytes from a word of src to the next along each axis; axis_length;
//         n_work: words of dst; inner, count: lengths of i and j, as divisors.
// Defines: WORD (uint8_t .. uvec4), NBYTES of it, INDEX and INDEX_NBYTES, ITEMS.
// One invocation moves ITEMS words, a workgroup's width apart: at most ITEMS turns. A bad index
// moves the word at 0: the host raises before anyone sees the result.

layout(buffer_reference, scalar, buffer_reference_align = NBYTES) buffer Words { WORD v; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Flag { uint v; };
layout(buffer_reference, scalar, buffer_reference_align = INDEX_NBYTES) readonly buffer Index {
    INDEX v;
};

// (n / divisor, n % divisor) for n < 2^31: tensor/layout.h, vkt_fastdiv.
uvec2 divide(uint n, uint divisor, uint multiplier, uint shift)
{
    uint high, low;
    umulExtended(n, multiplier, high, low);
    uint q = (high + n) >> shift;
    return uvec2(q, n - q * divisor);
}

void main()
{
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint at = group * (gl_WorkGroupSize.x * ITEMS) + gl_LocalInvocationIndex;
    for (uint item = 0u; item < ITEMS && at < args.n_work; item++) {
        uvec2 row = divide(at, args.inner, args.inner_multiplier, args.inner_shift);
        uvec2 place = divide(row.x, args.count, args.count_multiplier, args.count_shift);
        INDEX index = Index(args.index + uint64_t(place.y) * INDEX_NBYTES).v;
        int64_t i = int64_t(index);
        // An unsigned index beyond the signed range must not come back as a negative one.
        bool wraps = index < 0 && i >= -args.axis_length;
        i += wraps ? args.axis_length : int64_t(0);
        if (i < 0 || i >= args.axis_length) {
            atomicMin(Flag(args.bad).v, place.y);
            i = int64_t(0);
        }
        int64_t from = int64_t(place.x) * args.step_outer + i * args.step_axis;
        from += int64_t(row.y) * args.step_inner;
        Words(args.dst + uint64_t(at) * NBYTES).v = Words(args.src + uint64_t(from)).v;
        at += gl_WorkGroupSize.x;
    }
}
