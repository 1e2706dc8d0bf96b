"""The names in the books: vendors and customers, their terms, items and accounts."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache

from runway_sandbox.economy.identity import FIRST_WORDS
from runway_sandbox.economy.model import Account, Item, Party, Plan, Terms

# key, name, type, subtype, classification
_CHART: tuple[tuple[str, str, str, str, str], ...] = (
    ("checking", "Operating Checking", "Bank", "Checking", "Asset"),
    ("savings", "Savings", "Bank", "Savings", "Asset"),
    ("receivable", "Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable", "Asset"),
    ("undeposited", "Undeposited Funds", "Other Current Asset", "UndepositedFunds", "Asset"),
    ("payable", "Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable", "Liability"),
    ("card", "Business Visa", "Credit Card", "CreditCard", "Liability"),
    ("payroll_liability", "Payroll Liabilities", "Other Current Liability", "PayrollTaxPayable", "Liability"),
    ("sales_tax", "Sales Tax Payable", "Other Current Liability", "SalesTaxPayable", "Liability"),
    ("owner_loan", "Loan from Owner", "Other Current Liability", "LoanPayable", "Liability"),
    ("loan", "Equipment Loan", "Long Term Liability", "NotesPayable", "Liability"),
    ("equipment", "Furniture and Equipment", "Fixed Asset", "FurnitureAndFixtures", "Asset"),
    ("opening", "Opening Balance Equity", "Equity", "OpeningBalanceEquity", "Equity"),
    ("retained", "Retained Earnings", "Equity", "RetainedEarnings", "Equity"),
    ("draw", "Owner's Draw", "Equity", "PartnerDistributions", "Equity"),
    ("sales", "Sales", "Income", "SalesOfProductIncome", "Revenue"),
    ("services", "Services", "Income", "ServiceFeeIncome", "Revenue"),
    ("interest", "Interest Earned", "Other Income", "InterestEarned", "Revenue"),
    ("cogs", "Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs", "Expense"),
    ("food", "Food and Beverage Purchases", "Cost of Goods Sold", "SuppliesMaterialsCogs", "Expense"),
    ("materials", "Job Materials", "Cost of Goods Sold", "SuppliesMaterialsCogs", "Expense"),
    ("contractors", "Contract Labor", "Cost of Goods Sold", "CostOfLaborCos", "Expense"),
    ("hosting", "Hosting and Tools", "Cost of Goods Sold", "OtherCostsOfServiceCos", "Expense"),
    ("supplies", "Supplies", "Expense", "SuppliesMaterials", "Expense"),
    ("vehicles", "Vehicle Costs", "Expense", "Auto", "Expense"),
    ("rent", "Rent or Lease", "Expense", "RentOrLeaseOfBuildings", "Expense"),
    ("utilities", "Utilities", "Expense", "Utilities", "Expense"),
    ("insurance", "Insurance", "Expense", "Insurance", "Expense"),
    ("subscriptions", "Dues & Subscriptions", "Expense", "DuesSubscriptions", "Expense"),
    ("telephone", "Telephone", "Expense", "Utilities", "Expense"),
    ("cleaning", "Cleaning", "Expense", "OtherMiscellaneousServiceCost", "Expense"),
    ("professional", "Legal & Professional Fees", "Expense", "LegalProfessionalFees", "Expense"),
    ("advertising", "Advertising", "Expense", "AdvertisingPromotional", "Expense"),
    ("repairs", "Repairs and Maintenance", "Expense", "RepairMaintenance", "Expense"),
    ("meals", "Meals and Entertainment", "Expense", "EntertainmentMeals", "Expense"),
    ("travel", "Travel", "Expense", "Travel", "Expense"),
    ("office", "Office Expenses", "Expense", "OfficeGeneralAdministrativeExpenses", "Expense"),
    ("fees", "Bank Charges", "Expense", "BankCharges", "Expense"),
    ("wages", "Wages and Salaries", "Expense", "PayrollExpenses", "Expense"),
    ("payroll_tax", "Payroll Taxes", "Expense", "PayrollExpenses", "Expense"),
    ("interest_paid", "Interest Paid", "Expense", "InterestPaid", "Expense"),
    ("ask", "Ask My Accountant", "Other Expense", "OtherMiscellaneousExpense", "Expense"),
    ("uncategorized", "Uncategorized Expense", "Expense", "OtherMiscellaneousServiceCost", "Expense"),
    ("uncategorized_income", "Uncategorized Income", "Income", "ServiceFeeIncome", "Revenue"),
)

_TERMS = (
    ("Due on receipt", 0, 0, 0),
    ("Net 10", 10, 0, 0),
    ("Net 15", 15, 0, 0),
    ("Net 30", 30, 0, 0),
    ("2% 10 Net 30", 30, 2, 10),
)

# name, account, share of a typical bill, terms index, fixed amount, entry day of month, words, method
_RECURRING: tuple[tuple[str, str, float, int, bool, int, str, str], ...] = (
    ("{} Properties LP", "rent", 4.2, 1, True, 21, "Rent, {}", "check"),
    ("{} Power & Light", "utilities", 0.55, 3, False, 9, "Electricity, {}", "ach"),
    ("{} Mutual Insurance", "insurance", 0.9, 3, True, 3, "Premium, {}", "ach"),
    ("{} Cloud Services", "subscriptions", 0.65, 2, False, 2, "Usage, {}", "card"),
    ("{} Telecom", "telephone", 0.22, 3, True, 14, "Lines and internet, {}", "ach"),
    ("{} Janitorial", "cleaning", 0.4, 2, True, 27, "Cleaning, {}", "check"),
    ("{} Bookkeeping & Tax", "professional", 0.6, 3, True, 6, "Monthly services, {}", "ach"),
    ("{} Equipment Leasing", "repairs", 0.75, 3, True, 17, "Lease, {}", "ach"),
    ("{} Water District", "utilities", 0.18, 3, False, 23, "Water, {}", "check"),
    ("{} Alarm & Security", "repairs", 0.15, 3, True, 12, "Monitoring, {}", "card"),
)

_MERCHANTS = (
    ("Fuel Stop", "vehicles"),
    ("Office Depot Plus", "office"),
    ("Corner Deli", "meals"),
    ("Airways", "travel"),
    ("Inn & Suites", "travel"),
    ("Software Store", "subscriptions"),
    ("Parcel Post", "office"),
    ("Home & Hardware", "repairs"),
    ("Ad Network", "advertising"),
    ("Rideshare", "travel"),
)
_PEOPLE = (
    "Ana Ruiz",
    "Tom Becker",
    "Li Wei",
    "Marta Kowalska",
    "Jamal Reed",
    "Priya Nair",
    "Søren Holm",
    "Kate O'Neil",
    "Luís Prado",
    "Ewa Żuk",
    "Dana Fox",
    "Omar Haddad",
    "Ruth Stein",
    "Cody Marsh",
    "Mei Tan",
    "Ivan Petrov",
    "Grace Kim",
    "Noah Ellis",
)
_STREETS = ("Main St", "Oak Ave", "Mill Rd", "2nd St", "Harbor Blvd", "Cypress Hill Ave", "County Road 9", "Elm Ct")
_TOWNS = (
    ("Dayton", "OH", "45402"),
    ("Tacoma", "WA", "98402"),
    ("Macon", "GA", "31201"),
    ("Boise", "ID", "83702"),
    ("Toledo", "OH", "43604"),
    ("Mesa", "AZ", "85201"),
    ("Salem", "OR", "97301"),
    ("Utica", "NY", "13501"),
)
_CANADIAN_TOWNS = (("Guelph", "ON", "N1H 2T8"), ("Kelowna", "BC", "V1Y 1J4"), ("Trois-Rivières", "QC", "G9A 1A1"))


# Sub-accounts: child, parent.
_SUB_ACCOUNTS = (
    ("telephone", "utilities"),
    ("payroll_tax", "wages"),
    ("meals", "travel"),
    ("hosting", "cogs"),
    ("materials", "cogs"),
)


def open_books(plan: Plan) -> None:
    """Create chart of accounts, terms and items."""
    base = plan.moment(plan.first - 40)
    for number, (key, name, kind, subkind, classification) in enumerate(_CHART, start=1):
        plan.accounts[key] = Account(
            key, str(number), name, kind, subkind, classification, created=base + number, updated=base + number
        )
    for child, parent in _SUB_ACCOUNTS:
        plan.accounts[child].parent = plan.accounts[parent]
    for number, (name, days, percent, discount_days) in enumerate(_TERMS, start=1):
        plan.terms.append(Terms(str(number), name, days, percent, discount_days))
    income = plan.accounts["sales" if plan.trade.taxable else "services"]
    for number, name in enumerate(plan.trade.services, start=1):
        price = 2_500 * plan.rng.randint(1, 12)
        plan.items.append(Item(str(number), name, income, price, plan.trade.taxable))


def _fresh_name(plan: Plan, tails: tuple[str, ...], *, legal: tuple[str, ...]) -> str:
    """Return a name that resembles no other of the company: such pairs are planted, not met by chance."""
    rng = plan.rng
    tail = tails[rng.randrange(len(tails))]
    known = plan.used_names.setdefault(tail, [])
    while True:
        stem = FIRST_WORDS[rng.randrange(len(FIRST_WORDS))]
        if len(known) > len(FIRST_WORDS) // 10:  # large companies: two words leave room enough
            second = FIRST_WORDS[rng.randrange(len(FIRST_WORDS))]
            if second == stem:
                continue
            stem = f"{stem} {second}"
        if stem in known or " ".join(reversed(stem.split())) in known:
            continue
        # Comparing all pairs would be slow in the largest companies, whose names have two words to differ in.
        if len(known) > 20 or not any(_alike(stem, other, tail) for other in known):
            known.append(stem)
            return f"{stem} {tail}" + legal[rng.randrange(len(legal))]


@lru_cache(maxsize=65_536)
def _alike(one: str, other: str, tail: str) -> bool:
    return SequenceMatcher(None, f"{one} {tail}", f"{other} {tail}", autojunk=False).ratio() > 0.84


def address_of(plan: Plan) -> dict[str, str]:
    """Make up a postal address of the company's country."""
    rng = plan.rng
    towns = _CANADIAN_TOWNS if plan.home_currency == "CAD" else _TOWNS
    city, region, code = towns[rng.randrange(len(towns))]
    return {
        "Id": str(rng.randrange(2, 9000)),
        "Line1": f"{rng.randrange(10, 9900)} {_STREETS[rng.randrange(len(_STREETS))]}",
        "City": city,
        "CountrySubDivisionCode": region,
        "PostalCode": code,
        "Lat": "INVALID" if rng.random() < 0.03 else f"{25 + rng.random() * 23:.7f}",
        "Long": f"-{70 + rng.random() * 50:.7f}",
    }


