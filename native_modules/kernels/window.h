/* What the operators with a sliding window have in common. */
#ifndef TK_WINDOW_H
#define TK_WINDOW_H

#include "arithmetic.h"
#include "channels.h"
#include "tk.h"

static inline uint32_t tk_window_input_bytes(const struct tk_window *w) {
    return tk_size(tk_size(w->input_height, w->input_width), w->input_channels);
}

static inline uint32_t tk_window_output_bytes(const struct tk_window *w) {
    return tk_size(tk_size(w->output_height, w->output_width), w->output_channels);
}

/* Windows begin before the input's end, as those of all paddings do, and positions stay far from the ends of int32_t.
 */
static inline int tk_window_stays(uint32_t inputs, uint32_t outputs, uint32_t stride, uint32_t pad, uint32_t kernel,
                                  uint32_t dilation) {
    uint32_t last = (outputs - 1) * stride;
    uint32_t reach = (kernel - 1) * dilation;
    return last < inputs + pad && reach < 1u << 29;
}

/* Dimensions are possible, and the input and output lie within the arena. */
static inline enum tk_error tk_window_check(const struct tk_operation *op, const struct tk_limits *limits) {
    const struct tk_window *w = &op->as.window;
    if (!w->input_height || !w->input_width || !w->input_channels || !w->output_height || !w->output_width ||
        !w->output_channels || !w->kernel_height || !w->kernel_width || !w->stride_height || !w->stride_width ||
        !w->dilation_height || !w->dilation_width || !w->channels)
        return TK_ERROR_SHAPE;
    if (!tk_fits(w->first_channel, w->channels, w->output_channels))
        return TK_ERROR_SHAPE;
    if (!tk_window_stays(w->input_height, w->output_height, w->stride_height, w->pad_top, w->kernel_height,
                         w->dilation_height) ||
        !tk_window_stays(w->input_width, w->output_width, w->stride_width, w->pad_left, w->kernel_width,
                         w->dilation_width))
        return TK_ERROR_SHAPE;
    if (!tk_fits(op->input, tk_window_input_bytes(w), limits->arena_bytes) ||
        !tk_fits(op->output, tk_window_output_bytes(w), limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    if (!tk_is_int8(w->output_min) || !tk_is_int8(w->output_max) || !tk_is_int8(w->input_zero_point) ||
        !tk_is_int8(w->output_zero_point))
        return TK_ERROR_VALUE;
    return TK_OK;
}

/* What of the input a window covers along one axis; nothing where end <= begin. */
struct tk_range {
    int32_t begin, end;
};

static inline struct tk_range tk_covered(int32_t output, int32_t stride, int32_t pad, int32_t kernel, int32_t inputs) {
    int32_t first = output * stride - pad;
    struct tk_range range = {first < 0 ? 0 : first, first + kernel > inputs ? inputs : first + kernel};
    return range;
}

#endif
