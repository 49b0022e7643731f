// gather.comp - result = x[indices]: moves words of 1 to 16 bytes; with MODE CHECK, only looks at
// the indices. Follows index_walk.comp and read_indices, generated.
// Reads:  x, indices.   Writes: other (the result, contiguous), *bad.
// One invocation moves ITEMS words, a workgroup's width apart: at most ITEMS turns.

void main()
{
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint n = group * (gl_WorkGroupSize.x * ITEMS) + gl_LocalInvocationIndex;
    for (uint item = 0u; item < ITEMS && n < args.n_work; item++) {
        uint at[NDIM];
        int64_t i[INDICES];
        find_coordinates(n, at);
        read_indices(at, i);
#ifdef MOVES
        int64_t from = 0;
        [[unroll]] for (int d = 0; d < NDIM; d++)
            from += int64_t(at[d]) * args.x_step[d];
        [[unroll]] for (int k = 0; k < INDICES; k++)
            from += i[k] * args.axis_step[k];
        Words(args.other + uint64_t(n) * NBYTES).v = Words(args.x + uint64_t(from)).v;
#endif
        n += gl_WorkGroupSize.x;
    }
}
