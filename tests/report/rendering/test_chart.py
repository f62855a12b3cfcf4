"""A long title is broken into lines, for which the figure makes room; a short one is as it was."""

from dataclasses import replace

from rca.report.rendering.chart import LINE, SHARED, WIDTH, Chart

SHORT = Chart(title="one claim", alt="a", rows=(), data=(), layout={"height": 200})


def test_a_long_title_has_lines_and_room_for_them():
    drawn = replace(SHORT, title="a < b and so on " * 10).to_dict()["layout"]
    lines = drawn["title"]["text"].split("<br>")
    assert len(lines) == 2
    assert all(len(one.replace("&lt;", "<")) <= WIDTH for one in lines)
    assert "a &lt; b" in lines[0]
    assert (drawn["height"], drawn["margin"]["t"]) == (200 + LINE, SHARED["margin"]["t"] + LINE)


def test_a_short_title_takes_no_more_room():
    drawn = SHORT.to_dict()["layout"]
    assert drawn["title"]["text"] == "one claim"
    assert (drawn["height"], drawn["margin"], drawn["title"]["automargin"]) == (200, SHARED["margin"], True)
