/* packed_check.c as a program: COUNT and SEED are made into it, since Linux for ARM without libc has no arguments. */
#include "packed_check.c"

#ifdef BARE
void _start(void) { leave((uint32_t)check(COUNT, SEED)); }
#else
int main(void) { return check(COUNT, SEED); }
#endif
