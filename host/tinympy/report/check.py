"""What `tinympy check` prints: the model, its operators, what it needs, and how it fits each board."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinympy.inspection import Fit, Inspection, places
from tinympy.model.graph import Tensor
from tinympy.report import memory_map

_NONE = Text("–", style="dim")
_ROOMY_COLUMNS = 100


def render(found: Inspection, console: Console) -> None:
    """Prints everything but the memory map. Made for 80 columns and more."""
    roomy = console.width >= _ROOMY_COLUMNS
    console.print(Text.assemble((found.name, "bold"), f"  {_grouped(found.model_bytes)} bytes"))
    console.print()
    console.print(_facts([*_ends("input", found.inputs), *_ends("output", found.outputs)]))
    console.print()
    console.print(_operators(found, 2 if roomy else 1))
    console.print()
    console.print(_facts(_needs(found)))
    if found.fits:
        console.print()
        console.print(_boards(found.fits, 2 if roomy else 1))
        console.print()
        console.print(_facts(_notes(found.fits)))


def document(found: Inspection, memory: bool) -> dict[str, Any]:
    """The same as plain data, for JSON; with the memory map if `memory`."""
    problem = found.problem
    shown: dict[str, Any] = {
        "model": found.name,
        "size_bytes": found.model_bytes,
        "sha256": found.model_sha256,
        "runs": problem is None,
        "problem": None if problem is None else {"message": problem.message, "hint": problem.hint},
        "inputs": [_tensor(tensor) for tensor in found.inputs],
        "outputs": [_tensor(tensor) for tensor in found.outputs],
        "operators": [vars(used) for used in found.used],
        "missing": [vars(missing) for missing in found.missing],
        "parameters": {"count": found.parameters.count, **vars(found.parameters)},
        "macs": found.macs,
        **(dict.fromkeys(_SIZES) if found.sizes is None else vars(found.sizes)),
        "module_bytes": found.modules,
        "boards": [_fit(fit) for fit in found.fits],
    }
    if memory:
        shown["memory"] = None if found.memory is None else memory_map.document(found.memory)
    return shown


_SIZES = ("program_bytes", "arena_bytes", "activation_bytes", "operations", "input_reused")


def _tensor(tensor: Tensor) -> dict[str, Any]:
    quantization = tensor.quantization
    one = quantization is not None and quantization.scale.size == 1
    return {
        "name": tensor.name,
        "shape": tensor.shape,
        "dtype": tensor.dtype,
        "scale": float(quantization.scale[0]) if quantization is not None and one else None,
        "zero_point": int(quantization.zero_point[0]) if quantization is not None and one else None,
    }


def _fit(fit: Fit) -> dict[str, Any]:
    return {
        "board": fit.board.name,
        "arch": fit.board.arch,
        "fits": fit.fits,
        "weights": fit.weights,
        "heap_needed_bytes": fit.needed_bytes,
        "heap_bytes": fit.board.heap_bytes,
        "module_bytes": fit.module_bytes,
        "reason": fit.reason or None,
        "latency_ms_estimate": None if fit.latency_s is None else round(fit.latency_s * 1000, 3),
        "estimate_source": fit.estimate_source,
    }


def _ends(key: str, tensors: Iterable[Tensor]) -> Iterable[tuple[str, Text]]:
    for tensor in tensors:
        shape = " × ".join(map(str, tensor.shape)) or "scalar"
        about = _tensor(tensor)
        quantised = "" if about["scale"] is None else f"  scale {about['scale']:.6g}, zero point {about['zero_point']}"
        yield key, Text.assemble(f"{tensor.dtype} {shape}{quantised}  ", (tensor.name, "dim"))


def _operators(found: Inspection, gap: int) -> Table:
    table = _table(gap)
    table.add_column("operator", no_wrap=True)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("MACs", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("")
    indices = {missing.name: missing.indices for missing in found.missing}
    for used in found.used:
        share = Text(f"{100 * used.macs / found.macs:.1f} %") if used.macs else _NONE
        missing = Text("")
        if used.name in indices:
            missing = Text(f"missing: operator {places(indices[used.name])}", "bold red")
        macs = Text(_grouped(used.macs)) if used.macs else _NONE
        table.add_row(used.name, str(used.count), macs, share, missing)
    table.add_section()
    count = sum(used.count for used in found.used)
    table.add_row("all", str(count), Text(_grouped(found.macs), "bold"), "", "")
    return table


def _needs(found: Inspection) -> Iterable[tuple[str, Text]]:
    known, sizes = found.parameters, found.sizes
    yield (
        "parameters",
        Text(f"{_grouped(known.count)} (weights {_grouped(known.weights)}, biases {_grouped(known.biases)}), ")
        + Text(f"{_grouped(known.bytes)} bytes in the model"),
    )
    if sizes is not None:
        yield "program", Text(f"{_grouped(sizes.program_bytes)} bytes, {sizes.operations} operations")
        scratch = f" (activations alone {_grouped(sizes.activation_bytes)})"
        reused = ", input reused" if sizes.input_reused else ""
        yield "arena", Text(f"{_grouped(sizes.arena_bytes)} bytes{scratch}{reused}")
        built = ", ".join(f"{_grouped(size)} bytes on {arch}" for arch, size in found.modules.items())
        yield "module", Text(f"{built or 'none built'}, in RAM")
    for missing in found.missing:
        yield "missing", Text.assemble((missing.name, "bold red"), f": {missing.hint}")
    if found.problem is not None and not (found.missing and found.problem.message.startswith("not supported")):
        yield "problem", Text(found.problem.message, "bold red")


def _boards(fits: Iterable[Fit], gap: int) -> Table:
    table = _table(gap)
    table.add_column("board", no_wrap=True)
    table.add_column("fits", no_wrap=True)
    table.add_column("weights\nin", no_wrap=True)
    table.add_column("needs\nkB", justify="right", no_wrap=True)
    table.add_column("heap\nkB", justify="right", no_wrap=True)
    table.add_column("about\nms", justify="right", no_wrap=True)
    table.add_column("")
    for fit in fits:
        estimate = _NONE if fit.latency_s is None else Text("≈" + _two_digits(fit.latency_s * 1000))
        table.add_row(
            Text(fit.board.name, "bold"),
            Text("yes", "green") if fit.fits else Text("no", "bold red"),
            fit.weights or _NONE,
            _kilobytes(fit.needed_bytes),
            _kilobytes(fit.board.heap_bytes),
            estimate,
            Text(_short(fit), "dim" if fit.fits else ""),
        )
    return table


def _short(fit: Fit) -> str:
    """Why not, unless the figures beside it say so."""
    return "" if fit.reason.startswith(f"needs {fit.needed_bytes} ") else fit.reason


def _notes(fits: Iterable[Fit]) -> Iterable[tuple[str, Text]]:
    yield "units", Text("kB = 1000 bytes; heap: free after boot, stock firmware (docs/boards.md)", "dim")
    yield "needs", Text("arena, native module, device package, and the program or, in flash, its head", "dim")
    architectures: dict[str, list[str]] = {}
    for fit in fits:
        if fit.estimate_source is not None:
            architectures.setdefault(fit.estimate_source, []).append(fit.board.arch)
    for source, named in architectures.items():
        yield "estimate", Text(f"{', '.join(dict.fromkeys(named))}: {source}", "dim")


def _table(gap: int) -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0), collapse_padding=True)


def _facts(rows: Iterable[tuple[str, Text]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, text in rows:
        table.add_row(key, text)
    return table


def _grouped(number: int) -> str:
    """Digits in groups of three."""
    return f"{number:,}".replace(",", " ")


def _kilobytes(size_bytes: int) -> str:
    return f"{size_bytes / 1000:.{0 if size_bytes >= 1_000_000 else 1}f}"


def _two_digits(value: float) -> str:
    """An estimate deserves no more."""
    return f"{float(f'{value:.2g}'):g}"
