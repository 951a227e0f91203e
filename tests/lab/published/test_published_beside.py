"""Published values beside runs: what corresponds, and one sentence for each difference, made from the record."""

from pathlib import Path

import pytest
from tests.lab.published.theirs import (
    CLASSIFIED,
    TAGS_HEADER,
    ZCCR_LINES,
    ablation_run,
    given,
    tags_run,
    write,
    zccr,
)

from vernissage_lab.datasets.classified import read_classified
from vernissage_lab.published.folder import PublishedFolder
from vernissage_lab.recipe import MARKS, Run, recipe_of
from vernissage_lab.report import PublishedBlock, section_of
from vernissage_lab.tables import Row

PCA_WARD = ("pca", "ward:5", "centroid")
FLICKR = {"data": "flickr30k_classified_tags", "works": 3840}


def beside(run: Run, folder: PublishedFolder) -> tuple[list[PublishedBlock], list[Row]]:
    read = recipe_of(run.recipe).beside
    return read(run, folder) if read else ([], [])


def only_block(run: Run, folder: PublishedFolder) -> PublishedBlock:
    (block,), _ = beside(run, folder)
    return block


def said(run: Run, folder: PublishedFolder) -> str:
    return " ".join(only_block(run, folder).differences)


def test_published_recall_stands_beside_ours_in_the_same_place(tmp_path: Path) -> None:
    block = only_block(ablation_run(PCA_WARD, ("pca", "coherence", "centroid")), zccr(tmp_path))
    assert block.title == "lsa beside results/zccr_metrics.csv"
    (table,) = block.tables
    assert table.heads[-4:] == ("here", "CLIP ViT-B/32, MSCOCO", "CLIP ViT-B/32, Flickr30k", "ALBEF, Flickr30k")
    assert table.rows == (("2", "5", *PCA_WARD, ".700 ±.050 in 21", ".92", ".83", ".79"),)


@pytest.mark.parametrize("ours", [("pca:50", "ward:5", "centroid"), ("pca", "ward:5.0", "centroid")])
def test_other_spellings_of_one_configuration_correspond(tmp_path: Path, ours: tuple[str, str, str]) -> None:
    (row,) = only_block(ablation_run(ours), zccr(tmp_path)).tables[0].rows
    assert row[2:5] == ours
    assert row[-3:] == (".92", ".83", ".79")


@pytest.mark.parametrize(
    "ours", [("pca", "ward:1.5", "centroid"), ("pca", "ward:5", "medoid"), ("none", "ward:5", "centroid")]
)
def test_a_run_without_counterpart_has_no_block(tmp_path: Path, ours: tuple[str, str, str]) -> None:
    assert beside(ablation_run(ours), zccr(tmp_path)) == ([], [])
    assert beside(Run("gap", {}, {}), PublishedFolder(tmp_path / "none")) == ([], [])  # nothing is read for it


def test_configurations_that_stand_twice_are_averaged_and_counted(tmp_path: Path) -> None:
    again = ZCCR_LINES[1].replace("0.92", "0.86")
    block = only_block(ablation_run(PCA_WARD), zccr(tmp_path, *ZCCR_LINES, again))
    assert block.tables[0].rows[0][-3] == ".89"
    assert "Configurations that stand in results/zccr_metrics.csv more than once: 1; their mean is shown." in " ".join(
        block.differences
    )
    assert "more than once" not in said(ablation_run(PCA_WARD), zccr(tmp_path, *ZCCR_LINES))


def test_other_data_are_never_called_the_same(tmp_path: Path) -> None:
    told = said(ablation_run(PCA_WARD), zccr(tmp_path))
    assert told.startswith("Not the same data: clips (1,976 works) here, MSCOCO and Flickr30k there.")
    assert "Means of each configuration" not in {
        table.caption for table in only_block(ablation_run(PCA_WARD), zccr(tmp_path)).tables
    }


def test_the_authors_own_table_is_known_by_its_fingerprint_and_comes_first(tmp_path: Path) -> None:
    folder = zccr(tmp_path)
    table = tmp_path / "data" / "flickr30k_classified_tags.csv"
    table.parent.mkdir()
    table.write_text(CLASSIFIED, "utf-8")
    own = given(data="renamed", data_fingerprint=read_classified(table).fingerprint)
    block = only_block(ablation_run(PCA_WARD, inputs=[own]), folder)
    assert block.differences[0].startswith("The same data in the columns Flickr30k: renamed, its fingerprint is that")
    assert "Not the same data in the others: MSCOCO." in block.differences[0]
    overview, values = block.tables
    assert overview.rows == (("text → text", *PCA_WARD, "1", ".700", ".830", ".790"),)
    assert values.heads[-3:] == ("CLIP ViT-B/32, Flickr30k", "ALBEF, Flickr30k", "CLIP ViT-B/32, MSCOCO")


