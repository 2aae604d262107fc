"""Customer groups with their owners, posts that a person must send, and the words for new members.

Revision: 0007; before it: 0006.
"""

import sqlalchemy as sa
from alembic import op

import storage.base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = storage.base.AwareTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "customer_group",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("owner_name", sa.String(), nullable=False),
        sa.Column("members", sa.BigInteger(), nullable=False),
        sa.Column("residents", sa.BigInteger(), nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chat.id"], name=op.f("fk_customer_group_chat_id"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("chat_id", name=op.f("pk_customer_group")),
    )
    op.create_table(
        "welcome_material",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["area_id"], ["area.id"], name=op.f("fk_welcome_material_area_id"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_welcome_material")),
        sa.UniqueConstraint("channel", "account", "area_id", name=op.f("uq_welcome_material_channel_account_area_id")),
    )
    _create_tasks()
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("task_id", sa.BigInteger(), nullable=True))
    there = sa.text("task_id IS NOT NULL")
    op.create_index("ix_outbox_task_id", "outbox", ["task_id"], sqlite_where=there, postgresql_where=there)


def _create_tasks() -> None:
    op.create_table(
        "post_task",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("owner_name", sa.String(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("is_doubtful", sa.Boolean(), nullable=False),
        sa.Column("tried_at", MOMENT, nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("twins", sa.BigInteger(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("reminders", sa.JSON(), nullable=False),
        sa.Column("reminders_a_day", sa.BigInteger(), nullable=False),
        sa.Column("is_reminder_wanted", sa.Boolean(), nullable=False),
        sa.Column("is_cancel_wanted", sa.Boolean(), nullable=False),
        sa.Column("staff_told_at", MOMENT, nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_task")),
        sa.UniqueConstraint("channel", "account", "external_id", name=op.f("uq_post_task_channel_account_external_id")),
    )
    there = sa.text("due_at IS NOT NULL")
    op.create_index("ix_post_task_due", "post_task", ["due_at"], sqlite_where=there, postgresql_where=there)
    op.create_index("ix_post_task_run_id", "post_task", ["run_id"])
    op.create_index("ix_post_task_community_id", "post_task", ["community_id"])


def downgrade() -> None:
    """Before this there was nobody to hand a post to: what is with a person is shown as held."""
    op.execute("UPDATE outbox SET state = 'held' WHERE state = 'with_person'")
    op.drop_index("ix_outbox_task_id", table_name="outbox")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_column("task_id")
    op.drop_table("post_task")
    op.drop_table("welcome_material")
    op.drop_table("customer_group")
