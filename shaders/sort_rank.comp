// sort_rank.comp - sorts a workgroup's elements by one digit, in shared memory.
// After: sort_element.comp.
// Defines: GROUP, SUBGROUP, ITEMS (elements an invocation holds), POOL: the larger of GROUP * ITEMS
//         and RADIX * GROUP / SUBGROUP.
//
// A tile is GROUP * ITEMS elements; a subgroup holds neighbours, item by item, so that loads and
// stores run along memory. Elements with one digit find each other by ballots, their number before
// this subgroup by a table of counts, as in Onesweep (Adinets and Merrill 2022). The order of
// equal digits is kept.

#define TILE (GROUP * ITEMS)
#define SUBGROUPS (GROUP / SUBGROUP)
#define LANE gl_SubgroupInvocationID
#define ME (gl_SubgroupID * SUBGROUP + LANE)
// Digits an invocation looks after: OWN from ME * OWN on, if there are as many.
#define OWN ((RADIX + GROUP - 1u) / GROUP)
#define IS_OWNER (ME * OWN < RADIX)

#if SUBGROUP > 32
#define LANES uvec2
#define PART(ballot) (ballot).xy
#define COUNT_LANES(lanes) uint(bitCount((lanes).x) + bitCount((lanes).y))
#define FIRST_LANE(lanes) uint((lanes).x != 0u ? findLSB((lanes).x) : 32 + findLSB((lanes).y))
#else
#define LANES uint
#define PART(ballot) (ballot).x
#define COUNT_LANES(lanes) uint(bitCount(lanes))
#define FIRST_LANE(lanes) uint(findLSB(lanes))
#endif

shared uint pool[POOL];
shared uint starts[RADIX];
shared uint parts[SUBGROUPS];

// The sum over invocations before this one. A barrier must follow before the next call.
uint add_before(uint x)
{
    uint sum = subgroupInclusiveAdd(x), before = 0u;
    if (LANE == SUBGROUP - 1u)
        parts[gl_SubgroupID] = sum;
    barrier();
    for (uint i = 0u; i < SUBGROUPS; i++)
        before += i < gl_SubgroupID ? parts[i] : 0u;
    return before + sum - x;
}

uint place_of(uint item) { return (gl_SubgroupID * ITEMS + item) * SUBGROUP + LANE; }

LANES find_peers(uint digit)
{
    LANES peers = PART(subgroupBallot(true));
    [[unroll]] for (uint bit = 0u; bit < BITS; bit++) {
        bool is_set = (digit >> bit & 1u) != 0u;
        LANES votes = PART(subgroupBallot(is_set));
        peers &= is_set ? votes : ~votes;
    }
    return peers;
}

// Where each element of the tile goes; leaves in `starts` where each digit's elements begin, and in
// `n_own` how many there are of this invocation's digits.
void rank(uint digit[ITEMS], out uint to[ITEMS], out uint n_own[OWN])
{
    uint table = gl_SubgroupID * RADIX, sum = 0u;
    for (uint i = ME; i < SUBGROUPS * RADIX; i += GROUP)
        pool[i] = 0u;
    barrier();
    [[unroll]] for (uint i = 0u; i < ITEMS; i++) {
        LANES peers = find_peers(digit[i]);
        uint before = COUNT_LANES(peers & PART(gl_SubgroupLtMask)), seen = 0u;
        if (before == 0u)
            seen = atomicAdd(pool[table + digit[i]], COUNT_LANES(peers));
        to[i] = subgroupShuffle(seen, FIRST_LANE(peers)) + before;
        controlBarrier(gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared,
                       gl_SemanticsAcquireRelease);
    }
    barrier();
    [[unroll]] for (uint own = 0u; own < OWN; own++) {
        n_own[own] = 0u;
        for (uint i = 0u; i < SUBGROUPS && IS_OWNER; i++) {
            uint at = i * RADIX + ME * OWN + own, n = pool[at];
            pool[at] = n_own[own];
            n_own[own] += n;
        }
        sum += n_own[own];
    }
    uint start = add_before(sum);
    [[unroll]] for (uint own = 0u; own < OWN && IS_OWNER; own++) {
        starts[ME * OWN + own] = start;
        start += n_own[own];
    }
    barrier();
    [[unroll]] for (uint i = 0u; i < ITEMS; i++)
        to[i] += starts[digit[i]] + pool[table + digit[i]];
    barrier();
}

void exchange(uint to[ITEMS], inout uint word[ITEMS])
{
    [[unroll]] for (uint i = 0u; i < ITEMS; i++)
        pool[to[i]] = word[i];
    barrier();
    [[unroll]] for (uint i = 0u; i < ITEMS; i++)
        word[i] = pool[place_of(i)];
    barrier();
}

void exchange_elements(uint to[ITEMS], inout KEY element[ITEMS])
{
    uint word[ITEMS];
    [[unroll]] for (uint i = 0u; i < ITEMS; i++)
        word[i] = uint(element[i]);
    exchange(to, word);
#if NBYTES == 8
    uint high[ITEMS];
    [[unroll]] for (uint i = 0u; i < ITEMS; i++)
        high[i] = uint(element[i] >> 32);
    exchange(to, high);
    [[unroll]] for (uint i = 0u; i < ITEMS; i++)
        element[i] = pack64(uvec2(word[i], high[i]));
#else
    [[unroll]] for (uint i = 0u; i < ITEMS; i++)
        element[i] = word[i];
#endif
}

// Elements beyond the end come last: they have the last digit, and others of it were before them.
void load_tile(uint64_t start, uint first, out KEY element[ITEMS])
{
    [[unroll]] for (uint i = 0u; i < ITEMS; i++) {
        uint place = first + place_of(i);
        element[i] = place < args.n ? load(start + place) : KEY(0);
    }
}
