/* The inner loops of packed.h with two products an instruction (dsp.h). */
#include "packed.h"

/* An empty file is not C. */
typedef int tk_dsp_is_optional;

#if TK_DSP

#define TK_EXCESS tk_lanes(128, 128)

void tk_dot_four(const uint32_t *inputs, const uint32_t *inputs_end, const uint8_t *weights, uint32_t row,
                 uint32_t *sums);

uint32_t *tk_unpack_inputs(uint32_t *to, const int8_t *from, uint32_t groups) {
    for (; groups; groups--, from += 4, to += 2) {
        uint32_t word = tk_word_at(from);
        to[0] = tk_signed_lanes_02(word);
        to[1] = tk_signed_lanes_13(word);
    }
    return to;
}

void tk_unpack_weights(uint32_t *to, const int8_t *from, uint32_t groups) {
    for (; groups; groups--, from += 4, to += 4) {
        uint32_t word = tk_word_at(from);
        to[0] = tk_signed_lanes_02(word);
        to[1] = tk_signed_lanes_13(word);
    }
}

static int8_t output_of(uint32_t sum, const struct tk_rescaling *r, int32_t low, int32_t high) {
    return (int8_t)tk_clamped(tk_rescaled(sum, r->multiplier, r->addend, r->right), low, high);
}

#if !__ARM_FEATURE_DSP

static void run_pair(const struct tk_pair *p) {
    const uint32_t *inputs = p->inputs;
    for (int8_t *output = p->output; output != p->output_end; output += p->output_stride) {
        uint32_t sums[2] = {p->bias[0], p->bias[1]};
        const uint32_t *weights = p->weights;
        for (uint32_t i = 0; i < p->input_words; i += 2, weights += 4)
            for (uint32_t c = 0; c < 2; c++) {
                sums[c] = tk_add_lanes(inputs[i], weights[2 * c], sums[c]);
                sums[c] = tk_add_lanes(inputs[i + 1], weights[2 * c + 1], sums[c]);
            }
        inputs += p->input_words;
        for (uint32_t c = 0; c < 2; c++)
            output[c] = output_of(sums[c], &p->rescaling[c], p->low, p->high);
    }
}

void tk_pair_2_2(const struct tk_pair *pair) { run_pair(pair); }
void tk_pair_2_4(const struct tk_pair *pair) { run_pair(pair); }
void tk_pair_4_2(const struct tk_pair *pair) { run_pair(pair); }
void tk_pair_4_4(const struct tk_pair *pair) { run_pair(pair); }

/* Four rows of weights with 128 added, `row` bytes each, times inputs in lanes: added to `sums`. */
void tk_dot_four(const uint32_t *inputs, const uint32_t *inputs_end, const uint8_t *weights, uint32_t row,
                 uint32_t *sums) {
    for (; inputs != inputs_end; inputs += 2, weights += 4)
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t word = tk_word_at(weights + i * row);
            sums[i] = tk_add_lanes(inputs[0], tk_unsigned_lanes_02(word), sums[i]);
            sums[i] = tk_add_lanes(inputs[1], tk_unsigned_lanes_13(word), sums[i]);
        }
}

#endif

void tk_prepare_inputs(uint32_t *to, const int8_t *from, uint32_t groups) { tk_unpack_inputs(to, from, groups); }

/* Weights have 128 added: 128 times all inputs is taken from each sum. Four rows at a time share the loads of inputs.
 */
void tk_dot_rows(struct tk_rows *r) {
    uint32_t excess = 0;
    uint32_t row = 4 * r->groups;
    const uint32_t *inputs_end = r->inputs + 2 * r->groups;
    for (const uint32_t *inputs = r->inputs; inputs != inputs_end; inputs++)
        excess = tk_add_lanes(*inputs, TK_EXCESS, excess);
    struct tk_output_range range = {r->zero_point, r->low, r->high};
    while (r->count) {
        uint32_t together = r->count < 4 ? 1 : 4;
        uint32_t sums[4] = {0, 0, 0, 0};
        if (together == 4) {
            tk_dot_four(r->inputs, inputs_end, r->weights, row, sums);
        } else {
            const uint8_t *weights = r->weights;
            for (const uint32_t *inputs = r->inputs; inputs != inputs_end; inputs += 2, weights += 4) {
                uint32_t word = tk_word_at(weights);
                sums[0] = tk_add_lanes(inputs[0], tk_unsigned_lanes_02(word), sums[0]);
                sums[0] = tk_add_lanes(inputs[1], tk_unsigned_lanes_13(word), sums[0]);
            }
        }
        for (uint32_t i = 0; i < together; i++) {
            struct tk_rescaling rescaling = tk_rescaling_of(*r->multiplier++, r->scaling++, &range);
            *r->output++ = output_of(sums[i] + (uint32_t)*r->bias++ - excess, &rescaling, r->low, r->high);
        }
        r->weights += together * row;
        r->count -= together;
    }
}

void tk_add_tables(const struct tk_addition *a) {
    const int8_t *input1 = a->input1;
    const int8_t *input2 = a->input2;
    int8_t *output = a->output;
    for (uint32_t i = a->count; i; i--) {
        uint32_t sum = (uint32_t)a->table1[*input1++] + (uint32_t)a->table2[*input2++];
        *output++ = output_of(sum, &a->rescaling, a->low, a->high);
    }
}

#endif
