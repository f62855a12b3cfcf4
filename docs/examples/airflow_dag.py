"""Airflow: the report of one incident, when another DAG says that it has closed (`conf={"case": "credit-drift"}`)."""

import json
import subprocess
from typing import Any

import pendulum
from airflow.sdk import dag, task


@dag(schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False, tags=["rca"])
def post_mortem() -> None:
    """Run a case and hand on its verdict."""

    @task(retries=2)
    def verdict(**context: Any) -> str:
        case = f"cases/{context['dag_run'].conf['case']}"
        command = ["rca", "run", case, "--out", "reports", "--quiet", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["results"]["verdict"]["summary"]

    verdict()


post_mortem()
