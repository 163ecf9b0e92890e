"""The world's tables, beside the council's records.

The package `world` makes them itself, because it does not know the council and opens a fresh SQLite file alone; this revision
runs the same code, and does nothing where a world is there already.
"""

from alembic import op

from world.persistence.sql_schema import create_world

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their triggers."""
    create_world(op.get_bind())


def downgrade() -> None:
    """Refuse: going back would delete what happened in the world."""
    raise RuntimeError("records are never deleted; restore a backup instead")
