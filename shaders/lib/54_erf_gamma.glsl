// 54_erf_gamma.glsl - erf, erfc, lgamma and sinc, written once for both widths but for erf.
//
// `real` stands for float or double and `pair` for vec2 or dvec2, mostly a number as a sum of two;
// `_#` ends the names of functions of either: shaders/embed.py writes each such chunk twice.

// exp(x + l) * 2^-k, l far below 1, as a sum of two.
pair vkt_exp_pair_#(real x, real l, out int k)
{
    pair ln2 = vkt_ln2_#();
    real n = vkt_nearest_#(x * 1.44269504, k);
    real high = x - n * ln2.x, low = n * ln2.y;
    real r = high - low;
    l += (high - r) - low;
    real rest = r * r * vkt_exp_series_#(r);
    real s = r + (rest + (l + l * (r + rest)));
    real y = 1.0 + s;
    return pair(y, (1.0 - y) + s);
}

// log(x) of a positive finite x as a sum of two, the first of half the bits or 24.
pair vkt_log_pair_#(real x)
{
    pair log2x = vkt_log2_pair_#(x), ln2 = vkt_ln2_#();
    return pair(log2x.x * ln2.x, log2x.x * ln2.y + log2x.y * (ln2.x + ln2.y));
}

// exp(x^2) erfc(x) (1 + 2 x) of x >= 1/2 as a sum of two: a polynomial in (x - k) / (x + k) (after
// Shepherd and Laframboise 1981).
vec2 vkt_erfc_factor_f32(float x)
{
    float t = (x - 2.0) / (x + 2.0);
    float p = vkt_fma_f32(t, -0.0001698109, -0.0012874448);
    p = vkt_fma_f32(p, t, 0.0011052453);
    p = vkt_fma_f32(p, t, 0.008675513);
    p = vkt_fma_f32(p, t, -0.007996654);
    p = vkt_fma_f32(p, t, -0.05421539);
    p = vkt_fma_f32(p, t, 0.16404828);
    p = vkt_fma_f32(p, t, -0.16603042);
    float rest = t * vkt_fma_f32(p, t, -0.09276378);
    p = 1.2769784 + rest;
    return vec2(p, (1.2769784 - p) + rest);
}

dvec2 vkt_erfc_factor_f64(double x)
{
    double t = (x - 3.0lf) / (x + 3.0lf);
    double rest = t * (-0.13562110612458136lf + t * (-0.04756229435345073lf + t
        * (0.12964515870278462lf + t * (-0.11927366341531419lf + t * (0.06830802734302793lf + t
        * (-0.023770514918289246lf + t * (0.0025293918334367655lf + t * (0.0018886903497929168lf + t
        * (-0.0007798324474250094lf + t * (-0.00010515967525663055lf + t
        * (0.0001251004186751169lf + t * (4.9485543752735e-6lf + t * (-2.0104629216261874e-5lf + t
        * (-7.273333548869306e-7lf + t * (3.4821132238436777e-6lf + t * (3.452716261358983e-7lf + t
        * (-6.305578939112906e-7lf + t * (-1.220959425476009e-7lf + t * (1.1232596929374086e-7lf
        + t * (2.3078977566029023e-8lf + t * -1.5613411805406837e-8lf))))))))))))))))))));
    double p = 1.2530080582697296lf + rest;
    return dvec2(p, (1.2530080582697296lf - p) + rest);
}

// From where on erfc vanishes.
float vkt_erfc_end_f32() { return 12.0; }

double vkt_erfc_end_f64() { return 29.0lf; }

// erfc(x) of x >= 1/2; the square of x is a sum of two.
real vkt_erfc_tail_#(real x)
{
    int k;
    x = x > vkt_erfc_end_#() ? vkt_erfc_end_#() : x;
    real high = vkt_high_#(x);
    pair square = vkt_sum_#(high * high, (x - high) * (x + high));
    pair e = vkt_exp_pair_#(-square.x, -square.y, k);
    pair p = vkt_erfc_factor_#(x);
    pair n = vkt_product_#(e.x, p.x);
    n.y += e.x * p.y + e.y * p.x;
    return vkt_scale_#(vkt_divide_pair_#(n, vkt_sum_#(1.0, x + x)), k);
}

