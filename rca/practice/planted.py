"""Three simulated tabular incidents with a known (planted) cause, or none."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rca.practice.proof import Made, Proof, chance_of_means, share_gone

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from rca.arrays import Mask


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A LightGBM model as text, with the columns it reads."""

    text: str
    features: tuple[str, ...]

    def scores(self, frame: "pd.DataFrame") -> "np.ndarray":
        """Probability of the label 1, one number a row."""
        import numpy as np

        return np.asarray(self.booster().predict(_typed(frame[list(self.features)]), num_threads=1))

    def booster(self) -> Any:
        """The model itself."""
        import lightgbm as lgb

        return lgb.Booster(model_str=self.text)

    def scored(self, frame: "pd.DataFrame", names: tuple[str, str], *, threshold: float = 0.5) -> "pd.DataFrame":
        """The frame with its score and whether that reaches the threshold, in columns of these names."""
        values, (score, prediction) = self.scores(frame), names
        return frame.assign(**{score: values, prediction: (values >= threshold).astype("int8")})


def train(frame: "pd.DataFrame", features: list[str], *, label: str, rounds: int = 60) -> Trained:
    """Fit a small LightGBM classifier; one thread and fixed settings, so that the same rows give the same text."""
    import lightgbm as lgb

    settings: dict[str, Any] = {
        "objective": "binary", "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 150,
        "min_gain_to_split": 12.0, "seed": 0, "deterministic": True, "force_row_wise": True,
        "num_threads": 1, "verbosity": -1,
    }  # fmt: skip
    booster = lgb.train(settings, lgb.Dataset(_typed(frame[features]), frame[label]), num_boost_round=rounds)
    return Trained(text=booster.model_to_string(), features=tuple(features))


