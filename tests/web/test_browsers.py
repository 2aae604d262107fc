"""Browsers by the names people give them."""

import pytest

from web.browsers import browser_name

KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("introduction", "name"),
    [
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "Windows 上的 Edge",
        ),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/131.0.0.0 Safari/537.36", "Windows 上的 Chrome"),
        (f"Mozilla/5.0 (Windows NT 6.1; WOW64) {KIT} Chrome/78.0 Safari/537.36 QIHU 360SE", "Windows 上的 360 浏览器"),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "Windows 上的 IE"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Linux 上的 Firefox"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
            "Mac 上的 Safari",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Mobile/15E148 wxwork/4.1.30 MicroMessenger/7.0.1 Language/zh",
            "iPhone 上的企业微信",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 14; 23127PN0CC) {KIT} Version/4.0 Chrome/116.0 XWEB/1160117 MMWEBSDK/20240501 MicroMessenger/8.0.50",
            "安卓上的微信",
        ),
        (
            f"Mozilla/5.0 (Phone; OpenHarmony 5.0) {KIT} Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1 Mobile",
            "鸿蒙上的华为浏览器",
        ),
        ("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)", "iPad 上的浏览器"),
        ("Mozilla/5.0 (Windows NT 10.0) Strange/1.0", "Windows 上的未知的浏览器"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("SomeRobot " * 12, "SomeRobot SomeRobot SomeRobot SomeRobot …"),
        ("", "未知的浏览器"),
    ],
)
def test_browser_is_called_by_its_name(introduction: str, name: str) -> None:
    assert browser_name(introduction) == name
