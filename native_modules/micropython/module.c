/* The native module `_native`: load() and run() for MicroPython. Integers and buffers only cross this boundary.
 *
 * Functions are made with MP_DYNRUNTIME_MAKE_FUNCTION rather than as constant objects, which would need relocations
 * that older firmware cannot apply to armv6m code. */
#include "py/dynruntime.h"

#include "../kernels/tk.h"

/* load(program, tiles) -> handle, or a negated tk_error as an integer.
 * program: the bytes of a program, or of its head alone if `tiles` says where the tiles are: a buffer of machine words,
 * the addresses of the tile headers; None otherwise. Program and tiles must outlive the handle. */
static mp_obj_t load(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    (void)self;
    if (n_args != 2 || n_kw != 0)
        mp_raise_TypeError("load(program, tiles)");
    mp_buffer_info_t program;
    mp_get_buffer_raise(args[0], &program, MP_BUFFER_READ);
    int32_t handle_bytes = tk_handle_bytes(program.buf, program.len);
    if (handle_bytes < 0)
        return mp_obj_new_int(handle_bytes);
    const void *const *tile_addresses = NULL;
    if (args[1] != mp_const_none) {
        mp_buffer_info_t tiles;
        mp_get_buffer_raise(args[1], &tiles, MP_BUFFER_READ);
        if (tiles.len / sizeof(void *) < ((const struct tk_header *)program.buf)->tile_count)
            return mp_obj_new_int(-TK_ERROR_TILE);
        tile_addresses = tiles.buf;
    }
    void *handle = m_malloc((size_t)handle_bytes);
    int32_t error = tk_load(handle, (uint32_t)handle_bytes, program.buf, program.len, tile_addresses);
    if (error < 0)
        return mp_obj_new_int(error);
    return mp_obj_new_bytearray_by_ref((size_t)handle_bytes, handle);
}

/* run(handle, arena, first, last) -> 0, or a negated tk_error: runs operations first … last - 1 on the arena. */
static mp_obj_t run(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    (void)self;
    if (n_args != 4 || n_kw != 0)
        mp_raise_TypeError("run(handle, arena, first, last)");
    mp_buffer_info_t handle;
    mp_buffer_info_t arena;
    mp_get_buffer_raise(args[0], &handle, MP_BUFFER_READ);
    mp_get_buffer_raise(args[1], &arena, MP_BUFFER_RW);
    return mp_obj_new_int(tk_run(handle.buf, handle.len, arena.buf, arena.len, (uint32_t)mp_obj_get_int(args[2]),
                                 (uint32_t)mp_obj_get_int(args[3])));
}

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    (void)args;
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_load, MP_DYNRUNTIME_MAKE_FUNCTION(load));
    mp_store_global(MP_QSTR_run, MP_DYNRUNTIME_MAKE_FUNCTION(run));
    MP_DYNRUNTIME_INIT_EXIT
}
