"""The overview as one would write it first: read everything, send everything. Measured, not used.

`streamlit run tests/benchmarks/naive_overview.py`, with the database in NAIVE_DATABASE_URL.
"""

import json
import os

import geopandas
import pandas as pd
import plotly.express as px
import pydeck
import streamlit as st
from sqlalchemy import create_engine

UNITS = """
SELECT division.code, division.name, division.kind, parent.name AS city, boundary.drawn AS geometry
     , coalesce(sum(weight.weight) FILTER (WHERE latest.state = 'completed'), 0) AS percentage
  FROM division_on(current_date) AS division
  JOIN division_on(current_date) AS parent ON parent.code = division.parent_code
  JOIN division_boundary AS boundary ON boundary.code = division.code
  LEFT JOIN plan ON plan.division_code = division.code AND plan.is_headline
  LEFT JOIN (SELECT DISTINCT ON (plan_id, stage_code) plan_id, stage_code, state
               FROM accepted_milestone
              ORDER BY plan_id, stage_code, accepted_at DESC) AS latest USING (plan_id)
  LEFT JOIN stage_weight AS weight USING (stage_code)
 WHERE division.level = 'county'
 GROUP BY division.code, division.name, division.kind, parent.name, boundary.drawn
"""

st.set_page_config(layout="wide")
engine = create_engine(os.environ["NAIVE_DATABASE_URL"])
units = geopandas.read_postgis(UNITS, engine, geom_col="geometry")
engine.dispose()
st.title("总览")
for column, (label, value) in zip(
    st.columns(3),
    [
        ("平均进度", f"{units.percentage.mean():.1f} %"),
        ("已批复", int((units.percentage >= 94).sum())),
        ("单位", len(units)),
    ],
    strict=True,
):
    column.metric(label, value)
units["colour"] = [[int(255 - 2 * p), int(255 - p), 255] for p in units.percentage.astype(float)]
st.pydeck_chart(
    pydeck.Deck(
        map_style=None,
        map_provider=None,
        initial_view_state=pydeck.ViewState(latitude=27.3, longitude=116, zoom=6),
        layers=[
            pydeck.Layer(
                "GeoJsonLayer",
                json.loads(units.to_json()),
                get_fill_color="properties.colour",
                pickable=True,
            )
        ],
    )
)
cities = pd.DataFrame(units.drop(columns="geometry")).groupby("city").percentage.mean()
st.plotly_chart(px.bar(cities.astype(float).sort_values(), orientation="h"))
st.plotly_chart(px.histogram(units.percentage.astype(float)))
st.dataframe(pd.DataFrame(units.drop(columns=["geometry", "colour"])))
