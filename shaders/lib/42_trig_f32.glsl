// 42_trig_f32.glsl - sine, cosine, tangent and their inverses in float32.
//
// Arguments are reduced to r + l in [-pi/4, pi/4] and a quadrant, l being what r lost: up to 6400
// with pi/2 in four parts whose products with the quadrant number are exact (Cody and Waite 1980),
// beyond it with the bits of 2/pi that matter, in integers (Payne and Hanek 1983).

// 128 bits of 2/pi from bit 32 i on, i up to 4, after 32 zero bits; selects, because every
// invocation of a wave pays for an indexed load.
uvec4 vkt_two_over_pi_f32(uint i)
{
    bool one = (i & 1u) != 0u, two = (i & 2u) != 0u;
    uint w0 = two ? 0x4e441529u : 0x00000000u, w1 = two ? 0xfc2757d1u : 0xa2f9836eu, w2 = two
        ? 0xf534ddc0u : 0x4e441529u;
    uint w3 = two ? 0xdb629599u : 0xfc2757d1u, w4 = two ? 0x3c439041u : 0xf534ddc0u;
    uvec4 w = one ? uvec4(w1, w2, w3, w4) : uvec4(w0, w1, w2, w3);
    return i == 4u ? uvec4(0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu) : w;
}

// x = m 2^e: bits of 2/pi above 2^(1-e) only give whole turns; the next 96 times m, modulo 4, leave
// the quadrant and 62 bits.
vec2 vkt_reduce_large_f32(float a, out int quadrant)
{
    uint u = floatBitsToUint(a);
    uint m = (u & 0x007fffffu) | 0x00800000u;
    uint first = (u >> 23) - 120u; // (e - 1) - 1 + 32
    uint s = first & 31u;
    uvec4 w = vkt_two_over_pi_f32(first >> 5);
    uint w0 = (w.x << s) | ((w.y >> 1) >> (31u - s));
    uint w1 = (w.y << s) | ((w.z >> 1) >> (31u - s));
    uint w2 = (w.z << s) | ((w.w >> 1) >> (31u - s));
    uint h2, l2, h1, l1;
    umulExtended(m, w2, h2, l2);
    umulExtended(m, w1, h1, l1);
    uint low = l1 + h2;
    uint high = m * w0 + h1 + (low < l1 ? 1u : 0u);
    quadrant = int((high + 0x20000000u) >> 30);
    high -= uint(quadrant) << 30;
    bool negative = (high & 0x80000000u) != 0u;
    low = negative ? ~low + 1u : low;
    high = negative ? ~high + (low == 0u ? 1u : 0u) : high;
    int n = high == 0u ? 32 : 0;
    high = n != 0 ? low : high;
    low = n != 0 ? 0u : low;
    int lead = 31 - findMSB(high);
    high = (high << lead) | ((low >> 1) >> (31 - lead));
    umulExtended(high, 0xc90fdaa2u, h1, l1); // pi/2 in units of 2^-31
    float scale = vkt_exp2i_f32(-29 - n - lead);
    float r = float(h1 & 0xffffff00u) * scale, l = float(h1 & 0xffu) * scale;
    quadrant &= 3;
    return negative ? vec2(-r, -l) : vec2(r, l);
}

vec2 vkt_reduce_f32(float a, out int quadrant)
{
    float n = roundEven(a * 0.63661975);
    float t1 = a - n * 1.5703125, w = n * 0.0004837513;
    float t2 = t1 - w, low = (t1 - t2) - w;
    w = n * 7.5495336e-8;
    float t3 = t2 - w;
    low += ((t2 - t3) - w) - n * 2.563344e-12;
    float r = t3 + low;
    quadrant = int(n) & 3;
    vec2 reduced = vec2(r, (t3 - r) + low);
    if (a > 6400.0)
        reduced = vkt_reduce_large_f32(a, quadrant);
    return reduced;
}

// The parts of sin(r + l) and cos(r + l) that are added to r and to 1.
float vkt_sin_series_f32(vec2 r, float z)
{
    float p = -0.16666655 + z * (0.008332169 + z * -0.00019516004);
    return r.x * z * p + (r.y - 0.5 * z * r.y);
}

float vkt_cos_series_f32(vec2 r, float z)
{
    return z * z * (0.041666646 + z * (-0.0013887356 + z * 2.4437022e-5)) - r.x * r.y;
}

// sin(|x| + quadrants * pi/2)
float vkt_sin_shifted_f32(float x, int quadrants)
{
    int quadrant;
    float a = vkt_abs_f32(x);
    vec2 r = vkt_reduce_f32(vkt_isfinite_f32(x) ? a : 1.0, quadrant);
    quadrant += quadrants;
    float z = r.x * r.x, h = 0.5 * z, w = 1.0 - h;
    float sine = r.x + vkt_sin_series_f32(r, z);
    float cosine = w + (((1.0 - w) - h) + vkt_cos_series_f32(r, z));
    float y = (quadrant & 1) != 0 ? cosine : sine;
    return (quadrant & 2) != 0 ? vkt_negative_f32(y) : y;
}

float vkt_sin_f32(float x)
{
    float y = vkt_sin_shifted_f32(x, 0);
    y = vkt_signbit_f32(x) ? vkt_negative_f32(y) : y;
    return vkt_isfinite_f32(x) ? y : vkt_nan_f32();
}

