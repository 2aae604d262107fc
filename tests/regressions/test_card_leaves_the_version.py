"""The worker's card goes out some seconds after a case was opened. A page opened before that was then told "changed meanwhile"."""

from datetime import datetime, timedelta

from domain import due
from storage.cases import Case
from storage.database import Database
from storage.messages import Outbox
from storage.people import Role
from tests import builders


def test_card_that_goes_out_is_no_change_of_the_case(database: Database, now: datetime) -> None:
    with database.writing() as session:
        place = builders.community(session)
        worker = builders.person(session, "李明", Role.GRID_WORKER, place.grid.id, community_id=place.id)
        builders.private_chat(session, worker, now)
        case = builders.case(session, place, now)
        key, version = case.id, case.version
    with database.writing() as session:
        assert due.run_due(session, now=now + timedelta(minutes=1)) > 0
    with database.reading() as session:
        case = session.get_one(Case, key)
        card = session.get_one(Outbox, case.card_id)
        assert (case.version, card.case_id, card.person_id) == (version, key, case.assignee_id)
