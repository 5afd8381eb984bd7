"""The blocks of samples that a Joulescope's driver hands over, as one trace; where there is none, samples were lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinympy.energy.trace import Bits, Floats, MeterSpec, Trace


@dataclass(frozen=True)
class Block:
    """sample_id -- of its first sample, counted at sample_rate (Hz); one in decimate_factor of these is in `data`.

    data -- float32, or for inputs uint8 with eight samples each, the first in bit 0; the last byte may be padded
    """

    sample_id: int
    decimate_factor: int
    sample_rate: int
    data: npt.NDArray[np.float32] | Bits


def assemble(
    current: Sequence[Block],
    voltage: Sequence[Block],
    inputs: Sequence[Block] | None,
    number: int | None,
    spec: MeterSpec,
) -> Trace:
    """The trace of what both cover; `inputs` are the blocks of the logic input `number`."""
    step = current[0].decimate_factor
    first, last = max(_span(current)[0], _span(voltage)[0]), min(_span(current)[1], _span(voltage)[1])
    ids = np.arange(first, max(last, first + step), step, dtype=np.int64)
    rate_hz = current[0].sample_rate / step
    i, v = _analog(current, ids), _analog(voltage, ids)
    lost = np.isnan(i) | np.isnan(v)
    notes = []
    if lost.any():
        gaps = int(np.count_nonzero(np.diff(lost.astype(np.int8), prepend=0) == 1))
        notes.append(f"{int(lost.sum())} of {ids.size} samples lost ({lost.mean():.2%}) in {gaps} gaps")
        v = np.where(np.isnan(v), np.nanmean(v) if not np.isnan(v).all() else 0.0, v)
        i = np.where(lost, np.nan, i)
    bits = None
    if inputs is not None and number is not None:
        bits = (_levels(inputs, ids) << number).astype(np.uint8)
    return Trace(np.arange(ids.size) / rate_hz, i, v, replace(spec, rate_hz=rate_hz), bits, notes=tuple(notes))


def _span(blocks: Sequence[Block]) -> tuple[int, int]:
    """The first id, and the first behind the last."""
    return blocks[0].sample_id, max(block.sample_id + len(block.data) * block.decimate_factor for block in blocks)


def _analog(blocks: Sequence[Block], ids: npt.NDArray[np.int64]) -> Floats:
    """The samples at `ids`, which are evenly spaced; NaN where there is none."""
    step = blocks[0].decimate_factor
    begin, end = _span(blocks)
    every = np.full((end - begin) // step, np.nan)
    for block in blocks:
        at = (block.sample_id - begin) // step
        if at >= 0:
            every[at : at + len(block.data)] = block.data
    wanted = (ids - begin) // step
    inside = (wanted >= 0) & (wanted < every.size)
    return np.where(inside, every[np.clip(wanted, 0, every.size - 1)], np.nan)


def _levels(blocks: Sequence[Block], ids: npt.NDArray[np.int64]) -> Bits:
    """The level of an input at `ids`; where it is not known, the last one that is."""
    if not blocks:
        return np.zeros(ids.size, np.uint8)
    step = blocks[0].decimate_factor
    begin = blocks[0].sample_id
    ends = [block.sample_id + 8 * len(block.data) * step for block in blocks]
    every = np.full((max(ends) - begin) // step, 255, np.uint8)
    for block in blocks:
        at = (block.sample_id - begin) // step
        if at >= 0:
            levels = np.unpackbits(np.asarray(block.data, np.uint8), bitorder="little")
            every[at : at + levels.size] = levels
    known = np.maximum.accumulate(np.where(every < 2, np.arange(every.size), 0))
    filled = every[known]
    levels = filled[np.clip((ids - begin) // step, 0, every.size - 1)]
    return np.where(levels > 1, 0, levels).astype(np.uint8)
