"""Missing and bad weights: each way gives a message of one line, and no way runs code."""

import contextlib
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vernissage.encoders.runtime.weights import digest_of, file_in, read_tensors
from vernissage.errors import EncoderError

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4)}


class _Payload:
    """What an attacker's pickle does when it is opened carelessly: here it makes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


def refusal(file: Path) -> str:
    with pytest.raises(EncoderError) as caught:
        read_tensors(file)
    message = str(caught.value)
    assert file.name in message
    assert "\n" not in message
    assert len(message) < 500
    return message


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt", "w.bin"])
@pytest.mark.parametrize("wrapping", [None, "model", "state_dict"])
def test_tensors_come_back_as_they_were(name: str, wrapping: str | None, tmp_path: Path) -> None:
    if name.endswith(".safetensors"):
        safetensors.save_file(TENSORS, tmp_path / name)
    else:
        torch.save({wrapping: TENSORS, "epoch": 3} if wrapping else TENSORS, tmp_path / name)
    found = read_tensors(tmp_path / name)
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[key], TENSORS[key]) for key in TENSORS)


def test_the_old_format_of_torch_is_read(tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert torch.equal(read_tensors(tmp_path / "old.pth")["b"], TENSORS["b"])


def test_a_missing_file(tmp_path: Path) -> None:
    assert "there are no weights at" in refusal(tmp_path / "nowhere.pth")
    (tmp_path / "folder.pth").mkdir()
    assert "--weights" in refusal(tmp_path / "folder.pth")


def test_a_folder_without_weights(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("moved")
    with pytest.raises(EncoderError, match=r"holds none of \*\.safetensors, \*\.pth; .*--weights"):
        file_in(tmp_path, ("*.safetensors", "*.pth"))
    (tmp_path / "b.pth").touch()
    (tmp_path / "a.pth").touch()
    assert file_in(tmp_path, ("*.safetensors", "*.pth")) == tmp_path / "a.pth"
    assert file_in(tmp_path / "b.pth", ("*.safetensors",)) == tmp_path / "b.pth"


@pytest.mark.parametrize("kept", [0, 5, 40, -1])
def test_a_truncated_safetensors_file(kept: int, tmp_path: Path) -> None:
    safetensors.save_file(TENSORS, tmp_path / "w.safetensors")
    whole = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "w.safetensors").write_bytes(whole[:kept])
    assert "no whole safetensors file" in refusal(tmp_path / "w.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 400, -1])
def test_a_truncated_checkpoint(kept: int, tmp_path: Path) -> None:
    torch.save(TENSORS, tmp_path / "w.pth")
    whole = (tmp_path / "w.pth").read_bytes()
    (tmp_path / "w.pth").write_bytes(whole[:kept])
    assert "damaged" in refusal(tmp_path / "w.pth")


@pytest.mark.parametrize("name", ["model.safetensors", "model.pth"])
def test_a_git_lfs_pointer_in_place_of_weights(name: str, tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4665ebc3\nsize 605157884\n"
    (tmp_path / name).write_text(pointer)
    assert "git lfs pull" in refusal(tmp_path / name)


# TorchScript is deprecated, but its archives will be around for long.
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning", "ignore:.*torch.jit.*:FutureWarning")
def test_a_torchscript_archive(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "ViT-B-32.pt"))
    assert "TorchScript archive" in refusal(tmp_path / "ViT-B-32.pt")


@pytest.mark.parametrize(
    "where", ["alone", "by a new protocol", "among tensors", "in the old format", "behind a safe name"]
)
def test_code_in_a_pickle_is_refused_and_not_run(where: str, tmp_path: Path) -> None:
    target, file = tmp_path / "executed", tmp_path / "w.pth"
    payload = _Payload(target)
    if where == "alone":
        file.write_bytes(pickle.dumps(payload, protocol=2))
    elif where == "by a new protocol":
        file.write_bytes(pickle.dumps(payload))
    elif where == "among tensors":
        torch.save({"model": TENSORS, "extra": payload}, file)
    elif where == "in the old format":
        torch.save({"model": payload}, file, _use_new_zipfile_serialization=False)
    else:
        file = tmp_path / "w.safetensors"
        torch.save({"model": payload}, file)
    message = refusal(file)
    expected = {"by a new protocol": "could run code", "behind a safe name": "no whole safetensors file"}
    assert expected.get(where, "asks to run posix.mkdir and is not opened") in message
    assert not target.exists()
    if where == "alone":
        pickle.loads(file.read_bytes())  # noqa: S301  (it would have done it)
        assert target.exists()


@pytest.mark.parametrize(
    "content", [{}, {"epoch": 3}, [], "weights", 7, None, {"model": {"epoch": 3}}, [torch.ones(2)], torch.ones(2)]
)
def test_a_checkpoint_without_named_tensors(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.pth")
    assert "holds no tensors by name" in refusal(tmp_path / "w.pth")


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w.bin", "w.safetensors"])
def test_other_files_named_like_weights(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    for content in ("hello, I am a text\n", "", "<html><body>404</body></html>", "{}"):
        file.write_text(content)
        assert "get it anew" in refusal(file)
    np.save(tmp_path / "array.npy", np.ones(3))
    shutil.copy(tmp_path / "array.npy", file)
    assert "get it anew" in refusal(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("picture.png", b"no picture")
    assert "get it anew" in refusal(file)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 1 << 16), value=st.integers(0, 255), old=st.booleans())
def test_a_changed_byte_gives_tensors_or_a_message(place: int, value: int, old: bool, tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    torch.save({"model": TENSORS}, file, _use_new_zipfile_serialization=not old)
    content = bytearray(file.read_bytes())
    content[place % len(content)] = value
    file.write_bytes(content)
    with contextlib.suppress(EncoderError):  # nothing else may come
        assert all(isinstance(tensor, torch.Tensor) for tensor in read_tensors(file).values())


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), name=st.sampled_from(["w.pth", "w.safetensors"]))
def test_noise_is_refused(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    refusal(tmp_path / name)


def test_the_digest_stands_for_content(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    safetensors.save_file(TENSORS, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    before = digest_of(folder)
    assert len(before) == 64
    assert digest_of(Path(shutil.copytree(folder, tmp_path / "b"))) == before
    (folder / "README.md").write_text("says nothing about the model")
    assert digest_of(folder) == before
    (folder / "config.json").write_text("{ }")
    assert digest_of(folder) != before
