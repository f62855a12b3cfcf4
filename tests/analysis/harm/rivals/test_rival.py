"""A rival: it stands or it does not, and is kept with what killed it."""

import json
from dataclasses import replace

from rca.analysis.harm.harm import Harm
from rca.analysis.harm.rivals.rival import Rival


def test_a_rival_without_a_strength_is_rejected():
    assert Rival(kind="model", name="m").rejected
    assert not Rival(kind="model", name="m", strength="assumed").rejected


def test_rivals_come_back_from_plain_values_as_they_were(harm):
    stands = Rival(
        kind="feature", name="income", fault="frozen", part=harm.contributions[0], strength="shown", found="f"
    )
    killed = Rival(kind="rows", name="outliers", found="3 rows", against="so few rows show no pattern")
    asked = replace(harm, rivals=(stands, killed), undecided="3 rows", always=True)
    assert Harm.from_dict(json.loads(json.dumps(asked.to_dict()))) == asked
