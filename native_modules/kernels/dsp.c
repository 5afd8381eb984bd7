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

void tk_four_3x3(struct tk_four *f) {
    const uint8_t *position = (const uint8_t *)f->inputs;
    for (; f->rows; f->rows--, position += f->next_row_bytes)
        for (uint32_t column = 0; column < f->columns; column++, position += f->step_bytes) {
            uint32_t sums[TK_FOUR] = {f->bias[0], f->bias[1], f->bias[2], f->bias[3]};
            const uint32_t *weights = f->weights;
            for (int32_t ky = 0; ky < 3; ky++)
                for (int32_t kx = 0; kx < 3; kx++, weights += 2)
                    tk_add_four(sums, tk_word_at(position + ky * f->row_bytes + 4 * kx), weights[0], weights[1]);
            for (uint32_t i = 0; i < TK_FOUR; i++)
                f->output[i] = output_of(sums[i], &f->rescaling[i], f->low, f->high);
            f->output += f->output_step;
        }
}

#endif

void tk_prepare_inputs(uint32_t *to, const int8_t *from, uint32_t groups) { tk_unpack_inputs(to, from, groups); }

/* One row of weights, likewise. */
static uint32_t dot_one(const uint32_t *inputs, const uint32_t *inputs_end, const uint8_t *weights) {
    uint32_t sum = 0;
    for (; inputs != inputs_end; inputs += 2, weights += 4) {
        uint32_t word = tk_word_at(weights);
        sum = tk_add_lanes(inputs[0], tk_unsigned_lanes_02(word), sum);
        sum = tk_add_lanes(inputs[1], tk_unsigned_lanes_13(word), sum);
    }
    return sum;
}

/* Weights have 128 added: 128 times all inputs is taken from each sum. Four rows at a time share the loads of inputs.
 */
void tk_dot_rows(struct tk_rows *r) {
    uint32_t row = 4 * r->groups;
    const uint32_t *inputs_end = r->inputs + 2 * r->groups;
    uint32_t excess = 0;
    for (const uint32_t *inputs = r->inputs; inputs != inputs_end; inputs++)
        excess = tk_add_lanes(*inputs, TK_EXCESS, excess);
    const struct tk_output_range range = {r->zero_point, r->low, r->high};
    const uint8_t *weights = r->weights;
    const int32_t *bias = r->bias;
    const int32_t *multiplier = r->multiplier;
    const struct tk_scaling *scaling = r->scaling;
    int8_t *output = r->output;
    uint32_t count = r->count;
    while (count) {
        uint32_t sums[4] = {0, 0, 0, 0};
        uint32_t together = 4;
        if (count >= together) {
            tk_dot_four(r->inputs, inputs_end, weights, row, sums);
        } else {
            together = 1;
            sums[0] = dot_one(r->inputs, inputs_end, weights);
        }
        for (uint32_t i = 0; i < together; i++) {
            struct tk_rescaling rescaling = tk_rescaling_of(*multiplier++, scaling++, &range);
            *output++ = output_of(sums[i] + (uint32_t)*bias++ - excess, &rescaling, range.low, range.high);
        }
        weights += together * row;
        count -= together;
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
