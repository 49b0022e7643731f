// 50_exp_f64.glsl - exp, exp2, expm1 and the hyperbolic functions in float64.
//
// Reduction x = n ln 2 + r with |r| <= ln(2) / 2 and ln 2 in two parts, n times the first exact
// (Cody and Waite 1980); minimax polynomials (Remez) of our own. No step relies on fused
// multiply-add.

// (exp(r) - 1 - r) / r^2
double vkt_exp_series_f64(double r)
{
    return 0.5lf + r * (0.16666666666666677lf + r * (0.041666666666666706lf
        + r * (0.008333333333320656lf + r * (0.0013888888888864868lf + r * (0.0001984126988889225lf
        + r * (2.480158736440917e-5lf + r * (2.7557241164627374e-6lf + r * (2.755723950035264e-7lf
        + r * (2.5110178720405507e-8lf + r * 2.0925440468274215e-9lf)))))))));
}

// exp(x) * 2^bias without overflow in between.
double vkt_exp_biased_f64(double x, int bias)
{
    x = x > 712.0lf ? 712.0lf : x < -750.0lf ? -750.0lf : x; // a NaN stays
    int k;
    double n = vkt_nearest_f64(x * 1.4426950408889634lf, k);
    double high = x - n * 0.6931471806019545lf, low = n * -4.2009150726810846e-11lf;
    double r = high - low;
    double y = 1.0lf + (r + (r * r * vkt_exp_series_f64(r) + ((high - r) - low)));
    return vkt_scale_f64(y, k + bias);
}

double vkt_exp_f64(double x) { return vkt_exp_biased_f64(x, 0); }

// (2^r - 1) / r
double vkt_exp2_series_f64(double r)
{
    return 0.6931471805599453lf + r * (0.24022650695910072lf + r * (0.0555041086648217lf
        + r * (0.009618129107628496lf + r * (0.0013333558146389863lf + r * (0.00015403530393340436lf
        + r * (1.5252733856827132e-5lf + r * (1.321548683358885e-6lf + r * (1.0178050947875732e-7lf
        + r * (7.054888058376993e-9lf + r * (4.4567153907263433e-10lf
        + r * 2.5742067713227966e-11lf))))))))));
}

double vkt_exp2_f64(double x)
{
    x = x > 1026.0lf ? 1026.0lf : x < -1080.0lf ? -1080.0lf : x;
    int k;
    double r = x - vkt_nearest_f64(x, k);
    return vkt_scale_f64(1.0lf + r * vkt_exp2_series_f64(r), k);
}

// 2^n (exp(r) - 1 + 1 - 2^-n): exact but for the sum.
double vkt_expm1_f64(double x)
{
    double a = x > 712.0lf ? 712.0lf : x < -45.0lf ? -45.0lf : x;
    int k;
    double n = vkt_nearest_f64(a * 1.4426950408889634lf, k);
    double high = a - n * 0.6931471806019545lf, low = n * -4.2009150726810846e-11lf;
    double r = high - low;
    double e = r * r * vkt_exp_series_f64(r) + ((high - r) - low);
    double one = 1.0lf - vkt_exp2i_f64(max(-k, -70));
    double sum = one + r;
    double y = k == 0 ? r + e : vkt_scale_f64(sum + ((r - (sum - one)) + e), k);
    return vkt_copysign_f64(y, x);
}

double vkt_sinh_f64(double x)
{
    double a = vkt_abs_f64(x), z = a * a;
    double small = a + a * z * (0.16666666666666669lf + z * (0.008333333333333139lf
        + z * (0.000198412698414375lf + z * (2.7557319155385393e-6lf + z * (2.5052123392172375e-8lf
        + z * (1.6057240747333526e-10lf + z * 7.759302263090759e-13lf))))));
    double h = vkt_exp_biased_f64(a, -1);
    return vkt_copysign_f64(a < 1.0lf ? small : h - 0.25lf / h, x);
}

double vkt_cosh_f64(double x)
{
    double h = vkt_exp_biased_f64(vkt_abs_f64(x), -1);
    return h + 0.25lf / h;
}

// Below 0.55 a rational form: the denominator is Pade's, the numerator fitted to it.
double vkt_tanh_f64(double x)
{
    double a = vkt_abs_f64(x), z = a * a;
    double p = -0.33333333333333254lf + z * (-0.020512820512842818lf
        + z * (-0.00019980019961768372lf + z * -4.755219568810784e-13lf));
    double q = 1.0lf + z * (0.46153846153846156lf + z * (0.023310023310023312lf
        + z * 0.0002072002072002072lf));
    double small = a + a * z * p / q;
    double large = 1.0lf - 2.0lf / (vkt_exp_f64(2.0lf * a) + 1.0lf);
    return vkt_copysign_f64(a < 0.55lf ? small : large, x);
}
