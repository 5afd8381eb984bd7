/* FULLY_CONNECTED. TFLM: reference_integer_ops::FullyConnected and FullyConnectedPerChannel.
 * Its weights have 128 added, which saves a core without byte-wise arithmetic an instruction for each word of them. */
#include "packed.h"

enum tk_error tk_fully_connected_check(const struct tk_operation *op, const uint8_t *constants,
                                       const struct tk_limits *limits) {
    const struct tk_fully_connected *f = &op->as.fully_connected;
    if (!f->batches || !f->inputs || !f->channels || !tk_fits(f->first_channel, f->channels, f->outputs))
        return TK_ERROR_SHAPE;
    if (!tk_fits(op->input, tk_size(f->batches, f->inputs), limits->arena_bytes) ||
        !tk_fits(op->output, tk_size(f->batches, f->outputs), limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    if (op->block && (f->inputs % 4 || op->scratch % 4 || !tk_fits(op->scratch, 3 * f->inputs, limits->arena_bytes)))
        return TK_ERROR_ACTIVATIONS;
    if (!tk_is_int8(f->output_min) || !tk_is_int8(f->output_max) || !tk_is_int8(f->output_zero_point))
        return TK_ERROR_VALUE;
    return tk_channels_check(constants, f->channels, tk_size(f->inputs, f->channels), limits);
}

void tk_fully_connected(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
#if TK_PACKED
    if (tk_fully_connected_packed(op, constants, arena))
        return;
#endif
    const struct tk_fully_connected *f = &op->as.fully_connected;
    const int8_t *input = (const int8_t *)arena + op->input;
    int8_t *output = (int8_t *)arena + op->output + f->first_channel;
    struct tk_channels k = tk_channels_at(constants, f->channels);

    for (uint32_t batch = 0; batch < f->batches; batch++) {
        const int8_t *weights = k.weights;
        for (uint32_t c = 0; c < f->channels; c++, weights += f->inputs) {
            uint32_t sum = (uint32_t)k.bias[c] + tk_dot_offset(input, weights, f->inputs);
            output[c] = tk_requantise(sum, k.multiplier[c], k.scaling[c].shift, f->output_zero_point, f->output_min,
                                      f->output_max);
        }
        input += f->inputs;
        output += f->outputs;
    }
}
