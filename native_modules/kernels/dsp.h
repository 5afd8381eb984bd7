/* Two products an instruction, for Armv7E-M and Armv8-M with the DSP extension (Cortex-M4, M7, M33): what packed.h has
 * for cores without. TK_DSP selects it, on the computer too: there, plain C says what each instruction computes.
 *
 * A word holds two int8 values in lanes of 16 bits each, with no carry between them. SMLAD adds both products to a sum
 * modulo 2^32, so every weight is taken, -128 too.
 *
 * Rescaling is exact, with SMMULR: round(2 a m / 2^32) = round(a m / 2^31), halves upwards, while 2 a fits 32 bits.
 * Then (v + 2^(right - 1) - (v < 0)) >> right divides with halves away from zero, for right >= 1, and the zero point,
 * shifted left by `right`, goes with the constant. */
#ifndef TK_DSP_H
#define TK_DSP_H

#include "channels.h"

#if !defined(TK_DSP) && defined(__ARM_FEATURE_DSP)
#define TK_DSP 1
#endif

#if TK_DSP

/* Sign-extended or zero-extended bytes 0 and 2, or 1 and 3, of a word, as lanes. */
static inline uint32_t tk_signed_lanes_02(uint32_t x) {
#if __ARM_FEATURE_DSP
    uint32_t lanes;
    __asm__("sxtb16 %0, %1" : "=r"(lanes) : "r"(x));
    return lanes;
#else
    return (uint32_t)(uint16_t)(int8_t)(x & 0xffu) | (uint32_t)(uint16_t)(int8_t)(x >> 16 & 0xffu) << 16;
#endif
}

static inline uint32_t tk_signed_lanes_13(uint32_t x) {
#if __ARM_FEATURE_DSP
    uint32_t lanes;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(lanes) : "r"(x));
    return lanes;
#else
    return tk_signed_lanes_02(x >> 8);
#endif
}

static inline uint32_t tk_unsigned_lanes_02(uint32_t x) {
#if __ARM_FEATURE_DSP
    uint32_t lanes;
    __asm__("uxtb16 %0, %1" : "=r"(lanes) : "r"(x));
    return lanes;
#else
    return x & 0x00ff00ffu;
#endif
}

static inline uint32_t tk_unsigned_lanes_13(uint32_t x) {
#if __ARM_FEATURE_DSP
    uint32_t lanes;
    __asm__("uxtb16 %0, %1, ror #8" : "=r"(lanes) : "r"(x));
    return lanes;
#else
    return x >> 8 & 0x00ff00ffu;
#endif
}

static inline int32_t tk_lane(uint32_t word, uint32_t upper) { return (int16_t)(uint16_t)(word >> (upper ? 16 : 0)); }

static inline uint32_t tk_lanes(int32_t lower, int32_t upper) {
    return (uint32_t)(uint16_t)lower | (uint32_t)upper << 16;
}

static inline uint32_t tk_input_lanes(int32_t first, int32_t second) { return tk_lanes(first, second); }

/* sum + lower * lower + upper * upper */
static inline uint32_t tk_add_lanes(uint32_t a, uint32_t b, uint32_t sum) {
#if __ARM_FEATURE_DSP
    uint32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return sum + (uint32_t)(tk_lane(a, 0) * tk_lane(b, 0)) + (uint32_t)(tk_lane(a, 1) * tk_lane(b, 1));
#endif
}

/* sum + lower * lower */
static inline uint32_t tk_add_lower(uint32_t a, uint32_t b, uint32_t sum) {
#if __ARM_FEATURE_DSP
    uint32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return sum + (uint32_t)(tk_lane(a, 0) * tk_lane(b, 0));
#endif
}

