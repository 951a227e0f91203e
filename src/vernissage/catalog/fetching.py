"""Pictures at web addresses, kept below a workspace: each is fetched once, and an interrupted build goes on."""

import re
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vernissage.catalog.item import Item
from vernissage.catalog.pictures import check_picture
from vernissage.errors import CollectionError, Kind
from vernissage.files import digest, write_bytes
from vernissage.progress import Progress, silent

if TYPE_CHECKING:
    from vernissage.catalog.web_client import WebClient

FOLDER = "fetched"
"""Of the pictures, in a workspace."""
MARK = "fetched://"
"""What the path of such a picture begins with, as `Item.picture` has it; no path below a folder holds ``//``."""

CONNECTIONS = 4
MOST_BYTES = 20 * 2**30
"""Of all pictures of a collection together."""
REMEMBERED_SECONDS = 86_400.0
"""How long an address that gives no picture is not asked again."""

_T = TypeVar("_T")

_OWN_NAME = re.compile(r"[0-9a-f]{32}(?:\.new|\.refused)?|\..+\.tmp")


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """How pictures at web addresses are fetched.

    Attributes:
        most: pictures of a collection, those of earlier builds included.
        private_hosts: whether hosts of private networks and of this machine may be asked.
        contact: an address of yours that is sent along, as some servers wish; empty for none.
        rate: requests a second to each host, unless its robots.txt asks for fewer. None is 2 to hosts of the public
            internet, and as many as four connections give to hosts of private networks.
        pictures: whether pictures are fetched, or records alone.
    """

    most: int = 10_000
    private_hosts: bool = False
    contact: str = ""
    rate: float | None = None
    pictures: bool = True


class NotFetchedError(Exception):
    """Why an address gives nothing.

    Attributes:
        lasting: whether asking again soon would be no use; then what is there of it goes.
        forbidden: whether it was not even asked for, since the command does not allow that.
    """

    def __init__(self, reason: str, *, lasting: bool = False, forbidden: bool = False) -> None:
        super().__init__(reason)
        self.lasting, self.forbidden = lasting, forbidden

    def kind_and_way_out(self, otherwise: str) -> tuple[Kind, str]:
        """Whose fault it is, and what to do: ``otherwise`` says what helps where another time may do."""
        if self.forbidden:
            return Kind.BAD_REQUEST, "allow it, or give another address"
        return (Kind.BAD_REQUEST, "correct the address") if self.lasting else (Kind.UNAVAILABLE, otherwise)


