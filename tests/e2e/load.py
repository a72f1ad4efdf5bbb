# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that ask for one workflow each, and a look at which of these were created, and how often."""

from collections import Counter
from collections.abc import Iterator

from sandbox.environment import Sandbox
from tests.support.e2e import Kafka, message, wait_until

REPO_INIT = "thoth.repo-init"
RUN_URL = "thoth.kebechet-run-url-trigger"
_FIELDS = {REPO_INIT: ("project_url", "project-url"), RUN_URL: ("url", "KEBECHET_REPO_URL")}


class Load:
    """Sends messages about repositories, each about another one.

    Args:
        kafka: sends them.
        sandbox: where the workflows are created.
        word: tells the repositories of one load from those of others.
        base_name: the type of the messages, thoth.repo-init or thoth.kebechet-run-url-trigger.
    """

    def __init__(self, kafka: Kafka, sandbox: Sandbox, word: str, base_name: str = REPO_INIT) -> None:
        self.base_name = base_name
        self.topic = sandbox.topic(base_name)
        self.urls: list[str] = []
        self._kafka = kafka
        self._sandbox = sandbox
        self._word = word
        self._field, self._parameter = _FIELDS[base_name]

    def send(self, number: int) -> None:
        """Send so many more messages."""
        self._kafka.send_all(self.topic, [message({self._field: url}) for url in self.more(number)])

    def more(self, number: int) -> Iterator[str]:
        """Make up so many more repositories."""
        for _ in range(number):
            self.urls.append(f"https://github.com/thoth-station/{self._word}-{len(self.urls)}")
            yield self.urls[-1]

    def created(self) -> Counter[str]:
        """Count the workflows of each repository."""
        of_all = (workflow.parameters.get(self._parameter) or "" for workflow in self._sandbox.cluster.created)
        known = set(self.urls)
        return Counter(url for url in of_all if url in known)

    def wait_for(self, number: int, timeout: float = 60.0) -> None:
        """Wait until so many workflows were created."""
        wait_until(lambda: self.created().total() >= number, f"{number} workflows of {self._word}", timeout)

    def wait_for_all(self, timeout: float = 60.0) -> None:
        """Wait until each message has its workflow; raises AssertionError if any of them has two."""
        wait_until(lambda: len(self.created()) == len(self.urls), f"a workflow of each {self._word}", timeout)
        assert self.created() == Counter(self.urls)
