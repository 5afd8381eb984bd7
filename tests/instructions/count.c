/* A plugin for QEMU's user mode: how many instructions were executed between marks (tests/native/platform.h), one
 * number a line. What this file needs of QEMU's plugin interface, version 1, is declared here: Debian has no header of
 * it. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MARK 0x6b72616du

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block);
typedef void called(qemu_plugin_id_t id, unsigned int cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                    uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated *callback);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, enum qemu_plugin_op op, void *pointer,
                                              uint64_t value);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, called *callback);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);

int qemu_plugin_version = 1;

static uint64_t instructions, at_mark;
static int marked;
static FILE *file;

/* A block is left by its last instruction only, but for faults, which end the program. */
static void count_block(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &instructions,
                                             qemu_plugin_tb_n_insns(block));
}

static void count_to_mark(qemu_plugin_id_t id, unsigned int cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                          uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
    (void)id, (void)cpu, (void)number, (void)a1, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if ((uint32_t)a2 != MARK || (uint32_t)a3 != 0)
        return;
    if (marked)
        fprintf(file, "%" PRIu64 "\n", instructions - at_mark);
    fflush(file);
    marked = 1;
    at_mark = instructions;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int count, char **arguments) {
    (void)info;
    if (count != 1 || strncmp(arguments[0], "counts=", 7) != 0)
        return 1;
    file = fopen(arguments[0] + 7, "w");
    if (!file)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
    qemu_plugin_register_vcpu_syscall_cb(id, count_to_mark);
    return 0;
}
