"""Who means to end their life is never passed over, whatever the sums say; a manner of speaking, films and news stay talk."""

import pytest

from core.messages import Decision, Kind, Urgency, Utterance
from nlp.despair import TOPIC, may_despair
from nlp.features import characters
from nlp.normalise import normalise
from nlp.understand import understand

MEANT = """我要自杀
我想死
我活够了
想跳楼
不想活
想喝农药
真想一死了之
遗书写好了
活着真没意思，药我都攒好了
我在天台上，风好大，再见了各位
我想自杀
我要跳楼了
不如从楼顶跳下去算了
老伴走了以后我天天睡不着，觉得没意思，想跟他一起去
我不想活了
儿子走了我也不想活了
额不想活咧
俺不想活了
我唔想活啦
做人冇意思，唔想做人啦
死咗算啦
不想活求了，活起没得意思
我弗想活了
阿拉勿想活了，死脱算了
不想活哒
活起冒得意思
我欲去死
再见了，这个世界
想结束自己的生命
你们再不管我就从楼上跳下去
每天都想死
我真的好想死
我吞了一瓶安眠药
没有活下去的勇气了
我希望睡着了就不要再醒来
欠了那么多钱，只有死了才解脱
等我死了以后请帮我照顾好我的猫
我只想下去陪他""".splitlines()
OF_SOMEBODY_NEAR = """我老公要自杀
我儿子站在楼顶要跳楼，快来人啊
楼上那个女的说要跳楼
对门小张说不想活了，一个人关在屋里
我妈喝着酒说活够了
有人要跳楼！3号楼楼顶
我闺女留了封遗书就出门了
邻居闹着要上吊
她发微信说不想活了，谁知道她住哪栋
孩子没考好，站在窗台上说要跳楼
跳槽没成，我不想活了
隔壁大爷要喝农药，快来拦住他""".splitlines()
TALK = """笑死
想死你了
累死
累死我了想死
好想死你们了
想死他了
作业写不完想死
他要跳槽
他要跳槽了，我不想活动
我不想活动
减肥不如跳楼
电影里那个男的要跳楼
《自杀小队》好看吗
新闻说有人要跳楼
听说隔壁城市有人要自杀
游戏里又死了，不想活了
热死了，不想活了
这道菜好吃到想死
加班加到不想活了
跳楼价，清仓大甩卖
闯红灯，不想活了
你不想活了？
我家绿萝不想活了
谁想跳楼啊
明天周一，不想活了
国足要是赢了我就跳楼
房价又涨，想跳楼
我要跳绳
孩子要跳级
下辈子再也不吃这家了
再见了各位，我先下线了
我在楼顶晒被子，风好大
我想死家乡的味道了
活着就好
尴尬得想死
想去死海旅游
要死要活的
我弟笑得要跳楼
猫从阳台跳下去了
我要跳下去游泳
还不如死了这条心
活着没意思，不如去旅游
刚考完试我想死""".splitlines()


@pytest.mark.parametrize("said", MEANT + OF_SOMEBODY_NEAR)
def test_despair_is_an_emergency_of_its_own(said: str) -> None:
    for utterance in (Utterance(said), Utterance(said, is_addressed=True, is_private=True)):
        found = understand(utterance)
        assert (found.kind, found.decision, found.urgency, found.topic) == (
            Kind.REPORT,
            Decision.ACT,
            Urgency.EMERGENCY,
            TOPIC,
        )
    assert may_despair(characters(normalise(said)))


@pytest.mark.parametrize("said", TALK)
def test_manner_of_speaking_is_talk(said: str) -> None:
    assert understand(Utterance(said)).decision is Decision.SILENT


def test_forwarded_words_are_nobodys_own() -> None:
    assert understand(Utterance("我不想活了这句话别乱说", is_forwarded=True)).topic != TOPIC
