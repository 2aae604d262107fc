"""Names of people in a text, for what is kept longer than the matter it was said in. Errs on the side of a name: a word starred for
nothing costs less than a neighbour's name."""

import re
from collections.abc import Collection, Iterable

# The surnames of nineteen in twenty people.
SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊"
    "白孟秦邱侯江尹薛闫雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤赖文洪季牛葛舒詹庄樊翁温殷柳岳柯欧甘鲁翟骆焦施俞章阮聂"
)
DOUBLE = ("欧阳", "上官", "司马", "诸葛", "皇甫", "尉迟", "东方", "令狐", "慕容", "夏侯", "司徒", "端木")
# What begins like a name and is none.
_NOT_NAMES = (
    "谢谢 孙子 孙女 高峰 高三 高薪 高龄 夏令营 温馨 周知 周边 周边游 周末 文明 白名单 白天 洪水 顾客 马路 马路边 马路牙 石墩 石狮子 黄牛 黄金 金黄 金卡 金刚 钟点工 "
    "戴帽子 雷雨 雷阵雨 雷达 龙卷风 马甲 马拉松 柳树 柳絮 汤圆 章程 常年 方便 任何 万一 万元 严重 安全 史上 向上 向阳 江边 程序 余额 于是 白条 文件 文化 张贴 钱包 钟头 "
    "陈年 陈旧 许可 许可证 胡辣汤 田园 白水 白印 林权 唐氏 孙仔 孙子说 熊猫 毛毛虫 毛病 胡同 石头 石油 沈阳 温度 温州 武汉 洪灾 汤汁 张嘴 张口 黄昏 金额 金融 田地 叶子 梁柱"
)
NO_NAMES = frozenset(_NOT_NAMES.split())
_TITLES = "先生|女士|小姐|老师|师傅|阿姨|大爷|大妈|大叔|大姐|大哥|奶奶|爷爷|叔叔|婆婆|伯伯|同志|主任|书记|经理"
_FIRST = f"(?:{'|'.join(DOUBLE)}|[{''.join(sorted(SURNAMES))}])"
# 王小明先生, 我叫欧阳静, 姓名：李四. One given name of a double surname is enough; 王先生 alone names nobody.
_TITLED = re.compile(rf"(?P<name>{_FIRST}[\u4e00-\u9fff]{{1,2}}?)(?={_TITLES})")
_TOLD = re.compile(
    rf"(?:我叫|名叫|叫做|本人|姓名(?:是|为)?|户主(?:是|为)?)[:： ]*(?P<name>{_FIRST}[\u4e00-\u9fff]{{1,2}})"
)
_SURNAME_AND_TITLE = re.compile(f"{_FIRST}(?:{_TITLES})")
_BY_TITLE = re.compile(
    rf"(?<![一-龥]位){_FIRST}(?P<title>{_TITLES}|[老伯爹娘]|大娘|老太太?|老爷子|[姨叔婶](?![一-龥]))"
)
_DOUBLED = re.compile(rf"(?P<name>(?:{'|'.join(DOUBLE)})[\u4e00-\u9fff])(?!路|街|城)")
# 502陈老三说好了, 给李秀兰家送去: beside a door, or of a home, the dictionary need not know the name.
_AT_A_DOOR = re.compile(rf"(?<=\d{{3}})[号室]?的?(?P<name>{_FIRST}[老小大阿][\u4e00-\u9fff])")
_HOME = "家"
_PERSON = "nr"  # the dictionary's mark
SHORTEST, LONGEST = 2, 4


def looks_like_name(word: str) -> bool:
    """Whether a word is built like a Chinese full name."""
    if not SHORTEST <= len(word) <= LONGEST or word in NO_NAMES or _SURNAME_AND_TITLE.fullmatch(word):
        return False
    is_double = word.startswith(DOUBLE)
    return (is_double and len(word) > SHORTEST) or (word[0] in SURNAMES and len(word) < LONGEST)


def names_in(text: str, *, known: Collection[str] = ()) -> list[tuple[int, int]]:
    """Where names of people stand, in order and apart. `known` are names to be found however they are built."""
    found = {(start, start + len(name)) for name in known if len(name) >= SHORTEST for start in _places_of(name, text)}
    position = 0
    for word, mark in _tagged(text):
        name = word.removesuffix(_HOME) if len(word) > SHORTEST else word
        if mark.startswith(_PERSON) and looks_like_name(name):
            found.add((position, position + len(name)))
        position += len(word)
    for pattern in (_TITLED, _TOLD, _DOUBLED, _AT_A_DOOR):
        found.update(match.span("name") for match in pattern.finditer(text) if looks_like_name(match["name"]))
    apart: list[tuple[int, int]] = []
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart


def mask_names(text: str, *, known: Collection[str] = ()) -> str:
    """The text with names as 王**."""
    for start, end in reversed(names_in(text, known=known)):
        text = f"{text[: start + 1]}{'*' * (end - start - 1)}{text[end:]}"
    return text


def mask_people(text: str) -> str:
    """Like `mask_names`, and of who is called by surname and title only the title: 张奶奶 → 一位奶奶."""
    return mask_names(_BY_TITLE.sub(lambda found: f"一位{found['title']}", text))


def _places_of(name: str, text: str) -> Iterable[int]:
    return (match.start() for match in re.finditer(re.escape(name), text))


def _tagged(text: str) -> Iterable[tuple[str, str]]:
    """The words with the dictionary's mark of each; together they are the text."""
    text = text.encode("utf-8", "replace").decode()  # half a character would stop the segmenter
    try:
        import rjieba  # noqa: PLC0415  a platform without the wheel falls back to jieba
    except ImportError:
        import jieba.posseg  # noqa: PLC0415

        return [(word, mark) for word, mark in jieba.posseg.cut(text)]
    tagged: list[tuple[str, str]] = rjieba.tag(text)
    return tagged
