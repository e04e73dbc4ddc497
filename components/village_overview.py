"""The parts of the page of village evaluations: the answer, figures, ranking, make-up."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape

from components.charts import Bar, bars, figure_card, figure_row, link, panel
from components.labels import label
from components.map import percent
from components.village_figures import HAZARDS, SERVICES, address, asks, label_of, names_of
from data_access.village_overview import Year
from domain.clock import moment
from domain.forms import FORM_GROUP, Form
from domain.village_overview import (
    ACCEPTED,
    ASKED,
    FILED,
    HAZARD,
    IN_TIME,
    NATURAL,
    RETURNED,
    SUBMITTED,
    WITH_PLAN,
    Counts,
    Key,
    Place,
    Share,
    Standing,
)
from domain.workflow import SubmissionState

WATCH = "village-overview-watch"
_UNREPORTED: Key = ("unreported", "")


def path_html(place: Place, places: Sequence[Place], keep: Mapping[str, str]) -> str:
    """Return the way down from the top of the actor's scope, each division a link."""
    above = [one for one in places if place.prefix.startswith(one.prefix)]
    above.sort(key=lambda one: len(one.prefix))
    steps = [
        f"<b>{escape(one.name)}</b>"
        if one.code == place.code
        else link(address({**keep, "division": one.code}), escape(one.name))
        for one in above
    ]
    return f'<p class="path">{" › ".join(steps)}</p>'


def deadline(year: Year) -> str:
    """Return when the year's reports are due, in Beijing time."""
    return moment(year.deadline_at)


# THE ANSWER AND THE FIGURES


def answer_sentence(standing: Standing) -> str:
    """Return where the evaluation stands, in one sentence made from the data."""
    now = standing.now
    asked = now.of(ASKED)
    if not asked:
        return f"{standing.place.name}{standing.year} 年没有应报的行政村。"
    said = (
        f"{standing.place.name} {asked:,} 个行政村中 {now.of(FILED):,} 个已备案"
        f"（{percent(now.completeness.ratio)}），待审核 {now.of(SUBMITTED):,} 个，"
        f"已退回 {now.of(RETURNED):,} 个，未报 {now.not_reported:,} 个"
    )
    coverage = now.plan_coverage
    if coverage.ratio is None:
        return f"{said}；还没有经省级认定的评估。"
    last = _least_complete(standing)
    behind = f"；{last[0].name}完成率最低（{percent(last[1].completeness.ratio)}）" if last else ""
    return f"{said}；已认定的村中规划覆盖率 {percent(coverage.ratio)}{behind}。"


def _least_complete(standing: Standing) -> tuple[Place, Counts] | None:
    asked = [part for part in standing.parts if part[1].of(ASKED)]
    if len(asked) < 2:
        return None
    return min(asked, key=lambda part: part[1].completeness.ratio or 0.0)


def figures_html(standing: Standing, form: Form, keep: Mapping[str, str]) -> str:
    """Return the five figures, each a link to the villages it counts."""
    now, before = standing.now, standing.before
    done, time, plans = now.completeness, now.timeliness, now.plan_coverage
    hazards = now.hazards
    first_class, class_note = _largest_class(now, form)
    cards = (
        (_show(FILED), "完成率", percent(done.ratio),
         f"{_of(done)}{_change(done, before.completeness)}"),
        (_show(IN_TIME), "及时率", percent(time.ratio),
         f"{_of(time)}{_change(time, before.timeliness)}"),
        (asks(WITH_PLAN), "规划覆盖率", percent(plans.ratio),
         f"{_of(plans)} 需编{_change(plans, before.plan_coverage)}"),
        (first_class, "村庄分类最多", *class_note),
        (_show(HAZARD), "隐患村", f"{now.of(HAZARD):,} 个" if hazards.whole else "—",
         f"占已认定 {percent(hazards.ratio)}{_change(hazards, before.hazards)}"),
    )  # fmt: skip
    return figure_row(
        figure_card(name, value, note, address({**keep, "show": shown}))
        for shown, name, value, note in cards
    )


def _show(key: Key) -> str:
    return ":".join(part for part in key if part)


