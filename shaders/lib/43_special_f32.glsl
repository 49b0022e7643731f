// 43_special_f32.glsl - roots, exact remainders and special functions in float32.

// x / y; where the driver is not exact, of the mantissas, corrected by the exact residual.
float vkt_divide_f32(float x, float y)
{
#if defined(VKT_EXACT_DIVIDE) && defined(VKT_DIVIDES_SUBNORMALS)
    return x / y;
#else
    int ex, ey;
    float mx = vkt_split_f32(vkt_abs_f32(x), ex), my = vkt_split_f32(vkt_abs_f32(y), ey);
    float q = vkt_divide_pair_f32(vec2(mx, 0.0), vec2(my, 0.0));
    q = vkt_scale_f32(q, clamp(ex - ey, -250, 250));
    bool no_x = !vkt_as_bool_f32(x), no_y = !vkt_as_bool_f32(y);
    bool big_x = vkt_isinf_f32(x), big_y = vkt_isinf_f32(y);
    q = no_y || big_x ? vkt_highest_f32() : no_x || big_y ? 0.0 : q;
    q = (no_x && no_y) || (big_x && big_y) ? vkt_nan_f32() : q;
    q = vkt_signbit_f32(x) != vkt_signbit_f32(y) ? vkt_negative_f32(q) : q;
    return vkt_isnan_f32(x) ? x : vkt_isnan_f32(y) ? y : q;
#endif
}

// The same of sqrt(x): the exponent is halved apart; of exact drivers that flush, only a
// subnormal is scaled.
float vkt_sqrt_f32(float x)
{
#if defined(VKT_EXACT_SQRT) && defined(VKT_ROOTS_SUBNORMALS)
    return sqrt(x);
#elif defined(VKT_EXACT_SQRT)
    uint u = floatBitsToUint(x);
    bool tiny = u < 0x00800000u;
    float s = sqrt(tiny ? float(u) * 2.0 : x); // 2^150 x
    s = tiny ? s * 2.6469779601696886e-23 : s;
    return u > 0x80000000u ? vkt_nan_f32() : s;
#else
    int e;
    float m = vkt_split_f32(x, e);
    m = (e & 1) != 0 ? m + m : m;
    float s = sqrt(m), high = vkt_high_f32(s), low = s - high;
    s += ((m - high * high) - 2.0 * high * low - low * low) / (s + s);
    s *= vkt_exp2i_f32(e >> 1);
    bool edge = !vkt_as_bool_f32(x) || vkt_isnan_f32(x) || floatBitsToUint(x) == 0x7f800000u;
    return edge ? x : vkt_signbit_f32(x) ? vkt_nan_f32() : s;
#endif
}

float vkt_rsqrt_f32(float x) { return vkt_divide_f32(1.0, vkt_sqrt_f32(x)); }

// Scaled by a power of two where squares would overflow or vanish.
float vkt_hypot_f32(float x, float y)
{
    float a = vkt_abs_f32(x), b = vkt_abs_f32(y);
    float high = a > b ? a : b;
    int n = high > 1.1529215e18 ? -100 : high < 9.094947e-13 ? 100 : 0;
    float scale = vkt_exp2i_f32(n);
    a *= scale;
    b *= scale;
    float h = sqrt(a * a + b * b) * vkt_exp2i_f32(-n);
    return vkt_isinf_f32(x) || vkt_isinf_f32(y) ? vkt_highest_f32() : h;
}

