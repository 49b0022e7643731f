// 20_cast.glsl - conversions between dtypes: vkt_as_<dtype>_<register of x>(x).
//
// Every conversion is total. Integers wrap. Floats are rounded once, half to even. A float becomes
// an integer by dropping its fraction; where that does not fit (NaN too) int32 and int64 give their
// lowest value, 8 and 16 bits are the low bits of the int32, unsigned types the low bits of the
// int64, as x86-64 does it; uint64 from 2^63 on is taken from 2^63, and 0 beyond 2^64.

// Floats rounded to odd: a second rounding to fewer bits then gives what one rounding would (Boldo
// and Melquiond 2008).
float vkt_odd_u32(uint x)
{
    uint lost = (x & 0xffu) != 0u && x >= 0x01000000u ? 0x100u : 0u;
    return float(x >= 0x01000000u ? (x & ~0xffu) | lost : x);
}

float vkt_odd_i32(int x)
{
    float a = vkt_odd_u32(uint(x < 0 ? -x : x));
    return x < 0 ? -a : a;
}

float vkt_odd_u64(uint64_t x)
{
    uint high = uint(x >> 32);
    int s = findMSB(high) + 1;
    uint lost = (x & ((1ul << s) - 1ul)) != 0ul ? 1u : 0u;
    return vkt_odd_u32(uint(x >> s) | lost) * vkt_exp2i_f32(s);
}

float vkt_odd_i64(int64_t x)
{
    float a = vkt_odd_u64(uint64_t(x < 0 ? -x : x));
    return x < 0 ? -a : a;
}

// As a pattern, for the subnormal results that a float register might flush.
uint vkt_odd_f64(double x)
{
    uint64_t u = doubleBitsToUint64(x);
    uint sign = uint(u >> 32) & 0x80000000u;
    int e = int(uint(u >> 52) & 0x7ffu) - 896;
    uint m = uint(u >> 29) & 0x007fffffu;
    bool lost = (uint(u) & 0x1fffffffu) != 0u;
    if (e > 254) {
        uint inf_or_nan = vkt_isnan_f64(x) ? 0x7fc00000u | m : 0x7f800000u;
        return sign | (e == 1151 ? inf_or_nan : 0x7f7fffffu);
    }
    if (e <= 0) {
        uint s = min(uint(1 - e), 25u);
        m |= 0x00800000u;
        lost = lost || (m & ((1u << s) - 1u)) != 0u;
        m >>= s;
        e = 0;
    }
    return sign | (uint(e) << 23) | m | (lost ? 1u : 0u);
}

// To bool: anything but zero, NaN too.
bool vkt_as_bool_bool(bool x) { return x; }

bool vkt_as_bool_i32(int x) { return x != 0; }

bool vkt_as_bool_u32(uint x) { return x != 0; }

bool vkt_as_bool_i64(int64_t x) { return x != 0; }

bool vkt_as_bool_u64(uint64_t x) { return x != 0; }

bool vkt_as_bool_f32(float x) { return (floatBitsToUint(x) & 0x7fffffffu) != 0u; }

bool vkt_as_bool_f64(double x) { return (doubleBitsToUint64(x) & 0x7ffffffffffffffful) != 0ul; }

// To signed integers.
int vkt_as_i32_bool(bool x) { return int(x); }

int vkt_as_i32_i32(int x) { return x; }

int vkt_as_i32_u32(uint x) { return int(x); }

int vkt_as_i32_i64(int64_t x) { return int(x); }

int vkt_as_i32_u64(uint64_t x) { return int(x); }

int vkt_as_i32_f32(float x)
{
    bool fits = (floatBitsToUint(x) & 0x7fffffffu) < 0x4f000000u;
    return fits ? int(fits ? x : 0.0) : int(0x80000000u);
}

int vkt_as_i32_f64(double x)
{
    bool fits = x > -2147483649.0lf && x < 2147483648.0lf;
    return fits ? int(fits ? x : 0.0lf) : int(0x80000000u);
}

int64_t vkt_as_i64_bool(bool x) { return int64_t(x); }

// By halves: llvmpipe 22.3 gets choices by the sign of a converted int wrong.
int64_t vkt_as_i64_i32(int x) { return packInt2x32(ivec2(x, x >> 31)); }

int64_t vkt_as_i64_u32(uint x) { return int64_t(x); }

int64_t vkt_as_i64_i64(int64_t x) { return x; }

