// 10_bits.glsl - floats as bit patterns: tests, signs, exponents, order, 16-bit formats.
//
// Nearly all of it is integer arithmetic, which no driver may flush, fold or guess. Names end in
// the type they take: f32, f64, ... A chunk (text between blank lines) is one function or constant
// and uses only chunks above it.

float vkt_nan_f32() { return uintBitsToFloat(0x7fc00000u); }

double vkt_nan_f64() { return uint64BitsToDouble(0x7ff8000000000000ul); }

float vkt_highest_f32() { return uintBitsToFloat(0x7f800000u); }

float vkt_lowest_f32() { return uintBitsToFloat(0xff800000u); }

double vkt_highest_f64() { return uint64BitsToDouble(0x7ff0000000000000ul); }

double vkt_lowest_f64() { return uint64BitsToDouble(0xfff0000000000000ul); }

int vkt_highest_i32() { return 0x7fffffff; }

int vkt_lowest_i32() { return int(0x80000000u); }

uint vkt_highest_u32() { return 0xffffffffu; }

uint vkt_lowest_u32() { return 0u; }

int64_t vkt_highest_i64() { return int64_t(0x7ffffffffffffffful); }

int64_t vkt_lowest_i64() { return int64_t(0x8000000000000000ul); }

uint64_t vkt_highest_u64() { return 0xfffffffffffffffful; }

uint64_t vkt_lowest_u64() { return 0ul; }

bool vkt_highest_bool() { return true; }

bool vkt_lowest_bool() { return false; }

bool vkt_isnan_f32(float x) { return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u; }

bool vkt_isinf_f32(float x) { return (floatBitsToUint(x) & 0x7fffffffu) == 0x7f800000u; }

bool vkt_isfinite_f32(float x) { return (floatBitsToUint(x) & 0x7fffffffu) < 0x7f800000u; }

bool vkt_signbit_f32(float x) { return floatBitsToInt(x) < 0; }

float vkt_abs_f32(float x) { return uintBitsToFloat(floatBitsToUint(x) & 0x7fffffffu); }

float vkt_negative_f32(float x) { return uintBitsToFloat(floatBitsToUint(x) ^ 0x80000000u); }

float vkt_copysign_f32(float x, float y)
{
    return uintBitsToFloat((floatBitsToUint(x) & 0x7fffffffu) | (floatBitsToUint(y) & 0x80000000u));
}

// A NaN stays what it is, a zero becomes +0.
float vkt_sign_f32(float x)
{
    uint u = floatBitsToUint(x) & 0x7fffffffu;
    float one = uintBitsToFloat((floatBitsToUint(x) & 0x80000000u) | 0x3f800000u);
    return u > 0x7f800000u ? x : u == 0u ? 0.0 : one;
}

bool vkt_isnan_f64(double x)
{
    return (doubleBitsToUint64(x) & 0x7ffffffffffffffful) > 0x7ff0000000000000ul;
}

bool vkt_isinf_f64(double x)
{
    return (doubleBitsToUint64(x) & 0x7ffffffffffffffful) == 0x7ff0000000000000ul;
}

bool vkt_isfinite_f64(double x)
{
    return (doubleBitsToUint64(x) & 0x7ffffffffffffffful) < 0x7ff0000000000000ul;
}

bool vkt_signbit_f64(double x) { return doubleBitsToInt64(x) < 0; }

double vkt_abs_f64(double x)
{
    return uint64BitsToDouble(doubleBitsToUint64(x) & 0x7ffffffffffffffful);
}

double vkt_negative_f64(double x)
{
    return uint64BitsToDouble(doubleBitsToUint64(x) ^ 0x8000000000000000ul);
}

double vkt_copysign_f64(double x, double y)
{
    uint64_t sign = doubleBitsToUint64(y) & 0x8000000000000000ul;
    return uint64BitsToDouble((doubleBitsToUint64(x) & 0x7ffffffffffffffful) | sign);
}