// (erf(x) - x) / x of x^2 for |x| < 1
float vkt_erf_series_f32(float z)
{
    float p = vkt_fma_f32(z, 7.889119e-5, -0.00080208457);
    p = vkt_fma_f32(p, z, 0.0051895366);
    p = vkt_fma_f32(p, z, -0.026854446);
    p = vkt_fma_f32(p, z, 0.112836);
    p = vkt_fma_f32(p, z, -0.37612626);
    return vkt_fma_f32(p, z, 0.12837917);
}

double vkt_erf_series_f64(double z)
{
    return 0.1283791670955126lf + z * (-0.3761263890318375lf + z * (0.11283791670954885lf
        + z * (-0.026866170645077875lf + z * (0.005223977624828431lf + z * (-0.0008548326981425542lf
        + z * (0.0001205533113295582lf + z * (-1.4925595772180906e-5lf + z * (1.64610084778027e-6lf
        + z * (-1.6350396222864617e-7lf + z * (1.466032872274226e-8lf + z * (-1.137495573607015e-9lf
        + z * 5.960685338520971e-11lf)))))))))));
}

// Beyond 1 the exponent of erfc(x) to base 2 is the polynomial; from 4 on all that is lost is below
// half an ULP of 1.
float vkt_erf_f32(float x)
{
    float a = vkt_abs_f32(x), z = a * a;
    float p = vkt_fma_f32(z, 7.806904e-5, -0.0007997853);
    p = vkt_fma_f32(p, z, 0.005187162);
    p = vkt_fma_f32(p, z, -0.026853347);
    p = vkt_fma_f32(p, z, 0.11283579);
    p = vkt_fma_f32(p, z, -0.37612626);
    p = vkt_fma_f32(p, z, 0.12837917);
    float small = a + a * p;
    float b = a > 4.0 ? 4.0 : a; // a NaN stays
    p = vkt_fma_f32(b, 0.0002688965, -0.004252626);
    p = vkt_fma_f32(p, b, 0.031505812);
    p = vkt_fma_f32(p, b, -0.14875181);
    p = vkt_fma_f32(p, b, -0.9206482);
    p = vkt_fma_f32(p, b, -1.6260461);
    p = vkt_fma_f32(p, b, -0.0004926985);
    int k;
    float r = p - vkt_nearest_f32(p, k);
    p = vkt_fma_f32(r, 0.0013415108, 0.009672785); // (2^r - 1) / r
    p = vkt_fma_f32(p, r, 0.055502784);
    p = vkt_fma_f32(p, r, 0.24022222);
    p = vkt_fma_f32(p, r, 0.69314724);
    float large = 1.0 - vkt_fma_f32(p, r, 1.0) * vkt_exp2i_f32(k);
    return vkt_copysign_f32(a < 1.0 ? small : large, x);
}

double vkt_erf_f64(double x)
{
    double a = vkt_abs_f64(x);
    double y = a < 1.0lf ? a + a * vkt_erf_series_f64(a * a) : 1.0lf - vkt_erfc_tail_f64(a);
    return vkt_copysign_f64(y, x);
}

real vkt_erfc_#(real x)
{
    real a = vkt_abs_#(x);
    real rest = x * vkt_erf_series_#(a * a);
    real small = x < 0.25 ? 1.0 - (x + rest) : 0.5 - ((x - 0.5) + rest);
    real tail = vkt_erfc_tail_#(a);
    return a < 0.5 ? small : x < 0.0 ? 2.0 - tail : tail;
}

