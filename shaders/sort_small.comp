// sort_small.comp - sorts short rows: each element counts those that come before it.
// Reads:  src.   Writes: dst, dst_index.   After: sort_element.comp.
// Push:   n_rows * n elements.   Defines: ITEMS.
// One invocation places ITEMS elements, a workgroup's width apart: at most ITEMS * n turns.

void main()
{
    uint at = group_number() * (gl_WorkGroupSize.x * ITEMS) + gl_LocalInvocationIndex;
    for (uint item = 0u; item < ITEMS && at < args.n_rows * args.n; item++) {
        uint row = at / args.n, place = at - row * args.n, before = 0u;
        uint64_t first = uint64_t(row) * args.n;
        KEY element = load(first + place), key = key_of(element);
        for (uint i = 0u; i < args.n; i++) {
            KEY other = key_of(load(first + i));
            before += uint(other < key || (other == key && i < place));
        }
        store(first + before, element);
#ifdef INDEXED
        store_index(first + before, place);
#endif
        at += gl_WorkGroupSize.x;
    }
}
