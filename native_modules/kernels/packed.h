/* Sums of products two at a time, and their rescaling with one short multiplication, for cores with neither vectors nor
 * byte-wise products: Cortex-M0+, whose only multiply is 32 x 32 -> 32 bits (1 cycle), Cortex-M3, RISC-V and Xtensa.
 * What stands here is the plain C of armv6m/, and the definition of what the assembly computes; TK_PACKED selects the
 * kernels made of it on the computer too. Cores with two products an instruction have dsp.h in place of the arithmetic
 * here.
 *
 * Packed numbers. A word holds two int8 values as X = x0 + x1 * 2^16 and W = w1 + w0 * 2^16 (signed lanes, so the upper
 * half is one less when the lower lane is negative). X * W mod 2^32 = (x0 * w0 + x1 * w1) * 2^16 + x0 * w1. With
 * |w| <= 127 and |x| <= 128 the sum of the two products fits 16 signed bits, and so does the cross term x0 * w1 (its
 * magnitude is at most 128 * 127): an arithmetic shift right by 16 leaves the sum, less one where the cross term is
 * negative, which is bit 15 of the product, the last one shifted out. Adding that bit gives the sum exactly: MULS,
 * ASRS, ADCS, three cycles for two products. Where the magnitudes of four taps' weights sum to 255 at most, two such
 * products may be added first: their sums stay within 128 * 255 < 2^15, their cross terms too. A channel with a weight
 * of -128 takes the products one by one: with x = -128 in both lanes, 2^15 does not fit.
 *
 * Rescaling. The exact result is the nearest integer to v = accumulator * multiplier * 2^(shift - 31), but for what
 * TFLM's first rounding moves it, 2^(shift - 1) at the most. A short product P, v in units of 2^-fraction with an error
 * of `edge` at most (computed by host/tinympy/compiler/scaling.py for all accumulators that the weights allow), decides
 * the same integer unless it lies within `edge` of the point where integers change. Then, one time in 30 or so, the
 * exact arithmetic decides. P grows with the accumulator, so what is beyond the clamp by the short product is beyond
 * it, or at its end, by the exact one. */
#ifndef TK_PACKED_H
#define TK_PACKED_H

#include "channels.h"
#include "dsp.h"

#if !defined(TK_PACKED) && (defined(__arm__) || defined(__riscv) || defined(__XTENSA__) || TK_DSP)
#define TK_PACKED 1
#endif

#if TK_PACKED
#if !TK_DSP

/* How to rescale one channel's accumulators. The assembly knows these offsets. */
struct tk_rescaling {
    uint32_t drop;       /*  0: low bits of the accumulator that are left out */
    uint32_t multiplier; /*  4 */
    uint32_t offset;     /*  8: zero point less the clamp's low end, one half, and the edge */
    uint32_t range;      /* 12: P of all that is not above the clamp */
    uint32_t fraction;   /* 16 */
    uint32_t edge;       /* 20: fractions below this do not decide; in units of 2^-32 */
};

/* The same exactly. The assembly knows these offsets. */
struct tk_exact {
    int32_t multiplier_low;  /*  0: its low 16 bits, not negative */
    int32_t multiplier_high; /*  4 */
    int32_t half;            /*  8: 2^(right - 1), with right = -shift */
    int32_t right;           /* 12 */
};

struct tk_output_range {
    int32_t zero_point, low, high;
};

static inline struct tk_rescaling tk_rescaling_of(int32_t multiplier, const struct tk_scaling *s,
                                                  const struct tk_output_range *range) {
    struct tk_rescaling r = {0, 0, 0, UINT32_MAX, 0, UINT32_MAX};
    uint32_t fraction = s->fraction;
    if (!fraction)
        return r;
    r.drop = s->packing & 15u;
    uint32_t shortened = 31u - (uint32_t)s->shift - r.drop - fraction;
    if (shortened < 32)
        r.multiplier = ((uint32_t)multiplier + (1u << (shortened - 1))) >> shortened;
    r.offset = ((uint32_t)(range->zero_point - range->low) << fraction) + (1u << (fraction - 1)) +
               ((uint32_t)s->edge << (fraction - 9));
    if (r.drop)
        r.offset += r.multiplier >> 1;
    r.range = (uint32_t)(range->high - range->low + 1) << fraction;
    r.fraction = fraction;
    r.edge = (uint32_t)s->edge << 24;
    return r;
}

/* How many taps' products may be added at a time: 2 or 4, or 0 where they do not fit. */
static inline uint32_t tk_taps_together(const struct tk_scaling *s) { return s->packing >> 4; }

