/* SOFTMAX over the last dimension. TFLM: reference_ops::Softmax for int8, in gemmlowp's fixed point.
 *
 * An int8 input takes at most 256 distances from its row's maximum, so the compiler computes their exponentials, and
 * the constants hold them as a table: exp(-d * beta * scale) in Q0.31 for d = 0, 1, … */
#include "softmax.h"
#include "arithmetic.h"
#include "tk.h"

#define MAX_DEPTH 4095u /* the sum of so many exponentials in Q12.19 fits 31 bits */

enum tk_error tk_softmax_check(const struct tk_operation *op, const uint8_t *constants,
                               const struct tk_limits *limits) {
    (void)constants;
    const struct tk_softmax *s = &op->as.softmax;
    if (!s->rows || !s->depth || s->depth > MAX_DEPTH || !s->exponentials || s->exponentials > 256 ||
        !s->output_bytes || s->output_bytes > 2)
        return TK_ERROR_SHAPE;
    uint32_t elements = tk_size(s->rows, s->depth);
    if (op->output & (s->output_bytes - 1) || !tk_fits(op->input, elements, limits->arena_bytes) ||
        !tk_fits(op->output, tk_size(elements, s->output_bytes), limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    if (s->exponentials * 4 > limits->constants_bytes)
        return TK_ERROR_CONSTANTS;
    return TK_OK;
}

int32_t tk_saturating_shift_left(int32_t x, int32_t exponent) {
    int32_t limit = INT32_MAX >> exponent;
    if (x > limit)
        return INT32_MAX;
    if (x < -limit - 1)
        return INT32_MIN;
    return (int32_t)((uint32_t)x << exponent);
}

int32_t tk_headroom(uint32_t x) {
    int32_t headroom = 0;
    while (x && !(x << headroom & 0x80000000u))
        headroom++;
    return headroom;
}

/* Three Newton-Raphson steps (gemmlowp's one_over_one_plus_x_for_x_in_0_1). */
int32_t tk_one_over_one_plus(int32_t x) {
    int32_t half_denominator = (int32_t)(((uint32_t)x + (uint32_t)INT32_MAX + 1u) >> 1);
    int32_t estimate = 1515870810 /* 48/17 in Q2.29 */
                       + tk_doubling_high_multiply(-1010580540 /* -32/17 */, half_denominator);
    for (int32_t step = 0; step < 3; step++) {
        int32_t product = tk_doubling_high_multiply(estimate, half_denominator);
        int32_t error = (1 << 29) - product;
        estimate += tk_saturating_shift_left(tk_doubling_high_multiply(error, estimate), 2);
    }
    return tk_saturating_shift_left(estimate, 1);
}

int32_t tk_row_maximum(const int8_t *row, uint32_t depth) {
    int32_t maximum = -128;
    for (uint32_t i = 0; i < depth; i++)
        if (row[i] > maximum)
            maximum = row[i];
    return maximum;
}

uint32_t tk_sum_of_exponentials(const int8_t *row, uint32_t depth, int32_t maximum, const int32_t *exponential,
                                uint32_t exponentials) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < depth; i++) {
        uint32_t distance = (uint32_t)(maximum - row[i]);
        if (distance < exponentials)
            sum += (uint32_t)tk_rounding_divide_by_power(exponential[distance], 12);
    }
    return sum;
}

static void softmax_row(const int8_t *input, uint8_t *output, uint32_t depth, const int32_t *exponential,
                        uint32_t exponentials, uint32_t output_bytes) {
    int32_t maximum = tk_row_maximum(input, depth);
    uint32_t sum = tk_sum_of_exponentials(input, depth, maximum, exponential, exponentials);
    int32_t headroom = tk_headroom(sum);
    int32_t reciprocal = tk_one_over_one_plus((int32_t)((sum << headroom) & 0x7fffffffu));
    int32_t bits = output_bytes == 1 ? 8 : 16;
    int32_t exponent = 12 - headroom + 31 - bits;
    int32_t zero_point = -(1 << (bits - 1));

    for (uint32_t i = 0; i < depth; i++) {
        uint32_t distance = (uint32_t)(maximum - input[i]);
        int32_t probability = 0;
        if (distance < exponentials && (uint32_t)exponent <= 31) /* negative: a table that no compiler made */
            probability =
                tk_rounding_divide_by_power(tk_doubling_high_multiply(exponential[distance], reciprocal), exponent);
        probability = tk_clamp(probability + zero_point, zero_point, -zero_point - 1);
        if (output_bytes == 1)
            output[i] = (uint8_t)probability;
        else
            ((int16_t *)(void *)output)[i] = (int16_t)probability;
    }
}

void tk_softmax(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_softmax *s = &op->as.softmax;
    const int32_t *exponential = (const int32_t *)(const void *)constants;
    const int8_t *input = (const int8_t *)arena + op->input;
    uint8_t *output = arena + op->output;
    for (uint32_t row = 0; row < s->rows; row++) {
        softmax_row(input, output, s->depth, exponential, s->exponentials, s->output_bytes);
        input += s->depth;
        output += s->depth * s->output_bytes;
    }
}
