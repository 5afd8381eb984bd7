/* CONV_2D with packed sums (packed.h): `block` output positions at a time.
 *
 * The windows of a block are unpacked into scratch, then, for two channels at a time, their weights, and both channels'
 * dot products with every window follow. So weights are read once a block, stay int8 wherever they are, and cost
 * 3 cycles each divided by the positions of a block.
 *
 * Scratch: weights of two channels, 4 bytes a tap; one window as bytes; the block's windows, 2 bytes a tap. */
#include "packed.h"
#include "window.h"

typedef int tk_conv_2d_packed_is_optional;

#if TK_PACKED

struct job {
    const struct tk_window *w;
    const int8_t *input;
    int8_t *output;
    uint32_t taps;   /* of a window */
    uint32_t groups; /* of four, the last one filled up */
    uint32_t *weights;
    int8_t *row;
    uint32_t *windows;
    struct tk_output_range range;
    int whole_words; /* each row of a window is groups of four at multiples of 4 in the input */
};

static uint32_t *repeat(uint32_t *to, uint32_t word, int32_t count) {
    while (count-- > 0)
        *to++ = word;
    return to;
}

/* The window at (y, x), whose rows of taps are whole words, straight from the input. */
static uint32_t *unpack_window(const struct job *j, uint32_t *to, int32_t y, int32_t x) {
    const struct tk_window *w = j->w;
    uint32_t zeros = tk_input_lanes(w->input_zero_point, w->input_zero_point);
    int32_t depth = w->depth;
    int32_t left = tk_clamp(-x, 0, w->kernel_width);
    int32_t right = tk_clamp(w->input_width - x, left, w->kernel_width);
    int32_t row = (int32_t)w->input_width * w->input_channels;
    const int8_t *from = j->input + y * row + (x + left) * w->input_channels;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y++, from += row) {
        if (y < 0 || y >= w->input_height) {
            to = repeat(to, zeros, w->kernel_width * depth / 2);
            continue;
        }
        to = repeat(to, zeros, left * depth / 2);
        to = tk_unpack_inputs(to, from, (uint32_t)((right - left) * depth) / 4);
        to = repeat(to, zeros, (w->kernel_width - right) * depth / 2);
    }
    return to;
}

static int8_t *fill(int8_t *to, int32_t value, int32_t count) {
    while (count-- > 0)
        *to++ = (int8_t)value;
    return to;
}

/* The window at (y, x) byte by byte. */
static void gather(const struct job *j, int32_t y, int32_t x) {
    const struct tk_window *w = j->w;
    int8_t *row = j->row;
    int32_t depth = w->depth;
    int32_t zero = w->input_zero_point;
    int32_t columns = w->kernel_width;
    int32_t left = tk_clamp(-x, 0, columns);
    int32_t right = tk_clamp(w->input_width - x, left, columns);
    int whole = w->dilation_width == 1 && depth == w->input_channels;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_height) {
        if (y < 0 || y >= w->input_height) {
            row = fill(row, zero, columns * depth);
            continue;
        }
        const int8_t *from = j->input + (y * w->input_width + x) * w->input_channels;
        if (whole) {
            row = fill(row, zero, left * depth);
            const int8_t *pixel = from + left * depth;
            for (int32_t i = (right - left) * depth; i > 0; i--)
                *row++ = *pixel++;
            row = fill(row, zero, (columns - right) * depth);
            continue;
        }
        for (int32_t kx = 0; kx < columns; kx++) {
            int32_t ix = x + kx * w->dilation_width;
            const int8_t *pixel = from + kx * w->dilation_width * w->input_channels;
            if (ix >= 0 && ix < w->input_width)
                for (int32_t c = 0; c < depth; c++)
                    *row++ = pixel[c];
            else
                row = fill(row, zero, depth);
        }
    }
}

/* Unpacks `count` windows from output position (*oy, *ox) on, and moves that behind them. */
static void unpack_block(const struct job *j, int32_t *oy, int32_t *ox, uint32_t count) {
    const struct tk_window *w = j->w;
    uint32_t *to = j->windows;
    int straight = j->whole_words && w->kernel_height == 1 && w->kernel_width == 1 && w->stride_width == 1;
    while (count) {
        int32_t y = *oy * w->stride_height - w->pad_top;
        int32_t x = *ox * w->stride_width - w->pad_left;
        uint32_t done = 1;
        if (straight) {
            /* Positions side by side are one run of words. */
            uint32_t rest = (uint32_t)(w->output_width - *ox);
            done = rest < count ? rest : count;
            to = tk_unpack_inputs(to, j->input + (y * w->input_width + x) * w->input_channels, done * j->groups);
        } else if (j->whole_words) {
            to = unpack_window(j, to, y, x);
        } else {
            gather(j, y, x);
            to = tk_unpack_inputs(to, j->row, j->groups);
        }
        count -= done;
        *ox += (int32_t)done;
        if (*ox == w->output_width) {
            *ox = 0;
            ++*oy;
        }
    }
}

