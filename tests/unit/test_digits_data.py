"""The bundled task `digits`: its files agree with each other, with their source and with what their README says."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tinympy.model.graph import Graph
from tinympy.model.read import read

FOLDER = Path(__file__).parents[2] / "datasets" / "digits"
README = (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def train() -> ModuleType:
    """train.py, which is a script beside the data and not a part of the package."""
    specification = importlib.util.spec_from_file_location("digits_train", FOLDER / "train.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    return np.load(FOLDER / "inputs.npy")


@pytest.fixture(scope="module")
def labels() -> list[tuple[int, int]]:
    """(index in the original data set, class) of every line."""
    lines = (FOLDER / "y_labels.csv").read_text().splitlines()
    matches = [re.fullmatch(r"digits_(\d{4}),10,(\d)", line) for line in lines]
    return [(int(match[1]), int(match[2])) for match in matches if match]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return read((FOLDER / "digits_int8.tflite").read_bytes())


def needs_scikit_learn() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install tinympy[train]")


def needs_tflite_micro() -> None:
    pytest.importorskip("tflite_micro", reason="tflite_micro is not installed: pip install tflite-micro")


def test_every_sample_has_a_label_and_a_name_of_its_own(inputs: np.ndarray, labels: list[tuple[int, int]]) -> None:
    assert (inputs.shape, inputs.dtype) == ((360, 8, 8, 1), np.int8)
    assert len(labels) == len({index for index, _ in labels}) == 360
    assert {label for _, label in labels} == set(range(10))


def test_samples_use_the_17_pixel_values_and_the_model_reads_them_as_sixteenths(
    inputs: np.ndarray, graph: Graph
) -> None:
    assert (inputs.min(), inputs.max()) == (-128, -112)
    tensor = graph.tensors[graph.inputs[0]]
    assert (tensor.shape, tensor.dtype) == ((1, 8, 8, 1), "int8")
    assert tensor.quantization is not None
    assert (tensor.quantization.scale.tolist(), tensor.quantization.zero_point.tolist()) == ([1 / 16], [-128])


def test_samples_and_labels_are_those_of_the_original_data_set(
    train: ModuleType, inputs: np.ndarray, labels: list[tuple[int, int]]
) -> None:
    needs_scikit_learn()
    pixels, classes = train.load()
    indices = [index for index, _ in labels]
    np.testing.assert_array_equal(inputs, train.model_inputs(pixels[indices]))
    assert [label for _, label in labels] == classes[indices].tolist()


def test_no_held_out_sample_was_trained_with(
    train: ModuleType, inputs: np.ndarray, labels: list[tuple[int, int]]
) -> None:
    needs_scikit_learn()
    pixels, classes = train.load()
    training, held_out = train.split(classes)
    assert held_out.tolist() == [index for index, _ in labels]
    assert sorted([*training, *held_out]) == list(range(len(pixels)))
    trained_images = {image.tobytes() for image in train.model_inputs(pixels[training])}
    assert not trained_images & {image.tobytes() for image in inputs}


def test_model_gets_95_percent_of_the_samples_right_and_the_readme_says_how_many(train: ModuleType) -> None:
    needs_tflite_micro()
    correct, samples = train.evaluate(FOLDER)
    assert correct / samples >= 0.95
    assert f"| int8, in tflite-micro | {correct} of {samples} | {100 * correct / samples:.2f} % |" in README


def test_readme_table_is_the_models(graph: Graph) -> None:
    rows = []
    total_macs = total_parameters = 0
    for operator in graph.operators:
        output = graph.tensors[operator.outputs[0]]
        constants = [graph.tensors[index] for index in operator.inputs[1:] if operator.name != "RESHAPE"]
        parameters = sum(constant.elements for constant in constants)
        macs = 0
        if constants:
            # Every output element takes one channel's weights: all of them over the number of channels.
            macs = output.elements * constants[0].elements // output.shape[-1]
        window = _window(operator.options, constants[0].shape if constants else ())
        rows.append(f"| {operator.name} | {window}{'×'.join(map(str, output.shape[1:]))} | {macs} | {parameters} |")
        total_macs += macs
        total_parameters += parameters
    assert re.findall(r"^\| [A-Z][A-Z_0-9]+ \|.*", README, re.MULTILINE) == rows
    assert f"| total | | | {total_macs} | {total_parameters} |" in README


def _window(options: dict[str, int], weights_shape: tuple[int, ...]) -> str:
    if "stride_h" not in options:
        return "| "
    height, width = weights_shape[1:3] if weights_shape else (options["filter_height"], options["filter_width"])
    return f"{height}×{width}, stride {options['stride_h']} | "


def test_the_readmes_check_command_prints_the_accuracy() -> None:
    needs_tflite_micro()
    assert "    python datasets/digits/train.py --check\n" in README
    result = subprocess.run(
        [sys.executable, FOLDER / "train.py", "--check"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"int8 in tflite-micro: \d+ of 360 held-out samples right, 9\d\.\d\d %\n", result.stdout)


def test_training_again_gives_a_model_as_good(tmp_path: Path) -> None:
    needs_scikit_learn()
    needs_tflite_micro()
    pytest.importorskip("torch", reason="torch is not installed: pip install tinympy[train]")
    command = [sys.executable, FOLDER / "train.py", "--folder", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    accuracies = [float(percent) for percent in re.findall(r"(\d+\.\d\d) %", result.stdout)]
    assert len(accuracies) == 2 and min(accuracies) >= 95
    for file in ("inputs.npy", "y_labels.csv"):
        assert (tmp_path / file).read_bytes() == (FOLDER / file).read_bytes()
