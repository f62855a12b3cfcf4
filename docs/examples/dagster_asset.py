"""Dagster: the report of a case as an asset, one a partition, with verdict and digest as its metadata."""

import json
import subprocess

import dagster

cases = dagster.DynamicPartitionsDefinition(name="cases")


@dagster.asset(partitions_def=cases)
def report(context: dagster.AssetExecutionContext) -> dagster.MaterializeResult:
    """Run one case."""
    command = ["rca", "run", f"cases/{context.partition_key}", "--out", "reports", "--quiet", "--json"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    verdict = said["results"]["verdict"]
    told = {"report": said["report"], "digest": said["digest"], "status": verdict["status"], "says": verdict["summary"]}
    return dagster.MaterializeResult(metadata=told)


defs = dagster.Definitions(assets=[report])
