// search.comp - dst[i] = how many of `sorted` come before values[i] (RIGHT: or equal it).
// Reads:  sorted, values.   Writes: dst (int64), all three contiguous.
// Push:   addresses; n_sorted; n_work: values of this dispatch.
// Before: is_nan(VALUE), is_less(VALUE, VALUE).
// Defines: VALUE (the type of both) and NBYTES of it, RIGHT (0 or 1), ITEMS.
// One invocation looks ITEMS values up, a workgroup's width apart: at most ITEMS * 64 turns.

layout(buffer_reference, scalar, buffer_reference_align = NBYTES) readonly buffer Values {
    VALUE v;
};
layout(buffer_reference, scalar, buffer_reference_align = 8) writeonly buffer Place { int64_t v; };

// NaN is behind every number.
bool is_before(VALUE a, VALUE b) { return is_less(a, b) || (is_nan(b) && !is_nan(a)); }

uint64_t find(VALUE value)
{
    uint64_t first = 0ul, n = args.n_sorted;
    while (n > 0ul) {
        uint64_t left = n >> 1;
        VALUE middle = Values(args.sorted + (first + left) * NBYTES).v;
#if RIGHT
        bool beyond = !is_before(value, middle);
#else
        bool beyond = is_before(middle, value);
#endif
        first += beyond ? left + 1ul : 0ul;
        n = beyond ? n - left - 1ul : left;
    }
    return first;
}

void main()
{
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint at = group * (gl_WorkGroupSize.x * ITEMS) + gl_LocalInvocationIndex;
    for (uint item = 0u; item < ITEMS && at < args.n_work; item++) {
        VALUE value = Values(args.values + uint64_t(at) * NBYTES).v;
        Place(args.dst + uint64_t(at) * 8).v = int64_t(find(value));
        at += gl_WorkGroupSize.x;
    }
}
