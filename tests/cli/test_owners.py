"""Areas and recommendations of people: ann owns red seas and blue gardens, bob other works, carl all kinds."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run
from tests.galleries import owned_gallery
from tests.pages.reading import Page

from vernissage.cli.main import main
from vernissage.workspace.build import build_workspace

SEAS = {f"w{number:03d}" for number in range(0, 32, 4)}
GARDENS = {f"w{number:03d}" for number in range(3, 32, 4)}
TASKS = ["text-to-image", "text-to-text", "image-to-image", "image-to-text"]


def areas(run: Run, workspace: Path, *more: str) -> dict[str, Any]:
    """Ann's areas by key."""
    found = json.loads(run("areas", workspace, "ann", "--json", *more))
    return {area["area"]: area for area in found["areas"]}


def reasons(work: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The reasons of one kind for a work of an answer."""
    return [reason for reason in work["reasons"] if reason["kind"] == kind]


def of_areas(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The lists that single areas found."""
    return [each for each in answer["lists"] if "area" in each]


def test_owners_are_listed_with_works_and_uploads(run: Run, peopled: Path) -> None:
    run("upload", peopled, "--owner", "ann", "--text", "A rose")
    run("upload", peopled, "--owner", "dora", "--text", "A rose")
    found = json.loads(run("owners", peopled, "--json"))["owners"]
    assert found == [
        {"owner": "carl", "works": 32, "uploads": 0, "ratings": 0},
        {"owner": "ann", "works": 16, "uploads": 1, "ratings": 0},
        {"owner": "bob", "works": 16, "uploads": 0, "ratings": 0},
        {"owner": "dora", "works": 0, "uploads": 1, "ratings": 0},
    ]
    assert "4 people" in run("owners", peopled)


def test_a_workspace_without_owners_says_so(run: Run, built: Path) -> None:
    assert "Nobody yet" in run("owners", built)


@pytest.mark.parametrize("encoder", ["aligned", "lsa", "colour-texture"])
def test_areas_are_what_a_person_would_recognise(run: Run, owned: Path, encoder: str) -> None:
    found = areas(run, owned, "--encoder", encoder)
    assert len(found) == (4 if encoder == "aligned" else 2)
    for area in found.values():
        assert set(area["members"]) in (SEAS, GARDENS)
        assert area["medoid"] in area["members"]
        assert (area["size"], area["weight"], area["muted"]) == (8, 0.5, False)
    assert {area["named_by"] for area in found.values()} == {"words"}
    printed = run("areas", owned, "ann", "--encoder", encoder)
    for key, area in found.items():
        assert key in printed
        assert area["name"] in printed


def test_edits_are_kept_and_taken_back(run: Run, peopled: Path) -> None:
    before = areas(run, peopled)
    sea = next(key for key, area in before.items() if key.startswith("text") and set(area["members"]) == SEAS)
    other = "text:2" if sea == "text:1" else "text:1"
    changed = areas(run, peopled, "--mute", sea, "--rename", f"{other}=My  garden", "--weight", "image:1=3")
    assert changed[sea]["muted"]
    assert (changed[other]["name"], changed[other]["named_by"]) == ("My garden", "person")
    assert changed["image:1"]["weight"] == 1.5
    assert areas(run, peopled, "--unmute", sea)[sea]["weight"] == 0.5
    merged = areas(run, peopled, "--merge", "text:1,text:2")
    assert set(merged["text:1"]["members"]) == SEAS | GARDENS
    assert "text:2" not in merged
    for _ in range(5):
        last = areas(run, peopled, "--undo")
    assert last == before


def test_an_area_is_split_by_ids_or_halved(run: Run, peopled: Path) -> None:
    before = areas(run, peopled)
    parts = areas(run, peopled, "--split", f"image:1={','.join(before['image:1']['members'][:3])}")
    assert sorted(area["size"] for key, area in parts.items() if key.startswith("image")) == [3, 5, 8]
    areas(run, peopled, "--undo")
    halves = areas(run, peopled, "--split", "image:1")
    sizes = [area["size"] for key, area in halves.items() if key.startswith("image")]
    assert len(sizes) == 3
    assert sum(sizes) == 16


def test_a_change_outlives_new_uploads_and_lapses_with_its_own(
    run: Run, peopled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("upload", peopled, "--owner", "dora", "--text", "A ship in a storm near the harbour", "--id", "ship")
    run("areas", peopled, "dora", "--rename", "text:1=Sea")
    run("upload", peopled, "--owner", "dora", "--text", "A storm and a wave near the lighthouse", "--id", "storm")
    found = json.loads(run("areas", peopled, "dora", "--json"))
    assert [area["name"] for area in found["areas"]] == ["Sea"]
    run("remove", peopled, "ship")
    with pytest.raises(SystemExit, match="0"):
        main(["areas", str(peopled), "dora", "--json"])
    captured = capsys.readouterr()
    assert json.loads(captured.out)["lapsed"][0]["edit"] == "rename"
    assert "has lapsed" in captured.err


@pytest.mark.parametrize("fusion", ["knn3z", "csls", "round-robin", "rrf", "mean-vector"])
def test_recommendations_are_of_others_and_exactly_k(run: Run, owned: Path, fusion: str) -> None:
    answer = json.loads(run("recommend", owned, "--owner", "ann", "--fusion", fusion, "-n", "7", "--json"))
    assert [each["target"] for each in answer["lists"]] == ["image", "text"]
    assert len(answer["works"]) == 7
    for each in answer["lists"]:
        assert len(each["works"]) == 7
        assert {work["owner"] for work in each["works"]} <= {"bob", "carl"}
        for work in each["works"]:
            uploads = reasons(work, "upload")
            assert sum(upload["contribution"] for upload in uploads) == pytest.approx(work["score"], abs=1e-6)
            assert {upload["id"] for upload in uploads if upload["id"]} <= SEAS | GARDENS


def test_the_best_are_of_the_kinds_that_a_person_owns(run: Run, owned: Path) -> None:
    answer = json.loads(run("recommend", owned, "--owner", "ann", "-n", "8", "--json"))
    found = {area["area"]: set(area["members"]) for area in areas(run, owned).values()}
    for each in answer["lists"]:
        by_area = {reasons(work, "area")[0]["id"]: int(work["id"][1:]) % 4 for work in each["works"]}
        assert by_area.keys() == found.keys()
        # What texts are about shows in texts; pictures by one painter look alike whatever they show.
        assert all(found[key] == {0: SEAS, 3: GARDENS}[kind] for key, kind in by_area.items() if key.startswith("text"))


def test_an_area_can_search_by_its_medoid(run: Run, owned: Path) -> None:
    asked = ("recommend", owned, "--owner", "ann", "--per-area", "-n", "5", "--json")
    by_mean, by_work = (of_areas(json.loads(run(*asked, *more))) for more in ((), ("--query", "medoid")))
    assert [area["area"] for area in by_mean] == [area["area"] for area in by_work]
    scores = [[[work["score"] for work in area["works"]] for area in areas] for areas in (by_mean, by_work)]
    assert scores[0] != scores[1]
    assert of_areas(json.loads(run(*asked, "--seed", "medoid"))) == by_work  # the option's former name


def test_tags_are_keywords_or_those_of_a_tagger(run: Run, owned: Path, tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(owned, tmp_path / "tagged"))
    run("tag", workspace, "--tagger", "lexicon")
    asked = ("recommend", workspace, "--owner", "ann", "--fusion", "tag-overlap", "-n", "3", "--json")
    found = json.loads(run(*asked, "--tags", "lexicon"))
    assert all(work["score"] >= 1 for each in found["lists"] for work in each["works"])


@pytest.mark.parametrize("task", TASKS)
def test_tasks_are_answered_area_by_area(run: Run, owned: Path, task: str) -> None:
    answer = json.loads(run("recommend", owned, "--owner", "ann", "--task", task, "--per-area", "-n", "5", "--json"))
    source, _, target = task.split("-")
    found = of_areas(answer)
    assert [each["target"] for each in answer["lists"] if each not in found] == [target]
    assert {area["task"] for area in found} == {task}
    assert [area["area"] for area in found] == [f"{source}:1", f"{source}:2"]
    for area in found:
        assert len(area["works"]) == 5
        assert all(work["owner"] != "ann" and len(reasons(work, "upload")) == 2 for work in area["works"])
    printed = run("recommend", owned, "--owner", "ann", "--task", task, "--per-area", "-n", "5")
    assert printed.count(f": {task}\n") == 2


def test_a_muted_area_is_not_heard(run: Run, peopled: Path) -> None:
    muted = [key for key, area in areas(run, peopled).items() if set(area["members"]) == GARDENS]
    areas(run, peopled, *(word for key in muted for word in ("--mute", key)))
    answer = json.loads(run("recommend", peopled, "--owner", "ann", "-n", "6", "--json"))
    for each in answer["lists"]:
        heard = {reasons(work, "area")[0]["id"] for work in each["works"]}
        assert len(heard) == 2
        assert not heard & set(muted)


def test_a_quota_lets_every_area_be_heard(run: Run, owned: Path) -> None:
    answer = json.loads(run("recommend", owned, "--owner", "ann", "-n", "4", "--quota", "1", "--json"))
    for each in answer["lists"]:
        assert {reason["id"] for work in each["works"] for reason in reasons(work, "area")} == {
            "image:1",
            "image:2",
            "text:1",
            "text:2",
        }


def test_all_works_of_others_can_be_asked_for(run: Run, owned: Path) -> None:
    answer = json.loads(run("recommend", owned, "--owner", "ann", "-n", "48", "--json"))
    assert [len({work["id"] for work in each["works"]}) for each in answer["lists"]] == [48, 48]


def test_conditions_narrow_down(run: Run, owned: Path) -> None:
    where = ("--where", "artist=The red master", "-n", "3", "--explain", "--fusion", "mean-vector")
    answer = run("recommend", owned, "--owner", "ann", *where)
    assert "other uploads" in answer
    found = json.loads(run("recommend", owned, "--owner", "ann", *where, "--json"))
    assert all(int(work["id"][1:]) // 2 % 2 == 0 for each in found["lists"] for work in each["works"])


def test_one_modality_alone_speaks_for_both(run: Run, peopled: Path) -> None:
    run("upload", peopled, "--owner", "dora", "--text", "A ship in a storm near the harbour")
    answer = json.loads(run("recommend", peopled, "--owner", "dora", "-n", "3", "--json"))
    assert [len(each["works"]) for each in answer["lists"]] == [3, 3]


def test_zccr_prints_the_lists_of_areas_and_takes_rules_and_projections_by_name(run: Run, owned: Path) -> None:
    asked = ("recommend", owned, "--owner", "ann", "--engine", "zccr", "-n", "3")
    answer = json.loads(run(*asked, "--json"))
    assert (answer["engine"], answer["fusion"]) == ("zccr", "round-robin")
    printed = run(*asked)
    for each in of_areas(answer):
        assert each["area"] in printed
    finer = json.loads(run(*asked, "--areas", "ward:0.3", "--projection", "tsne-standardised", "--json"))
    assert len(of_areas(finer)) > len(of_areas(answer))
    with pytest.raises(SystemExit, match="1"):
        main([*map(str, asked[:-2]), "--projection", "umap"])


def test_uploads_that_are_all_alike_are_one_area(run: Run, peopled: Path) -> None:
    for number in range(3):
        run("upload", peopled, "--owner", "dora", "--text", "A ship in a storm", "--id", f"ship{number}")
    found = json.loads(run("areas", peopled, "dora", "--json"))
    assert [(area["size"], area["weight"]) for area in found["areas"]] == [(3, 1.0)]
    assert "ship0" not in run("recommend", peopled, "--owner", "dora")


def test_without_an_encoder_of_both_one_is_told(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build_workspace(owned_gallery(tmp_path / "gallery"), tmp_path / "workspace", encoders=["lsa"])
    with pytest.raises(SystemExit, match="0"):
        main(["recommend", str(tmp_path / "workspace"), "--owner", "ann", "--json"])
    captured = capsys.readouterr()
    assert "lsa serves for texts alone" in captured.err
    assert [each["target"] for each in json.loads(captured.out)["lists"]] == ["text"]


def test_pages_show_areas_and_reasons(run: Run, owned: Path, tmp_path: Path) -> None:
    run("areas", owned, "ann", "--html", str(tmp_path / "areas.html"))
    page = Page((tmp_path / "areas.html").read_text(encoding="utf-8"))
    told = [each.split()[0] for each in page.text.split(" 8 ")[1:]]  # in the row of areas, and above each
    assert told == 2 * ["pictures", "pictures", "texts", "texts"]
    assert len({each["src"] for each in page.all("img")}) == 16  # each also beside the works that resemble it
    run("recommend", owned, "--owner", "ann", "-n", "4", "--html", str(tmp_path / "for.html"))
    text = (tmp_path / "for.html").read_text(encoding="utf-8")
    page = Page(text)
    together, *each = text.partition('id="all"')[2].split('<section class="area"')
    assert together.count('<li class="work') == 4
    assert len(each) == 4
    assert all('<li class="work' in area for area in each)
    anchors = {element["id"] for _, element in page.elements if "id" in element}
    links = {element["href"][1:] for element in page.all("a") if "href" in element}  # works have no page in a file
    assert links <= anchors
