"""Description of an archived report for machines: RO-Crate 1.1 metadata, as JSON-LD.

The run is a CreateAction, as the Process Run Crate profile has it: from the inputs, by this package, the report.

Source: RO-Crate Metadata Specification 1.1, 4 Root Data Entity, 5 Data Entities, and 9 Provenance.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from rca.report.manifest.integrity import Record
from rca.report.manifest.standalone import PAGE, RESULTS, SELF
from rca.report.rendering.plain_text import plain

CRATE = "ro-crate-metadata.json"
SPECIFICATION, PROFILE = "https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/wfrun/process/0.5"
CONTEXT = [f"{SPECIFICATION}/context", {"sha256": "https://schema.org/sha256"}]
"""Version 1.1 has no word for a digest of this kind; schema.org has."""

LICENCE = "None is stated with the report; ask whoever issued it."
FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".py": "text/x-python",
    ".yaml": "application/yaml",
}
SAYS = {
    PAGE: "The report as one page, to be read offline",
    RESULTS: "What the report concludes, for programs",
    SELF: "Checks the report; needs Python alone: python -I verify.py",
}


def crate(made: Record, files: Mapping[str, Record], *, report: str, case: str, when: str) -> Record:
    """RO-Crate metadata of a payload.

    Parameters
    ----------
    made : dict
        The manifest of the report.
    files : dict
        Path in the payload → digest and size, of every file there.
    report, case : str
        Where the report lies in the payload, and where its inputs lie or would lie.
    when : str
        When the report was made, ISO 8601.
    """
    inputs = {f"{case}/{name}": said for name, said in made["inputs"].items()}
    absent = {f"#input/{quote(name)}": said for name, said in inputs.items() if name not in files}
    results = [quote(name) for name in files if PurePosixPath(name).parent == PurePosixPath(report)]
    packages = {"python": made["environment"]["python"], **made["environment"]["packages"]}
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Post-mortem of the AI incident {plain(made['incident'], 200)}",
        "description": "Executed notebooks, a page to read, results for programs, and a manifest of digests.",
        "datePublished": when,
        "license": LICENCE,
        "conformsTo": {"@id": PROFILE},
        "hasPart": [{"@id": quote(name)} for name in files],
        "mentions": {"@id": "#run"},
    }
    action = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "Run of the notebooks on the case",
        "endTime": when,
        "instrument": {"@id": "#rca"},
        "object": [{"@id": one} for one in (*absent, *(quote(name) for name in inputs if name in files))]
        + [{"@id": f"#parameter/{quote(name)}"} for name in made["parameters"]],
        "result": [{"@id": one} for one in results],
    }
    about = {"@id": CRATE, "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": SPECIFICATION}}
    profile = {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    entities = [*_parts(files, "File"), *_parts(absent, "CreativeWork"), *_values(made["parameters"])]
    return {"@context": CONTEXT, "@graph": [about, root, profile, action, *_software(made, packages), *entities]}


def _parts(files: Mapping[str, Record], kind: str) -> Iterator[Record]:
    """Files that are there, or inputs that are known by their digest."""
    for name, said in files.items():
        path = PurePosixPath(name)
        form = FORMATS.get(path.suffix)
        yield {
            "@id": quote(name) if kind == "File" else name,
            "@type": kind,
            "name": path.name,
            "contentSize": str(said["bytes"]),
            "sha256": said["sha256"],
            **({"encodingFormat": form} if form else {}),
            **({"description": SAYS[path.name]} if path.name in SAYS and kind == "File" else {}),
        }


def _values(parameters: Mapping[str, Any]) -> Iterator[Record]:
    for name, value in parameters.items():
        yield {"@id": f"#parameter/{quote(name)}", "@type": "PropertyValue", "name": name, "value": str(value)}


def _software(made: Record, packages: Mapping[str, str]) -> Iterator[Record]:
    """The package that ran, and those that a number of the report may depend on."""
    kind, code = "SoftwareApplication", made["code"]
    needed = [{"@id": f"#software/{quote(name)}"} for name in packages]
    rca = {"@id": "#rca", "@type": kind, "name": "rca", "softwareVersion": code["version"], "sha256": code["sha256"]}
    yield {**rca, "softwareRequirements": needed}
    for name, version in packages.items():
        yield {"@id": f"#software/{quote(name)}", "@type": kind, "name": name, "softwareVersion": version}
