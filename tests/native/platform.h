/* Input, output and a beginning for test programs: the computer's libc, or Linux for ARM without any (qemu-arm). */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdint.h>

/* Fills `to` from the standard input, up to its end; returns how many bytes that were. */
static uint32_t read_all(void *to, uint32_t bytes);

/* Writes a text, and a number unless it is UINT32_MAX. */
static void print(const char *text, uint32_t number);

static void write_all(const void *from, uint32_t bytes);

#ifdef __ARM_ARCH_6M__
static int32_t system_call(uint32_t number, uint32_t a, uint32_t b, uint32_t c) {
    register uint32_t r7 __asm__("r7") = number;
    register uint32_t r0 __asm__("r0") = a;
    register uint32_t r1 __asm__("r1") = b;
    register uint32_t r2 __asm__("r2") = c;
    __asm__ volatile("svc #0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2) : "memory");
    return (int32_t)r0;
}

static int32_t read_some(void *to, uint32_t bytes) { return system_call(3, 0, (uint32_t)(uintptr_t)to, bytes); }
static int32_t write_some(const void *from, uint32_t bytes) {
    return system_call(4, 1, (uint32_t)(uintptr_t)from, bytes);
}
#else
#include <unistd.h>
static int32_t read_some(void *to, uint32_t bytes) { return (int32_t)read(0, to, bytes); }
static int32_t write_some(const void *from, uint32_t bytes) { return (int32_t)write(1, from, bytes); }
#endif

static uint32_t read_all(void *to, uint32_t bytes) {
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

static void print(const char *text, uint32_t number) {
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
