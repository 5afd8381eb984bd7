/* The native module `_native`: load(), run() and a probe, in a .mpy file that stock firmware loads.
 *
 * Functions are made with MP_DYNRUNTIME_MAKE_FUNCTION rather than as constant objects, which would need relocations
 * that older firmware cannot apply to armv6m code. */
#include "py/dynruntime.h"

#include "boundary.h"

static mp_obj_t load(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    (void)self;
    mp_arg_check_num(n_args, n_kw, 2, 2, false);
    return boundary_load(args[0], args[1]);
}

static mp_obj_t run(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    (void)self;
    mp_arg_check_num(n_args, n_kw, 4, 4, false);
    return boundary_run(args);
}

/* float_of(bits) -> the float that the firmware makes of these 32 bits in an integer register: the single that they are
 * where it is passed floats in such, anything else where in floating-point registers. No float passes here. */
static mp_obj_t float_of(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    (void)self;
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    mp_obj_t (*make)(uint32_t) = (mp_obj_t(*)(uint32_t))(void *)mp_fun_table.obj_new_float_from_f;
    return make((uint32_t)mp_obj_get_int_truncated(args[0]));
}

/* In a section of its own because the module begins with it. */
__attribute__((section(".text.mpy_init"))) mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw,
                                                             mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    (void)args;
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_load, MP_DYNRUNTIME_MAKE_FUNCTION(load));
    mp_store_global(MP_QSTR_run, MP_DYNRUNTIME_MAKE_FUNCTION(run));
    mp_store_global(MP_QSTR_float_of, MP_DYNRUNTIME_MAKE_FUNCTION(float_of));
    MP_DYNRUNTIME_INIT_EXIT
}
