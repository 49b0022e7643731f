// scan_tile.comp - scans long rows: a workgroup takes a chunk of a row, tile by tile of 16 * GROUP
// elements.
// Reads:  the leaves, through load and load_one, and the totals of earlier chunks.   Writes: out0,
//         next.
// Push:   n_kept rows of n_reduced elements in chunks; slot0: totals of earlier pieces that lie
//         before this piece's.
// An invocation holds four batches of four elements; the sums of all batches are scanned in shared
// memory, always in the same order. At most chunk / (16 GROUP) + n_slots / GROUP + 2 log2(GROUP)
// turns a tile.

shared VALUE sums[4u * GROUP];
shared VALUE parts[GROUP];

// Inclusive scan of `parts`, in place.
void scan_parts()
{
    barrier();
    for (uint apart = 1u; apart < GROUP; apart <<= 1) {
        VALUE x = parts[ME];
        if (ME >= apart)
            x = combine(parts[ME - apart], x);
        barrier();
        parts[ME] = x;
        barrier();
    }
}

// The sum of what lies before the chunk.
void add_totals(uint row, uint chunk, inout Carry run)
{
    uint n = args.slot0 + chunk;
    if (n == 0u)
        return;
    VALUE sum = NEUTRAL;
    for (uint slot = ME; slot < n; slot += GROUP)
        sum = combine(sum, total_of(row, slot));
    parts[ME] = sum;
    scan_parts();
    carry_add(run, parts[GROUP - 1u]);
    barrier();
}

// Replaces each batch's sum by the sum of all batches before it; gives the sum of all.
VALUE scan_sums()
{
    VALUE inner[4];
    barrier();
    inner[0] = sums[4u * ME];
    [[unroll]] for (uint i = 1u; i < 4u; i++)
        inner[i] = combine(inner[i - 1u], sums[4u * ME + i]);
    parts[ME] = inner[3];
    scan_parts();
    VALUE before = NEUTRAL;
    if (ME > 0u)
        before = parts[ME - 1u];
    sums[4u * ME] = before;
    [[unroll]] for (uint i = 1u; i < 4u; i++)
        sums[4u * ME + i] = combine(before, inner[i - 1u]);
    barrier();
    return parts[GROUP - 1u];
}

void main()
{
    uint row = group_number();
    uint chunk = gl_WorkGroupID.z;
    if (row >= args.n_kept)
        return;
    uint begin = chunk * args.chunk;
    uint end = min(begin + args.chunk, args.n_reduced);
    int at[OPERANDS];
    kept_at(row, at);

    Carry run = carry_start();
    add_totals(row, chunk, run);
    if (ME == 0u)
        store_initial(chunk, at);
    for (uint tile = begin; tile < end; tile += 16u * GROUP) {
        VALUE v[4][4];
        [[unroll]] for (uint q = 0u; q < 4u; q++) {
            uint r = tile + (q * GROUP + ME) * 4u;
            if (r + 4u <= end) {
                load(r, at, v[q]);
            } else {
                [[unroll]] for (uint j = 0u; j < 4u; j++) {
                    v[q][j] = NEUTRAL;
                    if (r + j < end)
                        load_one(r + j, at, v[q][j]);
                }
            }
            [[unroll]] for (uint j = 1u; j < 4u; j++)
                v[q][j] = combine(v[q][j - 1u], v[q][j]);
            sums[q * GROUP + ME] = v[q][3];
        }
        VALUE total = scan_sums();
        [[unroll]] for (uint q = 0u; q < 4u; q++) {
            uint r = tile + (q * GROUP + ME) * 4u;
            VALUE before = combine(carry_value(run), sums[q * GROUP + ME]);
            [[unroll]] for (uint j = 0u; j < 4u; j++)
                v[q][j] = combine(before, v[q][j]);
            if (r + 4u <= end) {
                store_four(r, at, v[q]);
                continue;
            }
            [[unroll]] for (uint j = 0u; j < 3u; j++) {
                if (r + j < end)
                    store(r + j, at, v[q][j]);
            }
        }
        carry_add(run, total);
        barrier();
    }
    if (ME == 0u)
        store_end(row, chunk, run);
}
