"""How many instructions the kernels execute on each architecture under QEMU: models and their layers.

Instructions are not cycles: what a load, a branch or a multiplication takes differs from core to core. Counts are the
same each time. `--check` compares those of networks with generated weights with tests/instructions/budgets.json and
fails where one is more than 1 % above, or where an output byte is not tflite-micro's; `--write` makes the budgets and
docs/instructions.md anew, for official models too where TINYMPY_ASSETS says where they are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import astuple, dataclass
from pathlib import Path

from tflite_micro import runtime

from tinympy import generated
from tinympy.compiler import compile_model
from tinympy.inspection import macs

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "native"))

import emulated  # noqa: E402  (found by the line above)

BUILD = emulated.NATIVE_MODULES / "build/instructions"
BUDGETS = HERE / "budgets.json"
DOCUMENT = HERE.parents[1] / "docs/instructions.md"
KNOWN = json.loads((HERE / "anchors.json").read_text())
ANCHORS: dict[str, dict[str, dict[str, int]]] = KNOWN["instructions"]
BARS: dict[str, dict[str, float]] = KNOWN["bars"]
TITLES = {"cmsis_nn": "CMSIS-NN", "tflm_reference": "TFLM reference"}
OFFICIAL = {
    "kws01": "kws_ref_model",
    "ad01": "ad01_int8",
    "ic01": "pretrainedResnet_quant",
    "vww01": "vww_96_int8",
    "sww01": "str_ww_ref_model",
    "ic02": "pretrainedResnet_large_int8",
}
CHECKED = ("kws01", "ad01", "ic01", "vww01", "sww01")
ARCHITECTURES = ("armv7emsp", "armv7m", "rv32imc", "xtensawin")
"""Those that tests/cycles/ does not count."""
TOLERANCE = 0.01


@dataclass(frozen=True)
class Layer:
    """An operator's instructions, multiply-accumulates and output elements."""

    name: str
    instructions: int
    macs: int
    outputs: int


