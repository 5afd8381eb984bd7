/* load() and run() as MicroPython sees them, for the native module (module.c) and for firmware of one's own
 * (usermodule.c), which include this behind the headers of their world. Integers and buffers only cross this boundary.
 *
 * No text stands here: constants of an ESP32's native module lie on the heap, where firmware before 1.24 lets the
 * garbage collector take them. What is wrong with arguments, the firmware says. */
#include "../kernels/tk.h"

/* load(program, tiles) -> handle, or a negated tk_error as an integer.
 * program: the bytes of a program, or of its head alone if `tiles` says where the tiles are: a buffer of machine words,
 * the addresses of the tile headers; None otherwise. Program and tiles must outlive the handle. */
static mp_obj_t boundary_load(mp_obj_t program_object, mp_obj_t tiles_object) {
    mp_buffer_info_t program;
    mp_get_buffer_raise(program_object, &program, MP_BUFFER_READ);
    int32_t handle_bytes = tk_handle_bytes(program.buf, program.len);
    if (handle_bytes < 0)
        return mp_obj_new_int(handle_bytes);
    const void *const *tile_addresses = NULL;
    if (tiles_object != mp_const_none) {
        mp_buffer_info_t tiles;
        mp_get_buffer_raise(tiles_object, &tiles, MP_BUFFER_READ);
        if (tiles.len / sizeof(void *) < ((const struct tk_header *)program.buf)->tile_count)
            return mp_obj_new_int(-TK_ERROR_TILE);
        tile_addresses = tiles.buf;
    }
    mp_obj_t size = mp_obj_new_int(handle_bytes);
    mp_obj_t handle_object = mp_call_function_n_kw(MP_OBJ_FROM_PTR(&mp_type_bytearray), 1, 0, &size);
    mp_buffer_info_t handle;
    mp_get_buffer_raise(handle_object, &handle, MP_BUFFER_WRITE);
    int32_t error = tk_load(handle.buf, (uint32_t)handle_bytes, program.buf, program.len, tile_addresses);
    return error < 0 ? mp_obj_new_int(error) : handle_object;
}

/* run(handle, arena, first, last) -> 0, or a negated tk_error: runs operations first … last - 1 on the arena. */
static mp_obj_t boundary_run(const mp_obj_t *args) {
    mp_buffer_info_t handle;
    mp_buffer_info_t arena;
    mp_get_buffer_raise(args[0], &handle, MP_BUFFER_READ);
    mp_get_buffer_raise(args[1], &arena, MP_BUFFER_RW);
    return mp_obj_new_int(tk_run(handle.buf, handle.len, arena.buf, arena.len, (uint32_t)mp_obj_get_int(args[2]),
                                 (uint32_t)mp_obj_get_int(args[3])));
}
