"""The case database: tables, connections, migrations. Imported by `app`, by `cli` for migrations, and by storage
modules.
"""
