// 30_integer.glsl - integer division, divisors, powers and shifts, defined for every operand.
//
// Division is done on magnitudes, because signed division of negatives, by zero or overflowing is
// undefined in SPIR-V and compilers use that; the divisor is replaced before it divides. x / 0 and
// x % 0 are 0, INT_MIN / -1 is INT_MIN.

int vkt_sign_i32(int x) { return sign(x); }

int vkt_floor_divide_i32(int x, int y)
{
    uint a = uint(x < 0 ? -x : x);
    uint b = y == 0 ? 1u : uint(y < 0 ? -y : y);
    uint q = a / b;
    bool negative = (x ^ y) < 0;
    int rounded = int(negative && q * b != a ? q + 1u : q);
    return y == 0 ? 0 : negative ? -rounded : rounded;
}

// The sign of the divisor.
int vkt_remainder_i32(int x, int y)
{
    uint a = uint(x < 0 ? -x : x);
    uint b = y == 0 ? 1u : uint(y < 0 ? -y : y);
    uint r = a - a / b * b;
    r = (x ^ y) < 0 && r != 0u ? b - r : r;
    return y == 0 ? 0 : y < 0 ? -int(r) : int(r);
}

// The sign of the dividend.
int vkt_fmod_i32(int x, int y)
{
    uint a = uint(x < 0 ? -x : x);
    uint b = y == 0 ? 1u : uint(y < 0 ? -y : y);
    int r = int(a - a / b * b);
    return y == 0 ? 0 : x < 0 ? -r : r;
}

// Wraps. A negative power is 0 but for x = 1 and -1. At most 31 turns.
int vkt_pow_i32(int x, int y)
{
    int one = x == 1 ? 1 : x == -1 ? 1 - 2 * (y & 1) : 0;
    if (y < 0)
        return one;
    int power = 1;
    for (; y != 0; y >>= 1) {
        power = (y & 1) != 0 ? power * x : power;
        x *= x;
    }
    return power;
}

int vkt_left_shift_i32(int x, int y) { return uint(y) < 32u ? x << (y & 31) : 0; }

int vkt_right_shift_i32(int x, int y) { return x >> (uint(y) < 32u ? y : 31); }

uint vkt_sign_u32(uint x) { return x == 0u ? 0u : 1u; }

uint vkt_floor_divide_u32(uint x, uint y) { return y == 0u ? 0u : x / (y == 0u ? 1u : y); }

uint vkt_remainder_u32(uint x, uint y) { return y == 0u ? 0u : x % (y == 0u ? 1u : y); }

uint vkt_fmod_u32(uint x, uint y) { return vkt_remainder_u32(x, y); }

uint vkt_pow_u32(uint x, uint y)
{
    uint power = 1u;
    for (; y != 0u; y >>= 1) {
        power = (y & 1u) != 0u ? power * x : power;
        x *= x;
    }
    return power;
}

uint vkt_left_shift_u32(uint x, uint y) { return y < 32u ? x << (y & 31u) : 0u; }

uint vkt_right_shift_u32(uint x, uint y) { return y < 32u ? x >> (y & 31u) : 0u; }

int64_t vkt_sign_i64(int64_t x) { return sign(x); }

int64_t vkt_floor_divide_i64(int64_t x, int64_t y)
{
    uint64_t a = uint64_t(x < 0 ? -x : x);
    uint64_t b = y == 0 ? 1ul : uint64_t(y < 0 ? -y : y);
    uint64_t q = a / b;
    bool negative = (x ^ y) < 0;
    int64_t rounded = int64_t(negative && q * b != a ? q + 1ul : q);
    return y == 0 ? 0l : negative ? -rounded : rounded;
}

// The sign of the divisor.
int64_t vkt_remainder_i64(int64_t x, int64_t y)
{
    uint64_t a = uint64_t(x < 0 ? -x : x);
    uint64_t b = y == 0 ? 1ul : uint64_t(y < 0 ? -y : y);
    uint64_t r = a - a / b * b;
    r = (x ^ y) < 0 && r != 0ul ? b - r : r;
    return y == 0 ? 0l : y < 0 ? -int64_t(r) : int64_t(r);
}

