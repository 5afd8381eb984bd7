/* MicroPython's headers include it; modules raise no OSError. */
