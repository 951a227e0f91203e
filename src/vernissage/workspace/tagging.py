"""Tags of a workspace's works and uploads, kept in its database: a tagger reads each work once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from PIL import Image

from vernissage.catalog.ahead import pictures_ahead
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import open_picture
from vernissage.catalog.videos import clip_of, video_frames
from vernissage.errors import RequestError
from vernissage.progress import Progress, silent
from vernissage.storage.tags import set_tags, taggers, tags_of
from vernissage.storage.uploads import get_uploads
from vernissage.taggers.contract import ClipTagger, ImageTagger, Tags, TextTagger, once, tagger_key
from vernissage.values import modality_of_file
from vernissage.workspace.repository import Repository
from vernissage.workspace.workspace import Workspace

_TEXTS_AT_ONCE = 500


@dataclass(frozen=True)
class Tagging:
    """What a tagger found.

    Attributes:
        tags: of each work and upload that the tagger can read, the collection's first; a work may have none.
        anew: how many were read now, and not before.
        unread: how many have nothing that it reads.
    """

    tags: Mapping[str, Tags]
    anew: int
    unread: int


def tag_works(
    repository: Repository,
    tagger: TextTagger | ImageTagger | ClipTagger,
    *,
    batch_size: int = 16,
    again: bool = False,
    progress: Progress = silent,
) -> Tagging:
    """Tag all works and uploads, and keep the tags.

    Tags are kept batch by batch: when this is interrupted, the next call goes on where it stopped. What the same
    tagger read before is not read again, not even where the work's text or picture changed since: see ``again``.

    Args:
        repository: opened for writing.
        tagger: reads texts or pictures.
        batch_size: pictures at once.
        again: read everything anew.
        progress: told of works.

    Raises:
        CollectionError: a picture cannot be opened.
        StorageError: the database cannot be read or written.
    """
    key, snapshot, step = tagger_key(tagger), repository.snapshot, f"Tagging with {tagger.name}"
    with repository.database.reading() as connection:
        before = {} if again else tags_of(connection, key)
        uploads = [upload.id for upload in get_uploads(connection)]
    items = {item.id: item for item in repository.workspace.collection}
    uploaded = {item_id for item_id in uploads if item_id not in items}
    items |= snapshot.items(uploads)
    if isinstance(tagger, TextTagger):
        texts = {name: words_to_tag(item, uploaded=name in uploaded) for name, item in items.items()}
        readable = [name for name, words in texts.items() if words.strip()]
        waiting = [name for name in readable if name not in before]
        batches = tag_texts(tagger, [(name, texts[name]) for name in waiting])
    else:
        places = {name: place for name, item in items.items() if (place := snapshot.picture_path(item)) is not None}
        readable = list(places)
        waiting = [name for name in readable if name not in before]
        known = _tags_of_outputs(repository.workspace, tagger, waiting)
        pictures = [(name, places[name]) for name in waiting if name not in known]
        batches = chain(
            [known] if known else [], tag_pictures(tagger, pictures, batch_size, may_vanish=uploaded.__contains__)
        )
    progress(step, 0, len(waiting))
    done = 0
    for found in batches:
        _keep(repository, key, found)
        done += len(found)
        progress(step, done, len(waiting))
    with repository.database.reading() as connection:
        after = tags_of(connection, key)
    tags = {name: after[name] for name in readable if name in after}
    return Tagging(tags, done, len(items) - len(readable))


def _tags_of_outputs(workspace: Workspace, tagger: ImageTagger | ClipTagger, ids: Sequence[str]) -> dict[str, Tags]:
    """The tags of works whose pictures the tagger's network has read already."""
    from vernissage.taggers.imagenet import ImagenetTagger
    from vernissage.workspace.seeing import seen_in

    kept = isinstance(tagger, ImagenetTagger) and tagger.network.name in workspace.internal_names
    return seen_in(workspace, ids, tagger=tagger) if kept and isinstance(tagger, ImagenetTagger) else {}


