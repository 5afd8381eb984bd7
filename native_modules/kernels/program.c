/* Checking a program once, and running ranges of its operations. */
#include "arithmetic.h"
#include "tk.h"

struct handle {
    const struct tk_operation *operations;
    uint32_t operation_count;
    uint32_t arena_bytes;
    uint32_t magic;
    uint32_t tile_count;
    const uint8_t *constants[]; /* of each tile, behind its header */
};

static int is_aligned(const void *address, uint32_t alignment) { return (uintptr_t)address % alignment == 0; }

static uint32_t handle_size(uint32_t tile_count) {
    return (uint32_t)sizeof(struct handle) + tile_count * (uint32_t)sizeof(const uint8_t *);
}

static const struct tk_tensor *tensors_of(const struct tk_header *header) {
    return (const struct tk_tensor *)(const void *)(header + 1);
}

static const struct tk_operation *operations_of(const struct tk_header *header) {
    return (const struct tk_operation *)(const void *)(tensors_of(header) + header->input_count + header->output_count);
}

static const struct tk_tile_entry *tiles_of(const struct tk_header *header) {
    return (const struct tk_tile_entry *)(const void *)(operations_of(header) + header->operation_count);
}

static enum tk_error check_head(const void *program, uint32_t length) {
    const struct tk_header *header = program;
    if (!is_aligned(program, TK_ALIGNMENT))
        return TK_ERROR_ALIGNMENT;
    if (length < sizeof *header)
        return TK_ERROR_TRUNCATED;
    if (header->magic != TK_MAGIC)
        return TK_ERROR_MAGIC;
    if (header->version != TK_VERSION)
        return TK_ERROR_VERSION;
    if (header->header_bytes != sizeof *header || header->layout != 0)
        return TK_ERROR_HEAD;
    /* Counts are 8 and 16 bits wide: these products and sums stay far below 2^32. */
    uint32_t tensors = (uint32_t)header->input_count + header->output_count;
    uint32_t head_bytes = (uint32_t)sizeof *header + tensors * (uint32_t)sizeof(struct tk_tensor) +
                          header->operation_count * (uint32_t)sizeof(struct tk_operation) +
                          header->tile_count * (uint32_t)sizeof(struct tk_tile_entry);
    if (header->head_bytes != head_bytes || header->program_bytes < head_bytes ||
        header->arena_bytes > TK_MAX_ARENA_BYTES || header->initial_operations > header->operation_count)
        return TK_ERROR_HEAD;
    if (length < head_bytes)
        return TK_ERROR_TRUNCATED;
    for (uint32_t i = 0; i < tensors; i++)
        if (!tk_fits(tensors_of(header)[i].offset, tensors_of(header)[i].bytes, header->arena_bytes))
            return TK_ERROR_TENSOR;
    return TK_OK;
}

/* The tile's constants, or 0 if it is not where it should be. */
static const uint8_t *find_tile(const struct tk_header *header, uint32_t length, uint32_t index,
                                const void *const *tiles) {
    const struct tk_tile_entry *entry = &tiles_of(header)[index];
    const struct tk_tile *tile;
    if (tiles) {
        tile = tiles[index];
    } else {
        if (entry->offset < header->head_bytes || !tk_fits(entry->offset, (uint32_t)sizeof *tile, length) ||
            !tk_fits(entry->offset + (uint32_t)sizeof *tile, entry->bytes, length))
            return 0;
        tile = (const void *)((const uint8_t *)header + entry->offset);
    }
    if (!tile || !is_aligned(tile, 4) || tile->program_id != header->program_id || tile->index != index ||
        tile->bytes != entry->bytes)
        return 0;
    return (const uint8_t *)(tile + 1);
}

static const uint8_t *constants_of(const struct tk_operation *op, const uint8_t *const *tiles) {
    return op->tile == TK_NO_TILE ? 0 : tiles[op->tile] + op->constants;
}

static enum tk_error check_operation(const struct tk_header *header, const struct tk_operation *op,
                                     const uint8_t *const *tiles) {
    struct tk_limits limits = {header->arena_bytes, 0};
    if (op->tile != TK_NO_TILE) {
        if (op->tile >= header->tile_count)
            return TK_ERROR_CONSTANTS;
        uint32_t tile_bytes = tiles_of(header)[op->tile].bytes;
        if (op->constants >= tile_bytes || op->constants % 4)
            return TK_ERROR_CONSTANTS;
        limits.constants_bytes = tile_bytes - op->constants;
    }
    const uint8_t *constants = constants_of(op, tiles);
#define CHECK_KERNEL(number, name)                                                                                     \
    if (op->opcode == number)                                                                                          \
        return tk_##name##_check(op, constants, &limits);
    TK_KERNELS(CHECK_KERNEL)
    return TK_ERROR_OPCODE;
}

static void run_operation(const struct tk_operation *op, const uint8_t *constants, uint8_t *arena){
#define RUN_KERNEL(number, name)                                                                                       \
    if (op->opcode == number) {                                                                                        \
        tk_##name(op, constants, arena);                                                                               \
        return;                                                                                                        \
    }
    TK_KERNELS(RUN_KERNEL)}

int32_t tk_handle_bytes(const void *program, uint32_t length) {
    enum tk_error error = check_head(program, length);
    if (error)
        return -(int32_t)error;
    return (int32_t)handle_size(((const struct tk_header *)program)->tile_count);
}

int32_t tk_load(void *handle, uint32_t handle_bytes, const void *program, uint32_t length, const void *const *tiles) {
    const struct tk_header *header = program;
    struct handle *out = handle;
    enum tk_error error = check_head(program, length);
    if (error)
        return -(int32_t)error;
    if (!is_aligned(handle, sizeof(void *)) || handle_bytes < handle_size(header->tile_count))
        return -TK_ERROR_HANDLE;
    if (!is_aligned(tiles, sizeof(void *)))
        return -TK_ERROR_ALIGNMENT;
    out->magic = 0;
    out->operations = operations_of(header);
    out->operation_count = header->operation_count;
    out->arena_bytes = header->arena_bytes;
    out->tile_count = header->tile_count;
    for (uint32_t i = 0; i < header->tile_count; i++) {
        out->constants[i] = find_tile(header, length, i, tiles);
        if (!out->constants[i])
            return -TK_ERROR_TILE;
    }
    for (uint32_t i = 0; i < header->operation_count; i++) {
        error = check_operation(header, &out->operations[i], out->constants);
        if (error)
            return -(int32_t)error - (int32_t)i * 256;
    }
    out->magic = TK_MAGIC;
    return TK_OK;
}

int32_t tk_run(const void *handle, uint32_t handle_bytes, void *arena, uint32_t arena_bytes, uint32_t first,
               uint32_t last) {
    const struct handle *loaded = handle;
    if (!is_aligned(handle, sizeof(void *)) || handle_bytes < sizeof *loaded || loaded->magic != TK_MAGIC ||
        handle_bytes < handle_size(loaded->tile_count))
        return -TK_ERROR_HANDLE;
    if (!is_aligned(arena, TK_ALIGNMENT))
        return -TK_ERROR_ALIGNMENT;
    if (arena_bytes < loaded->arena_bytes)
        return -TK_ERROR_ARENA;
    if (first > last || last > loaded->operation_count)
        return -TK_ERROR_RANGE;
    for (uint32_t i = first; i < last; i++) {
        const struct tk_operation *op = &loaded->operations[i];
        run_operation(op, constants_of(op, loaded->constants), arena);
    }
    return TK_OK;
}
