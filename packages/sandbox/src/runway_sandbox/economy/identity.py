"""Who the companies are: distinct plausible names, realm ids, currencies and time zones, without their books."""

from __future__ import annotations

import math
import random
from typing import NamedTuple

from runway_sandbox.economy.trade import TRADES, Trade

FIRST_REALM = 9_341_450_000_000_001

_PLAIN_WORDS = (
    "Alder Amber Anchor Apex Arbor Ashford Aspen Atlas Aurora Badger Baker Bayside Beacon Bellwether "
    "Birch Blackbird Bluestone Boulder Bramble Bridgeport Brookfield Cardinal Cascade Cedar Chestnut "
    "Clearwater Cobalt Compass Copper Coral Crescent Cypress Dakota Delta Dogwood Driftwood Eastgate "
    "Elmwood Ember Evergreen Fairview Falcon Fern Fieldstone Flint Foxglove Franklin Garnet Granite "
    "Greenway Grove Halcyon Harbor Harvest Hawthorn Hazel Heritage Heron Hickory Highland Hollow Horizon "
    "Huckleberry Indigo Ironwood Ivy Jasper Juniper Keystone Kingfisher Lakeshore Lantern Larkspur Laurel "
    "Liberty Linden Lodestar Magnolia Maple Marigold Meadow Meridian Mesa Millstone Monarch Mulberry "
    "Northstar Oakhurst Obsidian Oldfield Millbrook Orchard Osprey Palisade Paragon Pebble Pelican Pinecrest "
    "Pioneer Prairie Quarry Quill Rainier Redwood Ridgeline Riverbend Rosewood Rowan Saffron Sagebrush "
    "Sandpiper Sequoia Sierra Silverton Skyline Sparrow Spruce Stonebridge Summit Sunrise Sycamore "
    "Tamarack Thistle Timber Topaz Trillium Union Valley Verdant Vista Walnut Waypoint Westbrook "
    "Wildflower Willow Windsor Wren Yarrow Zephyr "
)
FIRST_WORDS: tuple[str, ...] = (
    *_PLAIN_WORDS.split(),
    "Peña",
    "Muñoz",
    "Zürcher",
    "Łukasik",
    "O'Hara",
    "Doña Inés",
    "Åkesson",
    "Françoise",
    "Nguyễn",
    "São Tomé",
)

_ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/New_York",
    "America/Chicago",
    "America/Phoenix",
    "America/Detroit",
)
_TAILS = ("", "", " LLC", " Inc.", "", " Co.", "")


class CompanyIdentity(NamedTuple):
    """What is known of a company before its books are built."""

    realm_id: str
    name: str
    home_currency: str
    time_zone: str


def trade_of(index: int) -> Trade:
    """Return the trade of a company; neighbours differ."""
    return TRADES[index % len(TRADES)]


def company_identity(index: int, seed: int) -> CompanyIdentity:
    """Return who company `index` is; names are distinct for all indexes of a seed."""
    trade = trade_of(index)
    number = index // len(TRADES)
    combinations = len(FIRST_WORDS) * len(trade.seconds)
    # A step without a common factor visits every pair of words once before any comes again.
    turn, place = divmod(number, combinations)
    step = _coprime_step(combinations)
    place = (place * step + seed * 31 + index % len(TRADES) * 197) % combinations
    first = FIRST_WORDS[place % len(FIRST_WORDS)]
    second = trade.seconds[place // len(FIRST_WORDS)]
    rng = random.Random(f"identity:{seed}:{index}")
    canadian = rng.random() < 0.06
    tail = f" No. {turn + 1}" if turn else _TAILS[rng.randrange(len(_TAILS))]
    zone = "America/Toronto" if canadian else _ZONES[rng.randrange(len(_ZONES))]
    return CompanyIdentity(str(FIRST_REALM + index), f"{first} {second}{tail}", "CAD" if canadian else "USD", zone)


def _coprime_step(count: int) -> int:
    step = 617
    while math.gcd(step, count) > 1:
        step += 1
    return step