// (log(gamma(1 + t)) + c t - t^2 b) / t^3 of t in [-0.4, 0.6] and (log(gamma(2 + t)) + (c - 1) t -
// t^2 b) / t^3 of t in [-1/2, 1/2]; c is Euler's constant, b that of vkt_lgamma_bend.
float vkt_lgamma_one_f32(float t)
{
    float p = vkt_fma_f32(t, -0.051941957, 0.114599146);
    p = vkt_fma_f32(p, t, -0.1141548);
    p = vkt_fma_f32(p, t, 0.09722236);
    p = vkt_fma_f32(p, t, -0.10657729);
    p = vkt_fma_f32(p, t, 0.12540032);
    p = vkt_fma_f32(p, t, -0.14444958);
    p = vkt_fma_f32(p, t, 0.16957743);
    p = vkt_fma_f32(p, t, -0.20737213);
    p = vkt_fma_f32(p, t, 0.27058038);
    return vkt_fma_f32(p, t, -0.40068576);
}

double vkt_lgamma_one_f64(double t)
{
    return -0.4006856343865317lf + t * (0.27058080842778076lf + t * (-0.2073855510285396lf + t
        * (0.16955717699815395lf + t * (-0.1440498967881658lf + t * (0.12550966947505401lf + t
        * (-0.11133426458079661lf + t * (0.10009945867256774lf + t * (-0.09095406476248671lf + t
        * (0.08335385148955746lf + t * (-0.07693145830300112lf + t * (0.07143178289930664lf + t
        * (-0.06668325399150185lf + t * (0.06252833320845796lf + t * (-0.05870338422858032lf + t
        * (0.055218125938760354lf + t * (-0.05314981016141763lf + t * (0.05240215779834856lf + t
        * (-0.0474287906926752lf + t * (0.036035339690906575lf + t * (-0.035076791547625545lf + t
        * (0.05698033106223317lf + t * (-0.07161809093190322lf + t * (0.04828180724338936lf + t
        * -0.01327145398671276lf)))))))))))))))))))))));
}

float vkt_lgamma_two_f32(float t)
{
    float p = vkt_fma_f32(t, -0.00026933127, 0.0005662071);
    p = vkt_fma_f32(p, t, -0.0011785459);
    p = vkt_fma_f32(p, t, 0.0028808073);
    p = vkt_fma_f32(p, t, -0.0073871985);
    p = vkt_fma_f32(p, t, 0.020581348);
    return vkt_fma_f32(p, t, -0.06735224);
}

double vkt_lgamma_two_f64(double t)
{
    return -0.06735230105319556lf + t * (0.02058080842778334lf + t * (-0.0073855510289432495lf + t
        * (0.0028905103308695655lf + t * (-0.0011927539007270808lf + t * (0.0005096695195236677lf
        + t * (-0.00022315498211142174lf + t * (9.945761913247507e-5lf + t
        * (-4.4923684613393784e-5lf + t * (2.0505999273440372e-5lf + t * (-9.456507016642574e-6lf
        + t * (4.382958462830729e-6lf + t * (-1.9737349326646116e-6lf + t * (9.24011377961569e-7lf
        + t * (-5.817412876322501e-7lf + t * 2.7504570346981783e-7lf))))))))))))));
}

// -c and 1 - c, each with the rest that it lacks.
vec2 vkt_lgamma_slope_f32(bool one) { return vec2(one ? -0.5772157 : 0.42278433, 6.637774e-9); }

dvec2 vkt_lgamma_slope_f64(bool one)
{
    return dvec2(one ? -0.5772156649015329lf : 0.42278433509846713lf, 4.942915152430645e-18lf);
}

// pi^2 / 12 and that less 1/2, likewise.
vec2 vkt_lgamma_bend_f32(bool one) { return vec2(one ? 0.822467 : 0.32246703, 4.329417e-9); }

dvec2 vkt_lgamma_bend_f64(bool one)
{
    return dvec2(one ? 0.8224670334241132lf : 0.3224670334241132lf, 1.52033618e-17lf);
}

// log(gamma(x)) of x in [1.23, 1.74], from its least value, as a sum of two.
vec2 vkt_lgamma_least_f32(float x)
{
    float d = (x - 1.4616321) - 1.243815e-8;
    float p = 0.48383614 + d * (-0.14758788 + d * (0.06462271 + d * (-0.032773316 + d
        * (0.018036203 + d * (-0.010743331 + d * 0.0056363917)))));
    return vec2(-0.12148629, 7.5347995e-10 + d * d * p);
}

