// scan_look_back.comp - what precedes a tile, found in what other workgroups tell of theirs. Comes
// before the bodies that take long rows in one pass.
// Reads:  state; the leaves, where nobody tells.   Writes: state.
// Push:   n_kept rows of n_reduced elements, n_slots tiles each; state: words that are 0 at first.
// Needs:  WORDS, the 32-bit words of a VALUE, to_words and from_words; scan_carry and scan_group.
//
// 32 tiles are a block. Told are: the total of a tile; the total of a block, by its last tile; the
// end of a block, that is the sum of the row up to there, by the same. Ends are running sums over
// totals of blocks, one by one, from wherever an end is known: so the result does not depend on who
// was first. What is told is a function of the input: whoever tells it, and however often, the
// words are the same.
//
// Nobody may count on another workgroup's progress. After SPINS turns without an answer a workgroup
// computes from the elements what it misses, and tells it. The idea is decoupled look-back (Merrill
// and Garland 2016) with the fallback of Smith, Levien and Owens (2025). At most SPINS turns, and
// 128 for each tile of the row.

#define BLOCK 32u
#define WINDOW 32u // blocks looked at, nearest first

#ifdef SILENT // for tests: every other entry is never told
#define SPINS 4u
#define IS_TOLD(entry) ((entry & 1u) != 0u)
#else
#define SPINS 256u // of about 0.3 us on a large GPU, far more than a tile takes
#define IS_TOLD(entry) true
#endif

#define NOTHING 0u
#define TOTAL 1u
#define END 2u

layout(buffer_reference, scalar, buffer_reference_align = 4) buffer State { uint words[]; };

shared VALUE near[BLOCK]; // totals of the block's tiles
shared uint n_near;       // how many of them are known
shared VALUE near_sum;    // of those before this tile
shared bool near_known;
shared VALUE far[WINDOW]; // totals of blocks
shared Carry ends[WINDOW];
shared uint kinds[WINDOW]; // which of them is known
shared Carry block_start;  // the sum of the row before this block
shared bool start_known;
shared uint n_far; // blocks to look at: up to the nearest end
shared uint first_tile;
shared VALUE told;
shared bool was_told;

// ---- What is told -----------------------------------------------------------------------------

// Half a word of the value beside a mark, in each word: no reader takes a part for the whole, in
// whatever order words arrive.
void tell(uint entry, VALUE x)
{
    State at = State(args.state + uint64_t(entry) * (8u * WORDS));
    uint w[WORDS];
    to_words(x, w);
    if (!IS_TOLD(entry))
        return;
    [[unroll]] for (uint i = 0u; i < WORDS; i++) {
        atomicStore(at.words[2u * i], (w[i] << 16) | 1u, gl_ScopeDevice, gl_StorageSemanticsNone,
                    gl_SemanticsRelaxed);
        atomicStore(at.words[2u * i + 1u], (w[i] & 0xffff0000u) | 1u, gl_ScopeDevice,
                    gl_StorageSemanticsNone, gl_SemanticsRelaxed);
    }
}

bool hear(uint entry, out VALUE x)
{
    State at = State(args.state + uint64_t(entry) * (8u * WORDS));
    uint w[WORDS], marks = 1u;
    [[unroll]] for (uint i = 0u; i < WORDS; i++) {
        uint low = atomicLoad(at.words[2u * i], gl_ScopeDevice, gl_StorageSemanticsNone,
                              gl_SemanticsRelaxed);
        uint high = atomicLoad(at.words[2u * i + 1u], gl_ScopeDevice, gl_StorageSemanticsNone,
                               gl_SemanticsRelaxed);
        w[i] = (low >> 16) | (high & 0xffff0000u);
        marks &= low & high;
    }
    x = from_words(w);
    return marks != 0u;
}

uint n_blocks() { return (args.n_slots + BLOCK - 1u) / BLOCK; }

uint tile_entry(uint row, uint tile) { return row * args.n_slots + tile; }

uint block_entry(uint row, uint block)
{
    return args.n_kept * args.n_slots + row * n_blocks() + block;
}

uint end_entry(uint row, uint block)
{
    return args.n_kept * (args.n_slots + n_blocks()) + CARRIED * (row * n_blocks() + block);
}

void tell_end(uint row, uint block, Carry end)
{
    uint entry = end_entry(row, block);
    tell(entry, end.high);
#ifdef COMPENSATED
    tell(entry + 1u, end.low);
#endif
}

bool hear_end(uint row, uint block, out Carry end)
{
    uint entry = end_entry(row, block);
    bool heard = hear(entry, end.high);
#ifdef COMPENSATED
    heard = hear(entry + 1u, end.low) && heard;
#endif
    return heard;
}

// ---- Looking back -----------------------------------------------------------------------------