class FetchedPictures:
    """The pictures of a workspace that come from web addresses.

    Attributes:
        folder: where they lie.
        unfetched: address → why there is no picture, of those that were last asked for.
        beyond: how many addresses were not asked, because as many pictures or bytes were there as may be.
    """

    def __init__(self, folder: Path, options: FetchOptions | None = None) -> None:
        """Without ``options`` nothing is fetched: only what is there already is used."""
        self.folder = folder
        self.options = options
        self.unfetched: dict[str, str] = {}
        self.beyond = 0

    @property
    def asks(self) -> bool:
        """Whether pictures are fetched, not only used as far as they are there."""
        return self.options is not None and self.options.pictures

    def picture(self, address: str) -> str:
        """The picture of an address as `Item.picture` names it; empty where it is not there."""
        name = name_of(address)
        return MARK + name if (self.folder / name).is_file() else ""

    def fetch(self, addresses: Sequence[str], progress: Progress = silent) -> None:
        """Fetch those that are not there yet, several at a time, each host paced; what is there stays if this is ended.

        Raises:
            WorkspaceError: a picture cannot be written.
        """
        self.unfetched, self.beyond = {}, 0
        wanted = list(dict.fromkeys(addresses))
        options = self.options
        if options is None or not self.asks or not wanted:
            return
        from vernissage.catalog.web_client import WebClient  # urllib3 sets warning filters of the process

        there = [self.folder / name_of(address) for address in wanted]
        held = [path.stat().st_size if path.is_file() else 0 for path in there]
        missing = [address for address, size in zip(wanted, held, strict=True) if not size]
        room = max(0, options.most - len(wanted) + len(missing))
        self._fetch_all(missing[:room], WebClient(options), sum(held), len(wanted) - len(missing), progress)
        self.beyond += max(0, len(missing) - room)

    def _fetch_all(self, missing: Sequence[str], client: "WebClient", held: int, done: int, progress: Progress) -> None:
        total, step, rest = done + len(missing), "fetching pictures", iter(missing)
        within = iter(lambda: next(rest, "") if held < MOST_BYTES else "", "")
        progress(step, done, total)
        with closing(in_parallel(partial(self._fetch_one, client), within, client.stop)) as outcomes:
            for address, outcome in outcomes:
                done += 1
                if isinstance(outcome, NotFetchedError):
                    self.unfetched[address] = str(outcome)
                else:
                    held += outcome
                progress(step, done, total)
        self.beyond = sum(1 for _ in rest)

    def _fetch_one(self, client: "WebClient", address: str) -> int:
        """Fetch one picture and put it in its place once it has been decoded to its end; returns its bytes."""
        from vernissage.catalog.web_client import iiif_picture

        path = self.folder / name_of(address)
        refused, new = path.with_suffix(".refused"), path.with_suffix(".new")
        if refused.is_file() and time.time() - refused.stat().st_mtime < REMEMBERED_SECONDS:
            raise NotFetchedError(refused.read_text("utf-8"), lasting=True)
        try:
            reply = client.get(address)
            if described := iiif_picture(reply):
                reply = client.get(described)
            write_bytes(new, reply.body)
            if fault := check_picture(new).fault:
                new.unlink()
                raise NotFetchedError(f"what its server gives {fault}", lasting=True)
        except NotFetchedError as error:
            if error.lasting:
                write_bytes(refused, str(error).encode())
            raise
        refused.unlink(missing_ok=True)
        new.replace(path)
        return len(reply.body)

    def keep_only(self, works: Iterable[Item]) -> None:
        """Delete all pictures but those of these works, and what is known of all addresses but theirs."""
        kept = set()
        for item in works:
            pictures = [item.picture, *(path for path, _ in item.further_pictures)]
            kept |= {picture.removeprefix(MARK) for picture in pictures if picture.startswith(MARK)}
            if item.picture_link:
                kept.add(f"{name_of(item.picture_link)}.refused")
        for file in self.folder.glob("*"):
            if file.name not in kept and _OWN_NAME.fullmatch(file.name):
                file.unlink(missing_ok=True)


def in_parallel(
    one: Callable[[str], _T], addresses: Iterable[str], stop: Callable[[], None]
) -> Generator[tuple[str, _T | NotFetchedError]]:
    """What ``one`` gives for each address, or why it gives nothing, as they come, by `CONNECTIONS` threads.

    An address is taken only when its turn is near. To be closed: where the iteration ends before, by Ctrl-C too,
    ``stop`` is called, the threads end, and what they have not finished is not there.
    """
    running: dict[Future[_T], str] = {}
    rest = iter(addresses)
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="fetch") as pool:
        try:
            while True:
                while len(running) < 2 * CONNECTIONS and (address := next(rest, "")):
                    running[pool.submit(one, address)] = address
                if not running:
                    break
                ended, _ = wait(running, timeout=1, return_when=FIRST_COMPLETED)
                for future in ended:
                    address = running.pop(future)
                    try:
                        yield address, future.result()
                    except NotFetchedError as error:
                        yield address, error
        except BaseException:
            stop()
            raise


def name_of(address: str) -> str:
    """The name of the file for an address."""
    return digest(address.encode())[:32]


def shown_path(picture: str) -> str:
    """`Item.picture` as scripts are told it: of a fetched one, its path below the workspace's folder."""
    return f"{FOLDER}/{picture.removeprefix(MARK)}" if picture.startswith(MARK) else picture


def fetched_path(folder: Path | None, picture: str) -> Path:
    """Where a picture that begins with `MARK` lies.

    Raises:
        CollectionError: its name is none that a fetched picture has, or there is no folder of such pictures.
    """
    name = picture.removeprefix(MARK)
    if folder is None or not re.fullmatch(r"[0-9a-f]{32}", name):
        raise CollectionError(f"the picture {picture} is none that was fetched; run `vernissage build` again")
    return folder / name
