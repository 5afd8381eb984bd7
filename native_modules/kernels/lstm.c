/* UNIDIRECTIONAL_SEQUENCE_LSTM. TFLM: EvalLstm with int8 activations and weights and an int16 cell state.
 *
 * A unit's four gates (input, forget, cell, output) each add what they weigh of the frame and of the hidden state, 16
 * bits in units of 2^-12. The hidden state stays as it is until the last unit of a frame is computed.
 *
 * Constants of n units: int32 multipliers, then int8 shifts, of the frame's sum for each gate, then of the hidden
 * state's; TFLM's table of the logistic function; for each unit, int32 biases (zero points folded in) in the order of
 * the multipliers; for each unit, weights (gate, input), then (gate, unit). */
#include "channels.h"

#define GATES 4u
#define TABLE_ENTRIES 256u

enum gate { INPUT, FORGET, CELL, OUTPUT };

struct head {
    int32_t multiplier[2 * GATES];
    int8_t shift[2 * GATES];
    uint16_t logistic[TABLE_ENTRIES]; /* 2^16 / (1 + exp(-i / 24)) */
};

enum tk_error tk_lstm_check(const struct tk_operation *op, const uint8_t *constants, const struct tk_limits *limits) {
    const struct tk_lstm *l = &op->as.lstm;
    const struct head *head = (const struct head *)(const void *)constants;
    if (!l->steps || !l->inputs || !l->units || !l->channels || !tk_fits(l->first_channel, l->channels, l->units) ||
        (l->steps > 1 && l->channels != l->units))
        return TK_ERROR_SHAPE;
    uint32_t input_bytes = tk_size(l->steps - 1u, l->input_stride);
    uint32_t output_bytes = tk_size(l->steps - 1u, l->output_stride);
    if (!tk_fits(input_bytes, l->inputs, limits->arena_bytes) ||
        !tk_fits(op->input, input_bytes + l->inputs, limits->arena_bytes) ||
        !tk_fits(output_bytes, l->units, limits->arena_bytes) ||
        !tk_fits(op->output, output_bytes + l->units, limits->arena_bytes) ||
        !tk_fits(l->hidden, l->units, limits->arena_bytes) || l->cell % 2 ||
        !tk_fits(l->cell, 2u * l->units, limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    uint32_t unit_bytes = 2 * GATES * 4u + GATES * ((uint32_t)l->inputs + l->units);
    if (limits->constants_bytes < sizeof *head ||
        tk_size(l->channels, unit_bytes) > limits->constants_bytes - sizeof *head)
        return TK_ERROR_CONSTANTS;
    for (uint32_t i = 0; i < 2 * GATES; i++)
        if (head->multiplier[i] < 0 || head->shift[i] < -31 || head->shift[i] > 30)
            return TK_ERROR_VALUE;
    if (l->input_multiplier < 0 || l->input_shift < -31 || l->input_shift > 30 || l->hidden_multiplier < 0 ||
        l->hidden_shift < -31 || l->hidden_shift > 30 || l->cell_exponent < -42 || l->cell_exponent > 2)
        return TK_ERROR_VALUE;
    return TK_OK;
}

static int32_t saturated(int32_t x) { return tk_clamp(x, -32768, 32767); }

/* Between the table's entries, 2^fraction_bits apart, and the last one beyond. */
static int32_t interpolated(const uint16_t *table, int32_t x, int32_t fraction_bits) {
    int32_t index = x >> fraction_bits;
    if (index >= (int32_t)TABLE_ENTRIES - 1)
        return table[TABLE_ENTRIES - 1] << fraction_bits;
    int32_t fraction = x & ((1 << fraction_bits) - 1);
    return (table[index] << fraction_bits) + fraction * (table[index + 1] - table[index]);
}

/* 1 / (1 + exp(-x)) in units of 2^-15, for 16-bit x in units of 2^-12: table entries are 512 / 3 of these apart. */
static int32_t logistic(const uint16_t *table, int32_t x) {
    int32_t result = interpolated(table, 3 * (x < 0 ? -x : x), 9);
    return (x < 0 ? (1 << 25) - result + (1 << 9) - 1 : result + (1 << 9)) >> 10;
}

/* tanh(x) in units of 2^-15, for 16-bit x in units of 2^exponent. */
static int32_t hyperbolic_tangent(const uint16_t *table, int32_t x, int32_t exponent) {
    int32_t shift = exponent + 12;
    int32_t scaled = shift >= 0 ? 3 * x * (1 << shift) : (3 * x + (1 << (-shift - 1))) >> -shift;
    int32_t result = interpolated(table, scaled < 0 ? -scaled : scaled, 8) - (1 << 23);
    return (scaled < 0 ? (1 << 7) - 1 - result : result + (1 << 7)) >> 8;
}

void tk_lstm(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_lstm *l = &op->as.lstm;
    const struct head *head = (const struct head *)(const void *)constants;
    int8_t *hidden = (int8_t *)arena + l->hidden;
    int16_t *cell = (int16_t *)(void *)(arena + l->cell);
    uint32_t last_channel = (uint32_t)l->first_channel + l->channels;

    for (uint32_t step = 0; step < l->steps; step++) {
        const int8_t *input = (const int8_t *)arena + op->input + step * l->input_stride;
        int8_t *output = (int8_t *)arena + op->output + step * l->output_stride;
        const int32_t *bias = (const int32_t *)(const void *)(head + 1);
        const int8_t *weights = (const int8_t *)(bias + 2 * GATES * l->channels);
        for (uint32_t unit = l->first_channel; unit < last_channel; unit++) {
            int32_t gate[GATES];
            for (uint32_t i = 0; i < 2 * GATES; i++) {
                const int8_t *values = i < GATES ? input : hidden;
                uint32_t count = i < GATES ? l->inputs : l->units;
                uint32_t sum = (uint32_t)*bias++ + tk_dot(values, weights, count);
                int32_t scaled = saturated(tk_multiply_quantised((int32_t)sum, head->multiplier[i], head->shift[i]));
                gate[i % GATES] = i < GATES ? scaled : saturated(gate[i % GATES] + scaled);
                weights += count;
            }
            int32_t kept = logistic(head->logistic, gate[FORGET]) * cell[unit];
            kept = saturated(tk_multiply_quantised(kept, 1 << 30, -14));
            int32_t added = logistic(head->logistic, gate[INPUT]) * hyperbolic_tangent(head->logistic, gate[CELL], -12);
            added = saturated(tk_multiply_quantised(added, l->input_multiplier, l->input_shift));
            int32_t content = tk_clamp(saturated(kept + added), -(int32_t)l->cell_limit, l->cell_limit);
            cell[unit] = (int16_t)content;
            int32_t shown =
                logistic(head->logistic, gate[OUTPUT]) * hyperbolic_tangent(head->logistic, content, l->cell_exponent);
            output[unit] =
                tk_requantise((uint32_t)shown, l->hidden_multiplier, l->hidden_shift, l->hidden_zero_point, -128, 127);
        }
        if (last_channel == l->units)
            for (uint32_t unit = 0; unit < l->units; unit++)
                hidden[unit] = output[unit];
    }
}
