"""Accounts with their people: introduced by orders, changed by requests. What a request changed, no later order changes back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from activities.frame.handlers import Gathers, Handlers, Place, Sql, inserted, on, updated
from activities.frame.staff_rows import STAFF, rows_of
from activities.kernel.inserts import Insert
from activities.kernel.phones import dialled
from activities.kernel.pool import Connection
from domain.frame.decision import GoneContacts
from domain.frame.people_facts import NoteChange
from domain.journey.writes import (
    ChangedAccount,
    CloseAccount,
    NewContact,
    PlaceAccount,
    ReachBack,
    SavedContacts,
)
from domain.orders.order import Contact

_ACCOUNT_PLACED = Insert(
    "account",
    "account_id name country time_zone language segment playbook_version owner_id success_manager_id since recorded_at billed_until",
    """
on conflict (account_id) do update set name = excluded.name, country = excluded.country,
    billed_until = case when 'time_zone' = any(account.set_by_request) or account.time_zone = excluded.time_zone
        then account.billed_until else coalesce(excluded.billed_until, account.billed_until) end,
    time_zone = case when 'time_zone' = any(account.set_by_request) then account.time_zone else excluded.time_zone end,
    language = case when 'language' = any(account.set_by_request) then account.language else excluded.language end,
    owner_id = case when 'owner' = any(account.set_by_request) then account.owner_id else excluded.owner_id end,
    success_manager_id = case when 'success_manager' = any(account.set_by_request) then account.success_manager_id
        else excluded.success_manager_id end,
    since = least(account.since, excluded.since), closed_at = null, closed_reason = null
""",
)
_CONTACT = Insert("contact", "account_id contact_id position name email role language time_zone phone phone_number")

# A wish for no optional mails belongs to the address, however it is written and whoever has it.
_UNSUBSCRIBED = """
(select max(u.unsubscribed_at) from (
    select unsubscribed_at, email from contact where account_id = $1
    union all select unsubscribed_at, email from gone_contact where account_id = $1) u
 where lower(u.email) = lower($5))
"""
_SAVE_CONTACT = f"""
insert into contact (account_id, contact_id, position, name, email, role, language, time_zone, phone, phone_number,
    unsubscribed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {_UNSUBSCRIBED})
on conflict (account_id, contact_id) do update set name = excluded.name, email = excluded.email,
    position = excluded.position, role = excluded.role, language = excluded.language, time_zone = excluded.time_zone,
    phone = coalesce(excluded.phone, contact.phone),
    phone_number = coalesce(excluded.phone_number, contact.phone_number),
    unsubscribed_at = case when lower(contact.email) = lower(excluded.email) then contact.unsubscribed_at
        else excluded.unsubscribed_at end,
    rejected_at = case when lower(contact.email) = lower(excluded.email) then contact.rejected_at end,
    rejected_reason = case when lower(contact.email) = lower(excluded.email) then contact.rejected_reason end
