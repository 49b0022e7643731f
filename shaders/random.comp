// random.comp - values of a counted random stream: block b of four words gives values 4b .. 4b + 3,
// of 64 bits two.
// Writes: dst, contiguous.
// Push:   dst; first_block; low, range (integers); scale, shift (reals); key, stream; n_values and
//         n_blocks of this dispatch.
// Before: for reals LOG, SQRT, SIN, COS, NEGATIVE.
// Defines: KIND (vkt_random_kind), VALUE, SIZE of it in bytes, WHOLE (the vector of 16 bytes of
//          it), WIDE where a value takes two words, STANDARD where shift is 0 and scale 1, ITEMS.
// An invocation makes ITEMS blocks, a workgroup's width apart; an integer is drawn again at most
// MAX_DRAWS times: each time half of the draws pass at least.

#define BITS        0
#define UNIFORM     1
#define NORMAL      2
#define EXPONENTIAL 3
#define INTEGERS    4
#define MAX_DRAWS   64u

#ifdef STANDARD
#define PLACE(x) (x)
#else
#define PLACE(x) (args.shift + args.scale * (x))
#endif

#ifdef WIDE
#define PER_BLOCK 2
#define WORD uint64_t
#define REAL double
#define PAIR dvec2
#else
#define PER_BLOCK 4
#define WORD uint
#define REAL float
#define PAIR vec2
#endif

layout(buffer_reference, scalar, buffer_reference_align = 16) writeonly buffer Values {
    VALUE v[];
};

layout(buffer_reference, scalar, buffer_reference_align = 16) writeonly buffer Whole {
    WHOLE v[];
};

// Ten rounds, constants of the paper. The rounds' keys are the same for all blocks.
uvec2 keys[10];

void set_keys()
{
    [[unroll]] for (uint i = 0u; i < 10u; i++)
        keys[i] = args.key + uvec2(0x9e3779b9u, 0xbb67ae85u) * i;
}

uvec4 philox(uvec4 counter)
{
    [[unroll]] for (int i = 0; i < 10; i++) {
        uvec2 a = unpackUint2x32(uint64_t(counter.x) * 0xd2511f53ul);
        uvec2 b = unpackUint2x32(uint64_t(counter.z) * 0xcd9e8d57ul);
        counter = uvec4(b.y ^ counter.y ^ keys[i].x, b.x, a.y ^ counter.w ^ keys[i].y, a.x);
    }
    return counter;
}

// Later draws of a block are counted in the upper half of the stream's last word.
void draw(uint64_t block, uint attempt, out WORD words[PER_BLOCK])
{
    uvec2 number = unpackUint2x32(block);
    uvec4 four = philox(uvec4(number, args.stream ^ uvec2(0u, attempt << 16)));
#ifdef WIDE
    words[0] = packUint2x32(four.xy);
    words[1] = packUint2x32(four.zw);
#else
    [[unroll]] for (int i = 0; i < 4; i++)
        words[i] = four[i];
#endif
}

#if KIND == UNIFORM
// As many bits as the type has.
VALUE make(WORD word)
{
#ifdef WIDE
    REAL u = double(word >> 11) * 1.1102230246251565e-16lf;
#else
    REAL u = float(word >> 8) * 5.9604645e-8;
#endif
    return PLACE(u);
}
#elif KIND == NORMAL || KIND == EXPONENTIAL
// -2 log(u) of u in (0, 1], which is finite, and small u keep the bits they have. Cosine and sine
// of word / 2^bits turns, within an eighth of a turn of an axis: exactly reduced.
#ifdef WIDE
REAL minus_two_log(WORD word)
{
    return -2.0lf * LOG((double(word >> 11) + 1.0lf) * 1.1102230246251565e-16lf);
}

REAL root(REAL x) { return SQRT(x); }

PAIR circle(WORD word)
{
    uint quarter = uint((word + 0x2000000000000000ul) >> 62);
    double t = double(int64_t(word - (uint64_t(quarter) << 62))) * 3.4061215800304543e-19lf;
    REAL sine = SIN(t), cosine = COS(t);
    PAIR at = (quarter & 1u) != 0u ? PAIR(NEGATIVE(sine), cosine) : PAIR(cosine, sine);
    return (quarter & 2u) != 0u ? PAIR(NEGATIVE(at.x), NEGATIVE(at.y)) : at;
}
#else
// Sums, products and exact roots alone, which every driver rounds alike. The polynomials are fitted
// by least squares with Remez' weights: for 1 + f in [sqrt(1/2), sqrt(2)), where word + 1 is
// 2^(32 + e) (1 + f), and in the square of an angle.
REAL minus_two_log(WORD word)
{
    uint bits = floatBitsToUint(float(word) + 1.0);
    int e = int(bits - 0x4f3504f3u) >> 23;
    float f = uintBitsToFloat(bits - (uint(e + 32) << 23)) - 1.0, z = f * f;
    float p = 0.6666772 + f * (-0.5000349 + f * (0.39930737 + f * (-0.33131453 + f * (0.29754704
        + f * (-0.2869923 + f * 0.17832062)))));
    return float(e) * -1.3862944 - ((f + f) + (f * z * p - z));
}

