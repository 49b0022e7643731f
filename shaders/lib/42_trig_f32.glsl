// 42_trig_f32.glsl - sine, cosine, tangent and their inverses in float32.
//
// Arguments are reduced to r + l in [-pi/4, pi/4] and a quadrant, l being what r lost: with pi/2 in
// parts, up to 2^17 of three by fused multiply-add, else up to 6400 of four whose products with the
// quadrant number are exact (Cody and Waite 1980); beyond it with the bits of 2/pi that matter, in
// integers (Payne and Hanek 1983). These serve all where both sides of a branch are computed.

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
    // The 62 bits as a sum of two, the leading 12 bits of it times 8 of pi/2, and all the rest.
    float top = float(int(high));
    float tail = float(int(high) - int(top)) * 2147483648.0 + float(int(low >> 1));
    top *= 9.313226e-10;
    tail *= 4.3368087e-19;
    float first_bits = vkt_high_f32(top), last_bits = top - first_bits;
    float main = first_bits * 1.5703125;
    float rest = last_bits * 1.5703125 + (first_bits * 0.0004837513 + (last_bits * 0.0004837513
        + (top * 7.5497894e-8 + tail * 1.5707964)));
    float r = main + rest;
    return vkt_isfinite_f32(a) ? vec2(r, (main - r) + rest) : vec2(vkt_nan_f32());
}

vec2 vkt_reduce_f32(float a, out int quadrant)
{
#if defined(VKT_FUSED_FMA) || defined(VKT_SKIPS_BRANCHES)
    float n = vkt_nearest_f32(a * 0.63661975, quadrant);
#ifdef VKT_FUSED_FMA
    float limit = 131072.0;
    float t = vkt_fma_f32(n, -1.5707964, a), w = n * 4.371139e-8; // t is exact
    float r = vkt_fma_f32(n, 1.7151245e-15, vkt_fma_f32(n, 4.371139e-8, t));
    float low = vkt_fma_f32(n, 1.7151245e-15, vkt_fma_f32(n, 4.371139e-8, -w));
    float sum = t + w;
    vec2 reduced = vec2(r, (sum - r) + (((t - sum) + w) + low));
#else
    float limit = 6400.0;
    float t1 = (a - n * 1.5703125) - n * 0.0004837513, w = n * 7.5495336e-8;
    float t2 = t1 - w;
    float low = ((t1 - t2) - w) - n * 2.563344e-12;
    float r = t2 + low;
    vec2 reduced = vec2(r, (t2 - r) + low);
#endif
    if (a > limit)
        reduced = vkt_reduce_large_f32(a, quadrant);
    return reduced;
#else
    int large;
    vec2 reduced = vkt_reduce_large_f32(a, large);
    bool small = a < 0.78;
    quadrant = small ? 0 : large;
    return small ? vec2(a, 0.0) : reduced;
#endif
}

// (sin(r) - r) / r^3 and (cos(r) - 1 + r^2 / 2) / r^4, of z = r^2.
float vkt_sin_series_f32(float z)
{
    float p = vkt_fma_f32(z, -0.00019507884, 0.008332106);
    return vkt_fma_f32(p, z, -0.16666654);
}

float vkt_cos_series_f32(float z)
{
    float p = vkt_fma_f32(z, 2.4430085e-5, -0.0013887298);
    return vkt_fma_f32(p, z, 0.041666646);
}

// sin(|x| + quadrants * pi/2), its sign changed where `sign` has the sign bit.
float vkt_sin_shifted_f32(float x, int quadrants, int sign)
{
    int quadrant;
    float r = vkt_reduce_f32(vkt_abs_f32(x), quadrant).x;
    quadrant += quadrants;
    float z = r * r;
    float sine = vkt_fma_f32(z * r, vkt_sin_series_f32(z), r);
    float cosine = vkt_fma_f32(z, vkt_fma_f32(z, vkt_cos_series_f32(z), -0.5), 1.0);
    int y = floatBitsToInt((quadrant & 1) != 0 ? cosine : sine);
    return intBitsToFloat(y ^ (((quadrant << 30) ^ sign) & int(0x80000000u)));
}

// Below 2^-24 x itself, by its bits: fma() may flush what is subnormal.
float vkt_sin_f32(float x)
{
    bool tiny = (floatBitsToUint(x) & 0x7fffffffu) < 0x33800000u;
    return tiny ? x : vkt_sin_shifted_f32(x, 0, floatBitsToInt(x));
}

