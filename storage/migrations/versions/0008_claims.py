"""Who has taken on a wish.

Revision: 0008; before it: 0007.
"""

import sqlalchemy as sa
from alembic import op

import storage.base

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = storage.base.AwareTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "claim",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("end", sa.String(), nullable=False),
        _refers("community_id", "community"),
        _refers("case_id", "case"),
        _refers("person_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_claim_open", "claim", ["case_id"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index("ix_claim_person_id", "claim", ["person_id"])


def _refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{table}.id"], name=op.f(f"fk_claim_{column}"), initially="DEFERRED", deferrable=True
    )


def downgrade() -> None:
    op.drop_table("claim")
