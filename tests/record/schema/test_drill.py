"""The record of a drill: points summed by area, and nothing else than what belongs there."""

import pytest
from pydantic import ValidationError

from rca.record.schema.drill import Drill
from tests.report.a_drill import a_drill


def test_points_are_summed_by_area_and_in_all():
    team = a_drill().team
    assert (team.total, team.of_area("cause"), team.of_area("blame")) == (17.0, (12.0, 20.0), (0, 0))


def test_a_record_comes_back_as_it_was_and_a_level_or_key_that_is_none_is_refused():
    drill = a_drill()
    assert Drill.model_validate_json(drill.model_dump_json(by_alias=True)) == drill
    for wrong in ({"level": 4}, {"people": 7}, {"truths": "x"}, {"id": "../up"}):
        with pytest.raises(ValidationError):
            a_drill(**wrong)
