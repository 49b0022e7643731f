// 41_log_f32.glsl - logarithms, pow and the inverse hyperbolic functions in float32.
//
// x = m 2^e with m in [sqrt(1/2), sqrt(2)); with f = m - 1 and s = f / (2 + f), log(m) = f - f^2/2
// + s (f^2/2 + R(s^2)), the form of fdlibm (Sun 1993) with coefficients of our own.

// What the argument's edges give in place of y: zero, negative, infinite, NaN.
float vkt_log_edges_f32(float x, float y)
{
    uint u = floatBitsToUint(x);
    float edge = vkt_isnan_f32(x) || u == 0x7f800000u ? x : vkt_nan_f32();
    edge = (u << 1) == 0u ? vkt_lowest_f32() : edge;
    return u - 1u < 0x7f800000u - 1u ? y : edge;
}

// s (f^2/2 + R)
float vkt_log_series_f32(float f, float half_square)
{
    float s = f / (2.0 + f), z = s * s;
    return s * (half_square + z * (0.6666666 + z * (0.40000337 + z * (0.28537238
        + z * 0.23583597))));
}

float vkt_log_f32(float x)
{
    int e;
    float f = vkt_split_f32(x, e) - 1.0;
    float h = 0.5 * f * f;
    float n = float(e);
    float y = vkt_log_series_f32(f, h) + n * 3.1946183e-5;
    return vkt_log_edges_f32(x, n * 0.69311523 + (f - (h - y)));
}

// log(1 + f) as a sum of two; the first has few enough bits for exact products.
vec2 vkt_log_parts_f32(float f)
{
    float h = 0.5 * f * f;
    float high = vkt_high_f32(f - h);
    return vec2(high, ((f - high) - h) + vkt_log_series_f32(f, h));
}

float vkt_log2_f32(float x)
{
    int e;
    vec2 m = vkt_log_parts_f32(vkt_split_f32(x, e) - 1.0);
    float n = float(e), high = m.x * 1.4428711;
    float low = (m.x + m.y) * -0.00017605285 + m.y * 1.4428711;
    float sum = n + high;
    return vkt_log_edges_f32(x, sum + ((high - (sum - n)) + low));
}

float vkt_log10_f32(float x)
{
    int e;
    vec2 m = vkt_log_parts_f32(vkt_split_f32(x, e) - 1.0);
    float n = float(e), high = m.x * 0.43432617, big = n * 0.3010254;
    float low = n * 4.605039e-6 + (m.x + m.y) * -3.168997e-5 + m.y * 0.43432617;
    float sum = big + high;
    return vkt_log_edges_f32(x, sum + ((high - (sum - big)) + low));
}

// log(1 + f) + n ln 2, f in [sqrt(1/2) - 1, sqrt(2) - 1], without a division.
float vkt_log_sum_f32(float f, float n)
{
    float p = vkt_fma_f32(f, -0.077636436, 0.12966995);
    p = vkt_fma_f32(p, f, -0.13218409);
    p = vkt_fma_f32(p, f, 0.14171498);
    p = vkt_fma_f32(p, f, -0.16610558);
    p = vkt_fma_f32(p, f, 0.20002438);
    p = vkt_fma_f32(p, f, -0.25001553);
    p = vkt_fma_f32(p, f, 0.33333322);
    p = vkt_fma_f32(p, f, -0.49999988);
    p = vkt_fma_f32(f * f, p, n * 3.1946183e-5);
    return vkt_fma_f32(n, 0.69311523, f + p);
}

// log(1 + x) of -1 < x < inf: with u = 1 + x = m 2^e, f = x 2^-e + (2^-e - 1) is better than m - 1.
float vkt_log1p_finite_f32(float x, float u)
{
    int e = int((floatBitsToUint(u) - 0x3f3504f3u) & 0xff800000u); // times 2^23
    float one = intBitsToFloat(max(0x3f800000 - e, 0));
    float f = intBitsToFloat(floatBitsToInt(x) - e) + (one - 1.0);
    return vkt_log_sum_f32(e == 0 ? x : f, float(e >> 23));
}

