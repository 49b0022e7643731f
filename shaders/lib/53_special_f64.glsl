// 53_special_f64.glsl - roots, exact remainders and special functions in float64.

// As in float32; Vulkan promises no more than float32's precision, hence two corrections.
double vkt_divide_f64(double x, double y)
{
#if defined(VKT_EXACT_DIVIDE64) && defined(VKT_KEEPS_SUBNORMALS64)
    return x / y;
#else
    int ex, ey;
    double mx = vkt_split_f64(vkt_abs_f64(x), ex), my = vkt_split_f64(vkt_abs_f64(y), ey);
    double q = vkt_divide_pair_f64(dvec2(mx, 0.0lf), dvec2(my, 0.0lf));
    double high = vkt_high_f64(q), low = q - high, mh = vkt_high_f64(my), ml = my - mh;
    q += (((mx - high * mh) - high * ml - low * mh) - low * ml) / my;
    q = vkt_scale_f64(q, clamp(ex - ey, -2000, 2000));
    bool no_x = !vkt_as_bool_f64(x), no_y = !vkt_as_bool_f64(y);
    bool big_x = vkt_isinf_f64(x), big_y = vkt_isinf_f64(y);
    q = no_y || big_x ? vkt_highest_f64() : no_x || big_y ? 0.0lf : q;
    q = (no_x && no_y) || (big_x && big_y) ? vkt_nan_f64() : q;
    q = vkt_signbit_f64(x) != vkt_signbit_f64(y) ? vkt_negative_f64(q) : q;
    return vkt_isnan_f64(x) ? x : vkt_isnan_f64(y) ? y : q;
#endif
}

double vkt_sqrt_f64(double x)
{
#if defined(VKT_EXACT_SQRT64) && defined(VKT_KEEPS_SUBNORMALS64)
    return sqrt(x);
#else
    int e;
    double m = vkt_split_f64(x, e);
    m = (e & 1) != 0 ? m + m : m;
    double s = sqrt(m);
    for (int i = 0; i < 2; i++) {
        double high = vkt_high_f64(s), low = s - high;
        s += ((m - high * high) - 2.0lf * high * low - low * low) / (s + s);
    }
    s *= vkt_exp2i_f64(e >> 1);
    bool infinite = doubleBitsToUint64(x) == 0x7ff0000000000000ul;
    bool edge = !vkt_as_bool_f64(x) || vkt_isnan_f64(x) || infinite;
    return edge ? x : vkt_signbit_f64(x) ? vkt_nan_f64() : s;
#endif
}

double vkt_rsqrt_f64(double x) { return vkt_divide_f64(1.0lf, vkt_sqrt_f64(x)); }

// Scaled by a power of two where squares would overflow or vanish.
double vkt_hypot_f64(double x, double y)
{
    double a = vkt_abs_f64(x), b = vkt_abs_f64(y);
    double high = a > b ? a : b;
    int n = high > 3.273390607896142e150lf ? -700 : high < 3.4395525670743494e-136lf ? 700 : 0;
    double scale = vkt_exp2i_f64(n);
    a *= scale;
    b *= scale;
    double h = sqrt(a * a + b * b) * vkt_exp2i_f64(-n);
    return vkt_isinf_f64(x) || vkt_isinf_f64(y) ? vkt_highest_f64() : h;
}

