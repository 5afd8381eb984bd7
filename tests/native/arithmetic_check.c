/* Compares kernels/arithmetic.h with exact integer arithmetic: `arithmetic_check COUNT SEED` prints mismatches of each.
 * Built twice, with and without TK_NARROW_MULTIPLY. */
#include <stdio.h>
#include <stdlib.h>

#include "arithmetic.h"

static uint64_t state;

static uint32_t random_word(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

/* Any width of number is as likely as any other, and halves of ones or zeros are frequent: where carries happen. */
static uint32_t random_number(void) {
    uint32_t x = random_word() >> (random_word() & 31u);
    uint32_t pattern = random_word() & 15u;
    if (pattern == 0)
        x |= 0xffffu;
    else if (pattern == 1)
        x &= 0xffff0000u;
    else if (pattern == 2)
        x |= 0x7fff0000u;
    return random_word() & 1u ? x : 0u - x;
}

/* gemmlowp's SaturatingRoundingDoublingHighMul and RoundingDivideByPOT, from their definitions. */
static int32_t exact_doubling_high_multiply(int32_t a, int32_t b) {
    int64_t product = (int64_t)a * b;
    int64_t nudge = product >= 0 ? 1 << 30 : 1 - (1 << 30);
    return (int32_t)((product + nudge) / ((int64_t)1 << 31));
}

static int32_t exact_rounding_divide(int32_t x, int32_t exponent) {
    int64_t magnitude = x < 0 ? -(int64_t)x : x;
    int64_t rounded = exponent ? (magnitude + ((int64_t)1 << (exponent - 1))) >> exponent : magnitude;
    return (int32_t)(x < 0 ? -rounded : rounded);
}

static int32_t exact_multiply_quantised(int32_t x, int32_t multiplier, int32_t shift) {
    int64_t shifted = (int64_t)x * ((int64_t)1 << (shift > 0 ? shift : 0));
    return exact_rounding_divide(exact_doubling_high_multiply((int32_t)(uint32_t)(uint64_t)shifted, multiplier),
                                 shift > 0 ? 0 : -shift);
}

static uint32_t exact_size(uint32_t a, uint32_t b) {
    uint64_t product = (uint64_t)a * b;
    return product > UINT32_MAX ? UINT32_MAX : (uint32_t)product;
}

int main(int count_arguments, char **arguments) {
    if (count_arguments != 3)
        return 2;
    long count = atol(arguments[1]);
    state = 88172645463325252u ^ (uint64_t)atol(arguments[2]) << 20;
    long requantise = 0;
    long multiply = 0;
    long divide = 0;
    long size = 0;
    for (long i = 0; i < count; i++) {
        int32_t x = (int32_t)random_number();
        int32_t multiplier = (int32_t)(random_number() & 0x7fffffffu);
        if (random_word() & 3u)
            multiplier |= 1 << 30; /* as compilers of models make them */
        int32_t shift = (int32_t)(random_word() % 62u) - 31;
        uint32_t divisor = random_number();
        requantise += tk_multiply_quantised(x, multiplier, shift) != exact_multiply_quantised(x, multiplier, shift);
        multiply += tk_doubling_high_multiply(x, multiplier) != exact_doubling_high_multiply(x, multiplier);
        divide += divisor && tk_divide((uint32_t)x, divisor) != (uint32_t)x / divisor;
        size += tk_size((uint32_t)x, divisor) != exact_size((uint32_t)x, divisor);
    }
    printf("%ld cases; mismatches: requantise %ld, multiply %ld, divide %ld, size %ld\n", count, requantise, multiply,
           divide, size);
    return requantise || multiply || divide || size;
}