def test_a_table_of_that_name_with_pictures_is_known_by_its_name(tmp_path: Path) -> None:
    told = said(ablation_run(PCA_WARD, inputs=[given(**FLICKR)]), zccr(tmp_path))
    assert "The same data in the columns Flickr30k: flickr30k_classified_tags, by its name" in told


@pytest.mark.parametrize(
    ("encoder", "told"),
    [
        ({"encoder": "minilm"}, "Not the same encoder: minilm here, CLIP ViT-B/32 and ALBEF there."),
        ({"encoder": "clip"}, "Not known to be the same encoder: the record does not say which clip it was"),
        ({"encoder": "clip", "encoder_variant": "ViT-L/14"}, "Not the same encoder: clip ViT-L/14 here"),
        ({"encoder": "clip", "encoder_variant": "ViT-B/32"}, "clip ViT-B/32; their texts begin with 'This is'."),
        (
            {"encoder": "clip", "encoder_variant": "ViT-B/32, prompt 'This is {}'"},
            "The same encoder in the columns CLIP ViT-B/32: clip ViT-B/32, prompt 'This is {}'.",
        ),
        ({"encoder": "albef"}, "The same encoder in the columns ALBEF: albef; theirs has the weights of 14 million"),
    ],
)
def test_encoders_are_told_apart(tmp_path: Path, encoder: dict[str, str], told: str) -> None:
    assert told in said(ablation_run(PCA_WARD, inputs=[given(**encoder)]), zccr(tmp_path))


def test_how_many_users_stand_behind_a_value(tmp_path: Path) -> None:
    two = said(ablation_run(PCA_WARD), zccr(tmp_path))
    assert "few stand behind a published value: 12 with 2 classes; here 20," in two
    one = said(ablation_run(("none", "ward:5", "centroid"), classes=1), zccr(tmp_path))
    assert "25 with 1 class;" in one


def test_lengths_matter_for_clip_alone(tmp_path: Path) -> None:
    both = said(ablation_run(PCA_WARD), zccr(tmp_path))
    assert "there those of CLIP ViT-B/32 have the length that the encoder gives them (those of ALBEF" in both
    albef = said(ablation_run(PCA_WARD), zccr(tmp_path, ZCCR_LINES[2]))
    assert "have the length that the encoder gives" not in albef


def test_a_run_as_published_differs_in_less(tmp_path: Path) -> None:
    options = {
        "as_published": True,
        "projections": {"pca": "PrincipalComponents(keep=50)", "tsne": "StandardisedTSNE()"},
    }
    told = said(ablation_run(PCA_WARD, ("tsne", "hdbscan", "medoid"), **options), zccr(tmp_path))
    assert "12 with 2 classes; here as there." in told
    assert "as long as the network gives them, as there; but those of ALBEF have length 1 there" in told
    assert "components there" not in told
    assert "t-SNE starts at random on both sides" in told
    assert "standardised" not in told
    clip = said(ablation_run(PCA_WARD, **options), zccr(tmp_path, ZCCR_LINES[0]))
    assert "length" not in clip
    albef = said(ablation_run(PCA_WARD, inputs=[given(encoder="albef")], **options), zccr(tmp_path))
    assert "Vectors have length 1 here when they are clustered; there those of CLIP ViT-B/32 have the length" in albef


def test_projections_and_noise_are_told_where_they_are_compared(tmp_path: Path) -> None:
    folder = zccr(tmp_path)
    pca = said(ablation_run(PCA_WARD), folder)
    assert "pca keeps 50 components there" in pca
    assert "here 99% of the variance" in pca
    assert "t-SNE" not in pca
    assert "HDBSCAN" not in pca
    as_theirs = said(
        ablation_run(("pca:50", "ward:5", "centroid"), projections={"pca:50": "PrincipalComponents(keep=50)"}), folder
    )
    assert "components there" not in as_theirs
    tsne = said(ablation_run(("tsne", "hdbscan", "medoid")), folder)
    assert "t-SNE there is of standardised vectors" in tsne
    assert "cluster_selection_epsilon" in tsne


def test_a_pool_or_a_number_of_classes_of_its_own_is_told(tmp_path: Path) -> None:
    note = "clips: the pool of a user with 2 classes holds 565 works"
    told = said(ablation_run(PCA_WARD, notes=[note, "20 users in each cell"], query_classes=6), zccr(tmp_path))
    assert f"{note}; there it holds 1,000." in told
    assert "Classes that are asked for: 6 here, 25 there." in told
    assert "20 users in each cell" not in told


