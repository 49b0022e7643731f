// reduce_state.comp - what a lane accumulates, what it ends as, and how two of those merge.
// Comes before every reduce_*.comp.
// Needs:  VALUE, RESULT, and one of
//         PLAIN    combine(x, y), NEUTRAL       sums, products, extremes, truth
//         INDEX    better(x, y), NEUTRAL        the place of an extreme: first index, first NaN
//                  RANKED: no element is the neutral one
//         MOMENTS  FINITE(x), NOT_A_NUMBER      count, mean and squared deviations, merged as Chan,
//                                               Golub and LeVeque (1983) do
//         TREE: lanes of a workgroup merge, in shared memory of GROUP accumulators.
//         BLOCKED: lanes make more than 2^BLOCK_LOG2 turns (rows), or BLOCK (columns).
//         LANES: the walk is reduce_stream.comp's, which needs no more than the functions of lanes.
//         What follows this file defines RESULT finish(Acc).
// A lane takes batches of four elements; which elements, and in which order, never depends on how
// they were loaded.

#if defined(PLAIN)
struct Acc { VALUE value; };
struct Lane { VALUE value[4]; };

Acc acc_empty() { return Acc(NEUTRAL); }

Acc acc_merge(Acc x, Acc y) { return Acc(combine(x.value, y.value)); }

void lane_start(out Lane lane)
{
    [[unroll]] for (int j = 0; j < 4; j++)
        lane.value[j] = NEUTRAL;
}

void lane_take(inout Lane lane, VALUE v[4], uint first, uint step)
{
    [[unroll]] for (int j = 0; j < 4; j++)
        lane.value[j] = combine(lane.value[j], v[j]);
}

// Four batches at once, added up among themselves first: a quarter of the steps in which an error
// can grow.
void lane_take_four(inout Lane lane, VALUE v[4][4], uint first, uint apart)
{
    [[unroll]] for (int j = 0; j < 4; j++) {
        VALUE all = combine(combine(v[0][j], v[1][j]), combine(v[2][j], v[3][j]));
        lane.value[j] = combine(lane.value[j], all);
    }
}

void lane_take_some(inout Lane lane, VALUE v[4], uint count, uint first, uint step)
{
    [[unroll]] for (int j = 0; j < 3; j++) {
        if (uint(j) < count)
            lane.value[j] = combine(lane.value[j], v[j]);
    }
}

void lane_join(inout Lane lane, Lane block)
{
    [[unroll]] for (int j = 0; j < 4; j++)
        lane.value[j] = combine(lane.value[j], block.value[j]);
}

Acc lane_close(Lane lane)
{
    VALUE low = combine(lane.value[0], lane.value[1]);
    return Acc(combine(low, combine(lane.value[2], lane.value[3])));
}

#elif defined(INDEX)
struct Acc { VALUE value; int64_t index; };
struct Lane { VALUE value[4]; uint index[4]; };

// No element has this index: any element is taken before the neutral one.
#define NOWHERE 0xffffffffu

Acc acc_empty() { return Acc(NEUTRAL, int64_t(0x7fffffffffffffffL)); }

Acc acc_merge(Acc x, Acc y)
{
    bool second = better(y.value, x.value) || (!better(x.value, y.value) && y.index < x.index);
    return Acc(second ? y.value : x.value, second ? y.index : x.index);
}

void lane_start(out Lane lane)
{
    [[unroll]] for (int j = 0; j < 4; j++) {
        lane.value[j] = NEUTRAL;
        lane.index[j] = NOWHERE;
    }
}

void lane_take_one(inout Lane lane, int j, VALUE v, uint index)
{
    bool taken = better(v, lane.value[j]);
#ifndef RANKED // every rank beats the neutral one
    taken = taken || lane.index[j] == NOWHERE;
#endif
    lane.value[j] = taken ? v : lane.value[j];
    lane.index[j] = taken ? index : lane.index[j];
}

void lane_take(inout Lane lane, VALUE v[4], uint first, uint step)
{
    [[unroll]] for (int j = 0; j < 4; j++)
        lane_take_one(lane, j, v[j], first + uint(j) * step);
}

void lane_take_some(inout Lane lane, VALUE v[4], uint count, uint first, uint step)
{
    [[unroll]] for (int j = 0; j < 3; j++) {
        if (uint(j) < count)
            lane_take_one(lane, j, v[j], first + uint(j) * step);
    }
}

Acc lane_close(Lane lane)
{
    Acc acc = acc_empty();
    [[unroll]] for (int j = 0; j < 4; j++) {
        if (lane.index[j] != NOWHERE)
            acc = acc_merge(acc, Acc(lane.value[j], args.index0 + int64_t(lane.index[j])));
    }
    return acc;
}