int64_t vkt_as_i64_u64(uint64_t x) { return int64_t(x); }

int64_t vkt_as_i64_f32(float x)
{
    bool fits = (floatBitsToUint(x) & 0x7fffffffu) < 0x5f000000u;
    return fits ? int64_t(fits ? x : 0.0) : int64_t(0x8000000000000000ul);
}

int64_t vkt_as_i64_f64(double x)
{
    bool fits = (doubleBitsToUint64(x) & 0x7ffffffffffffffful) < 0x43e0000000000000ul;
    return fits ? int64_t(fits ? x : 0.0lf) : int64_t(0x8000000000000000ul);
}

int vkt_as_i8_bool(bool x) { return int(x); }

int vkt_as_i8_i32(int x) { return vkt_fit_i8(x); }

int vkt_as_i8_u32(uint x) { return vkt_fit_i8(int(x)); }

int vkt_as_i8_i64(int64_t x) { return vkt_fit_i8(int(x)); }

int vkt_as_i8_u64(uint64_t x) { return vkt_fit_i8(int(x)); }

int vkt_as_i8_f32(float x) { return vkt_fit_i8(vkt_as_i32_f32(x)); }

int vkt_as_i8_f64(double x) { return vkt_fit_i8(vkt_as_i32_f64(x)); }

int vkt_as_i16_bool(bool x) { return int(x); }

int vkt_as_i16_i32(int x) { return vkt_fit_i16(x); }

int vkt_as_i16_u32(uint x) { return vkt_fit_i16(int(x)); }

int vkt_as_i16_i64(int64_t x) { return vkt_fit_i16(int(x)); }

int vkt_as_i16_u64(uint64_t x) { return vkt_fit_i16(int(x)); }

int vkt_as_i16_f32(float x) { return vkt_fit_i16(vkt_as_i32_f32(x)); }

int vkt_as_i16_f64(double x) { return vkt_fit_i16(vkt_as_i32_f64(x)); }

// To unsigned integers.
uint vkt_as_u32_bool(bool x) { return uint(x); }

uint vkt_as_u32_i32(int x) { return uint(x); }

uint vkt_as_u32_u32(uint x) { return x; }

uint vkt_as_u32_i64(int64_t x) { return uint(x); }

uint vkt_as_u32_u64(uint64_t x) { return uint(x); }

uint vkt_as_u32_f32(float x)
{
    uint a = floatBitsToUint(x) & 0x7fffffffu;
    int e = int(a >> 23) - 150;
    uint m = (a & 0x007fffffu) | 0x00800000u;
    uint u = e >= 0 ? (e < 32 ? m << min(e, 31) : 0u) : (e > -24 ? m >> min(-e, 31) : 0u);
    return vkt_signbit_f32(x) ? ~u + 1u : u;
}

uint vkt_as_u32_f64(double x) { return uint(vkt_as_i64_f64(x)); }

uint64_t vkt_as_u64_bool(bool x) { return uint64_t(x); }

uint64_t vkt_as_u64_i32(int x) { return uint64_t(x); }

uint64_t vkt_as_u64_u32(uint x) { return uint64_t(x); }

uint64_t vkt_as_u64_i64(int64_t x) { return uint64_t(x); }

uint64_t vkt_as_u64_u64(uint64_t x) { return x; }

uint64_t vkt_as_u64_f32(float x)
{
    bool high = x >= 9223372036854775808.0;
    uint64_t u = uint64_t(vkt_as_i64_f32(high ? x - 9223372036854775808.0 : x));
    return high ? u ^ 0x8000000000000000ul : u;
}

uint64_t vkt_as_u64_f64(double x)
{
    bool high = x >= 9223372036854775808.0lf;
    uint64_t u = uint64_t(vkt_as_i64_f64(high ? x - 9223372036854775808.0lf : x));
    return high ? u ^ 0x8000000000000000ul : u;
}

uint vkt_as_u8_bool(bool x) { return uint(x); }

uint vkt_as_u8_i32(int x) { return vkt_fit_u8(uint(x)); }

uint vkt_as_u8_u32(uint x) { return vkt_fit_u8(x); }

uint vkt_as_u8_i64(int64_t x) { return vkt_fit_u8(uint(x)); }

uint vkt_as_u8_u64(uint64_t x) { return vkt_fit_u8(uint(x)); }

uint vkt_as_u8_f32(float x) { return vkt_fit_u8(uint(vkt_as_i32_f32(x))); }

