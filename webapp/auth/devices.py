"""Database queries of joined devices and open invites.

Joining is one transaction that first locks one row, so that of any number of devices with one
invite one gets in, also where processes share the database. Instants are ms of the clock.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa

from webapp.auth.invites import InviteRow, NewInvite, hash_secret, new_invite, read_invites
from webapp.domain.invites import (
    DEVICE_TOKEN_BYTES,
    SEEN_EVERY_MS,
    Invite,
    Role,
    kind_of,
    tries_with,
)
from webapp.site import Site
from webapp.storage.postgresql import BEATS
from webapp.storage.sessions import NotSavedError, Storage, meta, sessions, set_meta
from webapp.storage.sqlite import Sqlite
from webapp.storage.tables import devices, invites
from webapp.timekeeping.presence import DevicePresence

TRIES = "tries"
FORGOTTEN_MS = 24 * 3_600_000
SHOWN_REVOKED = 20
SEEN_AT_ONCE = 100  # more would delay commands

Refusal = Literal["unknown", "used", "expired", "burnt", "too-many"]

OURS = devices.c.token_hash == sa.bindparam("token")
JOINED = sa.select(devices.c.id, devices.c.role, devices.c.seen_at).where(
    OURS, devices.c.revoked_at.is_(None)
)
# Identity and last ``seq`` in one query, since a heartbeat may cost no more.
BEAT = (
    sa.select(devices.c.id, devices.c.role, devices.c.seen_at, sessions.c.last_seq)
    .select_from(devices)
    .outerjoin(sessions, sessions.c.id == sa.bindparam("session"))
    .where(OURS, devices.c.revoked_at.is_(None))
)
INVITED = sa.select(invites.c.id).where(invites.c.token_hash == sa.bindparam("token"))
SEEN = (
    sa.update(devices)
    .where(devices.c.id == sa.bindparam("one"), devices.c.seen_at < sa.bindparam("at"))
    .values(seen_at=sa.bindparam("at"))
)
REVOKED = sa.select(devices.c.id).where(devices.c.revoked_at > sa.bindparam("since"))

log = logging.getLogger("steady_hands")


@dataclass(frozen=True, slots=True)
class Device:
    """A device as the owner sees it."""

    id: str
    role: Role
    label: str
    joined_at: int
    seen_at: int
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class Joined:
    """A device that has just joined. Only its hash is stored, so the token is known only now."""

    device: str
    token: str
    role: Role


class Devices:
    """Devices and invites in ``storage``; ``presence`` notes when each device asks."""

    def __init__(self, storage: Storage, presence: DevicePresence | None = None) -> None:
        self.storage = storage
        self.presence = presence or DevicePresence()

    # -- joining ---------------------------------------------------------------------------

    def invite(self, role: Role, now: int) -> NewInvite:
        """Create an invite. Raises NotSavedError."""
        invite = new_invite(role, now)
        row = invite.row()

        def work(connection: sa.Connection) -> None:
            old = invites.c.expires_at < now - FORGOTTEN_MS
            connection.execute(sa.delete(invites).where(old))
            add_invite(connection, row)

        self.storage.carry_out(work)
        return invite

    def join(
        self, agent: str, now: int, *, token: str = "", letters: str = "", before: str = ""
    ) -> Joined | Refusal:
        """Join a device by a token or a typed code; ``before`` is its earlier id, which is revoked.

        ``agent`` is its User-Agent. Raises NotSavedError.
        """
        device = Joined(
            secrets.token_urlsafe(12), secrets.token_urlsafe(DEVICE_TOKEN_BYTES), Role(1)
        )

        def work(connection: sa.Connection) -> Joined | Refusal:
            tries = lock_tries(connection)
            if role := connection.scalar(ROLE_OF, {"id": device.device}):
                return Joined(device.device, device.token, Role(role))  # the first try has counted
            if letters:
                more = tries_with(tries, now)
                if more is None:
                    return "too-many"
                set_meta(connection, TRIES, json.dumps(more))
            row = find_by_code(connection, letters) if letters else find_by_token(connection, token)
            refusal = refusal_of(row, now, by_letters=bool(letters))
            if row is None or refusal:
                if letters:
                    count_wrong(connection, now)
                return refusal or "unknown"
            return add_device(connection, row, device, agent, now, before)

        self.store_terminal_invites(now)
        if token and not self.knows(token):  # strangers cost no write
            return "unknown"
        return self.storage.carry_out(work)

    def knows(self, token: str) -> bool:
        """Return True when there is or was an invite with this token. One query."""
        return self.storage.first(INVITED, {"token": hash_secret(token)}) is not None

    def limit_reached(self, now: int) -> bool:
        """Return True when the limit of tries in this minute is reached. One query, no write."""
        with self.storage.engine.connect() as connection:
            value = connection.scalar(sa.select(meta.c.value).where(meta.c.name == TRIES))
        return tries_with(parse_tries(value), now) is None

    def store_terminal_invites(self, now: int) -> None:
        """Store the invites that the command ``invite`` has written into the data folder."""
        database = self.storage.database
        if not isinstance(database, Sqlite):
            return
        for path, row in read_invites(database.folder, now):
            self.storage.carry_out(partial(add_invite, row=row))
            path.unlink(missing_ok=True)

    # -- who asks --------------------------------------------------------------------------

    def find(self, token: str, now: int) -> tuple[str, Role] | None:
        """Return id and role of the device with this token; None when there is none. One query."""
        row = self.storage.first(JOINED, {"token": hash_secret(token)})
        return self.note_seen(row, now) if row else None

    def find_with_seq(
        self, token: str, session_id: str, now: int
    ) -> tuple[str, Role, int | None] | None:
        """Return id and role of the device, and the session's last ``seq``. One query."""
        row = self.storage.first(BEAT, {"token": hash_secret(token), "session": session_id})
        return (*self.note_seen(row, now), row.last_seq) if row else None

    def find_many_with_seq(
        self, pairs: Sequence[tuple[str, str]], now: int
    ) -> list[tuple[tuple[str, Role] | None, int | None]]:
        """Return for each token and session id and role of the device, and the last ``seq``.

        One query, for PostgreSQL. An empty token belongs to no device.
        """
        values = {
            "tokens": [hash_secret(token) if token else None for token, _ in pairs],
            "sessions": [session for _, session in pairs],
        }
        rows = self.storage.read(lambda connection: connection.execute(BEATS, values).all())
        return [(self.note_seen(row, now) if row.id else None, row.last_seq) for row in rows]

    def note_seen(self, row: sa.Row[Any], now: int) -> tuple[str, Role]:
        """Note in memory that a device has asked; ``sweep`` stores it."""
        self.presence.note(row.id, now, row.seen_at)
        return row.id, Role(row.role)

    def sweep(self, now: int) -> None:
        """Store when devices were last seen, at most once a minute for each."""
        seen_at = self.presence.seen
        lately = dict(seen_at)
        due: list[dict[str, Any]] = [
            {"one": device, "at": at}
            for device, (at, seen) in lately.items()
            if at > seen and now - seen >= SEEN_EVERY_MS
        ]
        try:
            for some in batches(due, SEEN_AT_ONCE):
                self.storage.carry_out(partial(store_seen, rows=some))
        except NotSavedError as error:
            log.error("when devices were last seen could not be note_seen: %s", error)
            return
        for row in due:
            if seen_at.get(row["one"]) == lately[row["one"]]:
                seen_at[row["one"]] = row["at"], row["at"]
        for device, (at, _) in lately.items():
            if now - at > SEEN_EVERY_MS and seen_at.get(device, (0, 0))[0] == at:
                seen_at.pop(device, None)

    def revoked(self, since: int) -> set[str]:
        """Return the devices that were revoked after ``since``. One query."""
        with self.storage.engine.connect() as connection:
            return set(connection.scalars(REVOKED, {"since": since}))

    # -- the owner -------------------------------------------------------------------------

    def all(self) -> tuple[list[Device], list[Device]]:
        """Return active and lately revoked devices, each newest first. One query."""
        query = sa.select(devices).order_by(devices.c.joined_at.desc(), devices.c.id)
        with self.storage.engine.connect() as connection:
            every = [self.device_of(row) for row in connection.execute(query)]
        gone = [device for device in every if device.revoked_at is not None]
        gone.sort(key=lambda device: device.revoked_at or 0, reverse=True)
        return [device for device in every if device.revoked_at is None], gone[:SHOWN_REVOKED]

    def get(self, device_id: str) -> Device | None:
        """Return an active device. One query."""
        row = self.storage.first(sa.select(devices).where(is_active(device_id)), {})
        return self.device_of(row) if row else None

    def device_of(self, row: sa.Row[Any]) -> Device:
        seen = self.presence.last_seen(row.id, row.seen_at)
        label = f"{row.kind} {row.number}"
        return Device(row.id, Role(row.role), label, row.joined_at, seen, row.revoked_at)

    def change_role(self, device_id: str, role: Role) -> None:
        """Change the role of an active device. Raises NotSavedError."""
        change = sa.update(devices).where(is_active(device_id)).values(role=int(role))
        self.storage.carry_out(lambda connection: connection.execute(change))

    def revoke(self, device_id: str, now: int) -> None:
        """Revoke a device at once. Raises NotSavedError."""
        change = sa.update(devices).where(is_active(device_id)).values(revoked_at=now)
        self.storage.carry_out(lambda connection: connection.execute(change))


