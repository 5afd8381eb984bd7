/* Input, output and a beginning for test programs: the computer's libc, or Linux without any, under
 * QEMU's user mode. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdint.h>

/* Fills `to` from the standard input, up to its end; returns how many bytes that were. */
static inline uint32_t read_all(void *to, uint32_t bytes);

/* Writes a text, and a number unless it is UINT32_MAX. */
static inline void print(const char *text, uint32_t number);

static void write_all(const void *from, uint32_t bytes);

#if defined(__arm__)
enum { EXIT = 1, READ = 3, WRITE = 4 };
static int32_t system_call(uint32_t number, uint32_t a, uint32_t b, uint32_t c) {
    register uint32_t r7 __asm__("r7") = number;
    register uint32_t r0 __asm__("r0") = a;
    register uint32_t r1 __asm__("r1") = b;
    register uint32_t r2 __asm__("r2") = c;
    __asm__ volatile("svc #0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2) : "memory");
    return (int32_t)r0;
}
#define BARE 1
#elif defined(__riscv)
enum { EXIT = 93, READ = 63, WRITE = 64 };
static int32_t system_call(uint32_t number, uint32_t a, uint32_t b, uint32_t c) {
    register uint32_t a7 __asm__("a7") = number;
    register uint32_t a0 __asm__("a0") = a;
    register uint32_t a1 __asm__("a1") = b;
    register uint32_t a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return (int32_t)a0;
}
#define BARE 1
#elif defined(__XTENSA__)
enum { EXIT = 118, READ = 12, WRITE = 13 };
static int32_t system_call(uint32_t number, uint32_t a, uint32_t b, uint32_t c) {
    register uint32_t a2 __asm__("a2") = number;
    register uint32_t a6 __asm__("a6") = a;
    register uint32_t a3 __asm__("a3") = b;
    register uint32_t a4 __asm__("a4") = c;
    __asm__ volatile(".byte 0x00, 0x50, 0x00" : "+r"(a2) : "r"(a6), "r"(a3), "r"(a4) : "memory");
    return (int32_t)a2;
}
#define BARE 1
#endif

#ifdef BARE
#define MARK 0x6b72616du

static inline int32_t read_some(void *to, uint32_t bytes) {
    return system_call(READ, 0, (uint32_t)(uintptr_t)to, bytes);
}
static int32_t write_some(const void *from, uint32_t bytes) {
    return system_call(WRITE, 1, (uint32_t)(uintptr_t)from, bytes);
}

/* A system call without effect. */
static inline void mark(void) { system_call(WRITE, 1, MARK, 0); }

static inline void leave(uint32_t status) { system_call(EXIT, status, 0, 0); }
#else
#include <unistd.h>
static inline int32_t read_some(void *to, uint32_t bytes) { return (int32_t)read(0, to, bytes); }
static int32_t write_some(const void *from, uint32_t bytes) { return (int32_t)write(1, from, bytes); }
#endif

static inline uint32_t read_all(void *to, uint32_t bytes) {
    uint32_t done = 0;
    while (done < bytes) {
        int32_t some = read_some((uint8_t *)to + done, bytes - done);
        if (some <= 0)
            break;
        done += (uint32_t)some;
    }
    return done;
}

static void write_all(const void *from, uint32_t bytes) {
    for (uint32_t done = 0; done < bytes;) {
        int32_t some = write_some((const uint8_t *)from + done, bytes - done);
        if (some <= 0)
            break;
        done += (uint32_t)some;
    }
}

static inline void print(const char *text, uint32_t number) {
    uint32_t length = 0;
    while (text[length])
        length++;
    write_all(text, length);
    if (number == UINT32_MAX)
        return;
    char digits[10];
    uint32_t at = 10;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    write_all(digits + at, 10 - at);
}

#endif
