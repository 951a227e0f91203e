from pathlib import Path

import pytest
from tests.lab.published.theirs import CLASSIFIED, ZCCR, ZCCR_HEADER, ZCCR_LINES, write, zccr

from vernissage.errors import RequestError, VernissageError
from vernissage_lab.datasets.captioned import DatasetError
from vernissage_lab.published.folder import PublishedFolder, ablation_values


def test_values_stand_under_our_names(tmp_path: Path) -> None:
    values = ablation_values(zccr(tmp_path))
    assert len(values) == 5  # t-SNE without components first is in no figure of the paper
    assert values[0].place == ("text-to-text", 2, 5, "pca", "ward:5", "centroid")
    assert (values[0].model, values[0].data, values[0].value) == ("clip", "flickr30k", 0.83)
    assert values[3].place == ("text-to-text", 2, 5, "tsne", "hdbscan", "medoid")
    assert values[4].place[3] == "none"


def test_cuts_and_epsilons_other_than_the_figures_have_other_names(tmp_path: Path) -> None:
    lines = [
        ZCCR_LINES[0].replace("agglomerative,5", "agglomerative,15"),
        ZCCR_LINES[3].replace("hdbscan,5", "hdbscan,50"),
    ]
    assert [each.place[4] for each in ablation_values(zccr(tmp_path, *lines))] == ["ward:15", "hdbscan:50"]


@pytest.mark.parametrize(
    ("header", "line", "told"),
    [
        (ZCCR_HEADER.replace("recall", "r"), ZCCR_LINES[0], "has no column recall"),
        (ZCCR_HEADER.replace("cluster distance,", ""), ZCCR_LINES[0], "has no column cluster distance"),
        (ZCCR_HEADER, "", "has a header and no values"),
        (
            ZCCR_HEADER,
            ZCCR_LINES[0].replace("0.83", "83"),
            "line 2 has '83' in the column recall; expected is a number from 0 to 1",
        ),
        (ZCCR_HEADER, ZCCR_LINES[0].replace("0.83", "nan"), "'nan' in the column recall"),
        (
            ZCCR_HEADER,
            ZCCR_LINES[0].replace(",2,5,", ",2.5,5,"),
            "'2.5' in the column n_seeds; expected is a whole number from 1",
        ),
        (
            ZCCR_HEADER,
            ZCCR_LINES[0].replace("txt2txt", "txt2vid"),
            "'txt2vid' in the column task; expected is one of txt2img",
        ),
        (
            ZCCR_HEADER,
            ZCCR_LINES[0].replace("agglomerative,5", "agglomerative,inf"),
            "'inf' in the column cluster distance",
        ),
        (ZCCR_HEADER, "txt2txt,clip,flickr30k,2", "'' in the column proj"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_column(tmp_path: Path, header: str, line: str, told: str) -> None:
    folder = write(tmp_path, ZCCR, header, line)
    with pytest.raises(VernissageError, match=ZCCR) as error:
        ablation_values(folder)
    assert told in str(error.value)


def test_a_missing_file_or_folder_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nothing at .*zccr_metrics\.csv.*github\.com/fedasaro62/ZCCR-Exp"):
        ablation_values(PublishedFolder(tmp_path))
    with pytest.raises(RequestError, match="is no folder; give a clone of"):
        ablation_values(PublishedFolder(tmp_path / "none"))


def test_fingerprints_are_those_of_the_tables_that_are_there(tmp_path: Path) -> None:
    assert PublishedFolder(tmp_path).fingerprints == {}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "flickr30k_classified_tags.csv").write_text(CLASSIFIED, "utf-8")
    assert list(PublishedFolder(tmp_path).fingerprints) == ["flickr30k"]
