"""What the database computes of the status assessment, against the rules in Python and by hand."""

import random
from collections import defaultdict
from decimal import Decimal

import pytest

from data_access import (
    assessment,
    discrepancies,
    indicators,
)
from data_access.database import transaction
from domain import indicator_formulas
from domain.access import Role
from domain.assessment import (
    Facts,
    Level,
    ValueKind,
    final_level,
    judge,
    ratio,
    target_of,
    together,
)
from tests.actors import CITY, COUNTY, PROVINCE, make_actor
from tests.assessments import NANCHANG, accept, assess, levels, open_year, result, set_target

YEARS = (2023, 2024, 2025)


def units_of(owner):
    rows = owner.execute(
        "SELECT code, level, parent_code FROM division_on(current_date)"
        " WHERE level IN ('city', 'county') ORDER BY code"
    ).fetchall()
    return {code: (level, parent) for code, level, parent in rows}


@pytest.fixture
def province(owner, bureau):
    """Three years of figures of all 111 units, some missing, with targets of some."""
    rng = random.Random(7)
    with transaction(bureau, read_only=True) as connection:
        filed = [
            each
            for each in indicators.list_canonicals(connection)
            if each.is_applicable and each.value_kind is not ValueKind.DERIVED
        ]
    units = units_of(owner)
    for year in YEARS:
        figures = {
            unit: {each.canonical_code: figure(rng, each) for each in filed if rng.random() > 0.06}
            for unit in units
        }
        bulk_accept(owner, year, figures, bureau.user_id)
    with owner.transaction():
        owner.execute("SET LOCAL app.bulk_load = 'on'")
        add_targets(owner, rng, units, filed)
    assess(owner)
    return units


def figure(rng, indicator):
    """Return a figure in the middle of its range, now and then far out."""
    spread = float(indicator.typical_max - indicator.typical_min)
    worth = float(indicator.typical_min) + spread * rng.uniform(0.4, 0.6)
    if rng.random() < 0.1:
        worth *= rng.choice((0.3, 1.6))
    if indicator.profile_code == "ZERO":
        worth = float(rng.random() < 0.05)
    if indicator.value_kind is not ValueKind.RATIO:
        return Decimal(str(round(worth, 2)))
    below = Decimal(str(round(rng.uniform(5, 90), 2)))
    above = round(Decimal(str(worth)) * below / (indicator.scale or 1), 4)
    return above, below


def bulk_accept(owner, year, figures, user_id):
    """Accept many figures with one entry in the trail, as a load does."""
    with owner.transaction():
        owner.execute("SET LOCAL app.bulk_load = 'on'")
        open_year(owner, year)
        owner.execute(
            "CREATE TEMP TABLE figure (division_code text, canonical_code text, numerator numeric"
            ", denominator numeric, value numeric) ON COMMIT DROP"
        )
        with owner.cursor().copy("COPY figure FROM STDIN") as copy:
            for unit, values in figures.items():
                for code, worth in values.items():
                    above, below = worth if isinstance(worth, tuple) else (None, None)
                    plain = None if isinstance(worth, tuple) else worth
                    copy.write_row((unit, code, above, below, plain))
        owner.execute(
            """
            WITH reported AS (
                INSERT INTO submission (form_code, period_id, division_code)
                SELECT form_code, period_id, code
                  FROM reporting_period CROSS JOIN (SELECT DISTINCT division_code AS code
                  FROM figure) AS unit
                 WHERE form_code = 'status_assessment' AND starts_on = make_date(%(year)s + 1, 1, 1)
                RETURNING submission_id, division_code
            ), filed AS (
                INSERT INTO submission_version (submission_id, version_no, division_code, round_no
                     , form_version, rule_version, code_version, workflow_version, content
                     , content_sha256, submitted_by)
                SELECT submission_id, 1, division_code, 1, 1, 1, '2020', 1, '{}', '', %(user)s
                  FROM reported
            ), told AS (
                INSERT INTO filed_indicator_value (submission_id, version_no, division_code
                     , report_year, canonical_code, numerator, denominator, value, unit)
                SELECT submission_id, 1, division_code, %(year)s, canonical_code, numerator
                     , denominator
                     , coalesce(figure.value, round(numerator * scale / denominator, 6)), unit
                  FROM figure
                  JOIN reported USING (division_code)
                  JOIN indicator_canonical USING (canonical_code)
                RETURNING *
            )
            INSERT INTO accepted_indicator_value SELECT told.*, %(user)s FROM told
            """,
            {"year": year, "user": user_id},
        )


