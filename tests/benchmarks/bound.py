"""What must leak in protocol D by chance alone: the division by one who has model and graph, and learns nothing.

Usage: python bound.py --seeds 60 --json FILE     (the kit's folder `accuracy` and the project on the path)

Given the graph, the best that rows can say of a mechanism is how often each of its values came up in every setting of
its parents. The features are independent given G and Y, so the loss of every coalition follows from the model itself,
asked about features that are drawn anew from the rows of the window that the coalition takes them from. Beside it our
own division of the same rows, and whether its interval holds what the draw's own model lost on a million fresh rows.
"""
# ruff: noqa: T201 - a program that prints what it measured

import argparse
import importlib
import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd

from rca.methods.shapley import shapley

ROWS = 5000
ASKED = 40_000
FRESH = 500_000
FEATURES = ("X1", "X2", "X3")
NODES = ("G", "Y", *FEATURES)


def of_the_kit():
    """The protocol's program, which lies beside the repository."""
    return importlib.import_module("d_why_model_failed")


def ours(old, new, edges, seed):
    """What this project says."""
    return importlib.import_module("adapters").attribute(old, new, edges, "loss", seed, 0.95)


def drawn(seed):
    """The model and both windows, as the protocol draws them."""
    kit = of_the_kit()
    rng = np.random.default_rng(seed)
    train, old, new = kit.draw(rng, 3 * ROWS, 0.9), kit.draw(rng, ROWS, 0.9), kit.draw(rng, ROWS, 0.1)
    model = kit.fit(train, seed)
    return model, *(frame.assign(loss=kit.squared_error(model, frame)) for frame in (old, new))


def losses(model, windows, rng):
    """Mean loss in every setting of G and Y, with each feature from one window or the other."""
    kit = of_the_kit()
    found = {}
    for g, y in itertools.product((0, 1), repeat=2):
        cells = [rows[(rows["G"] == g) & (rows["Y"] == y)] for rows in windows]
        for seats in itertools.product((0, 1), repeat=len(FEATURES)):
            columns = {
                name: _spread(cells[seat][name].to_numpy(), rng) for name, seat in zip(FEATURES, seats, strict=True)
            }
            found[g, y, seats] = kit.squared_error(model, pd.DataFrame(columns | {"Y": y})).mean()
    return found


def _spread(values, rng):
    """Every value as often as any other, in any order."""
    times = -(-ASKED // len(values))
    return np.concatenate([rng.permutation(values) for _ in range(times)])[:ASKED]


def divided(windows, found):
    """Shapley values of the mechanisms, by frequencies alone."""

    def value(seated):
        taken = {node: windows[int(node in seated)] for node in NODES}
        seats = tuple(int(name in seated) for name in FEATURES)
        up = taken["G"]["G"].mean()
        total = 0.0
        for g, y in itertools.product((0, 1), repeat=2):
            rows = taken["Y"]
            chance = rows["Y"][rows["G"] == g].mean()
            total += (up if g else 1 - up) * (chance if y else 1 - chance) * found[g, y, seats]
        return total

    return shapley(value, NODES)


def once(seed):
    """Shares of the change that leak, by chance alone and by ours, and whether ours holds the model's own change."""
    kit, (model, old, new) = of_the_kit(), drawn(seed)
    rng = np.random.default_rng([7, seed])
    best = divided((old, new), losses(model, (old, new), rng))
    change = new["loss"].mean() - old["loss"].mean()
    found = ours(old, new, kit.EDGES, seed)
    before, after = (kit.squared_error(model, kit.draw(rng, FRESH, q)).mean() for q in (0.9, 0.1))
    missed = sum(abs(best[node]) for node in NODES if node != "Y")
    strayed = sum(abs(part) for node, (part, *_) in found.items() if node != "Y")
    return [missed / change, strayed / change, found["Y"][1] <= after - before <= found["Y"][2]]


def main():
    """Run the draws, print the figures, and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    runs = np.array([once(seed) for seed in range(options.seeds)], dtype=float)
    apart = runs[:, 1] - runs[:, 0]
    rows = [
        {"name": "leaked by chance alone: model and graph known, nothing learned", "seen": runs[:, 0].mean()},
        {"name": "what ours leaks more than that", "seen": apart.mean()},
        {"name": "standard error of that difference", "seen": apart.std(ddof=1) / len(apart) ** 0.5},
        {"name": "coverage, Y, of the change of each draw's own model", "seen": runs[:, 2].mean()},
    ]
    print(*(f"{row['name']}: {row['seen']:.4f}" for row in rows), sep="\n")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows}), encoding="utf-8")


if __name__ == "__main__":
    main()
