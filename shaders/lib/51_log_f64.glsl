// 51_log_f64.glsl - logarithms, pow and the inverse hyperbolic functions in float64.
//
// x = m 2^e with m in [sqrt(1/2), sqrt(2)); with f = m - 1 and s = f / (2 + f), log(m) = f - f^2/2
// + s (f^2/2 + R(s^2)), the form of fdlibm (Sun 1993) with coefficients of our own.

// What the argument's edges give in place of y: zero, negative, infinite, NaN.
double vkt_log_edges_f64(double x, double y)
{
    uint64_t u = doubleBitsToUint64(x);
    double edge = vkt_isnan_f64(x) || u == 0x7ff0000000000000ul ? x : vkt_nan_f64();
    edge = (u << 1) == 0ul ? vkt_lowest_f64() : edge;
    return u - 1ul < 0x7ff0000000000000ul - 1ul ? y : edge;
}

// s (f^2/2 + R)
double vkt_log_series_f64(double f, double half_square)
{
    double s = f / (2.0lf + f), z = s * s;
    return s * (half_square + z * (0.6666666666666735lf + z * (0.39999999999412267lf
        + z * (0.28571428743010635lf + z * (0.22222198500078325lf + z * (0.18183568598436087lf
        + z * (0.15313929534555817lf + z * 0.14797272697670003lf)))))));
}

double vkt_log_f64(double x)
{
    int e;
    double f = vkt_split_f64(x, e) - 1.0lf;
    double h = 0.5lf * f * f;
    double n = double(e);
    double y = vkt_log_series_f64(f, h) + n * -4.2009150726810846e-11lf;
    return vkt_log_edges_f64(x, n * 0.6931471806019545lf + (f - (h - y)));
}

// log(1 + f) as a sum of two; the first has few enough bits for exact products.
dvec2 vkt_log_parts_f64(double f)
{
    double h = 0.5lf * f * f;
    double high = vkt_high_f64(f - h);
    return dvec2(high, ((f - high) - h) + vkt_log_series_f64(f, h));
}

double vkt_log2_f64(double x)
{
    int e;
    dvec2 m = vkt_log_parts_f64(vkt_split_f64(x, e) - 1.0lf);
    double n = double(e), high = m.x * 1.4426950514316559lf;
    double low = (m.x + m.y) * -1.0542692476429138e-8lf + m.y * 1.4426950514316559lf;
    double sum = n + high;
    return vkt_log_edges_f64(x, sum + ((high - (sum - n)) + low));
}

double vkt_log10_f64(double x)
{
    int e;
    dvec2 m = vkt_log_parts_f64(vkt_split_f64(x, e) - 1.0lf);
    double n = double(e), high = m.x * 0.4342944845557213lf, big = n * 0.3010299956640665lf;
    double low = n * -8.532344317057107e-14lf + (m.x + m.y) * -2.6524694553078553e-9lf
        + m.y * 0.4342944845557213lf;
    double sum = big + high;
    return vkt_log_edges_f64(x, sum + ((high - (sum - big)) + low));
}

// log(u) with u = 1 + x rounded, plus what the rounding lost, c / u.
double vkt_log1p_f64(double x)
{
    int e;
    double u = 1.0lf + x;
    double f = vkt_split_f64(u, e) - 1.0lf;
    double c = (x > 1.0lf ? 1.0lf - (u - x) : x - (u - 1.0lf)) / u;
    f = e == 0 ? x : f;
    c = e == 0 ? 0.0lf : c;
    double h = 0.5lf * f * f;
    double n = double(e);
    double y = vkt_log_series_f64(f, h) + (n * -4.2009150726810846e-11lf + c);
    return vkt_copysign_f64(vkt_log_edges_f64(u, n * 0.6931471806019545lf + (f - (h - y))), x);
}

double vkt_logaddexp_f64(double x, double y)
{
    double high = vkt_maximum_f64(x, y);
    double d = vkt_abs_f64(x - y);
    double sum = high + vkt_log1p_f64(vkt_exp_f64(-d));
    return x == y ? x + 0.6931471805599453lf : vkt_isinf_f64(high) ? high : sum;
}

double vkt_logaddexp2_f64(double x, double y)
{
    double high = vkt_maximum_f64(x, y);
    double d = vkt_abs_f64(x - y);
    double sum = high + 1.4426950408889634lf * vkt_log1p_f64(vkt_exp2_f64(-d));
    return x == y ? x + 1.0lf : vkt_isinf_f64(high) ? high : sum;
}

double vkt_asinh_f64(double x)
{
    double a = vkt_abs_f64(x), z = a * a;
    double small = a + a * z * (-0.1666666666666661lf + z * (0.07499999999984557lf
        + z * (-0.044642857127940694lf + z * (0.03038194372063804lf + z * (-0.022372138454088433lf
        + z * (0.01735238831530243lf + z * (-0.013960244891767141lf + z * (0.011513062004668307lf
        + z * (-0.009534458556113283lf + z * (0.007466409075436709lf + z * (-0.004748698438431331lf
        + z * 0.0017188416628194615lf)))))))))));
    double large = vkt_log1p_f64(a + z / (1.0lf + sqrt(1.0lf + z)));
    if (a > 268435456.0lf)
        large = vkt_log_f64(a) + 0.6931471805599453lf;
    return vkt_copysign_f64(a < 0.5lf ? small : large, x);
}

