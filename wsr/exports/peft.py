"""Adapter files as PEFT names them: `adapter_config.json` and `adapter_model.safetensors` in a folder for each
instance.

PEFT itself adapts a transformer by adding B A to its weights. The files of a plain LoRA mean the same here: A and B of
each layer of the base. Those of multiplicative adapters have the same names and shapes. The metadata of
`adapter_model.safetensors` say how they apply (`wsr_operation`: add or multiply), and to which base; PEFT would warn of
keys in its configuration that it does not know.
"""

import json

from wsr.errors import WsrError
from wsr.exports.base import Exported, file_names
from wsr.fields.description import FieldDescription
from wsr.fields.lora import Adapter
from wsr.formats.tensors import save_tensors
from wsr.paths import atomic_path, make_dir

PREFIX = "base_model.model"


def write(exported: Exported) -> None:
    """Writes a folder for each instance. WsrError for weights that are no adapters."""
    model = exported.zoo.representation
    if not isinstance(model, Adapter):
        raise WsrError(
            f"The zoo {exported.zoo.path.name!r} holds whole networks ({model.kind.label}), and PEFT's files are for "
            "adapters: export LoRA or mLoRA."
        )
    names, described = file_names(exported.ids), FieldDescription.of(model)
    settings = {
        "peft_type": "LORA", "r": model.rank, "lora_alpha": model.rank, "lora_dropout": 0.0, "bias": "none",
        "fan_in_fan_out": False, "inference_mode": True, "base_model_name_or_path": described.base,
        "target_modules": [f"layers.{layer}" for layer in range(model.layers)],
    }  # fmt: skip
    about = {"wsr_operation": "add" if model.additive else "multiply", "wsr_base_sha256": described.base_sha256 or ""}
    for number, name in enumerate(exported.ids, 1):
        folder = make_dir(exported.folder / names[name])
        tensors = model.layout.unflatten(exported.zoo.weights([name]))
        renamed = {
            f"{PREFIX}.layers.{layer}.lora_{half}.weight": tensors[f"layers.{layer}.{half}"][0]
            for layer in range(model.layers)
            for half in "AB"
        }
        save_tensors(folder / "adapter_model.safetensors", renamed, {"format": "pt", **about})
        with atomic_path(folder / "adapter_config.json") as temporary:
            temporary.write_text(json.dumps(settings, indent=2))
        exported.progress(number, len(exported.ids))
