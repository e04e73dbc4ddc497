"""The sentence of each error: what is wrong and what to do.

A placeholder `{reason}` takes the words of the error's `reason`, a member of a vocabulary.
"""

from collections.abc import Mapping

from domain import errors

ERROR_MESSAGES: Mapping[type[errors.PortalError], str] = {
    errors.NotFound: "记录不存在，或不在您的数据范围内。请返回列表重新选择。",
    errors.NotPermitted: "您的账号无权执行此操作。如确需办理，请联系信息中心调整授权。",
    errors.InvalidAction: "当前状态下不能执行此操作，可能已被他人办理。请刷新页面后查看。",
    errors.PeriodClosed: "本填报期已关闭，不再接收首次报送。如确需补报，请联系厅空间规划局。",
    errors.NoOpenPeriod: (
        "目前没有开放的填报期，已填内容仍保存在服务器上。省厅开启新一期后，请在此填报。"
    ),
    errors.UnchangedSinceReturn: (
        "退回后尚未修改，也没有答复退回意见。请修改或答复后报送；确需原样报送的，请打开后单独提交。"
    ),
    errors.StaleVersion: "您打开之后，该记录已被他人修改。请刷新页面，核对后重新操作。",
    errors.DraftConflict: "您打开之后，他人已保存过这份草稿。请比对两个版本后选择保留哪一个。",
    errors.InvalidContent: "填报内容有误，请按各字段旁的提示修改后重新提交。",
    errors.RuleViolation: "填写的内容不符合规则，未保存。请核对后重试。",
    errors.InvalidImport: "文件不能导入，请按所列问题修改后重新上传。",
    errors.SignInRefused: "用户名或口令不正确，请核对后重试。忘记口令请联系信息中心。",
    errors.AccountLocked: "口令连续输错过多，账号已锁定至{until}。请届时再试，或联系信息中心解锁。",
    errors.WeakPassword: "新口令不符合要求：{reason}。请换一个口令。",
    errors.PositionRefused: "位置未更正：{reason}。",
    errors.SampleNotDrawn: (
        "所选村中有 {count} 个还没有抽样，不能批量通过。请先在“村庄审核”抽取样本，并逐份看完。"
    ),
    errors.SampleNotSeen: (
        "抽中的村还有 {count} 个没有看：{villages}。请逐份打开看完，再批量通过。"
    ),
    errors.InvalidSetting: "设置未保存：{reason}。",
    errors.InvalidFormula: "计算式未保存。{problems}",
    errors.InvalidWarningRules: "规则未保存，请按提示修改。",
    errors.InvalidTargets: "目标未保存，请按提示修改。",
    errors.InvalidRule: "规则未保存：{fault}{names}。",
    errors.UploadRefused: "文件未能上传：{reason}。",
    errors.WorkbookRefused: "工作簿未能读取：{reason}。",
    errors.CsvRefused: "CSV 文件未能读取：{reason}。",
    errors.TooBroad: "范围过大，未能在限定时间内查完。请缩短时间，或选定数据表、操作人后再查。",
    errors.DatabaseAway: "数据库暂时无法连接。页面会自动恢复，已填写的内容仍在。",
}
