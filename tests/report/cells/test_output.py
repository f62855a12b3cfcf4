"""What a cell puts out is text for every reader of it: a notebook's typesetting, and the page."""

from rca.report.cells import output
from rca.report.page.page import _output


def test_no_dollar_of_an_incident_makes_a_formula_and_the_page_has_it_plain(monkeypatch):
    bundles = []
    monkeypatch.setattr(output, "display", bundles.append)
    output.html("<p>from $12 to $15</p>", said="from $12 to $15")
    (bundle,) = bundles
    assert bundle["text/html"] == '<div class="mathjax_ignore"><p>from $12 to $15</p></div>'
    assert _output({"output_type": "display_data", "data": bundle}) == "<p>from $12 to $15</p>"
