"""Corrections, words that staff add, and cases that share one receipt.

Revision: 0003; before it: 0002.
"""

import sqlalchemy as sa
from alembic import op

import storage.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.add_column(sa.Column("siblings", sa.BigInteger(), server_default="0", nullable=False))

    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("speaker_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("kind_before", sa.String(), nullable=False),
        sa.Column("topic_before", sa.String(), nullable=True),
        sa.Column("urgency_before", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=True),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column("is_by_resident", sa.Boolean(), nullable=False),
        sa.Column("at", storage.base.AwareTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
            name=op.f("fk_correction_community_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index("ix_correction_community_id", ["community_id", "id"], unique=False)
        batch_op.create_index("ix_correction_case_id", ["case_id"], unique=False)
        batch_op.create_index("ix_correction_speaker_id", ["speaker_id"], unique=False)

    op.create_table(
        "keyword",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("speaks_for", sa.String(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column("proposed_at", storage.base.AwareTime(timezone=True), nullable=False),
        sa.Column("taken_up_at", storage.base.AwareTime(timezone=True), nullable=True),
        sa.Column("taken_back_at", storage.base.AwareTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keyword")),
    )


def downgrade() -> None:
    op.drop_table("keyword")
    op.drop_table("correction")
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.drop_column("siblings")
