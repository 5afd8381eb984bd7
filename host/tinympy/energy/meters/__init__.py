"""Meters that are attached: `open_meter` makes one of an address like ppk2:/dev/ttyACM1?mode=source&v=3.3&trig=0.

The module of a kind has a dataclass `Options`, whose fields are the options of its addresses, and
`open_at(place, options)`, which gives a `Meter` that is not open yet.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

from tinympy.errors import UsageError

from .. import emulated
from ..options import names, parse
from . import address
from .attached import Attached, attached_meters, only
from .base import Meter, RecordingError
from .emulated_meter import EmulatedMeter
from .file import FileMeter

__all__ = ["KINDS", "Attached", "FileMeter", "Meter", "RecordingError", "attached_meters", "open_meter"]

KINDS = ("ppk2", "lpm01a", "joulescope", "otii", "ina")
# Kinds that are one kind with an option.
_SHORT = {chip: ("ina", {"chip": chip}) for chip in ("ina219", "ina226", "ina228")}
# Kinds that a serial port's USB identity tells; the others find theirs by themselves.
_ON_PORTS = ("ppk2", "lpm01a")
_EMULATED = "emu"
_FILE = "file"


def open_meter(text: str) -> Meter:
    """The meter at an address, to be opened with `with`.

    kind:place?options -- a meter; without a place the only one of that kind that is attached
    file:path?options -- a recording that another program makes meanwhile
    emu:kind?options -- an emulated one, with options of the meter and of the emulator

    Raises:
        UsageError: there is no such kind or option, or its value is no such thing.
        MeterError: no place is given, and no meter of that kind is attached, or several are.
    """
    parsed = address.parse(text)
    if parsed.kind == _FILE:
        return FileMeter(parsed.place, parsed.options)
    if parsed.kind == _EMULATED:
        kind, more = _SHORT.get(parsed.place, (parsed.place, {}))
        return _emulated(replace(parsed, place=kind, options=parsed.options | more))
    kind, more = _SHORT.get(parsed.kind, (parsed.kind, {}))
    parsed = replace(parsed, kind=kind, options=parsed.options | more)
    module = _module(parsed.kind)
    options = parse(module.Options, parsed.options, f"the meter {parsed.kind}")
    place = parsed.place or (only(parsed.kind) if parsed.kind in _ON_PORTS else "")
    meter: Meter = module.open_at(place, options)
    return meter


def _emulated(parsed: address.Address) -> Meter:
    kind = parsed.place
    theirs = emulated.option_names(kind)
    module = _module(kind)
    ours = names(module.Options)
    for name in parsed.options:
        if name not in (*ours, *theirs):
            raise UsageError(
                f"{_EMULATED}:{kind} has no option {name}", f"options of it: {', '.join((*ours, *theirs))}"
            )
    chosen = {name: value for name, value in parsed.options.items() if name in ours}
    if not chosen.keys() & emulated.meter_defaults(kind).keys():
        chosen |= emulated.meter_defaults(kind)
    # An option that both have is for both: which chip there is.
    given = {name: value for name, value in parsed.options.items() if name in theirs}
    emulated.read_options(kind, given)
    options = parse(module.Options, chosen, f"the meter {kind}")
    return EmulatedMeter(kind, given, lambda place: module.open_at(place, options))


def _module(kind: str) -> Any:
    if kind not in KINDS:
        known = ", ".join((*KINDS, *(f"{_EMULATED}:{each}" for each in emulated.KINDS)))
        raise UsageError(f"there is no kind of meter {kind or 'without a name'}", f"kinds of meters: {known}")
    return importlib.import_module(f".{kind}", __name__)
