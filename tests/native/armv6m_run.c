/* Runs a program of the kernels for armv6m under qemu-arm: reads `struct request`, the program and the arena's content
 * for each round; writes the arena after each. */
#include "platform.h"
#include "tk.h"

#define PROGRAM_BYTES (4u << 20)
#define ARENA_BYTES (2u << 20)

struct request {
    uint32_t program_bytes;
    uint32_t arena_bytes;
    uint32_t rounds;
    uint32_t first, last; /* operations */
};

static uint64_t program[PROGRAM_BYTES / 8];
static uint64_t arena[ARENA_BYTES / 8];
static uint64_t handle[4096];

static int run(void) {
    struct request request;
    if (read_all(&request, sizeof request) != sizeof request || request.program_bytes > PROGRAM_BYTES ||
        request.arena_bytes > ARENA_BYTES || read_all(program, request.program_bytes) != request.program_bytes)
        return 2;
    int32_t bytes = tk_handle_bytes(program, request.program_bytes);
    if (bytes < 0 || (uint32_t)bytes > sizeof handle ||
        tk_load(handle, (uint32_t)bytes, program, request.program_bytes, 0) < 0)
        return 3;
    for (; request.rounds; request.rounds--) {
        if (read_all(arena, request.arena_bytes) != request.arena_bytes)
            return 2;
        if (tk_run(handle, (uint32_t)bytes, arena, request.arena_bytes, request.first, request.last) < 0)
            return 4;
        write_all(arena, request.arena_bytes);
    }
    return 0;
}

void _start(void) { system_call(1, (uint32_t)run(), 0, 0); }
