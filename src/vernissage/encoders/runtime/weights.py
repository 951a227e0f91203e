"""Weights, settings and tokenizers from files and folders: whole, or refused; never by running code from them.

transformers fills in what a folder lacks (random weights, a vocabulary of two words, code from elsewhere) and says so
in passing at most; here each of these is an error.
"""

import hashlib
import pickle  # only its error type; nothing here unpickles
import re
import struct
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.encoders.runtime.devices import Runtime, import_extra, import_torch
from vernissage.errors import EncoderError, first_line
from vernissage.files import read_regular, read_word_lists, seal_of
from vernissage.shapes import json_values

if TYPE_CHECKING:
    import torch

NEEDED = ("*.json", "*.safetensors", "*.txt", "*.model")
"""What is fetched from a hub: never pickles, never code."""

_TOKENIZER_FILES = (
    ("tokenizer.json",), ("vocab.json", "merges.txt"), ("vocab.txt",), ("spiece.model",), ("tokenizer.model",),
    ("sentencepiece.bpe.model",),
)  # fmt: skip

_LATE_POSITIONS = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet", "altclip_text_model", "longformer"})
"""Models of RoBERTa's kind, which number their positions from beyond the padding's id."""
_ENDLESS = 1_000_000
"""Tokenizers without a limit give a number far beyond it."""

_PICKLE = b"\x80"
"""How a pickle begins, of whatever protocol since the second; so do old checkpoints of torch that have no archive."""
_LFS = b"version https://git-lfs"
_CODE = re.compile(r"GLOBAL ([\w.]{1,100})")


def read_object(file: Path) -> dict[str, Any]:
    """A JSON file that holds an object. Raises EncoderError: it is missing, damaged or something else."""
    try:
        content = json_values(read_regular(file))
    except OSError as error:
        raise EncoderError(f"{file} is missing; get it from where the weights came from") from error
    except ValueError as error:
        raise EncoderError(f"{file} is damaged ({error}); get it anew from where the weights came from") from error
    if not isinstance(content, dict):
        raise EncoderError(f"{file} holds no JSON object; get it anew from where the weights came from")
    return content


def said_in(file: Path, key: str) -> Any:
    """What a settings file says of ``key``; None where there is no such file, or nothing of it."""
    return read_object(file).get(key) if file.is_file() else None


def read_config(place: Path, model_type: str | None = None, instead: str = "") -> dict[str, Any]:
    """The model's config.json; if a type is named, of a model of that type, else ``instead`` is advised.

    Raises:
        EncoderError: the folder or the file is missing, no JSON object, or another model's.
    """
    if not place.is_dir():
        raise EncoderError(
            f"there is no folder {place}; name a folder with config.json, model.safetensors and the tokenizer's files"
        )
    config = read_object(place / "config.json")
    if model_type and (kind := config.get("model_type")) != model_type:
        raise EncoderError(f"{place} holds a model of the type {kind!r}, not {model_type}; {instead}")
    return config


def file_in(place: Path, names: Sequence[str]) -> Path:
    """The first of ``names`` (patterns) in a folder, or the file itself. Raises EncoderError: there is none."""
    if place.is_file():
        return place
    if not place.exists():
        raise EncoderError(_NO_WEIGHTS.format(place))
    for name in names:
        for found in sorted(place.glob(name)):
            return found
    raise EncoderError(
        f"{place} holds none of {', '.join(names)}; name the file or folder of the weights with --weights"
    )


_NO_WEIGHTS = "there are no weights at {}; name a file or folder that holds them with --weights"


def digest_of(place: Path) -> str:
    """SHA-256 over the content of a file, or of a folder's weights and settings files: 64 hexadecimal digits.

    In a folder names count, since they say what each file is; the name of a single file does not.
    """
    if place.is_file():
        return seal_of(place).sha256
    files = sorted(file for pattern in (*NEEDED, "*.pt", "*.pth", "*.bin") for file in place.glob(pattern))
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode() + bytes.fromhex(seal_of(file).sha256))
    return total.hexdigest()


