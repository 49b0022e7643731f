// scan_carry.comp - what a scan carries from one chunk to the next. Comes before every scan_*.comp.
// Needs:  VALUE, NEUTRAL, combine(x, y), as_result(x); COMPENSATED and FINITE(x) for sums of
//         floats; OUT_ALIGNED in args.flags where four results lie side by
//         side, aligned.

#ifdef COMPENSATED
// A running sum beside the sum of its rounding errors (TwoSum): a long row ends as exact as a
// short one.
struct Carry { VALUE high; VALUE low; };

#define CARRIED 2u // values of a Carry in memory

void carry_add(inout Carry run, VALUE x)
{
    VALUE sum = run.high + x;
    VALUE added = sum - run.high;
    run.low = run.low + ((run.high - (sum - added)) + (x - added));
    run.high = sum;
}

// Beyond infinity the errors are NaN and say nothing.
VALUE carry_value(Carry run) { return FINITE(run.high) ? run.high + run.low : run.high; }
#else
struct Carry { VALUE high; };

#define CARRIED 1u

void carry_add(inout Carry run, VALUE x) { run.high = combine(run.high, x); }

VALUE carry_value(Carry run) { return run.high; }
#endif

layout(buffer_reference, scalar, buffer_reference_align = 8) buffer Totals { VALUE value[]; };

VALUE total_of(uint row, uint slot)
{
    return Totals(args.partials).value[row * args.row_step + slot * args.slot_step];
}

// What earlier pieces of the row hand on.
Carry carry_start(uint row)
{
    Carry run;
    run.high = NEUTRAL;
#ifdef COMPENSATED
    run.low = NEUTRAL;
#endif
    for (uint slot = 0u; slot < args.slot0; slot++)
        carry_add(run, total_of(row, slot));
    return run;
}

uint group_number() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }

void store(uint r, int at[OPERANDS], VALUE x)
{
    int to[OPERANDS];
    reduced_at(r, at, to);
    vkt_out0(to[0], as_result(x));
}

void store_four(uint r, int at[OPERANDS], VALUE v[4])
{
    if ((args.flags & OUT_ALIGNED) != 0u) {
        int to[OPERANDS];
        reduced_at(r, at, to);
        RESULT w[4];
        [[unroll]] for (int j = 0; j < 4; j++)
            w[j] = as_result(v[j]);
        vkt_out0_part(to[0], 1, 3, true, w);
    } else {
        [[unroll]] for (int j = 0; j < 4; j++)
            store(r + uint(j), at, v[j]);
    }
}

// Begins a row with the neutral element, where it is asked for.
void store_initial(uint chunk, int at[OPERANDS])
{
#ifdef INITIAL
    if (chunk == 0u && args.slot0 == 0u)
        vkt_out1(at[0], as_result(NEUTRAL));
#endif
}

// Hands the end of the row to the piece that follows, if one does.
void store_end(uint row, Carry run)
{
    if (args.next == 0ul)
        return;
    Totals(args.next).value[row * args.next_step] = run.high;
#ifdef COMPENSATED
    Totals(args.next).value[row * args.next_step + args.slot_step] = run.low;
#endif
}
