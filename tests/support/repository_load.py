# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that lead to one workflow each, and the count of the workflows that were created for them."""

from collections import Counter
from collections.abc import Iterator

from sandbox.environment import Sandbox
from tests.support.blocking_kafka import BlockingKafka, message
from tests.support.polling import wait_until

REPO_INIT = "thoth.repo-init"
RUN_URL = "thoth.kebechet-run-url-trigger"
_FIELDS = {REPO_INIT: ("project_url", "project-url"), RUN_URL: ("url", "KEBECHET_REPO_URL")}


class Load:
    """Sends messages about repositories, each about another one.

    Args:
        kafka: the client that sends them; a test that closes it sets the attribute to another one.
        sandbox: the sandbox whose cluster creates the workflows.
        name: the name of this load, part of its repositories' URLs; no other load of the test may have it.
        base_name: the type of the messages, thoth.repo-init or thoth.kebechet-run-url-trigger.
    """

    def __init__(self, kafka: BlockingKafka, sandbox: Sandbox, name: str, base_name: str = REPO_INIT) -> None:
        self.base_name = base_name
        self.topic = sandbox.topic(base_name)
        self.urls: list[str] = []
        self.kafka = kafka
        self._sandbox = sandbox
        self._name = name
        self._field, self._parameter = _FIELDS[base_name]

    def send(self, count: int) -> None:
        """Send messages about `count` further repositories."""
        self.kafka.send_all(self.topic, [message({self._field: url}) for url in self.new_urls(count)])

    def new_urls(self, count: int) -> Iterator[str]:
        """Yield the URLs of `count` further repositories; for tests that send the messages themselves."""
        for _ in range(count):
            self.urls.append(f"https://github.com/thoth-station/{self._name}-{len(self.urls)}")
            yield self.urls[-1]

    def created(self) -> Counter[str]:
        """Return the number of workflows that were created for each repository of this load."""
        of_all = (workflow.parameters.get(self._parameter) or "" for workflow in self._sandbox.cluster.created)
        known = set(self.urls)
        return Counter(url for url in of_all if url in known)

    def wait_for(self, count: int, timeout: float = 60.0) -> None:
        """Wait until at least `count` workflows of this load were created."""
        wait_until(lambda: self.created().total() >= count, f"{count} workflows of {self._name}", timeout)

    def wait_for_all(self, timeout: float = 60.0) -> None:
        """Wait until each message has its workflow; raise AssertionError if one has two."""
        wait_until(lambda: len(self.created()) == len(self.urls), f"a workflow of each {self._name}", timeout)
        assert self.created() == Counter(self.urls)

    def wait_for_commits(self, timeout: float = 60.0) -> None:
        """Wait until the default group has committed all messages of this load, the only ones of its topic."""
        group, count = self._sandbox.group(), len(self.urls)
        wait_until(
            lambda: sum(self.kafka.committed(group, self.topic).values()) == count,
            f"the commits of {count} messages of {self._name}",
            timeout,
        )
