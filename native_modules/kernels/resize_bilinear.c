/* RESIZE_BILINEAR of one image. TFLM: reference_ops::ResizeBilinearInteger: positions in 1024ths of a pixel. */
#include "arithmetic.h"
#include "tk.h"

#define ONE 1024

/* Before the first pixel's centre a position is negative, and both neighbours are that pixel. */
struct between {
    uint32_t first, second;
    int32_t distance; /* from the first, in 1024ths */
};

static struct between neighbours(uint32_t index, uint32_t step, int32_t origin, uint32_t count) {
    int32_t position = (int32_t)(index * step) + origin;
    struct between b;
    b.first = position < 0 ? 0 : (uint32_t)position / ONE;
    b.second = (uint32_t)(position + ONE - 1) / ONE;
    if (b.second >= count)
        b.second = count - 1;
    b.distance = position - (int32_t)(b.first * ONE);
    return b;
}

/* All positions fit 30 bits, and none lies behind the last pixel. */
static int is_inside(uint32_t outputs, uint32_t step, int32_t origin, uint32_t inputs) {
    uint32_t end = tk_size(outputs - 1, step);
    return origin > -ONE && origin <= ONE * 0xffff && end < 1u << 29 && (int32_t)end + origin < (int32_t)(inputs * ONE);
}

enum tk_error tk_resize_bilinear_check(const struct tk_operation *op, const uint8_t *constants,
                                       const struct tk_limits *limits) {
    (void)constants;
    const struct tk_resize_bilinear *r = &op->as.resize_bilinear;
    if (!r->input_height || !r->input_width || !r->output_height || !r->output_width || !r->channels ||
        !is_inside(r->output_height, r->row_step, r->row_origin, r->input_height) ||
        !is_inside(r->output_width, r->column_step, r->column_origin, r->input_width))
        return TK_ERROR_SHAPE;
    uint32_t input_bytes = tk_size(tk_size(r->input_height, r->input_width), r->channels);
    uint32_t output_bytes = tk_size(tk_size(r->output_height, r->output_width), r->channels);
    if (!tk_fits(op->input, input_bytes, limits->arena_bytes) ||
        !tk_fits(op->output, output_bytes, limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    return TK_OK;
}

void tk_resize_bilinear(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    (void)constants;
    const struct tk_resize_bilinear *r = &op->as.resize_bilinear;
    const int8_t *input = (const int8_t *)arena + op->input;
    int8_t *output = (int8_t *)arena + op->output;
    uint32_t row_bytes = (uint32_t)r->input_width * r->channels;
    for (uint32_t y = 0; y < r->output_height; y++) {
        struct between row = neighbours(y, r->row_step, r->row_origin, r->input_height);
        const int8_t *upper = input + row.first * row_bytes;
        const int8_t *lower = input + row.second * row_bytes;
        for (uint32_t x = 0; x < r->output_width; x++) {
            struct between column = neighbours(x, r->column_step, r->column_origin, r->input_width);
            uint32_t left = column.first * r->channels;
            uint32_t right = column.second * r->channels;
            int32_t lower_right = row.distance * column.distance;
            int32_t lower_left = row.distance * ONE - lower_right;
            int32_t upper_right = column.distance * ONE - lower_right;
            int32_t upper_left = ONE * ONE - lower_right - lower_left - upper_right;
            for (uint32_t c = 0; c < r->channels; c++) {
                int32_t sum = upper[left + c] * upper_left + upper[right + c] * upper_right +
                              lower[left + c] * lower_left + lower[right + c] * lower_right;
                *output++ = (int8_t)tk_rounding_divide_by_power(sum, 20);
            }
        }
    }
}