def read_tensors(file: Path) -> "dict[str, torch.Tensor]":
    """The tensors of a weights file: safetensors, or torch's own format with ``weights_only=True``.

    A checkpoint that keeps them under ``model`` or ``state_dict`` is unwrapped.

    Raises:
        EncoderError: the file is missing, a TorchScript archive, a pickle that would run code, or damaged.
    """
    if not file.is_file():
        raise EncoderError(_NO_WEIGHTS.format(file))
    start = _start(file)
    if start == _LFS:
        raise EncoderError(
            f"{file} is a Git LFS pointer, not the weights themselves; run `git lfs pull` in its folder, or get it "
            f"anew from the hub"
        )
    if file.suffix == ".safetensors":
        try:
            return dict(import_extra("safetensors.torch").load_file(file))
        except import_extra("safetensors").SafetensorError as error:
            raise EncoderError(f"{file} is no whole safetensors file ({error}); get it anew") from error
    if _is_torchscript(file):
        raise EncoderError(
            f"{file} is a TorchScript archive, which holds code beside weights and is not opened; save the model's "
            f"state_dict as safetensors, or name a transformers folder"
        )
    torch = import_torch()
    try:
        with warnings.catch_warnings(action="ignore"):
            content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # over damaged bytes torch stumbles in every way: IndexError, struct.error, KeyError …
        raise EncoderError(_why_not_loaded(file, error)) from error
    for key in ("model", "state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    named = content.items() if isinstance(content, Mapping) else ()
    found = {key: value for key, value in named if isinstance(value, torch.Tensor)}
    if not found:
        raise EncoderError(f"{file} holds no tensors by name; name a checkpoint of the model's weights")
    return found


def _start(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(len(_LFS))


def _is_torchscript(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, struct.error):  # damaged, which torch.load tells
        return False
    return any("/code/" in name or name.endswith("constants.pkl") for name in names)


def _why_not_loaded(file: Path, error: Exception) -> str:
    """One line of our own: torch's advises to load the file with its code running."""
    instead = "get the weights as safetensors, or as a state_dict of tensors alone"
    if code := _CODE.search(str(error)):
        return f"{file} is a pickle that asks to run {code[1]} and is not opened; {instead}"
    if _start(file).startswith(_PICKLE):
        return (
            f"{file} is a pickle that holds more than tensors, or is cut short, and is not opened, since it could run "
            f"code; {instead}"
        )
    return f"{file} is damaged or no weights file ({type(error).__name__}); get it anew from its authors"


def renamed(tensors: "Mapping[str, torch.Tensor]", *families: str) -> "dict[str, torch.Tensor]":
    """The tensors under transformers' names, by the rules for these families in ``tensor_names.txt``."""
    lists = read_word_lists(Path(__file__).parents[1] / "towers" / "tensor_names.txt")
    rules = iter([rule for family in families for rule in lists[family]])
    for pattern, replacement in zip(rules, rules, strict=True):
        tensors = {re.sub(pattern, replacement, name): tensor for name, tensor in tensors.items()}
    return dict(tensors)


def numbers_behind(names: Iterable[str], pattern: str) -> set[int]:
    """The numbers of layers: the group in ``pattern`` in the names that begin with it."""
    return {int(match[1]) for name in names if (match := re.match(pattern, name))}


def load_model(place: Path, architecture: str, runtime: Runtime, *, unneeded: Sequence[str] = ()) -> Any:
    """The model in ``place`` as a transformers class: float32 weights, in eval mode, on the runtime's device.

    Weights whose names begin with ``unneeded`` may be missing, since nothing that is used reads them.

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
            f"cannot load {architecture} from {place} ({first_line(error)}); get config.json and the weights "
            f"(model.safetensors) anew, from one and the same model"
        ) from error
    _refuse_missing((key for key in found["missing_keys"] if not key.startswith(tuple(unneeded))), place)
    return model.eval().to(runtime.resolved_device())


def filled(model: Any, tensors: Mapping[str, Any], file: Path, *, optional: tuple[str, ...] = ()) -> Any:
    """The model around exactly these tensors, in eval mode: none is left to chance, as transformers' loader allows.

    Tensors of ``file`` that the model has not are ignored; those whose names end in ``optional`` may be missing.

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
    _refuse_missing((name for name in shapes if name not in tensors and not name.endswith(optional)), file)
    for name, shape in shapes.items():
        if name in tensors and tuple(tensors[name].shape) != shape:
            raise EncoderError(
                f"the weights in {file} do not fit together: {name} has the shape {tuple(tensors[name].shape)}, not "
                f"{shape}; get weights and settings anew, from one and the same model"
            )


def _refuse_missing(names: Iterable[str], place: Path) -> None:
    """Refuse weights that lack some the model needs: they would be random numbers."""
    if missing := sorted(names):
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
            f"the tokenizer in {place} needs a package that is not installed ({first_line(error)}); put the model's "
            f"tokenizer.json there, or `pip install sentencepiece protobuf`"
        ) from error
    except EncoderError:
        raise
    except Exception as error:  # the tokenizers' own errors are bare Exceptions
        raise EncoderError(
            f"cannot load the tokenizer in {place} ({first_line(error)}); get its files anew, best tokenizer.json"
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
    """How many tokens the text model reads: what the tokenizer says, at most what there are positions for."""
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
