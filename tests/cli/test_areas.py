import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering
from tests.profiles.random_profiles import partition, planted

from vernissage.cli.main import main
from vernissage.gallery.areas import area_projection, area_rule
from vernissage.profiles.area_rules import Coherence, Hdbscan, Silhouette, Ward
from vernissage.profiles.reduction import TSNE, NoProjection, PrincipalComponents

COUNTS = [9, 6, 4]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str | Path, code: int = 0) -> str:
        with pytest.raises(SystemExit) as end:
            main(["vectors", "areas", *map(str, arguments)])
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured.err if code else captured.out

    return call


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Vectors of three planted interests, and the background's mean."""
    uploads, background = planted([*COUNTS, 0, 0], 32, seed=0)
    np.save(tmp_path / "uploads.npy", uploads)
    np.save(tmp_path / "background.npy", background)
    return tmp_path / "uploads.npy", tmp_path / "background.npy"


def test_json_has_labels_and_areas(run: Any, files: tuple[Path, Path]) -> None:
    vectors, background = files
    answer = json.loads(run(vectors, "--background", background, "--areas", "coherence", "--json"))
    assert answer["labels"] == [0] * 9 + [1] * 6 + [2] * 4
    assert [area["members"] for area in answer["areas"]] == [[*range(9)], [*range(9, 15)], [*range(15, 19)]]
    uploads = np.load(vectors)
    for area in answer["areas"]:
        assert area.keys() == {"members", "medoid", "centroid_norm"}
        assert area["medoid"] in area["members"]
        centroid = uploads[area["members"]].mean(axis=0)
        assert area["centroid_norm"] == pytest.approx(np.linalg.norm(centroid), abs=1e-6)


def test_the_former_command_and_option_work_on(
    run: Any, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    now = run(files[0], "--areas", "ward:0.9", "--json")
    with pytest.raises(SystemExit, match="0"):
        main(["areas", "--vectors", str(files[0]), "--rule", "ward:0.9", "--json"])
    then = capsys.readouterr()
    assert then.out == now
    assert "write --areas ward:0.9" in then.err


def test_a_table_for_people(run: Any, files: tuple[Path, Path]) -> None:
    vectors, background = files
    told = run(vectors, "--background", background)
    assert "19 uploads in 3 areas" in told
    assert "0, 1, 2, 3, 4, 5, 6, 7 and 1 more" in told
    assert "47%" in told


def test_the_background_may_be_the_vectors_themselves(run: Any, files: tuple[Path, Path], tmp_path: Path) -> None:
    """Vectors of any length give the mean of their unit vectors; a table of one row is a mean."""
    vectors, background = files
    mean = np.load(background)
    opposite = np.random.default_rng(0).standard_normal(32)
    opposite -= opposite @ mean * mean / (mean @ mean)
    opposite *= np.sqrt(1 - mean @ mean) / np.linalg.norm(opposite)
    np.save(tmp_path / "works.npy", np.stack([3 * (mean + opposite), 0.5 * (mean - opposite)]).astype(np.float32))
    np.save(tmp_path / "row.npy", mean[None])
    answers = [
        run(vectors, "--background", each, "--json")
        for each in (background, tmp_path / "works.npy", tmp_path / "row.npy")
    ]
    assert answers[0] == answers[1] == answers[2]


def test_ward_cuts_the_vectors_as_they_are(run: Any, files: tuple[Path, Path]) -> None:
    vectors, _ = files
    for cut in (0.4, 0.9, 5):
        labels = json.loads(run(vectors, "--areas", f"ward:{cut}", "--json"))["labels"]
        reference = AgglomerativeClustering(None, distance_threshold=cut).fit_predict(np.load(vectors))
        assert partition(labels) == partition(reference)


@pytest.mark.parametrize("rule", ["ward:1.2", "silhouette", "hdbscan"])
@pytest.mark.parametrize("projection", ["none", "pca", "pca:3", "tsne"])
def test_every_rule_goes_with_every_projection(run: Any, files: tuple[Path, Path], rule: str, projection: str) -> None:
    asked = (files[0], "--areas", rule, "--projection", projection, "--json")
    labels = json.loads(run(*asked))["labels"]
    assert len(labels) == 19
    assert run(*asked) == run(*asked)


@pytest.mark.parametrize(("count", "areas"), [(0, 0), (1, 1)])
def test_none_and_one_upload(run: Any, files: tuple[Path, Path], tmp_path: Path, count: int, areas: int) -> None:
    np.save(tmp_path / "few.npy", np.load(files[0])[:count])
    asked = (tmp_path / "few.npy", "--background", files[1])
    answer = json.loads(run(*asked, "--json"))
    assert answer["labels"] == [0] * count
    assert len(answer["areas"]) == areas
    assert ("There are no uploads" in run(*asked)) == (count == 0)


def test_whole_numbers_are_numbers(run: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "counts.npy", np.array([[3, 0], [4, 0], [0, 9]]))
    answer = json.loads(run(tmp_path / "counts.npy", "--areas", "ward:2", "--json"))
    assert answer["labels"] == [0, 0, 1]
    assert answer["areas"][0]["centroid_norm"] == 3.5


def array(content: Any) -> Callable[[Path], None]:
    return lambda path: np.save(path, content)


def raw(content: bytes) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(content)


def truncated(path: Path) -> None:
    np.save(path, np.ones((50, 8)))
    path.write_bytes(path.read_bytes()[:-100])


def archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.ones((2, 2)))


