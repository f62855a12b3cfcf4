"""Model file reader for rescoring, from formats that cannot run code when they are loaded.

The only import of lightgbm, xgboost, onnxruntime and skops.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca.errors import InvalidCase
from rca.record.files.case_folder import REFUSED
from rca.record.files.table_files import PICKLED
from rca.record.files.yaml_document import near, plain, show
from rca.record.model.feature_matrix import matrix_of, numbers_of
from rca.record.model.model import Inside, Model
from rca.record.model.tree_inspection import inspect_trees
from rca.record.schema.incident import ModelFormat

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Scores = np.ndarray[Any, np.dtype[np.float64]]

THREADS = 1
"""Threads that a model may use; the scores do not depend on it."""

LARGEST_UNPACKED = 2_000_000_000
"""Bytes that a packed model may unfold to."""

_BEGINNINGS = {"lightgbm": b"tree", "xgboost": b"{", "onnx": b"\x08", "skops": b"PK\x03\x04"}

_LIBRARIES = {"lightgbm": "lightgbm", "xgboost": "xgboost", "onnx": "onnxruntime", "skops": "skops.io"}

_EXTRAS = {"xgboost": "xgboost", "onnx": "models", "skops": "models"}


def read_model(
    path: Path, form: ModelFormat, *, place: str, columns: Iterable[str] = (), positive: object = 1
) -> Model:
    """Load a model without running code from its file.

    Parameters
    ----------
    path : Path
    form : {'lightgbm', 'xgboost', 'onnx', 'skops'}
    place : str
        Where the record names it.
    columns : iterable of str
        The columns of the tables; a library that rewrites blanks in names has them undone.
    positive : object
        Which class is the positive one, where the model names its classes.

    Raises
    ------
    InvalidCase
        If it is no such model, could run code, or its library is not installed.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidCase.because(f"{show(path.name)} cannot be read: {error.strerror}", place=place) from error
    _refuse_code(raw, path.name, form=form, place=place)
    return _read(raw, form, place=place, columns=columns, positive=positive)


def model_in_memory(held: Any, *, features: Iterable[str] = (), positive: object = 1) -> Model:
    """Wrap a model object or function as a `Model`.

    Parameters
    ----------
    held : Model, lightgbm.Booster or LGBMModel, xgboost.Booster or XGBModel, estimator of scikit-learn, or callable
        A callable takes a frame of the features and gives one number for each row.
    features : iterable of str
        What it reads, where it does not say.
    positive : object
        Which class is the positive one.

    Raises
    ------
    InvalidCase
        If it is none of these, or does not say what it reads.
    """
    if isinstance(held, Model):
        return held
    names, place = tuple(features), "model"
    home = type(held).__module__.partition(".")[0]
    _require_fitted(held, place)
    if home == "lightgbm":
        booster = getattr(held, "booster_", held)
        read = _read(booster.model_to_string().encode(), "lightgbm", place=place, columns=names, positive=positive)
        return _mirrored(read, held, positive)
    if home == "xgboost":
        booster = held.get_booster() if hasattr(held, "get_booster") else held
        read = _read(bytes(booster.save_raw("json")), "xgboost", place=place, columns=names, positive=positive)
        return _mirrored(read, held, positive)
    if hasattr(held, "predict"):
        known = tuple(map(str, getattr(held, "feature_names_in_", names)))
        named, answer, inside = _estimator(held, _named(known, "skops", place), place=place, positive=positive)
        classes = tuple(getattr(held, "classes_", ()))
        return Model(format="skops", features=named, place=place, answer=answer, inside=inside, classes=classes)
    if not callable(held):
        hint = "give a LightGBM, XGBoost or scikit-learn model, or a function of a frame"
        raise InvalidCase.because(f"{type(held).__name__} is no model", place=place, hint=hint)
    return Model(format="function", features=names, place=place, answer=held)


def _require_fitted(held: Any, place: str) -> None:
    if not (hasattr(held, "fit") and hasattr(held, "get_params")):
        return
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(held)
    except NotFittedError as error:
        what = f"{type(held).__name__} is not fitted"
        raise InvalidCase.because(what, place=place, hint="give it as it answered") from error


