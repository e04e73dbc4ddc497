"""A table of the screen as a workbook to take away."""

from collections.abc import Callable, Sequence

import streamlit as st

from components.session import portal_facts
from data_access.table_workbook import Column, table_workbook


def workbook_button(
    title: str,
    note: Callable[[], str],
    columns: Sequence[Column],
    rows: Callable[[], Sequence[Sequence[object]]],
    *,
    suffix: str,
    key: str,
) -> None:
    """Offer a table as a workbook; note and rows are asked for when somebody takes it."""

    def workbook() -> bytes:
        return table_workbook(title, note(), columns, rows(), is_demo=portal_facts().is_demo)

    st.download_button(
        "下载表格",
        data=workbook,
        file_name=f"{title}-{suffix}.xlsx",
        mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        on_click="ignore",
        icon=":material/download:",
        key=key,
    )
