"""Mass messages to customer groups (企业群发): a task in the owner's client, which they send or do not; looked up, reminded, stopped.

`add_msg_template` takes no key by which a repetition would be known. What the platform offers instead is its list of tasks.
"""

from collections.abc import Mapping, Sequence

from bot.channels.wecom.calls import Calls
from bot.channels.wecom.client import Json
from bot.channels.wecom.files import upload
from core.customer_groups import Handed, HandedPost, Outcome, Progress, TimeSpan
from core.errors import Rejected, TryLater, Unknown
from core.messages import StoredFile
from core.texts import say

POST_BYTES = 4000
MOST_FILES, MOST_GROUPS = 9, 2000
WELCOME_BYTES = 3000
PAGE_OF_LIST, PAGE_OF_TASK, PAGE_OF_RESULTS = 100, 1000, 500
MOST_PAGES = 100
MADE_BY_THE_CORP = "0"
# Of a member's task, and of one group in it.
HAS_SENT = 2
OUTCOMES = {0: Outcome.WAITING, 1: Outcome.SENT, 2: Outcome.FAILED, 3: Outcome.OVER_QUOTA}
ATTACHED = {"image": "image", "video": "video"}


class TaskDesk:
    """The calls about tasks; keeps nothing between them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def hand(self, post: HandedPost) -> Handed:
        if len(post.text.encode()) > POST_BYTES:
            raise Rejected(
                f"正文有 {len(post.text.encode())} 字节，群发最多 {POST_BYTES} 字节（约 1300 个汉字），请缩短后再发"
            )
        if len(post.files) > MOST_FILES or len(post.chats) > MOST_GROUPS:
            raise Rejected(f"一次群发最多附 {MOST_FILES} 个文件、发 {MOST_GROUPS} 个群")
        body: Json = {"chat_type": "group", "sender": post.owner, "chat_id_list": list(post.chats)}
        if post.text:
            body["text"] = {"content": post.text}
        attached = [await self._attached(file) for file in post.files]
        if post.link and len(attached) < MOST_FILES:
            attached.append({"msgtype": "link", "link": _card(post.link)})
        if attached:
            body["attachments"] = attached
        found = await self._calls.post("externalcontact/add_msg_template", body)
        refused = tuple(str(one) for one in found.get("fail_list") or ())
        msgid = str(found.get("msgid") or "")
        if not msgid or set(post.chats) <= set(refused):
            raise Rejected("平台没有给群主建立群发任务，请核对群主是否有“客户联系”权限、是否还在群里")
        return Handed(msgid, refused)

    async def _attached(self, file: StoredFile) -> Json:
        kind, media_id = await upload(self._calls, file)
        name = ATTACHED.get(kind, "file")
        return {"msgtype": name, name: {"media_id": media_id}}

    async def find(self, post: HandedPost, span: TimeSpan) -> list[str]:
        """By the words, the owner and the groups, for a task carries no id of ours."""
        asked: Json = {
            "chat_type": "group",
            "start_time": int(span.since.timestamp()),
            "end_time": int(span.until.timestamp()),
            "filter_type": 0,
        }
        listed = await self._pages("get_groupmsg_list_v2", asked, "group_msg_list", PAGE_OF_LIST)
        alike = [one for one in listed if _words(_inner(one, "text").get("content")) == _words(post.text)]
        alike = [one for one in alike if str(one.get("create_type", MADE_BY_THE_CORP)) == MADE_BY_THE_CORP]
        found = []
        for one in sorted(alike, key=lambda each: number(each.get("create_time"))):
            msgid = str(one.get("msgid") or "")
            if msgid and await self._is_of(msgid, post):
                found.append(msgid)
        return found

    async def _is_of(self, msgid: str, post: HandedPost) -> bool:
        if post.owner not in await self._members(msgid):
            return False
        chats = {str(one.get("chat_id")) for one in await self._results(msgid, post.owner)}
        return not chats or bool(chats & set(post.chats))

    async def look(self, msgid: str, post: HandedPost) -> Progress:
        status = (await self._members(msgid)).get(post.owner)
        if status != HAS_SENT:
            return Progress(False)
        results = await self._results(msgid, post.owner)
        return Progress(True, {str(one.get("chat_id")): _outcome(one.get("status")) for one in results})

    async def remind(self, msgid: str) -> None:
        await self._calls.post("externalcontact/remind_groupmsg_send", {"msgid": msgid})

    async def withdraw(self, msgid: str) -> None:
        await self._calls.post("externalcontact/cancel_groupmsg_send", {"msgid": msgid}, is_repeatable=True)

    async def keep_welcome(self, template_id: str | None, text: str, link: str) -> str:
        """A text and a card with the link in the corp's collection of welcomes; nobody is told by the platform."""
        if len(text.encode()) > WELCOME_BYTES:
            raise Rejected("入群欢迎语太长")
        body: Json = {"text": {"content": text}, "link": _card(link)}
        if template_id:
            body["template_id"] = template_id
            await self._calls.post("externalcontact/group_welcome_template/edit", body, is_repeatable=True)
            return template_id
        # Made twice it lies there twice, to be chosen once: an answer that was lost is no reason to leave it.
        body["notify"] = 0
        found = await self._calls.post("externalcontact/group_welcome_template/add", body, is_repeatable=True)
        made = str(found.get("template_id") or "")
        if not made:
            raise Unknown("the platform gave the words for new members no id")
        return made

    async def _members(self, msgid: str) -> Mapping[str, int]:
        """Whose client the task lies in, and how it stands there."""
        found = await self._pages("get_groupmsg_task", {"msgid": msgid}, "task_list", PAGE_OF_TASK)
        return {str(one.get("userid")): number(one.get("status")) for one in found}

    async def _results(self, msgid: str, owner: str) -> Sequence[Json]:
        asked = {"msgid": msgid, "userid": owner}
        return await self._pages("get_groupmsg_send_result", asked, "send_list", PAGE_OF_RESULTS)

    async def _pages(self, path: str, asked: Json, name: str, size: int) -> list[Json]:
        """All pages of a list. One that never ends is a fault of the platform, and no answer."""
        found: list[Json] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            body = {**asked, "limit": size, **({"cursor": cursor} if cursor else {})}
            page = await self._calls.post(f"externalcontact/{path}", body, is_repeatable=True)
            found += [one for one in page.get(name) or () if isinstance(one, dict)]
            cursor = str(page.get("next_cursor") or "")
            if not cursor:
                return found
        raise TryLater(60.0, f"{path} has no end")


def _card(link: str) -> Json:
    return {"title": say("customer_groups.link_title"), "desc": say("customer_groups.link_about"), "url": link}


def number(value: object) -> int:
    """A number that the platform gives as such or in digits; 0 for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def _inner(one: Json, name: str) -> Json:
    found = one.get(name)
    return found if isinstance(found, dict) else {}


def _words(text: object) -> str:
    """As it is compared: the platform may trim, and breaks its lines in its own way."""
    return "\n".join(line.rstrip() for line in str(text or "").strip().splitlines())


def _outcome(status: object) -> Outcome:
    return OUTCOMES.get(status, Outcome.FAILED) if isinstance(status, int) else Outcome.FAILED