def new_vendor(plan: Plan, name: str, *, terms: Terms | None, account: Account) -> Party:
    """Add a vendor to the books."""
    rng = plan.rng
    party = Party("Vendor", name, terms, account)
    party.created = party.updated = plan.moment(plan.first - rng.randint(1, 30))
    party.address = address_of(plan) if rng.random() < 0.65 else None
    plan.vendors.append(party)
    return party


def new_customer(plan: Plan, name: str, *, terms: Terms | None) -> Party:
    """Add a customer to the books."""
    rng = plan.rng
    party = Party("Customer", name, terms)
    party.created = party.updated = plan.moment(plan.first - rng.randint(1, 30))
    party.address = address_of(plan) if rng.random() < 0.92 else None
    plan.customers.append(party)
    return party


def make_vendors(plan: Plan) -> None:
    """Create the vendors: monthly ones first, then suppliers, then those met only by card, then retired ones."""
    rng = plan.rng
    typical = plan.trade.typical_bill
    months = (plan.last - plan.first) // 30
    monthly = max(0, min(len(_RECURRING), int(plan.bills * 0.42 / months)))
    for name, account, share, terms, is_fixed, _day, words, method in _RECURRING[:monthly]:
        vendor = new_vendor(
            plan,
            _fresh_name(plan, (name.replace("{} ", ""),), legal=("",)),
            terms=plan.terms[terms],
            account=plan.accounts[account],
        )
        scale = min(4.0, (plan.bills / 150) ** 0.7) if plan.bills > 150 else 1.0
        vendor.typical = int(typical * share * scale * (0.8 + 0.4 * rng.random()))
        vendor.recurring, vendor.fixed_amount, vendor.method = True, is_fixed, method
        vendor.wording = (words,)
        _number_style(plan, vendor)
    suppliers = max(3, min(420, (plan.bills - months * monthly) // 7))
    for _ in range(suppliers):
        side = rng.random() < 0.15
        account_key = ("professional", "repairs", "advertising", "office")[rng.randrange(4)]
        vendor = new_vendor(
            plan,
            _fresh_name(plan, plan.trade.suppliers, legal=("", "", " Inc.", " LLC", " Co.", " Corp.")),
            terms=plan.terms[(1, 2, 3, 3, 3, 4, 0)[rng.randrange(7)]],
            account=plan.accounts[account_key if side else plan.trade.supplies],
        )
        vendor.typical = int(typical * (0.35 + 1.6 * rng.random() ** 2))
        vendor.method = ("check", "ach", "ach", "card")[rng.randrange(4)]
        vendor.wording = plan.trade.goods
        _number_style(plan, vendor)
    for tail, account in _MERCHANTS[: max(4, min(10, plan.bills // 12))]:
        vendor = new_vendor(plan, _fresh_name(plan, (tail,), legal=("",)), terms=None, account=plan.accounts[account])
        vendor.method = "merchant"
        vendor.typical = rng.randint(1_800, 26_000)
    for _ in range(rng.randint(1, 3)):
        name = _fresh_name(plan, plan.trade.suppliers, legal=("", " LLC")) + " (deleted)"
        retired = new_vendor(plan, name, terms=None, account=plan.accounts["office"])
        retired.active, retired.method = False, "retired"


def _number_style(plan: Plan, vendor: Party) -> None:
    rng = plan.rng
    vendor.has_number = rng.random() < 0.66
    vendor.prefix = ("", "", "INV-", "INV", "#", "S")[rng.randrange(6)]
    vendor.next_number = rng.randrange(20_000, 60_000)


def make_customers(plan: Plan, count: int) -> None:
    """Create customers with payment habits, and one or two retired ones."""
    rng = plan.rng
    legal = ("", "", " LLC", " Inc.", "", " & Sons")
    for number in range(count):
        personal = rng.random() < 0.12
        if personal and number < len(_PEOPLE):
            name = _PEOPLE[number]
        else:
            name = _fresh_name(plan, plan.trade.customers, legal=legal)
        customer = new_customer(plan, name, terms=plan.terms[(2, 3, 3, 3, 1, 0)[rng.randrange(6)]])
        habit = rng.random()
        late, spread = (-4, 4) if habit < 0.2 else (2, 4) if habit < 0.6 else (13, 7) if habit < 0.87 else (38, 16)
        customer.late_days, customer.late_spread = late, spread
        customer.recurring = plan.trade.till_share == 0 and rng.random() < 0.25
        customer.method = "ach" if rng.random() < 0.45 else "check"
        if number > 3 and rng.random() < 0.08:
            customer.parent = plan.customers[number % 3]
    for _ in range(rng.randint(1, 2)):
        name = _fresh_name(plan, plan.trade.customers, legal=("",)) + " (deleted)"
        new_customer(plan, name, terms=None).active = False


def recurring_day(vendor_position: int) -> int:
    """Return the day of the month on which the monthly vendor at a position bills."""
    return _RECURRING[vendor_position][5]
