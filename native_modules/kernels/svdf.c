/* SVDF. TFLM: EvalIntegerSVDF: each filter makes one number of the frame (weights of feature), keeps the last `memory`
 * ones and weighs them (weights of time); `rank` filters added up are a unit.
 *
 * Constants of n units with n * rank filters: int32 biases of the units, int32 biases of the filters (both with the
 * zero points folded in), weights of time (filter, memory), as wide as the state, weights of feature (filter, input).
 */
#include "channels.h"

enum tk_error tk_svdf_check(const struct tk_operation *op, const uint8_t *constants, const struct tk_limits *limits) {
    (void)constants;
    const struct tk_svdf *s = &op->as.svdf;
    if (!s->inputs || !s->rank || !s->memory || !s->channels || !tk_fits(s->first_channel, s->channels, s->units) ||
        (s->state_bytes != 1 && s->state_bytes != 2))
        return TK_ERROR_SHAPE;
    uint32_t memory_bytes = tk_size(s->memory, s->state_bytes);
    if ((s->state_bytes == 2 && s->state % 2) || !tk_fits(op->input, s->inputs, limits->arena_bytes) ||
        !tk_fits(op->output, s->units, limits->arena_bytes) ||
        !tk_fits(s->state, tk_size(tk_size(s->units, s->rank), memory_bytes), limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    if (s->state_multiplier < 0 || s->state_shift < -31 || s->state_shift > 30 || s->output_multiplier < 0 ||
        s->output_shift < -31 || s->output_shift > 30)
        return TK_ERROR_VALUE;
    /* Inputs and memory lie within the arena: they are below 2^30 each. */
    uint32_t filter_bytes = 4 + memory_bytes + s->inputs;
    uint32_t filters_bytes = tk_size(tk_size(filter_bytes, s->rank), s->channels);
    if (filters_bytes > limits->constants_bytes || tk_size(s->channels, 4) > limits->constants_bytes - filters_bytes)
        return TK_ERROR_CONSTANTS;
    return TK_OK;
}

/* Puts the newest number behind the others, the oldest of which is gone; what all of them weigh. */
static uint32_t remember8(int8_t *state, const int8_t *weights, uint32_t memory, int32_t newest) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < memory; i++) {
        state[i] = i + 1 < memory ? state[i + 1] : (int8_t)newest;
        sum += (uint32_t)(state[i] * weights[i]);
    }
    return sum;
}

static uint32_t remember16(int16_t *state, const int16_t *weights, uint32_t memory, int32_t newest) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < memory; i++) {
        state[i] = i + 1 < memory ? state[i + 1] : (int16_t)newest;
        sum += (uint32_t)(state[i] * weights[i]);
    }
    return sum;
}

void tk_svdf(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_svdf *s = &op->as.svdf;
    const int8_t *input = (const int8_t *)arena + op->input;
    int8_t *output = (int8_t *)arena + op->output + s->first_channel;
    uint32_t memory_bytes = s->memory * s->state_bytes;
    uint32_t filters = s->channels * s->rank;
    const int32_t *bias = (const int32_t *)(const void *)constants;
    const int32_t *filter_bias = bias + s->channels;
    const uint8_t *time = (const uint8_t *)(filter_bias + filters);
    const int8_t *feature = (const int8_t *)time + filters * memory_bytes;
    uint8_t *state = arena + s->state + s->first_channel * s->rank * memory_bytes;
    int32_t limit = s->state_bytes == 1 ? 127 : 32767;

    for (uint32_t unit = 0; unit < s->channels; unit++) {
        uint32_t sum = (uint32_t)bias[unit];
        for (uint32_t filter = 0; filter < s->rank; filter++) {
            uint32_t product = (uint32_t)*filter_bias++ + tk_dot(input, feature, s->inputs);
            int32_t newest = tk_multiply_quantised((int32_t)product, s->state_multiplier, s->state_shift);
            /* TFLM clamps before it adds the zero point: what then does not fit wraps. */
            newest = tk_clamp(newest, -limit - 1, limit) + s->state_zero_point;
            if (s->state_bytes == 1)
                sum += remember8((int8_t *)state, (const int8_t *)time, s->memory, newest);
            else
                sum += remember16((int16_t *)(void *)state, (const int16_t *)(const void *)time, s->memory, newest);
            feature += s->inputs;
            time += memory_bytes;
            state += memory_bytes;
        }
        output[unit] = tk_requantise(sum, s->output_multiplier, s->output_shift, s->output_zero_point, -128, 127);
    }
}
