"""What a browser is called by people: “Windows 上的 Edge”, read off the line by which it introduces itself."""

LONGEST_UNKNOWN = 40
UNNAMED = "未知的浏览器"
# The first mark found counts: nearly every browser also claims to be those below it.
BROWSERS = (
    ("wxwork", "企业微信"),
    ("micromessenger", "微信"),
    ("dingtalk", "钉钉"),
    ("telegram", "Telegram"),
    ("edg", "Edge"),  # Edg/, EdgA/, EdgiOS/, Edge/
    ("opr/", "Opera"),
    ("quark", "夸克浏览器"),
    ("mqqbrowser", "QQ 浏览器"),
    ("qqbrowser", "QQ 浏览器"),
    ("ucbrowser", "UC 浏览器"),
    ("ubrowser", "UC 浏览器"),
    ("qihu", "360 浏览器"),
    ("360se", "360 浏览器"),
    ("metasr", "搜狗浏览器"),
    ("huaweibrowser", "华为浏览器"),
    ("arkweb", "华为浏览器"),
    ("miuibrowser", "小米浏览器"),
    ("vivobrowser", "vivo 浏览器"),
    ("heytapbrowser", "OPPO 浏览器"),
    ("samsungbrowser", "三星浏览器"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("crios", "Chrome"),
    ("chrome", "Chrome"),
    ("trident", "IE"),
    ("msie", "IE"),
    ("safari", "Safari"),
    ("applewebkit", "浏览器"),
)
SYSTEMS = (
    ("ipad", "iPad"),
    ("iphone", "iPhone"),
    ("harmony", "鸿蒙"),
    ("android", "安卓"),
    ("windows", "Windows"),
    ("macintosh", "Mac"),
    ("cros", "ChromeOS"),
    ("linux", "Linux"),
)


def browser_name(introduction: str) -> str:
    """`introduction` is the User-Agent header. One that nobody knows is shown as it is, shortened."""
    lower = introduction.lower()
    browser = next((name for mark, name in BROWSERS if mark in lower), "")
    system = next((name for mark, name in SYSTEMS if mark in lower), "")
    if browser or system:
        return _beside(system, browser or UNNAMED) if system else browser
    words = " ".join(introduction.split())
    return f"{words[:LONGEST_UNKNOWN]}…" if len(words) > LONGEST_UNKNOWN else words or UNNAMED


def _beside(system: str, browser: str) -> str:
    """With a blank wherever Chinese stands beside Latin."""
    before, after = (" " if sign.isascii() else "" for sign in (system[-1], browser[0]))
    return f"{system}{before}上的{after}{browser}"
