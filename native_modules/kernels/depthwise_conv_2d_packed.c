/* DEPTHWISE_CONV_2D with packed sums (packed.h): `block` rows of outputs at a time, channel by channel.
 *
 * The rows of inputs that a channel's outputs need are gathered into a plane of words, each an input and the one below
 * it, padding filled with the input's zero point. A column of taps is then half as many products. Every output of a
 * block is written after all inputs of its channel for the block, and before those of the next channel, were read:
 * so an output may overtake the input by no more than a block of rows (overlap.py).
 *
 * Scratch: the packed weights of a channel, then the plane. */
#include "packed.h"
#include "window.h"

typedef int tk_depthwise_conv_2d_packed_is_optional;

#if TK_PACKED && !TK_DSP

struct job {
    const struct tk_window *w;
    const int8_t *input;
    int8_t *output;
    uint32_t pairs;    /* of rows of taps */
    int32_t step;      /* input rows from one row of the plane to the next: 2 where every other one is needed */
    int32_t width;     /* words of a row of the plane */
    int32_t left;      /* padding in it */
    int32_t inside;    /* words of a row that come from the input */
    int32_t row_bytes; /* of the input */
    int is_3x3;        /* with strides that there is assembly for */
    uint32_t *weights;
    uint32_t *plane;
    struct tk_output_range range;
    struct tk_gathering inner; /* what is the same for all rows within the image, all channels and all blocks */
    struct tk_plane outputs;
};

static void fill(uint32_t *to, uint32_t word, int32_t count) {
    while (count-- > 0)
        *to++ = word;
}

/* Row y and the one below of one channel, at least one of them outside the image. */
static void fill_edge(const struct job *j, uint32_t *to, const int8_t *channel, int32_t y) {
    const struct tk_window *w = j->w;
    int32_t zero = w->input_zero_point;
    uint32_t step = w->input_channels;
    if (y == -1) {
        for (int32_t i = j->inside; i > 0; i--, channel += step)
            *to++ = tk_input_lanes(zero, *channel);
    } else if (y == w->input_height - 1) {
        channel += y * w->input_width * w->input_channels;
        for (int32_t i = j->inside; i > 0; i--, channel += step)
            *to++ = tk_input_lanes(*channel, zero);
    } else {
        fill(to, tk_input_lanes(zero, zero), j->inside);
    }
}

/* The plane's `rows` rows from input row y on. */
static void gather(struct job *j, const int8_t *channel, int32_t y, int32_t rows) {
    const struct tk_window *w = j->w;
    uint32_t *to = j->plane + j->left;
    while (rows) {
        if (y < 0 || y + 1 >= w->input_height) {
            fill_edge(j, to, channel, y);
            to += j->width;
            y += j->step;
            rows--;
            continue;
        }
        struct tk_gathering *g = &j->inner;
        g->to = to;
        g->from = channel + y * j->row_bytes;
        int32_t count = w->input_height - 2 - y;
        count = (j->step == 1 ? count : count / 2) + 1;
        if (count > rows)
            count = rows;
        rows -= count;
        y += count * j->step;
        to += count * j->width;
        if (j->width == 1)
            g->columns = (uint32_t)(count * j->inside); /* rows of one word are a row */
        else
            g->rows = (uint32_t)count;
        if (g->columns)
            tk_gather_plane(g);
    }
}

static void pack_weights(const struct job *j, const int8_t *weights) {
    uint32_t *to = j->weights;
    int32_t step = j->w->channels;
    int32_t columns = j->w->kernel_width;
    int32_t row = columns * step;
    int32_t pairs = j->w->kernel_height / 2;
    for (; pairs > 0; pairs--, weights += row)
        for (int32_t kx = columns; kx > 0; kx--, weights += step) {
            int32_t below = weights[row];
            int32_t upper = weights[0];
            *to++ = tk_weight_lanes(upper, below);
        }
    if (j->w->kernel_height % 2)
        for (int32_t kx = columns; kx > 0; kx--, weights += step) {
            int32_t upper = weights[0];
            *to++ = tk_weight_lanes(upper, 0);
        }
}

/* Words from one row of outputs' inputs to the next one's. */
static int32_t next_row(const struct job *j) {
    return (j->step == 1 ? j->w->stride_height : j->w->stride_height / 2) * j->width;
}

/* Words from a pair of rows of taps to the next. */
static int32_t next_pair(const struct job *j) { return (j->step == 1 ? 2 : 1) * j->width; }

/* A channel with a weight of -128 or without a short product: product by product. */
static void run_single(const struct job *j, struct tk_channels k, uint32_t c, int8_t *output, int32_t rows) {
    const struct tk_window *w = j->w;
    struct tk_rescaling rescaling = tk_rescaling_of(k.multiplier[c], &k.scaling[c], &j->range);
    const uint32_t *first = j->plane;
    for (; rows; rows--, first += next_row(j)) {
        const uint32_t *position = first;
        for (uint32_t ox = 0; ox < w->output_width; ox++, position += w->stride_width) {
            const uint32_t *weights = j->weights;
            const uint32_t *inputs = position;
            uint32_t sum = (uint32_t)k.bias[c];
            for (uint32_t pair = 0; pair < j->pairs; pair++, inputs += next_pair(j))
                for (uint32_t kx = 0; kx < w->kernel_width; kx++, weights++)
                    sum = tk_add_lanes(inputs[kx], *weights, sum);
            *output = tk_rescale(sum, &rescaling, k.multiplier[c], k.scaling[c].shift, &j->range);
            output += w->output_channels;
        }
    }
}

