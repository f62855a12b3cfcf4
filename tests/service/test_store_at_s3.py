"""The store at an S3 that is one: moto's server, where it is installed along with s3fs."""

import json
import os
import subprocess
import sys
import threading

import pytest

from rca.service.store import Store, require_fsspec
from tests.service.running import until
from tests.service.test_store import published

pytestmark = pytest.mark.prove


@pytest.fixture
def bucket(monkeypatch):
    """A bucket of a server of its own."""
    pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    import fsspec

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5056")
    command = [sys.executable, "-m", "moto.server", "-p", "5056"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ) as server:
        system = fsspec.filesystem("s3", skip_instance_cache=True, use_listings_cache=False)

        def made():
            try:
                return system.mkdir("rca-reports") or True
            except OSError:
                return False

        until(made, 30)
        yield system
        server.kill()


def test_whoever_begins_at_a_card_reads_a_whole_report_while_others_are_published(tmp_path, bucket):
    store, broken, seen, stop = Store(tmp_path, url="s3://rca-reports/x"), [], set(), threading.Event()
    require_fsspec(str(store.url))

    def read():
        while not stop.is_set():
            try:
                card = json.loads(bucket.cat_file("rca-reports/x/.cards/a.json"))
            except FileNotFoundError:
                continue
            results = json.loads(bucket.cat_file(f"rca-reports/x/.runs/{card['run']}/results.json"))
            broken.extend([card] if results["verdict"]["summary"] != card["summary"] else [])
            seen.add(card["run"])

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(10):
        (tmp_path / "a").unlink(missing_ok=True)
        published(tmp_path, "a", summary=str(number), digest=f"{number:012x}")
        store.put("a", told={"title": "it"})
    stop.set()
    reader.join()
    assert broken == []
    assert len(seen) > 1
    assert store.expire(days=1, hold=["a"]) == []
