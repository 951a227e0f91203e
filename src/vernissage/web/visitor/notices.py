"""What is said after a form was sent: in the next page's address, signed, so that nobody else puts words there."""

from collections.abc import Sequence
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from vernissage.sentences import Sentence

_SECONDS = 120
"""After which a notice is old: whoever comes back to the address later is not told again."""

_MOST = 20


def packed(signer: URLSafeTimedSerializer, said: Sequence[Sentence]) -> str:
    """Sentences as a part of an address; of very many the first."""
    more = [Sentence("… and {n} more", n=len(said) - _MOST)] if len(said) > _MOST else []
    return str(signer.dumps([_values(each) for each in [*said[:_MOST], *more]]))


def unpacked(signer: URLSafeTimedSerializer, text: str) -> list[Sentence]:
    """The sentences of `packed`; none where they are old or somebody else's."""
    try:
        return [_sentence(each) for each in signer.loads(text, max_age=_SECONDS)]
    except BadData:
        return []


def _values(said: object) -> Any:
    if isinstance(said, Sentence):
        return [said.message, {name: _values(value) for name, value in said.values.items()}]
    return said


def _sentence(packed: Sequence[Any]) -> Sentence:
    message, values = packed
    return Sentence(
        message, **{name: _sentence(each) if isinstance(each, list) else each for name, each in values.items()}
    )
