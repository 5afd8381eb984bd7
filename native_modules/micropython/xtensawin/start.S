/* The loader calls the first byte of the module. On Xtensa constants lie before the code that loads them, so the first
 * function cannot. */
    .section .text.start, "ax"
    j mpy_init
