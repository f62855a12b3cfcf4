"""What a model says of rows, of several classes too, and why it cannot be asked."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from rca.errors import Unanswerable
from rca.record.model.model import Model
from rca.record.model.model_file import model_in_memory
from tests.record.model.test_model_file import answer, rows


@pytest.mark.parametrize("named", [True, False])
def test_probabilities_of_several_classes_come_as_a_matrix(named):
    table = rows().drop(columns="city").astype({"new": int})
    fitted = LogisticRegression(max_iter=500).fit(table, table["tier"].map({3: "a", 5: "b", 9: "c"}))
    model = model_in_memory(fitted) if named else model_in_memory(fitted.predict_proba, features=table.columns)
    np.testing.assert_allclose(model.chances(table), fitted.predict_proba(table))
    assert model.classes == (("a", "b", "c") if named else ())
    assert model.refusal(table) == ""
    with pytest.raises(Unanswerable, match="more than two classes"):
        model.scores(table)


def test_a_model_says_why_it_cannot_be_asked():
    table = rows().drop(columns="city").astype({"new": int})
    model = model_in_memory(LogisticRegression(max_iter=50).fit(table, answer(rows()) > 1))
    assert model.refusal(table) == ""
    assert "the model refuses the rows" in model.refusal(table.assign(tier=np.nan))
    assert "no such column" in model.refusal(table.drop(columns="tier"))


def test_a_model_reads_its_columns_in_its_order_and_no_others():
    seen = []
    model = Model(
        format="function", features=("tier", "code"), place="model", answer=lambda it: seen.extend(it) or it["code"]
    )
    assert model.scores(rows()).tolist() == rows()["code"].tolist()
    assert seen == ["tier", "code"]
