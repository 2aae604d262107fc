"""The load: real Telegram updates of made-up residents in the protocol's mix: 70 % chatter, 25 % new cases, 5 % repeats of an id.

Each server of a round gets the same bytes.
"""

import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

GROUPS = 6
RESIDENTS = 400
SEED = 7
# Buildings of the load; a step that has no divisor in common with them visits all before one comes again.
BUILDINGS, STRIDE = 997, 61
FIRST_UPDATE = 870_000_001
FIRST_RESIDENT = 6_100_000_001
CHATTER, CASE, REPEAT = "chatter", "case", "repeat"
SHARES = ((CHATTER, 70), (CASE, 25), (REPEAT, 5))

# Each resident goes through these in turn: two reports running by one person are about different things.
REPORTS = (
    "{building}号楼{unit}单元的电梯{day}又坏了，停在{floor}楼不动，家里有老人上下楼很不方便",
    "{building}号楼门口的垃圾桶{day}就满了没有人收，味道很大，麻烦安排清运一下",
    "{building}号楼{unit}单元{floor}楼的楼道灯不亮了，晚上看不见路，请来修一下",
    "{building}号楼旁边的井盖坏了，老人小孩走过去很危险，请尽快处理",
    "{building}号楼{unit}单元地下室漏水，水已经流到{floor}号储藏间了，请派人看看",
    "{building}号楼前面的消防通道{day}又被车堵住了，消防车根本进不来，请处理",
    "{building}号楼{unit}单元单元门的门禁坏了，门关不上，谁都能进来，请报修",
    "{building}号楼{unit}单元停水了，从{day}到现在都没有来，请问物业能修吗",
)
CHATS = (
    "{greeting}，{day}天气真不错，出来晒太阳的人好多啊[太阳]",
    "{greeting}大家，我家孩子{day}考了第{floor}名，开心了一整天哈哈哈",
    "谢谢分享，收藏了，{day}回去照着做给孙子吃试试看",
    "哈哈哈哈哈笑死我了，这个视频我{day}就看过了，真有意思",
    "有没有人{day}一起去逛超市呀，听说鸡蛋做活动，人多热闹",
    "{greeting}，新的一天开始了，祝大家身体健康万事如意[玫瑰]",
    "好的好的，知道了，等我{day}下班回来再说吧，不着急",
    "我也是这么想的，慢慢来嘛，{day}再聊，先去做饭了",
    "{day}包的饺子特别香，孩子们一口气吃了两大盘，开心",
    "出一台九成新的婴儿车，{floor}百块，要的私聊我，可以看货",
)
SLOTS = {
    "day": ("今天", "昨天", "前天", "早上", "周末", "下午"),
    "greeting": ("早上好", "大家好", "晚上好", "各位邻居好", "中午好"),
    "floor": tuple(range(2, 9)),
    "unit": (1, 2, 3),
}
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英"


@dataclass(frozen=True, slots=True)
class Update:
    """One webhook call: its number, what it is in the mix, and its body."""

    number: int
    part: str
    body: bytes


def group_id(group: int) -> int:
    return -1001700000000 - group


def updates(
    count: int,
    *,
    first: int = FIRST_UPDATE,
    seed: int = SEED,
    shares: tuple[tuple[str, int], ...] = SHARES,
    is_private: bool = False,
) -> Iterator[Update]:
    """`count` updates with numbers from `first`; a repeat is an earlier one sent again, byte for byte. `is_private`: said to the
    bot alone, not in a group."""
    chance = random.Random(seed)
    numbers = itertools.count(first)
    said: list[Update] = []
    speakers = itertools.cycle(range(RESIDENTS))
    reports, reported = Counter[int](), itertools.count()
    for part in chance.choices([name for name, _ in shares], [weight for _, weight in shares], k=count):
        if part == REPEAT and said:
            yield Update((earlier := chance.choice(said[-500:])).number, REPEAT, earlier.body)
            continue
        resident = next(speakers)
        if part == CASE:
            text = _report(resident + reports[resident], next(reported))
            reports[resident] += 1
        else:
            text = chance.choice(CHATS)
        said_to = _private(resident) if is_private else _group(resident)
        made = Update(number := next(numbers), part, _body(number, resident, said_to, _filled(text, chance)))
        said.append(made)
        yield made


def _report(turn: int, number: int) -> str:
    """The `number`-th report of the load: what two people say of one building would be one case, so no two say it of the same."""
    return REPORTS[turn % len(REPORTS)].replace("{building}", str(number * STRIDE % BUILDINGS + 1))


def _filled(text: str, chance: random.Random) -> str:
    return text.format(**{name: chance.choice(values) for name, values in SLOTS.items()})


def _group(resident: int) -> dict[str, object]:
    """A resident speaks in one group."""
    group = resident % GROUPS
    return {"id": group_id(group), "title": f"和谐里社区第{group + 1}居民群（邻里互助）", "type": "supergroup"}


def _private(resident: int) -> dict[str, object]:
    return {"id": FIRST_RESIDENT + resident, "first_name": GIVEN[resident % len(GIVEN)], "type": "private"}


def _body(number: int, resident: int, chat: dict[str, object], text: str) -> bytes:
    """An update as Telegram writes it: Chinese as \\u escapes."""
    first = GIVEN[resident % len(GIVEN)] + GIVEN[resident * 7 % len(GIVEN)]
    message = {
        "message_id": number % 1_000_000_000,
        "from": {
            "id": FIRST_RESIDENT + resident,
            "is_bot": False,
            "first_name": first,
            "last_name": SURNAMES[resident % len(SURNAMES)],
            "username": f"hexieli_neighbour_{resident:04}",
            "language_code": "zh-hans",
        },
        "chat": chat,
        "date": int(time.time()),
        "text": text,
    }
    return json.dumps({"update_id": number, "message": message}).encode()
