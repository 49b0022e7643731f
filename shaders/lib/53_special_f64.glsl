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

// erfc(x) of x >= 7/8: exp(x^2) erfc(x) x is a polynomial in (x - 2) / (x + 2) (after Shepherd and
// Laframboise 1981); exp(-x^2) is taken from the square as a sum of two.
double vkt_erfc_tail_f64(double x)
{
    x = x > 29.0lf ? 29.0lf : x;
    double t = (x - 2.0lf) / (x + 2.0lf);
    double p = (0.5107913526210115lf + t * (0.16721101041410588lf + t * (-0.20384429592887288lf
        + t * (0.12151493052465315lf + t * (-0.028976446698752486lf + t * (-0.007515738414486387lf
        + t * (0.004784898589710922lf + t * (0.0011266580772747489lf + t * (-0.000750185401253497lf
        + t * (-0.0003143516594051377lf + t * (8.942906223821321e-5lf + t * (8.930752620485466e-5lf
        + t * (6.170833398580558e-6lf + t * (-1.8838149285193902e-5lf + t * (-8.446109401541923e-6lf
        + t * (8.293551291011832e-7lf + t * (2.7772167976755707e-6lf + t * (1.921843564518851e-6lf
        + t * (-1.0798979077604744e-6lf + t * (-6.331680404772171e-7lf
        + t * 3.129156459636467e-7lf)))))))))))))))))))) / x;
    double high = vkt_high_f64(x);
    double low = -(x - high) * (x + high);
    double e = vkt_exp_biased_f64(-(high * high), 128);
    e += e * (low + low * low * vkt_exp_series_f64(low));
    return e * p * vkt_exp2i_f64(-128);
}

// (erf(x) - x) / x of x^2 for |x| < 1
double vkt_erf_series_f64(double z)
{
    return 0.1283791670955126lf + z * (-0.3761263890318375lf + z * (0.11283791670954885lf
        + z * (-0.026866170645077875lf + z * (0.005223977624828431lf + z * (-0.0008548326981425542lf
        + z * (0.0001205533113295582lf + z * (-1.4925595772180906e-5lf + z * (1.64610084778027e-6lf
        + z * (-1.6350396222864617e-7lf + z * (1.466032872274226e-8lf + z * (-1.137495573607015e-9lf
        + z * 5.960685338520971e-11lf)))))))))));
}

double vkt_erf_f64(double x)
{
    double a = vkt_abs_f64(x);
    double y = a < 1.0lf ? a + a * vkt_erf_series_f64(a * a) : 1.0lf - vkt_erfc_tail_f64(a);
    return vkt_copysign_f64(y, x);
}

double vkt_erfc_f64(double x)
{
    double a = vkt_abs_f64(x);
    double rest = x * vkt_erf_series_f64(a * a);
    double small = x < 0.25lf ? 1.0lf - (x + rest) : 0.5lf - ((x - 0.5lf) + rest);
    double tail = vkt_erfc_tail_f64(a);
    return a < 0.875lf ? small : x < 0.0lf ? 2.0lf - tail : tail;
}

// log(gamma(2 + t)) of t in [-3/4, 1/2]
double vkt_lgamma_series_f64(double t)
{
    return t * (0.42278433509846713lf + t * (0.3224670334241132lf
        + t * (-0.06735230105319802lf + t * (0.02058080842778437lf + t * (-0.0073855510286826185lf
        + t * (0.002890510330749877lf + t * (-0.001192753911310749lf + t * (0.0005096695246722437lf
        + t * (-0.00022315476757482427lf + t * (9.945750927816946e-5lf
        + t * (-4.4926114908157476e-5lf + t * (2.0507315628574938e-5lf
        + t * (-9.440468723982241e-6lf + t * (4.373627077891234e-6lf + t * (-2.0344945308020233e-6lf
        + t * (9.63275211473183e-7lf + t * (-4.6167715131625487e-7lf + t * (1.8178524865613097e-7lf
        + t * (-8.89312476766084e-8lf + t * (1.0766710716634832e-7lf + t * (-5.182791869617297e-9lf
        + t * (-3.7314764673425185e-8lf + t * -4.185919097929314e-8lf))))))))))))))))))))));
}

// log(gamma(x)) of x > 0: Stirling's series from 8 on; below, the series above and
// the logarithm of the factors in between.
double vkt_lgamma_positive_f64(double x)
{
    double n = roundEven(x);
    double t = x < 0.5lf ? x : x < 1.25lf ? x - 1.0lf : x <= 2.5lf ? x - 2.0lf : x - n;
    double factors = x < 0.5lf ? x + x * x : x < 1.25lf ? x : 1.0lf; // x + x^2 is x where x is tiny
    double product = x - 1.0lf;
    product *= n > 3.0lf ? x - 2.0lf : 1.0lf;
    product *= n > 4.0lf ? x - 3.0lf : 1.0lf;
    product *= n > 5.0lf ? x - 4.0lf : 1.0lf;
    product *= n > 6.0lf ? x - 5.0lf : 1.0lf;
    product *= n > 7.0lf ? x - 6.0lf : 1.0lf;
    double log_of = vkt_log_f64(x >= 8.0lf ? x : x > 2.5lf ? product : factors);
    log_of = x < 1.25lf ? -log_of : log_of;
    double middle = log_of + vkt_lgamma_series_f64(t);
    double w = 1.0lf / x, z = w * w;
    double large = (x - 0.5lf) * (log_of - 1.0lf) + (0.4189385332046727lf
        + w * (0.0833333333333333lf + z * (-0.00277777777761lf + z * (0.0007936506668624145lf
        + z * (-0.0005952029368773997lf + z * (0.0008373083776194599lf
        + z * -0.0016532372492024914lf))))));
    double y = x >= 8.0lf ? large : middle;
    return vkt_isinf_f64(x) ? x : y;
}

// sin(pi r) of r in [0, 1/2]
double vkt_sin_turns_f64(double r)
{
    double t = (r > 0.25lf ? 0.5lf - r : r) * 3.141592653589793lf;
    dvec2 pair = dvec2(t, 0.0lf);
    double z = t * t;
    double cosine = 1.0lf - (0.5lf * z - vkt_cos_series_f64(pair, z));
    return r > 0.25lf ? cosine : t + vkt_sin_series_f64(pair, z);
}

// log(gamma(-a)) = log(pi / (a sin(pi a))) - log(gamma(a)) of a > 0. Near a zero of it the parts
// would cancel; doubles come near one only up to 23, and there gamma(a) is a factor in the argument
// of the one logarithm.
double vkt_lgamma_reflected_f64(double a, double positive)
{
    double n = roundEven(a);
    double product = a * vkt_sin_turns_f64(vkt_abs_f64(a - n));
    if (a > 23.0lf)
        return vkt_log_f64(3.141592653589793lf / product) - positive;
    for (int k = int(n) - 2; k > 0; k--)
        product *= a - double(k);
    double factors = n == 0.0lf ? a + a * a : n == 1.0lf ? a : 1.0lf;
    return vkt_log_f64(3.141592653589793lf * factors / product) - vkt_lgamma_series_f64(a - n);
}

double vkt_lgamma_f64(double x)
{
    double a = vkt_abs_f64(x);
    double y = vkt_lgamma_positive_f64(a);
    if (x < -8.673617379884035e-19lf)
        y = vkt_lgamma_reflected_f64(a, y);
    bool pole = a == 0.0lf || (x < 0.0lf && roundEven(a) == a);
    return vkt_isnan_f64(x) ? x : pole || vkt_isinf_f64(x) ? vkt_highest_f64() : y;
}
