"""What others would write: the same records by `dlt`, and by `python-quickbooks` with SQLAlchemy upserts; no log."""

import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import dlt
import httpx
import sqlalchemy as sa
from dlt.destinations import postgres as dlt_postgres
from dlt.destinations import sqlalchemy as dlt_sqlalchemy
from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.objects import (
    Account,
    Attachable,
    Bill,
    BillPayment,
    CreditMemo,
    Customer,
    Deposit,
    Invoice,
    JournalEntry,
    Payment,
    Purchase,
    Term,
    Transfer,
    Vendor,
    VendorCredit,
)
from sqlalchemy.dialects import postgresql, sqlite

from tests.bench.machine import Stopwatch, peak_mib

PAGE = 1000
CLASSES = (
    Account, Attachable, Bill, BillPayment, CreditMemo, Customer, Deposit, Invoice, JournalEntry, Payment, Purchase,
    Term, Transfer, Vendor, VendorCredit,
)  # fmt: skip


def load_with_dlt(ready: dict[str, Any], url: str, folder: str) -> int:
    """Extract pages by HTTP and let dlt normalise and merge them by id; nested lists stay in one column."""
    qbo = ready["qbo"]
    counted = 0

    def pages(kind: str, realm: str, token: str) -> Iterator[list[dict[str, Any]]]:
        nonlocal counted
        start = 1
        with httpx.Client(headers={"Authorization": f"Bearer {token}", "Accept": "application/json"}) as client:
            while True:
                statement = f"SELECT * FROM {kind} STARTPOSITION {start} MAXRESULTS {PAGE}"
                answer = client.get(f"{qbo['base_url']}/v3/company/{realm}/query", params={"query": statement})
                rows = answer.raise_for_status().json()["QueryResponse"].get(kind, [])
                for row in rows:
                    row["realm"] = realm
                counted += len(rows)
                yield rows
                if len(rows) < PAGE:
                    return
                start += PAGE

    destination = dlt_sqlalchemy(url) if url.startswith("sqlite") else dlt_postgres(url)
    pipeline = dlt.pipeline("peer", destination=destination, dataset_name="peer", pipelines_dir=folder)
    resources = [
        dlt.resource(
            pages(cls.qbo_object_name, entry["realm_id"], entry["access_token"]),
            name=cls.qbo_object_name,
            write_disposition="merge",
            primary_key=("realm", "Id"),
            max_table_nesting=0,
        )
        for cls in CLASSES
        for entry in qbo["companies"]
    ]
    pipeline.run(resources)
    return counted


def load_with_quickbooks(ready: dict[str, Any], url: str) -> int:
    """Read objects with python-quickbooks and upsert them in bulk, one transaction a page."""
    qbo = ready["qbo"]
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
    records = sa.Table(
        "records",
        sa.MetaData(),
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("revision", sa.String),
        sa.Column("number", sa.String),
        sa.Column("day", sa.String),
        sa.Column("due_day", sa.String),
        sa.Column("total", sa.Numeric(19, 4)),
        sa.Column("balance", sa.Numeric(19, 4)),
        sa.Column("raw", sa.Text),
    )
    records.metadata.create_all(engine)
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(records)
    keys = ("realm", "kind", "id")
    upsert = insert.on_conflict_do_update(
        index_elements=keys, set_={c.name: insert.excluded[c.name] for c in records.c if c.name not in keys}
    )
    counted = 0
    with engine.connect() as connection:
        for entry in qbo["companies"]:
            client = _client(qbo, entry)
            for cls in CLASSES:
                start = 1
                while True:
                    page = cls.all(start_position=start, max_results=PAGE, qb=client)
                    if page:
                        connection.execute(upsert, [_row(entry["realm_id"], cls, record) for record in page])
                        connection.commit()
                    counted += len(page)
                    start += PAGE
                    if len(page) < PAGE:
                        break
    return counted


def _client(qbo: dict[str, Any], entry: dict[str, Any]) -> QuickBooks:
    auth = AuthClient.__new__(AuthClient)  # its constructor fetches discovery from the vendor's own host
    auth.client_id, auth.client_secret, auth.environment = qbo["client_id"], qbo["client_secret"], "sandbox"
    auth.access_token, auth.refresh_token = entry["access_token"], entry["refresh_token"]
    client = QuickBooks(
        auth_client=auth,
        refresh_token=entry["refresh_token"],
        company_id=entry["realm_id"],
        minorversion=75,
        use_decimal=True,
    )
    client.sandbox_api_url_v3 = f"{qbo['base_url']}/v3"
    return client


def _row(realm: str, cls: type[Any], record: Any) -> dict[str, Any]:
    return {
        "realm": realm,
        "kind": cls.qbo_object_name,
        "id": record.Id,
        "revision": record.SyncToken,
        "number": getattr(record, "DocNumber", None),
        "day": getattr(record, "TxnDate", None),
        "due_day": getattr(record, "DueDate", None),
        "total": getattr(record, "TotalAmt", None),
        "balance": getattr(record, "Balance", None),
        "raw": record.to_json(),
    }


def main() -> None:
    """Load once, as the arguments say, and print what it took."""
    warnings.simplefilter("ignore")
    arguments = json.loads(sys.argv[1])
    with Stopwatch() as watch:
        if arguments["peer"] == "dlt":
            rows = load_with_dlt(arguments["ready"], arguments["url"], arguments["folder"])
        else:
            rows = load_with_quickbooks(arguments["ready"], arguments["url"])
    print(json.dumps({"rows": rows, "seconds": watch.seconds, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
