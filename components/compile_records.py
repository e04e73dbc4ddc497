"""The records behind the figures of compile units: one line a unit or contract, table and file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from components.compile_overview import NO_REPORT, Codes
from components.download import workbook_button
from components.links import page_path
from data_access.table_workbook import Column
from domain.compile_overview import Asked, Contract, Standing

# What the list below the charts shows, by the word in the address.
TITLES: Mapping[str, str] = {
    "contracted": "总体规划已签约的单位",
    "uncontracted": "总体规划尚未签约的单位",
    "projects": "已签约的项目",
    "overdue": "超过约定完成日期的项目",
    "expired": "承担单位资质已过期的项目",
}
_MONEY = "#,##0.0"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the records: a unit, with a contract of it where one was accepted."""

    code: str
    unit_name: str
    city_name: str
    contract: Contract | None


def lines_of(standing: Standing, shown: str, status: str | None) -> list[Line]:
    """Return the records behind what is shown, as its title says."""
    headlines = standing.headlines
    if status is not None:
        return [line_of(each) for each in standing.contracts if each.contract_status == status]
    if shown == "contracted":
        return [line_of(headlines[unit.code]) for unit in standing.contracted]
    if shown == "uncontracted":
        done = {unit.code for unit in standing.contracted}
        open_units = [unit for unit in standing.asked if unit.code not in done]
        return [_unit_line(unit, headlines.get(unit.code)) for unit in open_units]
    if shown == "overdue":
        late = sorted(standing.overdue, key=lambda each: -each.overdue_days(standing.day))
        return [line_of(each) for each in late]
    if shown == "expired":
        expired = {load.party.uscc for load in standing.expired}
        return [
            line_of(each)
            for each in standing.in_force
            if expired & {party.uscc for party in each.parties()}
        ]
    return [line_of(each) for each in standing.in_force]


def line_of(contract: Contract) -> Line:
    """Return the record of one contract."""
    city = contract.unit_name if contract.level == "city" else contract.parent_name
    return Line(contract.code, contract.unit_name, city, contract)


def _unit_line(unit: Asked, contract: Contract | None) -> Line:
    city = unit.name if unit.level == "city" else unit.parent_name
    return Line(unit.code, unit.name, city, contract)


_COLUMNS = (
    Column("单位", width=16),
    Column("设区市", width=14),
    Column("规划", width=34),
    Column("合同状态", width=14),
    Column("牵头单位", width=34),
    Column("联合体成员", width=30),
    Column("牵头资质", width=12),
    Column("合同金额（万元）", _MONEY, 16),
    Column("签订日期", width=12),
    Column("约定完成", width=12),
    Column("逾期（天）", "0", 12),
    Column("编制进度", "0.0%", 12),
    Column("当前阶段", width=20),
    Column("回执", width=24),
    Column("填报人", width=10),
    Column("认定人", width=10),
)


def record_table(lines: Sequence[Line], standing: Standing, codes: Codes, key: str) -> int | None:
    """Draw the records; return the report that the chosen one stands in."""
    rows = [_cells(line, standing, codes) for line in lines]
    number = st.column_config.NumberColumn
    chosen = st.dataframe(
        [dict(zip((column.head for column in _COLUMNS), row, strict=True)) for row in rows],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"{key}-{len(rows)}",
        height=min(38 + 35 * max(len(rows), 1), 560),
        placeholder="—",
        column_config={
            "合同金额（万元）": number(format="%,.1f"),
            "逾期（天）": number(format="%d"),
            "编制进度": number(format="percent"),
        },
    )
    picked = [lines[at] for at in chosen["selection"]["rows"] if at < len(lines)]
    return picked[0].contract.submission_id if picked and picked[0].contract else None


def _cells(line: Line, standing: Standing, codes: Codes) -> tuple[object, ...]:
    contract = line.contract
    if contract is None:
        empty = (None,) * (len(_COLUMNS) - 4)
        return (line.unit_name, line.city_name, None, NO_REPORT, *empty)
    parties = contract.parties()
    overdue = contract.overdue_days(standing.day)
    amount = contract.contract_amount
    return (
        line.unit_name,
        line.city_name,
        contract.plan_name,
        codes.status.get(contract.contract_status, contract.contract_status),
        contract.unit1_name,
        parties[1].name if len(parties) > 1 else None,
        codes.grade.get(contract.unit1_grade or "", "").partition("(")[0] or None,
        float(amount) if amount is not None else None,
        contract.contract_sign_date,
        contract.contract_end_date,
        overdue or None,
        contract.progress_ratio,
        contract.progress_stage or None,
        contract.receipt_no,
        contract.filed_by,
        contract.accepted_by,
    )


def download(title: str, lines: Sequence[Line], standing: Standing, codes: Codes) -> None:
    """Offer the records as a workbook."""
    workbook_button(
        title,
        lambda: f"截至 {standing.day:%Y-%m-%d}，共 {len(lines)} 行；金额单位为万元。",
        _COLUMNS,
        lambda: [_cells(line, standing, codes) for line in lines],
        suffix=f"{standing.day:%Y%m%d}",
        key="compile-units-download",
    )


def open_report(submission_id: int) -> None:
    """Open the report that a record stands in."""
    st.switch_page(page_path("submission"), query_params={"id": str(submission_id)})
