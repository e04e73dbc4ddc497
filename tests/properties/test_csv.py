"""CSV of villages: whatever order, encoding and digits a file is written in, it means the same."""

import csv
import io
import pickle
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_access import csv_cells
from data_access.csv_cells import CsvLimits, Wanted, code_of, free_fields, widest
from data_access.csv_columns import Memory
from domain.csv_data import CsvKey
from domain.expressions import evaluate, parse
from domain.forms import Field, Form

FORM = Form(
    "villages",
    1,
    "村",
    "2020",
    1,
    (
        Field("form", "village_code", "行政村代码", "text", read_only=True),
        Field("form", "people", "户籍人口", "integer", length="8", unit="人"),
        Field("row", "natural_code", "自然村代码", "text", read_only=True),
        Field("row", "people", "户籍人口", "integer", length="8", unit="人"),
        Field("row", "area", "面积", "decimal", length="12,4", unit="公顷"),
        Field("row", "kind", "类型", "code", code_table="kind"),
        Field("row", "paved", "是否通路", "boolean"),
        Field("row", "remark", "备注", "long_text", length="200"),
    ),
    {"kind": {"01": "集聚", "02": "搬迁"}},
)
WANTED = Wanted(FORM, (CsvKey("form", "village_code", 12), CsvKey("row", "natural_code", 15)))
FULL = str.maketrans("0123456789.", "０１２３４５６７８９．")
codes = st.integers(0, 10**14 - 1).map(lambda n: f"0{n:014}")
texts = st.text(st.characters(codec="gb18030", exclude_categories=["C"]), max_size=12).map(
    str.strip
)
rows = st.fixed_dictionaries(
    {
        "code": codes,
        "people": st.none() | st.integers(0, 10**8 - 1),
        "area": st.none() | st.decimals(0, 99999, places=4),
        "kind": st.none() | st.sampled_from(["01", "02"]),
        "paved": st.none() | st.booleans(),
        "remark": texts,
    }
)


class InThisProcess:
    """Reads a file as the process of its own does, without being confined."""

    def __init__(self) -> None:
        self.target = io.StringIO()

    def read(self, content: bytes) -> tuple[list[list[str | None]], list[csv_cells.CsvFile]]:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "given.csv"
            path.write_bytes(content)
            files, _ = csv_cells._Reader(WANTED, self.target).read(path)
        lines = self.target.getvalue().splitlines()
        return [[_restored(cell) for cell in line.split("\t")] for line in lines], files


def _restored(cell: str) -> str | None:
    if cell == "\\N":
        return None
    for written, meant in (("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r"), ("\\\\", "\\")):
        cell = cell.replace(written, meant)
    return cell


def written(row: dict, style: dict) -> dict[str, str]:
    """Return the row as somebody writes it: with names or codes, and digits of any width."""
    people = "" if row["people"] is None else str(row["people"])
    area = "" if row["area"] is None else f"{row['area']:f}"
    kind = {None: "", "01": "集聚", "02": "搬迁"}[row["kind"]] if style["names"] else row["kind"]
    if row["kind"] and style["bare"]:
        kind = row["kind"].lstrip("0")
    cells = {
        "自然村代码": row["code"],
        "户籍人口（人）": people,
        "面积": area,
        "*类型": kind or "",
        "是否通路": {None: "", True: "是", False: "否"}[row["paved"]],
        "备注": row["remark"],
    }
    if style["full"]:
        cells |= {
            name: cells[name].translate(FULL) for name in ("自然村代码", "户籍人口（人）", "面积")
        }
    return cells


