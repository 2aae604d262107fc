"""The figures of joining are counted right."""

from nlp.duplicates import SAID_ANYWHERE, judge_duplicates
from nlp.likeness import closeness


def test_pairs_are_counted_by_place_and_case() -> None:
    figures = judge_duplicates(
        [
            {"text": "东园电梯坏了", "case": "a", "place": "东园"},
            {"text": "东园的电梯又停了 爬楼爬死人", "case": "a", "place": "东园"},
            {"text": "东园停水了", "case": None, "place": "东园"},
            {"text": "西园电梯坏了", "case": "b", "place": "西园"},
        ]
    )
    assert figures == {
        "messages": 4,
        "precision": {"value": 1.0, "of": 1, "interval": [0.207, 1.0]},
        "recall": {"value": 1.0, "of": 1, "interval": [0.207, 1.0]},
        "same_place_wrongly_joined": {"value": 0.0, "of": 2, "interval": [0.0, 0.658]},
    }


def test_names_of_the_map_are_no_likeness_but_those_of_a_scheme_are() -> None:
    rows = [
        {
            "text": "东园又停水了。东园东园，从早上六点停到现在，老人孩子没法做饭洗澡，物业说不清原因，请求尽快抢修恢复。",
            "case": "tap",
            "place": "东园",
        },
        {
            "text": "东园烧烤店油烟扰民。东园东园，油烟从一楼直接往上排，衣服不敢晾，窗也开不了，打了几次热线都没下文。",
            "case": "smoke",
            "place": "东园",
        },
        {
            "text": "金穗计划柜台关门。金穗计划三年前推销给我父母，说好到期就还，如今金穗计划的人一个也找不到，养老钱怎么办。",
            "case": "savings",
            "place": "金穗计划",
        },
        {
            "text": "金穗计划负责人失联。买金穗计划的多是退休职工，上个月起金穗计划停止兑付，报了警还没有消息，请求追查。",
            "case": "savings",
            "place": "金穗计划",
        },
    ]
    figures = judge_duplicates(rows)
    assert figures == {
        "messages": 4,
        "precision": {"value": 1.0, "of": 1, "interval": [0.207, 1.0]},
        "recall": {"value": 1.0, "of": 1, "interval": [0.207, 1.0]},
        "same_place_wrongly_joined": {"value": 0.0, "of": 1, "interval": [0.0, 0.793]},
    }


def test_one_scheme_without_a_place_joins_only_what_is_surely_alike() -> None:
    gone = "金穗计划柜台关门。三年前推销给我父母，说好到期就还，如今金穗计划的人一个也找不到，养老钱怎么办，报警也没有下文。"
    leaflets = (
        "金穗计划的传单贴满楼道。每个单元的墙上、门上、电梯里都是，撕了又贴，物业也不来铲，看着乱糟糟的，请管一管。"
    )
    assert 0 <= closeness(gone, leaflets) < SAID_ANYWHERE
    rows = [{"text": gone, "case": "gone"}, {"text": leaflets, "case": "leaflets"}]
    figures = judge_duplicates([row | {"place": "金穗计划"} for row in rows])
    assert figures["same_place_wrongly_joined"] == {"value": 0.0, "of": 1, "interval": [0.0, 0.793]}


SMOKE = "云景苑一楼餐馆油烟直排，没有烟道。餐馆的油烟从后厨直接排到楼上，烟道一直没有装，楼上开窗全是油烟，请查一查餐馆的烟道和油烟净化设备。"
BOTH = "云景苑楼下餐馆油烟和夜宵摊烧烤烟太大。餐馆油烟没有烟道，晚上夜宵摊又摆出来烧烤，烧烤的烟和油烟一起往楼上飘，夜宵摊摆到凌晨两点。"
STALL = "云景苑门口夜宵摊烧烤到凌晨。夜宵摊每天摆到凌晨，烧烤炭火的烟把整栋楼熏得睡不着，孩子咳了一个星期，夜宵摊撤了又来，没有人管。"


def test_messages_join_in_the_order_of_their_time() -> None:
    """The stall joins by what the second had said; before the second has come it is another trouble."""

    def recall(*times: str) -> object:
        rows = [
            {"text": text, "case": "smoke", "place": "云景苑", "time": time}
            for text, time in zip((SMOKE, BOTH, STALL), times, strict=True)
        ]
        return judge_duplicates(rows)["recall"]

    assert recall("2019/9/8 7:00:00", "2019-09-09", "2019-10-01") == {"value": 1.0, "of": 3, "interval": [0.438, 1.0]}
    assert recall("2019/9/8", "2019/10/1", "2019/9/9") == {"value": 0.3333, "of": 3, "interval": [0.061, 0.792]}


def test_no_rows_give_no_figures() -> None:
    assert judge_duplicates([])["recall"] == {"value": None, "of": 0, "interval": None}
