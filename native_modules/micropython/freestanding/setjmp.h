/* MicroPython's headers include it where they have no assembly of their own to unwind; modules do not. */
typedef int jmp_buf[1];
