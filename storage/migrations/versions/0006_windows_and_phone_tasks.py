"""What may still be said where a platform counts, and the calls that staff owe where it lets nothing more through.

Revision: 0006; before it: 0005.
"""

import sqlalchemy as sa
from alembic import op

import storage.base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = storage.base.AwareTime(timezone=True)
IS_HELD = sa.text("state = 'held'")
IS_OPEN = sa.text("done_at IS NULL AND dropped_at IS NULL")


def upgrade() -> None:
    op.create_index("ix_outbox_held", "outbox", ["chat_id"], sqlite_where=IS_HELD, postgresql_where=IS_HELD)
    op.create_table(
        "chat_window",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("heard_at", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
        sa.Column("served_at", TIME, nullable=True),
        sa.Column("served_by", sa.String(), nullable=False),
        _refers("chat_window", "chat_id", "chat"),
        sa.PrimaryKeyConstraint("chat_id", name=op.f("pk_chat_window")),
    )
    op.create_table(
        "phone_task",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("done_by_id", sa.BigInteger(), nullable=True),
        sa.Column("way", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("dropped_at", TIME, nullable=True),
        _refers("phone_task", "community_id", "community"),
        _refers("phone_task", "case_id", "case"),
        _refers("phone_task", "chat_id", "chat"),
        _refers("phone_task", "done_by_id", "person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_task")),
    )
    op.create_index("ix_phone_task_community_id", "phone_task", ["community_id", "id"])
    op.create_index("ix_phone_task_case_id", "phone_task", ["case_id"])
    op.create_index(
        "ix_phone_task_open",
        "phone_task",
        ["chat_id", "case_id"],
        unique=True,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, initially="DEFERRED", deferrable=True)


def downgrade() -> None:
    op.drop_table("phone_task")
    op.drop_table("chat_window")
    op.drop_index("ix_outbox_held", table_name="outbox")