// Below 2^-25 x itself, by its bits.
float vkt_log1p_f32(float x)
{
    float u = 1.0 + x;
    float y = vkt_log1p_finite_f32(x, u);
    float edge = x == -1.0 ? vkt_lowest_f32() : x < -1.0 ? vkt_nan_f32() : x;
    y = floatBitsToUint(u) - 1u < 0x7f800000u - 1u ? y : edge;
    return (floatBitsToUint(x) & 0x7fffffffu) < 0x33000000u ? x : y;
}

float vkt_logaddexp_f32(float x, float y)
{
    float high = vkt_maximum_f32(x, y);
    float d = vkt_abs_f32(x - y);
    float sum = high + vkt_log1p_f32(vkt_exp_f32(-d));
    return x == y ? x + 0.6931472 : vkt_isinf_f32(high) ? high : sum;
}

float vkt_logaddexp2_f32(float x, float y)
{
    float high = vkt_maximum_f32(x, y);
    float d = vkt_abs_f32(x - y);
    float sum = high + 1.442695 * vkt_log1p_f32(vkt_exp2_f32(-d));
    return x == y ? x + 1.0 : vkt_isinf_f32(high) ? high : sum;
}

// log(2^n (w + low)) of w >= 1, `low` being what w lost.
float vkt_log_scaled_f32(float w, float low, int n)
{
    uint u = floatBitsToUint(w) - 0x3f3504f3u;
    int e = int(u) >> 23;
    float m = uintBitsToFloat((u & 0x007fffffu) + 0x3f3504f3u);
    float f = (m - 1.0) + low * vkt_exp2i_f32(max(-e, -126));
    return vkt_log_sum_f32(f, float(e + n));
}

// log(a + sqrt(a^2 + 1)); beyond 2^14, log(2 a).
float vkt_asinh_f32(float x)
{
    float a = vkt_abs_f32(x), z = a * a;
    float p = vkt_fma_f32(z, -0.012486283, 0.027734341);
    p = vkt_fma_f32(p, z, -0.044298872);
    p = vkt_fma_f32(p, z, 0.07497998);
    p = vkt_fma_f32(p, z, -0.16666628);
    float small = a + a * z * p;
    bool big = a > 16384.0;
    float s = vkt_root_f32(vkt_fma_f32(a, a, 1.0)), w = a + s;
    float low = big ? 0.0 : a - (w - s);
    float large = vkt_log_scaled_f32(big ? a : w, low, big ? 1 : 0);
    large = floatBitsToUint(a) < 0x7f800000u ? large : a;
    return vkt_copysign_f32(a < 0.53 ? small : large, x);
}

// Below 3/2 sqrt(2 t) times a polynomial, else log(x + sqrt(x^2 - 1)); beyond 2^14, log(2 x).
float vkt_acosh_f32(float x)
{
    float t = x - 1.0;
    bool near = t < 0.5, big = x > 16384.0;
    float s = vkt_root_f32(near ? 2.0 * t : t * (x + 1.0)), w = x + s;
    float p = vkt_fma_f32(t, -0.00041335842, 0.0017601826);
    p = vkt_fma_f32(p, t, -0.0055479);
    p = vkt_fma_f32(p, t, 0.018746603);
    p = vkt_fma_f32(p, t, -0.08333322);
    float small = vkt_fma_f32(s * t, p, s);
    float low = big ? 0.0 : s - (w - x);
    float large = vkt_log_scaled_f32(big ? x : w, low, big ? 1 : 0);
    float y = near ? small : large;
    y = floatBitsToUint(x) < 0x7f800000u ? y : x;
    return x < 1.0 ? vkt_nan_f32() : y;
}

float vkt_atanh_f32(float x)
{
    float a = vkt_abs_f32(x), z = a * a;
    float p = vkt_fma_f32(z, 0.1772529, 0.050948698);
    p = vkt_fma_f32(p, z, 0.1183484);
    p = vkt_fma_f32(p, z, 0.14221394);
    p = vkt_fma_f32(p, z, 0.20002592);
    p = vkt_fma_f32(p, z, 0.333333);
    float small = a + a * z * p;
    float t = 2.0 * a / (1.0 - a);
    float large = 0.5 * vkt_log1p_finite_f32(t, 1.0 + t);
    float edge = a == 1.0 ? vkt_highest_f32() : vkt_nan_f32();
    return vkt_copysign_f32(a < 0.5 ? small : a < 1.0 ? large : edge, x);
}

