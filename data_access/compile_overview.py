"""Who compiles for whom, read as it was accepted at a moment."""

from datetime import date, datetime

from sqlalchemy import Connection

from data_access.compile_form import FORM_CODE
from data_access.queries import load_queries
from data_access.rows import fetch_all
from domain.compile_overview import Asked, Contract, Standing, summarise

_SQL = load_queries("compile_overview")


def read_standing(connection: Connection, moment: datetime, day: date) -> Standing:
    """Return the asked units and accepted contracts in the actor's scope, at a moment of a day."""
    key = {"moment": moment, "day": day}
    asked = fetch_all(connection, _SQL["list_asked"], Asked, form_code=FORM_CODE, day=day)
    return summarise(asked, fetch_all(connection, _SQL["list_contracts"], Contract, **key), day)