def _mirrored(model: Model, held: Any, positive: object) -> Model:
    """The same model for its other class, where a binary wrapper has that as the positive one."""
    classes = list(getattr(held, "classes_", ()))
    if len(classes) != 2 or classes[0] != positive or model.inside is None:
        return model
    return replace(model, answer=lambda frame: 1 - model.answer(frame), inside=replace(model.inside, mirrored=True))


def _read(raw: bytes, form: ModelFormat, *, place: str, columns: Iterable[str], positive: object) -> Model:
    library = _library(form, place)
    features, answer, inside = _READERS[form](raw, library, place=place, positive=positive)
    spelled = {re.sub(r"\s", "_", name): name for name in columns}
    known = set(spelled.values())
    names = tuple(name if name in known else spelled.get(name, name) for name in features)
    classes = tuple(getattr(inside.held, "classes_", ())) if inside is not None else ()
    return Model(format=form, features=names, place=place, answer=answer, inside=inside, classes=classes)


def _refuse_code(raw: bytes, name: str, *, form: ModelFormat, place: str) -> None:
    packed = zipfile.is_zipfile(io.BytesIO(raw)) and raw.startswith(b"PK")
    inner = zipfile.ZipFile(io.BytesIO(raw)).namelist() if packed else []
    if raw.startswith((*PICKLED, b"\x1f\x8b")) or any(member.endswith((".pkl", ".pickle")) for member in inner):
        hint = f"save the model in the format of its library, for example {form}'s own"
        raise InvalidCase.because(f"{show(name)} {REFUSED}", place=place, hint=hint)
    if not raw.lstrip().startswith(_BEGINNINGS[form]):
        hint = near(form, (other for other, start in _BEGINNINGS.items() if raw.startswith(start)))
        what = f"{show(name)} does not begin as a model of format {form} does"
        raise InvalidCase.because(what, place=place, hint=hint)


def _library(form: ModelFormat, place: str) -> Any:
    try:
        return import_module(_LIBRARIES[form])
    except ModuleNotFoundError as error:
        hint = f"pip install 'rca-postmortem[{_EXTRAS[form]}]'" if form in _EXTRAS else "pip install lightgbm"
        what = f"{error.name} is not installed, which reads {form} models"
        raise InvalidCase.because(what, place=place, hint=hint) from error


def _not_a_model(form: ModelFormat, error: Exception, place: str) -> InvalidCase:
    said = plain((str(error).splitlines() or [type(error).__name__])[0])
    return InvalidCase.because(f"is no {form} model that can be loaded: {said}", place=place)


# --- readers: from a raw file and its library to the features it reads, and how to ask it -----------------------------

Reader = tuple[tuple[str, ...], "Callable[[pd.DataFrame], Any]", Inside | None]


def _lightgbm(raw: bytes, lightgbm: Any, *, place: str, positive: object) -> Reader:  # noqa: ARG001 - its classes are 0, 1
    text = raw.decode("utf-8", errors="replace")
    try:
        inspect_trees(raw)
        booster = lightgbm.Booster(model_str=text)
    except (lightgbm.basic.LightGBMError, ValueError, LookupError, RecursionError) as error:
        raise _not_a_model("lightgbm", error, place) from error
    features = tuple(booster.feature_name())
    lists = booster.pandas_categorical or []

    def encode(frame: "pd.DataFrame") -> "Scores":
        coded = _categorical(text, frame, len(lists), place=place)
        return matrix_of(frame, dict(zip(coded, lists, strict=True)), place=place)

    def answer(frame: "pd.DataFrame") -> Any:
        return booster.predict(encode(frame), num_threads=THREADS)

    return features, answer, Inside(held=text, encode=encode)


