"""How far what people set may go: far enough for every use, near enough that no calculation leaves the calendar."""

MOST_DAYS = 3_660
"""Ten years of calendar days, for windows, tolerances and days to come."""

MOST_HOURS = 87_600
"""Ten years, for ages."""

MOST_BUSINESS_DAYS = 60
"""From release to arrival of a payment; business days are counted one by one."""

MOST_RATE = 10
"""A thousand per cent."""
