"""The databases that outlive a process: the contract suite's own fixtures."""

from tests.contract.conftest import database_url, postgres_socket, postgres_url

__all__ = ["database_url", "postgres_socket", "postgres_url"]
