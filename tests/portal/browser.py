"""Debian's Chromium, driven by selenium; it may go nowhere but to this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)  # fmt: skip


@contextmanager
def chromium(profile: Path) -> Iterator[WebDriver]:
    """A browser with an own profile; skips with the mend where there is none."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("chromium or chromedriver is missing. Mend: make browser (Debian, Ubuntu)")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # The driver is named, so that selenium looks for none in the network.
    found = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield found
    finally:
        found.quit()


class Page:
    """The page in a browser, at one width and in one language."""

    def __init__(self, driver: WebDriver, address: str) -> None:
        self.driver, self.address = driver, address

    def open(self, language: str = "zh", width: int = 1280) -> None:
        """Load it and wait until it is shown."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        self.driver.get(f"{self.address}/portal/index.html?lang={language}")
        self.wait(language)

    def wait(self, language: str) -> None:
        """Until the page says that it is shown in this language."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 20).until(
            lambda _: self.run("return document.documentElement.dataset.ready") is not None
        )
        assert self.run("return document.documentElement.dataset.ready") == language, self.log()

    def run(self, script: str, *arguments: Any) -> Any:
        """The answer of a script."""
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str = "body") -> str:
        """What is written inside the first element, folded parts too."""
        return str(self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector))

    def rows(self, table: str) -> list[list[str]]:
        """Cells of a table's rows."""
        script = (
            "return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)]"
            ".map(r => [...r.children].map(c => c.textContent.trim()))"
        )
        found: list[list[str]] = self.run(script, table)
        return found

    def log(self) -> list[str]:
        """What the console said since it was asked last."""
        return [f"{one['level']}: {one['message']}" for one in self.driver.get_log("browser")]
