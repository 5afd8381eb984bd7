/* FILL: one value everywhere, for what PAD adds around a copy. */
#include "arithmetic.h"
#include "tk.h"

enum tk_error tk_fill_check(const struct tk_operation *op, const uint8_t *constants, const struct tk_limits *limits) {
    (void)constants;
    return tk_fits(op->output, op->as.fill.bytes, limits->arena_bytes) ? TK_OK : TK_ERROR_ACTIVATIONS;
}

void tk_fill(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    (void)constants;
    uint8_t *output = arena + op->output;
    for (uint32_t i = 0; i < op->as.fill.bytes; i++)
        output[i] = (uint8_t)op->as.fill.value;
}
