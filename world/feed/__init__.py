"""The live feed: one ring of encoded events per realm, and readers that hold only where they are (register row S0-19)."""
