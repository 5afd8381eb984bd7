/* tinympy kernels: run a compiled program on an arena, bit for bit as TensorFlow Lite Micro's int8 reference would.
 *
 * The caller owns all memory: the program (read only), the arena, and the handle that ties a checked program to the
 * places of its constants. The kernels allocate nothing, keep no state and touch only what the program was checked
 * for: tk_load looks at every offset and length once, tk_run trusts it.
 *
 * docs/program-format.md is the specification of the structures that a program consists of. */
#ifndef TK_H
#define TK_H

#include <stdint.h>

#define TK_MAGIC 0x59504d54u /* "TMPY" */
#define TK_VERSION 2u
#define TK_ALIGNMENT 8u               /* of the program, the handle and the arena, in bytes */
#define TK_MAX_ARENA_BYTES (1u << 30) /* so that every offset into it is an int32_t */
#define TK_NO_TILE 0xffffu            /* the tile of an operation without constants */
#define TK_INPUT_REUSED 1u            /* a flag of an input: an inference may overwrite it */

/* What tk_handle_bytes, tk_load and tk_run return, negated, when they refuse. From TK_ERROR_OPCODE on it is one
 * operation that is refused, and its index times 256 is subtracted as well. */
enum tk_error {
    TK_OK = 0,
    TK_ERROR_TRUNCATED = 1,    /* fewer bytes than the head announces */
    TK_ERROR_MAGIC = 2,        /* not a program */
    TK_ERROR_VERSION = 3,      /* a program format this module does not know */
    TK_ERROR_HEAD = 4,         /* counts and sizes of the head contradict each other */
    TK_ERROR_ALIGNMENT = 5,    /* program, arena or tile addresses at an unaligned address */
    TK_ERROR_TILE = 6,         /* a tile outside the program, unaligned or not the one announced */
    TK_ERROR_TENSOR = 7,       /* an input or output lies outside the arena */
    TK_ERROR_HANDLE = 8,       /* not a handle that tk_load made, too small or unaligned */
    TK_ERROR_ARENA = 9,        /* the arena is smaller than the program needs */
    TK_ERROR_RANGE = 10,       /* no such range of operations */
    TK_ERROR_OPCODE = 16,      /* from here on: operation by operation */
    TK_ERROR_SHAPE = 17,       /* a dimension, stride or count that cannot be */
    TK_ERROR_ACTIVATIONS = 18, /* input, output or scratch outside the arena */
    TK_ERROR_CONSTANTS = 19,   /* constants outside their tile */
    TK_ERROR_VALUE = 20        /* a constant or parameter outside its range */
};

/* Every kernel: its opcode in a program, and its name. */
#define TK_KERNELS(KERNEL)                                                                                             \
    KERNEL(1, conv_2d)                                                                                                 \
    KERNEL(2, depthwise_conv_2d)                                                                                       \
    KERNEL(3, fully_connected)                                                                                         \
    KERNEL(4, average_pool_2d)                                                                                         \
    KERNEL(5, softmax)                                                                                                 \
    KERNEL(6, max_pool_2d)                                                                                             \
    KERNEL(7, elementwise)                                                                                             \
    KERNEL(8, lookup)                                                                                                  \
    KERNEL(9, reduce)                                                                                                  \
    KERNEL(10, copy)                                                                                                   \
    KERNEL(11, fill)                                                                                                   \
    KERNEL(12, gather)                                                                                                 \
    KERNEL(13, log_softmax)                                                                                            \
    KERNEL(14, svdf)                                                                                                   \
    KERNEL(15, lstm)                                                                                                   \
    KERNEL(16, resize_bilinear)                                                                                        \
    KERNEL(17, quantise)                                                                                               \
    KERNEL(18, arg)                                                                                                    \
    KERNEL(19, batch_matmul)

/* A program: this header, then input_count + output_count tensors, then the operations, then the tile table: together
 * the head. The tiles with the constants follow, or lie elsewhere (in flash). */