dvec2 vkt_lgamma_least_f64(double x)
{
    double d = (x - 1.4616321449683622lf) - 9.549995429965697e-17lf;
    double p = 0.4838361227238106lf + d * (-0.14758772299453077lf + d * (0.06462494023890208lf + d
        * (-0.032788541088429164lf + d * (0.01797067511821571lf + d * (-0.010314223047699023lf + d
        * (0.006100535704275259lf + d * (-0.0036845685462367017lf + d * (0.0022597805587756597lf
        + d * (-0.0014023040488587973lf + d * (0.0008778371735160357lf + d
        * (-0.0005528090930019089lf + d * (0.0003566075328147972lf + d * (-0.0002429568522478323lf
        + d * 0.000127197404930682lf)))))))))))));
    return dvec2(-0.12148629053584961lf, 3.364991468473138e-18lf + d * d * p);
}

// Stirling's series, of w = 1 / x up to 1/8, and its constant as a sum of two: together they are
// log(gamma(x)) - (x - 1/2) (log(x) - 1).
float vkt_stirling_f32(float w)
{
    float z = w * w;
    return w * (0.083333336 + z * (-0.002777699 + z * 0.0007800583));
}

vec2 vkt_stirling_start_f32() { return vec2(0.41893855, -1.4168145e-8); }

double vkt_stirling_f64(double w)
{
    double z = w * w;
    return w * (0.0833333333333333lf + z * (-0.00277777777761lf
        + z * (0.0007936506668624145lf + z * (-0.0005952029368773997lf
        + z * (0.0008373083776194599lf + z * -0.0016532372492024914lf)))));
}

dvec2 vkt_stirling_start_f64() { return dvec2(0.4189385332046727lf, 1.6728209650585413e-17lf); }