def _categorical(text: str, frame: "pd.DataFrame", count: int, *, place: str) -> list[str]:
    """The columns that LightGBM's `count` lists of categories belong to, in its order.

    The file keeps the lists without their names. It says which features are categorical, but also of those that were
    numbers all along, and it says `none` of one that no tree could use; then the columns of text decide.
    """
    import pandas as pd

    names = [str(name) for name in frame.columns]
    header = re.search(r"^feature_infos=(.*)$", text, flags=re.MULTILINE)
    infos = header.group(1).split(" ") if header else []
    marked = [name for name, info in zip(names, infos, strict=False) if not info.startswith(("[", "none"))]
    worded = [name for name in names if not pd.api.types.is_numeric_dtype(frame[name].dtype)]
    for found in (marked, worded):
        if len(found) == count:
            return found
    what = f"the model has {count} lists of categories, and the table {len(worded)} columns of text"
    raise InvalidCase.because(what, place=place, hint="keep in the tables the columns that the model was trained on")


def _xgboost(raw: bytes, xgboost: Any, *, place: str, positive: object) -> Reader:  # noqa: ARG001 - its classes are 0, 1
    import numpy as np

    try:
        booster = xgboost.Booster({"nthread": THREADS})
        booster.load_model(bytearray(raw))
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise _not_a_model("xgboost", error, place) from error
    names = _named(booster.feature_names, "xgboost", place)
    many = int(json.loads(booster.save_config())["learner"]["learner_model_param"].get("num_class", 0))
    encode = partial(matrix_of, codes=_stored_categories(booster), place=place)

    def ask(frame: "pd.DataFrame", **what: Any) -> Any:
        rows = xgboost.DMatrix(
            encode(frame), feature_names=list(names), feature_types=booster.feature_types, enable_categorical=True
        )
        return booster.predict(rows, **what)

    def answer(frame: "pd.DataFrame") -> Any:
        said = ask(frame)  # `softmax` gives the class alone
        return np.eye(many)[said.astype(int)] if many > 1 and said.ndim == 1 else said

    def contributions(frame: "pd.DataFrame") -> Any:
        return ask(frame, pred_contribs=True).reshape(len(frame), -1, len(names) + 1).astype(float)

    return names, answer, Inside(held=booster, encode=encode, contributions=contributions)


def _stored_categories(booster: Any) -> dict[str, list[Any]]:
    """Categories that an XGBoost file of 3.1 or later keeps, by column; older ones keep none.

    XGBoost 3.2 cuts names beyond ASCII apart, of which nothing can be read.
    """
    if not hasattr(booster, "get_categories"):
        return {}
    found: dict[str, list[Any]] = {}
    for name, values in booster.get_categories(export_to_arrow=True).to_arrow() or ():
        with suppress(UnicodeDecodeError):
            found |= {} if values is None else {name: values.to_pylist()}
    return found


def _skops(raw: bytes, skops: Any, *, place: str, positive: object) -> Reader:
    from skops.io.exceptions import UntrustedTypesFoundException

    _refuse_bomb(raw, place)
    errors = (UntrustedTypesFoundException, ValueError, TypeError, LookupError, AttributeError, ImportError, OSError)
    try:
        strange = skops.get_untrusted_types(data=raw)
        if strange:
            what = f"the model brings types that are not trusted: {', '.join(map(plain, strange))}"
            raise InvalidCase.because(what, place=place, hint="keep to scikit-learn's estimators, or export to ONNX")
        model = skops.loads(raw, trusted=[])
    except errors as error:
        raise _not_a_model("skops", error, place) from error
    names = _named(getattr(model, "feature_names_in_", None), "skops", place)
    return _estimator(model, names, place=place, positive=positive)


def _estimator(model: Any, names: tuple[str, ...], *, place: str, positive: object) -> Reader:
    """An estimator of scikit-learn."""
    inside = Inside(held=model, encode=partial(matrix_of, codes={}, place=place))

    def predict(frame: "pd.DataFrame") -> Any:
        with willing(place):
            return model.predict(frame)

    if not hasattr(model, "predict_proba"):
        return names, predict, inside
    classes = list(model.classes_)
    yes = classes.index(positive) if positive in classes else len(classes) - 1

    def answer(frame: "pd.DataFrame") -> Any:
        with willing(place):
            chances = model.predict_proba(frame)
        return chances if len(classes) > 2 else chances[:, yes]

    return names, answer, inside


