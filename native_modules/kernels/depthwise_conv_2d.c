/* DEPTHWISE_CONV_2D. TFLM: reference_integer_ops::DepthwiseConvPerChannel.
 *
 * For each output position the accumulators of all channels (scratch, 32 bits each) are filled tap by tap; a padded tap
 * counts as the input's zero point, whose contribution the folded bias cancels. Output channel c reads input channel
 * c / depth. Weights are stored tap by tap, the operation's channels side by side. */
#include "packed.h"
#include "window.h"

/* What the plain kernel takes, and with a block the packed one (depthwise_conv_2d_packed.c): whichever is more. */
static uint32_t scratch_bytes(const struct tk_operation *op) {
    const struct tk_window *w = &op->as.window;
    uint32_t plain = w->channels * 4u;
    if (!op->block)
        return plain;
    uint32_t pairs = (w->kernel_height + 1u) / 2;
    /* Kernels are shorter than 2^16, blocks than 2^8: these stay far below 2^32. */
    uint32_t rows = (op->block - 1u) * w->stride_height + 2 * (pairs - 1);
    uint32_t plane = tk_size((w->output_width - 1u) * w->stride_width + w->kernel_width,
                             (w->stride_height % 2 ? rows : rows / 2) + 1);
    uint32_t weights = pairs * w->kernel_width;
    if (plane > TK_MAX_ARENA_BYTES || weights > TK_MAX_ARENA_BYTES)
        return UINT32_MAX;
    uint32_t packed = tk_size(4, plane + weights);
    return packed > plain ? packed : plain;
}

enum tk_error tk_depthwise_conv_2d_check(const struct tk_operation *op, const uint8_t *constants,
                                         const struct tk_limits *limits) {
    const struct tk_window *w = &op->as.window;
    enum tk_error error = tk_window_check(op, limits);
    if (error)
        return error;
    if (!w->depth || tk_size(w->input_channels, w->depth) != w->output_channels)
        return TK_ERROR_SHAPE;
    if (op->block && (w->depth != 1 || w->dilation_height != 1 || w->dilation_width != 1))
        return TK_ERROR_SHAPE;
    if (op->scratch % 4 || !tk_fits(op->scratch, scratch_bytes(op), limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    uint32_t taps = tk_size(w->kernel_height, w->kernel_width);
    return tk_channels_check(constants, w->channels, tk_size(taps, w->channels), limits);
}

/* accumulators[c] += pixel[channel of c] * weights[c]; `pixel` is 0 in the padding. */
static void add_tap(const struct tk_window *w, uint32_t *accumulators, const int8_t *pixel, const int8_t *weights) {
    uint32_t channels = w->channels;
    if (!pixel) {
        for (uint32_t c = 0; c < channels; c++)
            accumulators[c] += (uint32_t)(w->input_zero_point * weights[c]);
    } else if (w->depth == 1) {
        pixel += w->first_channel;
        for (uint32_t c = 0; c < channels; c++)
            accumulators[c] += (uint32_t)(pixel[c] * weights[c]);
    } else {
        uint32_t source = tk_divide(w->first_channel, w->depth);
        uint32_t copy = w->first_channel - source * w->depth;
        for (uint32_t c = 0; c < channels; c++) {
            accumulators[c] += (uint32_t)(pixel[source] * weights[c]);
            if (++copy == w->depth) {
                copy = 0;
                source++;
            }
        }
    }
}

void tk_depthwise_conv_2d(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
#if TK_PACKED
    if (tk_depthwise_conv_2d_packed(op, constants, arena))
        return;
#endif
    const struct tk_window *w = &op->as.window;
    const int8_t *input = (const int8_t *)arena + op->input;
    int8_t *output = (int8_t *)arena + op->output + w->first_channel;
    uint32_t *accumulators = (uint32_t *)(void *)(arena + op->scratch);
    struct tk_channels k = tk_channels_at(constants, w->channels);

    for (int32_t oy = 0; oy < w->output_height; oy++) {
        int32_t y = oy * w->stride_height - w->pad_top;
        for (int32_t ox = 0; ox < w->output_width; ox++) {
            int32_t x = ox * w->stride_width - w->pad_left;
            for (uint32_t c = 0; c < w->channels; c++)
                accumulators[c] = (uint32_t)k.bias[c];
            const int8_t *weights = k.weights;
            for (int32_t ky = 0; ky < w->kernel_height; ky++) {
                int32_t iy = y + ky * w->dilation_height;
                for (int32_t kx = 0; kx < w->kernel_width; kx++, weights += w->channels) {
                    int32_t ix = x + kx * w->dilation_width;
                    int inside = iy >= 0 && iy < w->input_height && ix >= 0 && ix < w->input_width;
                    add_tap(w, accumulators, inside ? input + (iy * w->input_width + ix) * w->input_channels : 0,
                            weights);
                }
            }
            for (uint32_t c = 0; c < w->channels; c++)
                output[c] = tk_requantise(accumulators[c], k.multiplier[c], k.scaling[c].shift, w->output_zero_point,
                                          w->output_min, w->output_max);
            output += w->output_channels;
        }
    }
}