@settings(max_examples=120, deadline=None)
@given(
    given_rows=st.lists(rows, min_size=1, max_size=6, unique_by=lambda row: row["code"]),
    style=st.fixed_dictionaries(
        {"names": st.booleans(), "bare": st.booleans(), "full": st.booleans()}
    ),
    order=st.permutations(["自然村代码", "户籍人口（人）", "面积", "*类型", "是否通路", "备注"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    delimiter=st.sampled_from([",", "\t", ";"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_file_means_the_same_however_it_is_written(
    given_rows, style, order, encoding, delimiter, end
):
    text = io.StringIO()
    writer = csv.DictWriter(text, order, delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows([written(row, style) for row in given_rows])
    lines, files = InThisProcess().read(text.getvalue().encode(encoding))
    assert [file.group for file in files] == ["row"]
    for number, (line, row) in enumerate(zip(lines, given_rows, strict=True), 2):
        assert line[1] == str(number)
        assert line[3:6] == [row["code"], None, None]
        area = None if row["area"] is None else f"{row['area'].normalize():f}"
        assert line[6:11] == [
            None if row["people"] is None else str(row["people"]),
            area,
            row["kind"],
            None if row["paved"] is None else str(row["paved"]).lower(),
            row["remark"] or None,
        ]
        assert len(line) == 6 + widest(FORM)


@given(st.integers(0, 10**15 - 1).map(lambda n: f"{n:015}"))
def test_a_code_of_fifteen_digits_keeps_its_zeros_or_is_named_as_lost(code):
    for form in (code, code.translate(FULL), f"'{code}", f" {code}\t", f'="{code}"'):
        assert code_of(form, 15) == (code, "")
    lost, sentence = code_of(f"{float(code):.5E}", 15)
    assert lost == ""
    assert "科学计数" in sentence
    assert "共 14 个字符，须为 15 位数字；可能丢了 0" in code_of(code[1:], 15)[1]


def test_the_process_of_its_own_takes_what_it_is_given(tmp_path, monkeypatch, capsys):
    path = tmp_path / "given.csv"
    path.write_bytes("自然村代码,户籍人口\n360121100200001,12\n".encode())
    monkeypatch.setattr(csv_cells, "_confine", lambda limits: None)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pickle.dumps(WANTED))))
    assert csv_cells.main(str(path)) == 0
    said = capsys.readouterr()
    assert said.out.startswith("0\t2\trow\t360121100200001\t\\N\t\\N\t12\t")
    assert '"row_count": 1' in said.err


def test_a_row_of_many_faults_names_the_first_and_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(csv_cells, "_FAULTS_LISTED", 2)
    head = "自然村代码,户籍人口,面积,类型,是否通路"
    lines, _ = InThisProcess().read(f"{head}\n360121100200001,多,大,好,怪\n".encode())
    *named, last = lines[0][4].split("\n")
    assert len(named) == 2
    assert "已列出 2 处问题" in last


def test_what_is_remembered_of_all_columns_has_one_bound():
    memory = Memory(left=1)
    assert [memory.has_room(cell) for cell in ("长" * 65, "1", "2")] == [False, True, False]
    again = InThisProcess().read("行政村代码,户籍人口\n360121100200,多\n360121100201,多\n".encode())
    assert [line[4] for line in again[0]] == [again[0][0][4]] * 2


def test_a_giant_cell_is_quoted_by_its_beginning():
    text = "行政村代码,户籍人口\n360121100200," + "多" * 5000 + "\n"
    [line], _ = InThisProcess().read(text.encode())
    assert len(line[4]) < 300


def test_a_number_of_thousands_of_digits_is_refused_in_our_words():
    head = "自然村代码,户籍人口,面积,类型,是否通路"
    cells = ",".join(["9" * 5000] * 4)
    [line], _ = InThisProcess().read(f"{head}\n360121100200001,{cells}\n".encode())
    people, area, kind, paved = line[4].split("\n")
    assert "位数过多" in people
    assert "位数过多" in area
    assert "不在可选范围内" in kind
    assert "无法识别" in paved


def test_a_form_whose_rules_were_asked_can_be_handed_to_the_process():
    expression = parse("people > 0 or people == 0")
    assert evaluate(expression, {"people": 1}) is True
    handed = pickle.loads(pickle.dumps(expression))
    assert evaluate(handed, {"people": 1}) is True


def test_a_file_of_too_many_rows_is_refused(tmp_path):
    few = Wanted(FORM, WANTED.keys, CsvLimits(rows=2))
    path = tmp_path / "given.csv"
    path.write_bytes("行政村代码,户籍人口\n".encode() + b"360121100200,1\n" * 3)
    with pytest.raises(csv_cells.Refused, match="too_many_rows"):
        csv_cells._Reader(few, io.StringIO()).read(path)
    assert [item.code for item in free_fields(FORM, "form")] == ["people"]
