"""How updates reach the bot: one queue, read by long polling or pushed to a webhook, never both."""

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.emulators.telegram_fields import ApiError

Json = dict[str, Any]

# These are sent only to those who ask for them by name.
ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
HOOK_PORTS = (443, 80, 88, 8443)
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}\Z")
BATCH = 100


@dataclass
class Webhook:
    url: str = ""
    secret: str | None = None
    max_connections: int = 40
    last_error: str | None = None
    last_error_at: int = 0


class UpdateQueue:
    """Unconfirmed updates, oldest first. `pushes` counts webhook deliveries with the status each got."""

    def __init__(self, now: Callable[[], float], *, retry_pause: float) -> None:
        self._now = now
        self._retry_pause = retry_pause
        self._numbers = itertools.count(870_000_001)
        self._changed = asyncio.Event()
        self._poll = 0
        self._is_closing = False
        self._held: list[Json] | None = None
        self._pusher: asyncio.Task[None] | None = None
        self.pending: list[Json] = []
        self.allowed: frozenset[str] | None = None
        self.webhook = Webhook()
        self.pushes: list[int] = []
        self.copies = 1

    def put(self, kind: str, payload: Json) -> int | None:
        """Queues an update; None when the bot did not ask for its kind."""
        wanted = kind not in ON_REQUEST if self.allowed is None else kind in self.allowed
        if not wanted:
            return None
        update = {"update_id": next(self._numbers), kind: json.loads(json.dumps(payload))}
        copies, self.copies = self.copies, 1
        self.put_raw(*(dict(update) for _ in range(copies)))
        return int(update["update_id"])

    def put_raw(self, *updates: Json) -> None:
        """Queues updates as they are, however odd; those without a number get one."""
        numbered = [
            update if "update_id" in update else {"update_id": next(self._numbers), **update} for update in updates
        ]
        if self._held is not None:
            self._held += numbered
            return
        self.pending += numbered
        self._changed.set()

    def hold(self) -> None:
        """Keeps new updates back until `release`."""
        self._held = []

    def release(self, *, is_reversed: bool = False) -> None:
        held, self._held = self._held or [], None
        self.put_raw(*(reversed(held) if is_reversed else held))

    def restart_numbers(self, at: int) -> None:
        """As after an idle week: the next update gets an unrelated number."""
        self._numbers = itertools.count(at)

    async def poll(self, *, offset: int, limit: int, timeout: float) -> list[Json]:
        """Long poll. A newer poll ends the older one, as a second copy of a program would."""
        if self.webhook.url:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            )
        self._poll += 1
        mine = self._poll
        self._changed.set()
        self._confirm(offset)
        deadline = asyncio.get_running_loop().time() + timeout
        while not self.pending and not self._is_closing:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                break
            if mine != self._poll:
                raise ApiError(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                )
        return self.pending[: min(max(limit, 1), BATCH)]

    def _confirm(self, offset: int) -> None:
        if offset > 0:
            self.pending = [update for update in self.pending if update["update_id"] >= offset]
        elif offset < 0:
            self.pending = self.pending[offset:]

    def allow(self, kinds: Sequence[str] | None) -> None:
        """An empty list means the default again; None leaves what was set before."""
        if kinds is not None:
            self.allowed = frozenset(kinds) or None

    async def set_webhook(self, url: str, *, secret: str | None, max_connections: int, drop_pending: bool) -> None:
        if drop_pending:
            self.pending.clear()
        if not url:
            await self._stop_pusher()
            self.webhook = Webhook()
            return
        parts = urlsplit(url)
        is_local = parts.scheme == "http" and parts.hostname == "127.0.0.1"
        if not is_local and (parts.scheme != "https" or (parts.port or 443) not in HOOK_PORTS):
            raise ApiError(400, "Bad Request: bad webhook: an HTTPS URL must be provided for webhook")
        if secret is not None and not SECRET.match(secret):
            raise ApiError(400, "Bad Request: secret token contains illegal characters")
        await self._stop_pusher()
        self.webhook = Webhook(url, secret, max_connections)
        self._poll += 1
        self._changed.set()
        if is_local:
            self._pusher = asyncio.create_task(self._push())

    def info(self) -> Json:
        hook = self.webhook
        shown: Json = {"url": hook.url, "has_custom_certificate": False, "pending_update_count": len(self.pending)}
        if hook.url:
            shown["max_connections"] = hook.max_connections
        if hook.last_error:
            shown |= {"last_error_date": hook.last_error_at, "last_error_message": hook.last_error}
        return shown | ({"allowed_updates": sorted(self.allowed)} if self.allowed else {})

    async def close(self) -> None:
        self._is_closing = True
        self._changed.set()
        await self._stop_pusher()

    async def _stop_pusher(self) -> None:
        task, self._pusher = self._pusher, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _push(self) -> None:
        """One update at a time, again and again until a 2xx."""
        hook = self.webhook
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
        async with httpx.AsyncClient(timeout=10, verify=False) as client:
            while True:
                if not self.pending:
                    self._changed.clear()
                    await self._changed.wait()
                    continue
                update = self.pending[0]
                error = await self._push_one(client, update, headers)
                if error is None:
                    self.pending = [other for other in self.pending if other is not update]
                else:
                    hook.last_error, hook.last_error_at = error, int(self._now())
                    await asyncio.sleep(self._retry_pause)

    async def _push_one(self, client: httpx.AsyncClient, update: Json, headers: dict[str, str]) -> str | None:
        try:
            answer = await client.post(self.webhook.url, json=update, headers=headers)
        except httpx.HTTPError as error:
            self.pushes.append(0)
            return f"Connection failed: {type(error).__name__}"
        self.pushes.append(answer.status_code)
        return (
            None
            if answer.is_success
            else f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
        )
