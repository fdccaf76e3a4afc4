"""What a worker is made of: workflows, and activities with their pool and channels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from temporalio import activity
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Interceptor, Worker, WorkerDeploymentConfig, WorkflowInterceptorClassInput

from activities.billing.payments import PaymentKeeping
from activities.channels.batch_notices import BatchNotices
from activities.channels.deliveries import Deliveries
from activities.channels.events import Webhooks
from activities.channels.mail import MailChannel
from activities.channels.notices import MailNotices
from activities.channels.pace import MailPace
from activities.channels.provisioning import HttpProvisioner, InstantProvisioner
from activities.channels.rendering import Renderer
from activities.contracts.amendments import AssetAmendments
from activities.contracts.renewal_work import RenewalWork
from activities.contracts.transfers import Conveyor
from activities.frame.pruning import Pruning
from activities.frame.unit_of_work import Performer
from activities.holds.holds import HoldKeeping
from activities.journey.accepting import OrderAcceptance
from activities.journey.answering import made_activities
from activities.journey.attending import Attending
from activities.journey.erasing import Erasing
from activities.journey.installed_base import InstalledBase
from activities.journey.people import CustomerChanges
from activities.journey.reconciling import Reconciling
from activities.journey.steps import JourneySteps
from activities.journey.taking_over import OrderImports
from activities.kernel.pool import Pool
from activities.mail.signing import Signing
from activities.orders.fulfilments import Fulfilments
from activities.playbooks import FOLDER, read_playbooks
from activities.quotes.quoting import Quotes
from activities.service.case_work import CaseWorker
from activities.service.cases import ServiceCases
from activities.service.claiming import Claims
from activities.service.selling import CaseSales
from activities.service_policies import FOLDER as BOOK
from activities.service_policies import read_service_book
from activities.success.expanding import Expanding
from activities.success.health_keeping import HealthKeeping
from activities.success.health_runs import HealthBatch
from activities.success.playing import Plays
from domain.frame.work_kinds import WorkKind, kind_of, queue_of
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.doors import Doors
from gateway.events.desk import EventDesk
from gateway.inbound import Inbox
from gateway.nexus import Roles, service_of
from gateway.observed import observing
from workers.settings import Settings, Versioning
from workflows.batch import BatchRun
from workflows.calls import QUEUES_APART
from workflows.customer_journey import CustomerJourney
from workflows.service_case import ServiceCase

if TYPE_CHECKING:
    from fastapi import FastAPI

    from gateway.console.provider import Provider

WORKFLOWS: Sequence[type] = (CustomerJourney, ServiceCase, BatchRun)


def build_activities(pool: Pool, settings: Settings, temporal: Client) -> list[Callable[..., Any]]:
    """Every activity that workflows call, bound to its pool and channels."""
    webhooks = settings.webhooks()
    performer = Performer(pool, settings.seller_name, issuer=settings.issuer(), webhooks=webhooks is not None)
    mail = MailChannel(settings.smtp(), Renderer(), performer.sender.signing.key, _pace(pool, settings))
    provisioner = HttpProvisioner(settings.provisioning_url) if settings.provisioning_url else InstantProvisioner()
    case_worker = CaseWorker(performer, read_service_book(settings.service_book or BOOK), settings.domains().mail)
    playbooks = read_playbooks(settings.playbooks or FOLDER)
    concerns = (
        JourneySteps(performer),
        Plays(performer),
        Fulfilments(performer),
        Quotes(performer),
        AssetAmendments(performer),
        Conveyor(performer, temporal),
        OrderAcceptance(performer, playbooks, most_lines=settings.order_lines),
        OrderImports(performer, playbooks, most_lines=settings.order_lines),
        CustomerChanges(performer, playbooks),
        HoldKeeping(performer),
        CaseSales(performer),
        Expanding(performer, pool, temporal),
        InstalledBase(performer),
        Reconciling(performer),
        ServiceCases(case_worker),
        Claims(case_worker),
        Webhooks(performer, webhooks),
        RenewalWork(performer),
        Pruning(pool, settings.keeping()),
        Erasing(performer, pool, temporal),
        HealthKeeping(performer),
        PaymentKeeping(performer),
        HealthBatch(pool, temporal),
        Deliveries(performer, mail, _notices(settings, mail), provisioner),
        build_attending(pool, settings, mail),
    )
    by_hand = [method for concern in concerns for method in activities_of(concern)]
    return [*by_hand, *made_activities(performer, case_worker, concerns)]


def _pace(pool: Pool, settings: Settings) -> MailPace | None:
    return MailPace(pool, settings.mails_per_second) if settings.mails_per_second else None


def _notices(settings: Settings, mail: MailChannel) -> MailNotices:
    titles = read_playbooks(settings.playbooks or FOLDER).titles()
    return MailNotices(mail, settings.staff_language, titles, settings.console_url)


def build_attending(pool: Pool, settings: Settings, mail: MailChannel | None = None) -> Attending:
    """What attends to the work of our people: the batch of a worker, and what a rehearsal calls on its days."""
    channel = mail or MailChannel(settings.smtp(), Renderer(), Signing(pool).key, _pace(pool, settings))
    return Attending(pool, BatchNotices(pool, _notices(settings, channel)).leave)


def activities_of(concern: object) -> list[Callable[..., Any]]:
    """The methods of `concern` that are activities."""
    methods = (getattr(concern, name) for name in dir(concern) if not name.startswith("_"))
    return [method for method in methods if hasattr(method, "__temporal_activity_definition")]


def build_inbox(client: Client, pool: Pool, settings: Settings) -> Inbox:
    """The inbox, over the same servers as a worker's."""
    return Inbox(
        PerennialClient(client, pool, task_queue=settings.task_queue),
        CaseClient(client, pool, task_queue=settings.task_queue),
        pool,
        own_address=settings.mail_sender,
        domains=settings.domains(),
        authserv_id=settings.authserv_id,
    )


