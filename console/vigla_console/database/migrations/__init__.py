"""Steps from one shape of the case database to the next (Alembic); a step is never changed once released."""
