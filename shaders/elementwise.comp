// elementwise.comp - finds the elements each invocation handles and hands them to vkt_run.
// Reads, writes: the OPERANDS of vkt_run, which ops/map_text.c writes (outputs, then leaves, then
//       the counter), WIDTH neighbours along the innermost dim x per invocation, `step` apart.
// Push: addresses, scalars, n, flags, then sizes and strides but for FLAT. n counts elements in
//       FLAT, tiles in TILES, else invocations. Bit p of flags: operand p is aligned for wide
//       accesses (ROWS and GENERAL: wherever output 0 is, whose elements have UNIT bytes).
//       Bit 16 + p: FLAT, the operand advances; TILES, it is turned.
// Constants: 0 = workgroup. No loop but over dims and operands.

#define FLAT 0    /* every operand advances by 1, or stands still */
#define ROWS 1    /* any steps along x, and up to 2 outer dims */
#define GENERAL 2 /* any number of outer dims */
#define TILES 3   /* leaves whose neighbours in memory lie along a dim y; up to 2 outer dims */

#if LAYOUT == FLAT
void main()
{
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint first = (group * gl_WorkGroupSize.x + gl_LocalInvocationID.x) * WIDTH;
    if (first >= args.n)
        return;
    int at[OPERANDS], step[OPERANDS];
    [[unroll]] for (int p = 0; p < OPERANDS; p++) {
        step[p] = int(args.flags >> (16 + p)) & 1;
        at[p] = int(first) * step[p];
    }
    vkt_run(at, step, int(min(args.n - first, WIDTH)) - 1);
}
#else
// n / divisor and n % divisor by the d-th pair of args.divisors: divisor and multiplier.
uint vkt_divide(uint n, int d, out uint remainder)
{
    uint high, low;
    umulExtended(n, args.divisors[2 * d + 1], high, low);
    uint quotient = (high + n) >> (args.shifts[d / 4] >> (d % 4 * 8) & 31u);
    remainder = n - quotient * args.divisors[2 * d];
    return quotient;
}
#endif

#if LAYOUT == ROWS || LAYOUT == GENERAL
void main()
{
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint invocation = group * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (invocation >= args.n)
        return;
    uint chunk, coordinate;
    uint rest = vkt_divide(invocation, 0, chunk);
    int at[OPERANDS], step[OPERANDS];
#if LAYOUT == ROWS
    rest = vkt_divide(rest, 1, coordinate);
    [[unroll]] for (int p = 0; p < OPERANDS; p++)
        at[p] = int(coordinate) * args.outer[p] + int(rest) * args.outer[OPERANDS + p];
#else
    [[unroll]] for (int p = 0; p < OPERANDS; p++)
        at[p] = 0;
    for (int d = 0; d < int(args.n_outer); d++) {
        coordinate = rest;
        if (d + 1 < int(args.n_outer))
            rest = vkt_divide(rest, d + 1, coordinate);
        [[unroll]] for (int p = 0; p < OPERANDS; p++)
            at[p] += int(coordinate) * args.outer[d * OPERANDS + p];
    }
#endif
    // Chunks begin where the output is aligned: the first of a row may be shorter.
    int start = int(uint(args.out0) / UNIT) + at[0];
    int shift = (args.flags & 1u) != 0u ? start & (WIDTH - 1) : 0;
    int first = int(chunk) * WIDTH - shift;
    int end = min(first + WIDTH, int(args.inner));
    first = max(first, 0);
    if (end <= first)
        return;
    [[unroll]] for (int p = 0; p < OPERANDS; p++) {
        step[p] = args.steps[p];
        at[p] += first * step[p];
    }
    vkt_run(at, step, end - first - 1);
}
#endif

#if LAYOUT == TILES
void main()
{
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    if (group >= args.n)
        return;
    uint tile_x, tile_y;
    uint rest = vkt_divide(group, 0, tile_x);
    rest = vkt_divide(rest, 1, tile_y);
    int along = int(gl_LocalInvocationID.x) % (SIDE / WIDTH) * WIDTH;
    int across = int(gl_LocalInvocationID.x) / (SIDE / WIDTH);
    ivec2 origin = ivec2(tile_x, tile_y) * SIDE;
    ivec2 place = ivec2(along, across), turned_place = ivec2(across, along);
    ivec2 size = ivec2(args.inner, args.inner_y) - origin;
    int last = place.y < size.y ? min(size.x - place.x, WIDTH) - 1 : -1;
    int turned_last = turned_place.x < size.x ? min(size.y - turned_place.y, WIDTH) - 1 : -1;

    int at[OPERANDS], turned_at[OPERANDS];
    uint coordinate;
    rest = vkt_divide(rest, 2, coordinate);
    [[unroll]] for (int p = 0; p < OPERANDS; p++)
        at[p] = int(coordinate) * args.outer[p] + int(rest) * args.outer[OPERANDS + p];
    place += origin;
    turned_place += origin;
    [[unroll]] for (int p = 0; p < OPERANDS; p++) {
        turned_at[p] = at[p] + turned_place.x * args.steps[p] + turned_place.y * args.steps_y[p];
        at[p] += place.x * args.steps[p] + place.y * args.steps_y[p];
    }
#ifdef CPU
    // Caches turn the tile: its rows along y are read again and again while they are there.
    if (last >= 0)
        vkt_run(at, args.steps, last);
#else
    vkt_run_tile(at, last, place - origin, turned_at, turned_last, turned_place - origin);
#endif
}
#endif
