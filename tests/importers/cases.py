"""Cases into which tests import: new ones, with payloads as files beside them."""

import hashlib

import yaml

from rca.importers.fact import Given
from rca.importers.importing import import_files
from rca.record.case import load, scaffold
from tests.importers.simulated import WITH, raw


def put(folder, name, content):
    """A payload as a file."""
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / name
    path.write_bytes(content)
    return path


def taken(folder, *forms, case=None, **given):
    """A case into which payloads were imported one after the other, and the last answer."""
    case = case or scaffold(folder, "cards")
    done = None
    for number, form in enumerate(forms):
        file = put(folder / "in", f"{number}.{'csv' if raw(form)[:1] not in b'[{' else 'json'}", raw(form))
        said = Given(**given) if given else WITH.get(form, Given())
        done = import_files(case, [file], by=form[0], given=said)
    return case, done


def value(case):
    """The record as plain values."""
    return yaml.safe_load((case / "incident.yaml").read_text(encoding="utf-8"))


def bytes_of(case):
    """Every file of a case by its digest."""
    files = sorted(path for path in case.rglob("*") if path.is_file())
    return {path.relative_to(case).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def moments(case):
    """The moments on record, as text."""
    return {name: at.isoformat().replace("+00:00", "Z") for name, at in load(case).incident.timeline.moments()}
