"""Pages of a study in the frame of all pages, in the museum's own look."""

from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from vernissage.pages.look import Look
from vernissage.pages.templating import environment
from vernissage.pages.thumbnails import BytesCache
from vernissage.pages.visitor.frame import Frame, paragraphs, static_digest
from vernissage.sentences import Sentence
from vernissage.web.compression import static_answer

_ONWARDS = ("Go on with the study", "/study")


class Templates:
    """Fills templates; ``title`` is the study's."""

    def __init__(self, look: Look | None = None, title: str = "") -> None:
        self._look, self._kept = look or Look(), BytesCache()
        self._frame = Frame(self._look, title, lambda _: "/study", self._address)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Fill ``template`` with ``values``, every text escaped."""
        made = environment("vernissage.web").get_template(template)
        return HTMLResponse(made.render(frame=self._frame, _=Sentence, paragraphs=paragraphs, **values), status)

    def message(
        self,
        title: str,
        lines: list[str],
        status: int,
        *,
        link: tuple[str, str] | None = _ONWARDS,
    ) -> HTMLResponse:
        """A page of a few sentences with a link onwards: its words and its address."""
        return self.page("message.html", status, title=title, lines=lines, link=link)

    def no_such_page(self) -> HTMLResponse:
        """The answer to an unknown address."""
        return self.message("There is no such page", ["The address leads nowhere."], HTTPStatus.NOT_FOUND)

    def static(self, request: Request, version: str, name: str) -> Response:
        """Style sheet, script, logo or font."""
        return static_answer(request, self._look, version, name, self._kept) or self.no_such_page()

    def _address(self, name: str) -> str:
        return f"/study/static/{static_digest(name, self._look)}/{name}"
