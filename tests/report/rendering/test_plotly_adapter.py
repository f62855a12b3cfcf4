"""Charts as figures of plotly: plain JSON on both sides, and a script that a page can hold."""

import json

from rca.report.plot import plot
from rca.report.rendering.chart import chart
from rca.report.rendering.plotly_adapter import plotly_js, specification


def test_a_figure_is_plain_json(result):
    drawn = chart(result).to_dict()
    assert json.loads(json.dumps(drawn, allow_nan=False)) == json.loads(json.dumps(specification(plot(result)))) | {
        "layout": json.loads(json.dumps(drawn["layout"]))
    }


def test_plotly_js_cannot_end_its_own_element():
    assert "</script" not in plotly_js()
