"""The fault rules in the order in which they are asked."""

from collections.abc import Mapping

from rca.analysis.faults.rule import FaultRule
from rca.analysis.faults.rules.clipped_values import CLIPPED
from rca.analysis.faults.rules.recoding import RECODED
from rca.analysis.faults.rules.retyped_values import RETYPED
from rca.analysis.faults.rules.single_value import DEFAULT_VALUE, FROZEN, MISSING, NEW_VALUES
from rca.analysis.faults.rules.stale_values import STALE
from rca.analysis.faults.rules.swapped_columns import SWAPPED
from rca.analysis.faults.rules.truncated_values import NOISIER, TRUNCATED
from rca.analysis.faults.rules.unit_change import SCALED, SHIFTED
from rca.finding import Fault

RULES: tuple[FaultRule, ...] = (
    RETYPED,
    MISSING,
    CLIPPED,
    TRUNCATED,
    FROZEN,
    DEFAULT_VALUE,
    SCALED,
    SHIFTED,
    SWAPPED,
    STALE,
    RECODED,
    NEW_VALUES,
    NOISIER,
)
"""Values lost, values changed, values exchanged, names changed."""

RULE_OF: Mapping[Fault, FaultRule] = {rule.kind: rule for rule in RULES if rule is not NOISIER}
"""The rule of each kind of fault; a distribution that moved is none."""
