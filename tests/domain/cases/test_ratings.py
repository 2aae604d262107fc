"""The words that answer whether the resident is satisfied."""

from domain.cases import ratings


def test_words_of_satisfaction_are_told_from_others() -> None:
    assert all(map(ratings.is_satisfied, ("满意", "很满意", "非常满意！谢谢你们", "满意谢谢", "我们都很满意")))
    assert all(map(ratings.is_yes, ("可以了", "好的", "OK", "解决了，谢谢", "行", "挺好的", "嗯嗯，修好了")))
    assert all(map(ratings.is_dissatisfied, ("不满意", "不太满意", "很不满意！")))
    others = ("满意吗", "不行", "好了没", "没解决", "满意度调查", "可以再来一次吗", "谢谢", "3号楼好了", "", "不可以")
    assert not any(map(ratings.may_answer, others))