/* What is the same for all channels and all blocks. */
static void prepare(struct job *j) {
    const struct tk_window *w = j->w;
    struct tk_gathering *g = &j->inner;
    g->step = j->width == 1 ? (uint32_t)(j->step * j->row_bytes) : w->input_channels;
    g->below = (uint32_t)j->row_bytes;
    g->columns = (uint32_t)j->inside;
    g->rows = 1;
    g->to_step = 4 * (uint32_t)(j->width - j->inside);
    g->from_step = (uint32_t)(j->step * j->row_bytes - j->inside * w->input_channels);
    struct tk_plane *p = &j->outputs;
    p->upper = j->plane;
    p->lower = j->plane + next_pair(j);
    p->columns = w->output_width;
    p->rows = 1;
    p->row_step = 4 * (next_row(j) - w->output_width * w->stride_width); /* negative with strides beyond the window */
    p->output_step = w->output_channels;
    p->low = j->range.low;
    p->high = j->range.high;
    p->zero_point = j->range.zero_point;
    p->taps = j->weights;
    p->taps_end = j->weights + j->pairs * w->kernel_width;
    p->row_bytes = 4u * w->kernel_width;
    p->pair_step = 4u * (uint32_t)(next_pair(j) - w->kernel_width);
    p->stride = 4u * (j->width == 1 ? (uint32_t)next_row(j) : w->stride_width);
}

static void run_plane(struct job *j, struct tk_channels k, uint32_t c, int8_t *output, int32_t rows) {
    const struct tk_scaling *scaling = &k.scaling[c];
    struct tk_plane *plane = &j->outputs;
    plane->output = output;
    if (j->width == 1)
        plane->columns = (uint32_t)rows; /* as of the plane */
    else
        plane->rows = (uint32_t)rows;
    plane->bias = (uint32_t)k.bias[c];
    plane->rescaling = tk_rescaling_of(k.multiplier[c], scaling, &j->range);
    plane->exact = tk_exact_of(k.multiplier[c], scaling);
    if (!j->is_3x3 || tk_low_bits_left_out(scaling)) {
        tk_plane_any(plane);
        return;
    }
    for (uint32_t i = 0; i < 6; i++)
        plane->weights[i] = j->weights[i];
    if (j->w->stride_width == 1)
        tk_plane_3x3_stride_1(plane);
    else
        tk_plane_3x3_stride_2(plane);
}

/* Whether the operation was computed: one without a block is left to the plain kernel. */
int tk_depthwise_conv_2d_packed(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_window *w = &op->as.window;
    if (!op->block)
        return 0;
    struct job j;
    j.w = w;
    j.input = (const int8_t *)arena + op->input + w->first_channel;
    j.output = (int8_t *)arena + op->output + w->first_channel;
    j.pairs = (w->kernel_height + 1u) / 2;
    j.step = w->stride_height % 2 ? 1 : 2;
    j.width = (w->output_width - 1) * w->stride_width + w->kernel_width;
    j.left = tk_clamp(w->pad_left, 0, j.width);
    j.inside = tk_clamp(w->input_width, 0, j.width - j.left);
    j.row_bytes = (int32_t)w->input_width * w->input_channels;
    j.is_3x3 =
        w->kernel_height == 3 && w->kernel_width == 3 && w->stride_width <= 2 && w->stride_height == w->stride_width;
    j.weights = (uint32_t *)(void *)(arena + op->scratch);
    j.plane = j.weights + j.pairs * w->kernel_width;
    j.range.zero_point = w->output_zero_point;
    j.range.low = w->output_min;
    j.range.high = w->output_max;
    prepare(&j);
    struct tk_channels k = tk_channels_at(constants, w->channels);
    uint32_t zeros = tk_input_lanes(w->input_zero_point, w->input_zero_point);
    int32_t plane_rows = 1;
    for (int32_t r = (op->block - 1) * w->stride_height + 2 * (int32_t)(j.pairs - 1); r >= j.step; r -= j.step)
        plane_rows++;
    /* No channel and no block writes to the columns of padding. */
    for (int32_t y = 0; y < plane_rows; y++) {
        fill(j.plane + y * j.width, zeros, j.left);
        fill(j.plane + y * j.width + j.left + j.inside, zeros, j.width - j.left - j.inside);
    }
    for (int32_t oy = 0; oy < w->output_height; oy += op->block) {
        int32_t rows = w->output_height - oy < op->block ? w->output_height - oy : op->block;
        int32_t needed = (rows - 1) * w->stride_height + 2 * (int32_t)(j.pairs - 1);
        int32_t gathered = j.step == 1 ? needed + 1 : needed / 2 + 1;
        int8_t *output = j.output + oy * w->output_width * w->output_channels;
        for (uint32_t c = 0; c < w->channels; c++) {
            gather(&j, j.input + c, oy * w->stride_height - w->pad_top, gathered);
            pack_weights(&j, k.weights + c);
            if (tk_is_packed(&k, c, w->kernel_height * w->kernel_width))
                run_plane(&j, k, c, output + c, rows);
            else
                run_single(&j, k, c, output + c, rows);
        }
    }
    return 1;
}

#endif
