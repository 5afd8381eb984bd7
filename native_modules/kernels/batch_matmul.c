/* BATCH_MATMUL: one product of two matrices, neither of which is constant. TFLM: reference_ops::BatchMatMul. */
#include "arithmetic.h"
#include "tk.h"

enum tk_error tk_batch_matmul_check(const struct tk_operation *op, const uint8_t *constants,
                                    const struct tk_limits *limits) {
    (void)constants;
    const struct tk_batch_matmul *m = &op->as.batch_matmul;
    if (!m->rows || !m->depth || !m->columns)
        return TK_ERROR_SHAPE;
    if (!tk_fits(op->input, tk_size(m->rows, m->depth), limits->arena_bytes) ||
        !tk_fits(m->input2, tk_size(m->depth, m->columns), limits->arena_bytes) ||
        !tk_fits(op->output, tk_size(m->rows, m->columns), limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    if (!tk_is_int8(m->output_zero_point) || m->multiplier < 0 || m->shift < -31 || m->shift > 30)
        return TK_ERROR_VALUE;
    return TK_OK;
}

void tk_batch_matmul(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    (void)constants;
    const struct tk_batch_matmul *m = &op->as.batch_matmul;
    const int8_t *first = (const int8_t *)arena + op->input;
    int8_t *output = (int8_t *)arena + op->output;
    uint32_t row_step = m->transposed & 1u ? 1 : m->depth;
    uint32_t step1 = m->transposed & 1u ? m->rows : 1;
    uint32_t column_step = m->transposed & 2u ? m->depth : 1;
    uint32_t step2 = m->transposed & 2u ? 1 : m->columns;
    for (uint32_t row = 0; row < m->rows; row++, first += row_step) {
        const int8_t *second = (const int8_t *)arena + m->input2;
        for (uint32_t column = 0; column < m->columns; column++, second += column_step) {
            uint32_t sum = 0;
            for (uint32_t d = 0; d < m->depth; d++)
                sum += (uint32_t)((first[d * step1] - m->zero_point1) * (second[d * step2] - m->zero_point2));
            *output++ = tk_requantise(sum, m->multiplier, m->shift, m->output_zero_point, -128, 127);
        }
    }
}
