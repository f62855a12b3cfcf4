"""Words and tables of how the model's reasons changed: nothing that says nothing, and hostile ones as text."""

from dataclasses import replace

from rca.report.parts.explanation import sections as explanation_sections
from tests.report.reasons import updated


def test_the_method_says_scale_error_and_what_one_or_two_models_mean(shift):
    one = explanation_sections.method(shift)
    assert "log-odds" in one
    assert "sampled" not in one
    assert "One model explains both windows" in one
    assert "same rows, two models" in explanation_sections.method(updated(shift))
    assert "may be two" in explanation_sections.method(replace(shift, models=2))
    sampled = explanation_sections.method(
        replace(shift, method="by asking", error=0.012, assumptions=("rows are alike",))
    )
    assert "sampled values are off by 0.012 on average" in sampled
    assert "<li>Rows are alike.</li>" in sampled


def test_the_table_of_reasons_has_no_columns_that_say_nothing(shift):
    bare = explanation_sections.reasons(replace(shift, reasons=tuple(replace(one, loss=None) for one in shift.reasons)))
    assert "loss" not in bare
    assert "by the new model" not in bare
    assert "loss (nats)" in explanation_sections.reasons(shift)
    assert "by the new model" in explanation_sections.reasons(updated(shift))


def test_parts_of_the_rows_that_changed_immaterially_are_counted_and_not_listed(shift):
    told = explanation_sections.cohorts(shift)
    assert "region=north" in told
    assert "region=south" not in told
    assert "Left out, as they changed less: 1 part of the rows." in told


def test_hostile_words_are_escaped_in_every_table(shift, hostile):
    evil = replace(
        shift,
        reasons=tuple(replace(one, column=hostile) for one in shift.reasons),
        cohorts=tuple(replace(one, cohort=hostile, column=hostile, change=0.5) for one in shift.cohorts),
        assumptions=(hostile,),
        loss_unit=hostile,
    )
    for told in (
        explanation_sections.method(evil),
        explanation_sections.reasons(evil),
        explanation_sections.cohorts(evil),
    ):
        assert "alert" in told
        assert not [bad for bad in ("<script", "<img", "\x1b", "\u202e", "ann@example") if bad in told]
