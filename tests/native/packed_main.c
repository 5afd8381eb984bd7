/* packed_check.c as a program: COUNT and SEED are made into it, since Linux for ARM without libc has no arguments. */
#include "packed_check.c"

#ifdef __ARM_ARCH_6M__
void _start(void) { system_call(1, (uint32_t)check(COUNT, SEED), 0, 0); }
#else
int main(void) { return check(COUNT, SEED); }
#endif
