/* Compares the inner loops of kernels/packed.h with plain sums and exact rescaling: `packed_check COUNT SEED <
 * CHANNELS` prints mismatches of each. CHANNELS: what the compiler says of channels, struct channel by struct channel.
 *
 * Built for the computer with TK_PACKED it looks at the plain C, built for armv6m at the assembly. */
#include "packed.h"
#include "platform.h"

#define TAPS 32u
#define GROUPS (TAPS / 4)
#define MAX_CHANNELS 4096u

struct channel {
    int32_t lowest, highest, multiplier;
    struct tk_scaling scaling;
};

static struct channel channels[MAX_CHANNELS];
static int8_t inputs[TAPS];
static int8_t weights[2][TAPS];
static uint32_t unpacked[2 * GROUPS];
static uint32_t words[4 * GROUPS];
static uint32_t prepared[3 * GROUPS];
static uint32_t state;

static uint32_t random_word(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* Ends of the range are frequent: where sums overflow if they can. */
static int8_t random_byte(int32_t low) {
    uint32_t word = random_word();
    if ((word >> 8 & 3u) == 0)
        return (int8_t)(word & 1u ? 127 : low);
    int32_t value = (int8_t)(uint8_t)word;
    return (int8_t)(value < low ? low : value);
}

/* Weights of which any four in a row may be added, if `taps` is 4: their magnitudes sum to 255 at most. */
static void draw_weights(int8_t *to, uint32_t taps) {
    for (uint32_t i = 0; i < TAPS; i += 4) {
        int32_t rest = taps == 4 ? 255 : 4 * 127;
        uint32_t first = random_word();
        for (uint32_t j = 0; j < 4; j++) {
            int32_t value = random_byte(-127);
            int32_t magnitude = value < 0 ? -value : value;
            if (magnitude > rest)
                value = value < 0 ? -rest : rest;
            rest -= value < 0 ? -value : value;
            to[i + ((first + j) & 3u)] = (int8_t)value;
        }
    }
}

static uint32_t exact_dot(const int8_t *a) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < TAPS; i++)
        sum += (uint32_t)(inputs[i] * a[i]);
    return sum;
}

static uint32_t sum_of(const struct channel *c) {
    uint32_t range = (uint32_t)c->highest - (uint32_t)c->lowest;
    uint32_t mask = range;
    for (uint32_t shift = 1; shift < 32; shift <<= 1)
        mask |= mask >> shift;
    uint32_t above;
    do
        above = random_word() & mask;
    while (above > range);
    return (uint32_t)c->lowest + above;
}

static int8_t exact(uint32_t sum, const struct channel *c, const struct tk_output_range *range) {
    return tk_requantise(sum, c->multiplier, c->scaling.shift, range->zero_point, range->low, range->high);
}

int check(uint32_t count, uint32_t seed) {
    uint32_t known = read_all(channels, sizeof channels) / (uint32_t)sizeof channels[0];
    uint32_t rescaled = 0;
    uint32_t pairs = 0;
    uint32_t rows = 0;
    uint32_t undecided = 0;
    state = seed * 2654435761u | 1u;
    for (uint32_t i = 0; i < count; i++) {
        struct tk_output_range range;
        range.zero_point = (int8_t)(uint8_t)random_word();
        range.low = random_word() & 1u ? range.zero_point : -128;
        range.high = random_word() & 3u ? 127 : range.low + (int32_t)(random_word() % (uint32_t)(128 - range.low));
        const struct channel *c[2];
        struct tk_pair pair;
        int8_t outputs[2];
        uint32_t taps = i & 3u;
        uint32_t sums[2];
        for (uint32_t k = 0; k < TAPS; k++)
            inputs[k] = random_byte(-128);
        tk_unpack_inputs(unpacked, inputs, GROUPS);
        for (uint32_t j = 0; j < 2; j++) {
            c[j] = &channels[random_word() % known];
            sums[j] = sum_of(c[j]);
            draw_weights(weights[j], taps >> j & 1u ? 4 : 2);
            tk_unpack_weights(words + 2 * j, weights[j], GROUPS);
            pair.bias[j] = sums[j] - exact_dot(weights[j]);
            pair.rescaling[j] = tk_rescaling_of(c[j]->multiplier, &c[j]->scaling, &range);
            pair.exact[j] = tk_exact_of(c[j]->multiplier, &c[j]->scaling);
            int8_t expected = exact(sums[j], c[j], &range);
            rescaled +=
                tk_rescale(sums[j], &pair.rescaling[j], c[j]->multiplier, c[j]->scaling.shift, &range) != expected;
            const struct tk_rescaling *r = &pair.rescaling[j];
            uint32_t product = (uint32_t)((int32_t)sums[j] >> r->drop) * r->multiplier + r->offset;
            undecided += product < r->range && (product >> r->fraction | product << (32 - r->fraction)) < r->edge;
        }
        pair.weights = words;
        pair.low = range.low;
        pair.high = range.high;
        pair.zero_point = range.zero_point;
        pair.output = outputs;
        pair.output_stride = 2;
        pair.output_end = outputs + 2;
        pair.inputs = unpacked;
        pair.input_words = 2 * GROUPS;
        if (taps == 3)
            tk_pair_4_4(&pair);
        else if (taps == 2)
            tk_pair_2_4(&pair);
        else if (taps == 1)
            tk_pair_4_2(&pair);
        else
            tk_pair_2_2(&pair);
        pairs += outputs[0] != exact(sums[0], c[0], &range);
        pairs += outputs[1] != exact(sums[1], c[1], &range);

        uint8_t offset[TAPS];
        for (uint32_t k = 0; k < TAPS; k++)
            offset[k] = (uint8_t)(weights[0][k] + 128);
        uint32_t aligned[TAPS / 4];
        for (uint32_t k = 0; k < TAPS; k++)
            ((uint8_t *)aligned)[k] = offset[k];
        tk_prepare_inputs(prepared, inputs, GROUPS);
        int32_t bias = (int32_t)pair.bias[0];
        struct tk_rows row = {prepared,
                              (const uint8_t *)aligned,
                              GROUPS,
                              &bias,
                              &c[0]->multiplier,
                              &c[0]->scaling,
                              outputs,
                              1,
                              range.low,
                              range.high,
                              range.zero_point,
                              2 * (uint32_t)(range.zero_point - range.low) + 1,
                              (uint32_t)(range.high - range.low) + 1,
                              taps & 1u ? 4 : 2};
        tk_dot_rows(&row);
        rows += outputs[0] != exact(sums[0], c[0], &range);
    }
    print("cases ", count);
    print(", undecided ", undecided);
    print("; mismatches: rescaled ", rescaled);
    print(", pairs ", pairs);
    print(", rows ", rows);
    print("\n", UINT32_MAX);
    return rescaled || pairs || rows;
}
