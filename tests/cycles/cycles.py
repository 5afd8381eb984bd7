"""Cycles of the kernels for armv6m on an emulated Cortex-M0+, without firmware: models and their layers.

Counts are the same each time. `--check` compares them with tests/cycles/budgets.json and fails where one is more than
1 % above its budget, or where an output byte is not tflite-micro's; `--write` makes the budgets and docs/performance.md
anew. The models are the official ones where TINYMPY_ASSETS says where they are, and networks with generated weights.
`--check` counts generated ones alone, which every machine has, and those of CHECKED unless others are named.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import astuple, dataclass
from pathlib import Path

import image
import numpy as np
from tflite_micro import runtime

from tinympy import generated
from tinympy.compiler import compile_model
from tinympy.inspection import macs

HERE = Path(__file__).resolve().parent
BUDGETS = HERE / "budgets.json"
DOCUMENT = HERE.parents[1] / "docs/performance.md"
ANCHORS: dict[str, dict[str, int]] = json.loads((HERE / "anchors.json").read_text())["cycles"]
TITLES = {
    "tflm_cmsis_nn": "TFLM + CMSIS-NN",
    "tflm_reference": "TFLM reference",
    "tinymaix": "TinyMaix",
    "best_submission": "best submission",
}
OFFICIAL = {
    "kws01": "kws_ref_model",
    "ad01": "ad01_int8",
    "ic01": "pretrainedResnet_quant",
    "vww01": "vww_96_int8",
    "sww01": "str_ww_ref_model",
    "ic02": "pretrainedResnet_large_int8",
}
CHECKED = ("kws01", "ad01", "sww01", "ic01")
STRICT = ("ad01", "sww01")
"""Models whose every access is checked for its alignment, which takes longer."""
CLOCK_HZ = 125_000_000
TOLERANCE = 0.01


@dataclass(frozen=True)
class Layer:
    """An operator's cycles, multiply-accumulates and output elements."""

    name: str
    cycles: int
    macs: int
    outputs: int


