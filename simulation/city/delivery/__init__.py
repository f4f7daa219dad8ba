"""What happens to clean rows on their way: faults, lateness, corrections, and the record of them."""