// y, the inverse root, from a third of the exponent's bits (Kahan) by one step of third order; the
// root is that times the argument, cut to 12 bits so that its square is exact, and corrected.
float vkt_cbrt_f32(float x)
{
    uint u = floatBitsToUint(x) & 0x7fffffffu;
    bool tiny = u < 0x00800000u, huge = u >= 0x7e000000u;
    float a = tiny ? float(u) * 2.0 : uintBitsToFloat(u) * (huge ? 0.125 : 1.0); // tiny: 2^150 x
    float y = uintBitsToFloat(0x54a20000u - floatBitsToUint(a) / 3u);
    float e = 1.0 - (a * y) * (y * y);
    float p = vkt_fma_f32(vkt_fma_f32(e, 0.17435616, 0.22347823), e, 0.3333291);
    y = vkt_fma_f32(y * e, p, y);
    float t = vkt_high_f32(a * y * y);
    e = (a - t * t * t) * y * (y * y);
    t = vkt_fma_f32(t, e * vkt_fma_f32(e, 0.22222222, 0.33333334), t);
    t *= tiny ? vkt_exp2i_f32(-50) : huge ? 2.0 : 1.0;
    return u == 0u || u >= 0x7f800000u ? x : vkt_copysign_f32(t, x);
}

// Exact: the dividend's mantissa enters the remainder seven bits a turn, at most 43 turns. With the
// divisor's leading bit in place a quotient is at most 2^8, so that its estimate is at most one
// off.
float vkt_fmod_f32(float x, float y)
{
    uint a = floatBitsToUint(x) & 0x7fffffffu, b = floatBitsToUint(y) & 0x7fffffffu;
    bool valid = a < 0x7f800000u && b <= 0x7f800000u && b != 0u;
    int ea = max(int(a >> 23), 1), eb = max(int(b >> 23), 1);
    int r = int((a & 0x007fffffu) | (a < 0x00800000u ? 0u : 0x00800000u));
    int d = int((b & 0x007fffffu) | (b < 0x00800000u ? 0u : 0x00800000u));
    int lead = 23 - findMSB(max(d, 1));
    d = max(d, 1) << lead;
    float inverse = 1.0 / float(d);
    r = r >= d ? r - d : r;
    for (int left = valid && a >= b ? ea - eb + lead : 0; left > 0; left -= 7) {
        int n = r << min(left, 7);
        r = n - int(float(n) * inverse) * d;
        r = r < 0 ? r + d : r >= d ? r - d : r;
    }
    int e = eb - lead; // r 2^(e - 150); e may be below 1, then r has trailing zeros
    int lift = min(23 - findMSB(max(r, 1)), e - 1);
    uint u = uint(lift >= 0 ? r << lift : r >> min(-lift, 31));
    u = u < 0x00800000u ? u : (uint(e - lift) << 23) | (u & 0x007fffffu);
    float z = uintBitsToFloat(u | (floatBitsToUint(x) & 0x80000000u));
    float nan = vkt_isnan_f32(x) ? x : vkt_isnan_f32(y) ? y : vkt_nan_f32();
    return !valid ? nan : a < b ? x : z;
}

// As NumPy: the sign of the divisor.
float vkt_remainder_f32(float x, float y)
{
    float r = vkt_fmod_f32(x, y);
    float moved = vkt_signbit_f32(r) != vkt_signbit_f32(y) ? r + y : r;
    return vkt_as_bool_f32(r) ? moved : vkt_copysign_f32(r, y);
}

// From the remainder, as NumPy, so that it agrees with it. Infinite over finite is infinite, and
// finite over infinite a zero, as the array API standard says where NumPy gives NaN and -1.
float vkt_floor_divide_f32(float x, float y)
{
    float r = vkt_fmod_f32(x, y);
    float d = (x - r) / y;
    d = vkt_as_bool_f32(r) && vkt_signbit_f32(r) != vkt_signbit_f32(y) ? d - 1.0 : d;
    float f = floor(d);
    f = d - f > 0.5 ? f + 1.0 : f;
    uint sign = (floatBitsToUint(x) ^ floatBitsToUint(y)) & 0x80000000u;
    float q = d == 0.0 ? uintBitsToFloat(sign) : f;
    bool plain = !vkt_as_bool_f32(y) || vkt_isinf_f32(x) != vkt_isinf_f32(y);
    return plain ? vkt_divide_f32(x, y) : q;
}

