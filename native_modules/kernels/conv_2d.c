/* CONV_2D. TFLM: reference_integer_ops::ConvPerChannel.
 *
 * For each output position the window's inputs are gathered into one row (scratch), padding filled with the input's
 * zero point, whose contribution the folded bias cancels; each output channel is then one dot product. A 1 x 1 kernel
 * reads its row where it lies. The filters of a grouped convolution see `depth` input channels, one operation a group.
 */
#include "packed.h"
#include "window.h"

static uint32_t row_bytes(const struct tk_window *w) {
    return tk_size(tk_size(w->kernel_height, w->kernel_width), w->depth);
}

static int is_pointwise(const struct tk_window *w) { return w->kernel_height == 1 && w->kernel_width == 1; }

/* What the packed kernel takes (conv_2d_packed.c), or the plain one. */
static uint32_t scratch_bytes(const struct tk_operation *op) {
    const struct tk_window *w = &op->as.window;
    uint32_t taps = row_bytes(w);
    if (!op->block)
        return is_pointwise(w) ? 0 : taps;
    return taps > UINT32_MAX - 3 ? UINT32_MAX : tk_size((taps + 3) & ~3u, 5u + 2u * op->block);
}

enum tk_error tk_conv_2d_check(const struct tk_operation *op, const uint8_t *constants,
                               const struct tk_limits *limits) {
    const struct tk_window *w = &op->as.window;
    enum tk_error error = tk_window_check(op, limits);
    if (error)
        return error;
    if (!w->depth || !tk_fits(w->first_input_channel, w->depth, w->input_channels))
        return TK_ERROR_SHAPE;
    if (is_pointwise(w) && (w->pad_top || w->pad_left))
        return TK_ERROR_SHAPE;
    if (op->scratch % 4 || !tk_fits(op->scratch, scratch_bytes(op), limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    return tk_channels_check(constants, w->channels, tk_size(row_bytes(w), w->channels), limits);
}

/* Copies the window at (y, x) of the input to `row`; y and x may lie in the padding. */
static void gather(const struct tk_window *w, const int8_t *input, int32_t y, int32_t x, int8_t *row) {
    int32_t depth = w->depth;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        int32_t iy = y + ky * w->dilation_height;
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            int32_t ix = x + kx * w->dilation_width;
            if (iy >= 0 && iy < w->input_height && ix >= 0 && ix < w->input_width) {
                const int8_t *pixel = input + (iy * w->input_width + ix) * w->input_channels;
                for (int32_t c = 0; c < depth; c++)
                    row[c] = pixel[c];
            } else {
                for (int32_t c = 0; c < depth; c++)
                    row[c] = (int8_t)w->input_zero_point;
            }
            row += depth;
        }
    }
}

void tk_conv_2d(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
#if TK_PACKED
    if (tk_conv_2d_packed(op, constants, arena))
        return;
#endif
    const struct tk_window *w = &op->as.window;
    const int8_t *input = (const int8_t *)arena + op->input + w->first_input_channel;
    int8_t *output = (int8_t *)arena + op->output + w->first_channel;
    int8_t *scratch = (int8_t *)arena + op->scratch;
    struct tk_channels k = tk_channels_at(constants, w->channels);
    uint32_t length = row_bytes(w);

    for (int32_t oy = 0; oy < w->output_height; oy++) {
        int32_t y = oy * w->stride_height - w->pad_top;
        for (int32_t ox = 0; ox < w->output_width; ox++) {
            int32_t x = ox * w->stride_width - w->pad_left;
            const int8_t *row = scratch;
            if (is_pointwise(w))
                row = input + (y * w->input_width + x) * w->input_channels;
            else
                gather(w, input, y, x, scratch);
            const int8_t *weights = k.weights;
            for (uint32_t c = 0; c < w->channels; c++, weights += length) {
                uint32_t sum = (uint32_t)k.bias[c] + tk_dot(row, weights, length);
                output[c] = tk_requantise(sum, k.multiplier[c], k.scaling[c].shift, w->output_zero_point, w->output_min,
                                          w->output_max);
            }
            output += w->output_channels;
        }
    }
}
