"""The domain: frozen values in the words of the field. No clock, no network, no vendor's vocabulary."""