static inline uint32_t tk_low_bits_left_out(const struct tk_scaling *s) { return s->packing & 15u; }

/* Whether the assembly rescales so: with a short product and a shift to the right. */
static inline int tk_is_rescaled(const struct tk_scaling *s) { return s->fraction && s->shift < 0; }

/* Whether the assembly takes a channel: its products can be packed as well. */
static inline int tk_is_packed(const struct tk_channels *k, uint32_t c, uint32_t taps) {
    (void)taps;
    return tk_taps_together(&k->scaling[c]) && tk_is_rescaled(&k->scaling[c]);
}

static inline struct tk_exact tk_exact_of(int32_t multiplier, const struct tk_scaling *s) {
    struct tk_exact e = {multiplier & 0xffff, multiplier >> 16, 0, -s->shift};
    e.half = s->shift < 0 ? (int32_t)(1u << (uint32_t)(-s->shift - 1)) : 0;
    return e;
}

static inline int8_t tk_rescale(uint32_t sum, const struct tk_rescaling *r, int32_t multiplier, int32_t shift,
                                const struct tk_output_range *range) {
    uint32_t product = (uint32_t)((int32_t)sum >> r->drop) * r->multiplier + r->offset;
    if ((int32_t)product < 0)
        return (int8_t)range->low;
    if (product >= r->range)
        return (int8_t)range->high;
    uint32_t rotated = r->fraction ? product >> r->fraction | product << (32 - r->fraction) : product;
    if (rotated >= r->edge)
        return (int8_t)((int32_t)(rotated & 0xffu) + range->low);
    return tk_requantise(sum, multiplier, shift, range->zero_point, range->low, range->high);
}

#define TK_LANES 0x00ff00ffu
#define TK_SIGNS 0x00800080u

/* Four values at a multiple of 4; of the packed words made of them, X of (p[0], p[2]) and (p[1], p[3]), the first named
 * is the one of the products' lower lane. */
static inline uint32_t tk_word_of(const int8_t *p) { return *(const uint32_t *)(const void *)p; }

static inline uint32_t tk_add_products(uint32_t sum, uint32_t product) {
    return sum + (uint32_t)((int32_t)(product + 0x8000u) >> 16);
}

static inline int32_t tk_low_lane(uint32_t word) { return (int16_t)(uint16_t)word; }
static inline int32_t tk_high_lane(uint32_t word) { return (int16_t)(uint16_t)((word + 0x8000u) >> 16); }

static inline uint32_t tk_input_lanes(int32_t first, int32_t second) {
    return (uint32_t)first + ((uint32_t)second << 16);
}

static inline uint32_t tk_weight_lanes(int32_t first, int32_t second) {
    return (uint32_t)second + ((uint32_t)first << 16);
}

/* Whatever the lanes hold. */
static inline uint32_t tk_add_lanes(uint32_t input, uint32_t weight, uint32_t sum) {
    sum += (uint32_t)(tk_low_lane(input) * tk_high_lane(weight));
    return sum + (uint32_t)(tk_high_lane(input) * tk_low_lane(weight));
}

#endif

/* `groups` times four values of `from`, at a multiple of 4, as packed inputs; returns the end of `to`. */
uint32_t *tk_unpack_inputs(uint32_t *to, const int8_t *from, uint32_t groups);

/* As packed weights: two words, then two that are left alone, for another channel. */
void tk_unpack_weights(uint32_t *to, const int8_t *from, uint32_t groups);

/* Two output channels over a run of positions. The assembly knows these offsets. */
struct tk_pair {
    const uint32_t *weights;          /*  0: two words of the one channel, two of the other, in turn */
    uint32_t bias[2];                 /*  4 */
    int32_t low;                      /* 12 */
    struct tk_rescaling rescaling[2]; /* 16, 40 */
    int8_t *output;                   /* 64: the second channel's is beside it */
    uint32_t output_stride;           /* 68 */
    const int8_t *output_end;         /* 72 */
    const uint32_t *inputs;           /* 76 */
    uint32_t input_words;             /* 80: of a position; a multiple of 2 */
    struct tk_exact exact[2];         /* 84, 100 */
    int32_t high;                     /* 116 */
    int32_t zero_point;               /* 120 */
};

/* The four combinations of how many taps' products are added at a time, of the first and of the second channel. */
void tk_pair_2_2(const struct tk_pair *pair);
void tk_pair_2_4(const struct tk_pair *pair);
void tk_pair_4_2(const struct tk_pair *pair);
void tk_pair_4_4(const struct tk_pair *pair);

/* Prepares inputs for tk_dot_rows: of four at `from`, with A and B the two words of tk_unpack_inputs: A, B - 256 A and
 * 128 (A + B), multiplied lane by lane. */
