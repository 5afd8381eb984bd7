/* MAX_POOL_2D. TFLM: reference_integer_ops::MaxPool: the largest input that the window covers, clamped. */
#include "window.h"

enum tk_error tk_max_pool_2d_check(const struct tk_operation *op, const uint8_t *constants,
                                   const struct tk_limits *limits) {
    (void)constants;
    const struct tk_window *w = &op->as.window;
    if (w->input_channels != w->output_channels || w->dilation_height != 1 || w->dilation_width != 1)
        return TK_ERROR_SHAPE;
    return tk_window_check(op, limits);
}

void tk_max_pool_2d(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    (void)constants;
    const struct tk_window *w = &op->as.window;
    const int8_t *input = (const int8_t *)arena + op->input;
    int8_t *output = (int8_t *)arena + op->output;
    int32_t depth = w->input_channels;
    int32_t last_channel = w->first_channel + w->channels;

    for (int32_t oy = 0; oy < w->output_height; oy++) {
        struct tk_range y = tk_covered(oy, w->stride_height, w->pad_top, w->kernel_height, w->input_height);
        for (int32_t ox = 0; ox < w->output_width; ox++) {
            struct tk_range x = tk_covered(ox, w->stride_width, w->pad_left, w->kernel_width, w->input_width);
            for (int32_t c = w->first_channel; c < last_channel; c++) {
                int32_t largest = -128;
                for (int32_t iy = y.begin; iy < y.end; iy++)
                    for (int32_t ix = x.begin; ix < x.end; ix++)
                        if (input[(iy * w->input_width + ix) * depth + c] > largest)
                            largest = input[(iy * w->input_width + ix) * depth + c];
                output[c] = (int8_t)tk_clamp(largest, w->output_min, w->output_max);
            }
            output += depth;
        }
    }
}
