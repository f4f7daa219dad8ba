"""Where is what: the same for every seed, because registers and contracts name it."""
