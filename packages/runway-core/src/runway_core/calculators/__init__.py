"""Pure functions of `Books`: cash, burn, outlook, aging, hygiene and the position. No clock, no network, no floats."""
