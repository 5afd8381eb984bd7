"""Requantisation with ulab: floats where they decide, integers where they do not. Bit for bit fixed_point.requantise.

TFLM rounds twice, first to 2^shift of an output. A product of floats that is further than half of that, and than what
floats lose, from where one output ends and the next begins gives the same output; the others, a few in a hundred, are
computed again.
"""

from ulab import numpy as np

from .fixed_point import requantise

# What floats of 32 bits hold of whole numbers.
WHOLE = 1 << 24
# More than all that they lose of a number of at most 512, with a scale of the 22 bits that CircuitPython's floats have.
LOST = 1 / 1024


def integers(row):
    """The list of the whole numbers in an array of floats.

    What CircuitPython takes out of an array has 22 bits: two parts of it are exact.
    """
    high = np.floor(row * (1 / 4096))
    low = row - high * 4096
    return [int(more) * 4096 + int(less) for more, less in zip(high, low)]


class Outputs:
    """Makes int8 of sums of products.

    k -- the constants of the operation's channels
    zero_point, low, high -- of its output
    most -- the largest sum that its products can have, of either sign
    """

    def __init__(self, k, zero_point, low, high, most):
        self.k = k
        self.zero_point, self.low, self.high = zero_point, low, high
        self.in_floats = max(k.shift) <= 0 and most + max(max(k.bias), -min(k.bias)) <= WHOLE
        if self.in_floats:
            self.bias = np.array(list(k.bias))
            self.scale = np.array([m * 2.0 ** (shift - 31) for m, shift in zip(k.multiplier, k.shift)])
            doubtful = [LOST + (2.0 ** (shift - 1) if shift else 0) for shift in k.shift]
            self.sure = np.array([(0.5 - each) ** 2 for each in doubtful])

    def write(self, target, places, parts, first=0):
        """Write the channels from `first` on: row i of the sum of `parts` to `target` from places[i] on.

        The sum is made in the first of `parts`.
        """
        channels = parts[0].shape[1]
        if not self.in_floats:
            for row, at in enumerate(places):
                totals = self.k.bias[first : first + channels]
                for part in parts:
                    totals = [total + more for total, more in zip(totals, integers(part[row]))]
                for c, total in enumerate(totals):
                    target[at + c] = self.exact(total, first + c)
            return
        totals = parts[0]
        totals += self.bias[first : first + channels]
        for part in parts[1:]:
            totals += part
        # Half an output further, the output is what lies below.
        scaled = totals * self.scale[first : first + channels]
        scaled += self.zero_point + 0.5
        below = np.floor(scaled)
        outputs = np.array(np.clip(below, self.low, self.high), dtype=np.int8).tobytes()
        for row, at in enumerate(places):
            target[at : at + channels] = outputs[row * channels : (row + 1) * channels]
        scaled -= below
        scaled -= 0.5
        scaled *= scaled
        unsure = bytes((scaled > self.sure[first : first + channels]).tobytes())
        at = unsure.find(b"\x01")
        while at >= 0:
            row, c = at // channels, at % channels
            [total] = integers(totals[row][c : c + 1])
            target[places[row] + c] = self.exact(total, first + c)
            at = unsure.find(b"\x01", at + 1)

    def exact(self, total, c):
        """The byte of one output."""
        k = self.k
        return requantise(total, k.multiplier[c], k.shift[c], self.zero_point, self.low, self.high) & 0xFF
