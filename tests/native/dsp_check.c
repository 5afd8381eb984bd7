/* Compares kernels/dsp.h and the inner loops made of it with plain sums and exact rescaling, on COUNT random cases from
 * SEED, and prints the mismatches of each. Sums and weights are drawn often from the ends of their ranges.
 *
 * Built for the computer with TK_DSP it looks at the plain C, built for armv7emsp at the instructions and the assembly.
 */
#include "packed.h"
#include "platform.h"

#define TAPS 32u
#define GROUPS (TAPS / 4)
#define POSITIONS 5u
#define ROWS 6u
#define LARGEST_SUM ((1 << 30) - 1)

static uint32_t state;

static uint32_t random_word(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static int8_t random_byte(void) {
    uint32_t word = random_word();
    return (int8_t)(word >> 8 & 3u ? (int8_t)(uint8_t)word : word & 1u ? 127 : -128);
}

static void draw_bytes(int8_t *to, uint32_t count) {
    while (count--)
        *to++ = random_byte();
}

/* Of any magnitude, and near a power of 2 every eighth time. */
static int32_t random_sum(void) {
    uint32_t word = random_word();
    int32_t sum = (int32_t)(random_word() & LARGEST_SUM) >> (word & 31u);
    if (word >> 8 & 7u)
        return word >> 16 & 1u ? sum : -sum;
    sum = (int32_t)((1u << (word & 31u) % 30u) + (word >> 20 & 3u) - 1u);
    return word >> 16 & 1u ? sum : -sum;
}

struct channel {
    int32_t multiplier;
    struct tk_scaling scaling;
};

static struct channel random_channel(void) {
    uint32_t word = random_word();
    struct channel c = {(int32_t)(1u << 30 | (random_word() & ((1u << 30) - 1))), {0, 0, 0, 0}};
    if ((word & 7u) == 0)
        c.multiplier = word & 8u ? INT32_MAX - (int32_t)(word >> 16) : 1 << 30;
    c.scaling.shift = (int8_t)(-1 - (int32_t)((word >> 8) % TK_MOST_RIGHT));
    return c;
}

static struct tk_output_range random_range(void) {
    struct tk_output_range range;
    range.zero_point = random_byte();
    range.low = random_word() & 1u ? range.zero_point : -128;
    range.high = random_word() & 3u ? 127 : range.low + (int32_t)(random_word() % (uint32_t)(128 - range.low));
    return range;
}

static int8_t exact(uint32_t sum, const struct channel *c, const struct tk_output_range *range) {
    return tk_requantise(sum, c->multiplier, c->scaling.shift, range->zero_point, range->low, range->high);
}

static uint32_t check_rescaled(const struct channel *c, const struct tk_output_range *range) {
    uint32_t sum = (uint32_t)random_sum();
    struct tk_rescaling r = tk_rescaling_of(c->multiplier, &c->scaling, range);
    int32_t found = tk_clamped(tk_rescaled(sum, r.multiplier, r.addend, r.right), range->low, range->high);
    return found != exact(sum, c, range);
}

static uint32_t dot(const int8_t *a, const int8_t *b, uint32_t count) {
    uint32_t sum = 0;
    while (count--)
        sum += (uint32_t)(*a++ * *b++);
    return sum;
}

/* One to five positions, of an odd or even number of groups, outputs three apart. */
static uint32_t check_pair(const struct channel *c, const struct tk_output_range *range) {
    static int8_t inputs[POSITIONS][TAPS];
    static int8_t weights[2][TAPS];
    static uint32_t lanes[POSITIONS * 2 * GROUPS];
    static uint32_t words[4 * GROUPS];
    int8_t outputs[3 * POSITIONS];
    uint32_t positions = 1 + random_word() % POSITIONS;
    uint32_t groups = 1 + random_word() % GROUPS;
    struct tk_pair pair;
    pair.weights = words;
    pair.low = range->low;
    pair.high = range->high;
    pair.zero_point = range->zero_point;
    draw_bytes(inputs[0], sizeof inputs);
    draw_bytes(weights[0], sizeof weights);
    uint32_t *to = lanes;
    for (uint32_t i = 0; i < positions; i++)
        to = tk_unpack_inputs(to, inputs[i], groups);
    for (uint32_t i = 0; i < 2; i++) {
        tk_unpack_weights(words + 2 * i, weights[i], groups);
        pair.bias[i] = (uint32_t)(random_sum() / 2);
        pair.rescaling[i] = tk_rescaling_of(c[i].multiplier, &c[i].scaling, range);
    }
    pair.output = outputs;
    pair.output_stride = 3;
    pair.output_end = outputs + 3 * positions;
    pair.inputs = lanes;
    pair.input_words = 2 * groups;
    tk_pair_2_2(&pair);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < positions; i++)
        for (uint32_t k = 0; k < 2; k++)
            wrong += outputs[3 * i + k] != exact(pair.bias[k] + dot(inputs[i], weights[k], 4 * groups), &c[k], range);
    return wrong;
}

