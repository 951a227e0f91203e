"""What is set of a server: by options of the command line, over the environment, over one TOML file."""

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from vernissage.errors import RequestError
from vernissage.pages.look import Look, look_of
from vernissage.web.security import LOCAL_HOSTS
from vernissage.web.visitors import SplitBy, read_shares

PREFIX = "VERNISSAGE_"
_OF_STUDIES = ("password_file", "invited", "signed_links", "most_starts")


def _words(given: object) -> object:
    """A text of the environment as words; lists stay."""
    return tuple(re.split(r"[,\s]+", given.strip(", \n"))) if isinstance(given, str) else given


def _proxy(given: str) -> str:
    try:
        return str(ipaddress.ip_network(given, strict=False))
    except ValueError:
        raise ValueError(f"{given!r} is no address; name the proxy's, such as 127.0.0.1 or 10.0.0.0/8") from None


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Proxies = Annotated[tuple[Annotated[str, BeforeValidator(_proxy)], ...], NoDecode, BeforeValidator(_words)]


class Settings(BaseSettings):
    """The settings of `vernissage serve`: each is an option, a variable of the environment, and a key of the file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="The address to listen at; 0.0.0.0 for every one of this machine.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen at; 0 for any that is free.")
    workers: int = Field(1, ge=1, le=64, description="How many processes serve.")
    behind_proxy: Proxies = Field(
        (), description="Believe X-Forwarded-Proto and -For of this proxy, an address or a network; several."
    )
    allowed_host: Words = Field((), description="Answer to this name alone, as in a URL; several.")
    allow_origin: Words = Field(
        (), description="Let pages of this site ask, such as https://museum.example: for the widget; several."
    )
    public_url: str = Field("", description="How addresses in answers begin; default: as requests come in.")
    requests_per_second: float = Field(
        20.0, gt=0, description="How often each key, token or network may ask, in each process; ten times that at once."
    )
    review_uploads: bool = Field(False, description="Show shared uploads to others once `admin review` has let them.")
    require_consent: bool = Field(False, description="Keep nothing of people who have not consented.")
    most_uploads: int = Field(1_000, ge=1, description="How many uploads of each person are kept.")
    most_picture_mb: int = Field(1_024, ge=1, description="How many MB of pictures of each person are kept.")
    most_ratings: int = Field(10_000, ge=1, description="How many ratings of each person are kept.")
    log_format: Literal["text", "json"] = Field(
        "text", description="text: warnings alone; json: one object a line, and a line for each request."
    )
    mcp: bool = Field(False, description="Answer assistants at /mcp: the Model Context Protocol.")
    database: str | None = Field(
        None, description="Where people are kept: a PostgreSQL URL or a file; {name} stands for a collection's prefix."
    )
    split: Words = Field((), description="Compare engines, each on its share of visitors, as lda=.5; several.")
    split_by: SplitBy = Field("visitor", description="What a split gives an engine to: visitor, or session.")
    visitor_days: int = Field(
        90, ge=1, le=3650, description="Days after which pseudonyms of visitors are taken out of events."
    )
    pages: bool = Field(True, description="Show visitors pages of the collection at /; --no-pages: the API alone.")
    look: Look | None = Field(None, description="A museum's own look, the table [look] of the file.")
    study: Path | None = Field(None, description="A study's definition, study.toml: serve it at /study.")
    password_file: Path | None = Field(
        None, description="A file with the experimenter's password; default: what `study password` has set."
    )
    invited: Path | None = Field(
        None, description="Let those alone take part in the study whose ids are in this file, one a line."
    )
    signed_links: bool = Field(False, description="Let those alone begin who follow a link of `study invite`.")
    most_starts: int | None = Field(None, ge=1, description="Let no more than so many begin the study.")

    @model_validator(mode="after")
    def _study_is_named(self) -> Self:
        if self.study is None and (named := [each for each in _OF_STUDIES if getattr(self, each)]):
            raise ValueError(f"{named[0]} is of a study, and none is served; name its definition with study")
        try:
            read_shares(self.split)
        except RequestError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def names(self) -> list[str] | None:
        """The host names that are answered to; None for any."""
        # A server that listens on this machine alone answers to this machine's names alone.
        named = self.allowed_host or self.is_local
        return [*(self.allowed_host or [self.host]), *LOCAL_HOSTS] if named else None

    @property
    def is_local(self) -> bool:
        """Whether this machine alone can ask: then no key is needed."""
        return self.host in {"127.0.0.1", "localhost", "::1"} and not self.behind_proxy


def read_settings(given: Mapping[str, Any], file: Path | None = None) -> Settings:
    """What was ``given``, then the environment's variables, then the keys of ``file``, then the defaults.

    Raises:
        RequestError: a key is unknown, or a value is not one that it takes.
    """
    try:
        content = {} if file is None else tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"{file} cannot be read as TOML: {error}") from error
    if unknown := sorted(content.keys() - Settings.model_fields.keys()):
        near = get_close_matches(unknown[0], Settings.model_fields)
        instead = f"did you mean {near[0]}?" if near else f"there are {', '.join(Settings.model_fields)}"
        raise RequestError(f"{file} sets {unknown[0]!r}, which is no setting; {instead}")

    if file is not None and "look" in content:
        content["look"] = look_of(content["look"], file)

    class _Read(Settings):
        @classmethod
        def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
            return sources["init_settings"], sources["env_settings"], InitSettingsSource(cls, content)

    try:
        return Settings.model_construct(**dict(_Read(**given)))
    except ValidationError as error:
        first = error.errors()[0]
        told = str(first["msg"]).removeprefix("Value error, ")
        at = f"{first['loc'][0]} was given {first['input']!r}: " if first["loc"] else ""
        raise RequestError(f"{at}{told}; docs/settings.md lists the settings") from error
