"""The key that secrets are kept under: from a setting, a file, or a command that asks a safe for it."""

import shlex
import subprocess

from pydantic import SecretStr
from runway_core.errors import InvalidRequest

from runway_app_http.settings import AppSettings

COMMAND_SECONDS = 30


def read_secret_key(settings: AppSettings) -> SecretStr | None:
    """The key of these settings; `None` where none of the three names one.

    Raises:
        InvalidRequest: more than one is set, the file cannot be read, or the command fails or says nothing.
    """
    ways = {
        "RUNWAY_SECRET_KEY": settings.secret_key,
        "RUNWAY_SECRET_KEY_FILE": settings.secret_key_file,
        "RUNWAY_SECRET_KEY_COMMAND": settings.secret_key_command,
    }
    given = [name for name, value in ways.items() if value]
    if len(given) > 1:
        raise InvalidRequest(f"{' and '.join(given)} are set: the key comes from one of them")
    if settings.secret_key_file is not None:
        try:
            return SecretStr(settings.secret_key_file.read_text().strip())
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidRequest(
                f"RUNWAY_SECRET_KEY_FILE names {str(settings.secret_key_file)!r}, which cannot be read: let this user"
            ) from error
    if settings.secret_key_command:
        return SecretStr(_ask(settings.secret_key_command))
    return settings.secret_key


def _ask(command: str) -> str:
    """Run a command, without a shell, and take what it says on its standard output; what it says is never repeated."""
    try:
        answer = subprocess.run(  # noqa: S603 - the administrator's own command, from the settings
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_SECONDS, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise InvalidRequest(
            f"RUNWAY_SECRET_KEY_COMMAND failed ({type(error).__name__}): run it by hand, it must print the key alone"
        ) from None
    if not answer.stdout.strip():
        raise InvalidRequest("RUNWAY_SECRET_KEY_COMMAND printed nothing: it must print the key alone")
    return answer.stdout.strip()
