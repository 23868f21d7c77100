"""Where templates and migrations lie: at the top of the repository, or inside the installed package."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def find_folder(name: str) -> Path:
    """Return the folder `name` of the installed package, else of the repository."""
    packaged = PACKAGE / name
    return packaged if packaged.is_dir() else PACKAGE.parent / name
