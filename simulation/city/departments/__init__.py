"""What each department shows of the city, in its own columns, codes, units and days."""
