"""Names of people become roles; places where an inquiry ends at somebody's fault are found."""

import pytest

from rca.record.why_tree.blameless import blameless, people_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Maria paged risk", ("Maria",)),
        ("Maria Lopez's change", ("Maria Lopez",)),
        ("a change by Mr. Smith", ("Mr. Smith",)),
        ("Yesterday Maria Lopez paged", ("Maria Lopez",)),
        ("Maria Lopez's Bank", ("Maria Lopez",)),
        ("San Diego and Santa Maria, the Adam optimizer", ()),
        ("ask jo.doe@example.org", ("jo.doe@example.org",)),
        ("@ops-lead said so", ("@ops-lead",)),
        ("Credit Risk, Grace and Will, May and June", ()),
        ("the mark was missed; version v12@sha", ()),
    ],
)
def test_names_of_people_are_found(text, found):
    assert people_in(text) == found


def test_names_on_record_become_their_roles_wherever_they_stand():
    record = {"what": "Xu Li and Maria Lopez met", "n": 3, "list": ["Xu Li"], "pair": ("Maria's", None)}
    people = {"Xu Li": "the on-call engineer", "Maria Lopez": "the reviewer"}
    assert blameless(record, people) == {
        "what": "the on-call engineer and the reviewer met", "n": 3, "list": ["the on-call engineer"],
        "pair": ("a person's", None),
    }  # fmt: skip


def test_a_product_that_is_called_like_a_person_keeps_its_name():
    assert blameless("Julia 2.0 answered", keep={"Julia"}) == "Julia 2.0 answered"