def add_targets(owner, rng, units, filed):
    for unit in units:
        for each in filed:
            if each.profile_code not in ("BIND_FLOOR", "BIND_CEIL", "HIGHER", "LOWER"):
                continue
            luck = rng.random()
            middle = (each.typical_min + each.typical_max) / 2
            if luck < 0.1:
                set_target(owner, unit, each.canonical_code, 2025, None)
            elif luck < 0.45:
                worth = round(middle * Decimal(str(rng.uniform(0.9, 1.1))), 4)
                set_target(owner, unit, each.canonical_code, 2024, worth, (2020, round(middle, 2)))
                set_target(owner, unit, each.canonical_code, 2035, worth * 2)
            elif luck < 0.47:
                set_target(owner, unit, each.canonical_code, 2025, 0)


def test_the_database_and_python_agree_on_every_unit_indicator_and_year(province, owner, bureau):
    """Two ways, one result: values, sums, references, measures, levels, breaches."""
    with transaction(bureau, read_only=True) as connection:
        known = {each.canonical_code: each for each in indicators.list_canonicals(connection)}
        profiles = {p.profile_code: p.rule for p in indicators.list_profiles(connection, 1)}
        targets = defaultdict(list)
        for target in indicators.list_targets(connection):
            targets[target.division_code, target.canonical_code].append(target.rule)
    filed = {
        (row[0], row[1], row[2]): (row[3], row[4], row[5])
        for row in owner.execute(
            "SELECT division_code, report_year, canonical_code, numerator, denominator, value"
            " FROM indicator_value"
        )
    }
    value = values_in_python(province, known, filed)
    base = {}
    counties = sum(level == "county" for level, _ in province.values())
    wrong = []
    rows = owner.execute(
        "SELECT division_code, report_year, canonical_code, value, parts, reference"
        ", reference_kind, measure, base_level, level, is_breach, reason"
        " FROM assessment_result ORDER BY report_year"
    ).fetchall()
    assert len(rows) == 112 * len(YEARS) * sum(each.is_applicable for each in known.values())
    for unit, year, code, own, parts, reference, kind, measure, level, final, breach, why in rows:
        indicator = known[code]
        is_top = unit == PROVINCE
        facts = Facts(
            year,
            value.get((unit, year, code)),
            value.get((unit, year - 1, code)),
            target_of(targets[unit, code], year),
            None
            if is_top or indicator.value_kind not in (ValueKind.RATIO, ValueKind.DERIVED)
            else value.get((PROVINCE, year, code)),
            is_top and indicator.value_kind is not ValueKind.RATIO and (parts or 0) < counties,
        )
        found = judge(indicator.rule(profiles[indicator.profile_code]), facts)
        base[unit, year, code] = found.base_level
        earlier = [base[unit, before, code] for before in range(year - 1, YEARS[0] - 1, -1)]
        expected = (
            facts.value, found.reference, found.reference_kind, found.measure,
            found.base_level, final_level(found, earlier, 2), found.is_breach,
        )  # fmt: skip
        if expected != (own, reference, kind, measure, level, final, breach):
            wrong.append(
                (unit, year, code, why, expected, (own, reference, kind, measure, level, final))
            )
    assert wrong[:5] == []
    seen = {row[9] for row in rows}
    assert seen == {level.value for level in Level}, "the figures reach every level"


def values_in_python(units, known, filed):
    """Return the value of each unit, year and code, the province's from its counties alone."""
    value = {key: figure[2] for key, figure in filed.items()}
    for year in YEARS:
        for code, indicator in known.items():
            own = [
                filed[unit, year, code]
                for unit, (level, _) in units.items()
                if level == "county" and (unit, year, code) in filed
            ]
            if not own:
                continue
            if indicator.value_kind is ValueKind.QUANTITY:
                value[PROVINCE, year, code] = sum(each[2] for each in own)
            elif indicator.value_kind is ValueKind.RATIO:
                parts = [(each[0], each[1]) for each in own]
                value[PROVINCE, year, code] = together(parts, indicator.scale)
        for unit in (*units, PROVINCE):
            for code, indicator in known.items():
                if indicator.formula:
                    names = {name: value.get((unit, year, name)) for name in known}
                    found = indicator_formulas.value(indicator.formula, names)
                    value[unit, year, code] = None if found is None else round(found, 6)
    return value


def test_one_half_with_one_eighth_is_a_fifth(owner, bureau):
    accept(owner, 2025, {"360102": {"FOREST_COVER": (1, 2)}, "360103": {"FOREST_COVER": (1, 8)}},
           bureau.user_id)  # fmt: skip
    assess(owner, "FOREST_COVER")
    assert ratio(Decimal(2), Decimal(10), Decimal(100)) == Decimal(20)
    assert result(owner, PROVINCE, 2025, "FOREST_COVER")["value"] == Decimal(20)
    assert result(owner, CITY, 2025, "FOREST_COVER")["parts_value"] == Decimal(20)


