"""The experiences: Portfolio, Digest, Hygiene Tray, Decision Console and Outlook, each from one orchestrator."""
