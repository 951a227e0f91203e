"""The command starts quickly, because nothing heavy is imported before it is used."""

import subprocess
import sys

LATE = ("torch", "transformers", "sklearn", "scipy", "cv2", "matplotlib", "faiss", "pyarrow", "jinja2", "PIL")


def test_the_command_imports_nothing_heavy_before_it_is_used() -> None:
    code = f"import sys, vernissage.cli.main; print(*sorted(set({LATE!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_recommending_needs_none_of_what_fits_encoders() -> None:
    code = "import sys, vernissage.workspace.workspace, vernissage.recommenders.late_fusion; "
    code += "print(*sorted({'sklearn', 'scipy', 'cv2', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
