"""The system description: the keys of MLPerf Tiny's template, filled as far as records say something."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from tinympy.errors import UsageError
from tinympy.records import Model, Record

# system_description_template.json of mlcommons/tiny_results_v0.5, which is also that of later rounds.
KEYS = (
    "Submitter",
    "Division",
    "Status",
    "Board Name",
    "Manufacturer Name and node",
    "Board Memory capacity (not including SoC, processor, or accelerator)",
    "Board Memory type",
    "Board storage capacity",
    "Board storage type",
    "SoC Name",
    "SoC Memory capacity (not including processor or accelerator)",
    "SoC Memory type",
    "SoC storage capacity",
    "SoC storage type",
    "Processor(s) Name",
    "Processor(s) Frequencies",
    "Processor memory type and capacity",
    "Processor storage type and capacity",
    "Accelerator",
    "Accelerator(s) Frequencies",
    "Accelerator memory type and capacity",
    "Accelerator storage type and capacity",
    "Hardware Notes",
    "Inference Framework",
    "Software Libraries",
    "Operating System",
    "Other Software Stack",
    "Software Notes",
    "Quantization Method",
    "Training framework (open division)",
    "ML Model Compiler(s)",
    "General Compiler(s)",
    "Other Software",
    "Training and Quantization Notes",
)
REQUIRED = {
    "Board Name": "what the board is called where it is sold",
    "Processor(s) Name": "for example Arm Cortex-M0+",
    "Processor(s) Frequencies": "the clock during the measurement",
    "Processor memory type and capacity": "for example 264 KB SRAM",
    "Processor storage type and capacity": "for example 2 MB QSPI flash",
    "Inference Framework": "what runs the model",
    "Software Libraries": "what it is built on",
    "Quantization Method": "how the weights became int8",
}


def describe(record: Record) -> dict[str, str]:
    """The description of a record's system; what records do not say is empty."""
    board, version = record.board, f"tinympy {record.tinympy}"
    known = {
        "Board Name": board.name,
        "Processor(s) Frequencies": f"{board.clock_hz / 1e6:g} MHz" if board.clock_hz else "",
        "Hardware Notes": "emulated" if board.emulated else "",
        "Inference Framework": version,
        "Software Libraries": f"tinympy kernels as a native module for {board.arch}, "
        f"sha256 {record.engine.build_sha256}",
        "Operating System": board.firmware,
        "Quantization Method": _quantisation(record.model),
        "ML Model Compiler(s)": version,
        "General Compiler(s)": _compiler(record.engine.build_sha256),
    }
    return {key: known.get(key, "") for key in KEYS}


def with_fields(description: Mapping[str, str], given: Mapping[str, Any], more: Iterable[str] = ()) -> dict[str, str]:
    """A description with fields that a person gave, of which `more` are written Key=Value.

    Raises:
        UsageError: a key is none of the template's, or a value is no text.
    """
    fields = dict(given)
    for each in more:
        key, equals, value = each.partition("=")
        if not equals:
            raise UsageError(f"a field is written Key=Value, not {each}", '--field "Processor(s) Name=Arm Cortex-M0+"')
        fields[key.strip()] = value.strip()
    for key, value in fields.items():
        if key.strip() not in KEYS:
            raise UsageError(f"the system description has no field {key}", "its fields: " + ", ".join(KEYS))
        if not isinstance(value, str):
            raise UsageError(f"the field {key} is not a text: {json.dumps(value)}", "write it in quotation marks")
    return {**description, **{key.strip(): value for key, value in fields.items()}}


def _quantisation(model: Model) -> str:
    if model.quantisation is not None:
        return model.quantisation.method
    return "post-training int8, the reference models" if model.weights == "official" else ""


def _compiler(build_sha256: str | None) -> str:
    manifest = json.loads(files("tinympy.prebuilt").joinpath("manifest.json").read_text())
    built = next((entry for entry in manifest.values() if entry["sha256"] == build_sha256), None)
    return str(built["compiler"]) if built else ""
