/* What SOFTMAX and LOG_SOFTMAX have in common, in gemmlowp's fixed point; softmax.c defines it. */
#ifndef TK_SOFTMAX_H
#define TK_SOFTMAX_H

#include <stdint.h>

int32_t tk_row_maximum(const int8_t *row, uint32_t depth);

/* The exponentials of all distances from the row's maximum, added up in Q12.19. */
uint32_t tk_sum_of_exponentials(const int8_t *row, uint32_t depth, int32_t maximum, const int32_t *exponential,
                                uint32_t exponentials);

/* 1 / (1 + x) in Q0.31 for x in Q0.31, 0 <= x < 1. */
int32_t tk_one_over_one_plus(int32_t x);

/* x * 2^exponent, saturating. */
int32_t tk_saturating_shift_left(int32_t x, int32_t exponent);

/* Leading zero bits; 0 of 0. */
int32_t tk_headroom(uint32_t x);

#endif