static uint32_t check_rows(const struct channel *c, const struct tk_output_range *range) {
    static int8_t inputs[TAPS];
    static uint32_t words[ROWS * GROUPS];
    static uint32_t lanes[2 * GROUPS];
    int8_t weights[TAPS];
    int8_t outputs[ROWS];
    int32_t bias[ROWS];
    int32_t multiplier[ROWS];
    struct tk_scaling scaling[ROWS];
    int8_t expected[ROWS];
    uint32_t groups = 1 + random_word() % GROUPS;
    uint32_t count = 1 + random_word() % ROWS;
    draw_bytes(inputs, TAPS);
    for (uint32_t i = 0; i < count; i++) {
        draw_bytes(weights, TAPS);
        for (uint32_t k = 0; k < 4 * groups; k++)
            ((uint8_t *)words)[4 * groups * i + k] = (uint8_t)(weights[k] + 128);
        bias[i] = random_sum() / 2;
        multiplier[i] = c[i & 1u].multiplier;
        scaling[i] = c[i & 1u].scaling;
        expected[i] = exact((uint32_t)bias[i] + dot(inputs, weights, 4 * groups), &c[i & 1u], range);
    }
    tk_prepare_inputs(lanes, inputs, groups);
    struct tk_rows rows;
    rows.inputs = lanes;
    rows.weights = (const uint8_t *)words;
    rows.groups = groups;
    rows.bias = bias;
    rows.multiplier = multiplier;
    rows.scaling = scaling;
    rows.output = outputs;
    rows.count = count;
    rows.low = range->low;
    rows.high = range->high;
    rows.zero_point = range->zero_point;
    tk_dot_rows(&rows);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < count; i++)
        wrong += outputs[i] != expected[i];
    return wrong;
}

/* Two rows of two outputs, two columns apart, in a plane of five by five. */
static uint32_t check_four(const struct channel *c, const struct tk_output_range *range) {
    static uint32_t plane[25];
    int8_t weights[9][TK_FOUR];
    int8_t outputs[4 * TK_FOUR];
    struct tk_four four;
    four.inputs = plane;
    four.row_bytes = 20;
    four.step_bytes = 8;
    four.next_row_bytes = 24;
    draw_bytes((int8_t *)plane, sizeof plane);
    draw_bytes(weights[0], sizeof weights);
    four.output = outputs;
    four.output_step = TK_FOUR;
    four.columns = 2;
    four.rows = 2;
    four.low = range->low;
    four.high = range->high;
    for (uint32_t i = 0; i < 9; i++) {
        uint32_t word = tk_word_at(weights[i]);
        four.weights[2 * i] = tk_signed_lanes_02(word);
        four.weights[2 * i + 1] = tk_signed_lanes_13(word);
    }
    for (uint32_t i = 0; i < TK_FOUR; i++) {
        four.bias[i] = (uint32_t)(random_sum() / 2);
        four.rescaling[i] = tk_rescaling_of(c[i & 1u].multiplier, &c[i & 1u].scaling, range);
    }
    tk_four_3x3(&four);
    uint32_t wrong = 0;
    for (uint32_t at = 0; at < 4; at++)
        for (uint32_t i = 0; i < TK_FOUR; i++) {
            uint32_t sum = four.bias[i];
            for (uint32_t tap = 0; tap < 9; tap++) {
                uint32_t position = (2 * (at / 2) + tap / 3) * 5 + 2 * (at % 2) + tap % 3;
                sum += (uint32_t)(((const int8_t *)plane)[TK_FOUR * position + i] * weights[tap][i]);
            }
            wrong += outputs[TK_FOUR * at + i] != exact(sum, &c[i & 1u], range);
        }
    return wrong;
}

static int check(uint32_t count, uint32_t seed) {
    uint32_t rescaled = 0;
    uint32_t pairs = 0;
    uint32_t rows = 0;
    uint32_t fours = 0;
    state = seed * 2654435761u | 1u;
    for (uint32_t i = 0; i < count; i++) {
        const struct channel c[2] = {random_channel(), random_channel()};
        const struct tk_output_range range = random_range();
        rescaled += check_rescaled(c, &range);
        if (i % 16 == 0) {
            pairs += check_pair(c, &range);
            rows += check_rows(c, &range);
            fours += check_four(c, &range);
        }
    }
    print("cases ", count);
    print("; mismatches: rescaled ", rescaled);
    print(", pairs ", pairs);
    print(", rows ", rows);
    print(", fours ", fours);
    print("\n", UINT32_MAX);
    return rescaled || pairs || rows || fours;
}

#ifdef BARE
void _start(void) { leave((uint32_t)check(COUNT, SEED)); }
#else
int main(void) { return check(COUNT, SEED); }
#endif
