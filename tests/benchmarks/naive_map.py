"""The map of villages as one would write it first: every point through the script. Not used.

`streamlit run tests/benchmarks/naive_map.py`, with the database in NAIVE_DATABASE_URL.
"""

import os

import pandas as pd
import pydeck
import streamlit as st
from sqlalchemy import create_engine

POINTS = """
SELECT code, name, ST_X(location) AS longitude, ST_Y(location) AS latitude, state
  FROM (SELECT code, name, division_code, location FROM natural_village WHERE valid_to IS NULL
         UNION ALL
        SELECT code, name, division_code, location FROM village_point) AS point
  LEFT JOIN village_standing USING (division_code)
"""
COLOURS = {
    "draft": [230, 184, 0],
    "submitted": [43, 140, 190],
    "returned": [200, 69, 47],
    "filed": [46, 139, 87],
}

st.set_page_config(layout="wide")
engine = create_engine(os.environ["NAIVE_DATABASE_URL"])
points = pd.read_sql(POINTS, engine)
engine.dispose()
points["colour"] = [COLOURS.get(state, [185, 195, 204]) for state in points.state]
st.title("村庄一张图")
st.pydeck_chart(
    pydeck.Deck(
        map_style=None,
        map_provider=None,
        initial_view_state=pydeck.ViewState(latitude=27.3, longitude=116, zoom=5.9),
        layers=[
            pydeck.Layer(
                "ScatterplotLayer",
                points,
                get_position=["longitude", "latitude"],
                get_fill_color="colour",
                get_radius=2,
                radius_units=pydeck.types.String("pixels"),
                pickable=True,
            )
        ],
    )
)
