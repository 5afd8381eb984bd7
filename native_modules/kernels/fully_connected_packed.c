/* FULLY_CONNECTED with packed sums (packed.h): the inputs are prepared once, in scratch, and each weight is read once, a
 * word of four at a time. A channel whose weights are too large for four taps at a time is computed tap by tap. */
#include "packed.h"

typedef int tk_fully_connected_packed_is_optional;

#if TK_PACKED

/* Whether the operation was computed: one without a block, or with odd addresses, is left to the plain kernel. */
int tk_fully_connected_packed(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_fully_connected *f = &op->as.fully_connected;
    const int8_t *input = (const int8_t *)arena + op->input;
    if (!op->block || (uintptr_t)input % 4)
        return 0;
    int8_t *output = (int8_t *)arena + op->output + f->first_channel;
    uint32_t *prepared = (uint32_t *)(void *)(arena + op->scratch);
    uint32_t groups = f->inputs / 4;
    struct tk_channels k = tk_channels_at(constants, f->channels);
    struct tk_output_range range = {f->output_zero_point, f->output_min, f->output_max};
    for (uint32_t batch = 0; batch < f->batches; batch++) {
        const int8_t *weights = k.weights;
        tk_prepare_inputs(prepared, input, groups);
        for (uint32_t c = 0; c < f->channels; c++, weights += f->inputs) {
            struct tk_rescaling rescaling = tk_rescaling_of(k.multiplier[c], &k.scaling[c], &range);
            uint32_t sum = (uint32_t)k.bias[c];
            if (k.scaling[c].packing >> 4 == 4)
                sum += tk_dot_packed(prepared, weights, groups);
            else
                sum += tk_dot(input, weights, f->inputs);
            output[c] = tk_rescale(sum, &rescaling, k.multiplier[c], k.scaling[c].shift, &range);
        }
        input += f->inputs;
        output += f->outputs;
    }
    return 1;
}

#endif
