"""How many SQL statements a page and a submit take."""

from tests.statements import counted_statements
from tests.studies import STUDY, study_of, submit

from vernissage.storage.database import Database
from vernissage.study.participation import Assessment, Consent, Elicitation, Page, Thanks, Visitor, Welcome

MOST_TO_READ, MOST_TO_SUBMIT = 7, 15


def test_no_page_and_no_submit_takes_many_statements(database: Database) -> None:
    study = study_of(database)
    key = study.register("ann").key or ""
    page: Page = Welcome(0)
    seen: set[type[Page]] = set()
    for number in range(STUDY.last_page + 1):
        with counted_statements() as reading:
            assert study.page(key) == page
        with counted_statements() as writing:
            after = submit(study, key, page) if number < STUDY.last_page else page
        assert 0 < len(reading) <= MOST_TO_READ
        assert len(writing) <= MOST_TO_SUBMIT
        # Once for each transaction: an elicitation takes two.
        assert sum("FROM study_participants" in each for each in writing) <= 1 + isinstance(page, Elicitation)
        seen.add(type(page))
        page = after
    assert seen == {Welcome, Elicitation, Assessment, Thanks}


def test_the_first_participant_is_registered_and_consents_in_one_transaction(database: Database) -> None:
    study = study_of(database)
    visitor = Visitor("participant", "ann")
    with counted_statements() as statements:
        assert study.page(visitor) == Welcome(0)
    assert len(statements) <= MOST_TO_READ
    with counted_statements() as statements:
        assert isinstance(study.submit(visitor, 0, Consent()), Elicitation)
    assert len(statements) <= MOST_TO_SUBMIT
    assert sum(each.startswith("BEGIN") for each in statements) <= 1