// The sign of the dividend.
int64_t vkt_fmod_i64(int64_t x, int64_t y)
{
    uint64_t a = uint64_t(x < 0 ? -x : x);
    uint64_t b = y == 0 ? 1ul : uint64_t(y < 0 ? -y : y);
    int64_t r = int64_t(a - a / b * b);
    return y == 0 ? 0l : x < 0 ? -r : r;
}

// Wraps. A negative power is 0 but for x = 1 and -1. At most 63 turns.
int64_t vkt_pow_i64(int64_t x, int64_t y)
{
    int64_t one = x == 1 ? 1l : x == -1 ? 1 - 2 * (y & 1) : 0l;
    if (y < 0)
        return one;
    int64_t power = 1;
    for (; y != 0; y >>= 1) {
        power = (y & 1) != 0 ? power * x : power;
        x *= x;
    }
    return power;
}

int64_t vkt_left_shift_i64(int64_t x, int64_t y)
{
    return uint64_t(y) < 64ul ? x << int(y & 63) : 0l;
}

int64_t vkt_right_shift_i64(int64_t x, int64_t y)
{
    return x >> (uint64_t(y) < 64ul ? int(y) : 63);
}

uint64_t vkt_sign_u64(uint64_t x) { return x == 0ul ? 0ul : 1ul; }

uint64_t vkt_floor_divide_u64(uint64_t x, uint64_t y)
{
    return y == 0ul ? 0ul : x / (y == 0ul ? 1ul : y);
}

uint64_t vkt_remainder_u64(uint64_t x, uint64_t y)
{
    return y == 0ul ? 0ul : x % (y == 0ul ? 1ul : y);
}

uint64_t vkt_fmod_u64(uint64_t x, uint64_t y) { return vkt_remainder_u64(x, y); }

uint64_t vkt_pow_u64(uint64_t x, uint64_t y)
{
    uint64_t power = 1ul;
    for (; y != 0ul; y >>= 1) {
        power = (y & 1ul) != 0ul ? power * x : power;
        x *= x;
    }
    return power;
}

uint64_t vkt_left_shift_u64(uint64_t x, uint64_t y) { return y < 64ul ? x << uint(y & 63ul) : 0ul; }

uint64_t vkt_right_shift_u64(uint64_t x, uint64_t y)
{
    return y < 64ul ? x >> uint(y & 63ul) : 0ul;
}

// Euclid's algorithm on magnitudes: at most 47 turns, 92 of 64 bits.
uint vkt_gcd_u32(uint x, uint y)
{
    while (y != 0u) {
        uint rest = x % max(y, 1u);
        x = y;
        y = rest;
    }
    return x;
}

uint vkt_lcm_u32(uint x, uint y)
{
    uint d = vkt_gcd_u32(x, y);
    return x / max(d, 1u) * y;
}

int vkt_gcd_i32(int x, int y)
{
    return int(vkt_gcd_u32(uint(x < 0 ? -x : x), uint(y < 0 ? -y : y)));
}

int vkt_lcm_i32(int x, int y)
{
    return int(vkt_lcm_u32(uint(x < 0 ? -x : x), uint(y < 0 ? -y : y)));
}

uint64_t vkt_gcd_u64(uint64_t x, uint64_t y)
{
    while (y != 0ul) {
        uint64_t rest = x % max(y, 1ul);
        x = y;
        y = rest;
    }
    return x;
}

uint64_t vkt_lcm_u64(uint64_t x, uint64_t y)
{
    uint64_t d = vkt_gcd_u64(x, y);
    return x / max(d, 1ul) * y;
}

int64_t vkt_gcd_i64(int64_t x, int64_t y)
{
    return int64_t(vkt_gcd_u64(uint64_t(x < 0 ? -x : x), uint64_t(y < 0 ? -y : y)));
}

int64_t vkt_lcm_i64(int64_t x, int64_t y)
{
    return int64_t(vkt_lcm_u64(uint64_t(x < 0 ? -x : x), uint64_t(y < 0 ? -y : y)));
}
