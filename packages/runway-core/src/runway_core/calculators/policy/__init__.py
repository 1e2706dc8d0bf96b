"""The rules under which a payment may go: one file a rule, each a pure function with its reason and its remedy."""
