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

static int8_t rescaled(uint32_t sum, const struct tk_rescaling *rescaling, const struct tk_exact *exact,
                       const struct tk_output_range *range) {
    int32_t multiplier = exact->multiplier_high * 65536 + exact->multiplier_low;
    return tk_rescale(sum, rescaling, multiplier, -exact->right, range);
}

/* The sum with a group of four products more, of which `taps` are added at a time; a constant wherever it is called. */
static inline uint32_t add_group(uint32_t sum, uint32_t first, uint32_t second, uint32_t taps) {
    if (taps == 4)
        return tk_add_products(sum, first + second);
    return tk_add_products(tk_add_products(sum, first), second);
}

/* Two positions at a time share the loads of weights; an odd one is computed twice over. */
static inline __attribute__((always_inline)) void run_pair(const struct tk_pair *p, uint32_t taps0, uint32_t taps1) {
    const uint32_t *inputs = p->inputs;
    const uint32_t words = p->input_words;
    struct tk_output_range range = {p->zero_point, p->low, p->high};
    int8_t *output = p->output;
    while (output != p->output_end) {
        int8_t *next = output + p->output_stride;
        int single = next == p->output_end;
        const uint32_t *a = inputs;
        const uint32_t *b = single ? inputs : inputs + words;
        const uint32_t *end = a + words;
        const uint32_t *weights = p->weights;
        uint32_t sum00 = p->bias[0];
        uint32_t sum01 = p->bias[1];
        uint32_t sum10 = sum00;
        uint32_t sum11 = sum01;
        do {
            uint32_t w0 = weights[0];
            uint32_t w1 = weights[1];
            uint32_t w2 = weights[2];
            uint32_t w3 = weights[3];
            weights += 4;
            sum00 = add_group(sum00, a[0] * w0, a[1] * w1, taps0);
            sum01 = add_group(sum01, a[0] * w2, a[1] * w3, taps1);
            sum10 = add_group(sum10, b[0] * w0, b[1] * w1, taps0);
            sum11 = add_group(sum11, b[0] * w2, b[1] * w3, taps1);
            a += 2;
            b += 2;
        } while (a != end);
        output[0] = rescaled(sum00, &p->rescaling[0], &p->exact[0], &range);
        output[1] = rescaled(sum01, &p->rescaling[1], &p->exact[1], &range);
        if (single)
            return;
        next[0] = rescaled(sum10, &p->rescaling[0], &p->exact[0], &range);
        next[1] = rescaled(sum11, &p->rescaling[1], &p->exact[1], &range);
        output = next + p->output_stride;
        inputs = b;
    }
}

void tk_pair_2_2(const struct tk_pair *pair) { run_pair(pair, 2, 2); }
void tk_pair_2_4(const struct tk_pair *pair) { run_pair(pair, 2, 4); }
void tk_pair_4_2(const struct tk_pair *pair) { run_pair(pair, 4, 2); }
void tk_pair_4_4(const struct tk_pair *pair) { run_pair(pair, 4, 4); }

/* The word of four weights, its odd bytes in lanes; times a group of prepared inputs, added to `sum`. */
static inline uint32_t add_word(uint32_t sum, uint32_t word, uint32_t a, uint32_t b, uint32_t excess, uint32_t taps) {
    uint32_t odd = word >> 8 & TK_LANES;
    if (taps == 4)
        return tk_add_products(sum, word * a + odd * b - excess);
    sum = tk_add_products(sum, ((word & TK_LANES) - TK_SIGNS) * a);
    return tk_add_products(sum, (odd - TK_SIGNS) * (b + (a << 8)));
}

/* Two rows share the loads of inputs. */
static inline __attribute__((always_inline)) void dot_two(const struct tk_rows *r, uint32_t *sums, uint32_t taps) {
    const uint32_t *first = (const uint32_t *)(const void *)r->weights;
    const uint32_t *end = first + r->groups;
    const uint32_t *second = end;
    const uint32_t *inputs = r->inputs;
    uint32_t sum0 = 0;
    uint32_t sum1 = 0;
    for (; first != end; inputs += 3) {
        uint32_t a = inputs[0];
        uint32_t b = inputs[1];
        uint32_t excess = inputs[2];
        sum0 = add_word(sum0, *first++, a, b, excess, taps);
        sum1 = add_word(sum1, *second++, a, b, excess, taps);
    }
    sums[0] = sum0;
    sums[1] = sum1;
}

static uint32_t dot(const struct tk_rows *r) {
    const uint32_t *words = (const uint32_t *)(const void *)r->weights;
    const uint32_t *inputs = r->inputs;
    uint32_t sum = 0;
    if (r->taps == 4)
        for (uint32_t i = r->groups; i; i--, inputs += 3)
            sum = add_word(sum, *words++, inputs[0], inputs[1], inputs[2], 4);
    else
        for (uint32_t i = r->groups; i; i--, inputs += 3)
            sum = add_word(sum, *words++, inputs[0], inputs[1], inputs[2], 2);
    return sum;
}

void tk_dot_rows(struct tk_rows *r) {
    struct tk_output_range range = {r->zero_point, r->low, r->high};
    while (r->count) {
        uint32_t together = r->count == 1 ? 1 : 2;
        uint32_t sums[2];
        if (together == 1)
            sums[0] = dot(r);
        else if (r->taps == 4)
            dot_two(r, sums, 4);
        else
            dot_two(r, sums, 2);
        for (uint32_t i = 0; i < together; i++, r->count--) {
            struct tk_rescaling rescaling = tk_rescaling_of(*r->multiplier, r->scaling, &range);
            *r->output++ =
                tk_rescale(sums[i] + (uint32_t)*r->bias++, &rescaling, *r->multiplier, r->scaling->shift, &range);
            r->multiplier++;
            r->scaling++;
        }
        r->weights += 4 * together * r->groups;
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
