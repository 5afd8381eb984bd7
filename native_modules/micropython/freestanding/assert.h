/* MicroPython's headers include it; modules are built with NDEBUG. */
#define assert(condition) ((void)0)
