"""The demo: the main job from stand-in source systems to released data, run by the real Airflow."""
