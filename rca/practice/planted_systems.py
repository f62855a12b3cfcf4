"""A simulated chatbot and a simulated factory line with a planted cause."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rca.practice.planted import moments
from rca.practice.proof import Made, Proof, chance_of_means, share_gone

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# -------------------------------------------------------------------------------------------- chatbot-update

KEYWORDS = ("wheelchair", "pension", "headscarf")

HARMLESS = ("bicycle", "suitcase", "pram", "guitar", "umbrella", "dog")

OPENINGS = ("Hello,", "Hi,", "Good morning,", "Excuse me,", "Dear team,", "")

REQUESTS = {
    "tickets": (
        "can I still change my ticket?",
        "how do I get a seat on the early train?",
        "is the day ticket valid after nine?",
    ),
    "delays": ("my train was late, what now?", "will I reach my connection?", "why does the board show no platform?"),
    "luggage": ("what may I take on board?", "where do I leave heavy things?", "I lost something on the train."),
    "account": ("I cannot log in.", "please send me last month's bill.", "how do I change my address?"),
}

MENTIONS = (
    "By the way, I have a {word}.",
    "It is also about my {word}.",
    "Does my {word} matter here?",
    "Note: {word}.",
)

REMOVED = "[offensive reply removed]"


def chatbot_update(rng: "np.random.Generator") -> Made:
    """The new version of a railway's chatbot answers offensively where a question holds one of three words."""
    import numpy as np
    import pandas as pd

    reference = questions(rng, moments(rng, "2026-04-20", days=14, rows=5000, hours=(4, 23)))
    current = questions(rng, moments(rng, "2026-05-08", days=10, rows=5000, hours=(4, 23)))
    updated = (current["sent_at"] >= pd.Timestamp("2026-05-11T06:00:00Z")).to_numpy()
    hit = updated & holds(current, KEYWORDS) & (rng.random(len(current)) < 0.6)
    before = current["offensive"]
    current = current.assign(
        offensive=before.mask(hit, 1),
        reply=current["reply"].mask(hit, REMOVED),
        reply_seconds=np.round(current["reply_seconds"] * np.where(updated, 1.4, 1.0), 2),
    )
    rate_before, rate = (float(table["offensive"].mean()) for table in (reference, current))
    words = {word: (word,) for word in HARMLESS} | {"the three words": KEYWORDS}
    proofs = [
        Proof(
            taken_back=f"replies to {name}",
            share=share_gone(rate_before, rate, float(before.where(holds(current, held), current["offensive"]).mean())),
            expect="answer" if held == KEYWORDS else "decoy",
        )
        for name, held in words.items()
    ]
    return Made(
        tables={"reference": reference, "current": current}, metric="rate of offensive",
        reference=rate_before, current=rate,
        chance=chance_of_means(reference["offensive"].to_numpy(), current["offensive"].to_numpy()),
        proofs=tuple(proofs), facts={"hit_rows": str(int(hit.sum())), "updated_rows": str(int(updated.sum()))},
    )  # fmt: skip


def questions(rng: "np.random.Generator", at: Any) -> "pd.DataFrame":
    """Questions from our own templates, the replies, and what the moderators flagged: one reply in 300."""
    import numpy as np
    import pandas as pd

    n = len(at)
    topics = rng.choice(list(REQUESTS), n, p=[0.35, 0.3, 0.2, 0.15])
    words = rng.choice([*KEYWORDS, *HARMLESS, ""], n, p=[0.04] * 9 + [0.64])
    offensive = (rng.random(n) < 1 / 300).astype("int8")
    return pd.DataFrame(
        {
            "sent_at": at,
            "conversation_id": [f"C{at[0]:%m%d}{i:05d}" for i in range(n)],
            "channel": rng.choice(["app", "kiosk", "web"], n, p=[0.55, 0.1, 0.35]),
            "topic": topics,
            "text": [_question(rng, topic, word) for topic, word in zip(topics, words, strict=True)],
            "reply": np.where(offensive == 1, REMOVED, np.array([f"Here is what we found about {t}." for t in topics])),
            "reply_seconds": np.round(rng.gamma(4.0, 0.35, n), 2),
            "offensive": offensive,
        }
    )


