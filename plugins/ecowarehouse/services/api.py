"""A small client of Airflow's REST API: log in, switch a DAG on, start a run, ask what became of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import httpx

from ecowarehouse.services import config
from ecowarehouse.services.processes import ServiceError

ENDED: Final = ("success", "failed")


@dataclass(frozen=True)
class Run:
    """One run of a DAG."""

    dag_id: str
    run_id: str
    state: str

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen in it."""
        return self.state in ENDED


class Api:
    """One session as `admin`. Every method raises `ServiceError` when Airflow refuses."""

    def __init__(self, url: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)
        answer = self._ask("POST", "/auth/token", {"username": config.LOGIN, "password": password})
        self._client.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def close(self) -> None:
        """Close the session."""
        self._client.close()

    def wait_for_dags(self, dag_ids: list[str], timeout: float = 120) -> None:
        """Wait until Airflow has read these DAGs; import errors end the wait."""
        deadline = time.monotonic() + timeout
        missing = set(dag_ids)
        while missing:
            known = {dag["dag_id"] for dag in self._ask("GET", "/api/v2/dags?limit=100")["dags"]}
            missing -= known
            errors = self._ask("GET", "/api/v2/importErrors")["import_errors"] if missing else []
            if errors:
                raise ServiceError(f"{errors[0]['filename']}: {errors[0]['stack_trace']}")
            if missing and time.monotonic() > deadline:
                raise ServiceError(f"Airflow has not read {', '.join(sorted(missing))} after {timeout:.0f} s")
            if missing:
                time.sleep(0.5)

    def switch_on(self, dag_id: str) -> bool:
        """Unpause a DAG; whether it was paused."""
        paused = bool(self._ask("GET", f"/api/v2/dags/{dag_id}")["is_paused"])
        if paused:
            self._ask("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})
        return paused

    def trigger(self, dag_id: str) -> Run:
        """Start a run now."""
        return _run(self._ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None}))

    def run(self, found: Run) -> Run:
        """The same run as it stands now."""
        return _run(self._ask("GET", f"/api/v2/dags/{found.dag_id}/dagRuns/{found.run_id}"))

    def newest(self, dag_id: str, limit: int = 5) -> list[Run]:
        """The newest runs of a DAG, newest first."""
        answer = self._ask("GET", f"/api/v2/dags/{dag_id}/dagRuns?order_by=-id&limit={limit}")
        return [_run(found) for found in answer["dag_runs"]]

    def failed_tasks(self, found: Run) -> list[str]:
        """Names of the tasks that failed in a run."""
        answer = self._ask("GET", f"/api/v2/dags/{found.dag_id}/dagRuns/{found.run_id}/taskInstances")
        return [task["task_id"] for task in answer["task_instances"] if task["state"] == "failed"]

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise ServiceError(f"Airflow does not answer {path}: {type(error).__name__}") from error
        if answer.is_error:
            raise ServiceError(f"Airflow refuses {method} {path}: {answer.status_code} {answer.text[:500]}")
        content = answer.json()
        return content if isinstance(content, dict) else {}


def _run(content: dict[str, Any]) -> Run:
    return Run(str(content["dag_id"]), str(content["dag_run_id"]), str(content["state"]))
