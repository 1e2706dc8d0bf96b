"""Ways to find a company by its name, each giving one answer or none: ours, and those they are measured against."""

from collections.abc import Callable, Sequence
from typing import Any

from cleanco import basename
from rapidfuzz import fuzz, process
from runway_core.calculators.matching.name_index import LEAST_LEAD
from runway_core.calculators.matching.names import normal_name, second_form

from tests.core.matching.company_names import Score, index_registrants, read_company_names

Method = Callable[[str], str | None]


def score(method: Method) -> Score:
    """Ask a method for every name."""
    pairs = read_company_names().pairs
    given = [(answer, cik) for name, cik in pairs if (answer := method(name)) is not None]
    return Score(len(given), sum(answer == cik for answer, cik in given), len(pairs))


def equal_form(form: Callable[[str], str]) -> Method:
    """The only registrant with an equal form."""
    by_form: dict[str, list[str]] = {}
    for cik, name in read_company_names().registrants.items():
        by_form.setdefault(form(name), []).append(cik)

    def find(name: str) -> str | None:
        found = by_form.get(form(name), [])
        return found[0] if len(found) == 1 else None

    return find


def scored(form: Callable[[str], str], scorer: Any, *, lead: int = 0) -> Method:
    """The best registrant by a score of `rapidfuzz` of at least 90, with a lead over the second."""
    registrants = read_company_names().registrants
    ciks: Sequence[str] = list(registrants)
    forms = [form(name) for name in registrants.values()]

    def find(name: str) -> str | None:
        best: list[tuple[str, float, int]] = process.extract(form(name), forms, scorer=scorer, limit=2)
        if best[0][1] < 90 or (lead and best[0][1] - best[1][1] < lead):
            return None
        return ciks[best[0][2]]

    return find


def suggested(name: str) -> str | None:
    """The best suggestion, if it leads."""
    found = index_registrants().suggest(name, 2)
    if not found or (len(found) > 1 and found[0].score - found[1].score < LEAST_LEAD):
        return None
    return found[0].party.external_id


def acted(name: str) -> str | None:
    """What may be acted on without a person."""
    found = index_registrants().match(name)
    return found.party.external_id if found is not None and found.may_act else None


def matched(name: str) -> str | None:
    """The one answer of the whole order of proof, acted on or suggested."""
    found = index_registrants().match(name)
    return found.party.external_id if found is not None and len(found.candidates) == 1 else None


METHODS: dict[str, Callable[[], Method]] = {
    "raw lower case, WRatio ≥ 90": lambda: scored(str.lower, fuzz.WRatio),
    "cleanco, WRatio ≥ 90": lambda: scored(lambda name: basename(name).lower(), fuzz.WRatio),
    "equal first form, unique": lambda: equal_form(normal_name),
    "equal second form, unique": lambda: equal_form(second_form),
    "second form, token sort ≥ 90, lead ≥ 3": lambda: scored(second_form, fuzz.token_sort_ratio, lead=3),
    "first form, WRatio ≥ 90, lead ≥ 3": lambda: scored(normal_name, fuzz.WRatio, lead=3),
    "likeness ≥ 60, lead ≥ 5 (suggests)": lambda: suggested,
    "order of proof, what acts alone": lambda: acted,
    "order of proof, one answer": lambda: matched,
}
"""Each method by what it does, built when it is asked for: some read all names first."""
