// 52_trig_f64.glsl - sine, cosine, tangent and their inverses in float64.
//
// Arguments are reduced to r + l in [-pi/4, pi/4] and a quadrant, l being what r lost: up to 1.6e6
// with pi/2 in four parts whose products with the quadrant number are exact (Cody and Waite 1980),
// beyond it with the bits of 2/pi that matter, in integers (Payne and Hanek 1983).

// The bits of 2/pi, after 64 zero bits.
const uint VKT_TWO_OVER_PI_F64[39] = {
    0x00000000u, 0x00000000u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u,
    0x3c439041u, 0xfe5163abu, 0xdebbc561u, 0xb7246e3au, 0x424dd2e0u, 0x06492eeau, 0x09d1921cu,
    0xfe1deb1cu, 0xb129a73eu, 0xe88235f5u, 0x2ebb4484u, 0xe99c7026u, 0xb45f7e41u, 0x3991d639u,
    0x835339f4u, 0x9c845f8bu, 0xbdf9283bu, 0x1ff897ffu, 0xde05980fu, 0xef2f118bu, 0x5a0a6d1fu,
    0x6d367ecfu, 0x27cb09b7u, 0x4f463f66u, 0x9e5fea2du, 0x7527bac7u, 0xebe5f17bu, 0x3d0739f7u,
    0x8a5292eau, 0x6bfb5fb1u, 0x1f8d5d08u, 0x56033046u
};

// The upper half of a product.
uint64_t vkt_mul_high_u64(uint64_t x, uint64_t y)
{
    uint64_t mask = 0xfffffffful, x0 = x & mask, x1 = x >> 32, y0 = y & mask, y1 = y >> 32;
    uint64_t middle = x1 * y0 + ((x0 * y0) >> 32);
    uint64_t rest = x0 * y1 + (middle & mask);
    return x1 * y1 + (middle >> 32) + (rest >> 32);
}

// x = m 2^e: bits of 2/pi above 2^(1-e) only give whole turns; the next 192 times m, modulo 4,
// leave the quadrant and 126 bits.
dvec2 vkt_reduce_large_f64(double a, out int quadrant)
{
    uint64_t u = doubleBitsToUint64(a), mask = 0xfffffffful;
    uint64_t m = (u & 0x000ffffffffffffful) | 0x0010000000000000ul;
    uint first = uint(u >> 52) - 1013u; // (e - 1) - 1 + 64
    uint word = first >> 5, s = first & 31u;
    uint64_t high = 0ul, low = 0ul, carry = 0ul;
    uint64_t next = uint64_t(VKT_TWO_OVER_PI_F64[word + 6u]);
    for (uint k = 6u; k > 0u; k--) {
        uint64_t here = uint64_t(VKT_TWO_OVER_PI_F64[word + k - 1u]);
        uint64_t w = ((((here << 32) | next) << s) >> 32) & mask;
        next = here;
        uint64_t p = (m & mask) * w;
        uint64_t digit = (p & mask) + (carry & mask);
        carry = (carry >> 32) + (p >> 32) + (digit >> 32) + (m >> 32) * w;
        low = (low >> 32) | (high << 32);
        high = (high >> 32) | (digit << 32);
    }
    quadrant = int(uint((high + 0x2000000000000000ul) >> 62));
    high -= uint64_t(quadrant) << 62;
    bool negative = (high >> 63) != 0ul;
    low = negative ? ~low + 1ul : low;
    high = negative ? ~high + (low == 0ul ? 1ul : 0ul) : high;
    // No double is so near a multiple of pi/2 that high is 0.
    int lead = 63 - vkt_find_msb_u64(high);
    high = (high << lead) | ((low >> 1) >> (63 - lead));
    uint64_t p = vkt_mul_high_u64(high, 0xc90fdaa22168c235ul); // pi/2 in units of 2^-63
    double scale = vkt_exp2i_f64(-61 - lead);
    double r = double(p & ~0x7fful) * scale, l = double(p & 0x7fful) * scale;
    quadrant &= 3;
    return negative ? dvec2(-r, -l) : dvec2(r, l);
}

