"""How alembic reaches the database: the engine is handed over by storage/schema.py, or made from -x url=…"""

from alembic import context
from sqlalchemy import Engine, create_engine

from storage.tables import metadata

engine: Engine = context.config.attributes.get("engine") or create_engine(
    context.get_x_argument(as_dictionary=True)["url"]
)

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="storage.base.",
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
