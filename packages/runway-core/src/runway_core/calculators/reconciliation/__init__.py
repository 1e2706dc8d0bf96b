"""What the rails of one company say of one another: what is one thing, what is left over, and what differs."""