// The first n totals of the block, in a fixed order.
VALUE add_near(uint n)
{
    VALUE sum[4] = {NEUTRAL, NEUTRAL, NEUTRAL, NEUTRAL};
    for (uint i = 0u; i < BLOCK; i += 4u) {
        [[unroll]] for (uint j = 0u; j < 4u; j++)
            sum[j] = i + j < n ? combine(sum[j], near[i + j]) : sum[j];
    }
    return combine(combine(sum[0], sum[1]), combine(sum[2], sum[3]));
}

// The sum of the row before `block`, if the window shows an end and all totals since.
bool add_far(uint row, out Carry run)
{
    uint back = 0u;
    while (back < WINDOW - 1u && kinds[back] == TOTAL)
        back++;
    run = ends[back];
    if (kinds[back] != END)
        return false;
    for (; back > 0u; back--)
        carry_add(run, far[back - 1u]);
    return true;
}

// As many of the nearest blocks reach to an end.
uint count_far()
{
    uint n = 0u;
    while (n < WINDOW && kinds[n] != END)
        n++;
    return min(n + 1u, WINDOW);
}

// One look at everything this tile waits for and does not know yet: what is known is not read
// again, else the waiting take the memory's time from those they wait for.
void look(uint row, uint block, uint place, VALUE total, inout uint known)
{
    if (ME < BLOCK) {
        VALUE x;
        if (known == NOTHING && hear(tile_entry(row, block * BLOCK + ME), x)) {
            near[ME] = x;
            atomicAdd(n_near, 1u);
            known = TOTAL;
        }
    } else if (ME - BLOCK < n_far && known != END) {
        uint back = ME - BLOCK;
        VALUE x = NEUTRAL;
        Carry end = carry_start(row);
        if (back >= block || hear_end(row, block - 1u - back, end)) {
            known = END;
            ends[back] = end;
        } else if (known == NOTHING && hear(block_entry(row, block - 1u - back), x)) {
            known = TOTAL;
            far[back] = x;
        }
        kinds[back] = known;
    }
    barrier();
    if (ME == 0u && !start_known) {
        Carry run;
        start_known = add_far(row, run);
        block_start = run;
        n_far = start_known ? 0u : count_far();
    } else if (ME == GROUP - 1u && !near_known && n_near == place) {
        near_known = true;
        near_sum = add_near(place);
        if (place == BLOCK - 1u)
            tell(block_entry(row, block), combine(near_sum, total));
    }
    barrier();
}

// ---- Where nobody tells -----------------------------------------------------------------------

VALUE find_tile(uint row, uint tile, int at[OPERANDS])
{
    uint entry = tile_entry(row, tile);
    barrier();
    if (ME == 0u) {
        VALUE x;
        was_told = hear(entry, x);
        told = x;
    }
    barrier();
    if (was_told)
        return told;
    HELD v[BATCHES][4], before[BATCHES];
    tile_load(tile * TILE, args.n_reduced, at, v);
    VALUE total = tile_scan(v, before);
    if (ME == 0u)
        tell(entry, total);
    return total;
}

// What precedes the tile, from the nearest end that was told.
void find_all(uint row, uint tile, int at[OPERANDS])
{
    if (ME == 0u) {
        uint block = tile / BLOCK;
        Carry run;
        while (block > 0u && !hear_end(row, block - 1u, run))
            block--;
        block_start = block > 0u ? run : carry_start(row);
        first_tile = block * BLOCK;
    }
    barrier();
    for (uint t = first_tile; t < tile; t++) {
        VALUE x = find_tile(row, t, at);
        if (ME > 0u)
            continue;
        near[t % BLOCK] = x;
        if (t % BLOCK == BLOCK - 1u) {
            carry_add(block_start, combine(add_near(BLOCK - 1u), x));
            tell_end(row, t / BLOCK, block_start);
        }
    }
    if (ME == 0u)
        near_sum = add_near(tile % BLOCK);
    barrier();
}

// ---- Both -------------------------------------------------------------------------------------

// The sum of the row before the tile, whose total is `total`. In uniform control flow, once.
Carry look_back(uint row, uint tile, VALUE total, int at[OPERANDS])
{
    uint block = tile / BLOCK, place = tile % BLOCK;
    if (ME < WINDOW)
        kinds[ME] = NOTHING;
    if (ME == 0u) {
        n_near = 0u;
        n_far = WINDOW;
        near_known = start_known = false;
        tell(tile_entry(row, tile), total);
    }
    barrier();
    uint known = ME < BLOCK && ME >= place ? TOTAL : NOTHING;
    for (uint turn = 0u; turn < SPINS; turn++) {
        look(row, block, place, total, known);
        if (near_known && start_known)
            break;
    }
    if (!near_known || !start_known)
        find_all(row, tile, at);

    Carry run = block_start;
    if (ME == 0u && place == BLOCK - 1u) {
        carry_add(run, combine(near_sum, total));
        tell_end(row, block, run);
        run = block_start;
    }
    carry_add(run, near_sum);
    return run;
}