def _typed(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Words as categories: the model's text keeps their order, and codes later rows by it."""
    words = [name for name in frame.columns if not _is_number(frame[name])]
    return frame.astype(dict.fromkeys(words, "category"))


def _is_number(values: "pd.Series[Any]") -> bool:
    return getattr(values.dtype, "kind", "O") in "iufb"


def moments(rng: "np.random.Generator", start: str, *, days: int, rows: int, hours: tuple[int, int] = (0, 24)) -> Any:
    """Draw sorted times of day-to-day business, to the second, in UTC."""
    import numpy as np
    import pandas as pd

    day = rng.integers(0, days, rows)
    second = rng.integers(hours[0] * 3600, hours[1] * 3600, rows)
    since = pd.to_timedelta(np.sort(day * 86400 + second), unit="s").as_unit("s")
    return pd.Timestamp(start, tz="UTC").as_unit("s") + since


def logistic(log_odds: "np.ndarray") -> "np.ndarray":
    """1 / (1 + exp(-log_odds))."""
    import numpy as np

    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


# ---------------------------------------------------------------------------------------------- credit-drift

CREDIT_FEATURES = [
    "monthly_income", "debt_ratio", "loan_amount", "purpose", "credit_history_years", "late_payments_12m",
    "employment_years", "applicant_age", "account_age_days", "regional_unemployment",
]  # fmt: skip

CREDIT_FROZEN = 7.2
"""Percent: the last value the serving cache had read, that of a region with much unemployment."""


def credit_drift(rng: "np.random.Generator") -> Made:
    """Credit model with a frozen unemployment rate, while a campaign makes other columns drift harmlessly."""
    import pandas as pd

    old = applications(rng, moments(rng, "2024-07-01", days=365, rows=30000, hours=(7, 20)))
    model = train(old, CREDIT_FEATURES, label="missed_payment")
    reference = applications(rng, moments(rng, "2025-11-01", days=92, rows=5000, hours=(7, 20)))
    quiet = applications(rng, moments(rng, "2026-02-01", days=89, rows=5200, hours=(7, 20)))
    recovered = applications(rng, moments(rng, "2026-05-08", days=30, rows=1800, hours=(7, 20)))
    campaign = with_campaign(rng, quiet, since="2026-02-14")
    hit = campaign["decided_at"] >= pd.Timestamp("2026-02-24T02:00:00Z")
    current = campaign.assign(regional_unemployment=campaign["regional_unemployment"].mask(hit, CREDIT_FROZEN))
    tables = {
        "reference": reference,
        "current": current,
        "recovered": with_campaign(rng, recovered, since="2026-05-08"),
    }
    loud = ("account_age_days", "applicant_age")
    worlds = {"regional_unemployment": campaign} | {name: current.assign(**{name: quiet[name]}) for name in loud}
    return _credit_made(model, tables, worlds, hit=hit.to_numpy())


def applications(rng: "np.random.Generator", at: Any) -> "pd.DataFrame":
    """Applications for a loan as they usually come in, with what became of the first instalments."""
    import numpy as np
    import pandas as pd

    n, region = len(at), rng.integers(0, 24, len(at))
    week = (at.day_of_year // 7).to_numpy()
    unemployment = 3.4 + region * 0.19 + 0.35 * np.sin(week / 8.0 + region) + rng.normal(0, 0.1, n)
    income = np.round(rng.lognormal(7.85, 0.42, n), -1)
    amount = np.round(income * rng.gamma(4.0, 0.9, n), -2).clip(500, 60000)
    purpose = rng.choice(["car", "furniture", "renovation", "rescheduling", "travel"], n, p=[0.3, 0.15, 0.25, 0.2, 0.1])
    frame = pd.DataFrame(
        {
            "decided_at": at,
            "application_id": [f"{at[0]:%y%m}-{i:05d}" for i in range(n)],
            "channel": rng.choice(["branch", "broker", "online"], n, p=[0.35, 0.25, 0.4]),
            "region": [f"R{r + 1:02d}" for r in region],
            "monthly_income": income,
            "debt_ratio": np.round(rng.beta(2.2, 4.0, n), 3),
            "loan_amount": amount,
            "purpose": purpose,
            "credit_history_years": np.round(rng.gamma(2.5, 3.5, n), 1),
            "late_payments_12m": rng.poisson(0.45, n),
            "employment_years": np.round(rng.gamma(1.6, 4.0, n), 1),
            "applicant_age": rng.integers(21, 71, n),
            "account_age_days": rng.gamma(2.0, 520.0, n).astype(int) + 1,
            "regional_unemployment": np.round(unemployment, 1),
        }
    )
    return frame.assign(missed_payment=(rng.random(n) < _risk(frame)).astype("int8"))


def _risk(frame: "pd.DataFrame") -> "np.ndarray":
    import numpy as np

    log_odds = (
        -1.75
        + 0.85 * (frame["regional_unemployment"] - 5.6)
        + 3.2 * (frame["debt_ratio"] - 0.35)
        + 0.6 * frame["late_payments_12m"]
        - 0.7 * np.log(frame["monthly_income"] / 2570.0)
        + 0.04 * (frame["loan_amount"] / frame["monthly_income"] - 3.6)
        - 0.04 * (frame["credit_history_years"] - 8.75)
        - 0.05 * frame["employment_years"].clip(upper=10)
        + 0.5 * (frame["purpose"] == "rescheduling")
    )
    return logistic(log_odds.to_numpy())


def with_campaign(rng: "np.random.Generator", frame: "pd.DataFrame", *, since: str) -> "pd.DataFrame":
    """Covariate drift by a campaign: young people who have just registered apply online; neither affects the risk."""
    import pandas as pd

    drawn = (frame["decided_at"] >= pd.Timestamp(since, tz="UTC")) & (rng.random(len(frame)) < 0.85)
    return frame.assign(
        channel=frame["channel"].mask(drawn, "online"),
        applicant_age=frame["applicant_age"].mask(drawn, rng.integers(19, 36, len(frame))),
        account_age_days=frame["account_age_days"].mask(drawn, rng.integers(1, 60, len(frame))),
    )


def _credit_made(
    model: Trained, tables: "dict[str, pd.DataFrame]", worlds: "dict[str, pd.DataFrame]", *, hit: "Mask"
) -> Made:
    names = ("default_probability", "high_risk")
    scored = {stem: model.scored(table, names) for stem, table in tables.items()}
    before, during, after = (_wrong_alarms(scored[stem]) for stem in ("reference", "current", "recovered"))
    since = _wrong_alarms(scored["current"][hit])
    undone = {name: _wrong_alarms(model.scored(world, names)).mean() for name, world in worlds.items()}
    proofs = tuple(
        Proof(
            taken_back=name,
            share=float(share_gone(before.mean(), during.mean(), value)),
            expect="answer" if name == "regional_unemployment" else "decoy",
        )
        for name, value in undone.items()
    )
    return Made(
        tables=scored, model=model.text, metric="false_positive_rate",
        reference=float(before.mean()), current=float(during.mean()), chance=chance_of_means(before, during),
        proofs=proofs,
        facts={
            "hit_rows": str(int(hit.sum())), "harmed": str(int(since.sum())), "after": f"{after.mean():.4f}",
            "beyond": str(round(since.sum() - len(since) * before.mean())),
        },
    )  # fmt: skip


def _wrong_alarms(frame: "pd.DataFrame") -> "np.ndarray":
    """False-positive indicator: one number for each row whose label is 0."""
    return frame.loc[frame["missed_payment"] == 0, "high_risk"].to_numpy(dtype=float)


# --------------------------------------------------------------------------------------------- quiet-quarter

CHURN_FEATURES = [
    "tenure_months", "monthly_charge", "support_calls_90d", "data_used_gb", "contract", "late_bills_12m",
    "satisfaction", "devices", "payload_version",
]  # fmt: skip


def quiet_quarter(rng: "np.random.Generator") -> Made:
    """Churn model without an incident; only a column without effect drifts, and strongly."""
    import numpy as np

    model = train(
        _subscribers(rng, moments(rng, "2025-01-01", days=365, rows=30000)), CHURN_FEATURES, label="cancelled"
    )
    names = ("churn_probability", "at_risk")
    reference = model.scored(_subscribers(rng, moments(rng, "2026-01-01", days=90, rows=5000)), names)
    drawn = _subscribers(rng, moments(rng, "2026-04-01", days=91, rows=5000))
    newer = drawn.assign(payload_version=drawn["payload_version"] + np.where(rng.random(len(drawn)) < 0.8, 40, 15))
    current = model.scored(newer, names)
    before, during = (np.asarray(t["cancelled"] != t["at_risk"], dtype=float) for t in (reference, current))
    return Made(
        tables={"reference": reference, "current": current}, model=model.text, metric="error_rate",
        reference=float(before.mean()), current=float(during.mean()), chance=chance_of_means(before, during),
    )  # fmt: skip


def _subscribers(rng: "np.random.Generator", at: Any) -> "pd.DataFrame":
    """Subscribers of a phone company as the nightly job sees them, and whether they cancelled within 30 days."""
    import numpy as np
    import pandas as pd

    n = len(at)
    frame = pd.DataFrame(
        {
            "scored_at": at,
            "subscriber_id": [f"S{at[0]:%y%m}{i:05d}" for i in range(n)],
            "plan": rng.choice(["basic", "family", "plus"], n, p=[0.5, 0.2, 0.3]),
            "tenure_months": rng.gamma(1.8, 16.0, n).astype(int),
            "monthly_charge": np.round(rng.normal(34.0, 9.0, n).clip(9, 80), 2),
            "support_calls_90d": rng.poisson(0.8, n),
            "data_used_gb": np.round(rng.gamma(2.0, 6.0, n), 1),
            "contract": rng.choice(["monthly", "one year", "two years"], n, p=[0.5, 0.3, 0.2]),
            "late_bills_12m": rng.poisson(0.4, n),
            "satisfaction": rng.integers(1, 11, n),
            "devices": rng.integers(1, 6, n),
            "payload_version": rng.integers(200, 230, n),
        }
    )
    log_odds = (
        -1.1
        - 0.03 * (frame["tenure_months"] - 29)
        + 0.035 * (frame["monthly_charge"] - 34)
        + 0.5 * (frame["support_calls_90d"] - 0.8)
        - 0.28 * (frame["satisfaction"] - 5.5)
        + 0.9 * (frame["contract"] == "monthly")
        + 0.3 * frame["late_bills_12m"]
        - 0.02 * (frame["data_used_gb"] - 12)
    )
    return frame.assign(cancelled=(rng.random(n) < logistic(log_odds.to_numpy())).astype("int8"))


# ----------------------------------------------------------------------------------------------- hiring-bias

HIRING_FEATURES = [
    "years_experience", "test_score", "skills_match", "school_percentile", "certificates", "degree",
    "notice_weeks", "commute_km",
]  # fmt: skip


def hiring_bias(rng: "np.random.Generator") -> Made:
    """School ranks of applicants from abroad go missing; the model reads a missing rank as the lowest."""
    import pandas as pd

    old = applicants(rng, moments(rng, "2024-09-01", days=365, rows=30000, hours=(5, 22)))
    model = train(old, HIRING_FEATURES, label="qualified")
    names = ("fit_score", "invited")
    reference = applicants(rng, moments(rng, "2026-01-05", days=56, rows=6000, hours=(5, 22)))
    nearer = applicants(rng, moments(rng, "2026-03-02", days=56, rows=6000, hours=(5, 22)))
    clean = nearer.assign(commute_km=(nearer["commute_km"] * 0.35).round(1))
    hit = (clean["origin"] == "abroad") & (clean["applied_at"] >= pd.Timestamp("2026-03-16T04:00:00Z"))
    current = clean.assign(school_percentile=clean["school_percentile"].mask(hit))
    worlds = {"school_percentile": clean, "commute_km": current.assign(commute_km=nearer["commute_km"])}
    before, during = (model.scored(table, names) for table in (reference, current))
    undone = {name: _gap(model.scored(world, names)) for name, world in worlds.items()}
    return Made(
        tables={"reference": before, "current": during}, model=model.text, metric="group_gap of false_negative_rate",
        reference=_gap(before), current=_gap(during), chance=_chance_of_gaps(before, during),
        proofs=tuple(
            Proof(taken_back=name, share=share_gone(_gap(before), _gap(during), value),
                  expect="answer" if name == "school_percentile" else "decoy")
            for name, value in undone.items()
        ),
        facts={"hit_rows": str(int(hit.sum())), **_missed(during, "abroad"), **_missed(during, "domestic")},
    )  # fmt: skip


def applicants(rng: "np.random.Generator", at: Any) -> "pd.DataFrame":
    """Applicants for office jobs, and whether two reviewers found them qualified; their origin acts on nothing."""
    import numpy as np
    import pandas as pd

    n = len(at)
    frame = pd.DataFrame(
        {
            "applied_at": at,
            "candidate_id": [f"A{at[0]:%y%m}{i:05d}" for i in range(n)],
            "origin": rng.choice(["abroad", "domestic"], n, p=[0.3, 0.7]),
            "years_experience": np.round(rng.gamma(2.0, 3.0, n), 1),
            "test_score": rng.normal(62.0, 13.0, n).clip(5, 100).round(),
            "skills_match": np.round(rng.beta(4.0, 3.0, n), 2),
            "school_percentile": np.round(100 * rng.beta(2.0, 1.6, n)),
            "certificates": rng.poisson(0.9, n),
            "degree": rng.choice(["bachelor", "master", "none", "vocational"], n, p=[0.4, 0.25, 0.1, 0.25]),
            "notice_weeks": rng.choice([0, 2, 4, 8, 12], n, p=[0.15, 0.2, 0.35, 0.2, 0.1]),
            "commute_km": np.round(rng.gamma(1.8, 14.0, n), 1),
        }
    )
    log_odds = (
        -0.1
        + 0.16 * (frame["years_experience"] - 6)
        + 0.06 * (frame["test_score"] - 62)
        + 4.5 * (frame["skills_match"] - 0.57)
        + 0.045 * (frame["school_percentile"] - 55)
        + 0.25 * (frame["certificates"] - 0.9)
        + 0.5 * (frame["degree"] == "master")
        - 0.6 * (frame["degree"] == "none")
    )
    return frame.assign(qualified=(rng.random(n) < logistic(log_odds.to_numpy())).astype("int8"))


def _not_invited(frame: "pd.DataFrame", origin: str) -> "np.ndarray":
    """False-negative indicator of each qualified applicant of an origin."""
    rows = frame[(frame["qualified"] == 1) & (frame["origin"] == origin)]
    return (rows["invited"] == 0).to_numpy(dtype=float)


def _gap(frame: "pd.DataFrame") -> float:
    return float(abs(_not_invited(frame, "abroad").mean() - _not_invited(frame, "domestic").mean()))


def _missed(frame: "pd.DataFrame", origin: str) -> dict[str, str]:
    return {f"missed_{origin}": f"{_not_invited(frame, origin).mean():.3f}"}


def _chance_of_gaps(reference: "pd.DataFrame", current: "pd.DataFrame") -> float:
    gaps = [chance_of_means(_not_invited(t, "abroad"), _not_invited(t, "domestic")) for t in (reference, current)]
    return float((gaps[0] ** 2 + gaps[1] ** 2) ** 0.5)
