"""Exit codes: 1 failure, 2 a wrong usage or value, 3 not found, 5 conflict, 6 a difference; each says what to do."""

import re

import click

from authserver.admin.errors import Conflict, Forbidden, Invalid, NotFound
from authserver.crypto.password_hash import HashingBusy
from authserver.crypto.sealing import SealBroken
from authserver.runtime.aws import AwsRefused, AwsUnreachable
from authserver.runtime.keys import KeyUnavailable
from authserver.runtime.settings import SettingsError

FAILURE, USAGE, NOT_FOUND, CONFLICT, DIFFERENT = 1, 2, 3, 5, 6
NO_TABLE = r"no such (table|column)|(relation|column) .* does not exist|Table .* doesn't exist|Unknown column"


class Failure(click.ClickException):
    """A command failed: the text goes to stderr, the code to the shell."""

    def __init__(self, message: str, exit_code: int = FAILURE) -> None:
        """Keep both."""
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click declares it for the class and reads it from the instance


def explain(error: Exception) -> Exception:
    """Turn what a command raised into a Failure; a fault of ours stays what it is, with its traceback."""
    match error:
        case Invalid():
            return Failure(f"{error.field} {error.why}".strip(), USAGE)
        case NotFound():
            return Failure(str(error), NOT_FOUND)
        case Conflict():
            return Failure(str(error), CONFLICT)
        case HashingBusy():
            return Failure("too many passwords are being hashed: try again")
        case SettingsError() | SealBroken() | Forbidden() | KeyUnavailable():
            return Failure(str(error))
        case AwsRefused() | AwsUnreachable():
            return Failure(f"AWS: {error}")
    if type(error) is LookupError:  # what is missing in the installation or the settings; its subclasses are bugs
        return Failure(str(error))
    return _explain_database(error)


def _explain_database(error: Exception) -> Exception:
    from sqlalchemy.exc import DBAPIError, IntegrityError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    match error:
        case IntegrityError():
            return Failure("something of that name is there already", CONFLICT)
        case DBAPIError() if re.search(NO_TABLE, str(error.orig)):
            return Failure("the tables are not there or too old: run authserver db upgrade")
        case DBAPIError() | PoolTimeout():
            return Failure(f"the database of AUTHSERVER_DATABASE_URL cannot be used: {_first_line(error)}")
    return error


def _first_line(error: Exception) -> str:
    original = getattr(error, "orig", None) or error
    return str(original).strip().splitlines()[0][:200]
