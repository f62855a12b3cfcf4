"""Other names for the same things: told by spellings, shares or other columns, and not guessed where none tells."""

import numpy as np
import pytest

from rca.analysis.faults.application import mend
from rca.analysis.faults.names.renaming import normal_form
from tests.analysis.faults.recoded_columns import NAMES, named, table


@pytest.mark.parametrize(
    "spelt",
    [
        str.upper,
        lambda name: f" {name} ",
        lambda name: {"car": "c\u0061r\u00a0"}.get(name, name),
        str.title,
    ],
)
def test_another_spelling_is_recoded_and_mended(spelt):
    truth = table(1)
    after = truth.assign(purpose=truth["purpose"].map(spelt))
    found = named(after, "purpose")
    assert found.fault == "recoded"
    assert (mend(found, after) == truth["purpose"]).all()


def test_another_encoding_is_recoded():
    before, truth = (table(i).replace({"car": "Automóvil"}) for i in (0, 1))
    after = truth.assign(purpose=truth["purpose"].map(lambda name: name.encode().decode("cp1252")))
    found = named(after, "purpose", before)
    assert found.fault == "recoded"
    assert (mend(found, after) == truth["purpose"]).all()


@pytest.mark.parametrize(
    "names", [["1", "2", "3", "4"], ["house", "boat", "study", "car"], ["car", "house", "boot", "st"]]
)
def test_other_names_for_the_same_things_are_told_by_what_goes_with_them(names):
    truth = table(1)
    after = truth.assign(purpose=truth["purpose"].map(dict(zip(NAMES, names, strict=True))))
    found = named(after, "purpose")
    assert found.fault == "recoded"
    assert (mend(found, after) == truth["purpose"]).all()


def test_a_flag_that_is_flipped_is_told_though_its_share_is_the_same():
    truth = table(1)
    after = truth.assign(flag=1 - truth["flag"])
    found = named(after, "flag")
    assert (found.fault, dict(found.recoding)) == ("recoded", {"0": "1", "1": "0"})
    assert (mend(found, after) == truth["flag"]).all()


def test_which_is_which_is_not_said_where_nothing_tells_it():
    truth = table(1)
    found = named(truth.assign(alone=truth["alone"].map({"x": "p", "y": "q"})), "alone")
    assert found.fault == "recoded"
    assert not found.invertible
    assert "do not tell" in found.evidence


def test_a_flip_that_nothing_could_show_is_not_claimed():
    truth = table(1)
    assert named(truth.assign(alone=truth["alone"].map({"x": "y", "y": "x"})), "alone") is None


def test_things_that_are_new_are_not_recoded():
    truth = table(1)
    rng = np.random.default_rng(2)
    found = named(truth.assign(purpose=truth["purpose"].mask(rng.random(3000) < 0.2, "yacht")), "purpose")
    assert found.fault == "new_values"


def test_shares_that_trade_places_while_meanings_stay_are_no_recoding():
    before, after = table(0), table(1)
    weight = after["flag"].map({0: 0.25, 1: 1.0})
    found = named(after.sample(1500, weights=weight, random_state=0), "flag", before)
    assert found is None or not found.broken


@pytest.mark.parametrize(("label", "form"), [("N/A", "n/a"), ("TRUE", "1"), ("0012", "12"), ("a_b-C", "a b c")])
def test_a_normal_form_forgets_how_a_name_is_written(label, form):
    assert normal_form(label) == form
