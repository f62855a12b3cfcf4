"""Detectors: what has the form of personal data and its check digits is found; times, versions and measures are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rca.tables.personal_data import found_in, iban, luhn, replaced


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ann.lee+x@mail.example.org", "email"),
        ("GB82 WEST 1234 5698 7654 32", "iban"),
        ("NL91ABNA0417164300", "iban"),
        ("4111-1111-1111-1111", "card"),
        ("12345678Z", "identity"),
        ("X1234567L", "identity"),
        ("RSSMRA85T10A562S", "identity"),
        ("2 55 08 14 168 025 38", "identity"),
        ("131052-308T", "identity"),
        ("529.982.247-25", "identity"),
        ("811228-9874", "identity"),
        ("123-45-6789", "identity"),
        ("192.0.2.117", "ip"),
        ("2001:db8::ff00:42:8329", "ip"),
        ("+49 30 1234567", "phone"),
        ("123456789", "number"),
        ("Idiots", "word"),
    ],
)
def test_it_is_found_within_a_sentence_and_alone(text, kind):
    for told in (text, f"they wrote {text}: please", f"({text})"):
        assert [(hit.kind, told[hit.start : hit.end]) for hit in found_in(told)] == [(kind, text)]


@pytest.mark.parametrize(
    "text",
    [
        "GB83 WEST 1234 5698 7654 32"[:14],
        "12345678A",
        "RSSMRA85T10A562T",
        "131052-308U",
        "811228-9875",
        "256.1.2.3",
        "version 1.2.3.4",
        "v1.2.3.4",
        "09:10:00",
        "2026-05-02T09:10:00Z",
        "a::b",
        "0.123456789",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "shiitake, a Dutch dyke, putative idiopathic spasticity in Scunthorpe",
    ],
)
def test_what_has_no_check_digits_or_is_something_else_is_left(text):
    assert found_in(text) == []


@given(st.integers(0, 10**15 - 1), st.integers(1, 9), st.integers(0, 15))
def test_one_wrong_digit_is_no_card(number, more, place):
    digits = next(text for last in range(10) if luhn(text := f"{number:015d}{last}"))
    wrong = f"{digits[:place]}{(int(digits[place]) + more) % 10}{digits[place + 1 :]}"
    assert luhn(digits) == 16
    assert luhn(wrong) == 0


@given(st.integers(0, 10**18 - 1), st.integers(1, 9), st.integers(4, 21))
def test_one_wrong_digit_is_no_account(number, more, place):
    check = 98 - int(f"{number:018d}131400") % 97  # DE
    account = f"DE{check:02d}{number:018d}"
    wrong = f"{account[:place]}{(int(account[place]) + more) % 10}{account[place + 1 :]}"
    assert iban(account) == 22
    assert iban(wrong) != 22


@given(st.text(alphabet="0123456789 .-+@:abcXYZ/()"))
def test_what_is_replaced_is_not_found_again(text):
    told = replaced(text, lambda *_: "▮")
    assert found_in(told) == [] or found_in(told) != found_in(text)
    assert replaced(text, lambda _, said: said) == text