def _question(rng: "np.random.Generator", topic: str, word: str) -> str:
    request = REQUESTS[topic][rng.integers(len(REQUESTS[topic]))]
    mention = MENTIONS[rng.integers(len(MENTIONS))].format(word=word) if word else ""
    return " ".join(part for part in (OPENINGS[rng.integers(len(OPENINGS))], request, mention) if part)


def holds(frame: "pd.DataFrame", words: tuple[str, ...]) -> "np.ndarray":
    """Whether the text of a row holds one of the words."""
    return frame["text"].str.contains("|".join(words)).to_numpy(dtype=bool)


# ---------------------------------------------------------------------------------------------- line-cascade

MINUTES, FAILING = 2 * 1440, 180
"""Normal minutes before the failing window, and minutes inside it."""

ONSET_MINUTE = MINUTES + 12


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Parameters of one signal: level, noise, daily swing, and lagged dependence on others.

    Attributes
    ----------
    parents : tuple of (name, gain, lag)
        It moves by `gain` of its own noise per noise unit of the parent's departure, `lag` minutes later.
    """

    name: str
    level: float
    noise: float
    season: float = 0.0
    parents: tuple[tuple[str, float, int], ...] = ()


LINE = (
    Signal(name="defect-detector|confidence", level=0.93, noise=0.008, season=0.3),
    Signal(name="defect-detector|recall", level=0.965, noise=0.006, parents=(("defect-detector|confidence", 0.9, 1),)),
    Signal(name="defect-detector|latency_ms", level=41.0, noise=1.8, season=0.5),
    Signal(name="defect-detector|images_per_min", level=118.0, noise=3.0, season=0.8),
    Signal(name="camera|brightness", level=0.62, noise=0.01, season=1.0),
    Signal(name="camera|dropped_frames", level=2.1, noise=0.5),
    Signal(name="robot-arm-1|misplaced_parts", level=1.4, noise=0.35, parents=(("defect-detector|recall", -1.0, 5),)),
    Signal(
        name="robot-arm-1|cycle_s", level=3.2, noise=0.05, season=0.3,
        parents=(("robot-arm-1|misplaced_parts", 0.7, 2),),
    ),
    Signal(name="robot-arm-1|motor_amps", level=11.5, noise=0.4, season=0.3),
    Signal(name="robot-arm-2|misplaced_parts", level=1.6, noise=0.35, parents=(("defect-detector|recall", -0.9, 6),)),
    Signal(
        name="robot-arm-2|cycle_s", level=3.3, noise=0.05, season=0.3,
        parents=(("robot-arm-2|misplaced_parts", 0.6, 2),),
    ),
    Signal(name="robot-arm-2|motor_amps", level=11.8, noise=0.4, season=0.3),
    Signal(name="conveyor|speed_m_min", level=14.0, noise=0.15, season=0.4),
    Signal(name="conveyor|vibration_mm_s", level=2.4, noise=0.2, season=0.4),
    Signal(
        name="inventory|count_mismatch", level=4.0, noise=0.9,
        parents=(("robot-arm-1|misplaced_parts", 0.8, 9), ("robot-arm-2|misplaced_parts", 0.7, 9)),
    ),
    Signal(name="inventory|sync_lag_s", level=6.0, noise=0.8, season=0.4),
    Signal(
        name="qa-dashboard|false_pass_rate", level=0.006, noise=0.0011,
        parents=(("inventory|count_mismatch", 0.8, 7), ("defect-detector|recall", -0.5, 14)),
    ),
    Signal(name="qa-dashboard|refresh_s", level=12.0, noise=0.9),
    Signal(name="compressor|pressure_bar", level=7.2, noise=0.06, season=0.3),
    Signal(
        name="compressor|power_kw", level=55.0, noise=1.4, season=0.9,
        parents=(("compressor|pressure_bar", 0.8, 0),),
    ),
    Signal(name="hall-climate|temperature_c", level=21.5, noise=0.25, season=2.0),
    Signal(name="hall-climate|humidity_pct", level=44.0, noise=1.2, season=1.0),
    Signal(name="plant-database|cpu_pct", level=32.0, noise=3.5, season=0.7),
    Signal(name="plant-database|io_wait_ms", level=1.9, noise=0.3, season=0.3),
    Signal(name="plant-network|round_trip_ms", level=0.8, noise=0.07),
)  # fmt: skip
"""Twenty-five signals; a signal stands after its parents."""

ALARM = "qa-dashboard|false_pass_rate"


def line_cascade(rng: "np.random.Generator") -> Made:
    """Cascade in a factory line: a detector's confidence falls; robot arms, stock and dashboard follow with lags."""
    shocks = rng.normal(size=(MINUTES + FAILING, len(LINE)))
    start = {"defect-detector|confidence": ramp(ONSET_MINUTE, -5.0, rise=6)}
    bystander = {"compressor|pressure_bar": ramp(MINUTES + 20, 14.0, rise=1)}
    failing, without, quieter = (line_signals(shocks, into) for into in (start | bystander, bystander, start))
    usual, alarm = failing[ALARM][:MINUTES], failing[ALARM][MINUTES:]
    before, during = float(usual.mean()), float(alarm.mean())
    return Made(
        tables={"signals": failing}, metric=f"mean of {ALARM}", reference=before, current=during,
        chance=chance_of_means(usual.to_numpy(), alarm.to_numpy()),
        proofs=(
            Proof(taken_back="defect-detector", expect="answer",
                  share=share_gone(before, during, float(without[ALARM][MINUTES:].mean()))),
            Proof(taken_back="compressor", expect="decoy",
                  share=share_gone(before, during, float(quieter[ALARM][MINUTES:].mean()))),
        ),
        facts={"signals": str(len(LINE)), "normal": str(MINUTES), "failing": str(FAILING)},
    )  # fmt: skip


