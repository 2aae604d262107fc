"""Acts of staff: one line for writing one down, and what each is called on the page of the log."""

from fastapi import Request

from domain import accounts
from domain.outbox import Session
from web.auth import Visitor, services_of

# THE NAMES of acts. One that is not here is shown by its code: it was written by another version of the program.
ACT_NAMES = {
    "sign_in": "登录",
    "sign_out": "退出登录",
    "account.join": "绑定自己的另一个账号",
    "area.add": "新增区域",
    "area.change": "修改区域",
    "import.areas": "导入网格",
    "import.people": "导入人员",
    "person.add": "登记人员",
    "person.change": "修改人员",
    "person.phone": "查看电话",
    "person.code": "生成绑定编码",
    "person.sessions": "让其退出登录",
    "person.erase": "抹去个人信息",
    "person.left": "离开通讯录，停止权限",
    "department.add": "设置部门对应的职务",
    "department.remove": "删去部门对应的职务",
    "colleague.take": "按通讯录登记",
    "colleague.part": "按通讯录停止权限",
    "duty.give": "添加职务",
    "duty.end": "结束职务",
    "group.code": "生成群编码",
    "group.unbind": "解绑群",
    "group.bind": "绑定客户群",
    "group.pause": "暂停发公告",
    "group.resume": "恢复发公告",
    "announcement.draft": "新建公告",
    "announcement.change": "修改公告",
    "announcement.schedule": "安排公告",
    "announcement.pause": "暂停公告",
    "announcement.resume": "恢复公告",
    "announcement.cancel": "取消公告",
    "post_task.remind": "提醒群主发送",
    "post_task.cancel": "停止群主群发",
    "convention.adopt": "录入公约",
    "clause.add": "新增条款",
    "clause.change": "修改条款",
    "clause.on": "恢复条款",
    "clause.off": "停用条款",
    "rotation.on": "开启轮播",
    "rotation.off": "关闭轮播",
    "answer.remove": "撤下答复",
    "word.propose": "提出关键词",
    "word.take_up": "启用关键词",
    "word.take_back": "收回关键词",
    "correction.remove": "删除更正",
    "outbox.resend": "再发一次",
    "outbox.drop": "不再发送",
    "phone_task.done": "登记电话任务",
    "case.open": "登记事项",
    "case.join": "登记并入已有的事项",
    "case.accept": "接单",
    "case.arrive": "到场",
    "case.assign": "派单",
    "case.return": "退单",
    "case.finish": "办结",
    "case.add": "补充情况",
    "case.close": "回访销单",
    "case.reopen": "重新打开",
    "case.withdraw": "撤销",
    "case.correct": "更正信息",
    "case.photo": "上传照片",
    "case.part": "分开一并反映的邻居",
    "case.phone": "查看报告人电话",
    "case.hand_over": "转人工接待",
    "case.hand_back": "结束人工接待",
    "administrator.appoint": "任命系统管理员",
    "key.add": "更换密钥",
    "backup.restore": "恢复备份",
}


def note(
    request: Request, visitor: Visitor, session: Session, act: str, subject: int | str = "", **detail: object
) -> None:
    """Writes down what the visitor does, in the transaction of the act itself. `detail`: keys and names of fields only."""
    accounts.audit(
        session,
        person_id=visitor.person_id,
        act=act,
        now=services_of(request).clock.now(),
        community_id=visitor.community_id,
        subject=str(subject),
        detail=detail,
    )
