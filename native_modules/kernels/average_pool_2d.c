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

/* Up to so many bytes fit the sum of a 16-bit lane; and a division by a number up to so is a product: for n up to
 * 128.5 * count, with r = 2^24 / count rounded up, n * r < 2^32, and r's error times n is below 2^24. */
#define FEW 257u

struct divisor {
    uint32_t count;
    uint32_t reciprocal; /* in units of 2^-24; 0: divide */
};

static struct divisor divisor_of(uint32_t count) {
    struct divisor d = {count, 0};
    if (count <= FEW)
        d.reciprocal = count ? tk_divide((1u << 24) + count - 1, count) : 1;
    return d;
}

static int32_t rounded_mean(int32_t sum, const struct divisor *d) {
    uint32_t n = (sum < 0 ? -(uint32_t)sum : (uint32_t)sum) + d->count / 2;
    uint32_t mean = d->reciprocal ? n * d->reciprocal >> 24 : tk_divide(n, d->count);
    return sum < 0 ? -(int32_t)mean : (int32_t)mean;
}

/* What a window covers, from its first pixel's first channel. */
struct covered {
    const int8_t *first;
    int32_t rows, columns;
    int32_t row_bytes, pixel_bytes;
};

static int32_t sum_of_one(const struct covered *at, int32_t channel) {
    int32_t sum = 0;
    const int8_t *row = at->first + channel;
    for (int32_t y = at->rows; y > 0; y--, row += at->row_bytes) {
        const int8_t *pixel = row;
        for (int32_t x = at->columns; x > 0; x--, pixel += at->pixel_bytes)
            sum += *pixel;
    }
    return sum;
}

/* Four channels that are a word each time. Its bytes, made unsigned, are added up in two words of two lanes. */
static void sums_of_four(const struct covered *at, int32_t channel, int32_t *sums) {
    uint32_t even = 0;
    uint32_t odd = 0;
    const int8_t *row = at->first + channel;
    for (int32_t y = at->rows; y > 0; y--, row += at->row_bytes) {
        const int8_t *pixel = row;
        for (int32_t x = at->columns; x > 0; x--, pixel += at->pixel_bytes) {
            uint32_t word = *(const uint32_t *)(const void *)pixel ^ 0x80808080u;
            even += word & 0x00ff00ffu;
            odd += word >> 8 & 0x00ff00ffu;
        }
    }
    int32_t excess = 128 * at->rows * at->columns;
    sums[0] = (int32_t)(even & 0xffffu) - excess;
    sums[1] = (int32_t)(odd & 0xffffu) - excess;
    sums[2] = (int32_t)(even >> 16) - excess;
    sums[3] = (int32_t)(odd >> 16) - excess;
}

void tk_average_pool_2d(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    (void)constants;
    const struct tk_window *w = &op->as.window;
    const int8_t *input = (const int8_t *)arena + op->input;
    int8_t *output = (int8_t *)arena + op->output;
    int32_t depth = w->input_channels;
    int32_t last_channel = w->first_channel + w->channels;
    int whole_words = ((uintptr_t)input | w->input_channels | w->first_channel | w->channels) % 4 == 0;
    struct divisor divisor = divisor_of(0);

    for (int32_t oy = 0; oy < w->output_height; oy++) {
        struct tk_range y = tk_covered(oy, w->stride_height, w->pad_top, w->kernel_height, w->input_height);
        for (int32_t ox = 0; ox < w->output_width; ox++) {
            struct tk_range x = tk_covered(ox, w->stride_width, w->pad_left, w->kernel_width, w->input_width);
            struct covered at = {input, 0, 0, w->input_width * depth, depth};
            if (y.end > y.begin && x.end > x.begin) {
                at.first += (y.begin * w->input_width + x.begin) * depth;
                at.rows = y.end - y.begin;
                at.columns = x.end - x.begin;
            }
            uint32_t count = (uint32_t)at.rows * (uint32_t)at.columns;
            if (count != divisor.count)
                divisor = divisor_of(count);
            int32_t together = whole_words && count <= FEW ? 4 : 1;
            for (int32_t c = w->first_channel; c < last_channel; c += together) {
                int32_t sums[4];
                if (together == 4)
                    sums_of_four(&at, c, sums);
                else
                    sums[0] = sum_of_one(&at, c);
                for (int32_t i = 0; i < together; i++)
                    output[c + i] = (int8_t)tk_clamp(rounded_mean(sums[i], &divisor), w->output_min, w->output_max);
            }
            output += depth;
        }
    }
}
