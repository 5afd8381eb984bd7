/* ELEMENTWISE: two inputs, one of which may be broadcast along some dimensions. TFLM: ADD, SUB, MUL, MAXIMUM, MINIMUM
 * and PRELU of its reference integer operators.
 *
 * For ADD the constants hold both inputs' rescaled values, one table of 256 each (SUB is ADD with the second negated).
 */
#include "packed.h"

#define DIMENSIONS 6

/* Bytes of an input whose bit in `broadcast` is set for each dimension in which it has only one element. */
static uint32_t input_bytes(const struct tk_elementwise *e, uint32_t broadcast) {
    uint32_t bytes = 1;
    for (uint32_t d = 0; d < DIMENSIONS; d++)
        if (!(broadcast >> d & 1u))
            bytes = tk_size(bytes, e->shape[d]);
    return bytes;
}

static struct tk_scaling scaling_of(const struct tk_elementwise *e) {
    struct tk_scaling scaling = {e->shift1, e->packing, e->fraction, e->edge};
    return scaling;
}

enum tk_error tk_elementwise_check(const struct tk_operation *op, const uint8_t *constants,
                                   const struct tk_limits *limits) {
    (void)constants;
    const struct tk_elementwise *e = &op->as.elementwise;
    for (uint32_t d = 0; d < DIMENSIONS; d++)
        if (!e->shape[d])
            return TK_ERROR_SHAPE;
    if (e->kind > TK_ELEMENTWISE_PRELU)
        return TK_ERROR_SHAPE;
    if (!tk_fits(op->input, input_bytes(e, e->broadcast1), limits->arena_bytes) ||
        !tk_fits(e->input2, input_bytes(e, e->broadcast2), limits->arena_bytes) ||
        !tk_fits(op->output, input_bytes(e, 0), limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    if (!tk_is_int8(e->output_min) || !tk_is_int8(e->output_max) || !tk_is_int8(e->output_zero_point) ||
        !tk_is_int8(e->zero_point1) || !tk_is_int8(e->zero_point2) || e->multiplier1 < 0 || e->multiplier2 < 0 ||
        e->shift1 < -31 || e->shift1 > 30 || e->shift2 < -31 || e->shift2 > 30)
        return TK_ERROR_VALUE;
    struct tk_scaling scaling = scaling_of(e);
    if (!tk_is_scaling(&scaling))
        return TK_ERROR_VALUE;
    if (e->kind == TK_ELEMENTWISE_ADD && limits->constants_bytes < 2 * 256 * 4)
        return TK_ERROR_CONSTANTS;
    return TK_OK;
}

#if TK_PACKED
/* Whether it was computed: ADD of inputs that go along with each other, that can be rescaled by a shorter way
 * (packed.h). */
static int add(const struct tk_operation *op, const int32_t *table, uint8_t *arena) {
    const struct tk_elementwise *e = &op->as.elementwise;
    struct tk_scaling scaling = scaling_of(e);
    if (e->kind != TK_ELEMENTWISE_ADD || e->broadcast1 || e->broadcast2 || !tk_is_rescaled(&scaling))
        return 0;
    struct tk_addition a;
    a.input1 = (const int8_t *)arena + op->input;
    a.input2 = (const int8_t *)arena + e->input2;
    a.output = (int8_t *)arena + op->output;
    a.count = input_bytes(e, 0);
    a.table1 = table + 128;
    a.table2 = table + 256 + 128;
    a.low = e->output_min;
    a.high = e->output_max;
    a.zero_point = e->output_zero_point;
    struct tk_output_range range = {a.zero_point, a.low, a.high};
    a.rescaling = tk_rescaling_of(e->multiplier1, &scaling, &range);
    a.exact = tk_exact_of(e->multiplier1, &scaling);
    tk_add_tables(&a);
    return 1;
}
#endif

static int8_t combine(const struct tk_elementwise *e, const int32_t *table, int32_t a, int32_t b) {
    if (e->kind == TK_ELEMENTWISE_MAXIMUM)
        return (int8_t)(a > b ? a : b);
    if (e->kind == TK_ELEMENTWISE_MINIMUM)
        return (int8_t)(a < b ? a : b);
    if (e->kind == TK_ELEMENTWISE_ADD)
        return tk_requantise((uint32_t)table[a + 128] + (uint32_t)table[256 + b + 128], e->multiplier1, e->shift1,
                             e->output_zero_point, e->output_min, e->output_max);
    a -= e->zero_point1;
    b -= e->zero_point2;
    if (e->kind == TK_ELEMENTWISE_MUL)
        return tk_requantise((uint32_t)(a * b), e->multiplier1, e->shift1, e->output_zero_point, e->output_min,
                             e->output_max);
    if (a >= 0)
        return tk_requantise((uint32_t)a, e->multiplier1, e->shift1, e->output_zero_point, e->output_min,
                             e->output_max);
    return tk_requantise((uint32_t)(a * b), e->multiplier2, e->shift2, e->output_zero_point, e->output_min,
                         e->output_max);
}

void tk_elementwise(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_elementwise *e = &op->as.elementwise;
    const int32_t *table = (const int32_t *)(const void *)constants;
#if TK_PACKED
    if (add(op, table, arena))
        return;
#endif
    const int8_t *input1 = (const int8_t *)arena + op->input;
    const int8_t *input2 = (const int8_t *)arena + e->input2;
    int8_t *output = (int8_t *)arena + op->output;
    uint32_t stride1[DIMENSIONS];
    uint32_t stride2[DIMENSIONS];
    uint32_t done[DIMENSIONS];
    uint32_t bytes1 = 1;
    uint32_t bytes2 = 1;
    for (uint32_t d = DIMENSIONS; d-- > 0;) {
        uint32_t once1 = e->broadcast1 >> d & 1u;
        uint32_t once2 = e->broadcast2 >> d & 1u;
        stride1[d] = once1 ? 0 : bytes1;
        stride2[d] = once2 ? 0 : bytes2;
        bytes1 *= once1 ? 1 : e->shape[d];
        bytes2 *= once2 ? 1 : e->shape[d];
        done[d] = 0;
    }

    for (;;) {
        for (uint32_t i = 0; i < e->shape[DIMENSIONS - 1]; i++)
            *output++ = combine(e, table, input1[i * stride1[DIMENSIONS - 1]], input2[i * stride2[DIMENSIONS - 1]]);
        uint32_t d = DIMENSIONS - 1;
        do {
            if (d-- == 0)
                return;
            input1 += stride1[d];
            input2 += stride2[d];
            if (++done[d] < e->shape[d])
                break;
            input1 -= stride1[d] * e->shape[d];
            input2 -= stride2[d] * e->shape[d];
            done[d] = 0;
        } while (1);
    }
}
