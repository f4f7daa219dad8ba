"""How the city behaves: clean series, physically sensible, of full precision."""