def devices_of(site: Site) -> Devices:
    """Return the devices of a site."""
    return Devices(site.storage, site.device_presence)


ROLE_OF = sa.select(devices.c.role).where(devices.c.id == sa.bindparam("id"))


def batches(rows: list[dict[str, Any]], most: int) -> Iterator[list[dict[str, Any]]]:
    """Yield ``rows`` in order, at most ``most`` at a time."""
    for begin in range(0, len(rows), most):
        yield rows[begin : begin + most]


def is_active(device_id: str) -> sa.ColumnElement[bool]:
    return (devices.c.id == device_id) & devices.c.revoked_at.is_(None)


def add_invite(connection: sa.Connection, row: InviteRow) -> None:
    """Add an invite, unless an earlier try has added it."""
    if not connection.scalar(sa.select(invites.c.id).where(invites.c.id == row.id)):
        connection.execute(sa.insert(invites), asdict(row))


def lock_tries(connection: sa.Connection) -> tuple[int, ...]:
    """Return when codes were tried lately. It locks joining until the transaction ends."""
    connection.execute(sa.text(f"INSERT INTO meta VALUES ('{TRIES}', '[]') ON CONFLICT DO NOTHING"))
    query = sa.select(meta.c.value).where(meta.c.name == TRIES)
    return parse_tries(connection.scalar(query.with_for_update()))


