"""Names of made-up companies, and how banks write them: noise from a seed."""

from random import Random

_FIRST = (
    "Nimbus", "Carver", "Bright", "Harbor", "Granite", "Elm", "Fjord", "Heron", "Quartz", "Tern", "Lumen", "Osprey",
    "Birch", "Copper", "Summit", "Delta", "Juniper", "Kestrel", "Meridian", "Northwind", "Orchard", "Pioneer", "Raven",
)  # fmt: skip
_SECOND = (
    "Cloud", "Contracting", "Agency", "Insurance", "Works", "Hospital", "Retail", "Labs", "Bakery", "Logistics",
    "Dental", "Foods", "Energy", "Media", "Design", "Freight", "Software", "Partners", "Supply",
)  # fmt: skip
_FORMS = ("Inc.", "LLC", "Corp.", "Co.", "Ltd", "", "Group, Inc.", "Holdings LLC")
_FRAMES = (
    "{name}",
    "ACH CREDIT {name} CCD",
    "ORIG CO NAME:{name} ORIG ID:{digits} DESC DATE:{short} CO ENTRY DESCR:{number} SEC:CCD TRACE#:{digits}",
    "{name} DES:{number} ID:{digits} INDN:SAMPLE CO ID:{digits} CCD",
    "WIRE IN {name} {number} REF {digits}",
    "ZELLE FROM {name} {number}",
    "{name} {number} {place}",
    "DEPOSIT {digits} {number}",
    "MOBILE DEPOSIT {number}",
    "{name} PAYMENT {number}",
)
_PLACES = ("SEATTLE WA", "NEW YORK NY", "SALT LAKE CITY UT", "SMALLVILLE KS", "", "")


def make_names(dice: Random, count: int) -> list[str]:
    """Different names of companies; some differ by little."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[f"{dice.choice(_FIRST)} {dice.choice(_SECOND)} {dice.choice(_FORMS)}".strip()] = None
    return list(names)


def make_bank_text(dice: Random, name: str, number: str | None) -> str:
    """What the bank shows of a payment from `name`, with the number if it is given; names are cut and misspelt."""
    written = name.upper().replace(",", "").replace(".", "")
    if dice.random() < 0.3:
        written = written.rsplit(" ", 1)[0]
    if dice.random() < 0.1:
        written = written[: max(len(written) - dice.randrange(1, 5), 6)]
    if dice.random() < 0.05:
        at = dice.randrange(1, len(written))
        written = written[:at] + written[at + 1 :]
    text = dice.choice(_FRAMES).format(
        name=written,
        number=number or dice.choice(("", "", f"{dice.randrange(100, 4000):05}")),
        digits=f"{dice.randrange(10**8, 10**9)}",
        short=f"{dice.randrange(250101, 251231)}",
        place=dice.choice(_PLACES),
    )
    return " ".join(text.split())
