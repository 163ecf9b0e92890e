"""The story's tables of deeds that wait and of what writing has cost.

The package `story` makes them itself on a SQLite file that lacks them; this revision runs the same code, and does nothing where
they are there already.
"""

from alembic import op

from story.ledger.sql_tables import create_story

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_story(op.get_bind())


def downgrade() -> None:
    """Refuse: going back would delete what waits and what was spent."""
    raise RuntimeError("records are never deleted; restore a backup instead")
