"""What requests hold, as pydantic models: they check the types and describe them in the OpenAPI document."""

from typing import Annotated, Any, Literal, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

MOST_WORKS = 200
"""Works of one list."""

MOST_RATINGS = 1_000
MOST_REQUESTS = 100
"""Requests of one batch."""

Word = Annotated[str, StringConstraints(max_length=500)]
WorkId = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Named = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Stars = Annotated[float, Field(ge=1, le=5, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Body(BaseModel):
    """A body without names that mean nothing here, whose values have the types that JSON gives them."""

    model_config = ConfigDict(extra="forbid", strict=True)


class RecommendationRequest(Body):
    """What somebody likes, and which works may come back."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ratings": {"v041": 5, "v009": 2}, "limit": 6, "where": ["year>=1850"]}]}
    )

    ratings: Annotated[dict[WorkId, Stars], Field(max_length=MOST_RATINGS)] = Field(
        {}, description="Ratings from 1 to 5 by work id."
    )
    liked: Annotated[list[WorkId], Field(max_length=MOST_RATINGS)] = Field(
        [], description="Works that count as rated 5."
    )
    disliked: Annotated[list[WorkId], Field(max_length=MOST_RATINGS)] = Field(
        [], description="Works that count as rated 1."
    )
    rule: Literal["signed", "linear", "minmax"] | None = Field(None, description="How ratings weigh; default: signed.")
    engine: Word | None = Field(None, description="What judges; default: that of the collection.")
    weights: Annotated[dict[Word, Weight], Field(max_length=50)] = Field(
        {}, description="How much each engine of a fusion counts."
    )
    limit: int = Field(9, ge=1, le=MOST_WORKS, description="How many works.")
    where: Annotated[list[Word], Field(max_length=50)] = Field(
        [], description="Conditions such as year>=1850, all of which must hold."
    )
    exclude: Annotated[list[WorkId], Field(max_length=10_000)] = Field([], description="Ids that must not come back.")
    per: Annotated[dict[Word, Annotated[int, Field(ge=1, le=MOST_WORKS)]], Field(max_length=10)] = Field(
        {}, description="At most so many works of one value of a column."
    )
    diversity: float = Field(0.0, ge=0, le=1, allow_inf_nan=False, description="0 by relevance alone, to 1: varied.")
    visitor: Named | None = Field(
        None, description="Your own id of who asks, kept as a pseudonym with events; leave it out without consent."
    )
    session: Named | None = Field(
        None, description="Which session of the visitor, best 0, 1, 2 …, for a split by sessions."
    )
    explain: bool = Field(True, description="False leaves the reasons out.")


class Batch(Body):
    """Several requests at once; each is answered, or has a problem of its own."""

    requests: Annotated[list[RecommendationRequest], Field(min_length=1, max_length=MOST_REQUESTS)]


class VectorQuery(Body):
    """A picture's vector that an encoder of this collection made elsewhere."""

    vector: Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=1, max_length=65_536)]
    encoder: Word
    fingerprint: Word = Field(description="Of the encoder, as /encoders gives it; another one is answered by 409.")


_Model = TypeVar("_Model", bound=BaseModel)


def checked_body(model: type[_Model], content: bytes) -> _Model:
    """JSON as a model, of routes that read their bodies themselves.

    Raises:
        RequestValidationError: it is none, or not such a one.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        told = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
        raise RequestValidationError(told) from None


_LISTS = {"list": "AnswerList", "kind": "NamedList"}
"""Names of schemas that say more than the word that they have among answers; those of the classes in Python."""


def schema_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of answers as components of an OpenAPI document, with its definitions beside it."""

    def named(name: str) -> str:
        return _LISTS.get(name) or name.title()

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: f"#/components/schemas/{named(part.removeprefix('#/$defs/'))}"
                if name == "$ref" and isinstance(part, str)
                else moved(part)
                for name, part in value.items()
            }
        return [moved(each) for each in value] if isinstance(value, list) else value

    components = {named(name): moved(each) for name, each in answer["$defs"].items()}
    whole = {name: moved(each) for name, each in answer.items() if name not in {"$defs", "$schema", "title"}}
    return {"Answer": whole, **components}