def _of(share: Share) -> str:
    return f"{share.part:,} / {share.whole:,}"


def _change(now: Share, before: Share) -> str:
    if before.ratio is None or now.ratio is None:
        return ""
    return f" · 上年 {percent(before.ratio)}"


def _largest_class(counts: Counts, form: Form) -> tuple[str, tuple[str, str]]:
    classes, total = counts.codes("village_class"), counts.total("village_class")
    if not total:
        return _show(ACCEPTED), ("—", "尚无认定的评估")
    names = names_of(form, "village_class")
    largest = max(classes, key=lambda code: classes[code])
    name = names.get(largest, largest).partition("(")[0]
    share = Share(classes[largest], total)
    return f"village_class:{largest}", (percent(share.ratio), f"{name} {_of(share)}")


# CHARTS


def ranking_html(standing: Standing, keep: Mapping[str, str]) -> str:
    """Return the parts of the place by what is filed, each a link to its own page."""
    asked = [part for part in standing.parts if part[1].of(ASKED)]
    ranked = sorted(asked, key=lambda part: (-(part[1].completeness.ratio or 0), part[0].code))
    rows = [_rank(place, counts, keep) for place, counts in ranked]
    heads = ("", "", "完成率", "备案/应报", "及时率", "规划覆盖率", "已编/需编", "隐患村")
    return panel("完成情况", "前段已备案，后段待审核", bars(rows, heads, "load"), "tall")


def _rank(place: Place, counts: Counts, keep: Mapping[str, str]) -> Bar:
    done, plans = counts.completeness, counts.plan_coverage
    asked = float(counts.of(ASKED)) or 1.0
    own = {**keep, "division": place.code}
    filed, in_time, planned, hazardous = (
        address({**own, "show": shown})
        for shown in (_show(FILED), _show(IN_TIME), asks(WITH_PLAN), _show(HAZARD))
    )
    return Bar(
        name=place.name,
        share=done.ratio or 0.0,
        pending=float(counts.of(SUBMITTED)) / asked,
        figures=(
            percent(done.ratio),
            _bare(done),
            percent(counts.timeliness.ratio),
            percent(plans.ratio),
            _bare(plans) if plans.whole else "—",
            f"{counts.of(HAZARD):,}" if counts.of(ACCEPTED) else "—",
        ),
        opens=address(own),
        opened=(
            filed,
            filed,
            in_time,
            *((planned, planned) if plans.whole else ("", "")),
            hazardous if counts.of(ACCEPTED) else "",
        ),
    )


def _bare(share: Share) -> str:
    return f"{share.part:,}/{share.whole:,}"


def make_up_html(standing: Standing, form: Form, keep: Mapping[str, str]) -> str:
    """Return classes, plans, conclusions, services and hazards, each row a link to its villages."""
    now, before = standing.now, standing.before
    coded = {
        measure: panel(title, note, _coded(measure, now, before, form, keep))
        for measure, title, note in (
            ("village_class", "村庄分类", "已认定的村"),
            ("plan_status", "规划编制", "已认定的村"),
            ("eval_conclusion", "评估结论", "已有规划的村"),
        )
    }
    hazards = panel("安全隐患", "已认定的村", _hazards(now, before, keep))
    panels = (
        panel("填报状态", "村数", _states(now, keep)),
        coded["village_class"],
        coded["plan_status"],
        f'<div class="stack">{coded["eval_conclusion"]}{hazards}</div>',
        panel("设施与服务", "有此项的村，占已填报此项的村", _services(now, before, form, keep)),
        panel("合计", "已认定的村填报", _sums(now, before, form)),
    )
    return f'<div class="make-up">{"".join(panels)}</div>'


def _states(now: Counts, keep: Mapping[str, str]) -> str:
    counted = [
        (label(SubmissionState.FILED), now.of(FILED), _show(FILED)),
        (label(SubmissionState.SUBMITTED), now.of(SUBMITTED), _show(SUBMITTED)),
        (label(SubmissionState.RETURNED), now.of(RETURNED), _show(RETURNED)),
        ("未报", now.not_reported, _show(_UNREPORTED)),
    ]
    rows = [
        _part(name, Share(amount, now.of(ASKED)), None, {**keep, "show": shown})
        for name, amount, shown in counted
    ]
    return bars(rows, ("", "", "村数", "占比", ""), "part")


