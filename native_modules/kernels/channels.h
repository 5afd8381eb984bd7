/* The constants of an operation with weights: bias, multiplier and scaling of each output channel, then the weights. */
#ifndef TK_CHANNELS_H
#define TK_CHANNELS_H

#include "arithmetic.h"
#include "tk.h"

/* `shift` is part of what the channel computes; the others say which shortcuts are exact for it (packed.h). */
struct tk_scaling {
    int8_t shift;
    uint8_t packing;  /* 16 * how many taps' products fit 16 bits together (0, 2, 4) + low bits left out of sums */
    uint8_t fraction; /* fraction bits of the short product; 0: none is exact */
    uint8_t edge;     /* in 256ths of the fraction: this close to the next integer the short product does not decide */
};

struct tk_channels {
    const int32_t *bias; /* with the input's zero point folded in */
    const int32_t *multiplier;
    const struct tk_scaling *scaling;
    const int8_t *weights;
};

#define TK_CHANNEL_BYTES 12u /* beside the weights */

/* The sum of the products, modulo 2^32. */
static inline uint32_t tk_dot(const int8_t *a, const int8_t *b, uint32_t count) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += (uint32_t)(a[i] * b[i]);
    return sum;
}

/* The same with 128 added to each of b. */
static inline uint32_t tk_dot_offset(const int8_t *a, const int8_t *b, uint32_t count) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += (uint32_t)(a[i] * ((uint8_t)b[i] - 128));
    return sum;
}

static inline struct tk_channels tk_channels_at(const uint8_t *constants, uint32_t count) {
    struct tk_channels channels;
    channels.bias = (const int32_t *)(const void *)constants;
    channels.multiplier = channels.bias + count;
    channels.scaling = (const struct tk_scaling *)(const void *)(channels.multiplier + count);
    channels.weights = (const int8_t *)(channels.scaling + count);
    return channels;
}

/* What a channel's shortcuts have to be, so that no shift is undefined. */
static inline int tk_is_scaling(const struct tk_scaling *s) {
    int32_t drop = s->packing & 15;
    int32_t taps = s->packing >> 4;
    int32_t shortened = 31 - s->shift - drop - s->fraction;
    if (s->shift < -31 || s->shift > 30 || (taps != 0 && taps != 2 && taps != 4))
        return 0;
    return !s->fraction || (s->fraction >= 9 && s->fraction <= 22 && shortened >= 1);
}

/* Bias, multiplier, scaling and `weights_bytes` of weights lie within the tile, and their numbers within their range.
 */
static inline enum tk_error tk_channels_check(const uint8_t *constants, uint32_t count, uint32_t weights_bytes,
                                              const struct tk_limits *limits) {
    uint32_t head = tk_size(count, TK_CHANNEL_BYTES);
    if (head > limits->constants_bytes || !tk_fits(head, weights_bytes, limits->constants_bytes))
        return TK_ERROR_CONSTANTS;
    struct tk_channels channels = tk_channels_at(constants, count);
    for (uint32_t c = 0; c < count; c++)
        if (channels.multiplier[c] < 0 || !tk_is_scaling(&channels.scaling[c]))
            return TK_ERROR_VALUE;
    return TK_OK;
}

#endif
