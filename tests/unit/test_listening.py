"""listening: outputs at the hops of recordings as stretches of time."""

import io

import numpy as np
from rich.console import Console

from tinympy import listening, tasks
from tinympy.inference import Inference, Run
from tinympy.listening import Stretch
from tinympy.report import inference as report
from tinympy.signature import End, Signature
from tinympy.subject import Subject

OUTPUT = End("out", (1, 3), "int8", "int8", 1 / 256, -128, (-128, 127), "SOFTMAX")


def recording(name: str, *words: int) -> list[Inference]:
    return [
        Inference(f"{name}[{hop}]", (np.array([[word, 0, 0]], np.int8),), 7, 32 * hop) for hop, word in enumerate(words)
    ]


def stretches(inferences: list[Inference]) -> list[Stretch]:
    hearing = tasks.get("sww01").hearing
    assert hearing is not None
    return listening.stretches(inferences, hearing)


def test_hops_with_the_same_state_are_one_stretch() -> None:
    assert stretches(recording("a.wav", -128, 3, 116, 127, 115)) == [
        Stretch("a.wav", 0, 32, False, 2, -128, 3),
        Stretch("a.wav", 64, 96, True, 2, 116, 127),
        Stretch("a.wav", 128, 128, False, 1, 115, 115),
    ]


def test_each_recording_begins_anew_and_other_inputs_are_left_out() -> None:
    other = Inference("b.npy", (np.array([[127, 0, 0]], np.int8),), 7)
    inferences = [*recording("a.wav", 0, 127), other, *recording("a.wav", 127, 127)]
    assert [(each.recording, each.begin_ms, each.detected) for each in stretches(inferences)] == [
        ("a.wav", 0, False),
        ("a.wav", 32, True),
        # The first hop of a recording detects nothing.
        ("a.wav", 0, False),
        ("a.wav", 32, True),
    ]
    assert stretches([other]) == []


def test_a_recording_is_named_once_and_other_inputs_stand_below_without_times_where_there_are_none() -> None:
    other = Inference("b.npy", (np.array([[127, 0, 0]], np.int8),), None)
    inferences = [*recording("a.wav", 0, 127, 3), other]
    console = Console(file=io.StringIO(), width=80, color_system=None)
    run = Run(Signature((), (OUTPUT,)), tuple(inferences), False)
    subject = Subject("sww01", "x.tflite", "reference", None)
    report.render(subject, run, ["word", "b", "c"], 1, [], console, stretches(inferences), "wake word")
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    lines = [line.split() for line in shown.splitlines()]
    assert lines[0] == ["sww01", "on", "this", "computer", "(reference)"]
    assert ["a.wav", "0.00", "…", "0.00", "1", "0.5", "…", "0.5", "(0", "…", "0)", "–"] in lines
    assert ["0.03", "…", "0.03", "1", "0.9961", "…", "0.9961", "(127", "…", "127)", "detected"] in lines
    assert ["b.npy", "word:", "0.9961", "(127)"] in lines
    assert "µs" not in shown and "computed on this computer" in shown and "a.wav[" not in shown
