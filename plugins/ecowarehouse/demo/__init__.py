"""The demo: the main job on this machine, from stand-in source systems to released data, run by the real Airflow."""