uint vkt_as_u8_f64(double x) { return vkt_fit_u8(uint(vkt_as_i32_f64(x))); }

uint vkt_as_u16_bool(bool x) { return uint(x); }

uint vkt_as_u16_i32(int x) { return vkt_fit_u16(uint(x)); }

uint vkt_as_u16_u32(uint x) { return vkt_fit_u16(x); }

uint vkt_as_u16_i64(int64_t x) { return vkt_fit_u16(uint(x)); }

uint vkt_as_u16_u64(uint64_t x) { return vkt_fit_u16(uint(x)); }

uint vkt_as_u16_f32(float x) { return vkt_fit_u16(uint(vkt_as_i32_f32(x))); }

uint vkt_as_u16_f64(double x) { return vkt_fit_u16(uint(vkt_as_i32_f64(x))); }

// To floats.
float vkt_as_f32_bool(bool x) { return float(x); }

float vkt_as_f32_i32(int x) { return float(x); }

float vkt_as_f32_u32(uint x) { return float(x); }

float vkt_as_f32_i64(int64_t x) { return float(x); }

float vkt_as_f32_u64(uint64_t x) { return float(x); }

float vkt_as_f32_f32(float x) { return x; }

// A subnormal result is rounded as an integer where the driver would flush it.
float vkt_as_f32_f64(double x)
{
    float y = float(x);
#ifndef VKT_NARROWS_SUBNORMALS
    uint64_t u = doubleBitsToUint64(x);
    int e = int(uint(u >> 52) & 0x7ffu) - 896;
    int s = min(30 - e, 63);
    uint64_t m = (u & 0x000ffffffffffffful) | 0x0010000000000000ul;
    uint64_t rounded = (m + (1ul << (s - 1)) - 1ul + ((m >> s) & 1ul)) >> s;
    float tiny = uintBitsToFloat((uint(u >> 32) & 0x80000000u) | uint(rounded));
    y = e <= 0 ? tiny : y;
#endif
    return y;
}

double vkt_as_f64_bool(bool x) { return double(x); }

double vkt_as_f64_i32(int x) { return double(x); }

double vkt_as_f64_u32(uint x) { return double(x); }

double vkt_as_f64_i64(int64_t x) { return double(x); }

double vkt_as_f64_u64(uint64_t x) { return double(x); }

double vkt_as_f64_f32(float x)
{
    double y = double(x);
#ifndef VKT_WIDENS_SUBNORMALS
    uint a = floatBitsToUint(x) & 0x7fffffffu;
    double tiny = double(a) * 1.4012984643248171e-45lf;
    y = a < 0x00800000u ? (vkt_signbit_f32(x) ? vkt_negative_f64(tiny) : tiny) : y;
#endif
    return y;
}

double vkt_as_f64_f64(double x) { return x; }

float vkt_as_f16_bool(bool x) { return float(x); }

float vkt_as_f16_i32(int x) { return vkt_fit_f16(float(x)); }

float vkt_as_f16_u32(uint x) { return vkt_fit_f16(float(x)); }

float vkt_as_f16_i64(int64_t x) { return vkt_fit_f16(float(x)); }

float vkt_as_f16_u64(uint64_t x) { return vkt_fit_f16(float(x)); }

float vkt_as_f16_f32(float x) { return vkt_fit_f16(x); }

float vkt_as_f16_f64(double x) { return vkt_unpack_f16(vkt_half_bits(vkt_odd_f64(x))); }

float vkt_as_bf16_bool(bool x) { return float(x); }

float vkt_as_bf16_i32(int x)
{
    return vkt_unpack_bf16(vkt_brain_bits(floatBitsToUint(vkt_odd_i32(x))));
}

float vkt_as_bf16_u32(uint x)
{
    return vkt_unpack_bf16(vkt_brain_bits(floatBitsToUint(vkt_odd_u32(x))));
}

float vkt_as_bf16_i64(int64_t x)
{
    return vkt_unpack_bf16(vkt_brain_bits(floatBitsToUint(vkt_odd_i64(x))));
}

float vkt_as_bf16_u64(uint64_t x)
{
    return vkt_unpack_bf16(vkt_brain_bits(floatBitsToUint(vkt_odd_u64(x))));
}

float vkt_as_bf16_f32(float x) { return vkt_fit_bf16(x); }

float vkt_as_bf16_f64(double x) { return vkt_unpack_bf16(vkt_brain_bits(vkt_odd_f64(x))); }
