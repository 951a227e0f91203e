"""Jobs over HTTP, and the thread of a server that does them: uploads are encoded, a feed's works make a new state."""

import logging
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response

from vernissage import storage
from vernissage.errors import Kind, VernissageError
from vernissage.gallery.gallery import Gallery
from vernissage.progress import Progress, meanwhile
from vernissage.storage.jobs import Job
from vernissage.web.api.access import Access
from vernissage.web.api.doing import AFTER, DOING, IN_ORDER, TOGETHER
from vernissage.web.api.problems import ProblemError, problem_of, titled
from vernissage.web.api.service import ROOT, Service
from vernissage.web.api.works import answered, described

_LOOK_SECONDS = 1.0
"""How often a worker looks for jobs that other servers took in, or left."""
_SIGN_SECONDS = 5.0
_CLOSING_SECONDS = 5.0
_AGAIN_SECONDS, _LONGEST_SECONDS = 5, 300
"""After how long a job is begun again that could not be done just now, doubled each time."""

_log = logging.getLogger("vernissage.web")


class _StoppedError(Exception):
    """The server closes in the middle of a job."""


class Jobs:
    """The jobs of a service: noted by requests, done by a thread of this server or of another one."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._name = secrets.token_hex(8)
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._progress: Mapping[str, Any] | None = None

    def start(self) -> None:
        """Begin to do jobs."""
        self._name = secrets.token_hex(8)  # drawn anew: processes may be forked from the one that made this
        self._thread.start()

    def stop(self) -> None:
        """Stop; a job under way is given back when it next reports on itself, else once its lease has ended."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSING_SECONDS)

    def find(self, name: str) -> Job | None:
        """The job of an id."""
        database = self._service.gallery.repository.existing_database
        if database is None:
            return None
        with database.reading() as connection:
            return storage.jobs.get_job(connection, name)

    def accepted(self, name: str) -> Response:
        """The answer to a request whose job has been noted; its work begins."""
        self._wake.set()
        found = self.find(name)
        if found is None:
            raise ProblemError(HTTPStatus.CONFLICT, "what was sent was removed again while it was taken in")
        answer = answered(shown(found), HTTPStatus.ACCEPTED)
        answer.headers["Location"] = f"{ROOT}/jobs/{name}"
        return answer

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                if not self.do_next():
                    self._wake.wait(_LOOK_SECONDS)
            except Exception as error:  # whatever happened to one, the next ones must be done
                _log.error("jobs wait: %s", error, exc_info=not isinstance(error, VernissageError))
                self._stop.wait(_LOOK_SECONDS)

    def do_next(self) -> bool:
        """Do the next job, or those that are done together; False where none waits.

        Raises:
            StorageError: the database does not answer.
        """
        database = self._service.gallery.repository.existing_database
        if database is None:
            return False
        with database.reading() as connection:
            if not storage.jobs.any_ready(connection, datetime.now(UTC)):
                return False
        with database.writing() as connection:
            jobs = storage.jobs.take_jobs(connection, self._name, datetime.now(UTC), IN_ORDER, TOGETHER)
        if jobs:
            self._do(jobs)
        return bool(jobs)

    def _do(self, jobs: Sequence[Job]) -> None:
        database, gallery = self._service.gallery.repository.database, self._service.gallery
        found: list[tuple[Job, dict[str, Any]]] = []
        again: datetime | None = None
        try:
            with self._signs(jobs):
                found = _done(gallery, jobs, self._told)
        except _StoppedError:
            pass  # given back below, to be begun again at once
        except VernissageError as error:
            _log.error("the %s of %d jobs are tried again: %s", jobs[0].kind, len(jobs), error)
            wait = min(_LONGEST_SECONDS, _AGAIN_SECONDS * 2 ** jobs[0].attempts)
            again = datetime.now(UTC) + timedelta(seconds=wait)
        with database.writing() as connection:
            for job, outcome in found:
                storage.jobs.end_job(connection, job, self._name, datetime.now(UTC), **outcome)
            if found and jobs[0].kind in AFTER:
                AFTER[jobs[0].kind](connection, gallery, datetime.now(UTC))
            if not found:
                storage.jobs.release_jobs(connection, jobs, self._name, again)

    def _told(self, step: str, done: int, total: int) -> None:
        self._progress = {"step": step, "done": done, "total": total}
        if self._stop.is_set():
            raise _StoppedError

    @contextmanager
    def _signs(self, jobs: Sequence[Job]) -> Iterator[None]:
        """Give signs of life while the block runs, however long a step of it takes."""
        database = self._service.gallery.repository.database

        def sign() -> None:
            try:
                with database.writing() as connection:
                    storage.jobs.keep_jobs(connection, jobs, self._name, datetime.now(UTC), self._progress)
            except VernissageError as error:
                _log.error("no sign of life of a job: %s", error)

        self._progress = None
        with meanwhile(sign, _SIGN_SECONDS):
            yield


def _done(gallery: Gallery, jobs: Sequence[Job], progress: Progress) -> list[tuple[Job, dict[str, Any]]]:
    """What came of each job; where several cannot be done together, each by itself.

    Raises:
        VernissageError: of the kind that passes: they are to be tried again.
    """
    try:
        results = DOING[jobs[0].kind](gallery, jobs, progress)
        return [(job, {"result": result}) for job, result in zip(jobs, results, strict=True)]
    except _StoppedError:
        raise
    except VernissageError as error:
        if error.kind is Kind.UNAVAILABLE:
            raise
        if len(jobs) > 1:
            return [outcome for job in jobs for outcome in _done(gallery, [job], progress)]
        return [(jobs[0], {"problem": problem_of(error, gallery.path)})]
    except Exception as error:  # a defect of one job must not keep others from being done
        _log.error("%s in a job of %s", type(error).__name__, jobs[0].kind, exc_info=error)
        told = titled(HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here; it is in the server's log")
        return [(job, {"problem": told}) for job in jobs]


def jobs_router(jobs: Jobs, access: Access) -> APIRouter:
    """Where a job is asked for: a person's by their token or a key for people, others by a key that writes."""
    router, anybody = APIRouter(tags=["operations"]), access.require("people", "write")

    @router.get(
        f"{ROOT}/jobs/{{job}}",
        name="getJob",
        summary="What became of what was taken in",
        response_class=Response,
        responses=described("Job"),
    )
    def state(request: Request, job: str) -> Response:
        asker, found = anybody(request), jobs.find(job)
        needed = {"admin", "people" if found and found.person else "write"}
        if found is None or not needed & asker.scopes or asker.person not in ("", found.person):
            raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such job; jobs are forgotten a week after their end")
        return answered(shown(found))

    return router


def shown(job: Job) -> dict[str, Any]:
    """A job as JSON values."""
    content = {"id": job.id, "kind": job.kind, "state": job.state, "progress": job.progress, "result": job.result}
    problem = titled(**job.problem) if job.problem and "title" not in job.problem else job.problem
    ended = job.finished.isoformat() if job.finished else None
    return content | {"problem": problem, "created": job.created.isoformat(), "finished": ended}