struct tk_header {
    uint32_t magic;
    uint16_t version;
    uint16_t header_bytes;
    uint32_t program_bytes;
    uint32_t head_crc32;
    uint32_t program_id;
    uint8_t layout;
    uint8_t input_count;
    uint8_t output_count;
    uint8_t block_shift; /* each tile lies within a block of 2^this bytes of a file in flash; 0: anywhere */
    uint16_t operation_count;
    uint16_t tile_count;
    uint32_t arena_bytes;
    uint32_t head_bytes;
    uint16_t initial_operations; /* the first ones, which set the state: run once, before the first inference */
    char name[26];
    uint8_t model_sha256[32];
};

/* An input or output of the model. Only `offset` and `bytes` matter to the kernels. */
struct tk_tensor {
    uint32_t offset;
    uint32_t bytes;
    float scale;
    int32_t zero_point;
    uint8_t dtype;
    uint8_t rank;
    uint16_t shape[6];
    uint8_t flags; /* TK_INPUT_REUSED */
    uint8_t reserved;
};

/* Where in the program a tile lies (its 16-byte header), and how many bytes of constants it holds. */
struct tk_tile_entry {
    uint32_t offset;
    uint32_t bytes;
};

struct tk_tile {
    uint32_t program_id;
    uint32_t index;
    uint32_t bytes;
    uint32_t crc32;
};

/* conv_2d, depthwise_conv_2d, average_pool_2d, max_pool_2d: a window slides over one image of height x width x
 * channels. The operation computes output channels first_channel … first_channel + channels - 1. */
struct tk_window {
    uint16_t input_height, input_width, input_channels;
    uint16_t output_height, output_width, output_channels;
    uint16_t kernel_height, kernel_width;
    uint16_t stride_height, stride_width;
    uint16_t dilation_height, dilation_width;
    uint16_t pad_top, pad_left;
    int16_t input_zero_point;
    int16_t output_zero_point;
    int16_t output_min, output_max;
    uint16_t first_channel, channels;
    uint16_t depth;               /* conv_2d: input channels of a filter; depthwise: outputs of an input channel */
    uint16_t first_input_channel; /* conv_2d: where a filter's input channels begin */
};

struct tk_fully_connected {
    uint32_t batches, inputs, outputs;
    uint32_t first_channel, channels;
    int16_t output_zero_point;
    int16_t output_min, output_max;
    uint16_t reserved[9];
};

struct tk_softmax {
    uint32_t rows, depth;
    uint32_t exponentials; /* entries of the table in the constants */
    uint32_t output_bytes; /* of each element: 1 or 2 */
    uint32_t reserved[7];
};

/* Begins as tk_softmax does; the table is SOFTMAX's for beta 1. */
struct tk_log_softmax {
    uint32_t rows, depth;
    uint32_t exponentials;
    uint32_t output_bytes;      /* 1 */
    int32_t multiplier;         /* from a distance, shifted up, to Q5.26 */
    int32_t inverse_multiplier; /* and back */
    int8_t shift, inverse_shift;
    uint8_t reserved[18];
};

enum tk_elementwise_kind {
    TK_ELEMENTWISE_ADD = 0,
    TK_ELEMENTWISE_MUL = 1,
    TK_ELEMENTWISE_MAXIMUM = 2,
    TK_ELEMENTWISE_MINIMUM = 3,
    TK_ELEMENTWISE_PRELU = 4
};

/* Bit d of broadcast1 and broadcast2: that input has one element along dimension d of `shape`. */
struct tk_elementwise {
    uint32_t input2; /* offset in the arena */
    uint16_t shape[6];
    uint8_t broadcast1, broadcast2;
    uint8_t kind;
    uint8_t reserved1;
    int16_t zero_point1, zero_point2, output_zero_point, output_min, output_max;
    int8_t shift1, shift2;
    int32_t multiplier1, multiplier2;
    uint8_t packing, fraction, edge; /* ADD: as of a channel */
    uint8_t reserved2;
};

struct tk_lookup {
    uint32_t bytes;
    uint32_t reserved[10];
};

