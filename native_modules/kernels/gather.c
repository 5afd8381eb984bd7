/* GATHER: blocks picked by a constant list of indices (RESIZE_NEAREST_NEIGHBOR row by row, GATHER). */
#include "arithmetic.h"
#include "tk.h"

enum tk_error tk_gather_check(const struct tk_operation *op, const uint8_t *constants, const struct tk_limits *limits) {
    const struct tk_gather *g = &op->as.gather;
    const uint16_t *index = (const uint16_t *)(const void *)constants;
    if (!g->outer || !g->indices || !g->block_bytes || !g->blocks)
        return TK_ERROR_SHAPE;
    if (tk_size(g->indices, 2) > limits->constants_bytes)
        return TK_ERROR_CONSTANTS;
    for (uint32_t i = 0; i < g->indices; i++)
        if (index[i] >= g->blocks)
            return TK_ERROR_VALUE;
    uint32_t input_bytes = tk_size(tk_size(g->outer, g->blocks), g->block_bytes);
    uint32_t output_bytes = tk_size(tk_size(g->outer, g->indices), g->block_bytes);
    if (!tk_fits(op->input, input_bytes, limits->arena_bytes) ||
        !tk_fits(op->output, output_bytes, limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    return TK_OK;
}

void tk_gather(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_gather *g = &op->as.gather;
    const uint16_t *index = (const uint16_t *)(const void *)constants;
    const uint8_t *input = arena + op->input;
    uint8_t *output = arena + op->output;
    for (uint32_t outer = 0; outer < g->outer; outer++) {
        for (uint32_t i = 0; i < g->indices; i++) {
            const uint8_t *block = input + index[i] * g->block_bytes;
            for (uint32_t b = 0; b < g->block_bytes; b++)
                *output++ = block[b];
        }
        input += g->blocks * g->block_bytes;
    }
}