// A third of the exponent from the bits (Kahan), two steps of Halley and one of Newton.
double vkt_cbrt_f64(double x)
{
    uint64_t u = doubleBitsToUint64(x) & 0x7ffffffffffffffful;
    bool tiny = u < 0x0010000000000000ul, huge = u >= 0x7fc0000000000000ul;
    double scale = huge ? 0.125lf : 1.0lf;
    double a = tiny ? double(u) : uint64BitsToDouble(u) * scale; // tiny: 2^1074 x
    uint third = uint(doubleBitsToUint64(a) >> 32) / 3u + 0x2a9f7893u;
    double t = uint64BitsToDouble(uint64_t(third) << 32);
    double cube = t * t * t;
    t = t * ((cube + 2.0lf * a) / (2.0lf * cube + a));
    cube = t * t * t;
    t = t * ((cube + 2.0lf * a) / (2.0lf * cube + a));
    t = t - (t - a / (t * t)) * 0.33333333333333333lf;
    t *= tiny ? vkt_exp2i_f64(-358) : huge ? 2.0lf : 1.0lf;
    return u == 0ul || u >= 0x7ff0000000000000ul ? x : vkt_copysign_f64(t, x);
}

// Exact: the dividend's mantissa enters the remainder nine bits a turn, at most 240 turns. With the
// divisor's leading bit in place a quotient is at most 2^10, so that its estimate is at most one
// off.
double vkt_fmod_f64(double x, double y)
{
    uint64_t top = 0x8000000000000000ul, inf = 0x7ff0000000000000ul, one = 0x0010000000000000ul;
    uint64_t a = doubleBitsToUint64(x) & ~top, b = doubleBitsToUint64(y) & ~top;
    bool valid = a < inf && b <= inf && b != 0ul;
    int ea = max(int(uint(a >> 52)), 1), eb = max(int(uint(b >> 52)), 1);
    int64_t r = int64_t((a & (one - 1ul)) | (a < one ? 0ul : one));
    int64_t d = int64_t((b & (one - 1ul)) | (b < one ? 0ul : one));
    d = d == 0 ? 1l : d;
    int lead = 52 - vkt_find_msb_u64(uint64_t(d));
    d <<= lead;
    double inverse = 1.0lf / double(d);
    r = r >= d ? r - d : r;
    for (int left = valid && a >= b ? ea - eb + lead : 0; left > 0; left -= 9) {
        int64_t n = r << min(left, 9);
        r = n - int64_t(double(n) * inverse) * d;
        r = r < 0 ? r + d : r >= d ? r - d : r;
    }
    int e = eb - lead; // r 2^(e - 1075); e may be below 1, then r has trailing zeros
    int lift = min(52 - vkt_find_msb_u64(r == 0 ? 1ul : uint64_t(r)), e - 1);
    uint64_t u = uint64_t(lift >= 0 ? r << lift : r >> min(-lift, 63));
    u = u < one ? u : (uint64_t(e - lift) << 52) | (u & (one - 1ul));
    double z = uint64BitsToDouble(u | (doubleBitsToUint64(x) & top));
    double nan = vkt_isnan_f64(x) ? x : vkt_isnan_f64(y) ? y : vkt_nan_f64();
    return !valid ? nan : a < b ? x : z;
}

// As NumPy: the sign of the divisor.
double vkt_remainder_f64(double x, double y)
{
    double r = vkt_fmod_f64(x, y);
    double moved = vkt_signbit_f64(r) != vkt_signbit_f64(y) ? r + y : r;
    return r == 0.0lf ? vkt_copysign_f64(r, y) : moved;
}

// From the remainder, as NumPy, so that it agrees with it. Infinite over finite is infinite, and
// finite over infinite a zero, as the array API standard says where NumPy gives NaN and -1.
double vkt_floor_divide_f64(double x, double y)
{
    double r = vkt_fmod_f64(x, y);
    double d = (x - r) / y;
    d = r != 0.0lf && vkt_signbit_f64(r) != vkt_signbit_f64(y) ? d - 1.0lf : d;
    double f = floor(d);
    f = d - f > 0.5lf ? f + 1.0lf : f;
    uint64_t sign = (doubleBitsToUint64(x) ^ doubleBitsToUint64(y)) & 0x8000000000000000ul;
    double q = d == 0.0lf ? uint64BitsToDouble(sign) : f;
    bool plain = y == 0.0lf || vkt_isinf_f64(x) != vkt_isinf_f64(y);
    return plain ? x / y : q;
}

