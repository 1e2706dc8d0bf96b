"""One made-up economy: plausible small companies with books that add up, and defects whose truth is known."""

from runway_sandbox.economy.build import EconomyWorld, build_company, build_world
from runway_sandbox.economy.identity import CompanyIdentity, company_identity
from runway_sandbox.economy.model import EconomyCompany

__all__ = [
    "CompanyIdentity",
    "EconomyCompany",
    "EconomyWorld",
    "build_company",
    "build_world",
    "company_identity",
]