/* Weights of a channel whose taps fill no whole words, or begin at an odd address: by way of a row of bytes. */
static void unpack_channel(const struct job *j, uint32_t *to, const int8_t *weights) {
    if (j->taps % 4 == 0 && (uintptr_t)weights % 4 == 0) {
        tk_unpack_weights(to, weights, j->groups);
        return;
    }
    uint32_t i = 0;
    for (; i < j->taps; i++)
        j->row[i] = weights[i];
    for (; i < 4 * j->groups; i++)
        j->row[i] = 0;
    tk_unpack_weights(to, j->row, j->groups);
}

/* One channel that has a weight of -128 or is the only one: product by product. */
static void run_single(const struct job *j, struct tk_channels k, uint32_t c, int8_t *output, uint32_t count) {
    const struct tk_window *w = j->w;
    const uint32_t *inputs = j->windows;
    unpack_channel(j, j->weights, k.weights + c * j->taps);
    struct tk_rescaling rescaling = tk_rescaling_of(k.multiplier[c], &k.scaling[c], &j->range);
    for (; count; count--, output += w->output_channels) {
        const uint32_t *weights = j->weights;
        uint32_t sum = (uint32_t)k.bias[c];
        for (uint32_t i = 0; i < 2 * j->groups; i++, inputs++) {
            sum = tk_add_lanes(*inputs, *weights, sum);
            weights += i & 1u ? 3 : 1;
        }
        output[c] = tk_rescale(sum, &rescaling, k.multiplier[c], k.scaling[c].shift, &j->range);
    }
}

static void run_pair(const struct job *j, struct tk_channels k, uint32_t c, int8_t *output, uint32_t count) {
    uint32_t stride = j->w->output_channels;
    struct tk_pair pair;
    pair.weights = j->weights;
    pair.low = j->range.low;
    pair.high = j->range.high;
    pair.zero_point = j->range.zero_point;
    pair.output = output + c;
    pair.output_stride = stride;
    pair.output_end = output + c + count * stride;
    pair.inputs = j->windows;
    pair.input_words = 2 * j->groups;
    for (uint32_t i = 0; i < 2; i++) {
        unpack_channel(j, j->weights + 2 * i, k.weights + (c + i) * j->taps);
        pair.bias[i] = (uint32_t)k.bias[c + i];
        pair.rescaling[i] = tk_rescaling_of(k.multiplier[c + i], &k.scaling[c + i], &j->range);
        pair.exact[i] = tk_exact_of(k.multiplier[c + i], &k.scaling[c + i]);
    }
    int first4 = tk_taps_together(&k.scaling[c]) == 4;
    int second4 = tk_taps_together(&k.scaling[c + 1]) == 4;
    if (first4 && second4)
        tk_pair_4_4(&pair);
    else if (first4)
        tk_pair_4_2(&pair);
    else if (second4)
        tk_pair_2_4(&pair);
    else
        tk_pair_2_2(&pair);
}

static void run_channels(const struct job *j, struct tk_channels k, int8_t *output, uint32_t count) {
    uint32_t channels = j->w->channels;
    for (uint32_t c = 0; c < channels; c += 2) {
        /* With an odd number of channels, the last but one is computed twice. */
        uint32_t first = c + 1 < channels || !c ? c : c - 1;
        if (first + 1 < channels && tk_is_packed(&k, first, j->taps) && tk_is_packed(&k, first + 1, j->taps)) {
            run_pair(j, k, first, output, count);
            continue;
        }
        run_single(j, k, c, output, count);
        if (c + 1 < channels)
            run_single(j, k, c + 1, output, count);
    }
}

/* Whether the operation was computed: one without a block is left to the plain kernel. */
int tk_conv_2d_packed(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_window *w = &op->as.window;
    if (!op->block)
        return 0;
    struct job j;
    j.w = w;
    j.input = (const int8_t *)arena + op->input + w->first_input_channel;
    j.output = (int8_t *)arena + op->output + w->first_channel;
    j.taps = (uint32_t)w->kernel_height * w->kernel_width * w->depth;
    j.groups = (j.taps + 3) / 4;
    j.weights = (uint32_t *)(void *)(arena + op->scratch);
    j.row = (int8_t *)(j.weights + 4 * j.groups);
    j.windows = j.weights + 5 * j.groups;
    j.range.zero_point = w->output_zero_point;
    j.range.low = w->output_min;
    j.range.high = w->output_max;
    j.whole_words = w->depth % 4 == 0 && w->input_channels % 4 == 0 && (uintptr_t)j.input % 4 == 0 &&
                    w->dilation_height == 1 && w->dilation_width == 1 &&
                    (w->depth == w->input_channels || w->kernel_width == 1);
    if (w->kernel_width == 1 && w->kernel_height == 1 && w->depth != w->input_channels)
        j.whole_words = 0; /* a group's channels of positions side by side are no run of words */
    /* The bytes behind the last tap meet weights of 0. */
    for (uint32_t i = j.taps; i < 4 * j.groups; i++)
        j.row[i] = 0;
    struct tk_channels k = tk_channels_at(constants, w->channels);
    uint32_t rest = (uint32_t)w->output_height * w->output_width;
    int32_t oy = 0;
    int32_t ox = 0;
    while (rest) {
        uint32_t count = rest < op->block ? rest : op->block;
        unpack_block(&j, &oy, &ox, count);
        run_channels(&j, k, j.output, count);
        j.output += count * w->output_channels;
        rest -= count;
    }
    return 1;
}

#endif