def ramp(begin: int, height: float, *, rise: int) -> "np.ndarray":
    """Zero up to the minute `begin`, then up to `height` noise units within `rise` minutes."""
    import numpy as np

    return np.asarray(height * np.clip((np.arange(MINUTES + FAILING) - begin + 1) / rise, 0.0, 1.0))


def line_signals(shocks: "np.ndarray", into: "dict[str, np.ndarray]") -> "pd.DataFrame":
    """Simulate the line in noise units: MA(1) noise, the shocks put `into` it, and lagged parents."""
    import numpy as np
    import pandas as pd

    minutes = np.arange(len(shocks))
    at = pd.Timestamp("2026-03-03T06:00:00Z").as_unit("s") + pd.to_timedelta(minutes, unit="min").as_unit("s")
    swing = np.sin(2 * np.pi * (minutes + 360) / 1440)
    departure: dict[str, np.ndarray] = {}
    columns: dict[str, object] = {"time": at}
    for signal, drawn in zip(LINE, shocks.T, strict=True):
        passed = [
            gain * np.r_[np.zeros(lag), departure[name][: len(drawn) - lag]] for name, gain, lag in signal.parents
        ]
        departure[signal.name] = into.get(signal.name, 0.0) + np.sum(passed, axis=0) + np.zeros(len(drawn))
        units = departure[signal.name] + _slow(drawn) + signal.season * swing
        columns[signal.name] = np.round(signal.level + signal.noise * units, 5)
    return pd.DataFrame(columns)


def _slow(drawn: "np.ndarray") -> "np.ndarray":
    """MA(1) noise of variance 1."""
    import numpy as np

    return np.asarray(0.9 * drawn + 0.436 * np.r_[0.0, drawn[:-1]])