def test_a_citys_own_figure_is_never_added_and_a_difference_is_told_to_both(owner, bureau, county):
    figures = {unit: {"CULT_LAND": 10} for unit in NANCHANG} | {CITY: {"CULT_LAND": 95}}
    accept(owner, 2025, figures, bureau.user_id)
    assess(owner, "CULT_LAND")
    assert result(owner, PROVINCE, 2025, "CULT_LAND")["value"] == 90
    assert result(owner, CITY, 2025, "CULT_LAND")["value"] == 95
    with transaction(bureau, read_only=True) as connection:
        [told] = discrepancies.list_discrepancies(connection, 2025)
    assert (told.city_value, told.counties_value) == (95, 90)
    with transaction(county, read_only=True) as connection:
        [seen] = discrepancies.list_discrepancies(connection, 2025, COUNTY)
    assert seen.city_name == "南昌市"
    accept(owner, 2025, {CITY: {"CULT_LAND": 90}}, bureau.user_id)
    assess(owner, "CULT_LAND")
    with transaction(bureau, read_only=True) as connection:
        assert discrepancies.list_discrepancies(connection, 2025) == []


def test_what_the_filed_counties_have_more_is_told_before_the_last_one_files(
    owner, bureau, city, county
):
    """A county that is missing can only add to a sum of what is never negative."""
    figures = {unit: {"CULT_LAND": 10} for unit in NANCHANG[:-2]}
    accept(owner, 2025, figures | {CITY: {"CULT_LAND": 60, "AIR_DAYS": 300}}, bureau.user_id)
    assess(owner, "CULT_LAND")
    for actor in (city, bureau):
        with transaction(actor, read_only=True) as connection:
            [told] = discrepancies.list_discrepancies(connection, 2025)
            assert discrepancies.list_waiting(connection, 2025, "CULT_LAND") == []
        assert (told.counties_value, told.parts, told.missing) == (70, 7, 2)
    accept(owner, 2025, {CITY: {"CULT_LAND": 72}}, bureau.user_id)
    assess(owner, "CULT_LAND")
    for actor in (city, county):
        with transaction(actor, read_only=True) as connection:
            assert discrepancies.list_discrepancies(connection, 2025) == []
            [waits] = discrepancies.list_waiting(connection, 2025)
        assert (waits.city_name, waits.missing, waits.parts_expected) == ("南昌市", 2, 9)
    far = make_actor(owner, "far", Role.COUNTY, "360733")
    with transaction(far, read_only=True) as connection:
        assert discrepancies.list_waiting(connection, 2025) == []
    accept(owner, 2025, {unit: {"CULT_LAND": 1} for unit in NANCHANG[-2:]}, bureau.user_id)
    assess(owner, "CULT_LAND")
    with transaction(county, read_only=True) as connection:
        assert discrepancies.list_waiting(connection, 2025) == []
        assert discrepancies.list_discrepancies(connection, 2025) == []


def test_a_ratio_of_some_counties_says_nothing_of_all(owner, bureau, city):
    accept(
        owner, 2025, {CITY: {"PARK_5": (50, 100)}, COUNTY: {"PARK_5": (90, 100)}}, bureau.user_id
    )
    assess(owner, "PARK_5")
    with transaction(city, read_only=True) as connection:
        assert discrepancies.list_discrepancies(connection, 2025) == []
        [waits] = discrepancies.list_waiting(connection, 2025)
    assert waits.missing == 8


def test_a_sum_that_lacks_a_county_is_shown_and_not_rated(owner, bureau):
    set_target(owner, PROVINCE, "CULT_LAND", 2035, 4000)
    accept(owner, 2025, {COUNTY: {"CULT_LAND": 31}}, bureau.user_id)
    assess(owner, "CULT_LAND")
    told = result(owner, PROVINCE, 2025, "CULT_LAND")
    assert (told["value"], told["parts"], told["parts_expected"]) == (31, 1, 100)
    assert (told["level"], told["reason"]) == ("unrated", "incomplete")


def test_what_is_not_issued_warns_of_nothing_and_what_has_no_target_is_compared(owner, bureau):
    figures = {unit: {"PARK_5": (90, 100)} for unit in NANCHANG} | {COUNTY: {"PARK_5": (50, 100)}}
    accept(owner, 2025, figures, bureau.user_id)
    set_target(owner, "360121", "PARK_5", 2025, None)
    assess(owner, "PARK_5")
    assert result(owner, "360121", 2025, "PARK_5")["reason"] == "no_target"
    behind = result(owner, COUNTY, 2025, "PARK_5")
    assert (behind["reference_kind"], behind["level"]) == ("province", "severe")
    assert not behind["is_breach"], "no target was broken"


