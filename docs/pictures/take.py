"""Takes the pictures of the documents anew: starts the demo, plays a morning in it, and photographs the real pages.

    .venv/bin/python docs/pictures/take.py

Needs a Chromium (CHROMIUM names it, else the usual places are tried). Nothing here is drawn by hand but the two photos that residents send.
"""

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DESKTOP, PHONE = (1280, 800), (390, 844)


def photo(name: str) -> str:
    """A drawn photo, as the interface takes it: a manhole without and with its cover."""
    picture = Image.new("RGB", (640, 480), (126, 128, 130))
    draw = ImageDraw.Draw(picture)
    for line in range(0, 480, 60):
        draw.line([(0, line), (640, line + 20)], fill=(112, 114, 116), width=3)
    box = (190, 110, 450, 370)
    if name == "broken":
        draw.ellipse(box, fill=(22, 22, 24), outline=(86, 84, 80), width=14)
        draw.chord((205, 125, 435, 355), 20, 110, fill=(96, 92, 88))
        draw.polygon([(120, 360), (240, 330), (220, 400), (110, 420)], fill=(96, 92, 88))
    else:
        draw.ellipse(box, fill=(96, 92, 88), outline=(60, 58, 56), width=14)
        for place in range(0, 200, 40):
            draw.line([(230, 150 + place), (410, 150 + place)], fill=(70, 68, 66), width=8)
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=80)
    return base64.b64encode(written.getvalue()).decode()