double vkt_sign_f64(double x)
{
    uint64_t u = doubleBitsToUint64(x) & 0x7ffffffffffffffful;
    uint64_t sign = doubleBitsToUint64(x) & 0x8000000000000000ul;
    double one = uint64BitsToDouble(sign | 0x3ff0000000000000ul);
    return u > 0x7ff0000000000000ul ? x : u == 0ul ? 0.0lf : one;
}

// Integers in the order of the floats, -0 below +0.
int vkt_order_f32(float x)
{
    int i = floatBitsToInt(x);
    return i ^ int(uint(i >> 31) >> 1);
}

int64_t vkt_order_f64(double x)
{
    int64_t i = doubleBitsToInt64(x);
    return i ^ int64_t(uint64_t(i >> 63) >> 1);
}

// The number of that order; of the highest and the lowest integer, NaN.
float vkt_unorder_f32(int i) { return intBitsToFloat(i ^ int(uint(i >> 31) >> 1)); }

double vkt_unorder_f64(int64_t i)
{
    return int64BitsToDouble(i ^ int64_t(uint64_t(i >> 63) >> 1));
}

// minimum and maximum give the first NaN if there is one; fmin and fmax a number if there is one.
float vkt_minimum_f32(float x, float y)
{
    bool first = vkt_order_f32(x) <= vkt_order_f32(y);
    return vkt_isnan_f32(x) || (first && !vkt_isnan_f32(y)) ? x : y;
}

float vkt_maximum_f32(float x, float y)
{
    bool first = vkt_order_f32(x) >= vkt_order_f32(y);
    return vkt_isnan_f32(x) || (first && !vkt_isnan_f32(y)) ? x : y;
}

float vkt_fmin_f32(float x, float y)
{
    bool first = vkt_order_f32(x) <= vkt_order_f32(y);
    return vkt_isnan_f32(y) || (first && !vkt_isnan_f32(x)) ? x : y;
}

float vkt_fmax_f32(float x, float y)
{
    bool first = vkt_order_f32(x) >= vkt_order_f32(y);
    return vkt_isnan_f32(y) || (first && !vkt_isnan_f32(x)) ? x : y;
}

float vkt_clip_f32(float x, float low, float high)
{
    return vkt_minimum_f32(vkt_maximum_f32(x, low), high);
}

double vkt_minimum_f64(double x, double y)
{
    bool first = vkt_order_f64(x) <= vkt_order_f64(y);
    return vkt_isnan_f64(x) || (first && !vkt_isnan_f64(y)) ? x : y;
}

double vkt_maximum_f64(double x, double y)
{
    bool first = vkt_order_f64(x) >= vkt_order_f64(y);
    return vkt_isnan_f64(x) || (first && !vkt_isnan_f64(y)) ? x : y;
}

double vkt_fmin_f64(double x, double y)
{
    bool first = vkt_order_f64(x) <= vkt_order_f64(y);
    return vkt_isnan_f64(y) || (first && !vkt_isnan_f64(x)) ? x : y;
}

double vkt_fmax_f64(double x, double y)
{
    bool first = vkt_order_f64(x) >= vkt_order_f64(y);
    return vkt_isnan_f64(y) || (first && !vkt_isnan_f64(x)) ? x : y;
}

double vkt_clip_f64(double x, double low, double high)
{
    return vkt_minimum_f64(vkt_maximum_f64(x, low), high);
}

float vkt_nextafter_f32(float x, float y)
{
    int i = floatBitsToInt(x);
    int from = vkt_order_f32(x), to = vkt_order_f32(y);
    bool zero = (i & 0x7fffffff) == 0;
    int away = (floatBitsToInt(y) & int(0x80000000u)) | 1; // smallest subnormal, y's sign
    int step = (from < to) == (i >= 0) ? i + 1 : i - 1;
    bool equal = from == to || (zero && (floatBitsToInt(y) & 0x7fffffff) == 0);
    int next = equal ? floatBitsToInt(y) : zero ? away : step;
    return vkt_isnan_f32(x) ? x : vkt_isnan_f32(y) ? y : intBitsToFloat(next);
}

