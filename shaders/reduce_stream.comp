// reduce_stream.comp - reduces whole blocks of contiguous rows, one a subgroup: the first step of
// reduce_rows on CPU drivers, which shaders/lib/stream.glsl tells about.
// Reads:  the leaves, through load.   Writes: partials, LANES a block, as reduce_rows counts them.
// Push:   n_blocks, this dispatch's from first_block on; block_div, blocks of a row; kept_step,
//         elements from a row to the next, of each leaf; the digits.
// Lane l takes what lane l of reduce_rows takes, in the same order. No loop remains.

#define BLOCK_ELEMENTS (LANES * (16u << BLOCK_LOG2))

void main()
{
    uint mine = vkt_uniform(gl_WorkGroupID.x * (GROUP / LANES) + gl_SubgroupID);
    // The last workgroup may be fuller than the work: some then do the last block again.
    uint block = min(args.first_block + mine, args.n_blocks - 1u);
    uint high, low;
    umulExtended(block, args.block_div[1], high, low);
    uint row = (high + block) >> args.block_div[2];
    uint first = (block - row * args.block_div[0]) * BLOCK_ELEMENTS;
    Lane state;
    lane_start(state);
    [[unroll]] for (uint turn = 0u; turn < (1u << BLOCK_LOG2); turn++) {
        VALUE v[4][4];
        uint r = first + turn * (LANES * 16u);
        [[unroll]] for (uint q = 0u; q < 4u; q++)
            load(row, r + q * (LANES * 4u), v[q]);
        lane_take_four(state, v, r + 4u * gl_SubgroupInvocationID, LANES * 4u);
    }
    Partials(args.partials).acc[block * LANES + gl_SubgroupInvocationID] = lane_close(state);
}