float vkt_cos_f32(float x)
{
    return vkt_isfinite_f32(x) ? vkt_sin_shifted_f32(x, 1) : vkt_nan_f32();
}

// The quotient of sine and cosine, each a sum of two, corrected once.
float vkt_tan_f32(float x)
{
    int quadrant;
    vec2 r = vkt_reduce_f32(vkt_isfinite_f32(x) ? vkt_abs_f32(x) : 1.0, quadrant);
    float z = r.x * r.x, h = 0.5 * z, w = 1.0 - h;
    float s = vkt_sin_series_f32(r, z), c = ((1.0 - w) - h) + vkt_cos_series_f32(r, z);
    float sine = r.x + s, cosine = w + c;
    s -= sine - r.x;
    c -= cosine - w;
    bool odd = (quadrant & 1) != 0;
    vec2 over = odd ? vec2(cosine, c) : vec2(sine, s);
    vec2 under = odd ? vec2(sine, s) : vec2(cosine, c);
    float y = vkt_divide_pair_f32(over, under);
    y = odd != vkt_signbit_f32(x) ? vkt_negative_f32(y) : y;
    return vkt_isfinite_f32(x) ? y : vkt_nan_f32();
}

// (asin(t) - t) / t of z = t^2 up to 1/4
float vkt_asin_series_f32(float z)
{
    return z * (0.16666754 + z * (0.07495234 + z * (0.045478173 + z * (0.024141628
        + z * 0.04222976))));
}

// sqrt(z) as a sum of two
vec2 vkt_sqrt_pair_f32(float z)
{
    float s = sqrt(z), high = vkt_high_f32(s);
    float low = s > 0.0 ? (z - high * high) / (s + high) : 0.0;
    return vec2(high, low);
}

// asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)) beyond 1/2
float vkt_asin_f32(float x)
{
    float a = vkt_abs_f32(x);
    float z = a < 0.5 ? a * a : 0.5 * (1.0 - a);
    float p = vkt_asin_series_f32(z);
    vec2 s = vkt_sqrt_pair_f32(z);
    float rest = 2.0 * ((s.x + s.y) * p + s.y) - -4.371139e-8;
    float large = 0.7853982 - (rest - (0.7853982 - 2.0 * s.x));
    float y = a < 0.5 ? a + a * p : large;
    return a > 1.0 ? vkt_nan_f32() : vkt_copysign_f32(y, x);
}

float vkt_acos_f32(float x)
{
    float a = vkt_abs_f32(x);
    float z = a < 0.5 ? a * a : 0.5 * (1.0 - a);
    float p = vkt_asin_series_f32(z);
    vec2 s = vkt_sqrt_pair_f32(z);
    float rest = (s.x + s.y) * p + s.y;
    float middle = 1.5707964 - (x - (-4.371139e-8 - x * p));
    float left = 1.5707964 - (s.x + (rest - -4.371139e-8));
    float large = 2.0 * (x > 0.0 ? s.x + rest : left);
    return a > 1.0 ? vkt_nan_f32() : a < 0.5 ? middle : large;
}

// atan(y / x) of y, x >= 0, not both 0, as eighth * pi/4 + the sum returned, the second far smaller
// than the first.
vec2 vkt_atan_reduced_f32(float y, float x, out int eighth)
{
    bool below = y < 0.41421357 * x, above = 0.41421357 * y > x;
    float t = (below ? y : above ? -x : y - x) / (below ? x : above ? y : y + x);
    float z = t * t;
    eighth = below ? 0 : above ? 2 : 1;
    return vec2(t, t * z * (-0.33333316 + z * (0.19998485 + z * (-0.14243753 + z * (0.10595211
        + z * -0.060812637)))));
}

// n * pi/4 + t.x + t.y
float vkt_eighths_f32(int eighths, vec2 t)
{
    float n = float(eighths);
    float high = n * 0.78539824;
    float sum = high + t.x;
    return sum + ((high - sum) + t.x + (t.y + n * -8.146034e-8));
}

float vkt_atan_f32(float x)
{
    int eighth;
    vec2 t = vkt_atan_reduced_f32(vkt_abs_f32(x), 1.0, eighth);
    float y = vkt_eighths_f32(eighth, t);
    return vkt_isnan_f32(x) ? x : vkt_copysign_f32(y, x);
}

// Infinities are replaced by 1 and what is finite beside them by 0; very large and small operands
// are scaled.
float vkt_atan2_f32(float y, float x)
{
    int eighth;
    float ay = vkt_abs_f32(y), ax = vkt_abs_f32(x);
    bool infinite = vkt_isinf_f32(y) || vkt_isinf_f32(x);
    uint high = max(floatBitsToUint(ay), floatBitsToUint(ax));
    float scale = high > 0x7b800000u ? 0.0625 : high < 0x35800000u ? 1.2676506e30 : 1.0;
    ay = infinite ? (vkt_isinf_f32(y) ? 1.0 : 0.0) : ay * scale;
    ax = infinite ? (vkt_isinf_f32(x) ? 1.0 : 0.0) : high == 0u ? 1.0 : ax * scale;
    vec2 t = vkt_atan_reduced_f32(ay, ax, eighth);
    bool left = vkt_signbit_f32(x);
    float z = vkt_eighths_f32(left ? 4 - eighth : eighth, left ? -t : t);
    return vkt_isnan_f32(x) ? x : vkt_isnan_f32(y) ? y : vkt_copysign_f32(z, y);
}