double vkt_nextafter_f64(double x, double y)
{
    int64_t i = doubleBitsToInt64(x), j = doubleBitsToInt64(y);
    int64_t from = vkt_order_f64(x), to = vkt_order_f64(y);
    int64_t sign = int64_t(0x8000000000000000ul);
    bool zero = (i & ~sign) == 0;
    int64_t away = (j & sign) | int64_t(1);
    int64_t step = (from < to) == (i >= 0) ? i + 1 : i - 1;
    bool equal = from == to || (zero && (j & ~sign) == 0);
    int64_t next = equal ? j : zero ? away : step;
    return vkt_isnan_f64(x) ? x : vkt_isnan_f64(y) ? y : int64BitsToDouble(next);
}

// The sign is put back because -0 and results that round to it must keep it.
float vkt_floor_f32(float x)
{
    float y = floor(x);
#ifndef VKT_ROUNDS_SUBNORMALS
    uint u = floatBitsToUint(x);
    y = u - 0x80000001u < 0x3f7fffffu ? -1.0 : y; // between -1 and -0
#endif
    return vkt_copysign_f32(y, x);
}

float vkt_ceil_f32(float x)
{
    float y = ceil(x);
#ifndef VKT_ROUNDS_SUBNORMALS
    uint u = floatBitsToUint(x);
    y = u - 1u < 0x3f7fffffu ? 1.0 : y; // between 0 and 1
#endif
    return vkt_copysign_f32(y, x);
}

float vkt_trunc_f32(float x) { return vkt_copysign_f32(trunc(x), x); }

float vkt_round_f32(float x) { return vkt_copysign_f32(roundEven(x), x); }

double vkt_floor_f64(double x) { return vkt_copysign_f64(floor(x), x); }

double vkt_ceil_f64(double x) { return vkt_copysign_f64(ceil(x), x); }

double vkt_trunc_f64(double x) { return vkt_copysign_f64(trunc(x), x); }

double vkt_round_f64(double x) { return vkt_copysign_f64(roundEven(x), x); }

// Comparisons. Where the driver's take subnormals for zeros, of integers; -0 equals +0.
int vkt_compared_f32(float x)
{
    int i = floatBitsToInt(x);
    return i < 0 ? -(i & 0x7fffffff) : i;
}

bool vkt_ordered_f32(float x, float y) { return !vkt_isnan_f32(x) && !vkt_isnan_f32(y); }

bool vkt_equal_f32(float x, float y)
{
#ifdef VKT_COMPARES_SUBNORMALS
    return x == y;
#else
    return vkt_compared_f32(x) == vkt_compared_f32(y) && !vkt_isnan_f32(x);
#endif
}

bool vkt_not_equal_f32(float x, float y) { return !vkt_equal_f32(x, y); }

bool vkt_less_f32(float x, float y)
{
#ifdef VKT_COMPARES_SUBNORMALS
    return x < y;
#else
    return vkt_compared_f32(x) < vkt_compared_f32(y) && vkt_ordered_f32(x, y);
#endif
}

bool vkt_less_equal_f32(float x, float y)
{
#ifdef VKT_COMPARES_SUBNORMALS
    return x <= y;
#else
    return vkt_compared_f32(x) <= vkt_compared_f32(y) && vkt_ordered_f32(x, y);
#endif
}

int64_t vkt_compared_f64(double x)
{
    int64_t i = doubleBitsToInt64(x);
    return i < 0 ? -(i & int64_t(0x7ffffffffffffffful)) : i;
}

bool vkt_ordered_f64(double x, double y) { return !vkt_isnan_f64(x) && !vkt_isnan_f64(y); }