def build_desk(client: Client, pool: Pool, settings: Settings) -> EventDesk:
    """Whoever attends to events of other systems, over the same servers as a worker's."""
    return EventDesk(Doors(client, pool, settings.task_queue))


def desks_of(client: Client, pool: Pool, settings: Settings) -> list[Runs]:
    """Who attends in a worker to what comes in: one that does no journeys leaves it to those that do."""
    if WorkKind.JOURNEYS not in settings.queues:
        return []
    return [build_inbox(client, pool, settings), build_desk(client, pool, settings)]


class Runs(Protocol):
    """Something that attends to what comes in."""

    async def run(self) -> None: ...


@asynccontextmanager
async def attended(*desks: Runs) -> AsyncIterator[None]:
    """Received mails and events are looked at as they come, until the end of the block."""
    running = [asyncio.create_task(desk.run()) for desk in desks]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def build_gateway(
    client: Client,
    pool: Pool,
    settings: Settings,
    inbox: Inbox,
    desk: EventDesk | None = None,
    *,
    local: bool = False,
    ui: str | None = None,
) -> FastAPI:
    """The API and the pages, over the same servers as a worker's. What customers answer there is kept in the `inbox`, and what other
    systems tell by the `desk`. local: whoever comes chooses who they are, which is for a stack on loopback alone; ui: the Temporal UI, if
    it is another than the settings name."""
    from starlette.routing import Route  # a worker alone does without

    from gateway.api.app import create_app
    from gateway.console.app import console
    from gateway.console.visit import Place
    from gateway.customer.pages import customer_pages
    from gateway.decoding import codec_of, codec_routes

    within = timedelta(seconds=settings.answer_within)
    doors = Doors(client, pool, settings.task_queue, within, settings.issuer(), settings.webhooks())
    line = settings.database_direct_url.get_secret_value() if settings.database_direct_url else None
    shown = ui or settings.temporal_ui_url or ""
    place = Place(doors, local, shown, _provider(settings), settings.service_book, inbox, line)
    codec = codec_routes(place, codec_of(client.data_converter))
    routes = [*customer_pages(inbox).routes, *codec, console(place)]
    if find_spec("mcp") is None:  # the extra `agents`
        app = create_app(doors, *routes, desk=desk)
    else:
        from gateway.agents.server import OverHttp

        tools = OverHttp(doors)
        app = create_app(doors, Route("/mcp", tools), *routes, during=tools.running, desk=desk)
    if (traced := observing()) is not None:
        app.add_middleware(traced.over_http)
    return app


