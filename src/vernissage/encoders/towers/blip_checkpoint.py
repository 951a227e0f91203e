"""BLIP's retrieval model from a folder or a file: whole and as it was trained, or refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.encoders.runtime.devices import Runtime, import_extra, import_torch
from vernissage.encoders.runtime.transformers_folder import quiet, read_config, refuse_missing
from vernissage.encoders.runtime.weights import file_in, read_tensors
from vernissage.encoders.towers.blip_layout import is_original, renamed, settings_of
from vernissage.errors import EncoderError

if TYPE_CHECKING:
    import torch

WEIGHTS_FILES = ("model.safetensors", "model_*_retrieval*.safetensors", "model_*_retrieval*.pth", "pytorch_model.bin")

_EPS = 1e-6
"""What the vision layers were trained with; the hub's configuration says 1e-5, which moves vectors by .006."""


def load_model(place: Path, runtime: Runtime) -> Any:
    """The model in ``place``, in transformers' or the original layout, as BlipForImageTextRetrieval.

    float32 weights, in eval mode, on the runtime's device.

    Raises:
        EncoderError: weights or settings are missing, damaged, or another model's.
    """
    file = file_in(place, WEIGHTS_FILES)
    tensors = read_tensors(file)
    if is_original(tensors):
        settings, tensors = settings_of(tensors, file.parent), renamed(tensors)
    else:
        settings = read_config(file.parent)
        if settings.get("model_type") != "blip":
            raise EncoderError(
                f"{file.parent} holds a model of the type {settings.get('model_type')!r}, not blip; get "
                f"Salesforce/blip-itm-base-coco"
            )
    return _assembled(settings, tensors, file).to(runtime.resolved_device())


def _assembled(settings: Mapping[str, Any], tensors: "Mapping[str, torch.Tensor]", file: Path) -> Any:
    """The model around exactly these tensors: none is left to chance, which transformers' own loader would allow."""
    model = _empty(settings, file)
    needed = model.state_dict()
    refuse_missing(sorted(needed.keys() - tensors.keys()), file)
    for name, tensor in needed.items():
        if tensors[name].shape != tensor.shape:
            raise EncoderError(
                f"{name} in {file} has the shape {tuple(tensors[name].shape)}, but the configuration beside it asks "
                f"for {tuple(tensor.shape)}; get weights and config.json from one and the same model"
            )
    model.load_state_dict({name: tensors[name].float() for name in needed}, assign=True)
    positions = import_torch().arange(model.config.text_config.max_position_embeddings)[None]
    model.text_encoder.embeddings.position_ids = positions  # the one tensor that checkpoints do not hold
    return model.eval()


def _empty(settings: Mapping[str, Any], file: Path) -> Any:
    """The model without any weights."""
    torch, transformers = import_torch(), import_extra("transformers")
    strict = import_extra("huggingface_hub.errors").StrictDataclassError
    try:
        with quiet(transformers), torch.device("meta"):
            config = transformers.BlipConfig.from_dict(dict(settings))
            config.vision_config.layer_norm_eps = _EPS
            return transformers.BlipForImageTextRetrieval(config)
    except (strict, TypeError, ValueError, KeyError, AttributeError, RuntimeError, ZeroDivisionError) as error:
        raise EncoderError(
            f"the settings beside {file} describe no BLIP ({' '.join(str(error).split())[:200]}); get config.json anew "
            f"from where the weights came from"
        ) from error
