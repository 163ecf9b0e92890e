"""The story's tables, beside the world's and the council's.

The package `story` makes them itself on a fresh SQLite file; this revision runs the same code, and does nothing where they are
there already.
"""

from alembic import op

from story.ledger.sql_tables import create_story

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their triggers."""
    create_story(op.get_bind())


def downgrade() -> None:
    """Refuse: going back would delete what players lived through."""
    raise RuntimeError("records are never deleted; restore a backup instead")
