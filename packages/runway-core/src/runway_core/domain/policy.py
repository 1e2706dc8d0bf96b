"""Policy: the rules under which a firm lets a company's money go, as data with a version."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import ClassVar

from pydantic import Field, field_validator

from runway_core.domain.bills import PaymentMethod
from runway_core.domain.money import Amount
from runway_core.domain.papers import PaperKind, WorkingPaper
from runway_core.domain.record import Value


class Ruling(StrEnum):
    """What a rule says of a payment, the strictest last; the strictest of all rules wins."""

    ALLOW = "allow"
    WARN = "warn"
    NEED_APPROVAL = "need_approval"
    BLOCK = "block"

    @property
    def rank(self) -> int:
        """0 for allow up to 3 for block."""
        return _RANKS[self]


_RANKS = {ruling: rank for rank, ruling in enumerate(Ruling)}


class Role(StrEnum):
    """What a person of the firm is. All but a viewer approve, each up to the amount that the policy says."""

    VIEWER = "viewer"
    BOOKKEEPER = "bookkeeper"
    CONTROLLER = "controller"
    OWNER = "owner"


class VendorTier(IntEnum):
    """The order in which vendors are paid; tier 0 is never proposed for delay."""

    HELD_FOR_OTHERS = 0  # payroll, payroll tax, sales tax
    CRITICAL = 1  # rent, power, insurance, secured debt, critical suppliers: no tolerance
    PRESSING = 2  # over 60 days late, or on a contract with penalty
    STANDARD = 3
    DISCRETIONARY = 4


class AmountTier(Value):
    """Up to and without `below`, these roles must approve; `None` is without limit."""

    below: Amount | None
    roles: tuple[Role, ...]

    @field_validator("roles")
    @classmethod
    def _approve(cls, roles: tuple[Role, ...]) -> tuple[Role, ...]:
        if Role.VIEWER in roles:
            raise ValueError("a viewer approves nothing")
        return roles


class RuleName(StrEnum):
    """The rules, in the order of domain.md section 8; a policy orders them anew and switches them off."""

    MINIMUM_CASH = "minimum_cash"
    PAYROLL_COVER = "payroll_cover"
    TAX_RESERVE = "tax_reserve"
    EARMARK = "earmark"
    AMOUNT_TIERS = "amount_tiers"
    TWO_PEOPLE = "two_people"
    NEW_VENDOR = "new_vendor"
    DUPLICATE = "duplicate"
    UNUSUAL_AMOUNT = "unusual_amount"
    PAYMENT_DAYS = "payment_days"
    DATA_AGE = "data_age"
    DISCOUNT = "discount"
    LATE_TOLERANCE = "late_tolerance"


class Policy(WorkingPaper):
    """The rules with their settings, of one company or of a firm as a whole.

    What a company did not set itself is the firm's, and what the firm did not set is the default: `lay_over` tells what
    holds. `buffer` of the company's settings is the floor of minimum cash.
    """

    paper_kind: ClassVar[PaperKind] = PaperKind.POLICY

    own: tuple[str, ...] | None = None  # the settings that were set here; None: those that differ from the default
    firm_version: int = 0  # of the firm's policy below, where this is what holds; 0: the firm set nothing

    rules: tuple[RuleName, ...] = tuple(RuleName)  # in the order in which they are told; absent ones are off
    minimum_cash_days: int | None = (
        None  # so many days of average outflow are the floor, where that is above the buffer
    )
    minimum_cash_window_days: int = 28  # how far minimum cash looks ahead
    payroll_cover_days: int = 14
    amount_tiers: tuple[AmountTier, ...] = (
        AmountTier(below=Decimal("1000.0000"), roles=(Role.BOOKKEEPER,)),
        AmountTier(below=Decimal("10000.0000"), roles=(Role.CONTROLLER,)),
        AmountTier(below=None, roles=(Role.CONTROLLER, Role.OWNER)),
    )
    payment_weekdays: tuple[int, ...] = (1, 3)  # Monday is 0
    bank_warn_hours: int = 24
    bank_block_hours: int = 72
    mirror_warn_hours: int = 4
    hurdle_rate: Decimal = Decimal("0.18")  # a discount worth more in a year is taken
    late_tolerance_days: dict[VendorTier, int] = Field(
        default_factory=lambda: {VendorTier.STANDARD: 3, VendorTier.DISCRETIONARY: 7}
    )
    vendor_tiers: dict[str, VendorTier] = Field(default_factory=dict)  # by vendor id; absent: told by its bills
    account_budgets: dict[str, Amount] = Field(default_factory=dict)  # a month's, by expense account id
    late_fee_monthly: dict[str, Decimal] = Field(default_factory=dict)  # by vendor id: 0.015 is 1.5 % a month
    rail_business_days: int = 3  # from release to arrival: ACH 3, card and wire 0, cheque 5
    payment_methods: dict[str, PaymentMethod] = Field(default_factory=dict)  # by vendor id, where it is not the usual
    personal_customer_ids: tuple[str, ...] = ()  # reminded by a person, never by a letter
    changed_details_days: int = 30  # so long after payment details changed a call-back is wanted
    told_bank_line: Amount | None = None  # a bank line of so much, in home currency, is told in the daily digest


DEFAULT_POLICY = Policy(paper_id="policy", changed_at=datetime(2026, 1, 1, tzinfo=UTC), changed_by="runway")
"""What holds where neither firm nor company set anything."""

POLICY_SETTINGS = tuple(
    name
    for name in Policy.model_fields
    if name not in WorkingPaper.model_fields and name not in ("own", "firm_version")
)
"""What can be set of a policy."""

COMPANY_SETTINGS = frozenset(
    {"vendor_tiers", "account_budgets", "late_fee_monthly", "payment_methods", "personal_customer_ids"}
)
"""Those that name records of one company's books: no firm sets them for all."""