bool vkt_equal_f64(double x, double y)
{
#ifdef VKT_KEEPS_SUBNORMALS64
    return x == y;
#else
    return vkt_compared_f64(x) == vkt_compared_f64(y) && !vkt_isnan_f64(x);
#endif
}

bool vkt_not_equal_f64(double x, double y) { return !vkt_equal_f64(x, y); }

bool vkt_less_f64(double x, double y)
{
#ifdef VKT_KEEPS_SUBNORMALS64
    return x < y;
#else
    return vkt_compared_f64(x) < vkt_compared_f64(y) && vkt_ordered_f64(x, y);
#endif
}

bool vkt_less_equal_f64(double x, double y)
{
#ifdef VKT_KEEPS_SUBNORMALS64
    return x <= y;
#else
    return vkt_compared_f64(x) <= vkt_compared_f64(y) && vkt_ordered_f64(x, y);
#endif
}

// The position of the highest bit set, of x != 0.
int vkt_find_msb_u64(uint64_t x)
{
    uint high = uint(x >> 32);
    return high != 0u ? findMSB(high) + 32 : findMSB(uint(x));
}

// a * b + c, rounded once where the driver does that: for sums that are good enough either way.
float vkt_fma_f32(float a, float b, float c)
{
#if defined(VKT_EMULATES_FMA)
    return float(double(a) * double(b) + double(c));
#elif defined(VKT_FUSED_FMA)
    return fma(a, b, c);
#else
    return a * b + c;
#endif
}

// The integer nearest to x, |x| < 2^22, as float and as int: 1.5 2^23 brings it into the low bits.
float vkt_nearest_f32(float x, out int n)
{
    float moved = x + 12582912.0;
    n = floatBitsToInt(moved) - 0x4b400000;
    return moved - 12582912.0;
}

double vkt_nearest_f64(double x, out int n)
{
    double moved = x + 6755399441055744.0lf;
    n = int(unpackDouble2x32(moved).x);
    return moved - 6755399441055744.0lf;
}

// 2^n for the exponents of normal numbers.
float vkt_exp2i_f32(int n) { return intBitsToFloat((n + 127) << 23); }

double vkt_exp2i_f64(int n) { return int64BitsToDouble(int64_t(n + 1023) << 52); }

// x * 2^n in two steps: only the second rounds, and only where the result is subnormal. |n| up to
// 250, 2000.
float vkt_scale_f32(float x, int n)
{
    int half_n = n >> 1;
    return x * vkt_exp2i_f32(half_n) * vkt_exp2i_f32(n - half_n);
}

double vkt_scale_f64(double x, int n)
{
    int half_n = n >> 1;
    return x * vkt_exp2i_f64(half_n) * vkt_exp2i_f64(n - half_n);
}

// binary16 and bfloat16 patterns of a float32 pattern, rounded half to even; NaNs become quiet.
uint vkt_half_bits(uint u)
{
    uint a = u & 0x7fffffffu;
#ifdef VKT_PACKS_HALF
    uint packed = packHalf2x16(vec2(uintBitsToFloat(u), 0.0));
    return a > 0x7f800000u ? (u >> 16) | 0x7e00u : packed;
#else
    uint normal = (a + 0xfffu + ((a >> 13) & 1u) - 0x38000000u) >> 13;
    uint s = min(126u - min(a >> 23, 112u), 25u);
    uint m = (a & 0x007fffffu) | 0x00800000u;
    uint small = (m + (1u << (s - 1u)) - 1u + ((m >> s) & 1u)) >> s;
    uint h = a < 0x38800000u ? small : min(normal, 0x7c00u);
    h = a > 0x7f800000u ? 0x7e00u | ((a >> 13) & 0x3ffu) : h;
    return ((u >> 16) & 0x8000u) | h;
#endif
}

