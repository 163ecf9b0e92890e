"""The tables of the bus that needs no server.

They hold copies of outbox rows and how far each consumer is, so they are working state and have no triggers.
"""

from alembic import op

from world.bus.sql_tables import create_bus

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_bus(op.get_bind())


def downgrade() -> None:
    """Refuse: going back would delete what waits and what died."""
    raise RuntimeError("records are never deleted; restore a backup instead")
