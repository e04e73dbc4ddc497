"""The words of the status assessment: indicators, their targets and levels."""

from collections.abc import Mapping
from enum import StrEnum

from domain.assessment import (
    Attribute,
    Direction,
    Level,
    Measure,
    Reason,
    ReferenceKind,
    TargetState,
    Tier,
    ValueKind,
)

LABELS: Mapping[type[StrEnum], Mapping[str, str]] = {
    Level: {
        Level.NO_DATA: "缺数",
        Level.UNRATED: "不评级",
        Level.NORMAL: "正常",
        Level.HINT: "提示",
        Level.WATCH: "关注",
        Level.WARN: "预警",
        Level.SEVERE: "严重",
    },
    ValueKind: {
        ValueKind.QUANTITY: "总量",
        ValueKind.RATIO: "比率",
        ValueKind.READING: "读数",
        ValueKind.DERIVED: "由其他指标计算",
    },
    Attribute: {
        Attribute.BINDING: "约束性",
        Attribute.EXPECTED: "预期性",
        Attribute.SUGGESTED: "建议性",
    },
    Tier: {
        Tier.BASIC: "基本指标",
        Tier.RECOMMENDED: "推荐指标",
        Tier.PLAN_TARGET: "规划指标",
    },
    Direction: {
        Direction.HIGHER_BETTER: "越高越好",
        Direction.LOWER_BETTER: "越低越好",
        Direction.BINDING_FLOOR: "不得低于",
        Direction.BINDING_CEILING: "不得高于",
        Direction.RANGE: "区间适中",
        Direction.MONITOR: "监测",
        Direction.ZERO_TOLERANCE: "零容忍",
    },
    Measure: {
        Measure.TARGET_FLOOR: "与目标下限之比",
        Measure.TARGET_CEILING: "与目标上限之比",
        Measure.PATH_FLOOR: "与当年应达值之比（越高越好）",
        Measure.PATH_CEILING: "与当年应达值之比（越低越好）",
        Measure.RANGE: "偏离合理区间的幅度",
        Measure.VALUE: "数值",
        Measure.CHANGE: "同比变动幅度",
        Measure.NONE: "不评级",
    },
    TargetState: {
        TargetState.ISSUED: "已下达",
        TargetState.NOT_ISSUED: "未下达",
    },
    ReferenceKind: {
        ReferenceKind.TARGET: "目标",
        ReferenceKind.PROVINCE: "全省值",
        ReferenceKind.PREVIOUS: "上年值",
    },
    Reason: {
        Reason.NO_TARGET: "目标未下达或无可比数据",
        Reason.NO_PREVIOUS: "没有上年值",
        Reason.DISPLAY_ONLY: "仅展示，不评级",
        Reason.INCOMPLETE: "所辖各县未报齐",
        Reason.CONSECUTIVE: "连续多年关注，升一级",
        Reason.BREACH: "突破约束性指标",
    },
}
