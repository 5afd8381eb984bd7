/* LOG_SOFTMAX over the last dimension. TFLM: reference_ops::LogSoftmax for int8, in gemmlowp's fixed point.
 *
 * The constants hold SOFTMAX's table. The logarithm of a row's sum is computed here, once a row. */
#include "arithmetic.h"
#include "softmax.h"
#include "tk.h"

enum tk_error tk_log_softmax_check(const struct tk_operation *op, const uint8_t *constants,
                                   const struct tk_limits *limits) {
    const struct tk_log_softmax *s = &op->as.log_softmax;
    if (s->multiplier < 0 || s->shift < 0 || s->shift > 31 || s->inverse_multiplier < 0 || s->inverse_shift < -31 ||
        s->inverse_shift > 0)
        return TK_ERROR_VALUE;
    /* Its parameters begin as SOFTMAX's do. */
    return tk_softmax_check(op, constants, limits);
}

/* log(x) in Q5.26 for 1 <= x in Q12.19 (gemmlowp's log_x_for_x_greater_than_or_equal_to_1_impl): two ways of splitting
 * off a power of two, half a power apart, the better one of which leaves a factor near 2^(-1/4) for a rational
 * function.
 */
static int32_t logarithm(int32_t x) {
    const int32_t log_2 = 1488522236, sqrt_half = 1518500250, fourth_root_half = 1805811301;
    const int32_t alpha_n = 117049297, alpha_d = 127690142, alpha_i = 1057819769, alpha_f = 638450708;
    const int32_t quarter = 1 << 23, one = 1 << 25;

    int32_t headroom = tk_headroom((uint32_t)x);
    int32_t factor = tk_saturating_shift_left(tk_doubling_high_multiply(x << (headroom - 1), sqrt_half), 1);
    int32_t power = (12 - headroom) * one + quarter;
    headroom = tk_headroom((uint32_t)tk_doubling_high_multiply(x, sqrt_half)) - 1;
    int32_t other_factor = tk_saturating_shift_left(x, headroom);
    int32_t other_power = (12 - headroom) * one - quarter;
    if (other_factor < factor)
        factor = other_factor;
    if (other_power > power)
        power = other_power;

    int32_t p = (int32_t)(((uint32_t)factor + (uint32_t)fourth_root_half + 1u) >> 1);
    int32_t q = 2 * (factor - fourth_root_half);
    int32_t magnitude = q < 0 ? -q : q;
    int32_t square = tk_doubling_high_multiply(magnitude, magnitude);
    int32_t numerator =
        tk_doubling_high_multiply(q, factor) + tk_doubling_high_multiply(tk_doubling_high_multiply(q, square), alpha_n);
    int32_t denominator = tk_doubling_high_multiply(p, alpha_i + q + tk_doubling_high_multiply(square, alpha_d)) +
                          tk_doubling_high_multiply(q, alpha_f);
    int32_t reduced =
        tk_doubling_high_multiply(tk_rounding_divide_by_power(numerator, 6), tk_one_over_one_plus(denominator));
    return tk_saturating_shift_left(tk_doubling_high_multiply(power, log_2) + reduced, 1);
}

static void log_softmax_row(const struct tk_log_softmax *s, const int32_t *exponential, const int8_t *input,
                            int8_t *output) {
    int32_t maximum = tk_row_maximum(input, s->depth);
    uint32_t sum = tk_sum_of_exponentials(input, s->depth, maximum, exponential, s->exponentials);
    /* A sum holds at least the maximum's own 1, or the table is not one of exponentials. */
    int32_t log_sum = logarithm(tk_clamp((int32_t)sum, 1 << 19, INT32_MAX));
    /* The farthest distance whose difference from the logarithm is a number that fixed point can hold. */
    int32_t limit = tk_multiply_quantised(log_sum + INT32_MIN, s->inverse_multiplier, s->inverse_shift);
    for (uint32_t i = 0; i < s->depth; i++) {
        int32_t distance = input[i] - maximum;
        int32_t result = -128;
        if (distance > -(int32_t)s->exponentials && distance > limit) {
            int32_t scaled = tk_doubling_high_multiply((int32_t)((uint32_t)distance << s->shift), s->multiplier);
            result = tk_rounding_divide_by_power((int32_t)((uint32_t)scaled - (uint32_t)log_sum), 22) + 127;
        }
        output[i] = (int8_t)tk_clamp(result, -128, 127);
    }
}

void tk_log_softmax(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_log_softmax *s = &op->as.log_softmax;
    const int32_t *exponential = (const int32_t *)(const void *)constants;
    const int8_t *input = (const int8_t *)arena + op->input;
    int8_t *output = (int8_t *)arena + op->output;
    for (uint32_t row = 0; row < s->rows; row++, input += s->depth, output += s->depth)
        log_softmax_row(s, exponential, input, output);
}
