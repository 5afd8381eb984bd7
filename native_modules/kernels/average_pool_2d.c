/* AVERAGE_POOL_2D. TFLM: reference_integer_ops::AveragePool: the mean of the inputs that the window covers, padding not
 * counted, rounded to nearest with halves away from zero. */
#include "window.h"

#define MAX_POSITIONS (1u << 23) /* the sum of so many int8 fits 31 bits */

enum tk_error tk_average_pool_2d_check(const struct tk_operation *op, const uint8_t *constants,
                                       const struct tk_limits *limits) {
    (void)constants;
    const struct tk_window *w = &op->as.window;
    if (w->input_channels != w->output_channels || w->dilation_height != 1 || w->dilation_width != 1)
        return TK_ERROR_SHAPE;
    if (tk_size(w->input_height, w->input_width) > MAX_POSITIONS)
        return TK_ERROR_SHAPE;
    return tk_window_check(op, limits);
}

static int32_t rounded_mean(int32_t sum, uint32_t count) {
    if (!count)
        return 0;
    if (sum > 0)
        return (int32_t)tk_divide((uint32_t)sum + count / 2, count);
    return -(int32_t)tk_divide((uint32_t)-sum + count / 2, count);
}

void tk_average_pool_2d(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
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
            uint32_t count = 0;
            if (y.end > y.begin && x.end > x.begin)
                count = (uint32_t)(y.end - y.begin) * (uint32_t)(x.end - x.begin);
            for (int32_t c = w->first_channel; c < last_channel; c++) {
                int32_t sum = 0;
                for (int32_t iy = y.begin; iy < y.end; iy++)
                    for (int32_t ix = x.begin; ix < x.end; ix++)
                        sum += input[(iy * w->input_width + ix) * depth + c];
                output[c] = (int8_t)tk_clamp(rounded_mean(sum, count), w->output_min, w->output_max);
            }
            output += depth;
        }
    }
}
