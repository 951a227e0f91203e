"""The participant's pages: one address for each page, of which only the current one is shown or listened to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from vernissage.profiles.ratings import HIGHEST, LOWEST
from vernissage.sentences import Sentence
from vernissage.study.definition import OLDEST
from vernissage.study.participation import (
    Answers,
    Assessment,
    Closed,
    Consent,
    Elicitation,
    Full,
    Page,
    Paused,
    Thanks,
    Visitor,
    Welcome,
    is_placeholder,
)
from vernissage.web.security import Form, FormError, InsteadError
from vernissage.web.study.served import ID, LONGEST_ID, ServedStudy, is_anonymous, random_id, see_other
from vernissage.web.works import ShownWork, shown_work

_UNFILLED = [
    Sentence(
        "Where your id belongs, the link has a placeholder that was not filled in, so we cannot tell you from others."
    ),
    Sentence("Open the study from your invitation. If this page comes again, tell whoever invited you."),
]
_UNINVITED = [
    Sentence("This study takes those alone who were invited to it."),
    Sentence("Copy the link from your invitation once more, the whole of it."),
    Sentence("If this page comes again, tell whoever invited you."),
]
_DAMAGED = [Sentence("The link that you followed is damaged. Copy it from your invitation once more, the whole of it.")]
_NOT_THEIRS = Sentence("This form belongs to somebody else's visit, or to one that has ended, so nothing was stored.")
_RATINGS = {str(rating): rating for rating in range(LOWEST, HIGHEST + 1)}


@dataclass(frozen=True)
class Fault:
    """A question that was not answered, or not so that it can be stored.

    Attributes:
        field: the question's name in the form; ``target`` is the element to go to.
        name: the question in words; ``words`` say what to do.
    """

    field: str
    target: str
    name: str
    words: str


@dataclass(frozen=True)
class Question:
    """A question that is answered from 1 to 5.

    Attributes:
        field: its name in the form.
        name: its words.
        about: what the study calls it, a work's id or a statement's name.
    """

    field: str
    name: str
    about: str


class FaultyFormError(Exception):
    """A form of the current page whose answers cannot be stored; nothing was."""

    def __init__(self, current: Page, faults: Sequence[Fault]) -> None:
        super().__init__("a form has faults")
        self.current = current
        self.faults = tuple(faults)


def study_router(served: ServedStudy) -> APIRouter:
    """The addresses of the participant's pages."""
    pages, router = StudyPages(served), APIRouter(prefix="/study")
    for address in ("", "/"):
        router.add_api_route(address, pages.enter, methods=["GET"])
    router.add_api_route("/anew", pages.begin_anew, methods=["POST"])
    router.add_api_route("/{rest:path}", pages.show, methods=["GET"])
    router.add_api_route("/{rest:path}", pages.submit, methods=["POST"])
    return router