enum tk_reduce_kind { TK_REDUCE_SUM = 0, TK_REDUCE_MAX = 1, TK_REDUCE_MIN = 2 };

struct tk_reduce {
    uint32_t outer, reduced, inner;
    int32_t offset; /* added to each sum: what the zero points of the input amount to */
    int32_t multiplier;
    int8_t shift;
    uint8_t kind;
    int16_t output_zero_point;
    uint32_t reserved[5];
};

struct tk_copy {
    uint8_t loops;
    uint8_t from_constants; /* `input` counts from behind the loops in the constants */
    uint16_t element_bytes;
    uint32_t reserved[10];
};

/* The constants of a copy begin with its loops, the outermost first. */
struct tk_loop {
    uint32_t count;
    int32_t input_stride, output_stride; /* in bytes */
};

struct tk_fill {
    uint32_t bytes;
    int32_t value;
    uint32_t reserved[9];
};

struct tk_gather {
    uint32_t outer, blocks, block_bytes;
    uint32_t indices;
    uint32_t reserved[7];
};

/* One frame of `inputs`, and for each of `units` outputs `rank` filters. The operation computes `channels` units, from
 * first_channel on. The state is (filters, memory), the newest number of each filter last. */
struct tk_svdf {
    uint32_t state; /* offset in the arena */
    uint32_t inputs, units, rank, memory;
    uint32_t first_channel, channels;
    int32_t state_multiplier, output_multiplier;
    int8_t state_shift, output_shift;
    uint8_t state_bytes; /* of each number of the state and of the weights of time: 1 or 2 */
    int8_t output_zero_point;
    int16_t state_zero_point;
    uint16_t reserved;
};

/* `steps` frames one after another, or one frame for only `channels` units, from first_channel on: with the last of the
 * units the hidden state becomes the output. */
struct tk_lstm {
    uint32_t hidden, cell;                /* offsets in the arena: int8 and int16, one for each unit */
    uint32_t input_stride, output_stride; /* from step to step, in bytes */
    uint16_t steps, inputs, units;
    uint16_t first_channel, channels;
    uint16_t cell_limit;
    int32_t input_multiplier, hidden_multiplier;
    int8_t input_shift, hidden_shift;
    int8_t hidden_zero_point;
    int8_t cell_exponent; /* the cell state counts in units of 2^cell_exponent */
    uint8_t reserved[4];
};

/* One image; steps and origins in 1024ths of an input position. */
struct tk_resize_bilinear {
    uint16_t input_height, input_width;
    uint16_t output_height, output_width;
    uint16_t channels;
    uint16_t reserved1;
    uint32_t row_step, column_step;    /* from one output position to the next */
    int32_t row_origin, column_origin; /* where the first output lies */
    uint32_t reserved2[4];
};

struct tk_quantise {
    uint32_t elements;
    int32_t input_zero_point, output_zero_point;
    int32_t multiplier;
    int8_t shift;
    uint8_t input_bytes, output_bytes; /* of each element: 1, 2 or 4 */
    uint8_t reserved[25];
};

enum tk_arg_kind { TK_ARG_MAX = 0, TK_ARG_MIN = 1 };

struct tk_arg {
    uint32_t outer, depth, inner;
    uint32_t kind;
    uint32_t reserved[7];
};

/* (rows, depth) times (depth, columns). Bits of `transposed`: 1: the first lies as (depth, rows), 2: the second as
 * (columns, depth). */
struct tk_batch_matmul {
    uint32_t input2; /* offset in the arena */
    uint32_t rows, depth, columns;
    int32_t multiplier;
    int16_t zero_point1, zero_point2, output_zero_point;
    int8_t shift;
    uint8_t transposed;
    uint32_t reserved[4];
};

