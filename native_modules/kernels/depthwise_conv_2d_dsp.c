/* DEPTHWISE_CONV_2D with two products an instruction at hand (dsp.h): four channels at a time, whose inputs and weights
 * are words. The inputs that rows of outputs need are copied to a plane of such words, padding filled with the input's
 * zero point; at most `block` rows at a time, as tk.h allows, and as many as fit the scratch. A last group of fewer
 * channels begins earlier, and some of its outputs are computed again. */
#include "packed.h"
#include "window.h"

typedef int tk_depthwise_conv_2d_dsp_is_optional;

#if TK_DSP

struct job {
    const struct tk_window *w;
    struct tk_channels k;
    const int8_t *input;
    uint32_t *plane;
    int32_t width; /* words of a row of the plane */
    int32_t left, inside;
    struct tk_output_range range;
    struct tk_four four;
};

static uint32_t *fill(uint32_t *to, uint32_t word, int32_t count) {
    while (count-- > 0)
        *to++ = word;
    return to;
}

/* The plane's `rows` rows from input row y on, of four channels. */
static void gather(const struct job *j, const int8_t *input, int32_t y, int32_t rows) {
    const struct tk_window *w = j->w;
    uint32_t zeros = (uint32_t)(uint8_t)w->input_zero_point * 0x01010101u;
    uint32_t *to = j->plane;
    for (; rows; rows--, y++) {
        if (y < 0 || y >= w->input_height) {
            to = fill(to, zeros, j->width);
            continue;
        }
        const int8_t *from = input + y * w->input_width * w->input_channels;
        to = fill(to, zeros, j->left);
        for (int32_t i = j->inside; i > 0; i--, from += w->input_channels)
            *to++ = tk_word_at(from);
        to = fill(to, zeros, j->width - j->left - j->inside);
    }
}

/* Four channels of a window of any size, or with one that is not tk_is_packed. */
static void run_any(const struct job *j, uint32_t c, int8_t *output, int32_t rows) {
    const struct tk_window *w = j->w;
    const uint32_t *row = j->plane;
    for (; rows; rows--, row += w->stride_height * j->width) {
        const uint32_t *position = row;
        for (int32_t ox = w->output_width; ox; ox--, position += w->stride_width, output += w->output_channels) {
            uint32_t sums[TK_FOUR];
            for (uint32_t i = 0; i < TK_FOUR; i++)
                sums[i] = (uint32_t)j->k.bias[c + i];
            const int8_t *weights = j->k.weights + c;
            const uint32_t *inputs = position;
            for (int32_t ky = w->kernel_height; ky; ky--, inputs += j->width)
                for (int32_t kx = 0; kx < w->kernel_width; kx++, weights += w->channels) {
                    uint32_t word = tk_word_at(weights);
                    tk_add_four(sums, inputs[kx], tk_signed_lanes_02(word), tk_signed_lanes_13(word));
                }
            for (uint32_t i = 0; i < TK_FOUR; i++)
                output[i] = tk_requantise(sums[i], j->k.multiplier[c + i], j->k.scaling[c + i].shift,
                                          j->range.zero_point, j->range.low, j->range.high);
        }
    }
}

static void run_3x3(struct job *j, uint32_t c, int8_t *output, int32_t rows) {
    struct tk_four *f = &j->four;
    const int8_t *weights = j->k.weights + c;
    for (uint32_t i = 0; i < 18; i += 2, weights += j->w->channels) {
        uint32_t word = tk_word_at(weights);
        f->weights[i] = tk_signed_lanes_02(word);
        f->weights[i + 1] = tk_signed_lanes_13(word);
    }
    for (uint32_t i = 0; i < TK_FOUR; i++) {
        f->bias[i] = (uint32_t)j->k.bias[c + i];
        f->rescaling[i] = tk_rescaling_of(j->k.multiplier[c + i], &j->k.scaling[c + i], &j->range);
    }
    f->inputs = j->plane;
    f->output = output;
    f->rows = (uint32_t)rows;
    tk_four_3x3(f);
}

static int is_fast(const struct job *j, uint32_t c) {
    for (uint32_t i = 0; i < TK_FOUR; i++)
        if (!tk_is_packed(&j->k, c + i, 9))
            return 0;
    return j->w->kernel_height == 3 && j->w->kernel_width == 3;
}

/* Words of the plane (depthwise_conv_2d.c): at least as many as channels. */
static uint32_t plane_words(const struct tk_operation *op, uint32_t width) {
    const struct tk_window *w = &op->as.window;
    uint32_t pairs = (w->kernel_height + 1u) / 2;
    uint32_t rows = (op->block - 1u) * w->stride_height + 2 * (pairs - 1);
    uint32_t words = width * ((w->stride_height % 2 ? rows : rows / 2) + 1) + pairs * w->kernel_width;
    return words > w->channels ? words : w->channels;
}

/* Whether the operation was computed: one without a block, of fewer than four channels or with a window that does not
 * fit the scratch is left to the plain kernel. */
int tk_depthwise_conv_2d_packed(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_window *w = &op->as.window;
    if (!op->block || w->channels < TK_FOUR)
        return 0;
    struct job j;
    j.w = w;
    j.k = tk_channels_at(constants, w->channels);
    j.input = (const int8_t *)arena + op->input + w->first_channel;
    j.plane = (uint32_t *)(void *)(arena + op->scratch);
    j.width = (w->output_width - 1) * w->stride_width + w->kernel_width;
    j.left = tk_clamp(w->pad_left, 0, j.width);
    j.inside = tk_clamp(w->input_width, 0, j.width - j.left);
    j.range.zero_point = w->output_zero_point;
    j.range.low = w->output_min;
    j.range.high = w->output_max;
    int32_t fitting = (int32_t)tk_divide(plane_words(op, (uint32_t)j.width), (uint32_t)j.width) - w->kernel_height;
    if (fitting < 0)
        return 0;
    int32_t block = (int32_t)tk_divide((uint32_t)fitting, w->stride_height) + 1;
    if (block > op->block)
        block = op->block;
    j.four.row_bytes = 4 * j.width;
    j.four.step_bytes = 4 * w->stride_width;
    j.four.next_row_bytes = 4 * (w->stride_height * j.width - w->output_width * w->stride_width);
    j.four.columns = w->output_width;
    j.four.output_step = w->output_channels;
    j.four.low = j.range.low;
    j.four.high = j.range.high;
    for (int32_t oy = 0; oy < w->output_height; oy += block) {
        int32_t rows = w->output_height - oy < block ? w->output_height - oy : block;
        int8_t *output = (int8_t *)arena + op->output + w->first_channel + oy * w->output_width * w->output_channels;
        for (uint32_t c = 0; c < w->channels; c += TK_FOUR) {
            uint32_t first = c + TK_FOUR <= w->channels ? c : w->channels - TK_FOUR;
            gather(&j, j.input + first, oy * w->stride_height - w->pad_top,
                   (rows - 1) * w->stride_height + w->kernel_height);
            if (is_fast(&j, first))
                run_3x3(&j, first, output + first, rows);
            else
                run_any(&j, first, output + first, rows);
        }
    }
    return 1;
}

#endif
