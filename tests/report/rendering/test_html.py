"""HTML from outside: rebuilt from allowed tags and text alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.report.rendering import html as markup

ALLOWED = re.compile(r"</?([a-z0-9]+)((?: (?:class|scope|href)=\"[^\"<>]*\")*)>")


@given(st.text())
def test_sanitized_html_is_made_of_allowed_tags_and_text(text):
    rebuilt = markup.sanitize(text)
    assert not re.search("[<>]", ALLOWED.sub("", rebuilt))


@pytest.mark.parametrize(
    "text",
    [
        "<p style='x'>a</p>",
        "<p onclick=alert(1)>a</p>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href='//evil.example'>a</a>",
        "<svg><a href='#x'>a</svg>",
        "<table><tr><td background='x'>a",
        "<p class='rca-note evil'>a</p>",
    ],
)
def test_what_is_not_allowed_does_not_pass(text):
    rebuilt = markup.sanitize(text)
    assert not re.search(r"style|onclick|javascript|evil|svg|background", rebuilt)
    assert rebuilt.count("<") % 2 == 0


@given(st.lists(st.dictionaries(st.just("a"), st.text(), min_size=1), min_size=1))
def test_tables_hold_whatever_text_they_are_given(rows):
    made = markup.table(rows, "of texts")
    assert markup.sanitize(made) == made
