/* The constants of an operation with weights: bias, multiplier and shift of each output channel, then the weights. */
#ifndef TK_CHANNELS_H
#define TK_CHANNELS_H

#include "arithmetic.h"
#include "tk.h"

struct tk_channels {
    const int32_t *bias; /* with the input's zero point folded in */
    const int32_t *multiplier;
    const int8_t *shift;
    const int8_t *weights;
};

/* The sum of the products, modulo 2^32. */
static inline uint32_t tk_dot(const int8_t *a, const int8_t *b, uint32_t count) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += (uint32_t)(a[i] * b[i]);
    return sum;
}

static inline uint32_t tk_aligned_shifts(uint32_t count) { return (count + 3u) & ~3u; }

static inline struct tk_channels tk_channels_at(const uint8_t *constants, uint32_t count) {
    struct tk_channels channels;
    channels.bias = (const int32_t *)(const void *)constants;
    channels.multiplier = channels.bias + count;
    channels.shift = (const int8_t *)(channels.multiplier + count);
    channels.weights = channels.shift + tk_aligned_shifts(count);
    return channels;
}

/* Bias, multiplier, shift and `weights_bytes` of weights lie within the tile, and the shifts within their range. */
static inline enum tk_error tk_channels_check(const uint8_t *constants, uint32_t count, uint32_t weights_bytes,
                                              const struct tk_limits *limits) {
    uint32_t head = tk_size(count, 8);
    if (head > limits->constants_bytes || !tk_fits(head, tk_aligned_shifts(count), limits->constants_bytes))
        return TK_ERROR_CONSTANTS;
    if (!tk_fits(head + tk_aligned_shifts(count), weights_bytes, limits->constants_bytes))
        return TK_ERROR_CONSTANTS;
    struct tk_channels channels = tk_channels_at(constants, count);
    for (uint32_t c = 0; c < count; c++)
        if (channels.multiplier[c] < 0 || channels.shift[c] < -31 || channels.shift[c] > 30)
            return TK_ERROR_VALUE;
    return TK_OK;
}

#endif