def _provider(settings: Settings) -> Provider | None:
    """With whom people sign in, if with anybody."""
    if (registration := settings.provider()) is None:
        return None
    from gateway.console.provider import Provider  # most of a second's import, for whoever needs it

    return Provider(registration)


def roles_of(settings: Settings) -> Roles:
    """In which roles callers of each Nexus endpoint ask."""
    return {endpoint: frozenset(given) for endpoint, given in settings.nexus_roles.items()}


_MOVES = {Versioning.AUTO_UPGRADE: VersioningBehavior.AUTO_UPGRADE, Versioning.PINNED: VersioningBehavior.PINNED}


def build_of(settings: Settings) -> str:
    """The build of this process's workers."""
    return settings.build_id or metadata.version("perennial")


def _deployment(settings: Settings) -> WorkerDeploymentConfig:
    """Which build a worker is of; a deployment is called as its task queue is."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.task_queue, build_of(settings)),
        use_worker_versioning=settings.versioning is not Versioning.OFF,
        default_versioning_behavior=_MOVES.get(settings.versioning, VersioningBehavior.UNSPECIFIED),
    )


class QueuesApart(Interceptor):
    """Tells workflows which kinds of work have task queues of their own."""

    def __init__(self, apart: frozenset[WorkKind]) -> None:
        self._apart = apart

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> None:
        """Intercepts nothing: the function is what is told."""
        input.unsafe_extern_functions[QUEUES_APART] = lambda: self._apart


@asynccontextmanager
async def working(client: Client, pool: Pool, settings: Settings, **options: Any) -> AsyncIterator[None]:
    """Workers for every task queue that the settings name, until the end of the block and of what they have begun by then: all of them
    end at the same time, so that it takes as long as for one."""
    async with AsyncExitStack() as entered:
        workers: list[Worker] = []
        for kind in settings.queues:
            build = build_worker if kind is WorkKind.JOURNEYS else partial(_build_apart, kind)
            workers.append(await entered.enter_async_context(build(client, pool, settings, **options)))
        try:
            yield
        finally:
            await asyncio.gather(*(worker.shutdown() for worker in workers))


def _build_apart(kind: WorkKind, client: Client, pool: Pool, settings: Settings, **options: Any) -> Worker:
    """A worker for the activities of one kind alone, those of every build."""
    definitions = (
        (one, activity._Definition.must_from_callable(one)) for one in build_activities(pool, settings, client)
    )
    activities = [one for one, definition in definitions if kind_of(definition.name or "") is kind]
    return Worker(client, task_queue=queue_of(settings.task_queue, kind), activities=activities, **options)


def build_worker(
    client: Client, pool: Pool, settings: Settings, *, workflows: Sequence[type] = WORKFLOWS, **options: Any
) -> Worker:
    """A worker for `settings.task_queue`, by a client that has our plugin. It does every kind of work: what was begun before a kind had a
    queue of its own is still there."""
    told = [QueuesApart(settings.apart)] if settings.apart else []
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=workflows,
        activities=build_activities(pool, settings, client),
        interceptors=[*told, *options.pop("interceptors", ())],
        nexus_service_handlers=[service_of(Doors(client, pool, settings.task_queue), roles_of(settings))],
        deployment_config=_deployment(settings),
        **{"max_cached_workflows": 2000, **options},
    )
