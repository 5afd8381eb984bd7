/* The module `tinympy_native` of firmware of one's own: load() and run(), as a MicroPython user C module. */
#include "py/runtime.h"

#include "boundary.h"

static MP_DEFINE_CONST_FUN_OBJ_2(load_object, boundary_load);

static mp_obj_t run(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return boundary_run(args);
}

static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(run_object, 4, 4, run);

static const mp_rom_map_elem_t globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_tinympy_native)},
    {MP_ROM_QSTR(MP_QSTR_load), MP_ROM_PTR(&load_object)},
    {MP_ROM_QSTR(MP_QSTR_run), MP_ROM_PTR(&run_object)},
};
static MP_DEFINE_CONST_DICT(globals, globals_table);

const mp_obj_module_t tinympy_native_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&globals,
};

MP_REGISTER_MODULE(MP_QSTR_tinympy_native, tinympy_native_module);
