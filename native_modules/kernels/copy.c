/* COPY: the one kernel of every operator that moves values without changing them (CONCATENATION, PAD, SPLIT,
 * STRIDED_SLICE, TRANSPOSE, SPACE_TO_BATCH_ND, …): nested loops, each with a count and a stride at both ends.
 *
 * The loops stand in the constants, the outermost first. The source is the arena, or the constants behind the loops. */
#include "arithmetic.h"
#include "tk.h"

#define MAX_LOOPS 8u

/* Bytes that are copied; UINT32_MAX where that is out of all proportion, 0 where a count is. */
static uint32_t copied_bytes(const struct tk_copy *c, const struct tk_loop *loops) {
    uint32_t bytes = c->element_bytes;
    for (uint32_t i = 0; i < c->loops; i++)
        bytes = tk_size(bytes, loops[i].count);
    return bytes;
}

/* How far loops of counts that are not 0 reach below and above their beginning; 0 where that is beyond any arena. */
static int reach(const struct tk_loop *loops, uint32_t count, int output, uint32_t *below, uint32_t *above) {
    *below = 0;
    *above = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t stride = output ? loops[i].output_stride : loops[i].input_stride;
        uint32_t magnitude = stride < 0 ? 0u - (uint32_t)stride : (uint32_t)stride;
        uint32_t distance = tk_size(loops[i].count - 1, magnitude);
        uint32_t *side = stride < 0 ? below : above;
        if (distance > TK_MAX_ARENA_BYTES - *side)
            return 0;
        *side += distance;
    }
    return 1;
}

enum tk_error tk_copy_check(const struct tk_operation *op, const uint8_t *constants, const struct tk_limits *limits) {
    const struct tk_copy *c = &op->as.copy;
    const struct tk_loop *loops = (const struct tk_loop *)(const void *)constants;
    uint32_t source_bytes = limits->arena_bytes;
    uint32_t below;
    uint32_t above;
    if (!c->loops || c->loops > MAX_LOOPS || !c->element_bytes)
        return TK_ERROR_SHAPE;
    uint32_t table_bytes = c->loops * (uint32_t)sizeof *loops;
    if (table_bytes > limits->constants_bytes)
        return TK_ERROR_CONSTANTS;
    /* What writes no byte twice stays below this bound; strides of 0 could ask for any amount of work. */
    uint32_t bytes = copied_bytes(c, loops);
    if (!bytes || bytes > limits->arena_bytes)
        return TK_ERROR_SHAPE;
    if (c->from_constants)
        source_bytes = limits->constants_bytes - table_bytes;
    if (!reach(loops, c->loops, 0, &below, &above) || below > op->input ||
        !tk_fits(op->input, above + c->element_bytes, source_bytes))
        return c->from_constants ? TK_ERROR_CONSTANTS : TK_ERROR_ACTIVATIONS;
    if (!reach(loops, c->loops, 1, &below, &above) || below > op->output ||
        !tk_fits(op->output, above + c->element_bytes, limits->arena_bytes))
        return TK_ERROR_ACTIVATIONS;
    return TK_OK;
}

static void copy_element(const uint8_t *input, uint8_t *output, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++)
        output[i] = input[i];
}

void tk_copy(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena) {
    const struct tk_copy *c = &op->as.copy;
    const struct tk_loop *loops = (const struct tk_loop *)(const void *)constants;
    const uint8_t *input = (c->from_constants ? (const uint8_t *)(loops + c->loops) : arena) + op->input;
    uint8_t *output = arena + op->output;
    const struct tk_loop *innermost = loops + c->loops - 1;
    uint32_t done[MAX_LOOPS];
    for (uint32_t i = 0; i < MAX_LOOPS; i++)
        done[i] = 0;

    for (;;) {
        for (uint32_t i = 0; i < innermost->count; i++) {
            int32_t at = (int32_t)i;
            copy_element(input + at * innermost->input_stride, output + at * innermost->output_stride,
                         c->element_bytes);
        }
        uint32_t level = c->loops - 1u;
        for (;;) {
            if (level-- == 0)
                return;
            if (++done[level] < loops[level].count)
                break;
            /* Back from the last to the first: one further might lie outside the arena. */
            int32_t last = (int32_t)(loops[level].count - 1);
            input -= last * loops[level].input_stride;
            output -= last * loops[level].output_stride;
            done[level] = 0;
        }
        input += loops[level].input_stride;
        output += loops[level].output_stride;
    }
}
