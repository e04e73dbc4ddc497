"""Pictures of pages as they open, of their dialogs, and of the overview."""

from tests.browser.conftest import DESK, PHONE
from tests.browser.pictures import eventually, is_painted
from tests.screenshots.camera import WALL, Camera, dialog, picture, plain, shoot

PLAIN = {
    "sign-in": plain(None, "/"),
    "password": plain("county_360123", "/password"),
    "compile-units": plain("leader", "/compile_units", (1366, 900)),
    "village-overview": plain("leader", "/village_overview", (1366, 900)),
    "assessment-unit": plain("leader", "/assessment_unit?code=360121", (1366, 1100)),
    "assessment-indicator": plain("leader", "/assessment_indicator?code=HOUSING_PC", (1366, 1100)),
    "indicator-warnings": plain("bureau", "/indicator_warnings?level=severe", (1366, 900)),
    "warning-rules": plain("bureau", "/assessment_rules", (1366, 900)),
    "warning-rules-draft": plain("bureau", "/assessment_rules?view=draft", (1366, 940)),
    "indicator-targets": plain("bureau", "/indicator_targets?code=CULT_LAND", (1366, 800)),
    "assessment-comparison": plain(
        "leader", "/assessment_comparison?units=360121,360123,360281,360481", (1366, 900)
    ),
    "figures": plain("leader", "/figures?figure=mean"),
    "unit": plain("leader", "/unit?code=360123", whole=True),
    "overview-phone": plain("leader", "/overview", PHONE),
    "supervision": plain("bureau", "/supervision"),
    "supervision-items": plain("bureau", "/supervision?view=items"),
    "periods": plain("bureau", "/periods"),
    "review-queue": plain("bureau", "/review_queue"),
    "city-queue": plain("city_360100", "/review_queue"),
    "inbox": plain("county_360123", "/inbox"),
    "jobs": plain("information_centre", "/jobs"),
    "settings": plain("information_centre", "/settings"),
    "rules": plain("bureau", "/rules?form=village_evaluation&rule=CZ140"),
    "accounts": plain("information_centre", "/accounts"),
    "trail": plain("auditor", "/trail"),
    "remind": dialog("leader", "/unit?code=360123", "催办", "发送至"),
    "supervise": dialog("leader", "/unit?code=360123", "督办", "责任单位"),
    "extend": dialog("bureau", "/unit?code=360123", "延期", "延至"),
    "open-period": dialog("bureau", "/periods", "开启填报期", "报送截止日"),
    "new-account": dialog("information_centre", "/accounts", "新建账号", "最后一天"),
}


@picture
def overview(camera: Camera) -> None:
    with camera.page("leader", "/overview", WALL) as page:
        eventually(page, lambda: is_painted(page), "the map is painted")
        shoot(camera, "overview", page)


@picture
def overview_past(camera: Camera) -> None:
    with camera.page("leader", "/overview?as_of=2026-03-31", DESK) as page:
        eventually(page, lambda: is_painted(page), "the map is painted")
        shoot(camera, "overview-past", page)