def test_two_yellow_years_rise_one_level_and_a_good_year_between_breaks_them(owner, bureau):
    set_target(owner, COUNTY, "CULT_LAND", 2035, 100)
    set_target(owner, "360121", "CULT_LAND", 2035, 100)
    for year, here, there in (
        (2023, "100.7", "100.7"),
        (2024, "100.7", 120),
        (2025, "100.7", "100.7"),
    ):
        accept(
            owner,
            year,
            {COUNTY: {"CULT_LAND": here}, "360121": {"CULT_LAND": there}},
            bureau.user_id,
        )
    assess(owner, "CULT_LAND")
    assert [levels(owner, y, "CULT_LAND")[COUNTY] for y in YEARS] == ["watch", "warn", "warn"]
    assert [levels(owner, y, "CULT_LAND")["360121"] for y in YEARS] == ["watch", "normal", "watch"]


def test_no_order_of_acceptance_changes_a_result(owner, bureau):
    figures = [
        (2024, COUNTY, {"PARK_5": (50, 100), "WATER_TOTAL": 2}),
        (2025, COUNTY, {"PARK_5": (55, 100), "WATER_TOTAL": 3}),
        (2024, "360121", {"PARK_5": (90, 100), "POP_RESIDENT": 80}),
        (2025, "360121", {"PARK_5": (92, 100), "POP_RESIDENT": 81}),
        (2025, COUNTY, {"PARK_5": (56, 100), "WATER_TOTAL": 3, "POP_RESIDENT": 40}),
    ]
    pictures = []
    for order in ((0, 1, 2, 3, 4), (1, 3, 0, 2, 4), (2, 0, 3, 1, 4)):
        with owner.transaction(force_rollback=True):
            for year in YEARS[1:]:
                open_year(owner, year)
            for number in order:
                year, unit, values = figures[number]
                accept(owner, year, {unit: values}, bureau.user_id)
                owner.execute("SELECT assess(%s, %s)", [[year], list(values)])
            pictures.append(
                owner.execute(
                    "SELECT report_year, division_code, canonical_code, value, level, reference"
                    " FROM assessment_result WHERE level <> 'no_data' ORDER BY 1, 2, 3"
                ).fetchall()
            )
            assert owner.execute("SELECT assess()").fetchone() == (0,), "nothing was left to do"
    assert pictures[0] == pictures[1] == pictures[2]


def test_what_a_later_version_no_longer_says_is_missing(owner, bureau):
    accept(owner, 2025, {COUNTY: {"CULT_LAND": 110, "GDP": 500}}, bureau.user_id)
    accept(owner, 2025, {COUNTY: {"CULT_LAND": 120}}, bureau.user_id)
    assess(owner, "CULT_LAND", "GDP")
    assert levels(owner, 2025, "GDP")[COUNTY] == "no_data"
    assert owner.execute(
        "SELECT division_code, canonical_code, value"
        " FROM indicator_values_in_force('{2025}', '{CULT_LAND,GDP}')"
    ).fetchall() == [(COUNTY, "CULT_LAND", 120)]


def test_a_year_keeps_the_rules_it_was_assessed_with(owner, bureau):
    set_target(owner, COUNTY, "CULT_LAND", 2035, 100)
    for year in (2024, 2025):
        accept(owner, year, {COUNTY: {"CULT_LAND": 103}}, bureau.user_id)
    assess(owner, "CULT_LAND")
    owner.execute("INSERT INTO assessment_rules SELECT 2, '新规则', 2025, 2, 'assumed', '试验'")
    owner.execute(
        "INSERT INTO warning_profile SELECT 2, profile_code, name, measure, expression"
        ", CASE profile_code WHEN 'BIND_FLOOR' THEN '[1.02,1.05)' ELSE blue END, yellow, orange"
        ", red, without_target, remark, basis, basis_note FROM warning_profile"
    )
    assess(owner, "CULT_LAND")
    with transaction(bureau, read_only=True) as connection:
        [then] = assessment.list_cells(connection, 2024, ["CULT_LAND"])[:1] or [None]
        now = {c.division_code: c for c in assessment.list_cells(connection, 2025, ["CULT_LAND"])}
        before = {
            c.division_code: c for c in assessment.list_cells(connection, 2025, ["CULT_LAND"], 1)
        }
    assert then is not None
    assert levels(owner, 2024, "CULT_LAND")[COUNTY] == "normal"
    assert (now[COUNTY].level, before[COUNTY].level) == (Level.HINT, Level.NORMAL)