/* Offsets in the arena beyond input, output and scratch (a second input, state) come first in the parameters. */
struct tk_operation {
    uint8_t opcode;
    uint8_t block; /* output positions (conv_2d) or rows (depthwise_conv_2d) computed at a time; 0: the plain kernel */
    uint16_t tile;
    uint32_t constants;              /* offset in the tile */
    uint32_t input, output, scratch; /* offsets in the arena */
    union {
        struct tk_window window;
        struct tk_fully_connected fully_connected;
        struct tk_softmax softmax;
        struct tk_log_softmax log_softmax;
        struct tk_elementwise elementwise;
        struct tk_lookup lookup;
        struct tk_reduce reduce;
        struct tk_copy copy;
        struct tk_fill fill;
        struct tk_gather gather;
        struct tk_svdf svdf;
        struct tk_lstm lstm;
        struct tk_resize_bilinear resize_bilinear;
        struct tk_quantise quantise;
        struct tk_arg arg;
        struct tk_batch_matmul batch_matmul;
    } as;
};

/* The format has no padding that a compiler could choose. */
typedef char tk_assert_header_size[sizeof(struct tk_header) == 96 ? 1 : -1];
typedef char tk_assert_tensor_size[sizeof(struct tk_tensor) == 32 ? 1 : -1];
typedef char tk_assert_operation_size[sizeof(struct tk_operation) == 64 ? 1 : -1];
typedef char tk_assert_tile_size[sizeof(struct tk_tile) == 16 ? 1 : -1];

/* Bytes of memory that tk_load needs for the handle of this program, or a negated tk_error. */
int32_t tk_handle_bytes(const void *program, uint32_t length);

/* Check a program of `length` bytes once and for all and write its handle. `tiles`: the addresses of the tile headers,
 * one for each tile, or 0 when the tiles follow the head in `program` itself. TK_OK or a negated error. */
int32_t tk_load(void *handle, uint32_t handle_bytes, const void *program, uint32_t length, const void *const *tiles);

/* Run operations first … last - 1 of a loaded program. TK_OK or a negated error; on an error nothing was computed. */
int32_t tk_run(const void *handle, uint32_t handle_bytes, void *arena, uint32_t arena_bytes, uint32_t first,
               uint32_t last);

/* --- Between program.c and the kernels: each kernel has a check, run once at load, and a run. --- */

/* What an operation may touch. */
struct tk_limits {
    uint32_t arena_bytes;
    uint32_t constants_bytes; /* from the operation's constants to the end of their tile; 0 without constants */
};

/* In place. The compiler may let an output lie over an input of the same operation, so far below it that with this
 * order no byte is written that is still to be read (host/tinympy/compiler/overlap.py computes how far). Every engine
 * keeps to it; a kernel may read earlier than this says, but neither write earlier nor read later.
 *
 * - conv_2d, depthwise_conv_2d: output positions in increasing order, row by row. All that a position reads is read
 *   before any of its channels is written; a conv_2d of one tap may read until the last one is. A
 *   depthwise_conv_2d with a `block`: so many rows of outputs at a time, all that they read until the last one is
 * written.
 * - average_pool_2d, max_pool_2d: as a conv_2d of one tap, a position's window is read until its last channel is
 *   written.
 * - fully_connected: rows in increasing order; a row of the input until the last of its outputs is written.
 * - softmax, log_softmax: elements in increasing order, after their whole row was read once; element i of the input is
 *   read for the last time before element i of the output is written. Over int16 outputs no input lies.
 * - elementwise, lookup: elements in increasing order, each read before it is written. What is broadcast, no output
 *   lies over.
 * - reduce: outputs in increasing order, each after all that it depends on was read.
 * - copy, gather: elements and blocks in the order of the loops and indices, each from its first byte to its last.
 * - svdf, lstm, resize_bilinear, quantise, arg, batch_matmul: no output lies over an input.
 *
 * Scratch and state never overlap anything. */

#define TK_DECLARE_KERNEL(opcode, name)                                                                                \
    enum tk_error tk_##name##_check(const struct tk_operation *op, const uint8_t *constants,                           \
                                    const struct tk_limits *limits);                                                   \
    void tk_##name(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena);

TK_KERNELS(TK_DECLARE_KERNEL)

#endif
