"""Form A as its description has it, and a county to fill it in: for tests without a database."""

import csv
from collections import defaultdict
from datetime import date
from typing import Any

from data_access import rule_reference
from domain.forms import Content, Context, Field, File, Form, Row, Rule
from tests.paths import ROOT

REFERENCE = ROOT / "data_access" / "reference"
TODAY = date(2026, 11, 22)
STAGES = (
    ("LAUNCH", "启动部署", ("工作方案", "领导小组文件"), None),
    ("SCHEME", "规划方案", ("方案文本",), None),
    ("PUBLIC", "公示", ("公示公告",), 30),
)


def plan_form() -> Form:
    """Return version 1 of Form A from its reference file."""
    return reference_form("plan_progress", "编制进度")


def compile_form() -> Form:
    """Return version 1 of Form B from its reference file."""
    return reference_form("compile_unit", "编制单位信息")


def reference_form(form_code: str, title: str) -> Form:
    """Return version 1 of a form from its reference file."""
    codes: dict[str, dict[str, str]] = defaultdict(dict)
    for row in _read("code_item"):
        codes[row["table_code"]][row["code"]] = row["name"]
    rows = [row for row in _read("form_field") if row["form_code"] == form_code]
    rows.sort(key=lambda row: int(row["field_order"]))
    rules = _rules(form_code)
    fields = tuple(_field(row, rules[row["group_code"], row["field_code"]]) for row in rows)
    return Form(form_code, 1, title, "2020", 1, fields, dict(codes))


def _rules(form_code: str) -> dict[tuple[str, str], list[Rule]]:
    rules: dict[tuple[str, str], list[Rule]] = defaultdict(list)
    for rule in rule_reference.read(REFERENCE / "check_rule.csv"):
        if rule.form_code == form_code and rule.is_enabled:
            rules[rule.group_code, rule.field_code].append(rule.as_rule())
    return rules


def _read(name: str) -> list[dict[str, str]]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _field(row: dict[str, str], rules: list[Rule]) -> Field:
    return Field(
        group=row["group_code"],
        code=row["field_code"],
        label=row["label"],
        data_type=row["data_type"],
        section=row["section"],
        length=row["length"] or None,
        code_table=row["code_table"] or None,
        required_when=row["required_when"] or None,
        visible_when=row["visible_when"] or None,
        rules=tuple(rules),
        sensitivity=row["sensitivity"],
        read_only=row["read_only"] == "true",
    )


def county_context(
    kind: str = "县", baseline_on: date | None = None, files: tuple[File, ...] = ()
) -> Context:
    """Return the facts of a county with one plan of three stages."""
    return Context(
        today=TODAY,
        values={"unit_name": "安义县", "unit_kind": kind, "unit_level": "county"},
        rows={
            "plan": [Row("1", "安义县总体规划", {"plan_id": 1}, values={"is_headline": True})],
            "milestone": [
                Row(
                    key=f"1/{code}",
                    label=name,
                    identity={"plan_id": 1, "stage_code": code},
                    parent=("plan", "1"),
                    values={
                        "stage_name": name,
                        "minimum_days": days,
                        "baseline_on": baseline_on,
                    },
                    locked=frozenset({"planned_on"} if baseline_on else ()),
                    files=files,
                    file_items=items,
                )
                for code, name, items, days in STAGES
            ],
        },
    )


def filled(**stages: dict[str, Any]) -> Content:
    """Return content with its contacts filled in; `LAUNCH={...}` sets fields of a stage."""
    return {
        "form": {
            "contact_name": "张三",
            "contact_phone": "13800000000",
            "responsible_name": "李四",
        },
        "plan": [{"key": "1", "plan_id": 1, "disposition": "compiling"}],
        "milestone": [
            {
                "key": f"1/{code}",
                "plan_id": 1,
                "stage_code": code,
                "state": "not_started",
                "planned_on": "2027-12-31",
                **stages.get(code, {}),
            }
            for code, *_ in STAGES
        ],
    }
