"""What "me too" means when many messages come at once, as after a pause: the same as when they come one by one. On both databases."""

import pytest

from core.messages import Incoming
from storage.cases import Case, CaseReporter
from storage.chats import Chat
from tests import builders
from tests.bot.test_receiver import Ears, ears  # noqa: F401  # a fixture

CHATTER = ("今晚吃什么", "吃火锅吧", "好呀好呀")


def joined(ears: Ears) -> int:  # noqa: F811  # the fixture's name
    with ears.database.reading() as session:
        return session.query(CaseReporter).count()


async def deliver(ears: Ears, messages: list[Incoming], *, at_once: bool) -> None:  # noqa: F811  # the fixture's name
    for some in [messages] if at_once else [[one] for one in messages]:
        await ears.receiver.deliver(some)


@pytest.mark.parametrize("at_once", [True, False])
async def test_plus_one_behind_other_talk_joins_nothing(ears: Ears, at_once: bool) -> None:  # noqa: F811  # the fixture's name
    texts = ("3号楼门口井盖坏了", *CHATTER, "+1")
    await deliver(ears, [ears.message(number, text) for number, text in enumerate(texts)], at_once=at_once)
    assert (ears.count(Case), joined(ears)) == (1, 0)


@pytest.mark.parametrize("at_once", [True, False])
async def test_plus_one_right_behind_joins_whatever_follows(ears: Ears, at_once: bool) -> None:  # noqa: F811  # the fixture's name
    texts = ("早上好", "3号楼门口井盖坏了", "+1", *CHATTER)
    await deliver(ears, [ears.message(number, text) for number, text in enumerate(texts)], at_once=at_once)
    assert (ears.count(Case), joined(ears)) == (1, 1)


@pytest.mark.parametrize("reply_to", [None, "1"])
async def test_group_that_moved_joins_nothing_of_the_community_before(ears: Ears, reply_to: str | None) -> None:  # noqa: F811  # the fixture's name
    await ears.receiver.deliver([ears.message(1, "3号楼整栋停电了")])
    with ears.database.writing() as session:
        other, chat = builders.community(session, "康乐社区"), session.query(Chat).one()
        chat.community_id, chat.area_id = other.id, other.grid.id
    await ears.receiver.deliver([ears.message(2, "我家也停电了", reply_to=reply_to)])
    assert joined(ears) == 0