void tk_prepare_inputs(uint32_t *to, const int8_t *from, uint32_t groups);

/* Outputs of a fully connected layer for which there is a short product, their rows of weights at a multiple of 4. What
 * is constant by output is read, and the rows moved behind it. The assembly knows these offsets.
 *
 * With 128 added to each weight, a word of four is U = A' + 256 B', A' and B' being two words of lanes. For prepared
 * inputs A U + (B - 256 A) B' = A A' + B B' modulo 2^32, and less 128 (A + B) in both lanes, that is the products with
 * the weights themselves. Where only two may be added at a time, both words of lanes are made of U, and B of A and the
 * difference. */
struct tk_rows {
    const uint32_t *inputs;           /*  0: prepared */
    const uint8_t *weights;           /*  4: with 128 added */
    uint32_t groups;                  /*  8: of four inputs */
    const int32_t *bias;              /* 12 */
    const int32_t *multiplier;        /* 16 */
    const struct tk_scaling *scaling; /* 20 */
    int8_t *output;                   /* 24 */
    uint32_t count;                   /* 28: of outputs, at least one */
    int32_t low;                      /* 32 */
    int32_t high;                     /* 36 */
    int32_t zero_point;               /* 40 */
    uint32_t halves;                  /* 44: 2 (zero_point - low) + 1 */
    uint32_t values;                  /* 48: high - low + 1 */
    uint32_t taps;                    /* 52: whose products are added at a time: 2 or 4 */
};

void tk_dot_rows(struct tk_rows *rows);

/* One channel of a depthwise convolution over rows of outputs; `lower` and `weights` are those of 3 x 3 taps. Words of
 * a plane hold an input and, in the upper lane, the one a row below. The assembly knows these offsets. */
struct tk_plane {
    const uint32_t *upper; /*  0: of the first output's first two rows of taps */
    const uint32_t *lower; /*  4: of its third row */
    uint32_t weights[6];   /*  8: packed for the rows 0 and 1, then row 2 as the upper lane */
    int8_t *output;        /* 32 */
    uint32_t columns;      /* 36: outputs of a row */
    uint32_t rows;         /* 40 */
    int32_t row_step;      /* 44: bytes from behind the inputs of a row's last output to those of the next row */
    uint32_t output_step;  /* 48: bytes from one output to the next, at the end of a row too */
    uint32_t bias;         /* 52 */
    struct tk_rescaling rescaling; /* 56 */
    int32_t low;                   /* 80 */
    int32_t high;                  /* 84 */
    int32_t zero_point;            /* 88 */
    struct tk_exact exact;         /* 92 */
    /* Of windows of any size: */
    const uint32_t *taps;     /* 108: packed weights, row by row of pairs of rows */
    const uint32_t *taps_end; /* 112 */
    uint32_t row_bytes;       /* 116: of a row of taps */
    uint32_t pair_step;       /* 120: bytes from the end of a row of inputs under the taps to the next pair's */
    uint32_t stride;          /* 124: bytes from one output's inputs to the next's */
};

void tk_plane_any(const struct tk_plane *plane);
void tk_plane_3x3_stride_1(const struct tk_plane *plane);
void tk_plane_3x3_stride_2(const struct tk_plane *plane);

/* Rows of a plane from an image: word i of a row holds from[i * step] and from[i * step + below]. */
struct tk_gathering {
    uint32_t *to;       /*  0 */
    const int8_t *from; /*  4 */
    uint32_t step;      /*  8: bytes */
    uint32_t below;     /* 12: bytes */
    uint32_t columns;   /* 16 */
    uint32_t rows;      /* 20 */
    uint32_t to_step;   /* 24: bytes from the end of a row to the next one's beginning */
    uint32_t from_step; /* 28: bytes */
};

void tk_gather_plane(const struct tk_gathering *gathering);

/* Sums of two tables' entries. The assembly knows these offsets. */
struct tk_addition {
    const int8_t *input1, *input2;  /*  0 */
    int8_t *output;                 /*  8 */
    uint32_t count;                 /* 12: at least one */
    const int32_t *table1, *table2; /* 16: the entries for 0 */
    struct tk_rescaling rescaling;  /* 24 */
    int32_t low;                    /* 48 */
    int32_t high;                   /* 52 */
    int32_t zero_point;             /* 56 */
    struct tk_exact exact;          /* 60 */
};

void tk_add_tables(const struct tk_addition *addition);

int tk_conv_2d_packed(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena);
int tk_depthwise_conv_2d_packed(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena);
int tk_fully_connected_packed(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena);

#endif
#endif
