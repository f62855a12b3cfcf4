from rca.record.case import load
from rca.service.configuration import read
from rca.service.demo import NAME, configured, events
from rca.service.receiver.delivery import said
from rca.shipped import incidents


def test_the_incident_that_ships_is_posted_as_a_tool_would_and_its_data_is_the_source(tmp_path):
    import json

    found = read(configured(tmp_path))
    (hook,), (source,) = found.hooks, found.sources
    told = [said(hook, json.dumps(one).encode()) for one in events(load(incidents() / NAME).incident)]
    assert [one.state for one in told] == ["open", "open", "contained", "recovered", "closed"]
    assert {one.incident for one in told} == {NAME}
    assert {"data", "metric", "model"} <= set(source.record)