class StudyPages:
    """Shows the page where a visitor is, and takes what they send from it."""

    def __init__(self, served: ServedStudy) -> None:
        self._served, self._templates = served, served.templates
        self._study = served.study
        self._definition = served.study.definition

    def enter(self, request: Request) -> Response:
        """The study's address: remember who was invited, in their browser alone, and lead to where they are."""
        visitor, known = self._invited(request), self._served.sessions.visitor(request)
        if known is None or known.external_id != visitor.external_id:
            self._study.count_visit(visitor)
        answer = see_other(address_of(self._study.page(visitor)))
        self._served.sessions.remember(visitor, request, answer)
        return answer

    def show(self, request: Request) -> Response:
        """The current page; any other address leads to it."""
        visitor = self._visitor(request)
        current = self._study.page(visitor)
        address = address_of(current)
        return self._render(visitor, current) if request.url.path == address else see_other(address)

    def submit(self, request: Request, form: Form) -> Response:
        """Store what the current page's form holds; what comes from any other page is not even read."""
        visitor = self._visitor(request, form)

        def read(current: Page) -> Answers | None:
            return self._read(current, form) if request.url.path == address_of(current) else None

        number = form.get("page", "")
        whole = number.isascii() and number.isdecimal() and number == str(int(number))
        try:
            after = self._study.submit(visitor, int(number), read) if whole else self._study.page(visitor)
        except FaultyFormError as error:
            return self._render(visitor, error.current, form, error.faults)
        return see_other(address_of(after))

    def begin_anew(self, request: Request, form: Form) -> Response:
        """Where people share a computer and have no ids: once one has finished, the next begins."""
        visitor = self._visitor(request, form)
        answer = see_other("/study")
        if self._served.is_open and is_anonymous(visitor) and isinstance(self._study.page(visitor), Thanks):
            self._served.sessions.remember(Visitor(visitor.flag, random_id()), request, answer)
        return answer

    def _invited(self, request: Request) -> Visitor:
        """Whom the address names, or, where it names nobody, whom the cookie does.

        Raises:
            InsteadError: who comes was not invited, or the address has an unfilled placeholder, or an id or a code
                that nobody sends.
        """
        known, query = self._served.visitor(request), request.query_params
        ids = [query.get(name, "").strip() for name in (ID, "STUDY_ID", "SESSION_ID")]
        if is_placeholder(ids[0]):
            raise self._refused(Sentence("This link names nobody"), _UNFILLED)
        ids = [each if not is_placeholder(each) else "" for each in ids]
        good = all(len(each) <= LONGEST_ID and each.isprintable() for each in ids)
        if not good or ("preview" in query and not self._served.sessions.is_preview_code(query["preview"])):
            raise self._refused(Sentence("This link cannot be used"), _DAMAGED)
        if "preview" in query:
            return Visitor("preview", random_id())
        if not self._served.admits(request, ids[0]) and (ids[0] or known is None):
            raise self._refused(Sentence("This link is no invitation"), _UNINVITED, HTTPStatus.FORBIDDEN)
        return Visitor("participant", *ids) if ids[0] else known or Visitor("participant", random_id(), *ids[1:])

    def _refused(
        self, title: Sentence, lines: Sequence[Sentence], status: int = HTTPStatus.BAD_REQUEST
    ) -> InsteadError:
        return InsteadError(self._templates.message(title, lines, status, link=None))

    def _visitor(self, request: Request, form: Form | None = None) -> Visitor:
        """Whom the cookie names; with ``form``, it must be theirs.

        Raises:
            InsteadError: there is no cookie.
            FormError: the form is another visitor's.
        """
        visitor = self._served.visitor(request)
        if visitor is None:
            lines = [
                Sentence("This page knows you by a cookie, and your browser did not send it."),
                Sentence("Open the link of your invitation again. If you come back here, allow cookies for this site."),
                Sentence("The cookie holds your participant id and serves nothing but this study."),
            ]
            link = (Sentence("Begin without a link"), "/study")
            raise InsteadError(
                self._templates.message(
                    Sentence("We do not know where you are in the study"), lines, HTTPStatus.FORBIDDEN, link=link
                )
            )
        if form is not None and not self._served.sessions.is_token(visitor, form.get("token", "")):
            raise FormError(HTTPStatus.FORBIDDEN, _NOT_THEIRS)
        return visitor

    def _read(self, current: Page, form: Form) -> Answers | None:
        """What a form of the current page holds; fields that the page does not have are not looked at.

        Raises:
            FaultyFormError: a question is not answered so that it can be stored.
        """
        if isinstance(current, Welcome):
            return self._read_consent(current, form)
        questions = self._questions(current)
        faults = [
            Fault(each.field, f"{each.field}-1", each.name, Sentence("choose a number from 1 to 5"))
            for each in questions
            if form.get(each.field) not in _RATINGS
        ]
        if faults:
            raise FaultyFormError(current, faults)
        return {each.about: _RATINGS[form[each.field]] for each in questions} if questions else None

    def _read_consent(self, current: Welcome, form: Form) -> Consent:
        definition, faults = self._definition, []
        required = definition.demographics == "required"
        age, gender = form.get("age", "").strip(), form.get("gender", "")
        years = int(age) if age.isascii() and age.isdigit() and len(age) <= 3 else None
        if (age or required) and (years is None or not definition.youngest <= years <= OLDEST):
            message = (
                "enter a number from {low} to {high}" if required else "enter a number from {low} to {high}, or nothing"
            )
            words = Sentence(message, low=definition.youngest, high=OLDEST)
            faults.append(Fault("age", "age", Sentence("Your age"), words))
        if (gender or (required and definition.genders)) and gender not in definition.genders:
            words = Sentence("choose one" if required else "choose one, or nothing")
            faults.append(Fault("gender", "gender-1", Sentence("Your gender"), words))
        if form.get("consent") != "yes":
            faults.append(
                Fault(
                    "consent",
                    "consent",
                    Sentence("Your consent"),
                    Sentence("tick the box to take part, or close this page"),
                )
            )
        if faults:
            raise FaultyFormError(current, faults)
        return Consent(years, gender)

    def _questions(self, current: Page) -> list[Question]:
        if isinstance(current, Assessment):
            statements = self._definition.statements
            return [Question(f"statement-{each.name}", each.text, each.name) for each in statements]
        if not isinstance(current, Elicitation):
            return []
        shown = zip(self._shown(current), current.works, strict=True)
        return [Question(f"work-{work.name}", work.title, item_id) for work, item_id in shown]

    def _shown(self, current: Page) -> list[ShownWork]:
        works = current.works if isinstance(current, Elicitation | Assessment) else ()
        return [shown_work(self._served.collection[item_id], self._served.pictures) for item_id in works]

    def _render(
        self, visitor: Visitor, current: Page, given: Mapping[str, str] | None = None, faults: Sequence[Fault] = ()
    ) -> HTMLResponse:
        if isinstance(current, Paused):
            lines = [Sentence("Your answers are kept. Come back to this page later; you will go on where you are.")]
            return self._templates.message(
                Sentence("The study is paused"), lines, HTTPStatus.OK, link=(Sentence("Try again"), "/study")
            )
        if isinstance(current, Full):
            lines = [Sentence("As many people as were needed have begun. Thank you for coming.")]
            return self._templates.message(Sentence("The study is full"), lines, HTTPStatus.OK, link=None)
        if isinstance(current, Closed):
            lines = [
                Sentence("You cannot go on with this study."),
                Sentence("If you have questions: {contact}", contact=self._definition.texts.contact),
            ]
            return self._templates.message(Sentence("Your participation has ended"), lines, HTTPStatus.OK, link=None)
        return self._templates.page(
            f"study/{type(current).__name__.lower()}.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
            study=self._definition,
            here=current,
            preview=visitor.flag == "preview",
            shared=is_anonymous(visitor),
            progress={"at": current.number + 1, "of": self._definition.last_page + 1},
            token=self._served.sessions.token(visitor),
            works=self._shown(current),
            questions=self._questions(current) if isinstance(current, Assessment) else [],
            given=given or {},
            faults=faults,
        )


def address_of(current: Page) -> str:
    """Where a page is shown."""
    if isinstance(current, Assessment):
        return f"/study/assessment/{current.position}"
    return f"/study/{type(current).__name__.lower()}"
