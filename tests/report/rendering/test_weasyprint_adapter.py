"""The page on paper without a browser, or one sentence that says what to install."""

import sys
from types import ModuleType

import pytest

from rca.errors import RunFailed
from rca.report.rendering.weasyprint_adapter import to_paper

PAGE = (
    "<!doctype html><html lang='en'><title>t</title><h1>A page</h1><img alt='a' src='http://127.0.0.1:9/x.png'></html>"
)


def test_what_is_not_installed_is_named_with_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(RunFailed, match=r"install Chromium, or WeasyPrint: pip install 'rca-postmortem\[print\]'"):
        to_paper(PAGE)


def test_a_library_that_it_draws_text_with_is_named_too(monkeypatch):
    class Broken(ModuleType):
        def __getattr__(self, name):
            raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setitem(sys.modules, "weasyprint", Broken("weasyprint"))
    with pytest.raises(RunFailed, match="apt-get install libpango"):
        to_paper(PAGE)


def test_a_page_is_printed_with_tags_and_nothing_is_fetched():
    pytest.importorskip("weasyprint")
    assert to_paper(PAGE).startswith(b"%PDF")
