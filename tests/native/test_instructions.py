"""`make instructions`: counts are exact and the same each time, and what takes more than its budget is found."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "instructions"))

import instructions

from emulated import EMULATED, counter, missing

# A loop of two instructions, a hundred times, between two marks.
LOOP = """
    .syntax unified
    .thumb
    .global _start
    .thumb_func
_start:
    movs r7, #4
    movs r0, #1
    ldr r1, =0x6b72616d
    movs r2, #0
    svc #0
    movs r3, #100
1:  subs r3, #1
    bne 1b
    movs r0, #1
    svc #0
    movs r7, #1
    movs r0, #0
    movs r1, #0
    svc #0
"""


@pytest.mark.skipif(missing("armv7m") is not None, reason="the compiler or QEMU for armv7m is missing")
def test_every_instruction_between_two_marks_is_counted(tmp_path: Path) -> None:
    source, program, counts = tmp_path / "loop.S", tmp_path / "loop", tmp_path / "counts"
    source.write_text(LOOP)
    compiler = ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-nostdlib", "-static"]
    subprocess.run([*compiler, "-Wl,-Ttext=0x400000", str(source), "-o", str(program)], check=True)
    qemu = [EMULATED["armv7m"].qemu, "-plugin", f"{counter(tmp_path)},counts={counts}"]
    subprocess.run([*qemu, str(program)], check=True)
    assert counts.read_text() == f"{1 + 2 * 100 + 2}\n"  # r3, the loop, r0 and the second mark


def test_a_model_above_its_budget_is_named() -> None:
    known = instructions.budgets()
    counted = {(each.architecture, each.name) for each in known}
    assert counted >= {
        (architecture, name) for architecture in instructions.ARCHITECTURES for name in instructions.CHECKED
    }
    assert instructions.over_budget(known) == []
    slowest = known[0].layers[0]
    longer = replace(slowest, instructions=slowest.instructions + known[0].instructions // 50)
    slower = replace(known[0], layers=(longer, *known[0].layers[1:]))
    [problem] = instructions.over_budget([slower, *known[1:]])
    assert problem.startswith(f"{known[0].architecture} {known[0].name}: {slower.instructions} instructions, +2.0%")


def test_official_models_meet_their_bars() -> None:
    bars = {
        (architecture, name): bar for architecture, models in instructions.BARS.items() for name, bar in models.items()
    }
    met = {}
    for each in instructions.budgets():
        if each.weights == "official" and each.ratio is not None and (each.architecture, each.name) in bars:
            met[each.architecture, each.name] = each.ratio[1] <= bars[each.architecture, each.name]
    assert met == dict.fromkeys(bars, True)


def test_the_document_is_the_budgets() -> None:
    assert instructions.DOCUMENT.read_text() == instructions.document(instructions.budgets())
