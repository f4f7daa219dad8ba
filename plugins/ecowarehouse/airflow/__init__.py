"""Skins for Airflow: factories that turn contracts into DAGs.

Everything they run is importable without Airflow."""
