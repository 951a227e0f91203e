"""A captioned set is a source, of which the product's own build makes a workspace."""

from pathlib import Path

from PIL import Image
from tests.contracts.sources import SourceContract

import vernissage
from vernissage.catalog.loading import load_collection
from vernissage.catalog.sources.contract import Source
from vernissage_lab.datasets.kinds import open_dataset
from vernissage_lab.datasets.works import SetSource

HEADER = "id,caption,class_index,label,image_tags,file,split,owner\n"
ROWS = (
    'a,a red bird,134,crane,"bird,red",a.png,train,ann\n'
    'a,a bird in a lake,134,crane,"bird,red",a.png,train,ann\n'
    "b,a machine that lifts,517,crane,,b.png,test,ben\n"
    "c,a red lighthouse,437,lighthouse,,c.png,test,\n"
)


def source_below(folder: Path) -> SetSource:
    for name, colour in (("a", "red"), ("b", "blue")):
        if not (folder / f"{name}.png").exists():
            Image.new("RGB", (40, 30), colour).save(folder / f"{name}.png")
    table = folder / "birds.csv"
    table.write_text(HEADER + ROWS)
    return SetSource(open_dataset("classified", table), table)


class TestClassifiedSet(SourceContract):
    def source(self, folder: Path) -> Source:
        return source_below(folder)


def test_works_have_all_that_the_set_tells_of_their_pictures(tmp_path: Path) -> None:
    crane, machine, light = load_collection(source_below(tmp_path))
    assert (crane.title, crane.description) == ("a red bird", "a bird in a lake")
    assert crane.text == "a red bird\na bird in a lake"
    assert (crane.keywords, crane.owner, crane.attributes) == (("bird", "red"), "ann", {"split": "train"})
    assert (crane.group, machine.group, light.group) == ("134 crane", "517 crane", "lighthouse")
    assert machine.picture == str((tmp_path / "b.png").resolve())
    assert light.picture == ""


def test_missing_pictures_and_the_sets_remarks_are_told(tmp_path: Path) -> None:
    report = load_collection(source_below(tmp_path)).report
    assert report is not None
    assert report.remarks == ("pictures of the set that are not there: 1",)


def test_a_workspace_is_built_of_a_set(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    vernissage.build(source_below(tmp_path / "set"), tmp_path / "workspace", encoders=["tfidf"])
    with vernissage.open(tmp_path / "workspace") as gallery:
        assert gallery.search("a lighthouse", n=2).works[0].id == "c"
