// scatter.comp - x[indices] = value, the last of equal places winning. Follows index_walk.comp and
// read_indices, generated.
// With STAKES, each position stakes its claim: a place of x remembers the last position that wants
//         it, an atomic maximum. With MOVES, values are written, where CLAIMS by winners only.
// Reads:  other (the value), indices, *bad, claims.   Writes: x; claims and *bad with STAKES.
// Push:   further position, target: numbers of the first one; position_step, target_step;
//         axis_scale: targets between values of each index. HASHED: hash_mask: pairs - 1.
// Defines: HASHED: claims are a table of (target + 1, position + 1), half empty, searched from the
//         target's hash on; else a word for each target.
// Positions and targets outside 0 .. 2^31 - 1 are another launch's.
// One invocation takes ITEMS elements, a workgroup's width apart: at most ITEMS * PROBES turns.

#define PROBES 256u

layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer Claim { uint v; };

#ifdef CLAIMS
// False where another launch sees to the element.
bool find_claim(uint at[NDIM], int64_t i[INDICES], out uint position, out uint target)
{
    int64_t p = args.position, t = args.target;
    [[unroll]] for (int d = 0; d < NDIM; d++) {
        p += int64_t(at[d]) * args.position_step[d];
        t += int64_t(at[d]) * args.target_step[d];
    }
    [[unroll]] for (int k = 0; k < INDICES; k++)
        t += i[k] * args.axis_scale[k];
    position = uint(p) + 1u;
    target = uint(t) + 1u;
    return uint64_t(p) < 0x80000000ul && uint64_t(t) < 0x80000000ul;
}

#ifdef HASHED
// Finalizer of MurmurHash3 (Appleby, public domain).
uint hash(uint x)
{
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x ^ x >> 16;
}

uint64_t pair_at(uint slot) { return args.claims + uint64_t(slot & args.hash_mask) * 8ul; }
#endif
#endif

#ifdef STAKES
void stake(uint position, uint target)
{
#ifdef HASHED
    uint slot = hash(target);
    for (uint probe = 0u; probe < PROBES; probe++, slot++) {
        uint owner = atomicCompSwap(Claim(pair_at(slot)).v, 0u, target);
        if (owner == 0u || owner == target) {
            atomicMax(Claim(pair_at(slot) + 4ul).v, position);
            return;
        }
    }
    atomicMax(Claim(args.bad).v, 2u);
#else
    atomicMax(Claim(args.claims + uint64_t(target - 1u) * 4ul).v, position);
#endif
}
#elif defined(CLAIMS)
bool wins(uint position, uint target)
{
#ifdef HASHED
    uint slot = hash(target);
    for (uint probe = 0u; probe < PROBES; probe++, slot++) {
        if (Claim(pair_at(slot)).v == target)
            return Claim(pair_at(slot) + 4ul).v == position;
    }
    return false;
#else
    return Claim(args.claims + uint64_t(target - 1u) * 4ul).v == position;
#endif
}
#endif

#ifdef MOVES
void move(uint at[NDIM], int64_t i[INDICES])
{
    int64_t from = 0, to = 0;
    [[unroll]] for (int d = 0; d < NDIM; d++) {
        from += int64_t(at[d]) * args.other_step[d];
        to += int64_t(at[d]) * args.x_step[d];
    }
    [[unroll]] for (int k = 0; k < INDICES; k++)
        to += i[k] * args.axis_step[k];
    Words(args.x + uint64_t(to)).v = Words(args.other + uint64_t(from)).v;
}
#endif

void take(uint n)
{
    uint at[NDIM];
    int64_t i[INDICES];
    find_coordinates(n, at);
    read_indices(at, i);
    bool mine = true;
#ifdef CLAIMS
    uint position, target;
    mine = find_claim(at, i, position, target);
#ifdef STAKES
    if (mine)
        stake(position, target);
#else
    mine = mine && wins(position, target);
#endif
#endif
#ifdef MOVES
    if (mine)
        move(at, i);
#endif
}

void main()
{
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint n = group * (gl_WorkGroupSize.x * ITEMS) + gl_LocalInvocationIndex;
    uint end = args.n_work;
#ifdef MOVES
    if (args.bad != 0ul)
        end = Flag(args.bad).v != 0u ? 0u : end;
#endif
    for (uint item = 0u; item < ITEMS && n < end; item++) {
        take(n);
        n += gl_WorkGroupSize.x;
    }
}
