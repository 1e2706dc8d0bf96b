"""Which names mean one party, and which money belongs to which document: pure, explained, the same in any order."""
