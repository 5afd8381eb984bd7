/* Fixed-point arithmetic of TensorFlow Lite Micro (double rounding), in wrapping 32-bit integers.
 *
 * A core without a 32 x 32 -> 64 bit multiply (Cortex-M0+) would call a helper of the compiler's library, which a
 * native module cannot link; TK_NARROW_MULTIPLY selects the same arithmetic from 16-bit halves. So does the compiler
 * for Xtensa, which knows nothing of an ESP32's wide multiplier; nor does any core that QEMU emulates. Right shifts of
 * negative numbers are arithmetic, as every compiler that MicroPython is built with has them. */
#ifndef TK_ARITHMETIC_H
#define TK_ARITHMETIC_H

#include <stdint.h>

#if !defined(TK_NARROW_MULTIPLY) && (defined(__ARM_ARCH_6M__) || defined(__XTENSA__))
#define TK_NARROW_MULTIPLY 1
#endif

/* round(a * b / 2^31), halves upwards; b is not negative. TFLM's SaturatingRoundingDoublingHighMul for such b. */
static inline int32_t tk_doubling_high_multiply(int32_t a, int32_t b) {
#if TK_NARROW_MULTIPLY
    /* a * b / 2^16 = high * 2^16 + middle, whose fraction cannot reach the rounded bit. */
    uint32_t a_low = (uint32_t)a & 0xffffu;
    uint32_t b_low = (uint32_t)b & 0xffffu;
    int32_t a_high = a >> 16;
    int32_t b_high = b >> 16;
    int32_t cross = a_high * (int32_t)b_low;
    uint32_t rest = a_low * (uint32_t)b_high + ((a_low * b_low) >> 16);
    /* cross + rest + 2^14 needs 33 bits: shift both by 15 and carry what their low bits add up to. */
    uint32_t low_bits = ((uint32_t)cross & 0x7fffu) + (rest & 0x7fffu) + 0x4000u;
    int32_t middle = (cross >> 15) + (int32_t)(rest >> 15) + (int32_t)(low_bits >> 15);
    return a_high * b_high * 2 + middle;
#else
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
#endif
}

/* x / 2^exponent, rounded to nearest, halves away from zero; 0 <= exponent <= 31. TFLM's RoundingDivideByPOT. */
static inline int32_t tk_rounding_divide_by_power(int32_t x, int32_t exponent) {
    int32_t mask = (int32_t)((1u << exponent) - 1u);
    int32_t remainder = x & mask;
    int32_t threshold = (mask >> 1) + (x < 0);
    return (x >> exponent) + (remainder > threshold);
}

/* TFLM's MultiplyByQuantizedMultiplier: x * multiplier * 2^(shift - 31); -31 <= shift <= 30. */
static inline int32_t tk_multiply_quantised(int32_t x, int32_t multiplier, int32_t shift) {
    int32_t left = shift > 0 ? shift : 0;
    int32_t right = shift > 0 ? 0 : -shift;
    int32_t shifted = (int32_t)((uint32_t)x << left);
    return tk_rounding_divide_by_power(tk_doubling_high_multiply(shifted, multiplier), right);
}

static inline int32_t tk_clamp(int32_t x, int32_t low, int32_t high) {
    /* Without branches: half of all RELU outputs would be mispredicted, and the time depend on the data. */
    int32_t raised = x < low ? low : x;
    return raised > high ? high : raised;
}

/* An accumulator as an int8 activation. */
static inline int8_t tk_requantise(uint32_t accumulator, int32_t multiplier, int32_t shift, int32_t zero_point,
                                   int32_t low, int32_t high) {
    int32_t scaled = tk_multiply_quantised((int32_t)accumulator, multiplier, shift);
    return (int8_t)tk_clamp((int32_t)((uint32_t)scaled + (uint32_t)zero_point), low, high);
}

/* n / d; d > 0. Cortex-M0+ has no divide instruction, and the compiler's helper cannot be linked. */
static inline uint32_t tk_divide(uint32_t n, uint32_t d) {
#if defined(__XTENSA_WINDOWED_ABI__)
    /* Every ESP32 has the instruction, but gcc calls a helper unless it is made for that very core. */
    uint32_t quotient;
    __asm__("quou %0, %1, %2" : "=a"(quotient) : "a"(n), "a"(d));
    return quotient;
#elif TK_NARROW_MULTIPLY
    uint32_t quotient = 0;
    uint32_t remainder = 0;
    for (int32_t bit = 31; bit >= 0; bit--) {
        uint32_t carry = remainder >> 31;
        remainder = remainder << 1 | (n >> bit & 1u);
        if (carry || remainder >= d) {
            remainder -= d;
            quotient |= 1u << bit;
        }
    }
    return quotient;
#else
    return n / d;
#endif
}

/* a * b, or UINT32_MAX where that does not fit: sizes from a program that nobody has checked yet. */
static inline uint32_t tk_size(uint32_t a, uint32_t b) {
    uint32_t a_low = a & 0xffffu;
    uint32_t a_high = a >> 16;
    uint32_t b_low = b & 0xffffu;
    uint32_t b_high = b >> 16;
    uint32_t cross = a_high * b_low + a_low * b_high; /* one of the two is 0, or the product does not fit */
    uint32_t low = a_low * b_low;
    if ((a_high && b_high) || cross >> 16 || low + (cross << 16) < low)
        return UINT32_MAX;
    return low + (cross << 16);
}

/* What zero points and the clamps of outputs have to be. */
static inline int tk_is_int8(int32_t value) { return value >= -128 && value <= 127; }

/* Whether `bytes` bytes at `offset` lie within `limit` bytes. */
static inline int tk_fits(uint32_t offset, uint32_t bytes, uint32_t limit) {
    return offset <= limit && bytes <= limit - offset;
}

#endif