uint vkt_brain_bits(uint u)
{
    uint rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    return (u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 0x40u : rounded;
}

uint vkt_pack_f16(float x) { return vkt_half_bits(floatBitsToUint(x)); }

uint vkt_pack_bf16(float x) { return vkt_brain_bits(floatBitsToUint(x)); }

float vkt_unpack_f16(uint h)
{
#ifdef VKT_UNPACKS_HALF
    // The sign by its bit: some drivers drop that of a NaN.
    uint a = floatBitsToUint(unpackHalf2x16(h & 0x7fffu).x);
    return uintBitsToFloat(a | ((h & 0x8000u) << 16));
#else
    uint a = h & 0x7fffu;
    uint normal = (a << 13) + (a < 0x7c00u ? 0x38000000u : 0x70000000u);
    uint small = floatBitsToUint(float(a) * 5.9604644775390625e-8); // times 2^-24: a subnormal half
    return uintBitsToFloat((a < 0x0400u ? small : normal) | ((h & 0x8000u) << 16));
#endif
}

float vkt_unpack_bf16(uint h) { return uintBitsToFloat(h << 16); }

// Wraps or rounds a register to a narrower dtype.
int vkt_fit_i8(int x) { return bitfieldExtract(x, 0, 8); }

int vkt_fit_i16(int x) { return bitfieldExtract(x, 0, 16); }

uint vkt_fit_u8(uint x) { return x & 0xffu; }

uint vkt_fit_u16(uint x) { return x & 0xffffu; }

// Some drivers take an unpacked packed number for the number: what is unpacked is a sum for them.
float vkt_fit_f16(float x) { return vkt_unpack_f16(vkt_pack_f16(x) + VKT_ZERO); }

float vkt_fit_bf16(float x) { return vkt_unpack_bf16(vkt_pack_bf16(x)); }

// As vkt_nextafter_f32, of two patterns of any 16-bit format.
uint vkt_nextafter_u16(uint x, uint y)
{
    bool negative = x >= 0x8000u;
    int from = negative ? -int(x & 0x7fffu) : int(x);
    int to = y >= 0x8000u ? -int(y & 0x7fffu) : int(y);
    uint step = (from < to) != negative ? x + 1u : x - 1u;
    return from == to ? y : from == 0 ? (y & 0x8000u) | 1u : step;
}

float vkt_nextafter_f16(float x, float y)
{
    float z = vkt_unpack_f16(vkt_nextafter_u16(vkt_pack_f16(x), vkt_pack_f16(y)));
    return vkt_isnan_f32(x) ? x : vkt_isnan_f32(y) ? y : z;
}

float vkt_nextafter_bf16(float x, float y)
{
    float z = vkt_unpack_bf16(vkt_nextafter_u16(vkt_pack_bf16(x), vkt_pack_bf16(y)));
    return vkt_isnan_f32(x) ? x : vkt_isnan_f32(y) ? y : z;
}

// x with half of its mantissa cleared: products of two such are exact.
float vkt_high_f32(float x) { return uintBitsToFloat(floatBitsToUint(x) & 0xfffff000u); }

double vkt_high_f64(double x)
{
    return uint64BitsToDouble(doubleBitsToUint64(x) & 0xfffffffff8000000ul);
}

// x = m 2^e with m in [sqrt(1/2), sqrt(2)), for every x > 0, subnormals read as integers; elsewhere
// m and e mean nothing.
float vkt_split_f32(float x, out int e)
{
    uint u = floatBitsToUint(x);
    bool tiny = u < 0x00800000u;
    u = (tiny ? floatBitsToUint(float(u)) : u) - 0x3f3504f3u;
    e = (int(u) >> 23) - (tiny ? 149 : 0);
    return uintBitsToFloat((u & 0x007fffffu) + 0x3f3504f3u);
}

double vkt_split_f64(double x, out int e)
{
    uint64_t u = doubleBitsToUint64(x);
    bool tiny = u < 0x0010000000000000ul;
    u = (tiny ? doubleBitsToUint64(double(u)) : u) - 0x3fe6a09e667f3bcdul;
    e = (int(uint(u >> 32)) >> 20) - (tiny ? 1074 : 0);
    return uint64BitsToDouble((u & 0x000ffffffffffffful) + 0x3fe6a09e667f3bcdul);
}

// The sum and the product of two as a sum of two, exactly (Knuth; Dekker 1971).
pair vkt_sum_#(real a, real b)
{
    real sum = a + b, second = sum - a;
    return pair(sum, (a - (sum - second)) + (b - second));
}

vec2 vkt_product_f32(float a, float b)
{
#ifdef VKT_FUSED_FMA
    float p = a * b;
    return vec2(p, vkt_fma_f32(a, b, -p));
#else
    float p = a * b, ah = vkt_high_f32(a), bh = vkt_high_f32(b), al = a - ah, bl = b - bh;
    return vec2(p, ((ah * bh - p) + ah * bl + al * bh) + al * bl);
#endif
}

dvec2 vkt_product_f64(double a, double b)
{
    double p = a * b, ah = vkt_high_f64(a), bh = vkt_high_f64(b), al = a - ah, bl = b - bh;
    return dvec2(p, ((ah * bh - p) + ah * bl + al * bh) + al * bl);
}

// sqrt(z) as a sum of two, the first of half the bits.
pair vkt_sqrt_pair_#(real z)
{
    real s = sqrt(z), high = vkt_high_#(s);
    real low = s > 0.0 ? (z - high * high) / (s + high) : 0.0;
    return pair(high, low);
}

// sqrt(z) of a normal z or 0, better than some drivers' own.
float vkt_root_f32(float z)
{
#if defined(VKT_EXACT_SQRT)
    return sqrt(z);
#elif defined(VKT_FUSED_FMA)
    float r = z < 1e-37 ? 0.0 : inversesqrt(z), s = z * r;
    return vkt_fma_f32(vkt_fma_f32(-s, s, z), 0.5 * r, s);
#else
    vec2 s = vkt_sqrt_pair_f32(z);
    return s.x + s.y;
#endif
}

// ln(2), ln(pi) and pi, the first parts of few enough bits for exact products.
vec2 vkt_ln2_f32() { return vec2(0.69311523, 3.1946183e-5); }

dvec2 vkt_ln2_f64() { return dvec2(0.6931471675634384lf, 1.2996506893889889e-8lf); }

vec2 vkt_ln_pi_f32() { return vec2(1.1447299, 3.317301e-8); }

dvec2 vkt_ln_pi_f64() { return dvec2(1.1447298858494002lf, 1.0265951162707826e-17lf); }

vec2 vkt_pi_f32() { return vec2(3.140625, 0.0009676536); }

dvec2 vkt_pi_f64() { return dvec2(3.141592651605606lf, 1.984187159361081e-9lf); }

// (n.x + n.y) / (d.x + d.y), the second parts being corrections: the quotient's residual is
// computed from exact products.
float vkt_divide_pair_f32(vec2 n, vec2 d)
{
#ifdef VKT_FUSED_FMA
    float inverse = 1.0 / d.x, q = n.x * inverse;
    float rest = vkt_fma_f32(-q, d.x, n.x);
    return vkt_fma_f32(rest + (n.y - q * d.y), inverse, q);
#else
    float q = n.x / d.x;
    float qh = vkt_high_f32(q), ql = q - qh, dh = vkt_high_f32(d.x), dl = d.x - dh;
    float rest = ((n.x - qh * dh) - qh * dl - ql * dh) - ql * dl;
    return q + (rest + (n.y - q * d.y)) / d.x;
#endif
}

double vkt_divide_pair_f64(dvec2 n, dvec2 d)
{
    double q = n.x / d.x;
    double qh = vkt_high_f64(q), ql = q - qh, dh = vkt_high_f64(d.x), dl = d.x - dh;
    double rest = ((n.x - qh * dh) - qh * dl - ql * dh) - ql * dl;
    return q + (rest + (n.y - q * d.y)) / d.x;
}
