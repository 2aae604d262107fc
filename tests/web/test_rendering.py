"""Pages: times in words, addresses with filters, escaping, the frame and the parts of macros.html."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError

from core.clock import CHINA, FixedClock
from web.rendering import (
    STATIC,
    TEMPLATES,
    Flash,
    NavigationItem,
    Renderer,
    TimelineEntry,
    ago,
    china_time,
    static_address,
    with_query,
)

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=CHINA).astimezone(UTC)
NAVIGATION = [NavigationItem("/", "案件", "home"), ("/areas", "网格"), ("/announcements", "公告", "speakerphone")]


def render_text(source: str, **context: object) -> str:
    """A small page of its own beside the real templates, so that a macro or filter can be looked at alone."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "page.html").write_text(source, encoding="utf-8")
        return Renderer(FixedClock(NOW), [Path(folder), TEMPLATES]).render("page.html", **context)


class Tags(HTMLParser):
    """Collects the tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def in_china_at(month: int, day: int, hour: int, minute: int = 0, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=CHINA).astimezone(UTC)


def signed_in_page(here: str = "/areas/7", **context: object) -> str:
    source = '{% extends "base.html" %}{% block title %}网格{% endblock %}{% block content %}<p>内容</p>{% endblock %}'
    return render_text(source, navigation=NAVIGATION, here=here, person_name="陈晓梅", csrf="token-1", **context)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (in_china_at(11, 21, 9, 5), "11月21日 09:05"),
        (in_china_at(1, 1, 0, 0), "1月1日 00:00"),
        (in_china_at(12, 31, 23, 59, year=2025), "2025年12月31日 23:59"),
        (datetime(2025, 12, 31, 16, 30, tzinfo=UTC), "1月1日 00:30"),
        (None, "—"),
    ],
)
def test_china_time_is_the_wall_clock_there(moment: datetime | None, words: str) -> None:
    assert china_time(moment, now=NOW) == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (NOW, "刚刚"),
        (NOW + timedelta(seconds=30), "马上"),
        (NOW - timedelta(minutes=5, seconds=59), "5 分钟前"),
        (NOW - timedelta(hours=9, minutes=59), "9 小时前"),
        (NOW + timedelta(hours=3), "3 小时后"),
        (in_china_at(11, 20, 23, 50), "昨天 23:50"),
        (in_china_at(11, 19, 8), "前天 08:00"),
        (in_china_at(11, 22, 8), "明天 08:00"),
        (in_china_at(11, 15, 12), "6 天前"),
        (in_china_at(11, 14, 12), "11月14日 12:00"),
        (None, "—"),
    ],
)
def test_ago_speaks_as_people_do(moment: datetime | None, words: str) -> None:
    assert ago(moment, now=NOW) == words


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        china_time(datetime(2026, 11, 21, 9, 5), now=NOW)  # noqa: DTZ001 - the fault itself


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1)))  # noqa: DTZ001 - hypothesis wants it so
def test_ago_always_has_words(moment: datetime) -> None:
    assert re.fullmatch(
        r"刚刚|马上|\d+ (分钟|小时|天)[前后]|[昨明前后]天 \d\d:\d\d|(\d{4}年)?\d+月\d+日 \d\d:\d\d",
        ago(moment.replace(tzinfo=UTC), now=NOW),
    )


def test_query_is_set_replaced_and_taken_out() -> None:
    address = "/cases?state=open&q=井盖 &page=2"

    assert with_query(address, page=3) == "/cases?state=open&q=%E4%BA%95%E7%9B%96+&page=3"
    assert with_query(address, page=None, state=None) == "/cases?q=%E4%BA%95%E7%9B%96+"
    assert with_query("/cases", page=2) == "/cases?page=2"


def test_static_address_changes_with_the_bytes() -> None:
    assert re.fullmatch(r"/static/wuwei\.css\?v=[0-9a-f]{10}", static_address("wuwei.css"))
    with pytest.raises(FileNotFoundError):
        static_address("nowhere.css")


def test_filters_mask_what_is_personal() -> None:
    page = render_text(
        "{{ text|mask }} / {{ text|mask_group }} / {{ key|number_id }}", text="3栋502 13812345678", key=2**60
    )

    assert page == "3栋502 138******78 / 3栋*** 138******78 / 1152921504606846976"


def test_text_of_people_is_escaped_everywhere() -> None:
    evil = "<script>alert(1)</script>\"'"
    source = (
        '{% from "macros.html" import field, select, badge, status_badge, timeline, empty_state, action_form, confirm_form, move_form %}'
        "{{ field('a', evil, value=evil, hint=evil, error=evil, placeholder=evil) }}{{ field('b', evil, value=evil, rows=3) }}"
        "{{ select('c', evil, [(evil, evil)], chosen=evil) }}{{ badge(evil) }}{{ status_badge('open', evil) }}{{ timeline(entries) }}"
        "{{ empty_state(evil, evil, evil, evil) }}{{ action_form(evil, evil, evil, fields={'d': evil}) }}"
        "{{ confirm_form(evil, evil, evil, evil) }}{{ move_form(evil, [(evil, evil)], evil, evil) }}"
    )
    entries = [TimelineEntry(NOW, evil, who=evil, text=evil)]

    page = render_text(source, evil=evil, entries=entries)

    assert page.count("&lt;script&gt;") >= 25
    assert Tags(page).all("script") == []
    assert Tags(page).all("textarea") == [{"class": "form-control", "rows": "3", "id": "field-b", "name": "b"}]


def test_missing_value_is_an_error_not_a_blank() -> None:
    with pytest.raises(UndefinedError):
        render_text("{{ nobody_gave_this }}")


def test_unknown_drawing_is_an_error() -> None:
    with pytest.raises(TemplateNotFound):
        render_text('{% from "macros.html" import icon %}{{ icon("no-such-drawing") }}')


def test_frame_has_one_heading_a_skip_link_and_marks_where_we_are() -> None:
    tags = Tags(signed_in_page())

    assert len(tags.all("h1")) == 1
    assert tags.all("a")[0] == {"class": "skip-link", "href": "#content"}
    assert [main["id"] for main in tags.all("main")] == ["content"]
    assert [(link["href"], link.get("aria-current")) for link in tags.all("a")[2:]] == [
        ("/", None),
        ("/areas", "page"),
        ("/announcements", None),
    ]


def test_frame_signs_out_by_post_with_the_csrf_field() -> None:
    tags = Tags(signed_in_page())

    assert tags.all("form") == [{"method": "post", "action": "/sign-out"}]
    assert tags.all("input") == [{"type": "hidden", "name": "csrf", "value": "token-1"}]


def test_frame_shows_flashes_and_says_errors_at_once() -> None:
    tags = Tags(signed_in_page(flashes=[Flash("已保存。"), Flash("没有发出。", "red")]))

    assert [(div["class"], div["role"]) for div in tags.all("div") if "flash" in (div.get("class") or "")] == [
        ("flash tone-green", "status"),
        ("flash tone-red", "alert"),
    ]


def test_pages_load_only_our_own_files_and_have_no_inline_code() -> None:
    renderer = Renderer(FixedClock(NOW))
    pages = [
        signed_in_page(demo=True),
        renderer.error_page(404, "没有找到这件事。", "请从列表里重新打开。"),
        renderer.render("sign_in.html", bot_name="五微小助手"),
        renderer.render("sign_in_link.html", token="secret"),
    ]
    for page in pages:
        for tag, attributes in Tags(page).found:
            address = attributes.get("src") or (attributes.get("href") if tag == "link" else None)
            if address is not None:
                assert address.startswith("/static/")
                assert (STATIC / address.removeprefix("/static/").partition("?")[0]).is_file()
            assert "style" not in attributes
            assert [name for name in attributes if name.startswith("on")] == []
        assert "<style" not in page
        assert re.findall(r"<script(?![^>]* src=)", page) == []


def test_error_page_says_what_happened_and_what_to_do() -> None:
    page = Renderer(FixedClock(NOW)).error_page(404, "没有找到这件事。", "请从列表里重新打开。")

    assert "<h1>没有找到这件事。</h1>" in page
    assert "请从列表里重新打开。" in page
    assert "错误编号 404" in page


def test_sign_in_link_is_spent_by_post_only() -> None:
    tags = Tags(Renderer(FixedClock(NOW)).render("sign_in_link.html", token="abc"))

    assert tags.all("form") == [{"method": "post", "action": "/sign-in"}]
    assert tags.all("input") == [{"type": "hidden", "name": "token", "value": "abc"}]


def test_field_tells_its_fault_to_readers_of_the_page() -> None:
    tags = Tags(
        render_text(
            '{% from "macros.html" import field %}{{ field("n", "名称", value=0, error="太短", hint="两个字以上", required=true, maxlength=40) }}'
        )
    )

    assert tags.all("label") == [{"class": "form-label required", "for": "field-n"}]
    assert tags.all("input") == [
        {
            "class": "form-control is-invalid",
            "type": "text",
            "value": "0",
            "id": "field-n",
            "name": "n",
            "required": "",
            "aria-invalid": "true",
            "aria-describedby": "field-n-error field-n-hint",
            "maxlength": "40",
        }
    ]


def test_select_marks_what_is_chosen() -> None:
    source = (
        '{% from "macros.html" import select %}{{ select("a", "甲", [(1, "一"), (2, "二")], chosen="2", empty="全部") }}'
        '{{ select("b", "乙", [(1, "一"), (2, "二"), (3, "三")], chosen=[1, 3], multiple=true) }}'
    )

    options = Tags(render_text(source)).all("option")

    assert [(option["value"], "selected" in option) for option in options] == [
        ("", False), ("1", False), ("2", True), ("1", True), ("2", False), ("3", True),
    ]  # fmt: skip


def test_pager_keeps_the_filters_and_vanishes_on_one_page() -> None:
    source = '{% from "macros.html" import pager %}{{ pager(page, pages, "/cases?state=open&page=2", total=41) }}'

    assert [link["href"] for link in Tags(render_text(source, page=2, pages=3)).all("a")] == [
        "/cases?state=open&page=1",
        "/cases?state=open&page=3",
    ]
    assert [link["rel"] for link in Tags(render_text(source, page=3, pages=3)).all("a")] == ["prev"]
    assert render_text(source, page=1, pages=1).strip() == ""


def test_confirm_form_needs_no_scripts_and_takes_further_fields() -> None:
    source = (
        '{% from "macros.html" import confirm_form, field %}'
        '{% call confirm_form("/cases/7/return", "退单", "退回后重新派单。", "t", fields={"version": 3}) %}{{ field("reason", "原因") }}{% endcall %}'
        '{{ confirm_form("/x", "删除", "删除后不能恢复。", "t", sure="删掉") }}'
    )

    page = render_text(source)
    tags = Tags(page)

    assert [form["action"] for form in tags.all("form")] == ["/cases/7/return", "/x"]
    assert [(field["name"], field["value"]) for field in tags.all("input")] == [
        ("csrf", "t"), ("version", "3"), ("reason", ""), ("csrf", "t"),
    ]  # fmt: skip
    assert "确定退单" in page
    assert "删掉" in page


def test_icons_used_by_templates_exist() -> None:
    names = {
        name
        for path in TEMPLATES.glob("*.html")
        for name in re.findall(r'icon\("([a-z-]+)"\)', path.read_text(encoding="utf-8"))
    }

    assert sorted(name for name in names if not Path(STATIC / "vendor" / "icons" / f"{name}.svg").is_file()) == []
    assert "logout" in names


def test_template_changed_on_disk_is_compiled_anew(tmp_path: Path) -> None:
    """What is kept of a template goes by its text, not by its name alone."""
    pages = []
    for text in ("旧的", "新的", "旧的"):
        (tmp_path / "page.html").write_text(text, encoding="utf-8")
        pages.append(Renderer(FixedClock(NOW), [tmp_path]).render("page.html"))
    assert pages == ["旧的", "新的", "旧的"]