def tag_files(folder: Path) -> PublishedFolder:
    zccr(folder)
    write(folder, "results/bt_metrics.csv", TAGS_HEADER, "txt2txt,flickr30k,_lemma,2,5,1000,0.29,0.1")
    return write(folder, "results/btba_metrics.csv", TAGS_HEADER, "txt2txt,flickr30k,_lemma,2,5,1000,0.46,0.1")


def test_each_method_of_tags_stands_beside_its_own_file(tmp_path: Path) -> None:
    blocks, _ = beside(tags_run("areas", "tag-overlap", "tag-embedding"), tag_files(tmp_path))
    assert [block.title for block in blocks] == [
        "lsa beside ZCCR, results/zccr_metrics.csv",
        "lsa beside BT, results/bt_metrics.csv",
        "lsa beside BTBA, results/btba_metrics.csv",
    ]
    areas, overlap, embedding = ([*block.tables][-1].rows for block in blocks)
    assert areas == (("2", "5", "areas", ".700 ±.050 in 21", ".92", ".83", ".79"),)
    assert overlap == (("2", "5", "tag-overlap", ".300 ±.050", ".29"),)  # one list of ten, as theirs
    assert embedding == (("2", "5", "tag-embedding", ".700 ±.050 in 21", ".46"),)
    told = [" ".join(block.differences) for block in blocks]
    assert ["by coherence" in each for each in told] == [True, False, True]
    assert ["a third again" in each for each in told] == [False, True, False]
    assert ["bert-base-uncased" in each for each in told] == [False, False, True]
    assert ["found by models" in each for each in told] == [False, True, True]


def test_the_rule_and_the_tags_of_the_authors_are_no_difference(tmp_path: Path) -> None:
    run = tags_run("tag-overlap:twice-unique", inputs=[given(**FLICKR)])
    told = said(run, tag_files(tmp_path))
    assert "a third again" not in told
    assert "Tags are those of their table" in told


def test_tags_that_taggers_found_are_told_with_the_tagger(tmp_path: Path) -> None:
    told = said(
        tags_run("tag-overlap", inputs=[given(**FLICKR, tags={"text": "nouns by a lexicon"})]), tag_files(tmp_path)
    )
    assert "here: of texts nouns by a lexicon." in told
    assert "Tags are those of their table" not in told


def test_a_missing_file_of_tags_is_told(tmp_path: Path) -> None:
    folder = tag_files(tmp_path)
    (tmp_path / "results" / "bt_metrics.csv").unlink()
    with pytest.raises(Exception, match=r"nothing at .*bt_metrics\.csv"):
        beside(tags_run("areas"), folder)


def test_figures_mark_published_values_of_the_same_data_alone(tmp_path: Path) -> None:
    _, marks = beside(ablation_run(PCA_WARD, inputs=[given(**FLICKR)]), zccr(tmp_path))
    assert [(row["by"], row["mean"]) for row in marks] == [("CLIP ViT-B/32", 0.83), ("ALBEF", 0.79)]
    assert beside(ablation_run(PCA_WARD), zccr(tmp_path))[1] == []
    run = ablation_run(PCA_WARD, inputs=[given(**FLICKR)])
    pictures = recipe_of("ablation").pictures({**run.tables, MARKS: marks})
    per_seed, one_list = pictures["lsa-text-to-text-recall-per-seed"], pictures["lsa-text-to-text-recall"]
    legend = [text.get_text() for text in per_seed.figure.legends[0].get_texts()]
    assert legend[-2:] == ["published, CLIP ViT-B/32", "published, ALBEF"]
    drawn = [line.get_ydata()[0] for line in per_seed.figure.axes[0].lines if line.get_marker() in {"d", "p"}]
    assert drawn == [0.83, 0.79]
    assert "open markers" in per_seed.alt
    assert "open markers" not in one_list.alt


def test_figures_of_tags_mark_them_beside_the_method(tmp_path: Path) -> None:
    run = tags_run("areas", "tag-overlap", inputs=[given(**FLICKR)])
    _, marks = beside(run, tag_files(tmp_path))
    figure = recipe_of("tags").pictures({**run.tables, MARKS: marks})["lsa-recall-per-seed"].figure
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["areas", "tag-overlap", "published, CLIP ViT-B/32", "published, ALBEF", "published"]


def test_a_section_tells_whether_files_were_given(tmp_path: Path) -> None:
    run = ablation_run(("pca", "coherence", "centroid"))
    record = {**run.record, "ended": "", "seconds": {"all_cells": 1, "this_run": 1}, "cells": {}, "seed": 0}
    whole = Run(run.recipe, {**record, "versions": {}, "machine": {}, "tables": {}}, run.tables)
    assert section_of(recipe_of("ablation"), whole, "run").published is None
    assert section_of(recipe_of("ablation"), whole, "run", zccr(tmp_path)).published == ()