def find_own(policy: Policy) -> tuple[str, ...]:
    """The settings that were set in this policy itself."""
    if policy.own is not None:
        return policy.own
    return tuple(name for name in POLICY_SETTINGS if getattr(policy, name) != getattr(DEFAULT_POLICY, name))


def lay_over(firm: Policy | None, company: Policy | None) -> Policy:
    """The policy that holds: the company's own settings over the firm's over the default.

    Its version, and who changed it, are the company's; `firm_version` is the firm's.
    """
    if firm is None or not firm.version:
        return company or DEFAULT_POLICY
    top = company or DEFAULT_POLICY
    own = find_own(top)
    below = {name: getattr(firm, name) for name in POLICY_SETTINGS if name not in own}
    return top.model_copy(update={**below, "own": own, "firm_version": firm.version})


def as_stored(policy: Policy, own: frozenset[str]) -> Policy:
    """The policy with `own` settings alone, the others at their default: what is kept says what was set, no more."""
    others = {name: getattr(DEFAULT_POLICY, name) for name in POLICY_SETTINGS if name not in own}
    kept = tuple(name for name in POLICY_SETTINGS if name in own)
    return policy.model_copy(update={**others, "own": kept, "firm_version": 0})


class Earmark(WorkingPaper):
    """Money set aside for one bill: gone for all others until that bill is paid or the earmark is closed."""

    paper_kind: ClassVar[PaperKind] = PaperKind.EARMARK

    bill_id: str
    amount: Amount  # home currency
    note: str = ""


class CallBack(WorkingPaper):
    """A noted call to a number known from before, that confirmed payment details. `paper_id` is the vendor's id."""

    paper_kind: ClassVar[PaperKind] = PaperKind.CALL_BACK

    vendor_id: str
    spoke_to: str
    number_called: str
    details_tail: str = ""  # the end of the account number that was confirmed
