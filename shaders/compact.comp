// compact.comp - counts the elements of each tile whose flag is set, or moves them to where the
// tiles before end. Follows flag_at(int i), generated.
// Reads:  the leaves; MOVES: ends (of all tiles, int64), src unless INDICES.   Writes: dst, or
//         without MOVES ends (each tile's own number).
// Push:   ends, src, dst: addresses; first: number of element 0; n: elements; tile0: number of the
//         first tile.
// Defines: TILE; MOVES, INDICES; WORD and NBYTES of what is moved; GROUP, ITEMS with GROUPED.
// GROUPED: a workgroup takes a tile, each subgroup ITEMS neighbouring runs of its own width, ranked
//         by ballots; ITEMS turns. Else an invocation takes a tile, TILE turns.

layout(buffer_reference, scalar, buffer_reference_align = 8) buffer Ends { int64_t v; };
#ifdef MOVES
layout(buffer_reference, scalar, buffer_reference_align = NBYTES) buffer Words { WORD v; };

void keep(uint i, uint64_t to)
{
#ifdef INDICES
    Words(args.dst + to * NBYTES).v = args.first + int64_t(i);
#else
    Words(args.dst + to * NBYTES).v = Words(args.src + uint64_t(i) * NBYTES).v;
#endif
}
#endif

uint64_t before(uint tile)
{
    return tile == 0u ? 0ul : uint64_t(Ends(args.ends + uint64_t(tile - 1u) * 8ul).v);
}

void set_count(uint tile, uint count)
{
    Ends(args.ends + uint64_t(tile) * 8ul).v = int64_t(count);
}

#ifdef GROUPED
shared uint totals[GROUP];

void main()
{
    uint tile = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint run = gl_SubgroupSize;
    uint at = tile * TILE + gl_SubgroupID * (run * ITEMS) + gl_SubgroupInvocationID;
    uvec4 ballots[ITEMS];
    uint total = 0u;
    bool flags[ITEMS];
    [[unroll]] for (uint k = 0u; k < ITEMS; k++) {
        flags[k] = false;
        if (at + k * run < args.n)
            flags[k] = flag_at(int(at + k * run));
    }
    [[unroll]] for (uint k = 0u; k < ITEMS; k++) {
        ballots[k] = subgroupBallot(flags[k]);
        total += subgroupBallotBitCount(ballots[k]);
    }
    if (gl_SubgroupInvocationID == 0u)
        totals[gl_SubgroupID] = total;
    barrier();
    if (tile * TILE >= args.n)
        return;
#ifdef MOVES
    uint64_t to = before(args.tile0 + tile);
    for (uint s = 0u; s < gl_SubgroupID; s++)
        to += uint64_t(totals[s]);
    [[unroll]] for (uint k = 0u; k < ITEMS; k++) {
        if (flags[k])
            keep(at + k * run, to + uint64_t(subgroupBallotExclusiveBitCount(ballots[k])));
        to += uint64_t(subgroupBallotBitCount(ballots[k]));
    }
#else
    if (gl_LocalInvocationIndex == 0u) {
        for (uint s = 1u; s < gl_NumSubgroups; s++)
            total += totals[s];
        set_count(args.tile0 + tile, total);
    }
#endif
}
#else
void main()
{
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint tile = group * gl_WorkGroupSize.x + gl_LocalInvocationIndex;
    uint begin = tile * TILE;
    uint end = min(begin + TILE, args.n);
    if (begin >= args.n)
        return;
#ifdef MOVES
    uint64_t to = before(args.tile0 + tile);
    for (uint i = begin; i < end; i++) {
        if (flag_at(int(i))) {
            keep(i, to);
            to++;
        }
    }
#else
    uint count = 0u;
    for (uint i = begin; i < end; i++)
        count += flag_at(int(i)) ? 1u : 0u;
    set_count(args.tile0 + tile, count);
#endif
}
#endif