@dataclass(frozen=True, slots=True)
class Town:
    """The demo's addresses, and its people talking through the simulator's interface."""

    address: str

    def call(self, method: str, path: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/simulator/api{path}", data, method=method)  # noqa: S310 - loopback
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def say(self, chat: str, person: str, text: str = "", photos: Sequence[str] = ()) -> None:
        self.call("POST", "/messages", {"chat": chat, "person": person, "text": text, "photos": list(photos)})
        self.call("POST", "/settle", {})

    def in_private(self, person: str, text: str, photos: Sequence[str] = ()) -> None:
        self.say(f"private:{person}", person, text, photos)

    def press(self, chat: str, person: str, button: str) -> None:
        """Presses the latest button of these words in the chat."""
        messages = self.call("GET", f"/messages?chat={chat}")
        assert isinstance(messages, list)
        for message in reversed(messages):
            for one in message["buttons"]:
                if one["text"] == button:
                    self.call("POST", "/press", {"person": person, "message": message["id"], "button": one["id"]})
                    self.call("POST", "/settle", {})
                    return
        raise LookupError(f"no button {button} in {chat}")

    def sign_in_link(self, person: str) -> str:
        self.in_private(person, "登录")
        messages = self.call("GET", f"/messages?chat=private:{person}")
        assert isinstance(messages, list)
        link = re.search(r"http://\S+/sign-in/\S+", messages[-1]["text"])
        assert link
        return link[0]

    def wait(self, length: str) -> None:
        self.call("POST", "/clock", {"advance": length})

    def monday_morning(self) -> None:
        clock = self.call("GET", "/clock")
        assert isinstance(clock, dict)
        now = datetime.fromisoformat(next(value for value in clock.values() if "T" in str(value)))
        day = now + timedelta(days=7 - now.weekday())
        self.call("POST", "/clock", {"to": day.replace(hour=8, minute=40, second=0, microsecond=0).isoformat()})


@contextmanager
def running_town() -> Iterator[Town]:
    """The demo, in a folder of its own, stopped and thrown away afterwards."""
    folder = tempfile.mkdtemp()
    command = [sys.executable, "-m", "bot", "demo", "--port", "0", "--data", folder]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    try:
        assert process.stdout is not None
        said = ""
        while "/sign-in/" not in said:
            line = process.stdout.readline()
            assert line, "the demo ended before it was open"
            said += line
        address = re.search(r"(http://[\d.:]+)/simulator", said)
        assert address
        yield Town(address[1])
    finally:
        process.terminate()
        process.wait(15)
        shutil.rmtree(folder, ignore_errors=True)


def play_before(town: Town) -> None:
    """A weekday morning in three other groups: what fills the desk."""
    town.say("g2", "p03", "13栋一单元的电梯按键失灵了，老人上楼不方便")
    town.press("private:p23", "p23", "接单")
    town.say("g3", "p06", "高龄补贴怎么办理，要带什么材料？")
    town.wait("PT3M")
    town.say("g3", "p05", "建议在河边加两张长椅，老人走累了有地方坐")
    town.say("g4", "p08", "想给独居的奶奶要一个助行器")
    town.wait("PT4M")
    town.say("g4", "p07", "33栋三单元楼道灯坏了两天了")
    town.press("private:p25", "p25", "接单")
    town.press("private:p25", "p25", "到场")
    town.say("g2", "p04", "18栋后面有人飞线充电，太危险了")
    town.say("g4", "p07", "楼上天天半夜吵得睡不着，我要投诉")
    town.wait("PT9M")


def play_report(town: Town) -> None:
    town.say("g1", "p02", "今天菜市场的青菜真便宜")
    town.say("g1", "p01", "3号楼门口井盖坏了，差点绊倒人", [photo("broken")])
    town.wait("PT2M")


def play_work(town: Town) -> None:
    town.press("private:p22", "p22", "接单")
    town.wait("PT12M")
    town.press("private:p22", "p22", "到场")
    town.wait("PT25M")
    town.press("private:p22", "p22", "办结")
    town.in_private("p22", "已换上新井盖，周边也检查过", [photo("mended")])


def play_rating(town: Town) -> None:
    town.wait("PT6M")
    town.press("g1", "p01", "满意")


class Camera:
    """Photographs pages and keeps the pictures small."""

    def __init__(self, browser: Browser, town: Town) -> None:
        self._town = town
        self._desktop = browser.new_context(
            viewport={"width": DESKTOP[0], "height": DESKTOP[1]}, locale="zh-CN", reduced_motion="reduce"
        )
        self._phone = browser.new_context(
            viewport={"width": PHONE[0], "height": PHONE[1]},
            locale="zh-CN",
            device_scale_factor=2,
            has_touch=True,
            is_mobile=True,
            reduced_motion="reduce",
        )

    def sign_in(self, person: str) -> None:
        """By the link that the bot sends, as at any other desk."""
        page = self._desktop.new_page()
        page.goto(self._town.sign_in_link(person))
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(re.compile(r"/desk"))
        self._phone.add_cookies([{**one} for one in self._desktop.cookies()])  # type: ignore[typeddict-item]  # the library's own cookies
        page.close()

    def chat(self, name: str, chat: str, *, why: str = "", phone: bool = False, height: int = 0) -> None:
        page = self._open(f"/simulator#{chat.replace(':', '%3A')}", phone=phone, height=height)
        page.wait_for_selector("#messages .bubble")
        if why:
            page.locator(".message", has_text=why).first.get_by_role("button", name="为什么").click()
            page.wait_for_selector("#why dl")
        page.evaluate("document.getElementById('messages').scrollTop = 1e6")
        self._keep(page, name)

    def desk(self, name: str, path: str, *, phone: bool = False, full: bool = False, height: int = 0) -> None:
        self._keep(self._open(path, phone=phone, height=height), name, full=full)

    def announcement(self, name: str) -> None:
        """The form, filled in and not sent."""
        page = self._open("/announcements/new", height=1000)
        page.get_by_label("标题").fill("周六义诊")
        page.get_by_label("正文").fill(
            "本周六上午九点到十一点，社区医院在党群服务中心一楼义诊：量血压、测血糖、看牙。请带身份证。"
        )
        page.get_by_label("第一网格", exact=True).check()
        self._keep(page, name)

    def case_about(self, words: str) -> str:
        """The address of a case's page."""
        page = self._open("/desk?state=all")
        found = page.locator("tr", has_text=words).get_by_role("link").first.get_attribute("href")
        page.close()
        assert found
        return found

    def _open(self, path: str, *, phone: bool = False, height: int = 0) -> Page:
        page = (self._phone if phone else self._desktop).new_page()
        if height:
            page.set_viewport_size({"width": (PHONE if phone else DESKTOP)[0], "height": height})
        answer = page.goto(self._town.address + path)
        assert answer is None or answer.ok, f"{path}: {answer and answer.status}"
        page.wait_for_timeout(700)
        return page

    def _keep(self, page: Page, name: str, *, full: bool = False) -> None:
        page.wait_for_timeout(400)
        picture = Image.open(io.BytesIO(page.screenshot(full_page=full))).convert("RGB")
        page.close()
        # A palette keeps a page of text small and sharp.
        small = picture.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        small.save(HERE / f"{name}.png", optimize=True)


def find_chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)


def main() -> None:
    with running_town() as town, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        camera = Camera(browser, town)
        town.monday_morning()
        play_before(town)
        play_report(town)
        camera.chat("why", "g1", why="井盖")
        camera.chat("worker-card", "private:p22", phone=True)
        play_work(town)
        camera.chat("simulator", "g1", height=1080)
        play_rating(town)
        camera.chat("private-matter", "g4", phone=True)
        camera.sign_in("p26")
        camera.desk("desk", "/desk?state=all")
        camera.desk("board", "/desk/board")
        camera.desk("case", camera.case_about("井盖"), height=1000)
        camera.desk("phone", camera.case_about("飞线充电"), phone=True)
        camera.desk("calendar", "/announcements/calendar")
        camera.announcement("announcement")
        camera.desk("groups", "/groups")
        browser.close()


if __name__ == "__main__":
    main()