dvec2 vkt_reduce_f64(double a, out int quadrant)
{
    double n = vkt_nearest_f64(a * 0.6366197723675814lf, quadrant);
    double t1 = a - n * 1.5707963267341256lf, w = n * 6.077100506303966e-11lf;
    double t2 = t1 - w, low = (t1 - t2) - w;
    w = n * 2.0222662487111665e-21lf;
    double t3 = t2 - w;
    low += ((t2 - t3) - w) - n * 8.4784276603689e-32lf;
    double r = t3 + low;
    dvec2 reduced = dvec2(r, (t3 - r) + low);
    if (a > 1600000.0lf)
        reduced = vkt_reduce_large_f64(a, quadrant);
    return reduced;
}

// (sin(r) - r) / r^3 and (cos(r) - 1 + r^2 / 2) / r^4, of z = r^2.
double vkt_sin_series_f64(double z)
{
    return -0.16666666666666632lf + z * (0.008333333333322217lf + z * (-0.00019841269829640732lf
        + z * (2.7557313630909765e-6lf + z * (-2.5050748126242194e-8lf
        + z * 1.5896193406187446e-10lf))));
}

double vkt_cos_series_f64(double z)
{
    return 0.041666666666666595lf + z * (-0.0013888888888873843lf
        + z * (2.4801587289297873e-5lf + z * (-2.755731429665916e-7lf + z * (2.087571540193823e-9lf
        + z * -1.1359225669430759e-11lf))));
}

// sin(|x| + quadrants * pi/2)
double vkt_sin_shifted_f64(double x, int quadrants)
{
    int quadrant;
    double a = vkt_abs_f64(x);
    dvec2 r = vkt_reduce_f64(vkt_isfinite_f64(x) ? a : 1.0lf, quadrant);
    quadrant += quadrants;
    double z = r.x * r.x, h = 0.5lf * z, w = 1.0lf - h;
    double sine = r.x + (r.x * z * vkt_sin_series_f64(z) + (r.y - h * r.y));
    double cosine = w + (((1.0lf - w) - h) + (z * z * vkt_cos_series_f64(z) - r.x * r.y));
    double y = (quadrant & 1) != 0 ? cosine : sine;
    return (quadrant & 2) != 0 ? vkt_negative_f64(y) : y;
}

double vkt_sin_f64(double x)
{
    double y = vkt_sin_shifted_f64(x, 0);
    y = vkt_signbit_f64(x) ? vkt_negative_f64(y) : y;
    return vkt_isfinite_f64(x) ? y : vkt_nan_f64();
}

double vkt_cos_f64(double x)
{
    return vkt_isfinite_f64(x) ? vkt_sin_shifted_f64(x, 1) : vkt_nan_f64();
}

// The quotient of sine and cosine, each a sum of two, corrected once.
double vkt_tan_f64(double x)
{
    int quadrant;
    dvec2 r = vkt_reduce_f64(vkt_isfinite_f64(x) ? vkt_abs_f64(x) : 1.0lf, quadrant);
    double z = r.x * r.x, h = 0.5lf * z, w = 1.0lf - h;
    double s = r.x * z * vkt_sin_series_f64(z) + (r.y - h * r.y);
    double c = ((1.0lf - w) - h) + (z * z * vkt_cos_series_f64(z) - r.x * r.y);
    double sine = r.x + s, cosine = w + c;
    s -= sine - r.x;
    c -= cosine - w;
    bool odd = (quadrant & 1) != 0;
    dvec2 over = odd ? dvec2(cosine, c) : dvec2(sine, s);
    dvec2 under = odd ? dvec2(sine, s) : dvec2(cosine, c);
    double y = vkt_divide_pair_f64(over, under);
    y = odd != vkt_signbit_f64(x) ? vkt_negative_f64(y) : y;
    return vkt_isfinite_f64(x) ? y : vkt_nan_f64();
}

// (asin(t) - t) / t of z = t^2 up to 1/4
double vkt_asin_series_f64(double z)
{
    return z * (0.16666666666665375lf + z * (0.07500000000344759lf + z * (0.04464285682200984lf
        + z * (0.03038195939408744lf + z * (0.022371751971229235lf + z * (0.017359795139699888lf
        + z * (0.013884355336853692lf + z * (0.012174911151711699lf + z * (0.0065036505475415795lf
        + z * (0.01959399601356894lf + z * (-0.01632616661322829lf
        + z * 0.03198133777422165lf)))))))))));
}

// asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)) beyond 1/2
double vkt_asin_f64(double x)
{
    double a = vkt_abs_f64(x);
    double z = a < 0.5lf ? a * a : 0.5lf * (1.0lf - a);
    double p = vkt_asin_series_f64(z);
    dvec2 s = vkt_sqrt_pair_f64(z);
    double rest = 2.0lf * ((s.x + s.y) * p + s.y) - 6.123233995736766e-17lf;
    double high = 1.5707963267948966lf - 2.0lf * s.x;
    double large = high + (((1.5707963267948966lf - high) - 2.0lf * s.x) - rest);
    double y = a < 0.5lf ? a + a * p : large;
    return a > 1.0lf ? vkt_nan_f64() : vkt_copysign_f64(y, x);
}

double vkt_acos_f64(double x)
{
    double a = vkt_abs_f64(x);
    double z = a < 0.5lf ? a * a : 0.5lf * (1.0lf - a);
    double p = vkt_asin_series_f64(z);
    dvec2 s = vkt_sqrt_pair_f64(z);
    double rest = (s.x + s.y) * p + s.y;
    double middle = 1.5707963267948966lf - (x - (6.123233995736766e-17lf - x * p));
    double left = 1.5707963267948966lf - (s.x + (rest - 6.123233995736766e-17lf));
    double large = 2.0lf * (x > 0.0lf ? s.x + rest : left);
    return a > 1.0lf ? vkt_nan_f64() : a < 0.5lf ? middle : large;
}

// atan(y / x) of y, x >= 0, not both 0, as eighth * pi/4 + the sum returned, the second far smaller
// than the first.
dvec2 vkt_atan_reduced_f64(double y, double x, out int eighth)
{
    bool below = y < 0.41421356237309503lf * x, above = 0.41421356237309503lf * y > x;
    double t = (below ? y : above ? -x : y - x) / (below ? x : above ? y : y + x);
    double z = t * t;
    eighth = below ? 0 : above ? 2 : 1;
    return dvec2(t, t * z * (-0.333333333333332lf + z * (0.1999999999995367lf
        + z * (-0.14285714280204498lf + z * (0.11111110783836207lf + z * (-0.09090897767636055lf
        + z * (0.07692060370446352lf + z * (-0.06663105540692298lf + z * (0.0584789792216157lf
        + z * (-0.05039332864018874lf + z * (0.0380649988062998lf
        + z * -0.017907384456253554lf)))))))))));
}

// n * pi/4 + t.x + t.y
double vkt_eighths_f64(int eighths, dvec2 t)
{
    double n = double(eighths);
    double high = n * 0.7853981633974483lf;
    double sum = high + t.x;
    return sum + ((high - sum) + t.x + (t.y + n * 3.061616997868383e-17lf));
}

double vkt_atan_f64(double x)
{
    int eighth;
    dvec2 t = vkt_atan_reduced_f64(vkt_abs_f64(x), 1.0lf, eighth);
    double y = vkt_eighths_f64(eighth, t);
    return vkt_isnan_f64(x) ? x : vkt_copysign_f64(y, x);
}

// Infinities are replaced by 1 and what is finite beside them by 0; very large and small operands
// are scaled.
double vkt_atan2_f64(double y, double x)
{
    int eighth;
    double ay = vkt_abs_f64(y), ax = vkt_abs_f64(x);
    bool infinite = vkt_isinf_f64(y) || vkt_isinf_f64(x);
    double high = ay > ax ? ay : ax;
    double scale = high > 1.0715086071862673e301lf ? 0.0625lf : high < 7.888609052210118e-31lf
        ? 5.260135901548374e210lf : 1.0lf;
    ay = infinite ? (vkt_isinf_f64(y) ? 1.0lf : 0.0lf) : ay * scale;
    ax = infinite ? (vkt_isinf_f64(x) ? 1.0lf : 0.0lf) : high == 0.0lf ? 1.0lf : ax * scale;
    dvec2 t = vkt_atan_reduced_f64(ay, ax, eighth);
    bool left = vkt_signbit_f64(x);
    double z = vkt_eighths_f64(left ? 4 - eighth : eighth, left ? -t : t);
    return vkt_isnan_f64(x) ? x : vkt_isnan_f64(y) ? y : vkt_copysign_f64(z, y);
}