def parse_tries(value: str | None) -> tuple[int, ...]:
    return tuple(json.loads(value)) if value else ()


def find_by_token(connection: sa.Connection, token: str) -> sa.Row[Any] | None:
    return connection.execute(
        sa.select(invites).where(invites.c.token_hash == hash_secret(token))
    ).first()


def find_by_code(connection: sa.Connection, letters: str) -> sa.Row[Any] | None:
    """Return the invite with this code; a valid one before expired ones."""
    query = sa.select(invites).where(invites.c.code_hash == hash_secret(letters))
    return connection.execute(query.order_by(invites.c.expires_at.desc())).first()


def invite_of(row: sa.Row[Any]) -> Invite:
    return Invite(row.id, Role(row.role), row.expires_at, row.wrong, row.device is not None)


def refusal_of(row: sa.Row[Any] | None, now: int, *, by_letters: bool) -> Refusal | None:
    """Return why an invite is refused; None when it is valid, or there is none."""
    if row is None:
        return None
    invite = invite_of(row)
    if invite.used:
        return "used"
    if not invite.holds(now):
        return "expired"
    return "burnt" if by_letters and not invite.code_holds(now) else None


def count_wrong(connection: sa.Connection, now: int) -> None:
    """Count a wrong code against every open invite."""
    opened = invites.c.device.is_(None) & (invites.c.expires_at > now)
    connection.execute(sa.update(invites).where(opened).values(wrong=invites.c.wrong + 1))


def add_device(
    connection: sa.Connection,
    invite: sa.Row[Any],
    device: Joined,
    agent: str,
    now: int,
    before: str,
) -> Joined:
    """Create the device and use up the invite."""
    kind = kind_of(agent)
    highest = sa.select(sa.func.max(devices.c.number)).where(devices.c.kind == kind)
    row = {
        "id": device.device,
        "token_hash": hash_secret(device.token),
        "role": invite.role,
        "kind": kind,
        "number": (connection.scalar(highest) or 0) + 1,
        "joined_at": now,
        "seen_at": now,
    }
    connection.execute(sa.insert(devices), row)
    used = sa.update(invites).where(invites.c.id == invite.id).values(device=device.device)
    connection.execute(used)
    if before:  # one device, one entry in the list
        connection.execute(sa.update(devices).where(is_active(before)).values(revoked_at=now))
    return Joined(device.device, device.token, Role(invite.role))


def store_seen(connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
    connection.execute(SEEN, rows)
