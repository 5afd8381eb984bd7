"""From the options of a command to the jobs it means; refuses what cannot work before a board is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from tinympy import attached, boards, records, tasks
from tinympy.engines import ENGINES
from tinympy.errors import UsageError
from tinympy.inspection.fit import Weights
from tinympy.measures import WINDOWS
from tinympy.metering import Metering
from tinympy.records import Quantisation

WEIGHTS: tuple[tasks.Weights, ...] = ("official", "generated")
"""Without a file in place of them."""
MODES = {
    "accuracy": ("accuracy",),
    "performance": ("performance",),
    "energy": ("performance",),
    "all": ("accuracy", "performance"),
}
REFERENCE = "reference"
"""The numpy engine, on the computer; only `run` takes it."""
PLACES: tuple[Weights, ...] = ("heap", "flash")
WINDOW_S = 2.5
WARMUP = 10
EMULATED_SAMPLES = 20
INTERPRETED_SAMPLES = 20
"""Where Python executes the model, unless more are asked for; and so many inferences warm up."""
INTERPRETED_WARMUP = 1
LONGEST_WINDOW_S = 300.0


@dataclass(frozen=True)
class Target:
    """One task on one board with one engine: what verify, profile and run work with."""

    board: boards.Board
    task: tasks.Task
    engine: str
    reuse_input: bool = False


@dataclass(frozen=True)
class Job:
    """One task on one board with one engine: what a session runs and a record describes.

    label tells boards of one run apart; parallel of them run at the same time.
    samples: how many, None for all. window_s: how long a timed window lasts at least; 0 for single inferences.
    warmup: inferences before each of them. metering: the energy meter that listens.
    quantisation: what is stated of a model in place of the official one.
    weights_in: where the weights are to be, None where they fit. in_ram: the board's file system is not written to.
    """

    board: boards.Board
    task: tasks.Task
    engine: str
    modes: tuple[str, ...]
    samples: int | None
    window_s: float
    folder: Path
    weights_in: Weights | None = None
    in_ram: bool = False
    reuse_input: bool = False
    label: str = ""
    parallel: int = 1
    warmup: int = WARMUP
    quantisation: Quantisation | None = None
    metering: Metering | None = None

    @property
    def mode(self) -> str:
        """As the record calls it."""
        if self.metering is not None:
            return "energy"
        return "all" if len(self.modes) > 1 else self.modes[0]


def plan(
    *,
    board_names: Sequence[str] = (),
    ports: Sequence[str] = (),
    every: bool = False,
    task_names: Sequence[str],
    models: Sequence[Path] = (),
    mode: str,
    weights: str | None,
    quantisation: Path | None = None,
    engine: str | None,
    samples: int | None,
    window_s: float | None,
    warmup: int | None = None,
    assets: Path | None,
    folder: Path,
    firmware: str | None = None,
    weights_in: str | None = None,
    in_ram: bool = False,
    reuse_input: bool = False,
    metering: Metering | None = None,
    left_out: Callable[[str], None] = lambda _: None,
) -> list[Job]:
    """The jobs in the order to run them, board by board; those of boards with different labels can run together.

    board_names, ports, every, firmware, left_out: the boards, as attached.choose_several has them.
    Without task names and models: every task, or, where accuracy or official weights are asked for, those whose files
    are here. `models` are `.tflite` files.
    `engine`: one of `engines.ENGINES`, or several with commas between them: each task with one after another; None:
    what suits each board.
    `reuse_input`: inferences may overwrite their inputs.
    `weights` None: of official tasks the official ones where the model is here, else generated ones; a `.tflite` file
    takes the place of the one task's model, and the JSON file `quantisation` states how it was made.

    Raises:
        UsageError: an option has no meaning, or contradicts another one.
        NoBoardError, BoardError: as attached.choose_several does.
    """
    if mode not in MODES:
        raise UsageError(f"there is no mode {mode}", f"the modes are {' '.join(MODES)}")
    if (mode == "energy") != (metering is not None):
        hint = "--meter KIND:PLACE (see `tinympy meters`)" if metering is None else "--mode energy"
        raise UsageError("energy needs a meter" if metering is None else "a meter is for the energy mode", hint)
    own = Path(weights) if weights and weights.endswith(".tflite") else None
    if own is None and weights not in (None, *WEIGHTS):
        raise UsageError(f"there are no {weights} weights", f"the weights are {', '.join(WEIGHTS)}, or a .tflite file")
    if own is not None and len(task_names) != 1:
        raise UsageError(f"which task is {own} a model for?", "name one task of MLPerf Tiny")
    if quantisation is not None and own is None:
        raise UsageError(f"{quantisation} is about another model than the official one", "--weights FILE names that")
    stated = None if quantisation is None else records.read_quantisation(quantisation)
    if weights == "generated" and mode == "accuracy":
        raise UsageError("generated weights have no accuracy", "use --mode performance, or official weights")
    if models and mode == "accuracy":
        raise UsageError("a model alone has no accuracy", "use --mode performance, or name a task")
    engines: list[str | None] = [None] if engine is None else list(dict.fromkeys(engine.split(",")))
    for each in engines:
        check_engine(each)
    if weights_in not in (None, *PLACES):
        raise UsageError(f"weights cannot be in {weights_in}", f"they can be in {' or in '.join(PLACES)}")
    if in_ram and weights_in == "flash":
        raise UsageError("weights in flash have to be written to it", "--in-ram goes with --weights-in heap")
    if window_s is not None and not 0 < window_s <= LONGEST_WINDOW_S:
        raise UsageError(f"a window of {window_s:g} s", f"windows last more than 0 and at most {LONGEST_WINDOW_S:g} s")
    _check_assets(assets)
    complete_only = mode == "accuracy" or weights == "official"
    names = list(task_names)
    if not names and not models:
        names = tasks.available(assets) if complete_only else list(tasks.TASKS)
    work: list[tuple[tasks.Task, tuple[str, ...]]] = []
    for name in dict.fromkeys(names):
        task = tasks.get(name, assets)
        if isinstance(task, tasks.OfficialTask):
            task = _with_model(task, own) if own else _as_far_as_it_goes(task, mode, weights)
        elif weights is not None and task_names:
            raise UsageError(f"{name} comes with weights of its own", "--weights is for the tasks of MLPerf Tiny")
        modes = tuple(each for each in MODES[mode] if task.scored or each != "accuracy")
        work.append((task, modes))
    work += [(tasks.ModelFile(model), MODES["performance"]) for model in models]
    chosen = attached.choose_several(board_names, ports, every, firmware, left_out)
    if metering is not None:
        metering = _metered(metering, list(chosen.values()))
    place = "heap" if in_ram else next((each for each in PLACES if each == weights_in), None)

    def job(board: boards.Board, label: str, task: tasks.Task, modes: tuple[str, ...], engine: str | None) -> Job:
        engine = engine or board.engine
        n, each_window_s = samples, window_s
        interpreted = ENGINES[engine].interpreted
        if interpreted:
            n = n or INTERPRETED_SAMPLES
        if board.emulated:
            # The emulated clock counts cycles, the same ones every time, and each of them takes a while.
            n, each_window_s = n or EMULATED_SAMPLES, each_window_s or 0.0
        elif each_window_s is None:
            each_window_s = WINDOW_S
        usual_warmup = INTERPRETED_WARMUP if interpreted else WARMUP
        each_warmup = warmup if warmup is not None else usual_warmup if each_window_s else 0
        placed = (folder, place, in_ram, reuse_input)
        return Job(
            board, task, engine, modes, n, each_window_s, *placed, label, len(chosen), each_warmup, stated, metering
        )

    return [job(board, label, *each, engine) for label, board in chosen.items() for each in work for engine in engines]


def target(
    *,
    board: str | None,
    engine: str | None,
    task_name: str | None,
    model: Path | None,
    assets: Path | None,
    firmware: str | None = None,
    port: str | None = None,
    engines: Sequence[str] = tuple(ENGINES),
    reuse_input: bool = False,
) -> Target:
    """What a command works with that takes one task, or one model with random inputs, and one of `engines`.

    Raises:
        UsageError: an option has no meaning, not exactly one of task and model is given, or the model is none.
        NoBoardError, BoardError: as attached.choose does.
    """
    if (task_name is None) == (model is None):
        raise UsageError("one task or one model is needed", "--task NAME, or --model FILE.tflite")
    check_engine(engine, engines)
    _check_assets(assets)
    chosen = boards.get(attached.DEFAULT) if engine == REFERENCE else attached.choose(board, port, firmware)
    if model is not None:
        return Target(chosen, tasks.ModelFile(model), engine or chosen.engine, reuse_input)
    task = tasks.get(task_name or "", assets)
    if isinstance(task, tasks.OfficialTask):
        task = _as_far_as_it_goes(task, "performance", None)
    return Target(chosen, task, engine or chosen.engine, reuse_input)


def served(name: str, weights: Path | None, assets: Path | None) -> tasks.Task:
    """The task or file called `name`, with the model in `weights` in place of the official one if there is one.

    Raises:
        UsageError: there is no such task or file, or none whose model can be replaced.
    """
    [task] = models([name], assets)
    if weights is None:
        return task
    if not isinstance(task, tasks.OfficialTask):
        raise UsageError(f"{name} has no official model", "--weights is for the tasks of MLPerf Tiny")
    return _with_model(task, weights)


def models(names: Sequence[str], assets: Path | None) -> list[tasks.Task]:
    """The tasks called `names`, of which those that end in .tflite are files.

    Raises:
        UsageError: there is no such task or file.
    """
    _check_assets(assets)
    return [
        tasks.ModelFile(Path(name)) if name.endswith(".tflite") else tasks.get(name, assets)
        for name in dict.fromkeys(names)
    ]


def unplugged(
    *,
    board: str | None,
    port: str | None,
    root: Path | None,
    name: str,
    weights: Path | None,
    assets: Path | None,
    window_s: float,
    warmup: int,
    metering: Metering | None,
    folder: Path,
) -> Job:
    """The job of a board that is to run by itself; root is as `lasting` has it, name and weights as `served`.

    Raises:
        UsageError: an option has no meaning, or the board is emulated and started here: its flash is gone afterwards.
        NoBoardError, BoardError: as attached.choose does.
    """
    if not 0 < window_s <= LONGEST_WINDOW_S:
        raise UsageError(f"a window of {window_s:g} s", f"windows last more than 0 and at most {LONGEST_WINDOW_S:g} s")
    task = served(name, weights, assets)
    if isinstance(task, tasks.OfficialTask):
        task = _as_far_as_it_goes(task, "performance", None)
    chosen = lasting(board, port, root)
    if chosen.port is None and not chosen.keeps_files:
        raise UsageError(f"{chosen.name} keeps no files when it ends", "take a board that is attached, or unix")
    if metering is not None:
        metering = _metered(metering, [chosen])
    return Job(
        chosen, task, "native", MODES["performance"], WINDOWS, window_s, folder, warmup=warmup, metering=metering
    )


def lasting(board: str | None, port: str | None, folder: Path | None) -> boards.Board:
    """The board that a command means which leaves something on it: one that is a process keeps its files then.

    folder -- where those of `unix` are kept; None: in the user's data folder
    Raises:
        UsageError, NoBoardError, BoardError: as attached.choose does.
    """
    chosen = attached.choose(board, port, root=folder)
    if chosen.port is None and chosen.keeps_files and chosen.root is None:
        data = Path(platformdirs.user_data_dir("tinympy", appauthor=False))
        return replace(chosen, root=data / chosen.name)
    return chosen


def _metered(metering: Metering, chosen: Sequence[boards.Board]) -> Metering:
    if len(chosen) > 1:
        raise UsageError(f"{len(chosen)} boards and one meter", "measure the energy of one board at a time")
    [board] = chosen
    if board.emulated:
        raise UsageError(f"{board.name} is emulated and takes no energy", "measure a board, or `unix` with emu:ppk2")
    if not metering.sees(board):
        raise UsageError(
            f"the meter {metering.address} does not see {board.name}",
            "emulated meters go with the board unix, and only they do",
        )
    return replace(metering, pin=board.mark_pin) if metering.pin is None else metering


def check_engine(engine: str | None, engines: Sequence[str] = tuple(ENGINES)) -> None:
    """UsageError when `engine` is named and none of `engines`."""
    if engine is not None and engine not in engines:
        raise UsageError(f"there is no engine {engine}", f"the engines are {' '.join(engines)}")


def _check_assets(assets: Path | None) -> None:
    if assets is not None and not assets.is_dir():
        raise UsageError(f"{assets} is not a folder", "--assets names the folder that holds models/ and datasets/")


def _with_model(task: tasks.OfficialTask, file: Path) -> tasks.Task:
    task.replace_model(file)
    return task


def _as_far_as_it_goes(task: tasks.OfficialTask, mode: str, weights: str | None) -> tasks.Task:
    """The task itself, or, where its files are missing and not all of them are needed, its latency only."""
    if weights == "generated":
        return tasks.LatencyOnly(task, "generated")
    if mode == "accuracy" or not task.missing():
        return task
    if task.has_model:
        return tasks.LatencyOnly(task, "official")
    return task if weights == "official" else tasks.LatencyOnly(task, "generated")
