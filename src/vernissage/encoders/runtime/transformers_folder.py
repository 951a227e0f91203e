"""Models and tokenizers from a folder in transformers' layout: whole, or refused.

transformers fills in what a folder lacks (random weights, a vocabulary of two words, code from elsewhere) and says so
in passing at most; here each of these is an error.
"""

import json
import pickle  # only its error type; nothing here unpickles
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vernissage.encoders.runtime.devices import Runtime, import_extra, import_torch
from vernissage.errors import EncoderError

_TOKENIZER_FILES = (
    ("tokenizer.json",),
    ("vocab.json", "merges.txt"),
    ("vocab.txt",),
    ("spiece.model",),
    ("tokenizer.model",),
    ("sentencepiece.bpe.model",),
)

_LATE_POSITIONS = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet", "altclip_text_model", "longformer"})
_ENDLESS = 1_000_000
"""Tokenizers without a limit give a number far beyond it."""


def read_config(place: Path) -> dict[str, Any]:
    """The model's config.json.

    Raises:
        EncoderError: the folder or the file is missing, or no JSON object.
    """
    if not place.is_dir():
        raise EncoderError(
            f"there is no folder {place}; name a folder with config.json, model.safetensors and the tokenizer's files"
        )
    return read_object(place / "config.json")


def read_object(file: Path) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        EncoderError: it is missing, damaged or something else.
    """
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise EncoderError(f"{file} is missing; get it from where the weights came from") from error
    except ValueError as error:
        raise EncoderError(f"{file} is damaged ({error}); get it anew from where the weights came from") from error
    if not isinstance(content, dict):
        raise EncoderError(f"{file} holds no JSON object; get it anew from where the weights came from")
    return content


def load_model(place: Path, architecture: str, runtime: Runtime, *, unneeded: Sequence[str] = ()) -> Any:
    """The model in ``place`` as a transformers class: float32 weights, in eval mode, on the runtime's device.

    Args:
        place: folder with config.json and weights.
        architecture: name of the class, such as CLIPModel or AutoModel.
        runtime: says the device.
        unneeded: beginnings of the names of weights that may be missing, since nothing that is used reads them.

    Raises:
        EncoderError: files or weights are missing, damaged, or of another model.
    """
    read_config(place)
    torch, transformers = import_torch(), import_extra("transformers")
    damaged = import_extra("safetensors").SafetensorError
    try:
        with quiet(transformers), _checked_settings(place):
            model, found = getattr(transformers, architecture).from_pretrained(
                place, local_files_only=True, trust_remote_code=False, dtype=torch.float32, output_loading_info=True
            )
    except pickle.UnpicklingError as error:
        raise EncoderError(
            f"the weights in {place} are damaged, or a pickle that would run code, and are not opened; get "
            f"model.safetensors from the model's authors instead"
        ) from error
    except (OSError, ValueError, RuntimeError, KeyError, damaged) as error:
        raise EncoderError(
            f"cannot load {architecture} from {place} ({_first_line(error)}); get config.json and the weights "
            f"(model.safetensors) anew, from one and the same model"
        ) from error
    missing = sorted(key for key in found["missing_keys"] if not key.startswith(tuple(unneeded)))
    refuse_missing(missing, place)
    return model.eval().to(runtime.resolved_device())


def filled(model: Any, tensors: Mapping[str, Any], file: Path, *, optional: tuple[str, ...] = ()) -> Any:
    """The model around exactly these tensors, in eval mode: none is left to chance, as transformers' loader allows.

    Args:
        model: of transformers, with weights that do not matter, or none.
        tensors: by the model's names; others are ignored.
        file: where they are from.
        optional: ends of names that may be missing.

    Raises:
        EncoderError: a tensor is missing, or has another shape.
    """
    needed = model.state_dict()
    require_tensors(tensors, {name: tuple(value.shape) for name, value in needed.items()}, file, optional=optional)
    given = {name: tensors[name].to(needed[name].dtype) for name in needed if name in tensors}
    model.load_state_dict(given, strict=False, assign=True)
    return model.eval()


def require_tensors(
    tensors: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], file: Path, *, optional: tuple[str, ...] = ()
) -> None:
    """Refuse weights of which a tensor is missing, but for names with an end in ``optional``, or has another shape.

    Raises:
        EncoderError: see above; the message names up to three.
    """
    refuse_missing(sorted(name for name in shapes if name not in tensors and not name.endswith(optional)), file)
    for name, shape in shapes.items():
        if name in tensors and tuple(tensors[name].shape) != shape:
            raise EncoderError(
                f"the weights in {file} do not fit together: {name} has the shape {tuple(tensors[name].shape)}, not "
                f"{shape}; get weights and settings anew, from one and the same model"
            )


def refuse_missing(missing: Sequence[str], place: Path) -> None:
    """Refuse weights that lack some the model needs; they would be random numbers.

    Raises:
        EncoderError: something is missing; the message names the first three.
    """
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise EncoderError(
            f"the weights in {place} lack {', '.join(missing[:3])}{more}; they are another model's or incomplete: get "
            f"the whole model anew"
        )


def load_tokenizer(place: Path) -> Any:
    """The tokenizer in ``place``.

    Raises:
        EncoderError: its files are missing or damaged, or it needs a package that is not installed.
    """
    if not any(all((place / name).is_file() for name in names) for names in _TOKENIZER_FILES):
        choices = " or ".join(" with ".join(names) for names in _TOKENIZER_FILES)
        raise EncoderError(f"{place} has no tokenizer; put the model's {choices} there")
    transformers = import_extra("transformers")
    try:
        with quiet(transformers), _checked_settings(place):
            return transformers.AutoTokenizer.from_pretrained(place, local_files_only=True, trust_remote_code=False)
    except ImportError as error:
        raise EncoderError(
            f"the tokenizer in {place} needs a package that is not installed ({_first_line(error)}); put the model's "
            f"tokenizer.json there, or `pip install sentencepiece protobuf`"
        ) from error
    except EncoderError:
        raise
    except Exception as error:  # the tokenizers' own errors are bare Exceptions
        raise EncoderError(
            f"cannot load the tokenizer in {place} ({_first_line(error)}); get its files anew, best tokenizer.json"
        ) from error


def check_vocabulary(tokenizer: Any, vocabulary: int, place: Path) -> None:
    """Refuse a tokenizer that belongs to another model, or that knows next to no words.

    Raises:
        EncoderError: it has more tokens than the model, or less than half as many (a few entries may stay unused).
    """
    if not vocabulary / 2 <= len(tokenizer) <= vocabulary:
        raise EncoderError(
            f"the tokenizer in {place} knows {len(tokenizer)} tokens, but the model {vocabulary}; get both anew from "
            f"one and the same model"
        )


def longest_text(model_config: Any, tokenizer: Any) -> int:
    """How many tokens the text model reads: what the tokenizer says, at most what there are positions for.

    Models of RoBERTa's kind number their positions from beyond the padding's id.
    """
    offset = model_config.pad_token_id + 1 if model_config.model_type in _LATE_POSITIONS else 0
    positions = getattr(model_config, "max_position_embeddings", None)
    limit = min(tokenizer.model_max_length, _ENDLESS if positions is None else positions - offset)
    if limit >= _ENDLESS:
        raise EncoderError(
            f"neither the tokenizer nor the model says how long a text may be; set model_max_length in "
            f"{tokenizer.name_or_path}/tokenizer_config.json"
        )
    return int(limit)


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Keep transformers' progress bars and notes off the screen; what matters in them is raised as an error."""
    log = transformers.utils.logging
    level, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(level)
        if bars:
            log.enable_progress_bar()


@contextmanager
def _checked_settings(place: Path) -> Iterator[None]:
    """Within it, a value of the wrong kind in config.json is an error of our own, in one line."""
    wrong = import_extra("huggingface_hub.errors").StrictDataclassError
    try:
        yield
    except wrong as error:
        raise EncoderError(
            f"{place / 'config.json'} holds a value of the wrong kind ({' '.join(str(error).split())[:200]}); get it "
            f"anew from where the weights came from"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
