"""Whatever people do, and in whichever order a server learns of it, its lists are those of a server started anew."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from PIL import Image

from vernissage.errors import RequestError, StorageError, UnknownPersonError
from vernissage.gallery.areas import AreaChanges
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.storage.schema import Visibility
from vernissage.workspace.uploading import Submission

NAMES = ("ann", "bob", "cy")
TEXTS = ("a storm at sea", "a storm at sea 2", "the rose beside the bench", "sail, wave and harbour", "zebra")
WORKS = tuple(f"w{number:03d}" for number in range(0, 64, 7))
SERVERS = st.integers(0, 1)
VISIBILITIES: st.SearchStrategy[Visibility] = st.sampled_from(["shared", "private"])


class PeopleMachine(RuleBasedStateMachine):
    """Two servers on one workspace, each of which learns from the database what the other has done."""

    copied: Callable[[], Path]
    pictures: tuple[Path, ...]

    def __init__(self) -> None:
        super().__init__()
        self.workspace = self.copied()
        self.servers = [open_gallery(self.workspace) for _ in range(2)]
        self.servers[0].person("ann").upload(Submission(text=TEXTS[0], id="first"))
        self.uploads: dict[str, list[str]] = {name: [] for name in NAMES} | {"ann": ["first"]}

    def teardown(self) -> None:
        for each in self.servers:
            each.close()
        shutil.rmtree(self.workspace)

    @rule(data=st.data(), server=SERVERS, name=st.sampled_from(NAMES), seen=VISIBILITIES)
    def upload(self, data: st.DataObject, server: int, name: str, seen: Any) -> None:
        what = data.draw(st.sampled_from([*TEXTS, *range(len(self.pictures))]))
        picture, text = (self.pictures[what], "") if isinstance(what, int) else (None, what)
        found, new = self.servers[server].person(name).upload(Submission(picture, text=text, visibility=seen))
        self.uploads[name] += [each.id for each in found if each.id in new]

    @precondition(lambda self: any(self.uploads.values()))
    @rule(data=st.data(), server=SERVERS)
    def remove_or_share(self, data: st.DataObject, server: int) -> None:
        name = data.draw(st.sampled_from([name for name, ids in self.uploads.items() if ids]))
        upload = data.draw(st.sampled_from(self.uploads[name]))
        if data.draw(st.booleans()):
            self.servers[server].person(name).remove(upload)
            self.uploads[name].remove(upload)
        else:
            self.servers[server].repository.share(name, upload, data.draw(VISIBILITIES))

    @rule(
        server=SERVERS,
        name=st.sampled_from(NAMES),
        work=st.sampled_from(WORKS),
        rating=st.sampled_from([None, 1, 4, 5]),
    )
    def rate(self, server: int, name: str, work: str, rating: int | None) -> None:
        self.servers[server].person(name).rate({work: rating})

    @rule(server=SERVERS, name=st.sampled_from(NAMES), weight=st.sampled_from([0.0, 0.5, 2.0]))
    def weigh_area(self, server: int, name: str, weight: float) -> None:
        person = self.servers[server].person(name)
        try:
            [area, *_] = person.areas().to_dict()["areas"]
        except RequestError:  # there is nothing of theirs to weigh
            return
        person.edit(AreaChanges(weights={area["area"]: weight}))

    @rule(server=SERVERS, name=st.sampled_from(NAMES))
    def forget(self, server: int, name: str) -> None:
        try:
            self.servers[server].person(name).delete(wait=False)
        except StorageError as error:
            assert "nothing is kept" in str(error)  # noqa: PT017
        self.uploads[name] = []

    @invariant()
    def lists_are_those_of_a_server_started_anew(self) -> None:
        anew = open_gallery(self.workspace)
        expected = told(anew)
        anew.close()
        for server in self.servers:
            server.repository.follow()  # as a server does before it answers
            assert told(server) == expected


def told(gallery: Gallery) -> dict[str, Any]:
    """The lists of everybody, with scores and reasons to the last bit, or why there are none."""
    found: dict[str, Any] = {}
    for name in NAMES:
        try:
            found[name] = gallery.person(name).recommend(12).to_dict()
        except (RequestError, UnknownPersonError) as error:
            found[name] = str(error)
    return found


@pytest.mark.long
def test_lists_are_those_of_a_server_started_anew(gallery: Path, built: Path, tmp_path: Path) -> None:
    pictures = [gallery / "images" / "w000.png"]  # the same as a work
    for number in range(3):
        pictures.append(tmp_path / f"{number}.png")
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (40, 56, 3), dtype=np.uint8)).save(pictures[-1])
    numbers = iter(range(10_000))

    class Machine(PeopleMachine):
        copied = staticmethod(lambda: Path(shutil.copytree(built, tmp_path / f"workspace-{next(numbers)}")))

    Machine.pictures = tuple(pictures)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    how = settings(
        max_examples=3, stateful_step_count=12, deadline=None, suppress_health_check=checks, derandomize=True
    )
    run_state_machine_as_test(Machine, settings=how)
