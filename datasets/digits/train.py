"""Make the bundled task `digits`: train the network, quantise it to int8, export it with its held-out samples.

Needs `pip install tinympy[train]` (torch, scikit-learn) and tflite-micro. With `--check` nothing is trained: the model
that is there runs on the samples beside it, which needs tflite-micro only. README.md in this folder has the results.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinympy.model.graph import Graph, Operator, Quantization, Tensor
from tinympy.model.write import write

if TYPE_CHECKING:
    from torch import nn

HERE = Path(__file__).parent
MODEL_FILE = "digits_int8.tflite"
CLASSES = 10
SIZE = 8
HELD_OUT_SAMPLES = 360
SEED = 0
EPOCHS = 40
BATCH = 32
PEAK_LEARNING_RATE = 0.01

# A pixel counts the inked points of a 4x4 block, 0 to 16. The network sees pixel / 16; int8 holds pixel - 128 exactly.
INPUT_QUANTIZATION = Quantization.per_tensor(1 / 16, -128)
# TensorFlow Lite's int8 kernel fixes what SOFTMAX answers: 0 to 255/256.
SOFTMAX_QUANTIZATION = Quantization.per_tensor(1 / 256, -128)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """A convolution with SAME padding and RELU."""

    operator: str
    channels: int
    kernel: int
    stride: int


# Behind these stand AVERAGE_POOL_2D over what is left of the image, RESHAPE, FULLY_CONNECTED and SOFTMAX.
LAYERS = (
    Layer("CONV_2D", 16, kernel=3, stride=1),
    Layer("DEPTHWISE_CONV_2D", 16, kernel=3, stride=1),
    Layer("CONV_2D", 32, kernel=1, stride=1),
    Layer("DEPTHWISE_CONV_2D", 32, kernel=3, stride=2),
    Layer("CONV_2D", 32, kernel=1, stride=1),
)


@dataclass(frozen=True)
class FloatLayer:
    """What export needs of a trained layer: batch norm folded in, weights as TensorFlow Lite orders them."""

    weights: Floats
    """CONV_2D: out, height, width, in. DEPTHWISE_CONV_2D: 1, height, width, channels. FULLY_CONNECTED: out, in."""
    bias: Floats
    output_range: tuple[float, float]
    """Smallest and largest output on the training samples."""


def load() -> tuple[Ints, Ints]:
    """Pixels (samples, 8, 8) of 0 to 16 and classes (samples,), in scikit-learn's order."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images.astype(np.int64), digits.target.astype(np.int64)


def split(labels: Ints) -> tuple[Ints, Ints]:
    """Indices of the samples to train with and of those held out, each ascending; stratified by class."""
    from sklearn.model_selection import train_test_split

    indices = np.arange(len(labels))
    parts = train_test_split(indices, test_size=HELD_OUT_SAMPLES, stratify=labels, random_state=SEED)
    return np.sort(parts[0]), np.sort(parts[1])


