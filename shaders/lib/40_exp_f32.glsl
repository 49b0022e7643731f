// 40_exp_f32.glsl - exp, exp2, expm1 and the hyperbolic functions in float32.
//
// Reduction x = n ln 2 + r with |r| <= ln(2) / 2 and ln 2 in two parts, n times the first exact
// (Cody and Waite 1980); minimax polynomials (Remez) of our own. No step relies on fused
// multiply-add.

// (exp(r) - 1 - r) / r^2
float vkt_exp_series_f32(float r)
{
    float p = vkt_fma_f32(r, 0.0013865427, 0.008367581);
    p = vkt_fma_f32(p, r, 0.04166722);
    p = vkt_fma_f32(p, r, 0.16666533);
    return vkt_fma_f32(p, r, 0.5);
}

// exp(x) * 2^bias without overflow in between.
float vkt_exp_biased_f32(float x, int bias)
{
    int k;
    x = x > 90.0 ? 90.0 : x < -105.0 ? -105.0 : x; // a NaN stays
    float n = vkt_nearest_f32(x * 1.442695, k);
    float r = vkt_fma_f32(n, -3.1946183e-5, vkt_fma_f32(n, -0.69311523, x));
    float y = 1.0 + vkt_fma_f32(r * r, vkt_exp_series_f32(r), r);
    return vkt_scale_f32(y, k + bias);
}

float vkt_exp_f32(float x) { return vkt_exp_biased_f32(x, 0); }

// (2^r - 1) / r
float vkt_exp2_series_f32(float r)
{
    float p = vkt_fma_f32(r, 0.0001532815, 0.0013390993);
    p = vkt_fma_f32(p, r, 0.009618502);
    p = vkt_fma_f32(p, r, 0.055503596);
    p = vkt_fma_f32(p, r, 0.24022648);
    return vkt_fma_f32(p, r, 0.6931472);
}

float vkt_exp2_f32(float x)
{
    int k;
    x = x > 130.0 ? 130.0 : x < -155.0 ? -155.0 : x;
    float r = x - vkt_nearest_f32(x, k);
    return vkt_scale_f32(vkt_fma_f32(r, vkt_exp2_series_f32(r), 1.0), k);
}

// 2^n (exp(r) - 1 + 1 - 2^-n): exact but for the sum.
float vkt_expm1_f32(float x)
{
    float a = x > 90.0 ? 90.0 : x < -30.0 ? -30.0 : x;
    int k;
    float n = vkt_nearest_f32(a * 1.442695, k);
    float high = a - n * 0.69311523, low = n * 3.1946183e-5;
    float r = high - low;
    float e = vkt_fma_f32(r * r, vkt_exp_series_f32(r), (high - r) - low);
    float one = 1.0 - vkt_exp2i_f32(max(-k, -40));
    float sum = one + r;
    float y = vkt_scale_f32(sum + ((r - (sum - one)) + e), k);
    y = k == 0 ? r + e : y; // no call in a branch, which one driver compiled wrongly here
    bool tiny = (floatBitsToUint(x) & 0x7fffffffu) < 0x33000000u; // the clamp may have flushed a
    return tiny ? x : vkt_copysign_f32(y, x);
}

float vkt_sinh_f32(float x)
{
    float a = vkt_abs_f32(x), z = a * a;
    float small = a + a * z * (0.16666718 + z * (0.008330211 + z * 0.0002037741));
    float h = vkt_exp_biased_f32(a, -1);
    return vkt_copysign_f32(a < 1.0 ? small : h - 0.25 / h, x);
}

float vkt_cosh_f32(float x)
{
    float h = vkt_exp_biased_f32(vkt_abs_f32(x), -1);
    return h + 0.25 / h;
}

float vkt_tanh_f32(float x)
{
    float a = vkt_abs_f32(x), z = a * a;
    float p = vkt_fma_f32(z, -0.005900179, 0.020800317);
    p = vkt_fma_f32(p, z, -0.053785123);
    p = vkt_fma_f32(p, z, 0.1333194);
    p = vkt_fma_f32(p, z, -0.333333);
    float small = a + a * z * p;
    int k;
    float b = a > 10.0 ? 20.0 : a + a; // a NaN stays
    float n = vkt_nearest_f32(b * 1.442695, k);
    float r = vkt_fma_f32(n, -3.1946183e-5, vkt_fma_f32(n, -0.69311523, b));
    float e = 1.0 + vkt_fma_f32(r * r, vkt_exp_series_f32(r), r);
    float large = 1.0 - 2.0 / vkt_fma_f32(e, vkt_exp2i_f32(k), 1.0);
    return vkt_copysign_f32(a < 0.55 ? small : large, x);
}
