/* REDUCE: MEAN, SUM, REDUCE_MAX and REDUCE_MIN over the middle of (outer, reduced, inner). TFLM: QuantizedMeanOrSum,
 * with the division by the count in the multiplier, and ReduceGeneric. */
#include "arithmetic.h"
#include "tk.h"

#define MAX_REDUCED (1u << 23) /* the sum of so many int8 fits 31 bits */

enum tk_error tk_reduce_check(const struct tk_operation *op, const uint8_t *constants, const struct tk_limits *limits) {
    (void)constants;
    const struct tk_reduce *r = &op->as.reduce;
    if (!r->outer || !r->reduced || !r->inner || r->reduced > MAX_REDUCED || r->kind > TK_REDUCE_MIN)
        return TK_ERROR_SHAPE;
    if (r->multiplier < 0 || r->shift < -31 || r->shift > 30 || !tk_is_int8(r->output_zero_point))
        return TK_ERROR_VALUE;
    uint32_t output_bytes = tk_size(r->outer, r->inner);
    if (!tk_fits(op->input, tk_size(output_bytes, r->reduced), limits->arena_bytes) ||
        !tk_fits(op->output, output_bytes, limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    return TK_OK;
}

static int32_t extreme(const int8_t *input, uint32_t count, uint32_t stride, int maximum) {
    int32_t found = input[0];
    for (uint32_t i = 1; i < count; i++)
        if (maximum ? input[i * stride] > found : input[i * stride] < found)
            found = input[i * stride];
    return found;
}

static uint32_t sum(const int8_t *input, uint32_t count, uint32_t stride) {
    int32_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += input[i * stride];
    return (uint32_t)total;
}

void tk_reduce(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    (void)constants;
    const struct tk_reduce *r = &op->as.reduce;
    const int8_t *input = (const int8_t *)arena + op->input;
    int8_t *output = (int8_t *)arena + op->output;
    for (uint32_t outer = 0; outer < r->outer; outer++, input += r->reduced * r->inner) {
        for (uint32_t inner = 0; inner < r->inner; inner++) {
            if (r->kind == TK_REDUCE_SUM)
                *output++ = tk_requantise(sum(input + inner, r->reduced, r->inner) + (uint32_t)r->offset, r->multiplier,
                                          r->shift, r->output_zero_point, -128, 127);
            else
                *output++ = (int8_t)extreme(input + inner, r->reduced, r->inner, r->kind == TK_REDUCE_MAX);
        }
    }
}