def model_inputs(pixels: Ints) -> npt.NDArray[np.int8]:
    """The samples as the model's input tensor holds them, (samples, 8, 8, 1)."""
    return (pixels - 128).astype(np.int8)[..., None]


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Rows to add before and after, as TensorFlow does: the odd one goes behind."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def build_network() -> nn.Sequential:
    """The float network; each convolution is a block of (padding, convolution, batch norm, RELU)."""
    from torch import nn

    blocks: list[nn.Module] = []
    channels, size = 1, SIZE
    for layer in LAYERS:
        groups = channels if layer.operator == "DEPTHWISE_CONV_2D" else 1
        padding = same_padding(size, layer.kernel, layer.stride)
        convolution = nn.Conv2d(channels, layer.channels, layer.kernel, layer.stride, groups=groups, bias=False)
        blocks.append(nn.Sequential(nn.ZeroPad2d(padding * 2), convolution, nn.BatchNorm2d(layer.channels), nn.ReLU()))
        channels, size = layer.channels, -(-size // layer.stride)
    return nn.Sequential(*blocks, nn.AvgPool2d(size), nn.Flatten(), nn.Linear(channels, CLASSES))


def float_inputs(pixels: Ints) -> Any:
    """The same samples as the float network takes them, a tensor (samples, 1, 8, 8) of 0 to 1."""
    import torch

    return torch.tensor(pixels[:, None] / 16, dtype=torch.float32)


def train(pixels: Ints, labels: Ints) -> nn.Sequential:
    """The trained network. Seeded and on one thread, so that the same machine and versions give the same bits."""
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(SEED)
    network = build_network()
    inputs, targets = float_inputs(pixels), torch.tensor(labels)
    optimiser = torch.optim.AdamW(network.parameters())
    steps = EPOCHS * -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_LEARNING_RATE, total_steps=steps)
    loss_function = torch.nn.CrossEntropyLoss()
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(labels)).split(BATCH):
            optimiser.zero_grad()
            loss_function(network(inputs[batch]), targets[batch]).backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def fold_and_calibrate(network: nn.Sequential, pixels: Ints) -> list[FloatLayer]:
    """The layers with parameters, in order, with the ranges that their outputs take on these samples."""
    import torch

    layers = []
    values = float_inputs(pixels)
    with torch.no_grad():
        for block in network:
            values = block(values)
            output_range = (float(values.min()), float(values.max()))
            if isinstance(block, torch.nn.Sequential):
                _, convolution, norm, _ = list[Any](block)
                gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
                bias = norm.bias - norm.running_mean * gain
                weights = convolution.weight * gain[:, None, None, None]
                order = (1, 2, 3, 0) if convolution.groups > 1 else (0, 2, 3, 1)
                layers.append(FloatLayer(weights.permute(order).numpy(), bias.numpy(), output_range))
            elif isinstance(block, torch.nn.Linear):
                layers.append(FloatLayer(block.weight.numpy(), block.bias.numpy(), output_range))
    return layers


def activation_quantization(output_range: tuple[float, float]) -> Quantization:
    """Asymmetric int8 over the range, widened to hold 0."""
    low, high = min(output_range[0], 0.0), max(output_range[1], 0.0)
    scale = (high - low) / 255
    return Quantization.per_tensor(scale, round(-128 - low / scale))


def quantise_parameters(
    name: str, layer: FloatLayer, input_scale: np.float32, axis: int | None
) -> tuple[Tensor, Tensor]:
    """Weights as symmetric int8, per channel along `axis` or (None) per tensor, and the bias that goes with them."""
    others = None if axis is None else tuple(i for i in range(layer.weights.ndim) if i != axis)
    largest = np.abs(layer.weights).max(axis=others, keepdims=True)
    weights = np.clip(np.round(layer.weights / (largest / 127)), -127, 127).astype(np.int8)
    scale = (largest / 127).ravel().astype(np.float32)
    bias = np.round(layer.bias / (input_scale * scale)).astype(np.int32)
    zero_point = np.zeros(len(scale), np.int64)
    return (
        Tensor(f"{name}/weights", weights.shape, "int8", Quantization(scale, zero_point, axis or 0), weights),
        Tensor(f"{name}/bias", bias.shape, "int32", Quantization(input_scale * scale, zero_point), bias),
    )


class GraphBuilder:
    """A chain of operators; each one added takes the last one's output."""

    def __init__(self, first: Tensor) -> None:
        self.tensors = [first]
        self.operators: list[Operator] = []
        self.last = 0

    @property
    def output(self) -> Tensor:
        return self.tensors[self.last]

    def add(self, operator: str, constants: tuple[Tensor, ...], output: Tensor, **options: Any) -> None:
        inputs = (self.last, *range(len(self.tensors), len(self.tensors) + len(constants)))
        self.tensors += [*constants, output]
        self.last = len(self.tensors) - 1
        self.operators.append(Operator(operator, inputs, (self.last,), options))

    def graph(self, description: str) -> Graph:
        return Graph(tuple(self.tensors), tuple(self.operators), (0,), (self.last,), description)


