"""The participant's pages: one address for each page, of which only the current one is shown or listened to."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from vernissage.storage.studies import is_paused
from vernissage.storage.study_participants import participant_of_id
from vernissage.study.pages import Assessment, Closed, Elicitation, Page, Paused, Thanks, Welcome, page_number
from vernissage.study.participation import UnknownParticipantError
from vernissage.web.answers import Fault, Question, read_person, read_ratings
from vernissage.web.forms import Form, FormError
from vernissage.web.sessions import LONGEST_ID, Visitor, random_id
from vernissage.web.study_site import Site, see_other
from vernissage.web.templating import message_page, page
from vernissage.web.works import shown_works

NOTHING: Mapping[str, str] = {}


def study_router(site: Site) -> APIRouter:
    """The addresses of the participant's pages."""
    pages, router = StudyPages(site), APIRouter()
    router.add_api_route("/", pages.enter, methods=["GET"])
    router.add_api_route("/study/anew", pages.begin_anew, methods=["POST"])
    for address in ("/study", "/study/{rest:path}"):
        router.add_api_route(address, pages.show, methods=["GET"])
        router.add_api_route(address, pages.submit, methods=["POST"])
    return router


class StudyPages:
    """Shows the page where a visitor is, and takes what they send from it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._study = site.study
        self._definition = site.study.definition

    def enter(self, request: Request) -> Response:
        """The study's address: remember who was invited, in their browser alone, and lead to where they are."""
        visitor = self._invited(request)
        if visitor is None:
            return incomplete_link()
        answer = see_other("/study")
        self._site.sessions.remember(visitor, request, answer)
        return answer

    def show(self, request: Request) -> Response:
        """The current page; any other address leads to it."""
        visitor = self._site.visitor(request)
        if visitor is None:
            return no_cookie()
        _, current = self._standing(visitor)
        if request.url.path != address_of(current):
            return see_other(address_of(current))
        return self._render(visitor, current)

    def submit(self, request: Request, form: Form) -> Response:
        """Store what the current page's form holds; what comes from any other page is not even read."""
        visitor = self._site.visitor(request)
        if visitor is None:
            return no_cookie()
        self._require_token(visitor, form)
        key, current = self._standing(visitor)
        if request.url.path != address_of(current) or form.get("page") != str(page_number(current)):
            return see_other(address_of(current))
        faults, after = self._take(visitor, key, current, form)
        return self._render(visitor, current, form, faults) if faults else see_other(address_of(after))

    def begin_anew(self, request: Request, form: Form) -> Response:
        """Where people share a computer and have no ids: once one has finished, the next begins."""
        visitor = self._site.visitor(request)
        if visitor is None:
            return no_cookie()
        self._require_token(visitor, form)
        answer = see_other("/study")
        if visitor.anonymous and isinstance(self._standing(visitor)[1], Thanks):
            self._site.sessions.remember(Visitor(visitor.flag, random_id()), request, answer)
        return answer

    def _invited(self, request: Request) -> Visitor | None:
        """Whom the address names, or, where it names nobody, whom the cookie does; None for an id that cannot be."""
        known, query = self._site.visitor(request), request.query_params
        ids = [query.get(name, "").strip() for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")]
        if any(len(each) > LONGEST_ID or not each.isprintable() for each in ids):
            return None
        if "preview" in query:
            good = self._site.sessions.is_preview_code(query["preview"])
            return Visitor("preview", random_id()) if good else None
        if ids[0]:
            return Visitor("participant", *ids)
        return known or Visitor("participant", random_id(), *ids[1:])

    def _standing(self, visitor: Visitor) -> tuple[str | None, Page]:
        """The visitor's key and current page; nobody is registered before they consent."""
        study, flag = self._definition.id, visitor.flag
        with self._study.database.reading() as connection:
            person = participant_of_id(connection, study, flag, visitor.external_id)
            paused = flag == "participant" and is_paused(connection, study)
        if person is not None:
            try:
                return person.key, self._study.where(person.key)
            except UnknownParticipantError:
                pass  # Deleted at this very moment: a stranger again.
        return None, Paused() if paused else Welcome(0)

    def _require_token(self, visitor: Visitor, form: Form) -> None:
        if not self._site.sessions.is_form_token(visitor, form.get("token", "")):
            raise FormError(
                HTTPStatus.FORBIDDEN,
                "This form belongs to somebody else's visit, or to one that has ended, so nothing was stored.",
            )

    def _take(self, visitor: Visitor, key: str | None, current: Page, form: Form) -> tuple[tuple[Fault, ...], Page]:
        """Store a form of the current page unless it has faults; returns those, and where the visitor is then."""
        if isinstance(current, Welcome):
            person = read_person(form, self._definition)
            if person.faults:
                return person.faults, current
            return (), self._consent(visitor, key, current, person.value.age, person.value.gender)
        if key is None or not isinstance(current, Elicitation | Assessment):
            return (), current
        questions = self._questions(current)
        ratings = read_ratings(form, list(questions))
        if ratings.faults:
            return ratings.faults, current
        named = {name: ratings.value[question.field] for question, name in questions.items()}
        store = self._study.rate if isinstance(current, Elicitation) else self._study.answer
        return (), store(key, current.number, named)

    def _consent(self, visitor: Visitor, key: str | None, current: Welcome, age: int | None, gender: str) -> Page:
        if key is None:
            ids = {"study_id": visitor.recruitment_study, "session_id": visitor.recruitment_session}
            begun = self._study.register(visitor.external_id, flag=visitor.flag, **ids)
            if begun.key is None:
                return begun.page
            key = begun.key
        return self._study.consent(key, current.number, age=age, gender=gender)

    def _questions(self, current: Elicitation | Assessment) -> dict[Question, str]:
        """The questions of a page, and what the study calls each: a work's id or a statement's name."""
        if isinstance(current, Assessment):
            return {Question(f"statement-{each.name}", each.text): each.name for each in self._definition.statements}
        works = shown_works(current.works, self._site.collection, self._site.pictures)
        return {Question(work.field, work.title): item for work, item in zip(works, current.works, strict=True)}

    def _render(
        self, visitor: Visitor, current: Page, given: Mapping[str, str] = NOTHING, faults: tuple[Fault, ...] = ()
    ) -> HTMLResponse:
        if isinstance(current, Paused):
            lines = ["Your answers are kept. Come back to this page later; you will go on where you are."]
            return message_page("The study is paused", lines, HTTPStatus.OK, way_on=("Try again", "/study"))
        if isinstance(current, Closed):
            lines = ["You cannot go on with this study.", f"If you have questions: {self._definition.texts.contact}"]
            return message_page("Your participation has ended", lines, HTTPStatus.OK, way_on=None)
        works = current.works if isinstance(current, Elicitation | Assessment) else ()
        return page(
            f"{type(current).__name__.lower()}.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
            study=self._definition,
            here=current,
            preview=visitor.flag == "preview",
            shared=visitor.anonymous,
            progress={"at": current.number + 1, "of": self._definition.last_page + 1},
            token=self._site.sessions.form_token(visitor),
            works=shown_works(works, self._site.collection, self._site.pictures),
            questions=list(self._questions(current)) if isinstance(current, Assessment) else [],
            given=given,
            faults=faults,
        )


def address_of(current: Page) -> str:
    """Where a page is shown."""
    if isinstance(current, Assessment):
        return f"/study/assessment/{current.position}"
    return f"/study/{type(current).__name__.lower()}"


def no_cookie() -> HTMLResponse:
    """Whoever has no cookie is shown the way to one."""
    lines = [
        "This page knows you by a cookie, and your browser did not send it.",
        "Open the link of your invitation again. If you come back here, allow cookies for this site.",
        "The cookie holds your participant id and serves nothing but this study.",
    ]
    way_on = ("Begin without a link", "/")
    return message_page("We do not know where you are in the study", lines, HTTPStatus.FORBIDDEN, way_on=way_on)


def incomplete_link() -> HTMLResponse:
    """The link of an invitation that nobody sends."""
    lines = ["The link that you followed is damaged. Copy it from your invitation once more, the whole of it."]
    return message_page("This link cannot be used", lines, HTTPStatus.BAD_REQUEST, way_on=None)