@contextmanager
def willing(place: str) -> "Iterator[None]":
    """Translate scikit-learn's refusals (missing values, unknown categories) into messages of a case.

    Raises
    ------
    InvalidCase
        If it refuses the rows.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        said = plain((str(error).splitlines() or [type(error).__name__])[0])
        hint = "leave out such rows, or give a pipeline that reads them"
        raise InvalidCase.because(f"the model refuses the rows: {said}", place=place, hint=hint) from error


def _refuse_bomb(raw: bytes, place: str) -> None:
    try:
        size = sum(member.file_size for member in zipfile.ZipFile(io.BytesIO(raw)).infolist())
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise _not_a_model("skops", error, place) from error
    if size > LARGEST_UNPACKED:
        raise InvalidCase.because(f"the model unfolds to {size:,} bytes", place=place)


def _named(names: Any, form: ModelFormat, place: str) -> tuple[str, ...]:
    """Feature names; a model that only counts its columns is refused."""
    if names is None or not len(names):
        hints = {"onnx": "write them into its metadata as `feature_names`, a JSON list"}
        hint = hints.get(form, "train it on a table with column names")
        raise InvalidCase.because("the model does not name the columns it reads", place=place, hint=hint)
    return tuple(map(str, names))


def _onnx(raw: bytes, onnxruntime: Any, *, place: str, positive: object) -> Reader:
    if b"\x0a\x08location" in raw:  # the key of a tensor that lies in another file, which could be any file
        raise InvalidCase.because("the model keeps weights in another file", place=place, hint="save it as one file")
    session = _session(raw, onnxruntime, place)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) > 1:
        names = tuple(entry.name for entry in inputs)
    else:
        names = _named(_listed(session.get_modelmeta().custom_metadata_map.get("feature_names")), "onnx", place)
    wanted = outputs[-1].name  # a classifier gives labels first, probabilities last

    def answer(frame: "pd.DataFrame") -> Any:
        (said,) = session.run([wanted], _fed(frame, inputs, place=place))
        return _positive_column(said, positive)

    return names, answer, None


def _session(raw: bytes, onnxruntime: Any, place: str) -> Any:
    state = onnxruntime.capi.onnxruntime_pybind11_state
    errors = (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.InvalidArgument, state.NoSuchFile,
              state.NotImplemented, state.RuntimeException, ValueError)  # fmt: skip
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = THREADS, 1, 4
    try:
        return onnxruntime.InferenceSession(raw, sess_options=options, providers=["CPUExecutionProvider"])
    except errors as error:
        raise _not_a_model("onnx", error, place) from error


def _listed(text: str | None) -> list[str]:
    """The names in a metadata entry: a JSON list, or words apart by commas."""
    if not text:
        return []
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = [name.strip() for name in text.split(",")]
    return [str(name) for name in names] if isinstance(names, list) else []


def _fed(frame: "pd.DataFrame", inputs: list[Any], *, place: str) -> dict[str, Any]:
    """The rows as the model's inputs: one matrix, or one column each."""
    import numpy as np

    sorts = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64,
             "tensor(int32)": np.int32, "tensor(bool)": np.bool_}  # fmt: skip
    if len(inputs) == 1:
        return {inputs[0].name: matrix_of(frame, {}, place=place).astype(sorts.get(inputs[0].type, np.float32))}
    fed = {}
    for entry in inputs:
        column = frame[entry.name]
        if entry.type == "tensor(string)":
            fed[entry.name] = column.astype(str).to_numpy(dtype=object).reshape(-1, 1)
        else:
            fed[entry.name] = numbers_of(column, place).astype(sorts.get(entry.type, np.float32)).reshape(-1, 1)
    return fed


def _positive_column(said: Any, positive: object) -> Any:
    """Probability of the positive class from an ONNX classifier: a matrix, or a mapping by class for each row."""
    import numpy as np

    if isinstance(said, list) and said and isinstance(said[0], dict):
        classes = list(said[0])
        yes = positive if positive in classes else classes[-1]
        return [row[yes] for row in said] if len(classes) <= 2 else [[row[one] for one in classes] for row in said]
    numbers = np.asarray(said, dtype=np.float64)
    return numbers[:, 1] if numbers.ndim == 2 and numbers.shape[1] == 2 else numbers


_READERS: dict[str, Callable[..., Reader]] = {
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
    "onnx": _onnx,
    "skops": _skops,
}
