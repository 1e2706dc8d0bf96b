from random import Random

from hypothesis import given
from hypothesis import strategies as st
from runway_core.domain.findings import Evidence, Finding, RunwayEffect, Severity
from runway_core.domain.identity import CompanyId, RecordKey, RecordKind
from runway_core.domain.kinds import RECORD_CLASSES
from runway_core.domain.record import Record, find_changed_fields, hash_content
from runway_testkit.strategies import external_ids, texts, values_of

KINDS = st.sampled_from(RecordKind)
KEYS = st.builds(RecordKey, KINDS, external_ids)
RECORDS = st.sampled_from(sorted(RECORD_CLASSES)).flatmap(lambda kind: values_of(RECORD_CLASSES[kind]))


def finding(company: str, check: str, subjects: tuple[RecordKey, ...], value: str = "") -> Finding:
    return Finding(
        check=check,
        name="name",
        company_id=CompanyId(company),
        subjects=subjects,
        severity=Severity.LOW,
        effect=RunwayEffect.CONFIDENCE,
        summary=value,
        evidence=(Evidence(name="value", value=value),),
    )


@given(RECORDS)
def test_a_record_knows_its_kind_and_key(record: Record) -> None:
    assert record.key == RecordKey(record.kind, record.external_id)
    assert RECORD_CLASSES[record.kind] is type(record)
    assert str(record.key) == f"{record.kind.value}:{record.external_id}"


@given(KINDS, KINDS, external_ids, external_ids)
def test_keys_are_equal_only_in_kind_and_id(one: RecordKind, other: RecordKind, a: str, b: str) -> None:
    assert (RecordKey(one, a) == RecordKey(other, b)) is (one is other and a == b)


@given(RECORDS)
def test_equal_records_have_equal_content_and_hash(record: Record) -> None:
    twin = type(record).model_validate(record.model_dump())
    trusted = type(record).trusted(dict(record.__dict__))

    assert twin.content() == record.content() == trusted.content()
    assert hash_content(twin.content()) == hash_content(record.content())
    assert find_changed_fields(record, twin) == {}


@given(RECORDS, st.text("abc", min_size=1, max_size=3))
def test_any_change_of_a_field_changes_content(record: Record, revision: str) -> None:
    changed = record.model_copy(update={"revision": record.revision + revision})

    assert changed.content() != record.content()
    assert find_changed_fields(record, changed) == {"revision": (record.revision, changed.revision)}


@given(st.lists(KEYS, max_size=4), st.randoms(use_true_random=False), texts, texts)
def test_a_finding_keeps_its_id_whatever_it_shows_and_in_whatever_order(
    subjects: list[RecordKey], random: Random, one: str, other: str
) -> None:
    shuffled = tuple(random.sample(subjects, len(subjects)))
    a, b = finding("c", "AP06", tuple(subjects), one), finding("c", "AP06", shuffled, other)

    assert a.finding_id == b.finding_id
    assert (a.basis == b.basis) is (one == other)


@given(st.lists(KEYS, min_size=1, max_size=4, unique=True), KEYS)
def test_findings_differ_by_company_check_and_subjects(subjects: list[RecordKey], more: RecordKey) -> None:
    base = finding("c", "AP06", tuple(subjects))

    assert finding("d", "AP06", tuple(subjects)).finding_id != base.finding_id
    assert finding("c", "AP07", tuple(subjects)).finding_id != base.finding_id
    assert finding("c", "AP06", (*subjects, more)).finding_id != base.finding_id
    assert finding("c", "AP06", tuple(subjects[1:])).finding_id != base.finding_id
