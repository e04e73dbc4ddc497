"""The portal as one ASGI application: the Streamlit pages, and routes beside them.

`streamlit run app.py` finds `app` and serves everything. The Streamlit entry script is
components/portal.py: next to a pages/ folder, a fresh Streamlit process would run any page by its
URL before the entry script had a say.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from streamlit.starlette import App

from components.labels import error_message
from components.middleware import (
    OPEN_PAGES,
    NoSuchAddress,
    QuietProbes,
    SecurityHeaders,
    SessionEndsPages,
    SessionRequired,
)
from components.packed_assets import MapsAhead, PackedAssets
from components.routes import ROUTES
from components.routes.auth import fault, gone, http_error, portal_error
from components.routes.tiles import TilesFirst
from components.warming import keep_warm
from data_access.change_listener import listening
from domain.errors import PortalError


@asynccontextmanager
async def lifespan(served: App) -> AsyncIterator[None]:
    """Listen for changes, watch the sessions of open pages, keep warm: while the process serves."""
    with listening():
        tasks = [asyncio.create_task(work) for work in (OPEN_PAGES.watch(), keep_warm())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def show_fault(error: Exception) -> bool:
    """Show a refusal as its sentence, a fault as an apology with the id that is in the log."""
    if isinstance(error, PortalError):
        st.error(error_message(error))
        return True
    number = secrets.token_hex(4)
    logging.getLogger("portal").error("fault %s", number, exc_info=error)
    st.error(
        "系统出现故障，未能完成操作，给您带来不便。"
        f"请刷新页面重试；仍有问题请将编号 {number} 告知信息中心。"
    )
    return True


app = App(
    "components/portal.py",
    routes=ROUTES,
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(TilesFirst),
        Middleware(PackedAssets),
        Middleware(MapsAhead),
        Middleware(QuietProbes),
        Middleware(NoSuchAddress),
        Middleware(SessionRequired),
        Middleware(SessionEndsPages),
    ],
    lifespan=lifespan,
    on_script_error=show_fault,
    exception_handlers={
        PortalError: portal_error,
        HTTPException: http_error,
        ClientDisconnect: gone,
        Exception: fault,
    },
)