#elif defined(MOMENTS)
// The mean is kept relative to `pivot`, the lane's first element: deviations of data far from zero
// keep all their bits.
struct Acc { VALUE count; VALUE pivot; VALUE mean; VALUE squares; };
struct Lane { Acc acc; };

Acc acc_empty() { return Acc(VALUE(0), VALUE(0), VALUE(0), VALUE(0)); }

Acc acc_merge(Acc x, Acc y)
{
    VALUE count = x.count + y.count;
    VALUE share = y.count / max(count, VALUE(1));
    VALUE apart = (y.pivot - x.pivot) + (y.mean - x.mean);
    VALUE squares = x.squares + y.squares + apart * apart * (x.count * share);
    Acc both = Acc(count, x.pivot, x.mean + apart * share, squares);
    if (y.count == VALUE(0))
        both = x;
    if (x.count == VALUE(0))
        both = y;
    return both;
}

void lane_start(out Lane lane) { lane.acc = acc_empty(); }

void lane_take(inout Lane lane, VALUE v[4], uint first, uint step)
{
    VALUE pivot = lane.acc.count == VALUE(0) ? v[0] : lane.acc.pivot;
    [[unroll]] for (int j = 0; j < 4; j++)
        v[j] = v[j] - pivot;
    VALUE mean = ((v[0] + v[1]) + (v[2] + v[3])) * VALUE(0.25);
    [[unroll]] for (int j = 0; j < 4; j++)
        v[j] = v[j] - mean;
    VALUE squares = (v[0] * v[0] + v[1] * v[1]) + (v[2] * v[2] + v[3] * v[3]);
    VALUE count = lane.acc.count + VALUE(4);
    VALUE share = VALUE(4) / count;
    VALUE apart = mean - lane.acc.mean;
    lane.acc.squares = lane.acc.squares + squares + apart * apart * (lane.acc.count * share);
    lane.acc.mean = lane.acc.mean + apart * share;
    lane.acc.count = count;
    lane.acc.pivot = pivot;
}

void lane_take_some(inout Lane lane, VALUE v[4], uint count, uint first, uint step)
{
    [[unroll]] for (int j = 0; j < 3; j++) {
        if (uint(j) < count)
            lane.acc = acc_merge(lane.acc, Acc(VALUE(1), v[j], VALUE(0), VALUE(0)));
    }
}

Acc lane_close(Lane lane) { return lane.acc; }

void lane_join(inout Lane lane, Lane block) { lane.acc = acc_merge(lane.acc, block.acc); }

#ifndef LANES
// An infinite element leaves no mean to deviate from.
VALUE moments_variance(Acc acc)
{
    VALUE spread = FINITE(acc.pivot) && FINITE(acc.mean) ? acc.squares : NOT_A_NUMBER;
    return spread / args.divisor;
}
#endif
#endif

#ifndef PLAIN
void lane_take_four(inout Lane lane, VALUE v[4][4], uint first, uint apart)
{
    [[unroll]] for (uint q = 0u; q < 4u; q++)
        lane_take(lane, v[q], first + q * apart, 1u);
}
#endif

// Longer loops add up blocks of this many turns, and blocks of blocks, so that rounding errors grow
// as in a tree: 15 roundings for 4 doublings are within the bound of 2 log2(n) eps.
#define BLOCK 16u

layout(buffer_reference, scalar, buffer_reference_align = 8) buffer Partials { Acc acc[]; };

#ifndef LANES
Acc partial(uint kept, uint slot)
{
    return Partials(args.partials).acc[kept * args.row_step + slot * args.slot_step];
}

void put_partial(uint kept, uint slot, Acc acc)
{
    uint at = kept * args.row_step + (args.slot0 + slot) * args.slot_step;
    Partials(args.partials).acc[at] = acc;
}

#ifdef TREE
shared Acc tree[GROUP];

#ifdef SUBGROUPS
#define ME (gl_SubgroupID * gl_SubgroupSize + gl_SubgroupInvocationID)
#else
#define ME gl_LocalInvocationIndex
#endif

// Merges the accumulators of n (a power of two) invocations that lie `apart` from each other;
// `place` counts them. Place 0 gets the result. The order is the same whatever the subgroup's size.
Acc tree_merge(Acc acc, uint place, uint n, uint apart)
{
    uint me = ME;
    tree[me] = acc;
    barrier();
    for (uint reach = n >> 1; reach > 0u; reach >>= 1) {
        if (place < reach) {
            acc = acc_merge(acc, tree[me + reach * apart]);
            tree[me] = acc;
        }
#ifdef SUBGROUPS
        // Once the reader and all it reads lie in one subgroup, the others need not be waited for.
        if (reach * apart < gl_SubgroupSize) {
            subgroupMemoryBarrierShared();
            subgroupBarrier();
            continue;
        }
#endif
        barrier();
    }
    return acc;
}
#else
#define ME gl_LocalInvocationIndex
#endif

uint group_number() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }
#endif
