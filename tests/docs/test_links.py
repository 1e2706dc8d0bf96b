"""Links from README and CONTRIBUTING, which mkdocs does not build, lead somewhere."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
LINKS = [
    (page.name, target)
    for page in sorted(CHECKOUT.glob("*.md"))
    for target in LINK.findall(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "target"), LINKS, ids=str)
def test_a_link_of_the_front_pages_leads_to_a_file(page: str, target: str) -> None:
    assert (CHECKOUT / target).exists()
