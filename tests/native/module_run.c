/* Loads a native module as MicroPython's py/persistentcode.c does and calls its functions, under QEMU's user mode, for
 * architectures that no MicroPython runs on here: reads `struct request`, the .mpy file, the program and the arena's
 * content for each round; writes the arena after each.
 *
 * The function table has the layout of MicroPython's own header. What the module has no business to call is null in it.
 * The exit status says which step failed. */
#include "py/dynruntime.h"

#include "platform.h"

#define CAPACITY (1u << 20)

struct request {
    uint32_t module_bytes, program_bytes, arena_bytes;
    uint32_t rounds, operations;
};

enum failure {
    FAILED_REQUEST = 2,
    FAILED_FORMAT,
    FAILED_LOAD,
    FAILED_RUN,
    FAILED_BOUNDARY, /* the module called a function otherwise than tinympy's does */
};

static void require(bool truth, enum failure otherwise) {
    if (!truth)
        leave(otherwise);
}

/* --- Objects: small integers, functions, and buffers of which some are bytearrays. --- */

struct buffer {
    mp_obj_base_t base;
    size_t len;
    void *buf;
};

static const uint32_t type_of_buffers[1], type_of_types[1];
static struct buffer none, bytearray_type = {.base = {(const mp_obj_type_t *)type_of_types}};
static uint64_t heap[512];
static struct buffer handle;

static mp_obj_t buffer_object(struct buffer *object, void *buf, size_t len) {
    *object = (struct buffer){{(const mp_obj_type_t *)type_of_buffers}, len, buf};
    return MP_OBJ_FROM_PTR(object);
}

static mp_uint_t native_from_obj(mp_obj_t object, mp_uint_t type) {
    require(type == MP_NATIVE_TYPE_INT && mp_obj_is_small_int(object), FAILED_BOUNDARY);
    return (mp_uint_t)MP_OBJ_SMALL_INT_VALUE(object);
}

static mp_obj_t native_to_obj(mp_uint_t value, mp_uint_t type) {
    require(type == MP_NATIVE_TYPE_INT, FAILED_BOUNDARY);
    return MP_OBJ_NEW_SMALL_INT((mp_int_t)value);
}

static bool get_buffer(mp_obj_t object, mp_buffer_info_t *info, mp_uint_t flags) {
    struct buffer *buffer = MP_OBJ_TO_PTR(object);
    require(flags & MP_BUFFER_RAISE_IF_UNSUPPORTED && !mp_obj_is_small_int(object) &&
                buffer->base.type == (const mp_obj_type_t *)type_of_buffers,
            FAILED_BOUNDARY);
    info->buf = buffer->buf;
    info->len = buffer->len;
    return true;
}

static mp_obj_t load_global(qstr name) {
    require(name == MP_QSTR_bytearray, FAILED_BOUNDARY);
    return MP_OBJ_FROM_PTR(&bytearray_type);
}

static mp_obj_t call_function_n_kw(mp_obj_t function, size_t counts, const mp_obj_t *args) {
    require(function == MP_OBJ_FROM_PTR(&bytearray_type) && counts == 1, FAILED_BOUNDARY);
    size_t bytes = native_from_obj(args[0], MP_NATIVE_TYPE_INT);
    require(bytes <= sizeof heap, FAILED_BOUNDARY);
    return buffer_object(&handle, heap, bytes);
}

static void arg_check_num_sig(size_t count, size_t keywords, uint32_t signature) {
    require(MP_OBJ_FUN_MAKE_SIG(count, count, false) == signature && keywords == 0, FAILED_BOUNDARY);
}

/* --- The module: its names, its functions. --- */

enum { FILE_NAME, FLOAT_OF, LOAD, RUN, NAME_COUNT };
static const char *const names[NAME_COUNT] = {"_native.mpy", "float_of", "load", "run"};
/* Numbers that differ from those of the firmware's own names. */
static uint16_t numbers[NAME_COUNT] = {5000, 5001, 5002, 5003};
static mp_obj_dict_t globals_before, globals_of_module;
static mp_obj_dict_t *globals = &globals_before;
static mp_obj_fun_bc_t functions[NAME_COUNT];
static const mp_obj_fun_bc_t *stored[NAME_COUNT];

static mp_obj_dict_t *swap_globals(mp_obj_dict_t *new_globals) {
    mp_obj_dict_t *old = globals;
    globals = new_globals;
    return old;
}

static mp_obj_t make_function(mp_proto_fun_t proto_fun, const mp_module_context_t *context, const mp_obj_t *defaults) {
    static uint32_t made;
    const mp_raw_code_truncated_t *code = proto_fun;
    require(code->proto_fun_indicator[0] == MP_PROTO_FUN_INDICATOR_RAW_CODE_0 &&
                code->proto_fun_indicator[1] == MP_PROTO_FUN_INDICATOR_RAW_CODE_1 &&
                code->kind == MP_CODE_NATIVE_VIPER && defaults == NULL && made < NAME_COUNT,
            FAILED_BOUNDARY);
    functions[made].context = context;
    functions[made].bytecode = code->fun_data;
    return MP_OBJ_FROM_PTR(&functions[made++]);
}

static void store_global(qstr name, mp_obj_t object) {
    require(globals == &globals_of_module && name > numbers[0] && name <= numbers[NAME_COUNT - 1], FAILED_BOUNDARY);
    stored[name - numbers[0]] = MP_OBJ_TO_PTR(object);
}

