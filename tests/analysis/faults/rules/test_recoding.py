"""Recoding: the map is found where shares, spellings or other columns tell it, and not guessed where they do not."""

import numpy as np
import pandas as pd
import pytest

from rca.analysis.drift.univariate import univariate_drift
from rca.analysis.faults.application import mend
from rca.analysis.faults.diagnosis import diagnose
from rca.analysis.faults.renaming import normal_form

NAMES = np.array(["car", "house", "boat", "study"])


def table(seed, rows=3000):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "z": z,
            "purpose": NAMES[np.searchsorted([0.2, 0.9, 1.5], z + 0.5 * rng.normal(size=rows))],
            "flag": (z + 0.7 * rng.normal(size=rows) > 0).astype(int),
            "alone": rng.choice(["x", "y"], rows),
        }
    )


def named(after, column, before=None):
    before = table(0) if before is None else before
    return diagnose(before, after, univariate_drift(before, after)).get(column)


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


# --- codes, in a part of the rows, or with a rare one -----------------------------------------------------------------

SHARES = {0: 0.6, 1: 0.2, 2: 0.12, 3: 0.06, 4: 0.018, 6: 0.002}
TURNED = {0: 3, 1: 6, 2: 0, 3: 4, 4: 1, 6: 2}


def coded(seed, rows=4000):
    """A code that goes with two other columns, and times in order."""
    rng = np.random.default_rng(seed)
    code = rng.choice(list(SHARES), rows, p=list(SHARES.values()))
    z = code + rng.normal(size=rows)
    return pd.DataFrame({"code": code, "z": z, "w": code % 3 + 0.8 * rng.normal(size=rows), "v": rng.normal(size=rows)})


def told(after, **options):
    before = coded(0)
    return diagnose(before, after, univariate_drift(before, after), **options).get("code")


def turned(rows, hit):
    return rows.assign(code=rows["code"].mask(hit, rows["code"].map(TURNED)))


def test_codes_of_which_a_rare_one_takes_a_common_ones_place_are_recoded():
    found = told(turned(coded(1), np.ones(4000, dtype=bool)))
    assert found.fault == "recoded"
    assert {("3", "0"), ("6", "1"), ("0", "2")} <= set(found.recoding)


def test_codes_that_changed_from_a_row_on_are_recoded_from_there():
    after = coded(1)
    found = told(turned(after, np.arange(len(after)) >= 1500), ordered=True)
    assert found.fault == "recoded"
    assert found.since == pytest.approx(1500, abs=25)


def test_codes_that_changed_in_a_segment_are_recoded_there():
    ward = {"ward": np.arange(4000) % 4}
    before, after = coded(0).assign(**ward), coded(1).assign(**ward)
    after = turned(after, after["ward"] == 2)
    found = diagnose(before, after, univariate_drift(before, after)).get("code")
    assert (found.fault, [str(one) for one in found.where]) == ("recoded", ["ward=2"])


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_codes_that_changed_here_and_there_are_recoded_without_a_map(share):
    hit = np.random.default_rng(2).random(4000) < share
    found = told(turned(coded(1), hit))
    assert (found.fault, found.recoding, found.invertible) == ("recoded", (), False)


def test_one_value_written_here_and_there_is_no_recoding():
    after = coded(1)
    found = told(after.assign(code=after["code"].mask(np.random.default_rng(2).random(4000) < 0.4, 2)))
    assert found.fault != "recoded"


def test_codes_whose_mix_moved_are_not_recoded():
    after = coded(1, 12_000)
    kept = np.random.default_rng(2).random(len(after)) < after["code"].map({0: 0.2, 1: 0.9}).fillna(0.5)
    assert told(after[kept].reset_index(drop=True)).fault == "distribution"
