/* FULLY_CONNECTED with packed sums (packed.h): the inputs are prepared once, in scratch, and each weight is read once,
 * a word of four at a time. A channel with a weight of -128 is computed tap by tap. */
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
    struct tk_channels k = tk_channels_at(constants, f->channels);
    struct tk_rows rows;
    rows.inputs = prepared;
    rows.groups = f->inputs / 4;
    rows.low = f->output_min;
    rows.high = f->output_max;
    rows.zero_point = f->output_zero_point;
    rows.halves = 2 * (uint32_t)(rows.zero_point - rows.low) + 1;
    rows.values = (uint32_t)(rows.high - rows.low) + 1;
    for (uint32_t batch = 0; batch < f->batches; batch++, input += f->inputs, output += f->outputs) {
        tk_prepare_inputs(prepared, input, rows.groups);
        uint32_t c = 0;
        while (c < f->channels) {
            uint32_t end = c;
            uint32_t taps = tk_taps_together(&k.scaling[c]);
            while (end < f->channels && tk_is_packed(&k, end, f->inputs) && tk_taps_together(&k.scaling[end]) == taps)
                end++;
            if (end > c) {
                rows.taps = taps;
                rows.weights = (const uint8_t *)k.weights + c * f->inputs;
                rows.bias = k.bias + c;
                rows.multiplier = k.multiplier + c;
                rows.scaling = k.scaling + c;
                rows.output = output + c;
                rows.count = end - c;
                tk_dot_rows(&rows);
                c = end;
                continue;
            }
            uint32_t sum = (uint32_t)k.bias[c] + tk_dot_offset(input, k.weights + c * f->inputs, f->inputs);
            output[c] = tk_requantise(sum, k.multiplier[c], k.scaling[c].shift, f->output_zero_point, f->output_min,
                                      f->output_max);
            c++;
        }
    }
    return 1;
}

#endif
