"""Wrong types and values for every public argument: which are refused, and how."""
