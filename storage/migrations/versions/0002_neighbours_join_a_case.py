"""Neighbours join a case: where it is, how many have joined, and who they are.

Revision: 0002; before it: 0001.
"""

import sqlalchemy as sa
from alembic import op

import storage.base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPEN_SOMEWHERE = "closed_at IS NULL AND thing <> ''"


def upgrade() -> None:
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.add_column(sa.Column("thing", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("joined", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.create_index(
            "ix_case_same_thing",
            ["community_id", "thing"],
            unique=False,
            sqlite_where=sa.text(OPEN_SOMEWHERE),
            postgresql_where=sa.text(OPEN_SOMEWHERE),
        )

    with op.batch_alter_table("chat", schema=None) as batch_op:
        batch_op.add_column(sa.Column("last_case_id", sa.BigInteger(), nullable=True))

    op.create_table(
        "case_reporter",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("received_id", sa.BigInteger(), nullable=True),
        sa.Column("chat_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("has_own_words", sa.Boolean(), nullable=False),
        sa.Column("at", storage.base.AwareTime(timezone=True), nullable=False),
        sa.Column("told_state", sa.String(), nullable=False),
        sa.Column("told_id", sa.BigInteger(), nullable=True),
        sa.Column("parted_at", storage.base.AwareTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case.id"], name=op.f("fk_case_reporter_case_id"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_case_reporter_person_id"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_reporter")),
    )
    with op.batch_alter_table("case_reporter", schema=None) as batch_op:
        batch_op.create_index("ix_case_reporter_case_id", ["case_id"], unique=False)
        batch_op.create_index("ix_case_reporter_person_id", ["person_id"], unique=False)


def downgrade() -> None:
    op.drop_table("case_reporter")
    with op.batch_alter_table("chat", schema=None) as batch_op:
        batch_op.drop_column("last_case_id")
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.drop_index("ix_case_same_thing")
        batch_op.drop_column("joined")
        batch_op.drop_column("thing")
