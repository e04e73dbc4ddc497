"""Charts as text: what is drawn, and that nothing typed by anybody becomes markup."""

from urllib.parse import unquote

import pytest

from components.charts import Bar, bars, figure_card, link, panel, sparkline


def points(image: str) -> list[tuple[float, float]]:
    drawing = unquote(image)
    texts = drawing.split('points="')[1].split('"')[0].split()
    return [tuple(map(float, text.split(","))) for text in texts]  # type: ignore[misc]


def test_a_sparkline_rises_with_its_values():
    heights = [y for _, y in points(sparkline([0.1, 0.2, 0.4], "平均进度"))]
    assert heights == sorted(heights, reverse=True)


def test_a_sparkline_of_equal_values_is_level():
    assert len({y for _, y in points(sparkline([3, 3, 3], "滞后"))}) == 1


@pytest.mark.parametrize("values", [[], [1], [None, 1], [None, None]])
def test_fewer_than_two_values_draw_nothing(values):
    assert sparkline(values, "滞后") == ""


def test_a_gap_parts_the_line():
    assert unquote(sparkline([1, 2, None, 3, 4], "滞后")).count("<polyline") == 2


def test_what_is_pending_goes_on_top_and_ends_at_the_whole():
    assert "--a:90.0%;--b:100.0%" in bars(
        [Bar("安义县", 0.9, 0.3, ("90.0 %",))], ("", "", ""), "rank"
    )


def test_names_are_no_markup():
    drawn = bars([Bar("<b>县", 0.5, 0, ("<i>",), opens='unit?a="1"')], ("<u>",), "rank")
    assert "<b>" not in drawn
    assert "<u>" not in drawn
    assert "unit?a=&quot;1&quot;" in drawn


def test_a_link_works_without_the_script_too():
    assert link("unit?code=360123", "安义县").startswith('<a href="unit?code=360123"')


def test_a_figure_is_a_link_with_its_unit_in_small_type():
    drawn = figure_card("合同<金额>", "12.5 万元", "中位数 3", "units?show=a", alarming=True)
    assert drawn.startswith('<a class="figure alarming" href="units?show=a"')
    assert "合同&lt;金额&gt;" in drawn
    assert '<span class="value">12.5<small> 万元</small></span>' in drawn
    assert '"value">46<small>\u00a0%</small>' in figure_card("进度", "46\u00a0%", "", "units")


def test_a_panel_without_a_kind_has_no_other_class():
    assert panel("标题", "", "…").startswith('<section class="panel"><h3>标题')
    assert panel("标题", "", "…", "tall").startswith('<section class="panel tall">')
