"""One console and one Chromium for the folder; a page signed in as anyone, watched for policy reports."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.browser.hub import LiveHub, seed, start
from tests.console.build import PASSWORD

CHROMIUM = Path("/usr/bin/chromium")
REQUIRED = "VIGLA_REQUIRE_BROWSER"
PATIENCE_MS = 15_000
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Runs before any page script: what the policy refused is kept where the test can read it.
LISTEN = """
window.__reports = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.__reports.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    hub = start(tmp_path_factory.mktemp("console"))
    seed(hub)
    yield hub
    hub.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is missing: apt-get install chromium"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(message)
        pytest.skip(f"SKIPPED LOUDLY: {message} (set {REQUIRED}=1 to make this a failure)")
    sync_api = pytest.importorskip("playwright.sync_api") if os.environ.get(REQUIRED) != "1" else _playwright()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


def _playwright() -> Any:
    from playwright import sync_api

    return sync_api


@dataclass
class Visitor:
    """A signed-in page; ``complaints`` are console errors and, of pages left, policy reports."""

    page: Any
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str, status: int = 200) -> Any:
        """Goes to ``path`` and keeps what the page before reported."""
        self.gather()
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page

    def gather(self) -> list[str]:
        """All complaints until now."""
        try:
            self.complaints += self.page.evaluate("() => (window.__reports || []).splice(0)")
        except Exception as error:
            if "evaluate" not in str(error).lower():
                raise
        return self.complaints


@pytest.fixture
def visit(live: LiveHub, chromium: Any) -> Iterator[Callable[..., Visitor]]:
    """``visit("officer", width=320, color_scheme="dark", java_script_enabled=False)`` signs in through the form."""
    opened = []

    def arrive(login: str | None, *, width: int = 1280, **options: Any) -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce", locale="el-GR", **options
        )
        opened.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(LISTEN)
        page = context.new_page()
        visitor = Visitor(page, live.address)
        page.on(
            "console",
            lambda message: visitor.complaints.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.goto(f"{live.address}/login")
        if login is not None:
            page.fill("#login", login)
            page.fill("#password", PASSWORD)
            page.click("main button")
            page.wait_for_selector(".nav")
        return visitor

    yield arrive
    for context in opened:
        context.close()