float vkt_cos_f32(float x) { return vkt_sin_shifted_f32(x, 1, 0); }

// A polynomial; in odd quadrants -1 / t, corrected by the exact residual and by what t lost.
float vkt_tan_f32(float x)
{
    int quadrant;
    vec2 r = vkt_reduce_f32(vkt_abs_f32(x), quadrant);
    float z = r.x * r.x;
    float p = vkt_fma_f32(z, 0.009464739, 0.0029767992);
    p = vkt_fma_f32(p, z, 0.024526028);
    p = vkt_fma_f32(p, z, 0.05338219);
    p = vkt_fma_f32(p, z, 0.13339183);
    p = vkt_fma_f32(p, z, 0.3333314);
    float rest = vkt_fma_f32(p, z * r.x, vkt_fma_f32(r.y, z, r.y));
    float t = r.x + rest, low = (r.x - t) + rest, q = -1.0 / t;
#ifdef VKT_FUSED_FMA
    float residual = vkt_fma_f32(q, t, 1.0);
#else
    float qh = vkt_high_f32(q), ql = q - qh, th = vkt_high_f32(t), tl = t - th;
    float residual = ((1.0 + qh * th) + qh * tl + ql * th) + ql * tl;
#endif
    q = vkt_fma_f32(q, vkt_fma_f32(q, low, residual), q);
    uint y = floatBitsToUint((quadrant & 1) != 0 ? q : t);
    y ^= floatBitsToUint(x) & 0x80000000u;
    bool tiny = (floatBitsToUint(x) & 0x7fffffffu) < 0x33800000u;
    return tiny ? x : uintBitsToFloat(y);
}

// (asin(t) - t) / t^3 of z = t^2 up to 1/4
float vkt_asin_series_f32(float z)
{
    float p = vkt_fma_f32(z, 0.042211797, 0.024152093);
    p = vkt_fma_f32(p, z, 0.04547604);
    p = vkt_fma_f32(p, z, 0.07495252);
    return vkt_fma_f32(p, z, 0.16666754);
}

// asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)) beyond 1/2
float vkt_asin_f32(float x)
{
    float a = vkt_abs_f32(x);
    bool far = a >= 0.5;
    float z = far ? 0.5 - 0.5 * a : a * a;
    float s = far ? vkt_root_f32(z) : a;
    float y = s + vkt_fma_f32(s * z, vkt_asin_series_f32(z), far ? 2.1855694e-8 : 0.0);
    y = far ? 1.5707964 - 2.0 * y : y;
    return a > 1.0 ? vkt_nan_f32() : vkt_copysign_f32(y, x);
}

float vkt_acos_f32(float x)
{
    float a = vkt_abs_f32(x);
    bool far = a >= 0.5;
    float z = far ? 0.5 - 0.5 * a : a * a;
    float s = far ? vkt_root_f32(z) : a;
    float y = vkt_copysign_f32(vkt_fma_f32(s * z, vkt_asin_series_f32(z), s), x);
    float middle = 1.5707964 - (y - -4.371139e-8);
    float large = (x > 0.0 ? 0.0 : 3.1415927) + 2.0 * y;
    return a > 1.0 ? vkt_nan_f32() : far ? large : middle;
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

// Beyond 1, pi/2 + atan(-1 / x).
float vkt_atan_f32(float x)
{
    float a = vkt_abs_f32(x);
    bool far = a > 1.0;
    float t = far ? -1.0 / a : a, z = t * t;
    float p = vkt_fma_f32(z, -0.0017875476, 0.010887361);
    p = vkt_fma_f32(p, z, -0.031127002);
    p = vkt_fma_f32(p, z, 0.057906546);
    p = vkt_fma_f32(p, z, -0.08400475);
    p = vkt_fma_f32(p, z, 0.10951175);
    p = vkt_fma_f32(p, z, -0.14264052);
    p = vkt_fma_f32(p, z, 0.19998531);
    p = vkt_fma_f32(p, z, -0.333333);
    float y = t + vkt_fma_f32(p, z * t, far ? -4.371139e-8 : 0.0);
    return vkt_copysign_f32(far ? 1.5707964 + y : y, x);
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