def kept_tags(repository: Repository, tagger: str) -> dict[str, Tags]:
    """The tags that `tag_works` kept, by work.

    Args:
        repository: the works and uploads.
        tagger: its name (lexicon), or its name and fingerprint (lexicon-3f…) where several of that name were used.

    Raises:
        RequestError: no such tagger's tags are kept, or those of several.
    """
    if not repository.has_database:
        raise RequestError(
            f"no tags are kept in {repository.path}; run `vernissage encoders tag {repository.path} --tagger {tagger}`"
        )
    with repository.database.reading() as connection:
        kept = taggers(connection)
        matching = [key for key in kept if tagger in (key, key.rpartition("-")[0])]
        if len(matching) == 1:
            return tags_of(connection, matching[0])
    if matching:
        raise RequestError(f"the tags of several taggers {tagger!r} are kept; choose from {', '.join(matching)}")
    raise RequestError(
        f"no tags by {tagger!r} are kept ({', '.join(kept) or 'nothing is'}); run `vernissage encoders tag "
        f"{repository.path} --tagger {tagger}`"
    )


def kept_taggers(repository: Repository) -> dict[str, int]:
    """Whose tags `tag_works` kept, by name and fingerprint, and of how many works and uploads.

    Raises:
        RequestError: nobody's.
    """
    kept: dict[str, int] = {}
    if repository.has_database:
        with repository.database.reading() as connection:
            kept = taggers(connection)
    if not kept:
        raise RequestError(f"no tags are kept in {repository.path}; run `vernissage encoders tag {repository.path}`")
    return kept


def words_to_tag(item: Item, *, uploaded: bool) -> str:
    """What of a work's words is tagged: title, description and keywords, of an upload title, text and keywords.

    Artist, medium and dates stay out: they are in every museum's table, and are of the object, not of what it shows.
    """
    description = item.text if uploaded else item.description
    return "\n".join(part for part in (item.title, description, ", ".join(item.keywords)) if part)


def tag_texts(tagger: TextTagger, texts: Sequence[tuple[str, str]]) -> Iterator[dict[str, Tags]]:
    """Tags of texts by id, batch by batch."""
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        batch = texts[start : start + _TEXTS_AT_ONCE]
        yield dict(zip((name for name, _ in batch), tagger.tag_texts([text for _, text in batch]), strict=True))


def tag_pictures(
    tagger: ImageTagger | ClipTagger,
    places: Sequence[tuple[str, Path]],
    batch_size: int,
    *,
    may_vanish: Callable[[str], bool] = lambda _: False,
) -> Iterator[dict[str, Tags]]:
    """Tags of picture and video files by id, batch by batch, while the next ones are decoded.

    A video has the tags of all its frames (`video_frames`), unless the tagger reads clips.

    Files that are gone by then are passed over where ``may_vanish`` says so of their ids.

    Raises:
        CollectionError: a picture cannot be opened.
        RequestError: a batch of no pictures is asked for.
    """
    if batch_size < 1:
        raise RequestError(f"a batch of {batch_size} pictures was asked for; give at least 1")
    at_least, names = 2 * tagger.size, iter(places)
    vanishing = {path for name, path in places if may_vanish(name)}

    def opened(path: Path) -> list[Image.Image] | None:
        if path in vanishing and not path.exists():
            return None
        if isinstance(tagger, ClipTagger):
            return clip_of(path, tagger.frames, at_least=at_least)
        video = modality_of_file(path.name) == "video"
        return video_frames(path, at_least=at_least) if video else [open_picture(path, at_least=at_least)]

    def tags_of_clips(clips: Sequence[Sequence[Image.Image]]) -> list[Tags]:
        if isinstance(tagger, ClipTagger):
            return tagger.tag_clips(clips)
        of_frames = iter(tagger.tag_images(list(chain.from_iterable(clips))))
        return [once(chain.from_iterable(islice(of_frames, len(frames)))) for frames in clips]

    with pictures_ahead([path for _, path in places], batch_size, opened, at_least=at_least) as batches:
        for clips in batches:
            batch = zip(islice(names, len(clips)), clips, strict=True)
            there = [(name, frames) for (name, _), frames in batch if frames is not None]
            found = tags_of_clips([frames for _, frames in there])
            yield dict(zip((name for name, _ in there), found, strict=True))


def _keep(repository: Repository, key: str, found: Mapping[str, Tags]) -> None:
    """Write the tags of works that are still there: an upload may have been removed while it was read."""
    collection = repository.workspace.collection
    with repository.database.writing() as connection:
        uploads = {upload.id for upload in get_uploads(connection, [name for name in found if name not in collection])}
        there = {name: tags for name, tags in found.items() if name in collection or name in uploads}
        set_tags(connection, key, there)