REAL root(REAL x)
{
#ifdef VKT_EXACT_SQRT
    return sqrt(x);
#else
    return SQRT(x);
#endif
}

PAIR circle(WORD word)
{
    float t = float(int(word << 2)) * 3.6572952e-10, z = t * t;
    float sine = t + t * z * (-0.16666655 + z * (0.008332192 + z * -0.00019518791));
    float cosine = 1.0 + z * (-0.5 + z * (0.041666646 + z * (-0.0013887301 + z * 2.4430655e-5)));
    uint quarter = word + 0x20000000u; // its two highest bits
    uvec2 at = floatBitsToUint((quarter & 0x40000000u) != 0u ? vec2(sine, cosine)
                                                             : vec2(cosine, sine));
    return uintBitsToFloat(at ^ (uvec2(quarter + 0x40000000u, quarter) & 0x80000000u));
}
#endif
#endif

#if KIND == INTEGERS
void multiply(WORD word, out WORD high, out WORD low)
{
#ifdef WIDE
    high = vkt_mul_high_u64(word, args.range);
    low = word * args.range;
#else
    umulExtended(word, uint(args.range), high, low);
#endif
}

VALUE make(uint64_t block, int i, WORD word)
{
    WORD range = WORD(args.range);
    if (range == WORD(0))
        return VALUE(args.low + uint64_t(word));
    WORD high, low, odd = (WORD(0) - range) % range;
    multiply(word, high, low);
    for (uint attempt = 1u; low < odd && attempt <= MAX_DRAWS; attempt++) {
        WORD words[PER_BLOCK];
        draw(block, attempt, words);
        WORD again = words[0];
        [[unroll]] for (int k = 1; k < PER_BLOCK; k++)
            again = k == i ? words[k] : again;
        multiply(again, high, low);
    }
    return VALUE(args.low + uint64_t(high));
}
#endif

void make_block(uint64_t block, out VALUE v[PER_BLOCK])
{
    WORD words[PER_BLOCK];
    draw(block, 0u, words);
#if KIND == NORMAL
    [[unroll]] for (int i = 0; i < PER_BLOCK; i += 2) {
        REAL radius = root(minus_two_log(words[i]));
        PAIR at = circle(words[i + 1]);
        v[i] = PLACE(radius * at.x);
        v[i + 1] = PLACE(radius * at.y);
    }
#else
    [[unroll]] for (int i = 0; i < PER_BLOCK; i++) {
#if KIND == BITS
        v[i] = words[i];
#elif KIND == INTEGERS
        v[i] = make(block, i, words[i]);
#elif KIND == EXPONENTIAL
        v[i] = PLACE(0.5 * abs(minus_two_log(words[i]))); // never -0
#else
        v[i] = make(words[i]);
#endif
    }
#endif
}

void store(uint64_t to, VALUE v[PER_BLOCK], uint left)
{
    if (left >= PER_BLOCK) {
#if SIZE == 4
        Whole(to).v[0] = WHOLE(v[0], v[1], v[2], v[3]);
#else
        [[unroll]] for (int i = 0; i < PER_BLOCK; i += 2)
            Whole(to).v[i / 2] = WHOLE(v[i], v[i + 1]);
#endif
    } else {
        [[unroll]] for (int i = 0; i < PER_BLOCK - 1; i++) {
            if (uint(i) < left)
                Values(to).v[i] = v[i];
        }
    }
}

void main()
{
    set_keys();
    uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint at = group * (gl_WorkGroupSize.x * ITEMS) + gl_LocalInvocationIndex;
    for (uint item = 0u; item < ITEMS && at < args.n_blocks; item++) {
        VALUE v[PER_BLOCK];
        make_block(args.first_block + uint64_t(at), v);
        store(args.dst + uint64_t(at) * (PER_BLOCK * SIZE), v, args.n_values - at * PER_BLOCK);
        at += gl_WorkGroupSize.x;
    }
}
