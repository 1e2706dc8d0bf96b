"""What all views share. A view is data ready to show: the API returns it, pages and the command line lay it out."""

from datetime import date

from pydantic import AwareDatetime, BaseModel, ConfigDict

from runway_core.domain.company import Company
from runway_core.domain.identity import CompanyId
from runway_core.sync.freshness import FreshnessLabel


class View(BaseModel):
    """A frozen piece of what a person or a program is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CompanyHeading(View):
    """The company a view is about."""

    company_id: CompanyId
    name: str
    home_currency: str
    time_zone: str

    @classmethod
    def of(cls, company: Company) -> "CompanyHeading":
        """The heading of a company."""
        return cls(
            company_id=company.company_id,
            name=company.name,
            home_currency=company.home_currency,
            time_zone=company.time_zone,
        )


class CompanyView(View):
    """What every view of one company carries: whose, as of when, and how old the data is."""

    company: CompanyHeading
    as_of: date
    books_read_at: AwareDatetime
    freshness: tuple[FreshnessLabel, ...]
