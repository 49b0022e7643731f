// reduce_walk.comp - from the number of a kept or a reduced element to its place in every operand.
// Needs:  OPERANDS; KEPT_DIMS and REDUCED_DIMS, 1 or more, lengths 1 where there are fewer;
//         KEPT_ONLY where nothing is read by element. Dims are given innermost first and divided
//         out by multiplication. No loop remains.

// (n / d, n % d) for n < 2^31, by the three words of a vkt_fastdiv (tensor/layout.h).
uvec2 divide(uint n, uint divisor, uint multiplier, uint shift)
{
    uint high, low;
    umulExtended(n, multiplier, high, low);
    uint quotient = (high + n) >> shift;
    return uvec2(quotient, n - quotient * divisor);
}

#define DIVIDE(n, div, d) divide(n, args.div[3 * d], args.div[3 * d + 1], args.div[3 * d + 2])

void kept_at(uint n, out int at[OPERANDS])
{
    [[unroll]] for (int o = 0; o < OPERANDS; o++)
        at[o] = 0;
#if KEPT_DIMS > 1
    [[unroll]] for (int d = 0; d < KEPT_DIMS - 1; d++) {
        uvec2 q = DIVIDE(n, kept_div, d);
        [[unroll]] for (int o = 0; o < OPERANDS; o++)
            at[o] += int(q.y) * args.kept_step[d * OPERANDS + o];
        n = q.x;
    }
#endif
    [[unroll]] for (int o = 0; o < OPERANDS; o++)
        at[o] += int(n) * args.kept_step[(KEPT_DIMS - 1) * OPERANDS + o];
}

#ifndef KEPT_ONLY
void reduced_at(uint n, int at[OPERANDS], out int to[OPERANDS])
{
    [[unroll]] for (int o = 0; o < OPERANDS; o++)
        to[o] = at[o];
#if REDUCED_DIMS > 1
    [[unroll]] for (int d = 0; d < REDUCED_DIMS - 1; d++) {
        uvec2 q = DIVIDE(n, reduced_div, d);
        [[unroll]] for (int o = 0; o < OPERANDS; o++)
            to[o] += int(q.y) * args.reduced_step[d * OPERANDS + o];
        n = q.x;
    }
#endif
    [[unroll]] for (int o = 0; o < OPERANDS; o++)
        to[o] += int(n) * args.reduced_step[(REDUCED_DIMS - 1) * OPERANDS + o];
}
#endif
