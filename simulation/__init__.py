"""A stand-in for departments' systems: speaks their protocols and knows nothing of the warehouse."""
