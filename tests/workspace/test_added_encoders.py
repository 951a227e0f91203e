"""Encoders that a build makes only where somebody names them: `tfidf`."""

from pathlib import Path

import numpy as np
import pytest

from vernissage.encoders.fitted.tfidf import TFIDF
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.gallery.engines import available_engines, make_engine
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.workspace.build import build_workspace
from vernissage.workspace.workspace import open_workspace
from vernissage_lab.datasets.kinds import open_dataset
from vernissage_lab.set_encoders import embedded, fit_set_encoder


def test_it_is_added_to_the_usual_encoders_and_stays(gallery: Path, workspace: Path) -> None:
    before = open_workspace(workspace).manifest
    assert "tfidf" not in before.models
    added = build_workspace(gallery, workspace, encoders=["tfidf"])
    assert {name for name, count in added.encoded.items() if count} == {"tfidf.text"}
    assert {name: added.workspace.manifest.models[name] for name in before.models} == dict(before.models)
    again = build_workspace(gallery, workspace)
    assert again.workspace.manifest.models == added.workspace.manifest.models
    assert set(again.encoded.values()) == {0}


def test_alone_it_is_all_there_is_and_opens_again(gallery: Path, tmp_path: Path) -> None:
    build_workspace(gallery, tmp_path / "ws", encoders=["tfidf"])
    opened = open_workspace(tmp_path / "ws")
    assert set(opened.manifest.vectors) == {"tfidf.text"}
    assert available_engines(opened) == ["tfidf"]
    encoder, table = opened.encoder("tfidf"), opened.table("tfidf", "text")
    assert isinstance(encoder, TFIDF)
    item = opened.collection[table.item_ids[5]]
    np.testing.assert_array_equal(encoder.encode_texts([item.text])[0], table.vectors[table.row_of[item.id]])


def test_it_recommends_by_the_words_of_liked_works(gallery: Path, tmp_path: Path) -> None:
    opened = build_workspace(gallery, tmp_path / "ws", encoders=["tfidf"]).workspace
    profile = profile_from_ratings({"w000": 5, "w001": 4}, "linear")
    engine = make_engine(opened, "tfidf", 5)
    ranking = engine.recommend(profile, 5).ranking
    table = opened.table("tfidf", "text")
    liked = (
        np.array([1, 0.75]) @ table.vectors[table.rows(["w000", "w001"])] / 2
    )  # linear weights: (5 − 1)/4 and (4 − 1)/4
    assert ranking.scores[0] == pytest.approx(float(table.vectors[table.row_of[ranking.item_ids[0]]] @ liked), abs=1e-6)
    assert set(ranking.item_ids).isdisjoint({"w000", "w001"})


def test_where_it_was_named_it_must_succeed(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "metadata.csv").write_text("id,title\nw1,1888\nw2,1889\n", encoding="utf-8")
    with pytest.raises(EncoderError, match="0 of 2 texts have content words"):
        build_workspace(tmp_path / "texts", tmp_path / "ws", encoders=["tfidf"])


def test_a_damaged_model_is_refused(gallery: Path, tmp_path: Path) -> None:
    build_workspace(gallery, tmp_path / "ws", encoders=["tfidf"])
    (model,) = (tmp_path / "ws" / "models").glob("tfidf-*/model.json")
    content = model.read_text(encoding="utf-8")
    assert '"language": "en"' in content
    model.write_text(content.replace('"language": "en"', '"language": "de"'), encoding="utf-8")
    with pytest.raises(ProvenanceError, match="does not match its card"):
        open_workspace(tmp_path / "ws").encoder("tfidf")


def test_it_is_fitted_on_a_set_and_read_back(gallery: Path, tmp_path: Path) -> None:
    found = open_dataset("gallery", gallery)
    fitted = fit_set_encoder(found, "tfidf", tmp_path)
    table = embedded(found, fitted, "text", tmp_path)
    assert table.dim == fitted.encoder.dim
    again = fit_set_encoder(found, "tfidf", tmp_path)
    assert again.encoder.fingerprint == fitted.encoder.fingerprint
    assert len(list((tmp_path / "models").iterdir())) == 1
