"""A pattern in the board's current by which an energy meter without a trigger input finds the windows behind it."""

import time

from . import compat

SLOT_US = 100000
# Barker's sequence of seven: shifted against itself it fits nowhere but in its place. 1: busy, 0: asleep.
PATTERN = (1, 1, 1, 0, 0, 1, 0)


def preamble(mark=None):
    """Be busy and asleep by turns; the clock's ticks at its beginning. `mark` is called with 1 and 0 as in a window."""
    ticks_us = compat.ticks_us
    elapsed_us = compat.elapsed_us
    start = ticks_us()
    end_us = 0
    for busy in PATTERN:
        end_us += SLOT_US
        if mark:
            mark(busy)
        if not busy:
            time.sleep(max(0, end_us - elapsed_us(ticks_us(), start)) / 1000000)
        while elapsed_us(ticks_us(), start) < end_us:
            pass
    if mark:
        mark(0)
    return start
