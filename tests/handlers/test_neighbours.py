"""Who joined and deletes the message that they joined with is no longer among the reporters."""

from core.messages import IncomingKind
from storage.cases import Case, CaseReporter
from tests.bot.test_receiver import Ears, ears  # noqa: F401  # a fixture


async def test_message_deleted_by_one_who_joined_takes_them_out_again(ears: Ears) -> None:  # noqa: F811  # the fixture's name
    for number in (1, 2):
        await ears.receiver.deliver([ears.message(number, "3号楼电梯坏了")])
    gone = ears.message(3, "", sender="p2", kind=IncomingKind.WITHDRAWAL, message_id="2")
    with ears.database.reading() as session:
        assert session.query(CaseReporter).filter(CaseReporter.parted_at.is_(None)).count() == 1
    await ears.receiver.deliver([gone])
    with ears.database.reading() as session:
        (case,) = session.query(Case)
        assert (case.state, case.joined, session.query(CaseReporter.parted_at).scalar()) == ("open", 0, ears.now)