// log2(x) of a positive finite x as a sum of two, good to about 12 bits beyond the first's; as
// fdlibm's pow (Sun 1993): with s = (m - c) / (m + c), c = 1 or 3/2, log2(m / c) = 2 / (3 ln 2) (3
// s + s^3 + ...), products split so that the leading are exact.
vec2 vkt_log2_pair_f32(float x)
{
    int e;
    float m = vkt_split_f32(x, e);
    e = m < 1.0 ? e - 1 : e;
    m = m < 1.0 ? m + m : m; // [1, 2)
    bool middle = m >= 1.2247449 && m < 1.7320508;
    e = m >= 1.7320508 ? e + 1 : e;
    m = m >= 1.7320508 ? 0.5 * m : m;
    float c = middle ? 1.5 : 1.0;
    float u = m - c, v = 1.0 / (m + c);
    float s = u * v;
    float sh = vkt_high_f32(s), th = vkt_high_f32(m + c);
    float sl = v * ((u - sh * th) - sh * (m - (th - c)));
    float z = s * s;
    float r = z * z * (0.6000001 + z * (0.4285265 + z * 0.33958367)) + sl * (sh + s);
    z = sh * sh;
    th = vkt_high_f32(3.0 + z + r);
    float tl = r - ((th - 3.0) - z);
    u = sh * th;
    v = sl * th + tl * s;
    float ph = vkt_high_f32(u + v), pl = v - (ph - u);
    float zh = 0.96191406 * ph;
    float zl = -0.000117368574 * ph + pl * 0.9617967 + (middle ? 1.5632212e-6 : 0.0);
    float base = middle ? 0.58496094 : 0.0;
    float n = float(e);
    float high = vkt_high_f32(((zh + zl) + base) + n);
    return vec2(high, zl - (((high - n) - base) - zh));
}

// x^y of a positive finite x and finite y.
float vkt_pow_positive_f32(float x, float y)
{
    float limit = 4.2949673e9; // beyond it every x but 1 overflows or vanishes
    y = y > limit ? limit : y < -limit ? -limit : y;
    vec2 log2x = vkt_log2_pair_f32(x);
    float yh = vkt_high_f32(y);
    float high = yh * log2x.x, low = (y - yh) * log2x.x + y * log2x.y;
    float sum = high + low;
    if (sum > 130.0 || sum < -155.0)
        return sum > 0.0 ? vkt_highest_f32() : 0.0;
    float n = roundEven(sum);
    float fraction = high - n;
    float r = fraction + low;
    low -= r - fraction;
    float above = r * vkt_exp2_series_f32(r) + low * 0.6931472;
    return vkt_scale_f32(1.0 + above, int(n));
}

// C99 Annex F for the rest. Zeros are told by their bits: a comparison may take a subnormal for
// one.
float vkt_pow_f32(float x, float y)
{
    float ax = vkt_abs_f32(x), ay = vkt_abs_f32(y);
    bool no_base = floatBitsToUint(ax) == 0u, no_power = floatBitsToUint(ay) == 0u;
    bool whole = ay >= 16777216.0 || (ay >= 1.0 && trunc(y) == y) || no_power;
    bool odd = whole && ay < 16777216.0 && trunc(0.5 * y) != 0.5 * y;
    bool edge = no_base || vkt_isinf_f32(x) || vkt_isinf_f32(y);
    float z = vkt_pow_positive_f32(edge ? 1.0 : ax, edge ? 1.0 : y);
    z = edge ? ((ax > 1.0) != vkt_signbit_f32(y) ? vkt_highest_f32() : 0.0) : z;
    z = ax == 1.0 && vkt_isinf_f32(y) ? 1.0 : z;
    bool negative = vkt_signbit_f32(x);
    z = negative && odd ? vkt_negative_f32(z) : z;
    z = negative && !whole && !no_base && !vkt_isinf_f32(x) ? vkt_nan_f32() : z;
    z = vkt_isnan_f32(x) ? x : vkt_isnan_f32(y) ? y : z;
    return x == 1.0 || no_power ? 1.0 : z;
}