def _part(name: str, share: Share, before: Share | None, opens: Mapping[str, str]) -> Bar:
    earlier = percent(before.ratio) if before is not None and before.ratio is not None else ""
    return Bar(
        name=name,
        share=share.ratio or 0.0,
        pending=0.0,
        figures=(f"{share.part:,}", percent(share.ratio), earlier),
        opens=address(opens),
    )


_HEADS = ("", "", "村数", "占比", "上年")


def _coded(measure: str, now: Counts, before: Counts, form: Form, keep: Mapping[str, str]) -> str:
    counted, total = now.codes(measure), now.total(measure)
    names = {
        **names_of(form, measure),
        **{code: code for code in counted if code not in names_of(form, measure)},
    }
    if not total:
        return _nothing()
    rows = [
        _part(
            name.partition("(")[0],
            Share(counted.get(code, Decimal(0)), total),
            Share(before.of((measure, code)), before.total(measure)),
            {**keep, "show": f"{measure}:{code}"},
        )
        for code, name in names.items()
        if counted.get(code)
    ]
    return bars(rows, _HEADS, "part")


def _services(now: Counts, before: Counts, form: Form, keep: Mapping[str, str]) -> str:
    rows = [
        _part(
            label_of(form, code),
            _service(now, code),
            _service(before, code),
            {**keep, "show": f"service:{code}"},
        )
        for code in SERVICES
        if now.of(("answered", code))
    ]
    return bars(rows, _HEADS, "part") if rows else _nothing()


def _service(counts: Counts, code: str) -> Share:
    return Share(counts.of(("service", code)), counts.of(("answered", code)))


def _hazards(now: Counts, before: Counts, keep: Mapping[str, str]) -> str:
    if not now.of(ACCEPTED):
        return _nothing()
    rows = [
        _part(
            name,
            Share(now.of(("hazard", code)), now.of(ACCEPTED)),
            Share(before.of(("hazard", code)), before.of(ACCEPTED)),
            {**keep, "show": f"hazard:{code}"},
        )
        for code, name in HAZARDS.items()
    ]
    return bars(rows, _HEADS, "part")


_SUMS = ("natural_cnt", "hukou_pop", "resident_pop", "households", "construction_area",
         "idle_homestead_cnt", "geohazard_points")  # fmt: skip


def _sums(now: Counts, before: Counts, form: Form) -> str:
    if not now.of(ACCEPTED):
        return _nothing()
    rows = [
        f"<tr><th>{escape(name)}</th><td>{escape(unit)}</td><td>{_amount(now.of(key))}</td>"
        f"<td>{_amount(before.of(key)) if before.of(ACCEPTED) else ''}</td></tr>"
        for name, unit, key in [
            ("行政村", "个", ACCEPTED),
            ("自然村（逐村认定）", "个", NATURAL),
            *(_sum(form, code) for code in _SUMS),
        ]
    ]
    head = "<thead><tr><th></th><th></th><th>本年</th><th>上年</th></tr></thead>"
    table = f'<table class="bars sums">{head}<tbody>{"".join(rows)}</tbody></table>'
    return table + _of_other_villages(now.of(ACCEPTED), before.of(ACCEPTED))


def _of_other_villages(now: Decimal, before: Decimal) -> str:
    """Say that sums of two years are not of as many villages; '' where they are."""
    if not before or now == before:
        return ""
    return (
        f'<p class="nothing">本年为已认定的 {now:,} 个村之和，上年为 {before:,} 个村之和，'
        "不宜直接相比。</p>"
    )


def _sum(form: Form, code: str) -> tuple[str, str, Key]:
    item = form.find_field(FORM_GROUP, code)
    return (item.label if item else code, item.unit or "" if item else "", ("sum", code))


def _amount(amount: Decimal) -> str:
    return f"{amount:,.0f}"


def _nothing() -> str:
    return '<p class="nothing">尚无认定的评估，认定后在此列出。</p>'
