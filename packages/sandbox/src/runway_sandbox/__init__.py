"""Wire-level local servers of the rails, over one made-up economy with known truth."""