@dataclass(frozen=True)
class Count:
    """One inference of a model; `exact`: every output byte is tflite-micro's."""

    name: str
    weights: str
    layers: tuple[Layer, ...]
    arena_bytes: int
    exact: bool

    @property
    def cycles(self) -> int:
        return sum(layer.cycles for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def ms(self) -> float:
        return 1000 * self.cycles / CLOCK_HZ


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--layers", action="store_true", help="every layer as well")
    parser.add_argument("names", nargs="*", metavar="MODEL", help=" ".join(OFFICIAL))
    options = parser.parse_args()
    binary = image.build()
    names = options.names or (CHECKED if options.check else tuple(OFFICIAL))
    counts = []
    for name in names:
        for weights in ("generated",) if options.check else ("official", "generated"):
            model = model_of(name, weights)
            if model is None:
                continue
            counts.append(count(binary, name, weights, model, strict=options.check and name in STRICT))
            print(line(counts[-1]), flush=True)
            if options.layers:
                for layer in counts[-1].layers:
                    print(f"    {layer_line(layer)}")
        if options.write:
            # After each model, so that a long run may be cut off.
            known = [each for each in budgets() if each.name != name]
            write_budgets([*known, *(each for each in counts if each.name == name)])
    if options.write:
        DOCUMENT.write_text(document(budgets()))
    wrong = [each.name for each in counts if not each.exact]
    over = over_budget(counts) if options.check else []
    for problem in [*(f"{name}: outputs differ from tflite-micro's" for name in wrong), *over]:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if wrong or over else 0


def model_of(name: str, weights: str) -> bytes | None:
    """None: there is no official model here."""
    if weights == "generated":
        return generated.build(name)
    file = Path(os.environ.get("TINYMPY_ASSETS", "."), "models", f"{OFFICIAL[name]}.tflite")
    return file.read_bytes() if file.exists() else None


def count(binary: Path, name: str, weights: str, model: bytes, strict: bool) -> Count:
    """One inference on a random input, operation by operation; the call of each is counted with it."""
    compiled = compile_model(model, name)
    loaded = image.Model(image.Core(binary, strict), compiled.program)
    values = generated.random_inputs(name, 1)[0].reshape(-1)
    loaded.write_input(values.tobytes())
    cycles: dict[int, int] = {}
    for index, operation in enumerate(compiled.lowered.operations):
        cycles[operation.operator] = cycles.get(operation.operator, 0) + loaded.run(index, index + 1)
    reference = runtime.Interpreter.from_bytes(model)
    details = reference.get_input_details(0)
    reference.set_input(values.view(details["dtype"]).reshape(details["shape"]), 0)
    reference.invoke()
    exact = np.array_equal(np.frombuffer(loaded.output(), np.int8), reference.get_output(0).view(np.int8).reshape(-1))
    graph = compiled.graph
    layers = [
        Layer(
            graph.operators[index].name,
            spent,
            macs(graph, graph.operators[index]),
            sum(graph.tensors[output].elements for output in graph.operators[index].outputs),
        )
        for index, spent in cycles.items()
    ]
    return Count(name, weights, tuple(layers), compiled.arena.bytes, exact)


def budgets() -> list[Count]:
    """What was counted when the budgets were written."""
    if not BUDGETS.exists():
        return []
    entries = json.loads(BUDGETS.read_text())
    return [
        Count(**(entry | {"layers": tuple(Layer(*layer) for layer in entry["layers"]), "exact": True}))
        for entry in entries
    ]


def write_budgets(counts: list[Count]) -> None:
    order = sorted(counts, key=lambda each: (list(OFFICIAL).index(each.name), each.weights != "official"))
    entries = []
    for each in order:
        layers = ",\n      ".join(json.dumps(astuple(layer)) for layer in each.layers)
        head = json.dumps({"name": each.name, "weights": each.weights, "arena_bytes": each.arena_bytes})[:-1]
        entries.append(f'  {head}, "layers": [\n      {layers}\n  ]}}')
    BUDGETS.write_text("[\n" + ",\n".join(entries) + "\n]\n")


def over_budget(counts: list[Count]) -> list[str]:
    """Which models take longer than they may."""
    known = {(each.name, each.weights): each for each in budgets()}
    return [
        f"{each.name}: {each.cycles} cycles, {each.cycles / known[each.name, each.weights].cycles - 1:+.1%} "
        "against its budget"
        for each in counts
        if each.cycles > known[each.name, each.weights].cycles * (1 + TOLERANCE)
    ]


def ratios(each: Count) -> dict[str, float]:
    """How many times the cycles of each anchor's, for official weights."""
    return {title: ANCHORS[each.name][key] / each.cycles for key, title in TITLES.items() if key in ANCHORS[each.name]}


def line(each: Count) -> str:
    against = ", ".join(f"{ratio:.2f} x {title}" for title, ratio in ratios(each).items())
    return (
        f"{each.name} ({each.weights} weights): {each.cycles} cycles, {each.ms:.1f} ms at 125 MHz, "
        f"{each.cycles / each.macs:.2f} a MAC, arena {each.arena_bytes} B, "
        f"{'bit-exact' if each.exact else 'WRONG'}{'; ' + against if against else ''}"
    )


def layer_line(layer: Layer) -> str:
    of_macs = f"{layer.cycles / layer.macs:6.2f} a MAC" if layer.macs else ""
    return f"{layer.name:20} {layer.cycles:10} cycles {layer.cycles / layer.outputs:8.1f} an output {of_macs}"


def document(counts: list[Count]) -> str:
    """docs/performance.md."""
    head = (
        "| model | weights | cycles | ms at 125 MHz | cycles a MAC | arena, bytes | "
        + " | ".join(TITLES.values())
        + " |"
    )
    table = [head, "|---|---|---|---|---|---|" + "---|" * len(TITLES)]
    layers = ["| model | layer | cycles | a MAC | an output |", "|---|---|---|---|---|"]
    for each in counts:
        known = ratios(each)
        against = " | ".join(f"{known[title]:.2f} x" if title in known else "" for title in TITLES.values())
        table.append(
            f"| {each.name} | {each.weights} | {each.cycles} | {each.ms:.1f} | {each.cycles / each.macs:.2f} | "
            f"{each.arena_bytes} | {against} |"
        )
        if each.weights != "generated":
            continue  # the layers' cycles differ little
        for layer in each.layers:
            of_macs = f"{layer.cycles / layer.macs:.2f}" if layer.macs else ""
            layers.append(
                f"| {each.name} | {layer.name} | {layer.cycles} | {of_macs} | {layer.cycles / layer.outputs:.1f} |"
            )
    text = (HERE / "performance.md").read_text()
    return text.replace("{models}", "\n".join(table)).replace("{layers}", "\n".join(layers))


if __name__ == "__main__":
    sys.exit(main())
