// complex.glsl - complex arithmetic and functions, written once for both widths.
//
// `real` stands for float or double, `complex` for vec2 or dvec2, `_#` ends the names of real
// functions (f32, f64) and `_$` those of complex ones (c64, c128): shaders/embed.py writes each
// chunk twice. Special values are those of C11 annex G; branch cuts and signed zeros follow Kahan,
// "Branch cuts for complex elementary functions" (1987). sin, tan, asinh and atan are f(z.yx).yx
// for their relative f: -i f(iz), as f(-z) = -f(z) and f(conj z) = conj f(z).

complex vkt_as_$_bool(bool x) { return complex(vkt_as_#_bool(x), 0.0); }

complex vkt_as_$_i32(int x) { return complex(vkt_as_#_i32(x), 0.0); }

complex vkt_as_$_u32(uint x) { return complex(vkt_as_#_u32(x), 0.0); }

complex vkt_as_$_i64(int64_t x) { return complex(vkt_as_#_i64(x), 0.0); }

complex vkt_as_$_u64(uint64_t x) { return complex(vkt_as_#_u64(x), 0.0); }

complex vkt_as_$_f32(float x) { return complex(vkt_as_#_f32(x), 0.0); }

complex vkt_as_$_f64(double x) { return complex(vkt_as_#_f64(x), 0.0); }

vec2 vkt_as_c64_c128(dvec2 x) { return vec2(vkt_as_f32_f64(x.x), vkt_as_f32_f64(x.y)); }

dvec2 vkt_as_c128_c64(vec2 x) { return dvec2(vkt_as_f64_f32(x.x), vkt_as_f64_f32(x.y)); }

bool vkt_as_bool_$(complex z) { return vkt_as_bool_#(z.x) || vkt_as_bool_#(z.y); }

bool vkt_isnan_$(complex z) { return vkt_isnan_#(z.x) || vkt_isnan_#(z.y); }

bool vkt_isinf_$(complex z) { return vkt_isinf_#(z.x) || vkt_isinf_#(z.y); }

bool vkt_isfinite_$(complex z) { return vkt_isfinite_#(z.x) && vkt_isfinite_#(z.y); }

bool vkt_equal_$(complex a, complex b)
{
    return vkt_equal_#(a.x, b.x) && vkt_equal_#(a.y, b.y);
}

bool vkt_not_equal_$(complex a, complex b) { return !vkt_equal_$(a, b); }

complex vkt_negative_$(complex z) { return complex(vkt_negative_#(z.x), vkt_negative_#(z.y)); }

complex vkt_conj_$(complex z) { return complex(z.x, vkt_negative_#(z.y)); }

complex vkt_round_$(complex z) { return complex(vkt_round_#(z.x), vkt_round_#(z.y)); }

complex vkt_mul_$(complex a, complex b)
{
    return complex(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

complex vkt_square_$(complex z)
{
    real xy = z.x * z.y;
    return complex(z.x * z.x - z.y * z.y, xy + xy);
}

// A power of two by which very large and very small numbers are taken out of reach of overflow and
// of subnormals, and its inverse.
pair vkt_range_$(complex z)
{
    real a = vkt_abs_#(z.x), b = vkt_abs_#(z.y);
    real top = vkt_less_#(b, a) ? a : b;
    return top > 1e37    ? pair(0.25, 4.0)
           : top < 1e-30 ? pair(1.8014398509481984e16, 5.551115123125783e-17)
                         : pair(1.0, 1.0);
}

// Smith (1962): the larger part of the divisor is divided out first.
complex vkt_div_$(complex a, complex b)
{
    pair over = vkt_range_$(a), under = vkt_range_$(b);
    real scale = under.x * over.y;
    a = complex(a.x * over.x, a.y * over.x);
    b = complex(b.x * under.x, b.y * under.x);
    bool turned = vkt_less_#(vkt_abs_#(b.x), vkt_abs_#(b.y));
    real big = turned ? b.y : b.x, small = turned ? b.x : b.y;
    bool zero = !vkt_as_bool_$(b);
    real ratio = zero ? small : small / big;
    real rest = zero ? vkt_abs_#(big) : big + small * ratio;
    complex n = turned ? complex(a.x * ratio + a.y, a.y * ratio - a.x)
                       : complex(a.x + a.y * ratio, a.y - a.x * ratio);
    n = zero ? a : n;
    return complex(n.x / rest * scale, n.y / rest * scale);
}

complex vkt_reciprocal_$(complex z)
{
    complex w = vkt_div_$(complex(1.0, 0.0), z);
    return complex(vkt_copysign_#(w.x, z.x), vkt_copysign_#(w.y, vkt_negative_#(z.y)));
}

real vkt_abs_$(complex z) { return vkt_hypot_#(z.x, z.y); }

complex vkt_sign_$(complex z)
{
    if (vkt_isinf_#(z.x) != vkt_isinf_#(z.y)) {
        bool real_line = vkt_isinf_#(z.x);
        return complex(real_line ? vkt_sign_#(z.x) : vkt_as_#_f32(0.0),
                       real_line ? vkt_as_#_f32(0.0) : vkt_sign_#(z.y));
    }
    pair range = vkt_range_$(z);
    z = complex(z.x * range.x, z.y * range.x);
    real a = vkt_abs_$(z);
    return vkt_as_bool_$(z) ? complex(z.x / a, z.y / a) : complex(0.0, 0.0);
}

complex vkt_sqrt_$(complex z)
{
    real a = vkt_abs_#(z.x), b = vkt_abs_#(z.y);
    if (!vkt_as_bool_$(z))
        return complex(0.0, z.y);
    if (vkt_isinf_#(b))
        return complex(b, z.y);
    if (vkt_isinf_#(a)) {
        real rest = vkt_isnan_#(z.y) ? z.y : vkt_as_#_f32(0.0);
        return vkt_signbit_#(z.x) ? complex(vkt_abs_#(rest), vkt_copysign_#(a, z.y))
                                  : complex(a, vkt_copysign_#(rest, z.y));
    }
    // Scaled by a power of 4 where the sum below would overflow or lose bits.
    real top = vkt_less_#(b, a) ? a : b;
    real scale = top > 1e37 ? 0.0625 : top < 1e-30 ? 1.8014398509481984e16 : 1.0;
    real unscale = top > 1e37 ? 4.0 : top < 1e-30 ? 7.450580596923828e-9 : 1.0;
    a *= scale;
    b *= scale;
    real t = sqrt(0.5 * (a + vkt_hypot_#(a, b)));
    real other = b / (t + t);
    t *= unscale;
    other *= unscale;
    return vkt_signbit_#(z.x) ? complex(other, vkt_copysign_#(t, z.y))
                              : complex(t, vkt_copysign_#(other, z.y));
}

// a * a as a sum of two, exactly (Dekker 1971).
complex vkt_exact_square_$(real a)
{
    real p = a * a, high = vkt_high_#(a), low = a - high;
    return complex(p, ((high * high - p) + (high + high) * low) + low * low);
}

// log(hypot(x, y)).
real vkt_log_abs_$(complex z)
{
    real a = vkt_abs_#(z.x), b = vkt_abs_#(z.y);
    if (vkt_isinf_#(a) || vkt_isinf_#(b))
        return vkt_highest_#();
    bool first = vkt_less_#(b, a); // also of subnormal numbers, which a driver may take for zero
    real big = first ? a : b, small = first ? b : a;
    if (big > 0.5 && big < 2.0) {
        complex p = vkt_exact_square_$(big), q = vkt_exact_square_$(small);
        pair sum = vkt_sum_#(p.x, q.x), off = vkt_sum_#(sum.x, -1.0);
        off = vkt_sum_#(off.x, off.y + (sum.y + p.y + q.y));
        return 0.5 * (vkt_log1p_#(off.x) + off.y / sum.x);
    }
    real r = small / big;
    real rest = vkt_as_bool_#(big) ? 0.5 * vkt_log1p_#(r * r) : vkt_as_#_f32(0.0);
    return vkt_isnan_$(z) ? vkt_nan_#() : vkt_log_#(big) + rest;
}

complex vkt_log_$(complex z) { return complex(vkt_log_abs_$(z), vkt_atan2_#(z.y, z.x)); }

complex vkt_log2_$(complex z)
{
    complex w = vkt_log_$(z);
    real ln2 = vkt_log_#(2.0);
    return complex(w.x / ln2, w.y / ln2);
}

complex vkt_log10_$(complex z)
{
    complex w = vkt_log_$(z);
    real ln10 = vkt_log_#(10.0);
    return complex(w.x / ln10, w.y / ln10);
}

complex vkt_log1p_$(complex z)
{
    if (!vkt_as_bool_$(z))
        return z;
    pair sum = vkt_sum_#(1.0, z.x);
    complex moved = complex(sum.x, z.y);
    real near = z.x * (2.0 + z.x) + z.y * z.y;
    bool is_near = vkt_abs_#(z.x) < 0.25 && vkt_abs_#(z.y) < 0.25;
    // What the sum lost matters only beside numbers of about 1.
    real square = moved.x * moved.x + moved.y * moved.y;
    real lost = square > 0.0 && square < 64.0 ? sum.y * moved.x / square : 0.0;
    return complex(is_near ? 0.5 * vkt_log1p_#(near) : vkt_log_abs_$(moved) + lost,
                   vkt_atan2_#(z.y, moved.x));
}

// Beyond this exp is squared: it may overflow where its product with a small number does not.
float vkt_exp_border_f32() { return 80.0; }

double vkt_exp_border_f64() { return 700.0lf; }

// factor e^x (p, q)
complex vkt_exp_times_$(real x, real factor, real p, real q)
{
    bool large = x > vkt_exp_border_#();
    real e = vkt_exp_#(large ? 0.5 * x : x);
    factor *= large ? e : 1.0;
    return complex(e * p * factor, e * q * factor);
}

complex vkt_exp_$(complex z)
{
    bool plain = vkt_isfinite_#(z.y);
    if (!vkt_as_bool_#(z.y))
        return complex(vkt_exp_#(z.x), z.y);
    if (vkt_isinf_#(z.x) && !plain)
        return vkt_signbit_#(z.x) ? complex(0.0, 0.0) : complex(z.x, vkt_nan_#());
    if (!plain)
        return complex(vkt_nan_#(), vkt_nan_#());
    return vkt_exp_times_$(z.x, 1.0, vkt_cos_#(z.y), vkt_sin_#(z.y));
}

// The angle is the product of z.y and ln 2 as a sum of two.
complex vkt_exp2_$(complex z)
{
    pair ln2 = vkt_ln2_#(), angle = vkt_product_#(z.y, ln2.x);
    if (!vkt_as_bool_#(z.y))
        return complex(vkt_exp2_#(z.x), z.y);
    if (!vkt_isfinite_$(z))
        return vkt_exp_$(complex(z.x, angle.x));
    pair sum = vkt_sum_#(angle.x, z.y * ln2.y);
    real low = sum.y + angle.y, c = vkt_cos_#(sum.x), s = vkt_sin_#(sum.x);
    bool large = z.x > vkt_exp_border_#();
    real e = vkt_exp2_#(large ? 0.5 * z.x : z.x), again = large ? e : 1.0;
    return complex(e * (c - low * s) * again, e * (s + low * c) * again);
}

complex vkt_expm1_$(complex z)
{
    // The standard says +0 for -0 too.
    if (!vkt_as_bool_#(z.y))
        return complex(vkt_as_bool_#(z.x) ? vkt_expm1_#(z.x) : 0.0, z.y);
    if (!vkt_isfinite_$(z) || z.x > 80.0) {
        complex w = vkt_exp_$(z);
        return complex(w.x - 1.0, w.y);
    }
    // Of two forms that in which nothing cancels but at the zeros.
    real s = vkt_sin_#(0.5 * z.y), c = vkt_cos_#(z.y), e = vkt_exp_#(z.x);
    real x = c < 0.0 ? e * c - 1.0 : vkt_expm1_#(z.x) * c - 2.0 * s * s;
    return complex(x, e * vkt_sin_#(z.y));
}

// cosh and sinh of x times (p, q): (p cosh x, q sinh x).
complex vkt_cosh_sinh_$(real x, real p, real q)
{
    real a = vkt_abs_#(x);
    if (a > 40.0) {
        complex w = vkt_exp_times_$(a, 0.5, p, q);
        return complex(w.x, vkt_signbit_#(x) ? vkt_negative_#(w.y) : w.y);
    }
    return complex(vkt_cosh_#(x) * p, vkt_sinh_#(x) * q);
}

complex vkt_sinh_$(complex z)
{
    if (!vkt_as_bool_#(z.y))
        return complex(vkt_sinh_#(z.x), z.y);
    if (!vkt_isfinite_#(z.y)) {
        bool odd = !vkt_as_bool_#(z.x) || vkt_isinf_#(z.x);
        return complex(vkt_isinf_#(z.x) ? vkt_abs_#(z.x) : odd ? z.x : vkt_nan_#(), vkt_nan_#());
    }
    complex w = vkt_cosh_sinh_$(z.x, vkt_sin_#(z.y), vkt_cos_#(z.y));
    return complex(vkt_as_bool_#(z.x) ? w.y : vkt_copysign_#(z.x, w.y), w.x);
}

complex vkt_cosh_$(complex z)
{
    if (!vkt_as_bool_#(z.y)) {
        bool flip = vkt_signbit_#(z.x) != vkt_signbit_#(z.y);
        return complex(vkt_cosh_#(z.x), vkt_copysign_#(0.0, flip ? -1.0 : 1.0));
    }
    if (!vkt_isfinite_#(z.y)) {
        bool zero = !vkt_as_bool_#(z.x);
        real infinite = vkt_isinf_#(z.x) ? vkt_abs_#(z.x) : vkt_nan_#();
        return complex(infinite, zero ? vkt_as_#_f32(0.0) : vkt_nan_#());
    }
    if (!vkt_as_bool_#(z.x))
        return complex(vkt_cos_#(z.y), z.x * vkt_sin_#(z.y));
    if (vkt_isnan_#(z.x))
        return complex(z.x, z.x);
    return vkt_cosh_sinh_$(z.x, vkt_cos_#(z.y), vkt_sin_#(z.y));
}

complex vkt_tanh_$(complex z)
{
    real a = vkt_abs_#(z.x);
    if (!vkt_as_bool_#(z.y))
        return complex(vkt_tanh_#(z.x), z.y);
    bool plain = vkt_isfinite_#(z.y);
    if (a > 20.0 && (plain || vkt_isinf_#(a))) {
        real tail = 4.0 * vkt_sin_#(z.y) * vkt_cos_#(z.y) * vkt_exp_#(-2.0 * a);
        // At infinity the standard gives the zero the sign of z.y, not of sin(2 z.y).
        return complex(vkt_copysign_#(1.0, z.x),
                       vkt_isinf_#(a) ? vkt_copysign_#(0.0, z.y) : tail);
    }
    if (!plain)
        return complex(vkt_as_bool_#(z.x) ? vkt_nan_#() : z.x, vkt_nan_#());
    real t = vkt_tan_#(z.y), s = vkt_sinh_#(z.x);
    real beta = 1.0 + t * t, rho = sqrt(1.0 + s * s), rest = 1.0 + beta * s * s;
    return complex(beta * rho * s / rest, t / rest);
}

complex vkt_sin_$(complex z) { return vkt_sinh_$(z.yx).yx; }

complex vkt_cos_$(complex z) { return vkt_cosh_$(complex(vkt_negative_#(z.y), z.x)); }

complex vkt_tan_$(complex z) { return vkt_tanh_$(z.yx).yx; }

// True where 1 is nothing beside z, and for what is infinite.
bool vkt_is_vast_$(complex z)
{
    return vkt_abs_#(z.x) > 1e17 || vkt_abs_#(z.y) > 1e17;
}

complex vkt_asin_$(complex z)
{
    if (vkt_is_vast_$(z)) {
        real far = vkt_log_abs_$(z) + vkt_log_#(2.0);
        return complex(vkt_atan2_#(z.x, vkt_abs_#(z.y)), vkt_copysign_#(far, z.y));
    }
    if (vkt_isnan_$(z))
        return complex(vkt_as_bool_#(z.x) ? vkt_nan_#() : z.x, vkt_nan_#());
    complex p = vkt_sqrt_$(complex(1.0 - z.x, vkt_negative_#(z.y)));
    complex q = vkt_sqrt_$(complex(1.0 + z.x, z.y));
    return complex(vkt_atan2_#(z.x, p.x * q.x - p.y * q.y),
                   vkt_copysign_#(vkt_asinh_#(p.x * q.y - p.y * q.x), z.y));
}

complex vkt_acos_$(complex z)
{
    if (vkt_is_vast_$(z)) {
        real far = vkt_log_abs_$(z) + vkt_log_#(2.0);
        return complex(vkt_atan2_#(vkt_abs_#(z.y), z.x),
                       vkt_copysign_#(far, vkt_negative_#(z.y)));
    }
    if (vkt_isnan_$(z))
        return complex(vkt_as_bool_#(z.x) ? vkt_nan_#() : vkt_acos_#(0.0), vkt_nan_#());
    complex p = vkt_sqrt_$(complex(1.0 - z.x, vkt_negative_#(z.y)));
    complex q = vkt_sqrt_$(complex(1.0 + z.x, z.y));
    return complex(2.0 * vkt_atan2_#(p.x, q.x),
                   vkt_copysign_#(vkt_asinh_#(q.x * p.y - q.y * p.x), vkt_negative_#(z.y)));
}

complex vkt_acosh_$(complex z)
{
    complex w = vkt_acos_$(z);
    // acosh(NaN + 0i) has no angle, though acos(0 + NaN i) has.
    if (vkt_isnan_#(z.x) && !vkt_isinf_#(z.y) || vkt_isnan_#(z.y) && !vkt_isinf_#(z.x))
        return complex(vkt_nan_#(), vkt_as_bool_#(z.x) ? vkt_nan_#() : w.x);
    return complex(vkt_abs_#(w.y), vkt_copysign_#(w.x, z.y));
}

complex vkt_asinh_$(complex z) { return vkt_asin_$(z.yx).yx; }

complex vkt_atanh_$(complex z)
{
    real quarter = vkt_acos_#(0.0);
    if (vkt_is_vast_$(z)) {
        bool infinite = vkt_isinf_$(z);
        real x = infinite ? vkt_as_#_f32(0.0) : vkt_reciprocal_$(z).x;
        bool unknown = vkt_isnan_#(z.y) || (vkt_isnan_#(z.x) && !infinite);
        real y = unknown ? vkt_nan_#() : quarter;
        return complex(vkt_copysign_#(x, z.x), vkt_copysign_#(y, z.y));
    }
    if (vkt_isnan_$(z))
        return complex(vkt_as_bool_#(z.x) ? vkt_nan_#() : z.x, vkt_nan_#());
    real a = vkt_abs_#(z.x), rest = 1.0 - a;
    real b = vkt_abs_#(z.y);
    bool near = rest == 0.0 && b < 1e-10 && vkt_as_bool_#(b);
    real x = near ? 0.5 * (vkt_log_#(2.0) - vkt_log_#(b))
                  : 0.25 * vkt_log1p_#(4.0 * a / (rest * rest + b * b));
    real y = 0.5 * vkt_atan2_#(z.y + z.y, rest * (1.0 + a) - z.y * z.y);
    return complex(vkt_copysign_#(x, z.x), y);
}

complex vkt_atan_$(complex z) { return vkt_atanh_$(z.yx).yx; }

complex vkt_pow_$(complex a, complex b)
{
    bool whole = !vkt_as_bool_#(b.y);
    if (whole && !vkt_as_bool_#(b.x))
        return complex(1.0, 0.0);
    if (whole && b.x == 1.0)
        return a;
    if (whole && b.x == 2.0)
        return vkt_square_$(a);
    if (!vkt_as_bool_$(a))
        return b.x > 0.0 ? complex(0.0, 0.0) : complex(vkt_nan_#(), vkt_nan_#());
    return vkt_exp_$(vkt_mul_$(b, vkt_log_$(a)));
}