def quantise(layers: list[FloatLayer]) -> Graph:
    """The int8 graph, by TensorFlow Lite's rules for post-training quantisation."""
    builder = GraphBuilder(Tensor("input", (1, SIZE, SIZE, 1), "int8", INPUT_QUANTIZATION))
    for index, (layer, floats) in enumerate(zip(LAYERS, layers[:-1], strict=True)):
        depthwise = layer.operator == "DEPTHWISE_CONV_2D"
        name = f"{'depthwise' if depthwise else 'conv'}_{index}"
        size = -(-builder.output.shape[1] // layer.stride)
        output = Tensor(name, (1, size, size, layer.channels), "int8", activation_quantization(floats.output_range))
        constants = quantise_parameters(name, floats, scale_of(builder.output), axis=3 if depthwise else 0)
        strides = {"stride_w": layer.stride, "stride_h": layer.stride}
        extra = {"depth_multiplier": 1} if depthwise else {}
        builder.add(
            layer.operator, constants, output, padding="SAME", fused_activation_function="RELU", **strides, **extra
        )

    _, height, width, channels = builder.output.shape
    averages = Tensor("averages", (1, 1, 1, channels), "int8", builder.output.quantization)
    window = {"filter_height": height, "filter_width": width, "stride_h": height, "stride_w": width}
    builder.add("AVERAGE_POOL_2D", (), averages, padding="VALID", **window)

    flat = Tensor("flat", (1, channels), "int8", averages.quantization)
    shape = Tensor("flat/shape", (2,), "int32", data=np.array(flat.shape, np.int32))
    builder.add("RESHAPE", (shape,), flat, new_shape=flat.shape)

    logits = Tensor("logits", (1, CLASSES), "int8", activation_quantization(layers[-1].output_range))
    builder.add("FULLY_CONNECTED", quantise_parameters("logits", layers[-1], scale_of(flat), axis=None), logits)
    builder.add("SOFTMAX", (), Tensor("scores", (1, CLASSES), "int8", SOFTMAX_QUANTIZATION), beta=1.0)
    return builder.graph("tinympy digits: 8x8 handwritten digits, int8")


def scale_of(tensor: Tensor) -> np.float32:
    assert tensor.quantization is not None
    return np.float32(tensor.quantization.scale[0])


def export(folder: Path, graph: Graph, pixels: Ints, labels: Ints, held_out: Ints) -> None:
    """The model, and the held-out samples with their labels, the labels as MLPerf Tiny writes them."""
    (folder / MODEL_FILE).write_bytes(write(graph))
    np.save(folder / "inputs.npy", model_inputs(pixels[held_out]))
    lines = [f"digits_{index:04d},{CLASSES},{labels[index]}\n" for index in held_out]
    (folder / "y_labels.csv").write_text("".join(lines))


def evaluate(folder: Path) -> tuple[int, int]:
    """Held-out samples that the model in `folder` gets right in TensorFlow Lite Micro, and how many there are."""
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(folder / MODEL_FILE))
    inputs = np.load(folder / "inputs.npy")
    labels = [int(line.split(",")[2]) for line in (folder / "y_labels.csv").read_text().splitlines()]
    correct = 0
    for sample, label in zip(inputs, labels, strict=True):
        interpreter.set_input(sample[None], 0)
        interpreter.invoke()
        correct += int(np.argmax(interpreter.get_output(0)) == label)
    return correct, len(labels)


def main() -> None:
    parser = argparse.ArgumentParser(description="train, quantise and export the bundled digits model")
    parser.add_argument("--check", action="store_true", help="only evaluate the model that is there")
    parser.add_argument("--folder", type=Path, default=HERE, help="where the model and its samples are (default: here)")
    arguments = parser.parse_args()
    if not arguments.check:
        pixels, labels = load()
        training, held_out = split(labels)
        network = train(pixels[training], labels[training])
        answers = network(float_inputs(pixels[held_out])).argmax(1).numpy()
        print_accuracy("float", int((answers == labels[held_out]).sum()), len(held_out))
        graph = quantise(fold_and_calibrate(network, pixels[training]))
        export(arguments.folder, graph, pixels, labels, held_out)
    print_accuracy("int8 in tflite-micro", *evaluate(arguments.folder))


def print_accuracy(what: str, correct: int, samples: int) -> None:
    print(f"{what}: {correct} of {samples} held-out samples right, {100 * correct / samples:.2f} %")


if __name__ == "__main__":
    main()
