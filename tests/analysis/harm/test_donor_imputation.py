"""Values of similar rows, and only such as a wrong value can have been."""

import numpy as np
import pandas as pd

from rca.analysis.harm.donor_imputation import Draw


def test_a_donor_gives_the_possible_value_of_its_own_rank():
    pool = pd.DataFrame({"x": np.arange(1.0, 11.0)})
    drawn = Draw(rows=pd.DataFrame({"x": [5.0, 5.0, 5.0]}), pool=pool, donors=np.array([[0], [9], [0]]))
    wrong = np.array([True, True, False])
    assert drawn.given("x", wrong, possible=(pool["x"] > 5).to_numpy()).tolist() == [6.0, 10.0, 5.0]
    assert drawn.given("x", wrong, possible=np.zeros(10, dtype=bool)).tolist() == [1.0, 10.0, 5.0]
    assert drawn.given("x", wrong).tolist() == [1.0, 10.0, 5.0]
