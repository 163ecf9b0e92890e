"""The databases that outlive a process, and the models that break: fixtures of the suites beside this one."""

from tests.contract.conftest import database_url, migrated_template, postgres_socket, postgres_url
from tests.models.conftest import fault_server, faulty

__all__ = ["database_url", "fault_server", "faulty", "migrated_template", "postgres_socket", "postgres_url"]
