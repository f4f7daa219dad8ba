"""What can go wrong with the database, in words that say what to do."""


class DatabaseError(RuntimeError):
    """The base of all below; the message names the mend."""


class ClusterError(DatabaseError):
    """The embedded server could not be made, started or stopped."""


class DatabaseUnreachable(DatabaseError):
    """No login to the database, embedded or given."""


class MigrationError(DatabaseError):
    """Migration files and what the database recorded of them disagree, or a migration failed."""


class BackupError(DatabaseError):
    """A backup could not be written, is damaged, or may not be restored here."""
