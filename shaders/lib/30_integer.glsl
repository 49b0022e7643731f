// 30_integer.glsl - integer division, divisors, powers and shifts, defined for every operand.
//
// Division is done on magnitudes, because signed division of negatives, by zero or overflowing is
// undefined in SPIR-V and compilers use that; the divisor is replaced before it divides. x / 0 and
// x % 0 are 0, INT_MIN / -1 is INT_MIN.
//
// `integer` stands for int or int64_t, `natural` for uint or uint64_t, `n_bits` for 32 or 64, `_i#`
// and `_u#` end the names of their functions: shaders/embed.py writes each chunk twice.

integer vkt_sign_i#(integer x) { return sign(x); }

natural vkt_magnitude_i#(integer x) { return natural(x < 0 ? -x : x); }

integer vkt_floor_divide_i#(integer x, integer y)
{
    natural a = vkt_magnitude_i#(x);
    natural b = y == 0 ? natural(1) : vkt_magnitude_i#(y);
    natural q = a / b;
    bool negative = (x ^ y) < 0;
    integer rounded = integer(negative && q * b != a ? q + natural(1) : q);
    return y == 0 ? integer(0) : negative ? -rounded : rounded;
}

// The sign of the divisor.
integer vkt_remainder_i#(integer x, integer y)
{
    natural a = vkt_magnitude_i#(x);
    natural b = y == 0 ? natural(1) : vkt_magnitude_i#(y);
    natural r = a - a / b * b;
    r = (x ^ y) < 0 && r != natural(0) ? b - r : r;
    return y == 0 ? integer(0) : y < 0 ? -integer(r) : integer(r);
}

// The sign of the dividend.
integer vkt_fmod_i#(integer x, integer y)
{
    natural a = vkt_magnitude_i#(x);
    natural b = y == 0 ? natural(1) : vkt_magnitude_i#(y);
    integer r = integer(a - a / b * b);
    return y == 0 ? integer(0) : x < 0 ? -r : r;
}

// Wraps. A negative power is 0 but for x = 1 and -1. At most n_bits - 1 turns.
integer vkt_pow_i#(integer x, integer y)
{
    integer one = x == 1 ? integer(1) : x == -1 ? 1 - 2 * (y & 1) : integer(0);
    if (y < 0)
        return one;
    integer power = 1;
    for (; y != 0; y >>= 1) {
        power = (y & 1) != 0 ? power * x : power;
        x *= x;
    }
    return power;
}

integer vkt_left_shift_i#(integer x, integer y)
{
    return natural(y) < natural(n_bits) ? x << int(y & (n_bits - 1)) : integer(0);
}

integer vkt_right_shift_i#(integer x, integer y)
{
    return x >> (natural(y) < natural(n_bits) ? int(y) : n_bits - 1);
}

natural vkt_sign_u#(natural x) { return natural(x != natural(0)); }

natural vkt_floor_divide_u#(natural x, natural y)
{
    return y == natural(0) ? natural(0) : x / (y == natural(0) ? natural(1) : y);
}

natural vkt_remainder_u#(natural x, natural y)
{
    return y == natural(0) ? natural(0) : x % (y == natural(0) ? natural(1) : y);
}

natural vkt_fmod_u#(natural x, natural y) { return vkt_remainder_u#(x, y); }

natural vkt_pow_u#(natural x, natural y)
{
    natural power = natural(1);
    for (; y != natural(0); y >>= 1) {
        power = (y & natural(1)) != natural(0) ? power * x : power;
        x *= x;
    }
    return power;
}

natural vkt_left_shift_u#(natural x, natural y)
{
    return y < natural(n_bits) ? x << uint(y & natural(n_bits - 1)) : natural(0);
}

natural vkt_right_shift_u#(natural x, natural y)
{
    return y < natural(n_bits) ? x >> uint(y & natural(n_bits - 1)) : natural(0);
}

// Euclid's algorithm on magnitudes: at most 47 turns, 92 of 64 bits.
natural vkt_gcd_u#(natural x, natural y)
{
    while (y != natural(0)) {
        natural rest = x % max(y, natural(1));
        x = y;
        y = rest;
    }
    return x;
}

natural vkt_lcm_u#(natural x, natural y) { return x / max(vkt_gcd_u#(x, y), natural(1)) * y; }

integer vkt_gcd_i#(integer x, integer y)
{
    return integer(vkt_gcd_u#(vkt_magnitude_i#(x), vkt_magnitude_i#(y)));
}

integer vkt_lcm_i#(integer x, integer y)
{
    return integer(vkt_lcm_u#(vkt_magnitude_i#(x), vkt_magnitude_i#(y)));
}
