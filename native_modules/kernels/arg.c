/* ARG: where along one dimension the greatest or least element stands, the first of equal ones. TFLM: ARG_MAX and
 * ARG_MIN (arg_min_max.h), with int32 results. */
#include "arithmetic.h"
#include "tk.h"

enum tk_error tk_arg_check(const struct tk_operation *op, const uint8_t *constants, const struct tk_limits *limits) {
    (void)constants;
    const struct tk_arg *a = &op->as.arg;
    if (!a->outer || !a->depth || !a->inner || a->kind > TK_ARG_MIN)
        return TK_ERROR_SHAPE;
    uint32_t outputs = tk_size(a->outer, a->inner);
    if (op->output & 3u || !tk_fits(op->input, tk_size(outputs, a->depth), limits->arena_bytes) ||
        !tk_fits(op->output, tk_size(outputs, 4), limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    return TK_OK;
}

void tk_arg(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    (void)constants;
    const struct tk_arg *a = &op->as.arg;
    const int8_t *input = (const int8_t *)arena + op->input;
    int32_t *output = (int32_t *)(void *)(arena + op->output);
    int32_t sign = a->kind == TK_ARG_MAX ? 1 : -1;
    for (uint32_t outer = 0; outer < a->outer; outer++, input += a->depth * a->inner) {
        for (uint32_t inner = 0; inner < a->inner; inner++) {
            int32_t best = input[inner] * sign;
            uint32_t at = 0;
            for (uint32_t d = 1; d < a->depth; d++) {
                int32_t value = input[d * a->inner + inner] * sign;
                if (value > best) {
                    best = value;
                    at = d;
                }
            }
            *output++ = (int32_t)at;
        }
    }
}
