"""Customer groups of the emulator against wechatpy's own client, and what it refuses."""

import asyncio
from typing import Any

import pytest
from wechatpy.exceptions import WeChatClientException

from tests.emulators.test_wecom import Moving, Peer, ask, code_of
from tests.emulators.wecom import WeComEmulator
from tests.emulators.wecom_groups import MOST_WELCOMES, Group

HERE = "externalcontact/"


async def test_wechatpys_client_reads_the_register() -> None:
    async with WeComEmulator() as wecom:
        wecom.add_member("zhang", "张伟")
        keys = [wecom.add_group(f"群{number}", "zhang", ["wm1"], tells=False) for number in range(3)]
        peer = Peer(wecom.base_url).external_contact_group_chat
        listed = await ask(lambda: peer.list_all(limit=2))
        assert [(one["chat_id"], one["status"]) for one in listed] == [(key, 0) for key in keys]
        group = (await ask(lambda: peer.get(keys[0])))["group_chat"]
        assert (group["name"], group["owner"]) == ("群0", "zhang")
        assert [(one["userid"], one["type"], "name" in one) for one in group["member_list"]] == [
            ("zhang", 1, False), ("wm1", 2, False),
        ]  # fmt: skip
        assert await code_of(lambda: peer.get("nobody")) == 90501


async def test_wechatpys_client_makes_a_task_that_waits_for_a_person() -> None:
    watch = Moving()
    async with WeComEmulator(now=watch) as wecom:
        wecom.add_member("zhang", "张伟")
        group = wecom.add_group("一群", "zhang", tells=False)
        peer = Peer(wecom.base_url)
        template = {"chat_type": "group", "sender": "zhang", "chat_id_list": [group], "text": {"content": "停水"}}
        made = await ask(lambda: peer.external_contact.add_msg_template(template))
        assert (made["fail_list"], wecom.groups.texts(group)) == ([], [])
        task = {"msgid": made["msgid"]}

        async def result() -> tuple[int, int]:
            members = await ask(lambda: peer.post(f"{HERE}get_groupmsg_task", data=task))
            asked = {**task, "userid": "zhang"}
            groups = await ask(lambda: peer.post(f"{HERE}get_groupmsg_send_result", data=asked))
            return members["task_list"][0]["status"], groups["send_list"][0]["status"]

        assert await result() == (0, 0)
        wecom.groups.confirm("zhang")
        assert (await result(), wecom.groups.texts(group)) == ((2, 1), ["停水"])
        with pytest.raises(StopIteration):
            wecom.groups.confirm("zhang")
        made = await ask(lambda: peer.external_contact.add_msg_template(template))
        task = {"msgid": made["msgid"]}
        wecom.groups.confirm("zhang")
        assert await result() == (2, 3)
        watch.at += 24 * 3600
        made = await ask(lambda: peer.external_contact.add_msg_template(template))
        task = {"msgid": made["msgid"]}
        wecom.groups.confirm("zhang")
        assert await result() == (2, 1)


ADD = {"chat_type": "group", "sender": "zhang", "text": {"content": "停水"}}


@pytest.mark.parametrize(
    ("path", "given", "code"),
    [
        ("groupchat/list", {"limit": 1001}, 40058),
        ("groupchat/list", {"size": 1}, 40035),
        ("groupchat/list", {"owner_filter": {"userid_list": []}}, 40058),
        ("add_msg_template", {**ADD, "sender": "nobody", "chat_id_list": ["x"]}, 40003),
        ("add_msg_template", {**ADD, "chat_id_list": []}, 40058),
        ("add_msg_template", {**ADD, "chat_id_list": ["x"], "text": {"content": "水" * 1334}}, 45002),
        ("add_msg_template", {**ADD, "chat_id_list": ["x"], "text": {"content": " "}}, 44004),
        ("add_msg_template", {**ADD, "chat_id_list": ["x"], "attachments": [{"msgtype": "voice"}]}, 40008),
        ("add_msg_template", {**ADD, "chat_id_list": ["x"], "made_up": 1}, 40035),
        ("get_groupmsg_list_v2", {"chat_type": "group", "start_time": 0, "end_time": 32 * 86400}, 40058),
        ("get_groupmsg_task", {"msgid": "none"}, 40058),
        ("remind_groupmsg_send", {"msgid": "none"}, 40058),
        ("cancel_groupmsg_send", {"msgid": "none"}, 40058),
        ("group_welcome_template/add", {"text": {"content": "水" * 1001}}, 45002),
        ("group_welcome_template/edit", {"text": {"content": "好"}, "template_id": "none"}, 40058),
    ],
)
async def test_what_is_wrong_is_refused_by_its_code(path: str, given: dict[str, Any], code: int) -> None:
    async with WeComEmulator() as wecom:
        wecom.add_member("zhang", "张伟")
        peer = Peer(wecom.base_url)
        assert await code_of(lambda: peer.post(f"{HERE}{path}", data=given)) == code


async def test_more_than_a_thousand_owners_need_a_filter() -> None:
    async with WeComEmulator() as wecom:
        for number in range(1001):
            wecom.groups.groups[str(number)] = Group(str(number), "群", f"owner{number}", [])
        peer = Peer(wecom.base_url)
        assert await code_of(lambda: peer.post(f"{HERE}groupchat/list", data={"limit": 1000})) == 81017
        asked = {"owner_filter": {"userid_list": ["owner7"]}, "limit": 10}
        found = await ask(lambda: peer.post(f"{HERE}groupchat/list", data=asked))
        assert [one["chat_id"] for one in found["group_chat_list"]] == ["7"]


async def test_collection_of_welcomes_is_full_at_a_hundred() -> None:
    async with WeComEmulator() as wecom:
        wecom.groups.welcomes |= {str(number): {} for number in range(MOST_WELCOMES)}
        peer = Peer(wecom.base_url)
        given = {"text": {"content": "欢迎"}}
        assert await code_of(lambda: peer.post(f"{HERE}group_welcome_template/add", data=given)) == 45029


async def test_lost_answer_leaves_the_work_done() -> None:
    async with WeComEmulator() as wecom:
        wecom.add_member("zhang", "张伟")
        group = wecom.add_group("一群", "zhang", tells=False)
        wecom.drop_answer_after_work(path=f"{HERE}add_msg_template")
        peer = Peer(wecom.base_url)
        with pytest.raises((WeChatClientException, OSError)):
            await ask(lambda: peer.external_contact.add_msg_template({**ADD, "chat_id_list": [group]}))
        await asyncio.sleep(0)
        assert [task.chats for task in wecom.groups.tasks] == [[group]]
