"""The outbox as its carrier sees it: what may go, what becomes of it, and honesty about what nobody knows. On both databases."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.messages import ChatKind, OutgoingAction, Sent
from domain import outbox, outgoing, sending
from domain.outbox import Press, Priority
from storage.base import Session
from storage.chats import Chat, ChatState
from storage.messages import File, FileState, Outbox, OutboxState
from tests import builders

FOLDER = Path("media")


@dataclass
class Post:
    """A group and a private chat, and short words for what the sender does."""

    session: Session
    now: datetime
    group: Chat
    private: Chat

    def leave(self, chat: Chat | None = None, text: str = "您好", **columns: object) -> Outbox:
        return builders.posted(self.session, chat or self.private, text, now=self.now, **columns)

    def candidates(self, **more: object) -> list[int]:
        given = {"now": self.now, "not_chats": (), **more}
        return [one.id for one in sending.candidates(self.session, **given)]  # type: ignore[arg-type]  # as above

    def claim(self, *rows: Outbox, at: datetime | None = None) -> list[sending.Ready]:
        wanted = [
            sending.Candidate(row.id, builders.CHANNEL, builders.ACCOUNT, row.chat_id, False, row.action)
            for row in rows
        ]
        ready = sending.claim(self.session, wanted, now=at or self.now, media_folder=FOLDER)
        self.session.flush()
        return ready

    def mark_unknown(self, row: Outbox, *, may_repeat: bool = False) -> None:
        sending.mark_unknown(self.session, row.id, now=self.now, may_repeat=may_repeat, reason="timed out")
        self.session.flush()


@pytest.fixture
def post(session: Session, now: datetime) -> Post:
    place = builders.community(session)
    worker = builders.person(session, "张伟", community_id=place.id)
    return Post(session, now, builders.group(session, place, now), builders.private_chat(session, worker, now))


def test_candidates_are_one_for_each_chat_answers_first(post: Post) -> None:
    later = post.leave(post.group, priority=Priority.ANNOUNCEMENT)
    first = post.leave(post.group)
    post.leave(post.group)
    private = post.leave(priority=Priority.REMINDER)
    assert post.candidates() == [first.id, private.id]
    assert later.id not in post.candidates()


def test_candidates_leave_out_what_is_not_due_and_chats_at_their_limit(post: Post) -> None:
    post.leave(due_at=post.now + timedelta(minutes=1))
    group = post.leave(post.group)
    assert post.candidates() == [group.id]
    assert post.candidates(not_chats=(post.group.id,)) == []


def test_chat_with_a_send_under_way_waits_so_that_order_is_kept(post: Post) -> None:
    first, second = post.leave(), post.leave()
    post.claim(first)
    assert post.candidates() == []
    sending.mark_sent(post.session, {first.id: Sent("1")}, now=post.now)
    assert post.candidates() == [second.id]


def test_press_waits_for_nobody(post: Post) -> None:
    first = post.leave()
    outbox.answer_press(post.session, post.private, "press", "好", now=post.now)
    post.session.flush()
    assert len(post.candidates()) == 2
    assert first.id in post.candidates()


def test_claimed_message_is_claimed_once_and_carries_everything(post: Post) -> None:
    buttons = [[Press("接单", "cases.accept", 7), Press("看", url="https://example.org")]]
    row = post.leave(post.group, "请接单", buttons=buttons, reply_to="12", thread="3")
    (ready,) = post.claim(row)
    sent = ready.outgoing
    assert (sent.action, sent.text, sent.reply_to, sent.chat.thread) == (OutgoingAction.SEND, "请接单", "12", "3")
    assert sent.chat.kind is ChatKind.GROUP
    assert [(button.text, button.url) for button in sent.buttons[0]] == [("接单", None), ("看", "https://example.org")]
    assert len(sent.buttons[0][0].key.encode()) <= 64
    assert outbox.find_press(post.session, sent.buttons[0][0].key, post.group.id) == (row, "cases.accept", 7)
    assert post.claim(row) == []
    assert (row.state, row.lease_until) == (OutboxState.SENDING, post.now + sending.LEASE)


def test_chat_that_was_left_gets_nothing(post: Post) -> None:
    row = post.leave(post.group)
    post.group.state = ChatState.LEFT
    assert post.claim(row) == []
    assert (row.state, row.error) == (OutboxState.GIVEN_UP, "chat left")


def test_press_answered_too_late_is_dropped(post: Post) -> None:
    outbox.answer_press(post.session, post.private, "press", "好", now=post.now)
    post.session.flush()
    row = post.session.query(Outbox).one()
    assert post.claim(row, at=post.now + timedelta(seconds=46)) == []
    assert row.state == OutboxState.DROPPED


def test_edit_waits_for_its_message_and_then_names_it(post: Post) -> None:
    row = post.leave()
    post.claim(row)
    edit = outbox.edit(post.session, row, "新的", now=post.now)
    assert edit is not None
    post.session.flush()
    assert post.claim(edit) == []
    assert (edit.state, edit.due_at) == (OutboxState.QUEUED, post.now + outgoing.EDIT_WAIT)
    sending.mark_sent(post.session, {row.id: Sent("31", {"caption": "1"})}, now=post.now)
    post.session.expire_all()
    (ready,) = post.claim(edit)
    assert (ready.outgoing.message_id, dict(ready.outgoing.keep)) == ("31", {"caption": "1"})


def test_edit_of_a_message_that_never_went_out_is_dropped(post: Post) -> None:
    row = post.leave()
    post.claim(row)
    edit = outbox.edit(post.session, row, "新的", now=post.now)
    assert edit is not None
    sending.mark_given_up(post.session, row.id, reason="no", is_chat_dead=False)
    post.session.flush()
    assert post.claim(edit) == []
    assert edit.state == OutboxState.DROPPED


def test_message_waits_for_its_file_but_not_for_ever(post: Post) -> None:
    file = File(
        community_id=None,
        channel="simulator",
        account="",
        kind="photo",
        external_id="1",
        state="wanted",
        due_at=post.now,
    )
    post.session.add(file)
    post.session.flush()
    row = post.leave(file_ids=[file.id])
    assert post.claim(row) == []
    assert row.due_at == post.now + outgoing.FILE_WAIT
    (ready,) = post.claim(row, at=post.now + outgoing.LONGEST_FILE_WAIT)
    assert ready.outgoing.files == ()


def test_stored_file_goes_along_and_a_refused_one_is_left_out(post: Post) -> None:
    made = []
    for state in (FileState.STORED, FileState.REFUSED):
        file = File(
            channel="simulator", account="", kind="photo", external_id=state, state=state, due_at=post.now,
            sha256="ab" * 32, media_type="image/jpeg",
        )  # fmt: skip
        post.session.add(file)
        made.append(file)
    post.session.flush()
    (ready,) = post.claim(post.leave(file_ids=[file.id for file in made]))
    assert [Path(file.path) for file in ready.outgoing.files] == [FOLDER / "ab" / ("ab" * 31)]


def test_later_counts_tries_with_growing_pauses_and_gives_up_after_a_day(post: Post) -> None:
    row = post.leave()
    pauses = []
    for _ in range(7):
        sending.mark_later(post.session, row.id, now=post.now, seconds=0, reason="503", counts=True)
        pauses.append((row.due_at - post.now).total_seconds())
    assert pauses == [2, 5, 15, 60, 300, 600, 600]
    tomorrow = post.now + timedelta(hours=24, seconds=1)
    sending.mark_later(post.session, row.id, now=tomorrow, seconds=9, reason="429", counts=False)
    assert (row.state, row.due_at) == (OutboxState.QUEUED, tomorrow + timedelta(seconds=9))
    sending.mark_later(post.session, row.id, now=tomorrow, seconds=0, reason="503", counts=True)
    assert row.state == OutboxState.GIVEN_UP


def test_unknown_outcome_in_private_goes_again_in_a_group_it_is_held(post: Post) -> None:
    private, group = post.leave(), post.leave(post.group)
    post.claim(private, group)
    post.mark_unknown(private)
    post.mark_unknown(group)
    assert (private.state, private.due_at, group.state) == (OutboxState.QUEUED, post.now, OutboxState.HELD)


def test_unknown_outcome_again_and_again_is_held_in_private_too(post: Post) -> None:
    """Somebody may have got it each time: an album whose text is refused must not come for ever."""
    row = post.leave()
    pauses = []
    while row.state != OutboxState.HELD:
        post.claim(row)
        post.mark_unknown(row)
        pauses.append((row.due_at - post.now).total_seconds())
        row.due_at = post.now
        assert len(pauses) < 20
    assert pauses == [0, 2, 5, 15, 60, 0]


def test_answer_that_the_process_never_gets_out_is_held_in_the_end(post: Post) -> None:
    row, restarts = post.leave(), 0
    while row.state != OutboxState.HELD:
        post.claim(row)
        sending.recover(post.session, now=post.now, repeatable=(), leases_until=post.now + sending.LEASE)
        row.due_at = post.now
        post.session.flush()
        restarts += 1
        assert restarts < 20
    assert restarts == sending.MOST_INTERRUPTIONS + 1


def test_unknown_outcome_is_repeated_where_the_platform_knows_a_repeated_send(post: Post) -> None:
    row = post.leave(post.group)
    post.claim(row)
    post.mark_unknown(row, may_repeat=True)
    assert row.state == OutboxState.QUEUED


def test_unknown_edit_is_repeated_and_an_unknown_press_is_dropped(post: Post) -> None:
    row = post.leave(post.group)
    post.claim(row)
    sending.mark_sent(post.session, {row.id: Sent("1")}, now=post.now)
    post.session.expire_all()
    edit = outbox.edit(post.session, row, "新的", now=post.now)
    assert edit is not None
    outbox.answer_press(post.session, post.group, "press", "", now=post.now)
    post.session.flush()
    press = post.session.query(Outbox).filter(Outbox.press_id == "press").one()
    post.mark_unknown(edit)
    post.mark_unknown(press)
    assert (edit.state, press.state) == (OutboxState.QUEUED, OutboxState.DROPPED)


def test_recovery_settles_what_was_under_way_when_the_process_died(post: Post) -> None:
    private, group, waiting = post.leave(), post.leave(post.group), post.leave()
    post.claim(private, group)
    assert sending.recover(post.session, now=post.now, repeatable=()) == 0
    assert sending.recover(post.session, now=post.now + sending.LEASE, repeatable=()) == 2
    assert (private.state, group.state, waiting.state) == ("queued", "held", "queued")


def test_dead_chat_is_noted(post: Post) -> None:
    row = post.leave()
    sending.mark_given_up(post.session, row.id, reason="blocked", is_chat_dead=True)
    assert (row.state, post.private.state) == (OutboxState.GIVEN_UP, ChatState.LEFT)


def test_migrated_chat_goes_on_under_its_new_id(post: Post) -> None:
    row = post.leave(post.group)
    post.claim(row)
    sending.mark_migrated(post.session, row.id, new_external_id="-100", now=post.now)
    assert (row.state, post.group.external_id) == (OutboxState.QUEUED, "-100")


def test_next_due_and_waiting_tell_what_is_left(post: Post) -> None:
    def waiting() -> bool:
        return sending.is_waiting(post.session, now=post.now, channels=[builders.CHANNEL])

    assert (sending.next_due(post.session), waiting()) == (None, False)
    due_at = post.now + timedelta(minutes=5)
    row = post.leave(due_at=due_at)
    assert (sending.next_due(post.session), waiting()) == (due_at, False)
    row.due_at = post.now
    post.session.flush()
    assert waiting()
    post.claim(row)
    assert waiting()
    assert sending.counts(post.session) == {"sending": 1}
    sending.mark_sent(post.session, {row.id: Sent("1")}, now=post.now)
    assert not waiting()


def test_recent_sends_are_told_for_the_limiter(post: Post) -> None:
    row = post.leave(post.group)
    post.claim(row)
    sending.mark_sent(post.session, {row.id: Sent("1")}, now=post.now)
    ((candidate, at),) = sending.recent_sends(post.session, since=post.now - timedelta(minutes=1))
    assert (candidate.id, candidate.is_group, at) == (row.id, True, post.now)
    assert sending.recent_sends(post.session, since=post.now + timedelta(seconds=1)) == []
