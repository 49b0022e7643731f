// matmul_sum.comp - adds the partial sums of n_merge neighbouring slices of K, in order.
// Reads:  src: n_slices parts of n_elems accumulators.   Writes: dst: ceil(n_slices / n_merge) such
//         parts, or the result.
// Push:   src, dst, n_elems; n_slices, n_merge; last (dst is the result).   Defines: as
//         matmul_types.comp.
// One invocation makes one element: at most n_merge turns.

layout(buffer_reference, scalar, buffer_reference_align = 4) readonly buffer Part { ACC v; };
layout(buffer_reference, scalar, buffer_reference_align = 4) writeonly buffer PutPart { ACC v; };
layout(buffer_reference, scalar, buffer_reference_align = 1) writeonly buffer PutOut { OUT v; };

void main()
{
    uint64_t i = uint64_t(gl_WorkGroupID.y) * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    i = i * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
    uint n_parts = (args.n_slices + args.n_merge - 1u) / args.n_merge;
    if (i >= args.n_elems * n_parts)
        return;
    uint64_t at = i % args.n_elems;
    uint first = uint(i / args.n_elems) * args.n_merge;
    uint end = min(args.n_slices, first + args.n_merge);
    ACC sum = Part(args.src + (first * args.n_elems + at) * ACC_SIZE).v;
    for (uint s = first + 1u; s < end; s++)
        sum += Part(args.src + (s * args.n_elems + at) * ACC_SIZE).v;
    if (args.last != 0u)
        PutOut(args.dst + i * SIZE).v = NARROW(sum);
    else
        PutPart(args.dst + i * ACC_SIZE).v = sum;
}
