"""预警规则: by which bands levels are judged, in which version; new versions, limits, formulas."""

from pathlib import Path

import streamlit as st

from components import assessment_rules as parts
from components import indicator_formulas
from components.assessment_filters import segments, select
from components.navigation import REPORTERS
from components.session import page_frame, require_actor
from components.supervision_view import load_styles
from data_access import assessment, assessment_rules, indicator_versions, indicators
from data_access.database import transaction

ASSETS = Path(__file__).parents[1] / "assets"

actor = require_actor(*REPORTERS)
load_styles()
st.html(ASSETS / "assessment.css")
page_frame("预警规则", "每个年度按当时的规则评级，改动另立版本")
with transaction(actor, read_only=True) as connection:
    versions = {each.rule_version: each for each in assessment_rules.list_versions(connection)}
    years = assessment.list_years(connection)
    newest = years[-1] if years else None
    in_force = assessment.rules_of(connection, newest) if newest else max(versions)
    known = indicators.list_canonicals(connection)
st.html(f'<p class="unit-headline">{parts.headline(list(versions.values()), newest, in_force)}</p>')
view = segments("view", parts.views_of(actor), parts.RULES)
parts.show_notice()

if view == parts.RULES:
    words = {str(number): parts.version_words(each) for number, each in versions.items()}
    shown = versions[int(select("version", words, str(in_force), 420))]
    with transaction(actor, read_only=True) as connection:
        profiles = indicators.list_profiles(connection, shown.rule_version)
    st.caption(parts.version_note(shown))
    st.html(parts.profiles_html(profiles, parts.used_by(known)))
elif view == parts.DRAFT:
    last = versions[max(versions)]
    with transaction(actor, read_only=True) as connection:
        begun = assessment_rules.draft_of(
            last, indicators.list_profiles(connection, last.rule_version)
        )
        first_year = assessment_rules.first_year(connection)
    st.caption(
        f"以第 {last.rule_version} 版为底稿。下限、上限按“度量”填写，各级首尾相接，最重一级不封口。"
    )
    parts.draft_panel(actor, parts.draft_inputs(begun, first_year))
elif view == parts.LIMITS:
    with transaction(actor, read_only=True) as connection:
        levels = indicators.list_levels(connection)
    parts.limits_panel(actor, levels)
else:
    derived = indicator_formulas.derived_of(known)
    code = select("code", derived, min(derived), 320)
    with transaction(actor, read_only=True) as connection:
        formulas = indicator_versions.list_formulas(connection, code)
        first_year = indicator_versions.first_year(connection)
    indicator_formulas.formula_panel(actor, known, code, formulas, first_year)
