"""People, groups and who is in which: plain functions over the platform's file."""

import json
import sqlite3

from bot.simulator.store import Store
from core.errors import Refused
from core.messages import ChatKind, ChatRef
from core.simulation import PRIVATE_PREFIX, Persona, SimulatedGroup


def all_people(store: Store) -> list[Persona]:
    return [_persona(row) for row in store.rows("SELECT * FROM people ORDER BY position")]


def person_with(store: Store, person: str) -> Persona:
    row = store.row("SELECT * FROM people WHERE id = ?", person)
    if row is None:
        raise Refused("simulator.no_person", person=person)
    return _persona(row)


def add_person(store: Store, persona: Persona) -> None:
    """The person exists afterwards; a person with this id keeps their place and gets the new name, roles and area."""
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO people (id, name, roles, area, position) VALUES (?, ?, ?, ?, (SELECT count(*) FROM people))"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles, area = excluded.area",
            (persona.id, persona.name, json.dumps(persona.roles, ensure_ascii=False), persona.area),
        )


def all_groups(store: Store) -> list[SimulatedGroup]:
    members: dict[str, list[str]] = {}
    for row in store.rows("SELECT chat, person FROM members ORDER BY position"):
        members.setdefault(row["chat"], []).append(row["person"])
    return [
        SimulatedGroup(row["id"], row["name"], row["area"], tuple(members.get(row["id"], ())))
        for row in store.rows("SELECT * FROM groups ORDER BY position")
    ]


def add_group(store: Store, group: SimulatedGroup) -> None:
    """The group exists afterwards, with the bot in it."""
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO groups (id, name, area, position) VALUES (?, ?, ?, (SELECT count(*) FROM groups))"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, area = excluded.area, has_bot = 1",
            (group.id, group.name, group.area),
        )


def set_bot_in_group(store: Store, chat: str, *, has_bot: bool) -> None:
    chat_ref(store, chat)
    with store.transaction() as connection:
        connection.execute("UPDATE groups SET has_bot = ? WHERE id = ?", (has_bot, chat))


def set_bot_blocked(store: Store, person: str, *, is_blocked: bool) -> None:
    person_with(store, person)
    with store.transaction() as connection:
        connection.execute("UPDATE people SET has_blocked_bot = ? WHERE id = ?", (is_blocked, person))


def is_member(store: Store, chat: str, person: str) -> bool:
    return store.row("SELECT 1 FROM members WHERE chat = ? AND person = ?", chat, person) is not None


def add_member(store: Store, chat: str, person: str) -> None:
    with store.transaction() as connection:
        connection.execute(
            "INSERT INTO members (chat, person, position)"
            " VALUES (?, ?, (SELECT coalesce(max(position), 0) + 1 FROM members))",
            (chat, person),
        )


def remove_member(store: Store, chat: str, person: str) -> None:
    with store.transaction() as connection:
        connection.execute("DELETE FROM members WHERE chat = ? AND person = ?", (chat, person))


def chat_ref(store: Store, chat: str) -> ChatRef:
    """The group, or the private chat of a person who exists; else refused."""
    if chat.startswith(PRIVATE_PREFIX):
        row = store.row("SELECT name FROM people WHERE id = ?", chat.removeprefix(PRIVATE_PREFIX))
        kind = ChatKind.PRIVATE
    else:
        row = store.row("SELECT name FROM groups WHERE id = ?", chat)
        kind = ChatKind.GROUP
    if row is None:
        raise Refused("simulator.no_chat", chat=chat)
    return ChatRef(external_id=chat, kind=kind, title=row["name"])


def bot_reads(store: Store, chat: ChatRef) -> bool:
    """Does the bot get to know what happens in this chat? And may it write there?"""
    if chat.kind is ChatKind.PRIVATE:
        person = chat.external_id.removeprefix(PRIVATE_PREFIX)
        return store.row("SELECT 1 FROM people WHERE id = ? AND has_blocked_bot = 0", person) is not None
    return store.row("SELECT 1 FROM groups WHERE id = ? AND has_bot = 1", chat.external_id) is not None


def _persona(row: sqlite3.Row) -> Persona:
    return Persona(row["id"], row["name"], tuple(json.loads(row["roles"])), row["area"])
