"""Puts the pages of the documentation in the order in which people need them; mkdocs runs it as a hook."""

from typing import Any

ORDER = ("Home", "Tutorials", "How-to guides", "Explanation", "Reference", "Decisions", "Errors", "Glossary", "Status")
TITLES = {"Howto": "How-to guides"}


def on_nav(nav: Any, **_: Any) -> Any:
    """Name and order the top level; pages inside a part keep the order of their file names."""
    for item in nav.items:
        if item.is_section:
            item.title = TITLES.get(item.title, item.title)
    nav.items.sort(key=_place)
    return nav


def _place(item: Any) -> tuple[int, str]:
    title = item.title if item.is_section else item.file.name.capitalize()
    title = "Home" if title == "Index" else title
    return (ORDER.index(title) if title in ORDER else len(ORDER), title)
