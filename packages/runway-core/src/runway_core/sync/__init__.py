"""Layer 2: bringing the mirror into agreement with the rails."""
