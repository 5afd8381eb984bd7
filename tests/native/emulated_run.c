/* Runs a program of the kernels under QEMU's user mode: reads `struct request`, the program and the arena's content for
 * each round; writes the arena after each. Operations are run one by one, with a mark before, between and behind them,
 * by which tests/instructions/count.c knows them apart. */
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

/* Not a part of _start: the registers of an Xtensa's outermost function have nowhere to be saved. */
__attribute__((noinline)) static int run(void) {
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
        mark();
        for (uint32_t i = request.first; i < request.last; i++) {
            if (tk_run(handle, (uint32_t)bytes, arena, request.arena_bytes, i, i + 1) < 0)
                return 4;
            mark();
        }
        write_all(arena, request.arena_bytes);
    }
    return 0;
}

void _start(void) { leave((uint32_t)run()); }