double vkt_acosh_f64(double x)
{
    double t = x - 1.0lf;
    dvec2 s = vkt_sqrt_pair_f64(2.0lf * t); // the first term of the series at 1
    double small = s.x + (s.y + (s.x + s.y) * t * (-0.08333333333333305lf
        + t * (0.01874999999996154lf + t * (-0.0055803571409990815lf + t * (0.0018988714826797541lf
        + t * (-0.0006991293284325667lf + t * (0.0002711310810186285lf
        + t * (-0.00010906448243605294lf + t * (4.4973132144826126e-5lf
        + t * (-1.862250790807222e-5lf + t * (7.292141841061704e-6lf + t * (-2.3192835103201887e-6lf
        + t * 4.198431697268774e-7lf))))))))))));
    double large = vkt_log1p_f64(t + sqrt(t * (t + 2.0lf)));
    if (x > 268435456.0lf)
        large = vkt_log_f64(x) + 0.6931471805599453lf;
    return x < 1.0lf ? vkt_nan_f64() : t < 0.5lf ? small : large;
}

double vkt_atanh_f64(double x)
{
    double a = vkt_abs_f64(x), z = a * a;
    double small = a + a * z * (0.3333333333333328lf + z * (0.20000000000018944lf
        + z * (0.1428571428334773lf + z * (0.11111111260372275lf + z * (0.0909090351828534lf
        + z * (0.07692442034147563lf + z * (0.06664464782265356lf + z * (0.05907642009497533lf
        + z * (0.05056601051175511lf + z * (0.059630099704730495lf + z * (-0.00553945860260447lf
        + z * (0.1753566914339607lf + z * (-0.19661599178437314lf
        + z * 0.24139145295905742lf)))))))))))));
    double large = 0.5lf * vkt_log1p_f64(2.0lf * a / (1.0lf - a));
    return vkt_copysign_f64(a < 0.5lf ? small : large, x);
}

// log2(x) of a positive finite x as a sum of two, good to about 26 bits beyond the first's; as
// fdlibm's pow (Sun 1993): with s = (m - c) / (m + c), c = 1 or 3/2, log2(m / c) = 2 / (3 ln 2) (3
// s + s^3 + ...), products split so that the leading are exact.
dvec2 vkt_log2_pair_f64(double x)
{
    int e;
    double m = vkt_split_f64(x, e);
    e = m < 1.0lf ? e - 1 : e;
    m = m < 1.0lf ? m + m : m; // [1, 2)
    bool middle = m >= 1.224744871391589lf && m < 1.7320508075688772lf;
    e = m >= 1.7320508075688772lf ? e + 1 : e;
    m = m >= 1.7320508075688772lf ? 0.5lf * m : m;
    double c = middle ? 1.5lf : 1.0lf;
    double u = m - c, v = 1.0lf / (m + c);
    double s = u * v;
    double sh = vkt_high_f64(s), th = vkt_high_f64(m + c);
    double sl = v * ((u - sh * th) - sh * (m - (th - c)));
    double z = s * s;
    double r = z * z * (0.5999999999999936lf + z * (0.4285714285796073lf + z * (0.3333333294046936lf
        + z * (0.2727281982331224lf + z * (0.23065447585306395lf + z * 0.20717545339883436lf)))))
        + sl * (sh + s);
    z = sh * sh;
    th = vkt_high_f64(3.0lf + z + r);
    double tl = r - ((th - 3.0lf) - z);
    u = sh * th;
    v = sl * th + tl * s;
    double ph = vkt_high_f64(u + v), pl = v - (ph - u);
    double zh = 0.9617967009544373lf * ph;
    double zl = -7.028461650952758e-9lf * ph + pl * 0.9617966939259756lf + (middle
        ? -1.4007691725501674e-9lf : 0.0lf);
    double base = middle ? 0.5849625021219254lf : 0.0lf;
    double n = double(e);
    double high = vkt_high_f64(((zh + zl) + base) + n);
    return dvec2(high, zl - (((high - n) - base) - zh));
}

// x^y of a positive finite x and finite y.
double vkt_pow_positive_f64(double x, double y)
{
    double limit = 3.6893488147419103e19lf; // beyond it every x but 1 overflows or vanishes
    y = y > limit ? limit : y < -limit ? -limit : y;
    dvec2 log2x = vkt_log2_pair_f64(x);
    double yh = vkt_high_f64(y);
    double high = yh * log2x.x, low = (y - yh) * log2x.x + y * log2x.y;
    double sum = high + low;
    if (sum > 1026.0lf || sum < -1080.0lf)
        return sum > 0.0lf ? vkt_highest_f64() : 0.0lf;
    double n = roundEven(sum);
    double fraction = high - n;
    double r = fraction + low;
    low -= r - fraction;
    double above = r * vkt_exp2_series_f64(r) + low * 0.6931471805599453lf;
    return vkt_scale_f64(1.0lf + above, int(n));
}

// C99 Annex F for the rest.
double vkt_pow_f64(double x, double y)
{
    double ax = vkt_abs_f64(x), ay = vkt_abs_f64(y);
    bool whole = ay >= 9007199254740992.0lf || trunc(y) == y;
    bool odd = whole && ay < 9007199254740992.0lf && trunc(0.5lf * y) != 0.5lf * y;
    bool edge = ax == 0.0lf || vkt_isinf_f64(x) || vkt_isinf_f64(y);
    double z = vkt_pow_positive_f64(edge ? 1.0lf : ax, edge ? 1.0lf : y);
    z = edge ? ((ax > 1.0lf) == (y > 0.0lf) ? vkt_highest_f64() : 0.0lf) : z;
    z = ax == 1.0lf && vkt_isinf_f64(y) ? 1.0lf : z;
    bool negative = vkt_signbit_f64(x);
    z = negative && odd ? vkt_negative_f64(z) : z;
    z = negative && !whole && ax != 0.0lf && !vkt_isinf_f64(x) ? vkt_nan_f64() : z;
    z = vkt_isnan_f64(x) ? x : vkt_isnan_f64(y) ? y : z;
    return x == 1.0lf || ay == 0.0lf ? 1.0lf : z;
}
