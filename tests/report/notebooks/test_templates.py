"""The notebooks as templates: their parameters, what each needs of a case, and that they hold no outputs."""

import textwrap

import pytest

from rca import shipped
from rca.report.notebooks import templates


def test_parameters_are_read_with_type_default_and_help():
    read = {one.name: one for one in templates.choose(["drift"])[0].parameters}
    assert read["alpha"].default == 0.05
    assert read["alpha"].type == "float"
    assert all(one.help for one in read.values())


def test_every_shipped_template_takes_the_same_parameters_and_one_takes_more():
    taken = {template.topic: {one.name for one in template.parameters} for template in templates.choose()}
    more = {"causes": {"mend", "event", "earlier_days", "cross_check"}}
    assert taken == {topic: {"case", "alpha", "seed"} | more.get(topic, set()) for topic in taken}


def test_a_notebook_runs_unasked_only_where_the_case_has_what_it_tells_of(incident):
    chosen = templates.choose()
    bare = incident.model_copy(update={"signals": None})
    topics = [one.topic for one in templates.for_case(chosen, bare, asked=False)]
    assert not {"cascade", "notification"} & set(topics)
    assert "drift" in topics
    assert templates.for_case(chosen, bare, asked=True) == tuple(chosen)
    whole = {"signals": object(), "data": object(), "graph": "graph.yaml", "notifications": (object(),)}
    line = incident.model_copy(update=whole)
    assert templates.for_case(chosen, line, asked=False) == tuple(chosen)


@pytest.mark.parametrize(
    ("there", "runs"),
    [(("data", "graph"), True), (("data", "model"), True), (("graph", "model"), False), (("data",), False)],
    ids=str,
)
def test_a_notebook_may_need_one_of_several_things(incident, there, runs):
    nothing = dict.fromkeys(("data", "graph", "model", "signals"))
    case = incident.model_copy(update={**nothing, **dict.fromkeys(there, object())})
    topics = [one.topic for one in templates.for_case(templates.choose(), case, asked=False)]
    assert ("causes" in topics) == runs


@pytest.mark.parametrize(
    ("record", "runs"),
    [
        ({}, False),
        ({"obligations": {"jurisdictions": ["de"]}}, False),
        ({"obligations": {"facts": {"personal_data_breach": False}}}, True),
        ({"notifications": [{"regime": "gdpr-33"}]}, True),
    ],
    ids=str,
)
def test_duties_have_a_notebook_where_a_fact_or_a_notification_is_on_record(incident, record, runs):
    case = type(incident).model_validate(incident.model_dump(by_alias=True) | record)
    topics = [one.topic for one in templates.for_case(templates.choose(), case, asked=False)]
    assert ("notification" in topics) == runs


def test_templates_run_from_their_own_folder_as_they_stand():
    for template in templates.choose():
        default = {one.name: one.default for one in template.parameters}["case"]
        assert (shipped.templates() / default).is_dir()


def test_templates_define_nothing_and_hold_no_outputs():
    for template in templates.choose():
        for cell in template.notebook["cells"]:
            source = textwrap.dedent("".join(cell["source"]))
            assert cell["cell_type"] == "markdown" or not (cell["outputs"] or cell["execution_count"])
            assert cell["cell_type"] == "markdown" or not any(word in source for word in ("def ", "class ", "lambda"))
