"""Duties in the post-mortem and its brief: clocks, drafts, proof of what was sent, frameworks."""

import html
import io
import re

import pytest

from rca.analysis.conclusion.analysis import Analysis
from rca.analysis.conclusion.verdict import Verdict
from rca.record.obligations.drafts import draft
from rca.record.schema.incident import Incident
from rca.report.brief.board import _UNREAD
from rca.report.brief.duties import MOST, duties
from rca.report.brief.facts import Facts
from rca.report.postmortem.context import PostmortemContext
from rca.report.postmortem.duties import draft_document, draft_section, drafts, frameworks, obligations
from rca.report.rendering.document import Grid
from tests.conftest import HOSTILE
from tests.record.obligations.situation import incident_of

FACTS = {"personal_data_breach": True, "risk_to_persons": True, "high_risk_to_persons": True}
DORA = {"dora_entity": True, "major_ict_incident": True}
CODE = {"gpai_systemic": True, "gpai_code_followed": True, "serious_incident": True, "death": True}

AWARE = {"aware": "2026-03-01T09:00Z"}
SENT = {"regime": "gdpr-33", "report_type": "initial", "submitted_at": "2026-03-03T09:00Z"}


def post_of(facts=FACTS, **more):
    record = incident_of(["de"], facts=facts, stamps=AWARE, as_of="2026-03-20T09:00Z", **more)
    verdict = Verdict(status="cannot_tell", summary="Nothing can be told.")
    analysis = Analysis(incident=record.id, seed=0, alpha=0.05, verdict=verdict)
    return PostmortemContext(incident=record, whys=(), analysis=analysis, inputs={})


def plain(markup):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def test_a_duty_stands_with_its_state_deadline_law_and_addressee():
    told = plain(obligations(post_of()))
    assert "GDPR: notify, with reasons if late; in phases if need be (33(4)) late by 2026-03-04 10:00+01:00" in told
    assert "Reg. (EU) 2016/679 Art. 33(1)" in told
    assert "supervisory authority" in told
    assert "What would have to be known first:" in told
    assert "nothing is sent from here" in told


def test_a_report_sent_stands_with_its_proof_or_without_one():
    told = plain(obligations(post_of(sent=[SENT | {"evidence": ["sources/receipt.txt"]}, SENT | {"regime": "osha"}])))
    assert "gdpr-33 initial 2026-03-03 09:00+00:00 sources/receipt.txt" in told
    assert "osha initial 2026-03-03 09:00+00:00 no proof on record" in told


def test_a_duty_that_does_not_hold_has_no_draft_and_a_form_that_was_not_read_says_so():
    assert [one.form for one in drafts(post_of({}))] == ["oecd_29"]
    assert drafts(post_of(CODE))[0].form == "gpai_2025_11_04"
    found = {one.form: one for one in drafts(post_of(DORA))}
    assert "order not known" in plain(draft_section(found["dora_its_2025_302"]))


def test_a_draft_is_a_table_in_the_order_of_its_form_with_keys_and_missing_fields():
    record = incident_of(["de"], facts={}, stamps={}, summary="It froze.")
    found = draft(record, "osha_1904_39")
    told = plain(draft_section(found))
    assert [told.index(one.label) for one in found.entries] == sorted(told.index(one.label) for one in found.entries)
    assert "It froze. [summary]" in told
    assert told.count("MISSING") == len(found.missing) == 7


def test_a_draft_becomes_a_document_and_a_word_file():
    found = draft(incident_of(["de"], facts={}, stamps={}, title=HOSTILE), "oecd_29")
    (grid,) = [one for one in draft_document(found).blocks if isinstance(one, Grid)]
    assert len(grid.rows) == 29
    docx = pytest.importorskip("docx")
    from rca.report.rendering.docx_writer import to_docx

    read = docx.Document(io.BytesIO(to_docx(draft_document(found))))
    assert len(read.tables[0].rows) == 30
    assert read.paragraphs[0].text.startswith("DRAFT, not sent: OECD")


def test_the_frameworks_are_told_item_by_item_for_an_auditor():
    told = plain(frameworks(post_of()))
    assert re.search(r"NIST AI RMF 1.0: \d+ of \d+ items have all their evidence on record", told)
    assert "ISO/IEC 42001" in told
    assert "postmortem.owner" in told


# --- in the brief ----------------------------------------------------------------------------------------------------


def block_of(facts=FACTS, status="cannot_tell", **more):
    record = post_of(facts, **more).incident
    verdict = {**_UNREAD["verdict"], "status": status}
    return duties(Facts(incident=record, results={**_UNREAD, "verdict": verdict}))


def test_the_brief_tells_what_is_overdue_what_was_sent_and_its_proof():
    assert "overdue by 16 d, due 4 Mar, 09:00" in plain(block_of())
    told = plain(block_of(sent=[SENT | {"evidence": ["sources/receipt.txt"]}]))
    assert "Notify, with reasons if late: sent to the supervisory authority 3 Mar, 09:00, in time" in told
    assert "due 4 Mar, 09:00" in told
    assert "Proof of GDPR-33 initial: sources/receipt.txt." in told
    assert "Proof of GDPR-33 initial: no proof on record." in plain(block_of(sent=[SENT]))


def test_the_block_stays_small_whatever_runs():
    told = block_of(FACTS | DORA | CODE | {"nis2_entity": True, "significant_incident": True})
    assert told.count("<dt>") == MOST
    assert re.search(r"The evidence has \d+ more\.", told)
    assert len(plain(told).split()) < 150


def test_where_nothing_was_wrong_and_no_limit_runs_there_is_no_block():
    assert block_of({}, status="no_incident") == ""
    assert "No time limit runs by the facts on record." in plain(block_of({}))
    assert "overdue" in block_of(FACTS, status="no_incident")


def test_a_decision_not_to_report_is_told_with_who_and_why():
    decided = {
        "regime": "gdpr-33",
        "not_reportable_because": f"no risk {HOSTILE}",
        "by": "dpo",
        "decided_at": "2026-03-02T09:00Z",
    }
    told = block_of(sent=[decided])
    assert "Decided not to report by dpo, 2026-03-02 09:00+00:00: no risk" in plain(told)
    assert "Decided to send no" not in plain(told)
    assert "<script" not in told
    beside = block_of({"personal_data_breach": False}, sent=[decided])
    assert "Decided to send no GDPR-33 (dpo, 2 Mar, 09:00): no risk" in plain(beside)
    assert "<script" not in beside


def test_the_record_knows_the_new_keys():
    known = Incident.model_json_schema()["$defs"]
    assert {"evidence", "decided_at", "by"} <= set(known["Notification"]["properties"])
    assert {"money_interval", "penalties", "penalties_interval"} <= set(known["Impact"]["properties"])
    assert set(known["Decision"]["properties"]) == {"asked", "options"}