@pytest.mark.parametrize(
    ("write", "meant"),
    [
        (lambda path: None, "is missing; give a .npy file"),
        (raw(b""), "is no .npy file of numbers"),
        (raw(b"id,a\n1,2\n"), "is no .npy file of numbers"),
        (raw(pickle.dumps([[1.0]])), "is no .npy file of numbers"),
        (array(np.array([[1, "a"], [None, 2]], dtype=object)), "is no .npy file of numbers"),
        (truncated, "is no .npy file of numbers"),
        (archive, "holds several arrays"),
        (array(np.array([["a"]])), "holds <U1 of shape"),
        (array(np.ones((2, 2), dtype=complex)), "holds complex128"),
        (array(np.ones((2, 2, 2))), "of shape \\(2, 2, 2\\)"),
        (array(np.float64(3)), "of shape \\(\\)"),
        (array(np.ones(8)), "of shape \\(8,\\).*one row for each"),
        (array(np.ones((3, 0))), "of no dimension"),
        (array(np.array([[1, 2], [np.nan, 1], [np.inf, np.nan]])), "not finite numbers, in 2 of 3 rows"),
        (array(np.full((2, 2), 1e300)), "2 of 2 vectors .* too large"),
    ],
)
def test_bad_files_get_one_line(run: Any, tmp_path: Path, write: Callable[[Path], None], meant: str) -> None:
    write(tmp_path / "bad.npy")
    told = run(tmp_path / "bad.npy", "--areas", "silhouette", "--json", code=1)
    assert len(told.splitlines()) == 1
    assert re.search(meant, told), told


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        (np.ones(7) / 7, "has 7 dimensions, the uploads have 32"),
        (np.ones((20, 31)), "has 31 dimensions, the uploads have 32"),
        (np.ones((0, 32)), "holds no vectors"),
        (np.full(32, np.nan), "not finite numbers"),
        (np.ones(32), "is no mean of unit vectors"),
    ],
)
def test_bad_backgrounds_get_one_line(
    run: Any, files: tuple[Path, Path], tmp_path: Path, content: Any, meant: str
) -> None:
    np.save(tmp_path / "bad.npy", content)
    told = run(files[0], "--background", tmp_path / "bad.npy", code=1)
    assert len(told.splitlines()) == 1
    assert meant in told


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ((), "with --background FILE.npy"),
        (("--areas", "ward"), "names no distance"),
        (("--areas", "ward:far"), "names no distance"),
        (("--areas", "ward:0"), "give a distance above 0"),
        (("--areas", "ward:nan"), "give a distance above 0"),
        (("--areas", "ward:inf"), "give a distance above 0"),
        (("--areas", "kmeans"), "choose coherence, silhouette, hdbscan or ward:T"),
        (("--areas", "silhouette:3"), "there is no rule"),
        (("--areas", "hdbscan", "--projection", "umap"), "choose none, pca, tsne, tsne-standardised or pca:N"),
        (("--areas", "hdbscan", "--projection", "pca:0"), "no whole number of components"),
        (("--areas", "hdbscan", "--projection", "pca:2.5"), "no whole number of components"),
        (("--areas", "hdbscan", "--seed", "-1"), "seed -1 is negative"),
    ],
)
def test_bad_words_get_one_line(run: Any, files: tuple[Path, Path], options: tuple[str, ...], meant: str) -> None:
    told = run(files[0], *options, code=1)
    assert len(told.splitlines()) == 1
    assert meant in told


def test_coherence_needs_distances(run: Any, files: tuple[Path, Path]) -> None:
    vectors, background = files
    told = run(vectors, "--background", background, "--projection", "tsne", code=1)
    assert "t-SNE keeps no distances" in told


def test_words_become_rules() -> None:
    assert area_rule("coherence") == Coherence()
    assert area_rule("ward:5") == Ward(5)
    assert area_rule("silhouette") == Silhouette()
    assert area_rule("hdbscan") == Hdbscan()
    assert area_projection("none") == NoProjection()
    assert area_projection("pca") == PrincipalComponents(0.99)
    assert area_projection("pca:20") == PrincipalComponents(20)
    assert area_projection("tsne") == TSNE()
