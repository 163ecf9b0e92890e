"""The five members: their evidence and their rule judges."""