// log(gamma(x)) of x > 0 as a sum of two. Below 8 a series beside 1 or 2, and the logarithm of
// what lies between it and x.
pair vkt_lgamma_pair_#(real x)
{
    bool tiny = x < 0.6, large = x >= 8.0;
    real n = roundEven(x);
    real t = tiny ? x : x < 1.25 ? x - 1.0 : x <= 2.5 ? x - 2.0 : x - n;
    pair product = pair(x - 1.0, 0.0);
    for (int k = 2; k < 7; k++) {
        real factor = n > real(k + 1) ? x - real(k) : 1.0, lost = product.y * factor;
        product = vkt_product_#(product.x, factor);
        product.y += lost;
    }
    bool middling = x > 2.5 && !large;
    pair l = vkt_log_pair_#(tiny || large ? x : middling ? product.x : 1.0);
    l.y = middling ? l.y + product.y / product.x : l.y;
    // t (slope + t (bend + t curve)), of which only the last is rounded
    bool one = x < 1.25;
    pair slope = vkt_lgamma_slope_#(one), bend = vkt_lgamma_bend_#(one);
    real curve = one ? vkt_lgamma_one_#(t) : vkt_lgamma_two_#(t);
    pair bent = vkt_sum_#(bend.x, t * curve), steep = vkt_product_#(t, bent.x);
    pair steeper = vkt_sum_#(slope.x, steep.x), series = vkt_product_#(t, steeper.x);
    series.y += t * (steeper.y + slope.y + steep.y + t * (bent.y + bend.y));
    pair middle = vkt_sum_#(tiny ? -l.x : l.x, series.x);
    middle.y += series.y + (tiny ? -l.y : l.y);
    middle = x > 1.23 && x < 1.74 ? vkt_lgamma_least_#(x) : middle;
    // (x - 1/2) (l - 1) by an exact product of halves, and exact sums of what is not small
    pair start = vkt_stirling_start_#();
    real m = l.x - 1.0, mh = vkt_high_#(m), xh = vkt_high_#(x);
    real rest = xh * (m - mh) + (x - xh) * m + (x - 0.5) * l.y;
    pair sum = vkt_sum_#(xh * mh, -0.5 * m), all = vkt_sum_#(sum.x, start.x);
    rest = (rest + vkt_stirling_#(1.0 / x)) + (sum.y + all.y + start.y);
    return large ? pair(all.x, rest) : middle;
}

// sin(pi r) of r in [0, 1/2] as a sum of two: of half the angle, or of what it lacks to pi/2, whose
// series hardly round, and by sin(2 t) = 2 sin(t) cos(t) or cos(2 t) = 1 - 2 sin(t)^2.
pair vkt_sin_turns_#(real r)
{
    bool turned = r > 0.25;
    real u = turned ? 0.25 - 0.5 * r : 0.5 * r, high = vkt_high_#(u);
    pair pi = vkt_pi_#();
    real first = high * pi.x, rest = (u - high) * pi.x + u * pi.y;
    real t = first + rest, l = (first - t) + rest;
    pair square = vkt_product_#(t, t);
    real z = square.x, h = 0.5 * z, w = 1.0 - h;
    pair s = vkt_sum_#(t, t * z * vkt_sin_series_#(z) + (l - h * l));
    real c = ((1.0 - w) - h) + (z * z * vkt_cos_series_#(z) - (t * l + 0.5 * square.y));
    pair y = vkt_product_#(s.x, turned ? -s.x : w);
    y.y += turned ? -2.0 * s.x * s.y : s.x * c + s.y * w;
    pair one = vkt_sum_#(1.0, 2.0 * y.x);
    return turned ? pair(one.x, one.y + 2.0 * y.y) : pair(2.0 * y.x, 2.0 * y.y);
}

// log(gamma(-a)) = log(pi / (a sin(pi a))) - log(gamma(a)) of a > 0. Near a zero of it the parts
// cancel, but for what is beyond their rounding.
real vkt_lgamma_reflected_#(real a, pair positive)
{
    pair s = vkt_sin_turns_#(vkt_abs_#(a - roundEven(a)));
    pair p = vkt_product_#(a, s.x + s.y);
    p.y += a * ((s.x - (s.x + s.y)) + s.y);
    pair l = vkt_log_pair_#(p.x), c = vkt_ln_pi_#();
    pair sum = vkt_sum_#(c.x, -l.x);
    pair all = vkt_sum_#(sum.x, -positive.x);
    return all.x + (all.y + (sum.y + (c.y - l.y - p.y / p.x - positive.y)));
}

real vkt_lgamma_#(real x)
{
    real a = vkt_abs_#(x);
    pair positive = vkt_lgamma_pair_#(a);
    real y = vkt_isinf_#(positive.x) ? positive.x : positive.x + positive.y;
    if (x < -1e-18)
        y = vkt_lgamma_reflected_#(a, positive);
    bool pole = !vkt_as_bool_#(a) || (x <= -1.0 && roundEven(a) == a);
    return vkt_isnan_#(x) ? x : pole || vkt_isinf_#(x) ? vkt_highest_#() : y;
}

// sin(pi x) / (pi x), both parts sums of two; what is left of x beside the nearest integer is
// exact. 1 is the nearest number below 1e-9, and 0 the value at integers.
real vkt_sinc_#(real x)
{
    real a = vkt_abs_#(x), n = roundEven(a), r = a - n;
    pair s = vkt_sin_turns_#(vkt_abs_#(r)), pi = vkt_pi_#();
    pair p = vkt_product_#(a, pi.x), d = vkt_sum_#(p.x, a * pi.y);
    real y = vkt_divide_pair_#(s, pair(d.x, d.y + p.y));
    real half_n = 0.5 * n;
    bool odd = roundEven(half_n) != half_n;
    y = odd != (r < 0.0) ? vkt_negative_#(y) : y;
    y = r == 0.0 ? 0.0 : y;
    return a < 1e-9 ? 1.0 : vkt_isfinite_#(x) ? y : vkt_nan_#();
}
