/* LOOKUP: every function of one int8 value (LOGISTIC, TANH, HARD_SWISH, LEAKY_RELU, NEG, rescaling, …), as the table of
 * its 256 results that the compiler computed. */
#include "arithmetic.h"
#include "tk.h"

enum tk_error tk_lookup_check(const struct tk_operation *op, const uint8_t *constants, const struct tk_limits *limits) {
    (void)constants;
    uint32_t bytes = op->as.lookup.bytes;
    if (!tk_fits(op->input, bytes, limits->arena_bytes) || !tk_fits(op->output, bytes, limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    return limits->constants_bytes < 256 ? TK_ERROR_CONSTANTS : TK_OK;
}

void tk_lookup(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const uint8_t *input = arena + op->input;
    uint8_t *output = arena + op->output;
    for (uint32_t i = 0; i < op->as.lookup.bytes; i++)
        output[i] = constants[input[i]];
}
