"""Prefect: reports of all cases of a folder; a run that fails fails the flow, with its reason."""

import json
import subprocess

from prefect import flow, task


@task(retries=2, retry_delay_seconds=60)
def batch(cases: str, out: str) -> dict:
    """Run what is not up to date."""
    command = ["rca", "batch", cases, "--out", out, "--quiet", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout or done.stderr)
    return json.loads(done.stdout)


@flow
def post_mortems(cases: str = "cases", out: str = "reports") -> dict:
    """Reports of a folder of cases."""
    return batch(cases, out)["counts"]


if __name__ == "__main__":
    post_mortems()
