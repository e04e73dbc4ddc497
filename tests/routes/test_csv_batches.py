"""The bad rows of a CSV file, taken away by whoever brought it and by nobody else."""

import csv
import io

import pytest

from components.routes import csv_batches
from tests.csvs import as_csv, checked
from tests.data_access.test_csv_batches import (  # noqa: F401  fixtures are names here
    bureau,
    officer,
    villages,
    year,
)

pytestmark = pytest.mark.usefixtures("store")


def test_all_bad_rows_come_with_number_and_reason(
    officer,  # noqa: F811
    bureau,  # noqa: F811
    year,  # noqa: F811
    villages,  # noqa: F811
    browser_of,
    monkeypatch,
):
    monkeypatch.setattr(csv_batches, "_ROWS_AT_ONCE", 2)
    lines = [{"自然村代码": f"{villages[0]}00{n}", "户籍人口": "很多"} for n in (1, 2, 3)]
    good = {"自然村代码": f"{villages[1]}001", "户籍人口": "360"}
    batch_id = checked(officer, year, as_csv([*lines, good]))
    answer = browser_of(officer).get(f"/api/csv/{batch_id}/bad-rows")
    assert "%E6%9D%91_" in answer.headers["content-disposition"]
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head == ["文件", "行号", "代码", "名称", "问题"]
    assert [row[1:3] for row in rows[:3]] == [
        [str(n + 1), f"{villages[0]}00{n}"] for n in (1, 2, 3)
    ]
    assert rows[0][4].startswith("户籍人口：“很多”不是整数")
    assert all(row[1] == "5" for row in rows[3:])  # what the rules find in the good row
    assert browser_of(bureau).get(f"/api/csv/{batch_id}/bad-rows").status_code == 404
