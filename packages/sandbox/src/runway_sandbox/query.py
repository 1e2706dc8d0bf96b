"""The query language of facts/qbo.md 3.1 as a small recursive parser; it refuses in the vendor's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from runway_sandbox.faults import query_content, query_grammar

DEFAULT_PAGE = 100
LARGEST_PAGE = 1000

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:\\.|[^'\\])*')
    | (?P<number>-?\d+(?:\.\d+)?)(?![\w])
    | (?P<word>[A-Za-z_][\w.]*)
    | (?P<sign><=|>=|[=<>(),*])
    | (?P<other>\S)
    )""",
    re.VERBOSE,
)


class Literal(Enum):
    """How a value was written: in quotes, bare, or as a keyword."""

    STRING = "string"
    NUMBER = "number"
    TRUTH = "truth"
    TODAY = "today"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a filter, as text with the way it was written."""

    text: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class Condition:
    """`field operator values`; all but `IN` have one value."""

    field: str
    operator: str  # = < > <= >= IN LIKE
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Sorting:
    """One member of ORDERBY."""

    field: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A parsed statement."""

    entity: str
    columns: tuple[str, ...]  # ("*",) for all
    is_count: bool
    where: tuple[Condition, ...]
    order: tuple[Sorting, ...]
    start: int
    limit: int


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int
    column: int


def _tokenize(statement: str) -> list[_Token]:
    tokens = []
    position = 0
    text = statement.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match is not None  # `other` takes any sign, and the text ends in none
        kind = str(match.lastgroup)
        start = match.start(kind)
        line = text.count("\n", 0, start) + 1
        column = start - (text.rfind("\n", 0, start) + 1) + 1
        token = _Token(kind, match.group(kind), line, column)
        if kind == "other":
            raise query_grammar(
                f'Lexical error at line {line}, column {column}.  Encountered: "{token.text}" '
                f'({ord(token.text)}), after : ""'
            )
        tokens.append(token)
        position = match.end()
    tokens.append(_Token("end", "", text.count("\n") + 1, len(text) - (text.rfind("\n") + 1)))
    return tokens


class _Parser:
    def __init__(self, statement: str, *, bare_numbers: bool) -> None:
        self._tokens = _tokenize(statement)
        self._at = 0
        self._bare_numbers = bare_numbers

    def parse(self) -> Select:
        self._expect_word("select")
        columns, is_count = self._columns()
        self._expect_word("from")
        entity = self._take("word").text
        where = self._where() if self._skip_word("where") else ()
        order = self._order() if self._skip_order() else ()
        start, limit = self._paging()
        if self._next.kind != "end":
            self._refuse()
        return Select(entity, columns, is_count, where, order, start, limit)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _refuse(self) -> NoReturn:
        token = self._next
        if token.kind == "end":
            shown = '"<EOF>"'
        else:
            kind = {"string": "<STRING>", "number": "<NUMBER>", "word": "<IDENTIFIER>"}.get(token.kind)
            shown = f'" {kind} "{token.text} ""' if kind else f'" "{token.text}" "{token.text} ""'
        raise query_grammar(f"Encountered {shown} at line {token.line}, column {token.column}.")

    def _take(self, kind: str, text: str | None = None) -> _Token:
        token = self._next
        if token.kind != kind or (text is not None and token.text != text):
            self._refuse()
        self._at += 1
        return token

    def _is_word(self, word: str) -> bool:
        return self._next.kind == "word" and self._next.text.lower() == word

    def _skip_word(self, word: str) -> bool:
        if self._is_word(word):
            self._at += 1
            return True
        return False

    def _skip_sign(self, sign: str) -> bool:
        if self._next.kind == "sign" and self._next.text == sign:
            self._at += 1
            return True
        return False

    def _expect_word(self, word: str) -> None:
        if not self._skip_word(word):
            self._refuse()

    def _columns(self) -> tuple[tuple[str, ...], bool]:
        if self._is_word("count"):
            self._at += 1
            for sign in "(*)":
                self._take("sign", sign)
            return ("*",), True
        names = []
        while True:
            names.append("*" if self._skip_sign("*") else self._take("word").text)
            if not self._skip_sign(","):
                return tuple(names), False

    def _where(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._skip_word("and"):
            conditions.append(self._condition())
        return tuple(conditions)

    def _condition(self) -> Condition:
        name = self._take("word").text
        if self._skip_word("in"):
            self._take("sign", "(")
            values = [self._value()]
            while self._skip_sign(","):
                values.append(self._value())
            self._take("sign", ")")
            return Condition(name, "IN", tuple(values))
        if self._skip_word("like"):
            token = self._take("string")
            return Condition(name, "LIKE", (Value(_unquote(token.text), Literal.STRING),))
        if self._next.kind != "sign" or self._next.text in "(),*":
            self._refuse()
        operator = self._take("sign").text
        return Condition(name, operator, (self._value(),))

    def _value(self) -> Value:
        token = self._next
        if token.kind == "string":
            value = Value(_unquote(token.text), Literal.STRING)
        elif token.kind == "number" and self._bare_numbers:
            value = Value(token.text, Literal.NUMBER)
        elif token.kind == "word" and token.text.lower() in {"true", "false"}:
            value = Value(token.text.lower(), Literal.TRUTH)
        elif token.kind == "word" and token.text.lower() == "current_date":
            value = Value("", Literal.TODAY)
        else:
            self._refuse()
        self._at += 1
        return value

    def _skip_order(self) -> bool:
        if self._skip_word("orderby"):
            return True
        if self._is_word("order"):
            self._at += 1
            self._expect_word("by")
            return True
        return False

    def _order(self) -> tuple[Sorting, ...]:
        sortings = []
        while True:
            name = self._take("word").text
            descending = self._skip_word("desc")
            if not descending:
                self._skip_word("asc")
            sortings.append(Sorting(name, descending))
            if not self._skip_sign(","):
                return tuple(sortings)

    def _paging(self) -> tuple[int, int]:
        start, limit = 1, DEFAULT_PAGE
        seen: set[str] = set()
        while self._next.kind == "word" and self._next.text.lower() in {"startposition", "maxresults"} - seen:
            word = self._take("word").text.lower()
            seen.add(word)
            if self._next.kind != "number" or "." in self._next.text:
                self._refuse()
            number = int(self._take("number").text)
            if number < 1:
                raise query_content(f"value {number} is too small. Min allowed value is 1")
            if word == "maxresults":
                if number > LARGEST_PAGE:
                    raise query_content(f"value {number} is too large. Max allowed value is {LARGEST_PAGE}.")
                limit = number
            else:
                start = number
        return start, limit


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def parse_query(statement: str, *, bare_numbers: bool = True) -> Select:
    r"""Parse a statement. An apostrophe in a value is written `\'`; there is no OR, NOT, GROUP BY or JOIN.

    Raises:
        ServiceFaultError: 4000 for the grammar, 4001 for a page that is too small or too large.
    """
    return _Parser(statement, bare_numbers=bare_numbers).parse()
