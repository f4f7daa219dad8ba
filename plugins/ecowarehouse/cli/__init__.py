"""The command line. Each file is one group of commands; `app.py` finds them without importing them."""
