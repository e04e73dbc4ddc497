"""The Streamlit entry script: sign-in, then the pages of the actor's roles.

It runs from top to bottom at every click, so it holds calls alone; what they call is imported once.
"""

import streamlit as st

from components.database_away import until_the_database_answers
from components.navigation import ASSETS, draw_portal
from components.session import portal_facts

with until_the_database_answers():
    st.set_page_config(
        page_title=portal_facts().system_name, page_icon=str(ASSETS / "icon.png"), layout="wide"
    )
    draw_portal()
