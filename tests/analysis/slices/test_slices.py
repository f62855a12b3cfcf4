"""Where the change sits: found where it was planted, told from what only grew or was always bad, and adding up."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rca
from rca.analysis.inputs.windows import Windows
from rca.analysis.slices.beam_search import Shortlist, pruned, scan, search
from rca.analysis.slices.candidate_conditions import literals
from rca.analysis.slices.expected_metric import PENALTIES, _ridge, expected
from rca.analysis.slices.pooled_rows import pooled
from rca.analysis.slices.scan_statistics import SetSums, deviations, excess, own_deviation
from rca.analysis.slices.slices import Slices, find_slices
from rca.errors import Unanswerable
from rca.methods.metric import measure
from rca.record.case import Roles
from rca.record.schema.incident import Metric
from rca.tables.condition import Condition, all_hold

RATE = Metric(name="rate", column="bad")
N = 1500


def rows_of(rng, n=N, *, where=None, by=0.4, base=0.1):
    """Rows whose flag is up more often where a rule holds."""
    rows = pd.DataFrame(
        {
            "region": pd.Series(rng.choice(["north", "south", "east", "west"], n)),
            "age": rng.integers(18, 80, n),
            "income": rng.normal(size=n),
            "kind": rng.integers(0, 3, n),
        }
    )
    hit = where(rows) if where else np.zeros(n, dtype=bool)
    return rows.assign(bad=(rng.random(n) < np.where(hit, base + by, base)).astype(int))


def windows_of(reference, current, metric=RATE, **roles):
    taken = {
        "bad",
        *roles.get("text", ()),
        *roles.get("groups", ()),
        *(v for v in roles.values() if isinstance(v, str)),
    }
    features = tuple(name for name in reference.columns if name not in taken)
    return Windows(
        reference=reference, current=current, roles=Roles(features=features, **roles), metric=metric, parents={}
    )


def found_in(windows, *, seed=0, **settings):
    groups = windows.meter.segments(windows.reference, windows.current)
    parts = [windows.meter.parts(rows, groups=groups) for rows in (windows.reference, windows.current)]
    measured = measure(*parts, windows.metric, rng=np.random.default_rng(0))
    return find_slices(windows, measured, rng=np.random.default_rng(seed), **settings)


def planted(where, *, seed=0, n=N, **settings):
    rng = np.random.default_rng(seed)
    return found_in(windows_of(rows_of(rng, n), rows_of(rng, n, where=where)), **settings)


def names(found):
    return [one.name for one in found.slices]


@pytest.fixture(scope="module")
def south():
    return planted(lambda rows: rows["region"] == "south")


# -- what is found -----------------------------------------------------------------------------------------------------


def test_a_change_in_one_group_is_found_and_local(south):
    assert names(south) == ["region=south"]
    assert south.local
    assert south.slices[0].lost in south.slices[0].interval
    assert str(south).startswith("region=south")


def test_a_conjunction_is_found_whole():
    found = planted(lambda rows: (rows["region"] == "south") & (rows["kind"] == 1), n=4000)
    assert names(found) == ["kind=1 & region=south"]
    assert found.local


def test_no_more_conditions_than_asked_for_are_joined():
    found = planted(lambda rows: (rows["region"] == "south") & (rows["kind"] == 1), n=4000, order=1)
    assert found.slices
    assert all(len(one.conditions) == 1 for one in found.slices)


def test_a_change_everywhere_sits_in_no_slice():
    found = planted(lambda rows: rows["age"] > 0)
    assert not found.local
    assert found.slices == ()
    assert str(found).startswith("everywhere")
    assert found.elsewhere.lost == pytest.approx(found.worse)


def test_a_group_that_only_grew_is_no_slice():
    rng = np.random.default_rng(3)
    bad = rows_of(rng, 3000, where=lambda rows: rows["region"] == "south")
    grown = rows_of(rng, 6000, where=lambda rows: rows["region"] == "south")
    grown = grown[(grown["region"] == "south") | (rng.random(6000) < 0.4)]
    found = found_in(windows_of(bad, grown))
    assert found.worse > 0.05
    assert found.slices == ()


def test_a_slice_that_other_rows_came_to_look_like_is_not_steady(south):
    assert south.slices[0].steady
    assert south.slices[0].columns == {"region"}
    rng = np.random.default_rng(31)
    after = rows_of(rng, 3000)
    stuck = (after["region"] != "south") & (rng.random(3000) < 0.3)
    broken = after.assign(region=after["region"].where(~stuck, "south"), bad=after["bad"].where(~stuck, 1))
    found = found_in(windows_of(rows_of(rng, 3000), broken))
    assert names(found)[0] == "region=south"
    assert not found.slices[0].steady


def test_what_was_always_bad_is_no_slice():
    rng = np.random.default_rng(4)
    both = [rows_of(rng, where=lambda rows: rows["region"] == "south") for _ in range(2)]
    assert found_in(windows_of(*both)).slices == ()


def test_identical_windows_have_no_slice_and_no_loss():
    rows = rows_of(np.random.default_rng(5))
    found = found_in(windows_of(rows, rows))
    assert found.slices == ()
    assert found.worse == found.elsewhere.lost == 0


def test_a_change_for_the_better_is_no_harm():
    rng = np.random.default_rng(6)
    bad, well = rows_of(rng, where=lambda rows: rows["region"] == "south"), rows_of(rng)
    assert found_in(windows_of(bad, well)).slices == ()
    lower = Metric(name="rate", column="bad", harm="lower")
    turned = found_in(windows_of(bad, well, lower))
    assert names(turned) == ["region=south"]
    assert turned.worse > 0
    assert turned.slices[0].reference > turned.slices[0].current > 0


def said(rng, n, *, hit=(), by=0.6):
    """Questions, of which those with some words are answered badly; 'people' stands beside most of them."""
    fill = [f"word{i}" for i in range(30)]
    who = ["gay", "old", "young", "tall", "short", "jewish"]
    texts, bad = [], []
    for _ in range(n):
        words = list(rng.choice(fill, 4)) + ([str(rng.choice(who))] if rng.random() < 0.4 else [])
        words += ["People"] if words[-1] in who or rng.random() < 0.2 else []
        texts.append(" ".join(words))
        bad.append(rng.random() < (0.05 + by if set(words) & set(hit) else 0.05))
    return pd.DataFrame({"text": texts, "bad": np.array(bad, dtype=int)})


def test_a_word_is_named_and_not_its_company():
    rng = np.random.default_rng(7)
    found = found_in(windows_of(said(rng, 2500), said(rng, 2500, hit=["gay"]), text=("text",)))
    assert names(found) == ["text~gay"]
    assert found.local


def test_a_family_of_words_comes_out_word_by_word():
    rng = np.random.default_rng(8)
    found = found_in(windows_of(said(rng, 4000), said(rng, 4000, hit=["gay", "jewish", "old"]), text=("text",)))
    assert sorted(names(found)) == ["text~gay", "text~jewish", "text~old"]
    assert found.local


def test_a_phrase_is_named_where_its_words_alone_do_nothing():
    rng = np.random.default_rng(9)

    def asked(by):
        texts = pd.Series(
            [" ".join(rng.choice(["no", "refund", "no refund", "train", "seat"], 3)) for _ in range(3000)]
        )
        hit = texts.str.contains("no refund", regex=False)
        return pd.DataFrame({"text": texts, "bad": (rng.random(3000) < np.where(hit, 0.1 + by, 0.1)).astype(int)})

    assert names(found_in(windows_of(asked(0), asked(0.5), text=("text",)))) == ["text~no refund"]


@pytest.mark.parametrize("name", ["error_rate", "false_positive_rate", "false_negative_rate", "log_loss", "brier"])
def test_a_change_is_found_whatever_the_metric_of_a_decision(name):
    rng = np.random.default_rng(10)

    def decided(where):
        rows = rows_of(rng, 4000).drop(columns="bad")
        label = rng.integers(0, 2, 4000)
        wrong = rng.random(4000) < np.where(rows["region"] == where, 0.5, 0.1)
        return rows.assign(label=label, score=np.where(wrong, 1 - label, label) * 0.8 + 0.1)

    windows = windows_of(decided(None), decided("south"), Metric(name=name), label="label", score="score")
    found = found_in(windows)
    assert names(found)[0] == "region=south"
    assert found.local


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_a_change_is_found_in_errors_of_a_number_and_in_their_root(name):
    rng = np.random.default_rng(11)

    def guessed(where):
        rows = rows_of(rng, 3000).drop(columns="bad")
        truth = rng.normal(size=3000)
        spread = np.where(rows["region"] == where, 3.0, 1.0)
        return rows.assign(y=truth, said=truth + spread * rng.normal(size=3000))

    windows = windows_of(guessed(None), guessed("south"), Metric(name=name), label="y", prediction="said")
    found = found_in(windows)
    assert names(found) == ["region=south"]
    assert found.slices[0].lost in found.slices[0].interval
    meter = windows.meter
    assert found.worse == pytest.approx(meter.parts(windows.current).value() - meter.parts(windows.reference).value())


def test_of_a_gap_the_metric_is_sliced_whose_gap_it_is():
    rng = np.random.default_rng(12)
    gap = Metric(name="group_gap", of="rate", column="bad")
    both = rows_of(rng, 2500), rows_of(rng, 2500, where=lambda rows: rows["region"] == "south")
    found = found_in(windows_of(*both, gap, groups=("region",)))
    assert found.metric == "rate"
    assert names(found) == ["region=south"]


# -- what always holds -------------------------------------------------------------------------------------------------


@given(st.integers(0, 1000), st.sampled_from(["region", "kind", "age"]))
@settings(max_examples=8, deadline=None)
def test_slices_and_elsewhere_add_up_to_the_change(seed, column):
    rng = np.random.default_rng(seed)
    first = rows_of(rng, 600)
    found = found_in(windows_of(first, rows_of(rng, 600, where=lambda rows: rows[column] == rows[column].iloc[0])))
    parts = (*found.slices, found.elsewhere)
    assert sum(one.lost + one.mix for one in parts) == pytest.approx(found.worse, abs=1e-12)
    assert sum(one.rows_reference for one in parts) == sum(one.rows_current for one in parts) == 600
    assert sum(one.share for one in parts) == pytest.approx(1)


def test_the_order_of_rows_and_columns_does_not_matter(south):
    rng = np.random.default_rng(0)
    both = rows_of(rng), rows_of(rng, where=lambda rows: rows["region"] == "south")
    turned = [rows.sample(frac=1, random_state=at)[list(rows.columns)[::-1]] for at, rows in enumerate(both)]
    assert found_in(windows_of(*turned)) == south


def test_what_a_slice_says_of_itself_is_what_its_rows_say(south):
    rng = np.random.default_rng(0)
    both = rows_of(rng), rows_of(rng, where=lambda rows: rows["region"] == "south")
    first = south.slices[0]
    inside = [rows[all_hold(first.conditions, rows)] for rows in both]
    assert [first.rows_reference, first.rows_current] == [len(rows) for rows in inside]
    assert [first.reference, first.current] == pytest.approx([rows["bad"].mean() for rows in inside])
    assert first.lost == pytest.approx(first.share * (first.current - first.reference))


def test_a_row_that_two_slices_hold_is_counted_once():
    found = planted(lambda rows: (rows["region"] == "south") | (rows["kind"] == 1), n=3000)
    assert sorted(names(found)) == ["kind=1", "region=south"]
    assert sum(one.rows_current for one in found.slices) + found.elsewhere.rows_current == 3000


def test_slices_are_ranked_by_what_is_lost_in_them():
    found = planted(lambda rows: (rows["region"] == "south") | (rows["age"] < 24), n=4000)
    lost = [one.lost for one in found.slices]
    assert len(lost) >= 2
    assert lost == sorted(lost, reverse=True)


def test_slices_survive_json_and_name_themselves_in_findings(south):
    assert Slices.from_dict(south.to_dict()) == south
    finding = south.findings()[0]
    assert (finding.id, finding.cause.kind, finding.cause.name) == ("slice.region=south", "slice", "region=south")
    assert finding.strength == "shown"
    assert south.rows()[-1]["slice"] == "elsewhere"


def test_a_weightless_row_is_no_row():
    rng = np.random.default_rng(13)
    both = rows_of(rng), rows_of(rng, where=lambda rows: rows["region"] == "south")
    ghosts = [pd.concat([rows.assign(w=1.0), rows.assign(w=0.0, bad=1)]) for rows in both]
    plain = found_in(windows_of(*(rows.assign(w=1.0) for rows in both), weight="w"))
    assert found_in(windows_of(*ghosts, weight="w")) == plain
    assert names(plain) == ["region=south"]


# -- tables that are hard ----------------------------------------------------------------------------------------------


def test_hostile_columns_neither_break_nor_win(hostile):
    rng = np.random.default_rng(14)

    def made(where):
        rows = rows_of(rng, where=where)
        n = len(rows)
        third = n // 3
        return rows.assign(
            constant=1,
            empty=np.nan,
            infinite=np.where(rng.random(n) < 0.5, np.inf, -np.inf),
            key=[f"u{i}" for i in range(n)],
            lists=pd.Series([[i] for i in range(n)], dtype=object),
            mixed=pd.Series([1, "1", None] * third, dtype=object),
            when=pd.date_range("2026-01-01", periods=n, tz="UTC"),
            whole=pd.Series([1, None, 3] * third, dtype="Int64"),
            sort=pd.Categorical(rng.choice(["a", "b"], n)),
            said=pd.Series([hostile, "", None] * third, dtype=object),
        ).set_index(np.zeros(n, dtype=int))

    found = found_in(windows_of(made(None), made(lambda rows: rows["region"] == "south"), text=("said",)))
    assert names(found) == ["region=south"]


@pytest.mark.parametrize("n", [12, 60])
def test_too_few_rows_have_no_slice(n):
    rng = np.random.default_rng(15)
    found = found_in(windows_of(rows_of(rng, n), rows_of(rng, n, where=lambda rows: rows["kind"] == 1, by=0.9)))
    assert found.slices == ()


def test_a_table_without_features_has_no_slice():
    rows = rows_of(np.random.default_rng(16))[["bad"]]
    assert found_in(windows_of(rows, 1 - rows)).slices == ()


def test_where_nothing_counts_the_question_stays_open(south):
    rows = rows_of(np.random.default_rng(17)).assign(bad=np.nan)
    measured = measure(
        *[windows_of(*[rows.fillna(0)] * 2).meter.parts(rows.fillna(0))] * 2, RATE, rng=np.random.default_rng(0)
    )
    with pytest.raises(Unanswerable, match="where the change sits"):
        find_slices(windows_of(rows, rows), measured, rng=np.random.default_rng(0))


# -- the parts of it ---------------------------------------------------------------------------------------------------


def board_of(where, *, n=3000, seed=20):
    rng = np.random.default_rng(seed)
    pool = pooled(windows_of(*(both := (rows_of(rng, n), rows_of(rng, n, where=where)))), parts_of(both), rng=rng)
    parted = SetSums(current=pool.current, weight=pool.weight, value=pool.value, left=pool.value)
    return Shortlist(literals=literals(pool.columns, pool.current), parted=parted)


def parts_of(both):
    meter = windows_of(*both).meter
    return meter.parts(both[0]), meter.parts(both[1])


def test_a_set_and_its_rest_deviate_by_the_same_and_the_other_way():
    board = board_of(lambda rows: rows["region"] == "south")
    held = board.literals.mask(Condition(column="region", operator="=", value="south"))
    inside, outside = board.parted.sums(held), board.parted.sums(~held)
    difference, error = excess(inside, outside)
    assert excess(outside, inside) == (-difference, error)
    assert deviations(inside, outside) == pytest.approx(difference / error)
    assert deviations(inside, outside) > 10
    assert own_deviation(inside) > 10
    assert deviations(outside, inside) < 0 or deviations(outside, inside) == -np.inf


def test_a_set_of_few_rows_is_not_compared():
    sums = np.array([[10.0, 1, 1, 1, 10, 1], [10.0, 9, 9, 9, 10, 9]])
    assert np.isnan(excess(sums, 100 * sums)[0])
    assert deviations(sums, 100 * sums) == -np.inf


def test_a_condition_that_adds_nothing_is_dropped():
    board = board_of(lambda rows: rows["region"] == "south")
    south = Condition(column="region", operator="=", value="south")
    most = next(one for one in board.literals.conditions if one.column == "age" and one.operator == ">=")
    assert pruned(board, (south, most)) == (south,)


def test_a_scan_of_higher_order_finds_what_one_of_lower_order_finds():
    board = board_of(lambda rows: rows["region"] == "south")
    assert scan(board, 1).conditions == scan(board, 3).conditions
    assert [[str(one) for one in found] for found in search(board, order=3)] == [["region=south"]]


def test_halves_are_drawn_by_chance_whatever_the_order_of_rows():
    rng = np.random.default_rng(21)
    both = rows_of(rng), rows_of(rng)
    turned = tuple(rows.sample(frac=1, random_state=1) for rows in both)
    pools = [pooled(windows_of(*rows), parts_of(rows), rng=np.random.default_rng(0)) for rows in (both, turned)]
    assert all((pools[0].columns[name] == pools[1].columns[name]).all() for name in pools[0].columns)
    assert (pools[0].searched == pools[1].searched).all()
    assert 0.4 < pools[0].searched.mean() < 0.6


def test_what_a_row_is_expected_to_have_is_learned_from_the_reference_alone():
    board = board_of(lambda rows: rows["region"] == "south")
    other = SetSums(
        current=board.parted.current,
        weight=board.parted.weight,
        value=np.where(board.parted.current, 7.0, board.parted.value),
        left=board.parted.left,
    )
    known = expected(board.literals, board.parted, board.literals)
    assert np.array_equal(known, expected(board.literals, other, board.literals))
    assert known.mean() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("conditions", [40, 90])
def test_what_conditions_say_of_a_metric_is_the_same_whether_more_of_them_or_more_rows_are_asked(conditions):
    rng = np.random.default_rng(0)
    table, rate, weight = rng.random((conditions, 60)) < 0.4, rng.normal(size=60), 0.5 + rng.random(60)
    slope = _ridge(table.astype(np.float32), rate, weight)
    spread, axes = np.linalg.eigh((table * weight) @ table.T)
    tried = PENALTIES * spread.mean()
    along = axes.T @ (table @ (weight * rate))
    fits = [axes @ (along / (np.maximum(spread, 0) + one)) for one in tried]
    assert min(np.abs(slope - one).max() for one in fits) < 1e-5


def test_a_table_of_more_conditions_than_rows_is_searched():
    rng = np.random.default_rng(0)
    before, after = (pd.DataFrame(rng.normal(size=(600, 200)), columns=[f"c{at}" for at in range(200)]) for _ in "ab")
    before["label"], before["prediction"] = 0, (rng.random(600) < 0.05).astype(int)
    after["label"], after["prediction"] = 0, (rng.random(600) < np.where(after["c7"] < -0.3, 0.7, 0.05)).astype(int)
    found = rca.slices(before, after, metric="error_rate", label="label", prediction="prediction")
    assert found.slices[0].conditions[0].column == "c7"
