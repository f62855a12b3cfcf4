"""Each line of the ledger says which law it is of, and of which example."""

import pytest

from tests.statistical.promises import CURRENT, told


@pytest.fixture(autouse=True)
def _under_test(request):
    spec = getattr(request.node, "callspec", None)
    params = spec.params if spec is not None else {}
    CURRENT["law"] = request.node.originalname.removeprefix("test_").replace("_", " ")
    CURRENT["examples"] = tuple(told(value) for name, value in params.items() if name != "draws")
