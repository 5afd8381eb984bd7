"""report.check: what `tinympy check` prints, as a reader sees it."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from tinympy.boards import Board
from tinympy.errors import ModelError
from tinympy.inspection import Fit, Inspection, Missing, Parameters, Sizes, Used
from tinympy.model.graph import Quantization, Tensor
from tinympy.report import check as report

UNIX = Board("unix", "this computer", "x64", 4_142_912)
PICO = Board("rp2040", "a Pico", "armv6m", 241_456)
PICO_2 = Board("rp2350", "a Pico 2", "armv7emsp", 493_600)
ESP32 = Board("esp32", "an ESP32", "xtensawin", 164_640, largest_bytes=110_592)

MODEL = Inspection(
    name="net.tflite",
    model_bytes=333_288,
    model_sha256="5" * 64,
    inputs=(Tensor("image", (1, 96, 96, 3), "int8", Quantization.per_tensor(0.5, -128)),),
    outputs=(Tensor("scores", (1, 2), "float32"),),
    used=(Used("CONV_2D", 14, 6_690_816), Used("DEPTHWISE_CONV_2D", 13, 798_336), Used("SOFTMAX", 1, 0)),
    missing=(),
    parameters=Parameters(208_112, 2_738, 219_064),
    modules={"armv6m": 11_788, "x64": 24_800},
    sizes=Sizes(235_892, 82_944, 82_688, 30, False),
    fits=(
        Fit(UNIX, 24_800, True, "heap", 367_636, "", None),
        Fit(PICO, 11_788, True, "flash", 124_892, "", 0.8972, "cycles counted on the emulated RP2040"),
        Fit(PICO_2, None, True, "heap", 367_636, "no native module for armv7emsp yet", None),
        Fit(ESP32, None, False, None, 367_636, "needs 367636 bytes of heap, has 164640", None),
    ),
)

IN_80_COLUMNS = """
net.tflite  333 288 bytes

input   int8 1 × 96 × 96 × 3  scale 0.5, zero point -128  image
output  float32 1 × 2  scores

operator           count       MACs   share
──────────────────────────────────────────────
CONV_2D               14  6 690 816  89.3 %
DEPTHWISE_CONV_2D     13    798 336  10.7 %
SOFTMAX                1          –       –

all                   28  7 489 152

parameters  210 850 (weights 208 112, biases 2 738), 219 064 bytes in the model
program     235 892 bytes, 30 operations
arena       82 944 bytes (activations alone 82 688)
module      11 788 bytes on armv6m, 24 800 bytes on x64, in RAM

              weights  needs   heap  about
board   fits  in          kB     kB     ms
──────────────────────────────────────────────────────────────────────────────
unix    yes   heap     367.6   4143      –
rp2040  yes   flash    124.9  241.5   ≈900
rp2350  yes   heap     367.6  493.6      –  no native module for armv7emsp yet
esp32   no    –        367.6  164.6      –

units     kB = 1000 bytes; heap: free after boot, stock firmware
          (docs/boards.md)
needs     arena, native module, device package, and the program or, in flash,
          its head
estimate  armv6m: cycles counted on the emulated RP2040
"""


def printed(found: Inspection, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    report.render(found, console)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def refused() -> Inspection:
    missing = (Missing("SIN", (3, 17), "replace it"), Missing("custom operator Foo", (4,), "ask who made it"))
    return replace(MODEL, missing=missing, problem=ModelError("not supported", "see there"), sizes=None, fits=())


def test_a_model_that_runs_in_80_columns() -> None:
    assert printed(MODEL, 80) == IN_80_COLUMNS.strip("\n")


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert all(len(line) <= width for line in printed(MODEL, width).splitlines())


def test_a_missing_operator_stands_in_the_table_and_below_it() -> None:
    used = (*MODEL.used, Used("SIN", 2, 0))
    lines = printed(replace(refused(), used=used), 80).splitlines()
    assert any(line.startswith("SIN") and line.endswith("missing: operator 3, 17") for line in lines)
    assert "missing     SIN: replace it" in lines and "missing     custom operator Foo: ask who made it" in lines
    assert not any(line.startswith(("program", "board")) for line in lines)


def test_another_problem_is_printed() -> None:
    text = printed(replace(refused(), missing=()), 80)
    assert "problem     not supported" in text.splitlines()


def test_an_object_too_large_for_one_piece_is_said() -> None:
    fit = replace(MODEL.fits[3], needed_bytes=150_000, reason="needs 120000 bytes in one piece, has 110592")
    [line] = [line for line in printed(replace(MODEL, fits=(fit,)), 100).splitlines() if line.startswith("esp32")]
    assert line.endswith("needs 120000 bytes in one piece, has 110592")


def test_the_document_has_all_figures_and_is_json() -> None:
    shown = json.loads(json.dumps(report.document(MODEL, memory=False)))
    assert shown["runs"] is True and shown["problem"] is None and "memory" not in shown
    assert (shown["program_bytes"], shown["arena_bytes"], shown["macs"]) == (235_892, 82_944, 7_489_152)
    assert shown["module_bytes"] == {"armv6m": 11_788, "x64": 24_800}
    assert shown["inputs"][0] == {
        "name": "image",
        "shape": [1, 96, 96, 3],
        "dtype": "int8",
        "scale": 0.5,
        "zero_point": -128,
    }
    pico = shown["boards"][1]
    assert (pico["fits"], pico["weights"], pico["latency_ms_estimate"]) == (True, "flash", 897.2)
    assert "emulated" in pico["estimate_source"]
    assert shown["boards"][2]["reason"] == "no native module for armv7emsp yet"
    assert shown["boards"][2]["latency_ms_estimate"] is None


def test_the_document_of_a_refused_model_says_why() -> None:
    shown = json.loads(json.dumps(report.document(refused(), memory=True)))
    assert shown["runs"] is False and shown["arena_bytes"] is None and shown["memory"] is None
    assert shown["problem"] == {"message": "not supported", "hint": "see there"}
    assert shown["missing"][0] == {"name": "SIN", "indices": [3, 17], "hint": "replace it"}