const mp_fun_table_t mp_fun_table = {
    .const_none = (mp_const_obj_t)&none,
    .native_from_obj = native_from_obj,
    .native_to_obj = native_to_obj,
    .swap_globals = swap_globals,
    .load_global = load_global,
    .store_global = store_global,
    .make_function_from_proto_fun = make_function,
    .call_function_n_kw = call_function_n_kw,
    .arg_check_num_sig = arg_check_num_sig,
    .get_buffer = get_buffer,
};

/* --- The loader. --- */

static uint8_t file[CAPACITY];
static const uint8_t *at = file;
static uint64_t text[CAPACITY / 8];

static size_t read_uint(void) {
    size_t value = 0;
    do
        value = value << 7 | (*at & 0x7f);
    while (*at++ & 0x80);
    return value;
}

static void relocate(uintptr_t qstr_table) {
    uintptr_t *word = NULL;
    for (uint8_t op; (op = *at++) != 0xff;) {
        if (op & 1) {
            size_t place = read_uint();
            require(!(place & 1), FAILED_FORMAT); /* in constants of its own */
            word = (uintptr_t *)text + (place >> 1);
        }
        op >>= 1;
        if (op == 0) {
            *word++ += (uintptr_t)text;
        } else if (op == 1) {
            for (size_t count = read_uint(); count; count--)
                *word++ += (uintptr_t)text;
        } else {
            require(op == 6 || op == 8, FAILED_FORMAT);
            *word++ += op == 6 ? qstr_table : (uintptr_t)&mp_fun_table;
        }
    }
}

/* An address in code as a function, which the compiler knows nothing about. */
static mp_obj_t call(const void *code, mp_obj_fun_bc_t *self, size_t count, mp_obj_t *args) {
    __asm__("" : "+r"(code) : : "memory");
#ifdef __thumb__
    code = (const void *)((uintptr_t)code | 1);
#endif
    union {
        const void *code;
        mp_obj_t (*function)(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args);
    } callable = {code};
    return callable.function(self, count, 0, args);
}

static void load_module(void) {
    static mp_module_context_t context;
    static mp_obj_fun_bc_t entry;
    require(*at++ == 'M', FAILED_FORMAT);
    at += 3; /* version, architecture and integers: native_modules/mpy.py looks at these */
    require(read_uint() == NAME_COUNT && read_uint() == 0, FAILED_FORMAT);
    for (uint32_t i = 0; i < NAME_COUNT; i++) {
        size_t length = read_uint() >> 1;
        for (size_t k = 0; k <= length; k++)
            require(*at++ == (uint8_t)names[i][k], FAILED_FORMAT);
    }
    size_t kind_and_bytes = read_uint();
    require((kind_and_bytes & 7) == MP_CODE_NATIVE_VIPER - MP_CODE_BYTECODE, FAILED_FORMAT);
    for (size_t i = 0; i < kind_and_bytes >> 3; i++)
        ((uint8_t *)text)[i] = *at++;
    require(read_uint() == MP_SCOPE_FLAG_VIPERRELOC, FAILED_FORMAT); /* neither constants nor data of its own */
    relocate((uintptr_t)numbers);
    context.module.globals = &globals_of_module;
    entry.context = &context;
    require(call(text, &entry, 0, NULL) == (mp_obj_t)&none && globals == &globals_before, FAILED_BOUNDARY);
    require(stored[LOAD] && stored[RUN], FAILED_BOUNDARY);
}

static mp_obj_t call_stored(uint32_t name, size_t count, mp_obj_t *args) {
    return call(stored[name]->bytecode, (mp_obj_fun_bc_t *)stored[name], count, args);
}

static uint64_t program[CAPACITY / 8];
static uint64_t arena[CAPACITY / 8];

/* Not a part of _start: the registers of an Xtensa's outermost function have nowhere to be saved. */
__attribute__((noinline)) static void run(void) {
    struct request request;
    require(read_all(&request, sizeof request) == sizeof request && request.module_bytes <= CAPACITY &&
                request.program_bytes <= CAPACITY && request.arena_bytes <= CAPACITY &&
                read_all(file, request.module_bytes) == request.module_bytes &&
                read_all(program, request.program_bytes) == request.program_bytes,
            FAILED_REQUEST);
    load_module();
    require(at == file + request.module_bytes, FAILED_FORMAT);
    static struct buffer program_object, arena_object;
    mp_obj_t load_args[2] = {buffer_object(&program_object, program, request.program_bytes), (mp_obj_t)&none};
    mp_obj_t loaded = call_stored(LOAD, 2, load_args);
    require(loaded == MP_OBJ_FROM_PTR(&handle), FAILED_LOAD);
    for (; request.rounds; request.rounds--) {
        require(read_all(arena, request.arena_bytes) == request.arena_bytes, FAILED_REQUEST);
        mp_obj_t run_args[4] = {loaded, buffer_object(&arena_object, arena, request.arena_bytes),
                                MP_OBJ_NEW_SMALL_INT(0), MP_OBJ_NEW_SMALL_INT((mp_int_t)request.operations)};
        require(call_stored(RUN, 4, run_args) == MP_OBJ_NEW_SMALL_INT(0), FAILED_RUN);
        write_all(arena, request.arena_bytes);
    }
}

void _start(void) {
    run();
    leave(0);
}
