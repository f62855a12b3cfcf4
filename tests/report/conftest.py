"""What the tests of reports share."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rca.analysis.drift.classifier_two_sample import Carrier, Joint
from rca.analysis.event_study.designs import EffectEstimate
from rca.analysis.event_study.effect import Effect, Period
from rca.analysis.event_study.refutation import Refuter
from rca.analysis.explanation.cohorts import CohortShift, Exemplar
from rca.analysis.explanation.dependence_curves import DependenceCurve
from rca.analysis.explanation.results import ExplanationShift
from rca.finding import Interval
from rca.methods.ar1_regression import Sized
from tests.report.reasons import change, points, reason

KINDS = ("incident", "drift", "column", "measured", "harm", "onset", "cascade", "verdict")


@pytest.fixture(params=KINDS)
def result(request):
    """A result of every kind that has a figure."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def answers(frozen):
    """Every answer along the graph of a case."""
    return frozen.answers


@pytest.fixture
def exemplar():
    told = (("income", "1.2e+05", 1.5, 0.1), ("region", "north", -0.4, 0.0))
    return Exemplar(row=7, margin=0.7, base=-0.5, told=told, rest=0.1)


@pytest.fixture
def curve():
    return DependenceCurve(
        column="income",
        labels=("1", "2", "3", "4", "missing"),
        numeric=True,
        reference=(0.1, 0.2, None, 0.4, None),
        current=(0.1, 0.5, 0.6, 0.7, -1.0),
        errors=((0.01, 0.02), (0.01, 0.02), None, (0.01, 0.01), None),
        rows=((100, 10), (100, 90), (0, 20), (50, 50), (0, 30)),
    )


@pytest.fixture
def together():
    carriers = (Carrier(column="income", drop=0.2, interval=Interval(low=0.1, high=0.3)),)
    sure = Interval(low=0.78, high=0.82)
    return Joint(auc=0.8, interval=sure, p_value=0.0, moved=True, carriers=carriers, n_reference=900, n_current=800)


@pytest.fixture
def cohort():
    return CohortShift(
        cohort="region=north",
        column="income",
        reference=0.4,
        current=0.9,
        change=0.5,
        interval=Interval(low=0.45, high=0.55),
        q_value=0.0,
        apart=0.3,
        apart_interval=Interval(low=0.2, high=0.4),
        n_reference=300,
        n_current=200,
    )


@pytest.fixture
def shift(curve, exemplar, together, cohort):
    parts = (
        reason("income", 0.4, 0.9, rank=2, moved=True, loss=change(0.12), direction=change(0.2)),
        reason("region", 0.5, 0.45, loss=change(-0.03)),
        reason("age", 0.1, 0.11, loss=change(0.005)),
    )
    return ExplanationShift(
        reasons=parts,
        joint=together,
        scale="log-odds",
        method="exactly, from its trees",
        loss=change(0.1),
        loss_start=0.005,
        loss_unit="nats",
        cohorts=(cohort, replace(cohort, cohort="region=south", change=0.001)),
        exemplars=(exemplar,),
        curves=(curve, replace(curve, column="age")),
        swarm=tuple((one.column, points(160), points(160, 0.5)) for one in parts),
        n_reference=900,
        n_current=800,
        alpha=0.05,
        material=0.02,
    )


@pytest.fixture
def effect():
    """An event that raised a rate from 20 to 35 per cent, on its third day of five."""
    event = datetime(2026, 3, 1, tzinfo=UTC)
    days = tuple(
        Period(
            at=event + timedelta(days=day),
            value=0.2 + 0.15 * (day >= 0),
            interval=Interval(low=0.15, high=0.4),
            rows=60,
            without=0.2,
            without_interval=Interval(low=0.15, high=0.25),
        )
        for day in range(-2, 3)
    )
    sized = Sized(value=0.15, interval=Interval(low=0.1, high=0.2), p_value=0.001)
    placebo = Refuter(kind="placebo_date", asks="At other moments?", says="Nothing came then.", passed=True)
    return Effect(
        event="deploy loader 2", at=event, metric="rate of wrong", unit="share of rows", is_share=True, harm="higher",
        estimate=EffectEstimate(design="its", effect=sized, periods=5, free=3), before=0.2, after=0.35, length=86_400.0,
        periods=days, refuters=(placebo,), n_before=120, n_after=180, n_effective=120.0,
    )  # fmt: skip
