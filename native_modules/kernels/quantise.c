/* QUANTISE: integers of 8, 16 or 32 bits in another quantisation. TFLM: QUANTIZE between integers (requantize.h). */
#include "arithmetic.h"
#include "tk.h"

static int is_width(uint32_t bytes) { return bytes == 1 || bytes == 2 || bytes == 4; }

enum tk_error tk_quantise_check(const struct tk_operation *op, const uint8_t *constants,
                                const struct tk_limits *limits) {
    (void)constants;
    const struct tk_quantise *q = &op->as.quantise;
    if (!is_width(q->input_bytes) || !is_width(q->output_bytes))
        return TK_ERROR_SHAPE;
    if (op->input & (q->input_bytes - 1u) || op->output & (q->output_bytes - 1u) ||
        !tk_fits(op->input, tk_size(q->elements, q->input_bytes), limits->arena_bytes) ||
        !tk_fits(op->output, tk_size(q->elements, q->output_bytes), limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    return q->multiplier < 0 || q->shift < -31 || q->shift > 30 ? TK_ERROR_VALUE : TK_OK;
}

void tk_quantise(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    (void)constants;
    const struct tk_quantise *q = &op->as.quantise;
    const void *input = arena + op->input;
    void *output = arena + op->output;
    int32_t greatest = (int32_t)(0x7fffffffu >> (32 - 8 * q->output_bytes));
    for (uint32_t i = 0; i < q->elements; i++) {
        int32_t x = q->input_bytes == 1   ? ((const int8_t *)input)[i]
                    : q->input_bytes == 2 ? ((const int16_t *)input)[i]
                                          : ((const int32_t *)input)[i];
        x = (int32_t)((uint32_t)x - (uint32_t)q->input_zero_point);
        x = (int32_t)((uint32_t)tk_multiply_quantised(x, q->multiplier, q->shift) + (uint32_t)q->output_zero_point);
        x = tk_clamp(x, -greatest - 1, greatest);
        if (q->output_bytes == 1)
            ((int8_t *)output)[i] = (int8_t)x;
        else if (q->output_bytes == 2)
            ((int16_t *)output)[i] = (int16_t)x;
        else
            ((int32_t *)output)[i] = x;
    }
}
