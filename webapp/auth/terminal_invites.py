"""Invites on the terminal: texts and QR code of ``serve --lan`` and ``steady-hands invite``."""

from __future__ import annotations

import sys

from sqlalchemy.exc import DBAPIError

from webapp.auth.devices import Devices
from webapp.auth.invites import NewInvite, new_invite, write_invite
from webapp.domain.invites import Role
from webapp.network import INSIDE, address_for_others, candidates
from webapp.settings import Settings
from webapp.storage.database import reason
from webapp.storage.sessions import Storage, StorageError, database_of
from webapp.timekeeping.clock import Clock
from webapp.timekeeping.shared_clock import SharedClock


def make_invite(settings: Settings, role: Role) -> tuple[NewInvite, str]:
    """A new invite, and the hour until which it holds; the site may be served meanwhile.

    Raises StorageError.
    """
    storage = Storage(database_of(settings))
    try:
        clock = read_clock(storage)
        if storage.database.shared:
            invite = Devices(storage).invite(role, clock.now())
        else:
            invite = new_invite(role, clock.now())
            write_invite(settings.data, invite.row())
        return invite, clock.moment().wall_time_of(invite.expires_at).strftime("%H:%M")
    except OSError as error:
        raise StorageError(f"the invite could not be kept ({error.strerror})") from None
    except DBAPIError as error:
        raise StorageError(f"the database cannot be used: {reason(error)}") from None
    finally:
        storage.close()


def read_clock(storage: Storage) -> Clock:
    """A clock that shows the time of the process that serves."""
    clock = Clock()
    if storage.database.shared:
        clock.stand_at(SharedClock(storage, clock).read().shared_now)
    elif last := storage.last_sign_of_life():
        clock.follow(last)
    return clock


def invite_text(settings: Settings, role: Role) -> str:
    """A new invite for the terminal: QR code, address, typed code. Raises StorageError."""
    # Drawing takes a library that nothing else at the start needs.
    from webapp.presentation.qr import qr_text

    invite, until = make_invite(settings, role)
    home = address_for_others(settings)
    drawn = qr_text(invite.address(home), sys.stdout.encoding or "utf-8")
    name = role.name.lower()
    opening = f"open {home}/join and type {invite.code}"
    lines = (
        [drawn, f"Scan it to join as {name}: one device, until {until}.", f"Or {opening}"]
        if drawn
        else [f"To join as {name}, one device, until {until}:", opening]
    )
    return "\n".join([*lines, *other_addresses(settings)])


def other_addresses(settings: Settings) -> list[str]:
    """A line for a machine that is in several networks; not those inside it, where others are."""
    found = candidates(settings)
    others = [one.address for one in found[1:] if one.rank < INSIDE or found[0].rank == INSIDE]
    return [f"This machine is also at {', '.join(others)}"] if others else []


def welcome_text(settings: Settings) -> str:
    """What is said at the start where others can reach the site. Raises StorageError."""
    text = f"Other devices join at {address_for_others(settings)}"
    if settings.lan:
        return f"{text}\n{invite_text(settings, Role.OPERATOR)}"
    return f"{text}; let the first one in with: steady-hands invite --role owner"
