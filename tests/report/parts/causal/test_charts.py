"""Figures and tables along a graph: what they show, and what they say where there is nothing to show."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from rca.analysis.causal.graph_falsification import CausalGraph
from rca.report.parts.causal import charts as causal_charts
from rca.report.parts.causal import sections as causal_sections
from rca.report.plot import plot
from rca.report.rendering.chart import HARM, HELP, QUIET, chart


@pytest.fixture
def parts(answers):
    return [answers.graph, answers.causes, *answers.imagined, answers.odd]


def plain(made):
    return json.loads(json.dumps(made.to_dict(), allow_nan=False))


def test_every_part_has_a_figure_with_its_claim_and_its_numbers(parts):
    for part in parts:
        figure = plot(part)
        assert figure.layout.meta["title"]
        assert len(figure.layout.meta["alt"]) > 20
        assert figure.layout.meta["rows"]
        assert plain(chart(part)) == plain(chart(part))


def test_causes_stand_to_the_left_of_what_they_act_on(answers):
    graph = answers.graph
    at = causal_charts.places(graph.nodes, graph.edges)
    assert all(at[cause][0] < at[effect][0] for cause, effect in graph.edges)
    assert len(set(at.values())) == len(graph.nodes)
    assert len(chart(graph).layout["annotations"]) == len(graph.edges)


def test_what_a_mechanism_did_is_seen_in_size_and_colour(answers):
    told = tuple(replace(one, identifiable=True) for one in answers.causes.mechanisms)
    dots = chart(replace(answers.causes, mechanisms=told)).data[0]
    names = [text.partition("<br>")[0] for text in dots["text"]]
    by_name = dict(zip(names, zip(dots["marker"]["color"], dots["marker"]["size"], strict=True), strict=True))
    first = told[0]
    assert by_name[first.node][0] == (HARM if first.contribution > 0 else HELP)
    largest = max(told, key=lambda one: abs(one.contribution))
    assert by_name[largest.node][1] == 34
    still = next(one for one in answers.causes.mechanisms if not one.moved)
    assert by_name[still.node][0] == QUIET


def test_what_is_not_identifiable_is_an_open_square_with_the_reason(answers):
    blind = replace(answers.causes.mechanisms[0], identifiable=False, n_effective=7.0)
    drawn = chart(replace(answers.causes, mechanisms=(blind, *answers.causes.mechanisms[1:])))
    assert "square-open" in drawn.data[0]["marker"]["symbol"]
    assert any("not identifiable, too few rows" in one for one in drawn.data[0]["customdata"])
    assert "not identifiable" in drawn.title
    alone = replace(answers.causes, mechanisms=(blind,), target="the mean of x")
    assert "in its own unit" in chart(alone).alt
    assert "extrapolated" in chart(replace(answers.causes, mechanisms=(replace(blind, extrapolated=True),))).alt
    calm = replace(answers.causes, mechanisms=tuple(replace(one, moved=False) for one in answers.causes.mechanisms))
    assert chart(calm).title.endswith("no mechanism changed beyond chance")
    assert "not identifiable" in causal_sections.mechanisms(alone)


def test_failing_independences_are_dotted_and_hidden_causes_told(answers):
    failing = replace(answers.graph.independences[0], holds=False)
    graph = replace(
        answers.graph,
        independences=(failing, *answers.graph.independences[1:]),
        unmeasured=("b", "a"),
        hidden=(("a", ("score", "x")),),
    )
    drawn = chart(graph)
    assert drawn.data[0]["line"]["dash"] == "dot"
    assert drawn.title.startswith("1 of ")
    said = drawn.data[-1]["customdata"]
    assert any("not identifiable, it has no column and acts on score, x" in one for one in said)
    assert any(one == "b: no column" for one in said)
    assert "not identifiable: a acts on both" in causal_sections.graph(graph)


def test_a_sketch_is_called_one_and_gives_the_text_to_edit(answers):
    sketch = CausalGraph(nodes=("x", "y"), edges=(("x", "y"),), sketch=True, together=(("x", "w"),))
    assert chart(sketch).title == "A sketch to be edited by a person: 2 nodes and 1 arrow"
    told = causal_sections.graph(sketch)
    assert "- [x, y]" in told
    assert "x and w" in told
    assert "<ul>" not in causal_sections.graph(replace(sketch, together=()))
    assert chart(replace(sketch, sketch=False, untested="there is no table")).title == "2 nodes and 1 arrow, not tested"
    assert "not tested" in causal_sections.graph(replace(sketch, sketch=False, untested="there is no table"))


def test_long_graphs_are_cut_and_their_tables_are_whole():
    names = [f"v{at}" for at in range(60)]
    long = CausalGraph(nodes=tuple(names), edges=tuple(pairwise(names)), untested="no table")
    drawn = chart(long)
    assert len(drawn.data[-1]["x"]) == causal_charts.MOST_NODES
    assert len(drawn.rows) == 59
    assert "and 47 more" in drawn.alt


def test_scenarios_stand_beside_the_metric_on_record(answers):
    drawn = causal_charts.imagined(answers.imagined)
    assert len(drawn.rows) == 4
    assert drawn.layout["shapes"][0]["x0"] == pytest.approx(100 * answers.imagined[0].recorded)
    assert "most would have been spared had" in drawn.title
    assert drawn.layout["xaxis"]["title"] == "error rate (%)"
    numbers = [replace(one, is_share=False, spared=None) for one in answers.imagined]
    assert "its unit" in causal_charts.imagined(numbers).layout["xaxis"]["title"]
    table = causal_sections.what_if(numbers[0])
    assert "(%)" not in table


def test_one_row_is_told_node_by_node_and_many_by_who_made_them_so(answers):
    many = chart(answers.odd)
    assert sum(many.data[0]["x"]) == sum(one.odd for one in answers.odd.rows_of)
    one = replace(answers.odd, rows_of=answers.odd.rows_of[:1], left_out=2, exact=False)
    assert len(chart(one).data[0]["x"]) == len(one.rows_of[0].shares)
    told = causal_sections.odd(one)
    assert "2 rows with a missing value left out" in told
    assert "orders of joining were drawn" in told


def test_what_an_incident_says_is_escaped(answers, hostile):
    graph = CausalGraph(nodes=(hostile, "y"), edges=((hostile, "y"),), sketch=True, together=((hostile, "y"),))
    causes = replace(answers.causes, mechanisms=(replace(answers.causes.mechanisms[0], node=hostile, parents=()),))
    what_if = replace(answers.imagined[0], said=hostile, column=hostile)
    row = replace(answers.odd.rows_of[0], value=hostile)
    odd = replace(answers.odd, target=hostile, rows_of=(row,))
    told = [causal_sections.graph(graph), causal_sections.mechanisms(causes), causal_sections.what_if(what_if)]
    told += [causal_sections.odd(odd), causal_sections.imagined([what_if])]
    drawn = [chart(one).to_dict() for one in (graph, causes, what_if, odd)]
    for one in drawn:
        del one["layout"]["meta"]  # plain text, which the page escapes
    told += [json.dumps(one) for one in drawn]
    for text in told:
        assert "<script" not in text.replace("&lt;script", "")
        assert "ann@example.org" not in text
