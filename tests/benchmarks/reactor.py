"""Score the shared cases of a simulated reactor with a graph of its units that was written from public descriptions.

Usage: PYTHONPATH=. python tests/benchmarks/reactor.py [--family nppad]

Each case is copied to a temporary folder and given `reactor_graph.yaml`; `rca score` reads the answers. Cases are
looked for beside the repository, or where the variable RCA_CASES says.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from quiet import CASES

GRAPH = Path(__file__).with_name("reactor_graph.yaml")


def main():
    """Copy, add the graph, score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", default="nppad")
    options = parser.parse_args()
    if not CASES.is_dir():
        sys.exit(f"skipped: the cases are not beside the repository ({CASES.parent.name}/{CASES.name})")
    with tempfile.TemporaryDirectory() as folder:
        for case in sorted(CASES.glob(f"{options.family}-*")):
            place = Path(folder) / case.name
            shutil.copytree(case, place)
            shutil.copy(GRAPH, place / "graph.yaml")
            told = place / "incident.yaml"
            told.write_text(told.read_text(encoding="utf-8") + "graph: graph.yaml\n", encoding="utf-8")
        return subprocess.run([sys.executable, "-m", "rca", "score", folder, "--quiet"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