"""


async def place_accounts(place: Place, writes: list[PlaceAccount]) -> None:
    """Accounts with their people and contacts, new or brought up to date."""
    for write in writes:
        await _place_account(place, write)


REACH_BACK = Sql(
    "update account set since = least(since, :since), closed_at = null, closed_reason = null where account_id = :account_id"
)
"""The account began earlier than was known; all else about it stays."""


async def _place_account(place: Place, write: PlaceAccount) -> None:
    account = write.account
    manager = account.success_manager or account.owner
    await place.add(STAFF, rows_of((account.owner, manager)))
    row = (
        account.account_id,
        account.name,
        account.country,
        account.time_zone,
        account.language,
        write.playbook.segment,
        write.playbook.version,
        account.owner.staff_id,
        manager.staff_id,
        write.since,
        place.as_of,
        write.billing_day,
    )
    await place.add(_ACCOUNT_PLACED, [row])
    rows = [
        _contact_row(account.account_id, account.country, one, n, write.time_zone, write.language)
        for n, one in write.contacts.items()
    ]
    if write.billing_day is None:
        await place.add(_CONTACT, rows)  # nobody has written to anybody there, so no address has a wish on record
    else:
        await place.written()
        await _bring_up_to_date(place.connection, account.account_id, rows, write.settled)


async def _bring_up_to_date(
    connection: Connection, account_id: str, rows: Sequence[Sequence[Any]], settled: Collection[str]
) -> None:
    """The contacts of a known account; of those that are settled only the place changes."""
    await connection.execute("update contact set position = position + 1000 where account_id = $1", account_id)
    await connection.executemany(_SAVE_CONTACT, [row for row in rows if row[1] not in settled])
    if stays := [row[:3] for row in rows if row[1] in settled]:
        await connection.executemany(
            "update contact set position = $3 where account_id = $1 and contact_id = $2", stays
        )


def _contact_row(
    account_id: str, country: str, contact: Contact | NewContact, position: int, zone: str = "", language: str = ""
) -> Sequence[Any]:
    return (
        account_id,
        contact.contact_id,
        position,
        contact.name,
        contact.email,
        contact.role.value,
        contact.language or language,
        contact.time_zone or zone,
        contact.phone,
        dialled(contact.phone, country) if contact.phone else None,
    )


# What requests change

_ACCOUNT = Sql(
    "update account set owner_id = :owner, success_manager_id = :success_manager, segment = :segment, language = :language,"
    " playbook_since = case when (segment, playbook_version) = (:segment, :playbook_version) then playbook_since else :as_of end,"
    " playbook_version = :playbook_version, time_zone = :time_zone, billed_until = :billed_until,"
    " set_by_request = (select coalesce(array_agg(distinct f), '{}') from unnest(set_by_request || :fields::text[]) f)"
    " where account_id = :account_id"
)
_SET_BY_REQUEST = Sql(
    "update contact set set_by_request = true where account_id = :account_id and contact_id = any(:ids)",
    ids=lambda _, write: [one.contact_id for one in write.contacts.values()],
)
_GONE = Sql(
    "with gone as (delete from contact where account_id = :account_id and contact_id = any(:contact_ids) returning *)"
    " insert into gone_contact (account_id, contact_id, email, unsubscribed_at, removed_at, removed_by, role)"
    " select account_id, contact_id, email, unsubscribed_at, :at, :by, role from gone"
)


async def _change_account(place: Place, writes: list[ChangedAccount]) -> None:
    """The account's own fields. Contacts who had its zone or language have the new one; open tasks go to the successor."""
    await _ACCOUNT(place, writes)
    for w in writes:
        followed = [("contact", column, *change) for column, change in w.followed.items()]
        for table, column, old, new in [*followed, *(("staff_task", "staff_id", *one) for one in w.succeeded.items())]:
            still = " and closed_at is null" if table == "staff_task" else ""
            await place.connection.execute(
                f"update {table} set {column} = $3 where account_id = $1 and {column} = $2{still}",
                *(place.account_id, old, new),
            )


async def _change_contacts(place: Place, writes: list[SavedContacts]) -> None:
    """Contacts as a request says: new ones behind those that there are."""
    rows = [
        _contact_row(place.account_id, write.country, one, position)
        for write in writes
        for position, one in write.contacts.items()
    ]
    await place.connection.executemany(_SAVE_CONTACT, rows)
    await _SET_BY_REQUEST(place, writes)


_CLOSED = updated("account", "closed_at=at closed_reason=reason", "account_id")
_SETTLED_BY_CLOSING = [
    updated("onboarding_task", "status='past' completed_at=at", "account_id status='open'"),
    Sql("update onboarding_task set over = true where account_id = :account_id"),
    updated(
        "staff_task",
        "closed_at=at ended='taken_back' ended_by='system' outcome=reason",
        "account_id",
        "closed_at is null",
    ),
    updated("offer", "status='expired' settled_at=at", "account_id status='open'"),
    updated("outbox", "status='withdrawn' settled_at=at", "account_id status='held'"),
    Sql("delete from held_step where account_id = :account_id"),
    updated("lead", "status='withdrawn' closed_at=at", "account_id", "status in ('held', 'routed', 'overdue')"),
]


async def _close_accounts(place: Place, writes: list[CloseAccount]) -> None:
    """An account is closed, and what is open of it settled."""
    for statement in (_CLOSED, *_SETTLED_BY_CLOSING):
        await statement(place, writes)


HANDLERS: Handlers = dict(
    [
        on(ChangedAccount, _change_account),
        on(SavedContacts, _change_contacts),
        on(GoneContacts, _GONE),
        on(CloseAccount, _close_accounts),
        on(PlaceAccount, Gathers(place_accounts)),
        on(ReachBack, REACH_BACK),
        on(NoteChange, inserted("people_change", "account_id what about before after at")),
    ]
)
