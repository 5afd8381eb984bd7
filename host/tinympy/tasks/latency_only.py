"""An official task without all of its official files: its network on random inputs, for latency and memory."""

from __future__ import annotations

from tinympy import generated
from tinympy.tasks.base import OfficialTask, Sample, Task, Weights, check_limit


class LatencyOnly(Task):
    """`weights`: those of the official model, or generated ones, which need no file at all."""

    official = False
    scored = False
    full_n = 5

    def __init__(self, original: OfficialTask, weights: Weights) -> None:
        super().__init__(original.folder)
        self._original = original
        self.weights = weights
        self.name, self.title = original.name, original.title
        self.hearing, self.data_file = original.hearing, original.data_file
        self.wire_bytes, self.wire_input, self.wire_results = (
            original.wire_bytes,
            original.wire_input,
            original.wire_results,
        )
        if weights == "generated":
            self.model_file = f"{original.name}_generated.tflite"
            self.caveat = "generated weights: no accuracy (`tinympy assets fetch` gets the official models)"
        else:
            self.model_file = original.model_file
            self.caveat = "random inputs: no accuracy (`tinympy assets list` says where the official ones are from)"

    @property
    def model_sha256(self) -> str | None:
        return None if self.weights == "generated" else self._original.model_sha256

    def missing(self) -> list[str]:
        return [] if self.weights == "generated" or self._original.has_model else [f"models/{self.model_file}"]

    def model(self) -> bytes:
        return generated.build(self.name) if self.weights == "generated" else self._original.model()

    def samples(self, limit: int | None = None) -> list[Sample]:
        check_limit(limit)
        inputs = generated.random_inputs(self.name, self.full_n)[:limit]
        return [Sample(f"random {index}", 0, row.reshape(1, -1), row.tobytes()) for index, row in enumerate(inputs)]