@dataclass(frozen=True)
class Count:
    """One inference of a model; `exact`: every output byte is tflite-micro's."""

    architecture: str
    name: str
    weights: str
    layers: tuple[Layer, ...]
    exact: bool

    @property
    def instructions(self) -> int:
        return sum(layer.instructions for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def ratio(self) -> tuple[str, float] | None:
        """The anchor for this model, and how many times its instructions these are."""
        anchors = ANCHORS.get(self.architecture, {}).get(self.name, {})
        return next(((TITLES[key], self.instructions / anchor) for key, anchor in anchors.items()), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--layers", action="store_true", help="every layer as well")
    parser.add_argument("--architecture", action="append", choices=ARCHITECTURES, help="only this one; repeatable")
    parser.add_argument("names", nargs="*", metavar="MODEL", help=" ".join(OFFICIAL))
    options = parser.parse_args()
    counts = []
    for architecture in options.architecture or ARCHITECTURES:
        if program := emulated.missing(architecture):
            sys.exit(f"error: {program} is missing\nhint: `make compilers` installs what is needed")
        counter = Counter(architecture)
        for name in options.names or (CHECKED if options.check else tuple(OFFICIAL)):
            for weights in ("generated",) if options.check else ("official", "generated"):
                model = model_of(name, weights)
                if model is None:
                    continue
                counts.append(counter.count(name, weights, model))
                print(line(counts[-1]), flush=True)
                if options.layers:
                    for layer in counts[-1].layers:
                        print(f"    {layer_line(layer)}")
    if options.write:
        counted = {(each.architecture, each.name, each.weights) for each in counts}
        kept = [each for each in budgets() if (each.architecture, each.name, each.weights) not in counted]
        write_budgets([*kept, *counts])
        DOCUMENT.write_text(document(budgets()))
    wrong = [
        f"{each.architecture} {each.name}: outputs differ from tflite-micro's" for each in counts if not each.exact
    ]
    over = over_budget(counts) if options.check else []
    for problem in [*wrong, *over]:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if wrong or over else 0


def model_of(name: str, weights: str) -> bytes | None:
    """None: there is no official model here."""
    if weights == "generated":
        return generated.build(name)
    file = Path(os.environ.get("TINYMPY_ASSETS", "."), "models", f"{OFFICIAL[name]}.tflite")
    return file.read_bytes() if file.exists() else None


class Counter:
    """The kernels for one architecture, under QEMU with the plugin that counts."""

    def __init__(self, architecture: str, folder: Path = BUILD) -> None:
        self.architecture = architecture
        folder /= architecture
        self.runner = emulated.build(architecture, folder)
        self.plugin = emulated.counter(folder)

    def count(self, name: str, weights: str, model: bytes) -> Count:
        """One inference on a random input, operation by operation; the call of each is counted with it."""
        compiled = compile_model(model, name)
        values = generated.random_inputs(name, 1)[0].reshape(-1)
        [output], counts = emulated.infer(
            self.architecture, self.runner, compiled.program, [values.tobytes()], self.plugin
        )
        reference = runtime.Interpreter.from_bytes(model)
        details = reference.get_input_details(0)
        reference.set_input(values.view(details["dtype"]).reshape(details["shape"]), 0)
        reference.invoke()
        spent: dict[int, int] = {}
        for operation, instructions in zip(compiled.lowered.operations, counts, strict=True):
            spent[operation.operator] = spent.get(operation.operator, 0) + instructions
        graph = compiled.graph
        layers = [
            Layer(
                graph.operators[index].name,
                instructions,
                macs(graph, graph.operators[index]),
                sum(graph.tensors[output].elements for output in graph.operators[index].outputs),
            )
            for index, instructions in spent.items()
        ]
        exact = output == reference.get_output(0).tobytes()
        return Count(self.architecture, name, weights, tuple(layers), exact)


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
    def place(each: Count) -> tuple[int, int, bool]:
        return ARCHITECTURES.index(each.architecture), list(OFFICIAL).index(each.name), each.weights != "official"

    entries = []
    for each in sorted(counts, key=place):
        layers = ",\n      ".join(json.dumps(astuple(layer)) for layer in each.layers)
        head = json.dumps({"architecture": each.architecture, "name": each.name, "weights": each.weights})[:-1]
        entries.append(f'  {head}, "layers": [\n      {layers}\n  ]}}')
    BUDGETS.write_text("[\n" + ",\n".join(entries) + "\n]\n")


def over_budget(counts: list[Count]) -> list[str]:
    """Which models execute more than they may."""
    known = {(each.architecture, each.name, each.weights): each for each in budgets()}
    problems = []
    for each in counts:
        budget = known[each.architecture, each.name, each.weights].instructions
        if each.instructions > budget * (1 + TOLERANCE):
            problems.append(
                f"{each.architecture} {each.name}: {each.instructions} instructions, "
                f"{each.instructions / budget - 1:+.1%} against its budget"
            )
    return problems


def line(each: Count) -> str:
    against = f"; {each.ratio[1]:.2f} of {each.ratio[0]}" if each.ratio else ""
    return (
        f"{each.architecture} {each.name} ({each.weights} weights): {each.instructions} instructions, "
        f"{each.instructions / each.macs:.2f} a MAC, {'bit-exact' if each.exact else 'WRONG'}{against}"
    )


def layer_line(layer: Layer) -> str:
    of_macs = f"{layer.instructions / layer.macs:6.2f} a MAC" if layer.macs else ""
    of_outputs = f"{layer.instructions / layer.outputs:8.1f} an output"
    return f"{layer.name:20} {layer.instructions:10} instructions {of_outputs} {of_macs}"


def document(counts: list[Count]) -> str:
    """docs/instructions.md."""
    table = [
        "| architecture | model | weights | instructions | a MAC | share of | | bar |",
        "|---|---|---|---|---|---|---|---|",
    ]
    layers = ["| architecture | model | layer | instructions | a MAC | an output |", "|---|---|---|---|---|---|"]
    for each in counts:
        ratio = each.ratio if each.weights == "official" else None
        title, share = (ratio[0], f"{ratio[1]:.2f}") if ratio else ("", "")
        bar = BARS.get(each.architecture, {}).get(each.name, "") if ratio else ""
        table.append(
            f"| {each.architecture} | {each.name} | {each.weights} | {each.instructions} | "
            f"{each.instructions / each.macs:.2f} | {title} | {share} | {bar} |"
        )
        if each.weights != "generated" or each.architecture != "armv7emsp":
            continue
        for layer in each.layers:
            of_macs = f"{layer.instructions / layer.macs:.2f}" if layer.macs else ""
            layers.append(
                f"| {each.architecture} | {each.name} | {layer.name} | {layer.instructions} | {of_macs} | "
                f"{layer.instructions / layer.outputs:.1f} |"
            )
    text = (HERE / "instructions.md").read_text()
    return text.replace("{models}", "\n".join(table)).replace("{layers}", "\n".join(layers))


if __name__ == "__main__":
    sys.exit(main())