/* sum + upper * upper */
static inline uint32_t tk_add_upper(uint32_t a, uint32_t b, uint32_t sum) {
#if __ARM_FEATURE_DSP
    uint32_t result;
    __asm__("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return sum + (uint32_t)(tk_lane(a, 1) * tk_lane(b, 1));
#endif
}

/* Four bytes at any address. */
static inline uint32_t tk_word_at(const void *from) {
    uint32_t word;
    __builtin_memcpy(&word, from, 4);
    return word;
}

/* How to rescale one channel's sums. */
struct tk_rescaling {
    int32_t multiplier;
    int32_t addend; /* 2^(right - 1) + zero_point * 2^right */
    int32_t right;
};

struct tk_output_range {
    int32_t zero_point, low, high;
};

#define TK_MOST_RIGHT 20             /* 128 * 2^right and half of it, and a rescaled sum, fit 31 bits together */
#define TK_MOST_TAPS (1u << 15)      /* 2^14 each: below 2^29 */
#define TK_MOST_BIAS ((1 << 29) - 1) /* twice their sum fits 32 bits */

/* Whether sums below 2^30 can be rescaled so: those of an ADD, at most 2^28, always are. */
static inline int tk_is_rescaled(const struct tk_scaling *s) { return s->shift < 0 && s->shift >= -TK_MOST_RIGHT; }

/* Whether the sums of a channel with so many taps are. */
static inline int tk_is_packed(const struct tk_channels *k, uint32_t c, uint32_t taps) {
    return tk_is_rescaled(&k->scaling[c]) && taps <= TK_MOST_TAPS && k->bias[c] <= TK_MOST_BIAS &&
           k->bias[c] >= -TK_MOST_BIAS;
}

static inline struct tk_rescaling tk_rescaling_of(int32_t multiplier, const struct tk_scaling *s,
                                                  const struct tk_output_range *range) {
    uint32_t right = (uint32_t)-s->shift;
    struct tk_rescaling r = {multiplier, 0, (int32_t)right};
    if (tk_is_rescaled(s))
        r.addend = (int32_t)((1u << (right - 1)) + ((uint32_t)range->zero_point << right));
    return r;
}

/* A sum of any size. */
static inline int8_t tk_rescale(uint32_t sum, const struct tk_rescaling *r, int32_t multiplier, int32_t shift,
                                const struct tk_output_range *range) {
    (void)r;
    return tk_requantise(sum, multiplier, shift, range->zero_point, range->low, range->high);
}

/* What other cores need to know of a channel, and this one does not. */
struct tk_exact {
    uint8_t nothing;
};

static inline struct tk_exact tk_exact_of(int32_t multiplier, const struct tk_scaling *s) {
    struct tk_exact e = {0};
    (void)multiplier;
    (void)s;
    return e;
}

static inline uint32_t tk_taps_together(const struct tk_scaling *s) {
    (void)s;
    return 2;
}

/* The output of a channel that tk_is_packed says yes to. */
static inline int32_t tk_rescaled(uint32_t sum, int32_t multiplier, int32_t addend, int32_t right) {
    int32_t twice = (int32_t)(sum << 1);
#if __ARM_FEATURE_DSP
    int32_t v;
    __asm__("smmulr %0, %1, %2" : "=r"(v) : "r"(twice), "r"(multiplier));
#else
    int32_t v = (int32_t)(((int64_t)twice * multiplier + (1ll << 31)) >> 32);
#endif
    return (v + (addend + (v >> 31))) >> right;
}

static inline int32_t tk_clamped(int32_t x, int32_t low, int32_t high) {
#if __ARM_FEATURE_DSP
    __asm__("ssat %0, #8, %1" : "=r"(x) : "r"(x));
    if (low == -128 && high == 127)
        return x;
#endif
    return tk_clamp(x, low, high);
}

#define TK_FOUR 4u

/* A word of four channels' inputs times their weights in lanes. */
static inline void tk_add_four(uint32_t *sums, uint32_t inputs, uint32_t weights_02, uint32_t weights_13) {
    uint32_t inputs_02 = tk_signed_lanes_02(inputs);
    uint32_t inputs_13 = tk_signed_lanes_13(inputs);
    sums[0] = tk_add_lower(inputs_02, weights_02, sums[0]);
    sums[1] = tk_add_lower(inputs_13, weights_13, sums[1]);
    sums[2] = tk_add_upper(inputs_02, weights_02, sums[2]);
    sums[3] = tk_add_upper(inputs_13, weights_13, sums[3]);
}

/* Four channels of a depthwise convolution with 3 x 3 taps over rows of outputs; a word of the plane holds a position's
 * inputs. The assembly knows these offsets, and counts `rows` down. */
struct tk_four {
    const uint32_t *inputs;           /*   0: under the first output's first tap */
    int32_t row_bytes;                /*   4: of the plane */
    int32_t step_bytes;               /*   8: in it, from one output to the next */
    int32_t next_row_bytes;           /*  12: and from behind a row's last output to the next row's first */
    int8_t *output;                   /*  16 */
    uint32_t output_step;             /*  20 */
    uint32_t columns;                 /*  24: outputs of a row */
    uint32_t rows;                    /*  28 */
    int32_t low;                      /*  32 */
    int32_t high;                     /*  36 */
    uint32_t bias[4];                 /*  40 */
    uint32_t weights[18];             /*  56: of each tap the lanes 0 and 2, then 1 and 3 */
    struct tk_rescaling rescaling[4]; /* 128 */
};

void tk_four_3x3(struct tk_four *four);

#endif
#endif
