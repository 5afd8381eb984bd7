/* The inner loops of packed.h in plain C: what armv6m/ has in assembly. */
#include "packed.h"

/* An empty file is not C. */
typedef int tk_packed_is_optional;

#if TK_PACKED && !TK_DSP

void tk_prepare_inputs(uint32_t *to, const int8_t *from, uint32_t groups) {
    for (uint32_t i = 0; i < groups; i++, from += 4, to += 3) {
        uint32_t words[2];
        tk_unpack_inputs(words, from, 1);
        to[0] = words[0];
        to[1] = words[1] - (words[0] << 8);
        to[2] = (words[0] + words[1]) * TK_SIGNS;
    }
}

#if !defined(__ARM_ARCH_6M__)

uint32_t *tk_unpack_inputs(uint32_t *to, const int8_t *from, uint32_t groups) {
    for (uint32_t i = 0; i < groups; i++, from += 4) {
        uint32_t biased = tk_word_of(from) ^ 0x80808080u;
        biased = biased >> 16 | biased << 16;
        *to++ = (biased & TK_LANES) - TK_SIGNS;
        *to++ = (biased >> 8 & TK_LANES) - TK_SIGNS;
    }
    return to;
}

void tk_unpack_weights(uint32_t *to, const int8_t *from, uint32_t groups) {
    for (uint32_t i = 0; i < groups; i++, from += 4, to += 4) {
        uint32_t biased = tk_word_of(from) ^ 0x80808080u;
        to[0] = (biased & TK_LANES) - TK_SIGNS;
        to[1] = (biased >> 8 & TK_LANES) - TK_SIGNS;
    }
}

static uint32_t add_group(uint32_t sum, const uint32_t *inputs, const uint32_t *weights, uint32_t taps) {
    uint32_t first = inputs[0] * weights[0];
    uint32_t second = inputs[1] * weights[1];
    if (taps == 4)
        return tk_add_products(sum, first + second);
    return tk_add_products(tk_add_products(sum, first), second);
}

static int8_t rescaled(uint32_t sum, const struct tk_rescaling *rescaling, const struct tk_exact *exact,
                       const struct tk_output_range *range) {
    int32_t multiplier = exact->multiplier_high * 65536 + exact->multiplier_low;
    return tk_rescale(sum, rescaling, multiplier, -exact->right, range);
}

static void run_pair(const struct tk_pair *p, uint32_t taps0, uint32_t taps1) {
    const uint32_t *inputs = p->inputs;
    struct tk_output_range range = {p->zero_point, p->low, p->high};
    for (int8_t *output = p->output; output != p->output_end; output += p->output_stride) {
        uint32_t sums[2] = {p->bias[0], p->bias[1]};
        const uint32_t *weights = p->weights;
        for (uint32_t i = 0; i < p->input_words; i += 2, weights += 4) {
            sums[0] = add_group(sums[0], inputs + i, weights, taps0);
            sums[1] = add_group(sums[1], inputs + i, weights + 2, taps1);
        }
        inputs += p->input_words;
        for (uint32_t c = 0; c < 2; c++)
            output[c] = rescaled(sums[c], &p->rescaling[c], &p->exact[c], &range);
    }
}

void tk_pair_2_2(const struct tk_pair *pair) { run_pair(pair, 2, 2); }
void tk_pair_2_4(const struct tk_pair *pair) { run_pair(pair, 2, 4); }
void tk_pair_4_2(const struct tk_pair *pair) { run_pair(pair, 4, 2); }
void tk_pair_4_4(const struct tk_pair *pair) { run_pair(pair, 4, 4); }

static uint32_t dot(const uint32_t *inputs, const uint8_t *weights, uint32_t groups, uint32_t taps) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < groups; i++, inputs += 3, weights += 4) {
        uint32_t word = tk_word_of((const int8_t *)weights);
        uint32_t odd = word >> 8 & TK_LANES;
        if (taps == 4) {
            sum = tk_add_products(sum, word * inputs[0] + odd * inputs[1] - inputs[2]);
            continue;
        }
        sum = tk_add_products(sum, ((word & TK_LANES) - TK_SIGNS) * inputs[0]);
        sum = tk_add_products(sum, (odd - TK_SIGNS) * (inputs[1] + (inputs[0] << 8)));
    }
    return sum;
}

void tk_dot_rows(struct tk_rows *r) {
    struct tk_output_range range = {r->zero_point, r->low, r->high};
    for (; r->count; r->count--) {
        uint32_t sum = (uint32_t)*r->bias++ + dot(r->inputs, r->weights, r->groups, r->taps);
        r->weights += 4 * r->groups;
        struct tk_rescaling rescaling = tk_rescaling_of(*r->multiplier, r->scaling, &range);
        *r->output++ = tk_rescale(sum, &rescaling, *r->multiplier++, r->scaling->shift, &range);
        r->scaling++;
    }
}

static void run_plane(const struct tk_plane *p, uint32_t stride) {
    const uint32_t *upper = p->upper;
    const uint32_t *lower = p->lower;
    int8_t *output = p->output;
    struct tk_output_range range = {p->zero_point, p->low, p->high};
    for (uint32_t row = 0; row < p->rows; row++) {
        for (uint32_t column = 0; column < p->columns; column++) {
            uint32_t sum = p->bias;
            for (uint32_t x = 0; x < 3; x++)
                sum = tk_add_products(tk_add_products(sum, upper[x] * p->weights[x]), lower[x] * p->weights[3 + x]);
            *output = rescaled(sum, &p->rescaling, &p->exact, &range);
            output += p->output_step;
            upper += stride;
            lower += stride;
        }
        upper += p->row_step / 4;
        lower += p->row_step / 4;
    }
}

void tk_plane_any(const struct tk_plane *p) {
    const uint32_t *position = p->upper;
    int8_t *output = p->output;
    struct tk_output_range range = {p->zero_point, p->low, p->high};
    for (uint32_t row = 0; row < p->rows; row++, position += p->row_step / 4) {
        for (uint32_t column = 0; column < p->columns; column++, position += p->stride / 4) {
            uint32_t sum = p->bias;
            const uint32_t *inputs = position;
            const uint32_t *taps = p->taps;
            while (taps != p->taps_end) {
                for (uint32_t i = 0; i < p->row_bytes / 4; i++)
                    sum = tk_add_products(sum, *inputs++ * *taps++);
                inputs += p->pair_step / 4;
            }
            *output = rescaled(sum, &p->rescaling, &p->exact, &range);
            output += p->output_step;
        }
    }
}

void tk_plane_3x3_stride_1(const struct tk_plane *plane) { run_plane(plane, 1); }
void tk_plane_3x3_stride_2(const struct tk_plane *plane) { run_plane(plane, 2); }

void tk_gather_plane(const struct tk_gathering *g) {
    uint32_t *to = g->to;
    const int8_t *from = g->from;
    for (uint32_t row = 0; row < g->rows; row++) {
        for (uint32_t i = 0; i < g->columns; i++, from += g->step)
            *to++ = (uint32_t)(int32_t)from[0] + ((uint32_t)(int32_t)from[g->below] << 16);
        to += g->to_step / 4;
        from += g->from_step;
    }
}

void tk_add_tables(const struct tk_addition *a) {
    struct tk_output_range range = {a->zero_point, a->low, a->high};
    for (uint32_t i = 0; i < a->count; i++) {
        uint32_t sum = (uint32_t)a->table1[a->input1[i]] + (uint32_t)a->table2[a->input2[i]];
        a->output[i] = rescaled(sum, &a->rescaling, &a->exact, &range);
    }
}

#endif
#endif
