"""QuickBooks Online as Runway's ledger rail."""
