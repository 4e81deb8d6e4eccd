"""The composition root: the only module that names concrete adapters.

A Manager lives in terms. It waits for the lease, loads the record, acts as the owner until it loses the lease or is
told to stop, and then waits again. A defect of ours ends the term, not the Manager: the next term begins from what is
stored.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from queueserver.manager.v1 import (
    environment_service_pb2_grpc,
    event_service_pb2_grpc,
    history_service_pb2_grpc,
    inventory_service_pb2_grpc,
    lock_service_pb2_grpc,
    permission_service_pb2_grpc,
    planning_service_pb2_grpc,
    queue_service_pb2_grpc,
    run_engine_service_pb2_grpc,
    server_service_pb2_grpc,
    status_service_pb2_grpc,
    task_service_pb2_grpc,
)
from queueserver_long_work.gc_policy import IncrementalCollection, settle
from queueserver_long_work.time_slice import next_turn_after
from queueserver_process.ending import to_the_end
from queueserver_process.process import stop_requested
from queueserver_protos import descriptor_set
from queueserver_rpc.interceptors import RefusalInterceptor
from queueserver_rpc.listening import reaches_beyond_this_machine
from queueserver_rpc.server import Server
from queueserver_rpc.tls_credentials import RereadFiles
from redis.asyncio import Redis
from redis.exceptions import RedisError

from queueserver_manager.domain.queue.item import HistoryEntry, Item
from queueserver_manager.domain.queue.submission import Submission
from queueserver_manager.domain.record import Record
from queueserver_manager.domain.storage import Fault
from queueserver_manager.instance import instance_of
from queueserver_manager.operations.commit.storage import StorageWatch
from queueserver_manager.operations.files import Files, ReloadPolicy
from queueserver_manager.operations.instance import Instance
from queueserver_manager.operations.ownership_term import OwnershipTerm, TermSettings, new_salt
from queueserver_manager.operations.status import StatusBoard, StatusFacts
from queueserver_manager.operations.validation.submissions import Prepared
from queueserver_manager.progress import Progress
from queueserver_manager.rpc.current_term import CurrentTerm
from queueserver_manager.rpc.encoder import ProtoEncoder
from queueserver_manager.rpc.errors import translate
from queueserver_manager.rpc.health import Health
from queueserver_manager.rpc.servicers.environment import EnvironmentServicer
from queueserver_manager.rpc.servicers.events import EventServicer
from queueserver_manager.rpc.servicers.history import HistoryServicer
from queueserver_manager.rpc.servicers.inventory import InventoryServicer
from queueserver_manager.rpc.servicers.lock import LockServicer
from queueserver_manager.rpc.servicers.permissions import PermissionServicer
from queueserver_manager.rpc.servicers.planning import PlanningServicer
from queueserver_manager.rpc.servicers.queue import QueueServicer
from queueserver_manager.rpc.servicers.run_engine import RunEngineServicer
from queueserver_manager.rpc.servicers.server import ServerServicer
from queueserver_manager.rpc.servicers.status import StatusServicer
from queueserver_manager.rpc.servicers.tasks import TaskServicer
from queueserver_manager.rpc.services import SERVICES
from queueserver_manager.settings import Settings, advertised_address, instance_name, list_path, permission_path
from queueserver_manager.standby.owner_connection import OwnerConnection
from queueserver_manager.standby.worker_connection import WorkerConnection
from queueserver_manager.store.codecs.codec import encode_entry, encode_item
from queueserver_manager.store.connection import Busy, connect, have_ready, wait_for_answer, without_password
from queueserver_manager.store.faults import fault_of
from queueserver_manager.store.files.list_file import ListFile
from queueserver_manager.store.files.permission_file import PermissionFile
from queueserver_manager.store.heartbeat import Heartbeat
from queueserver_manager.store.known import KnownStore
from queueserver_manager.store.lease import RETRY_SECONDS, Lease
from queueserver_manager.store.loading import StoreUnusable
from queueserver_manager.store.lock_orders import RedisLockOrders
from queueserver_manager.store.port import OwnershipLost, StoreDown
from queueserver_manager.store.redis import RedisStore
from queueserver_manager.store.redis_report import follow_report
from queueserver_manager.store.redis_version import redis_version
from queueserver_manager.store.renewal import renew
from queueserver_manager.store.replicas import Replicas
from queueserver_manager.wire.descriptions import DescriptionCutter
from queueserver_manager.wire.items import adopt_message
from queueserver_manager.worker_client.grpc import GrpcWorker
from queueserver_manager.worker_client.inventory import inventory_from_bytes, inventory_from_proto

#: Seconds that calls in progress get to finish when the Manager is told to stop.
_GRACE_SECONDS = 2.0
#: Seconds before the next term after a defect ended one: a standby may be faster, and the log stays readable.
_AFTER_DEFECT_SECONDS = 1.0
#: Longest time between two attempts to own the queue while Redis answers but takes no changes.
_LONGEST_DELAY = 2.0
#: To Redis, that a term needs at the same time when it begins.
_CONNECTIONS = 3
_log = logging.getLogger("queueserver_manager")


class Manager:
    """One Manager process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._instance = instance_of(settings)
        self._redis: Redis = connect(settings.redis, settings.key_prefix)
        self._redis_busy = Busy()
        self._worker_tls = RereadFiles(settings.worker_tls) if settings.worker_tls is not None else None
        self._board = StatusBoard(time.time)
        self._storage = StorageWatch(without_password(settings.redis), time.time, self._board.changed)
        self._heartbeat = Heartbeat(
            self._redis, self._storage.heard, self._storage_answered, _CONNECTIONS, self._redis_busy
        )
        self._current_term = CurrentTerm(self._board)
        self._server = Server(SERVICES, [RefusalInterceptor(translate)], descriptor_set=descriptor_set())
        self._health = Health(self._server)
        self._address = ""
        #: Where clients are told to find this Manager.
        self._advertised = ""
        self._progress = Progress(without_password(settings.redis), settings.worker)
        self._files = _files_of(settings)
        self._garbage = IncrementalCollection()
        self._emergency_key = settings.emergency_key.digest(new_salt()) if settings.emergency_key is not None else None
        #: Whether a term was served before, and the one being served.
        self._served = False
        self._term: OwnershipTerm | None = None
        self._owner = OwnerConnection()
        self._worker = WorkerConnection(settings.worker, self._worker_tls)
        self._known = KnownStore()
        self._stop = asyncio.Event()
        _add_servicers(self._server, self._current_term)
        about = ServerServicer(self._current_term, self._about, lambda: redis_version(self._redis), self._request_stop)
        server_service_pb2_grpc.add_ServerServiceServicer_to_server(about, self._server.registry)

    async def run(self) -> int:
        """Serve until told to stop; returns the exit code."""
        stop = self._stop = stop_requested()
        self._address = self._server.listen(self._settings.listen, insecure=self._settings.insecure_listen)
        self._advertised = advertised_address(self._settings, self._address)
        self._progress.begin(self._address)
        self._board.listen(self._health.update)
        self._board.listen(self._progress.show)
        self._board.collect_from(self._facts)
        if self._worker_tls is None and reaches_beyond_this_machine(self._settings.worker):
            _log.warning("What is exchanged with %s is not encrypted: use --worker-tls-cert", self._settings.worker)
        await self._server.start()
        _log.info("Manager listens on %s", self._address)
        if self._advertised != self._address:
            _log.info("Clients are told to find it at %s (choose another by --advertise-address)", self._advertised)
        work = asyncio.get_running_loop().create_task(self._terms())
        stopping = asyncio.get_running_loop().create_task(stop.wait())
        hearing = asyncio.get_running_loop().create_task(follow_report(self._storage.told))
        beating = asyncio.get_running_loop().create_task(self._heartbeat.run())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._progress.end()
            stopping.cancel()
            for each in (hearing, beating, work):
                each.cancel()
            await asyncio.gather(work, hearing, beating, return_exceptions=True)
            self._owner.close()
            await self._worker.close()
            await self._server.stop(_GRACE_SECONDS)
            await self._redis.aclose()
            self._garbage.close()
        if work.cancelled():
            return 0
        error = work.exception()
        if error is not None:
            # What is wrong with the store is in its error's sentence; anything else is for developers.
            _log.critical("The Manager ends: %s", error, exc_info=None if isinstance(error, StoreUnusable) else error)
        return 1

    def _about(self) -> Instance:
        """The facts that clients see about this Manager."""
        return replace(self._instance, address=self._address, advertised=self._advertised)

    def _request_stop(self) -> None:
        """A client stops the server: the process that started all parts stops all; without one, this Manager stops."""
        if not self._progress.pass_on_stop():
            self._stop.set()

    async def _terms(self) -> None:
        """Run one term after another."""
        lease = Lease(
            self._redis,
            self._settings.key_prefix,
            instance_name(self._settings, self._address),
            self._advertised,
            self._redis_busy,
            internal_address=self._settings.internal or self._advertised,
        )
        while True:
            epoch = await self._win(lease)
            defect: BaseException | None = None
            try:
                defect = await self._serve_term(lease, epoch)
            except OwnershipLost as lost:
                _log.warning("%s", str(lost) or "Another Manager owns the queue now; this one is a standby")
            except StoreDown as error:
                self._storage.note(error.fault)
                await next_turn_after(RETRY_SECONDS)
            finally:
                self._current_term.close(None)
                self._board.collect_from(self._facts)
            if defect is not None:
                _log.error("A defect ended this term; the next term begins from what is stored", exc_info=defect)
                await next_turn_after(_AFTER_DEFECT_SECONDS)

    async def _win(self, lease: Lease) -> int:
        """Wait until this Manager owns the queue; returns the epoch of its term."""
        delay, dead_epoch = RETRY_SECONDS, 0
        while True:
            try:
                term = await lease.acquire(dead_epoch)
                self._storage.note(None)
                delay = RETRY_SECONDS
                if term.epoch:
                    self._owner.close()
                    return term.epoch
                if self._shows_other(term.owner_address):
                    _log.info("Standby: the Manager at %s owns the queue", term.owner_address)
                self._announce()
                self._worker.open()
                # In containers names can't be looked up for a second, at just the time when one of them ends.
                await have_ready(self._redis, _CONNECTIONS)
                dead_epoch = await self._owner.wait_until_free(lease, term)
            except (RedisError, OSError) as error:
                self._storage.note(fault_of(error))
                self._board.collect_from(self._facts)
                self._announce()
                await next_turn_after(delay)
                # A Redis that answers but takes no changes is not asked constantly.
                delay = min(2 * delay, _LONGEST_DELAY)
                await wait_for_answer(self._redis)

    def _shows_other(self, owner_address: str) -> bool:
        """Note who owns the queue; returns whether that is news."""
        news = self._board.facts.owner_address != owner_address
        self._current_term.close(owner_address)
        self._board.collect_from(lambda: self._facts(owner_address=owner_address))
        return news

    def _facts(self, owner_address: str = "") -> StatusFacts:
        """What a Manager without a term shows."""
        return StatusFacts(
            time=time.time(),
            storage=self._storage.present,
            owner_address=owner_address,
            insecure_listen=self._server.insecure,
        )

    async def _serve_term(self, lease: Lease, epoch: int) -> BaseException | None:
        """Own the queue until the term ends; returns the defect that ended it.

        Raises OwnershipLost, StoreDown, StoreUnusable.
        """
        loop = asyncio.get_running_loop()
        # Loading a long queue takes a while too: no other Manager may become the owner meanwhile.
        jobs = [
            loop.create_task(self._own(epoch)),
            loop.create_task(renew(lease, epoch, self._stored_revision, self._storage_answered)),
        ]
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            return next(filter(None, map(_end_of, done)), None)
        finally:
            self._current_term.close(None)
            await to_the_end(_end_term(jobs, lease, epoch))

    async def _own(self, epoch: int) -> None:
        """Load the record and act on it until cancelled. Raises OwnershipLost, StoreDown, StoreUnusable."""
        settings = self._settings
        _log.info("Loading the lists of allowed plans and devices")
        first = await self._files.first_permissions()
        store = RedisStore(
            *(self._redis, settings.key_prefix, epoch, inventory_from_bytes, first.default),
            *(settings.limits.log, self._redis_busy, self._emergency_key, Replicas(settings.redis_replicas)),
        )
        worker = GrpcWorker(self._worker.take(), epoch)
        try:
            record, has_lost = await self._known.load(store)
            _log.info(
                "Own the queue (epoch %d): %d items, %d in the history", epoch, len(record.queue), len(record.history)
            )
            settle()
            about = TermSettings(
                epoch,
                self._advertised,
                _encode_ahead,
                _measure_entry,
                settings.limits,
                settings.permitted_metadata,
                scripts_enabled=settings.scripts,
                default_group=settings.default_group,
                files=self._files,
                fresh_permissions=first.fresh if self._wants_file(record) else None,
                at_rest=self._garbage.rest,
                insecure_listen=self._server.insecure,
                lock_orders=RedisLockOrders(self._redis, settings.key_prefix),
                on_stop=self._request_stop,
                changes_were_lost=has_lost,
            )
            self._served = True
            term = self._term = OwnershipTerm(
                *(about, store, record, worker, self._board, ProtoEncoder(), DescriptionCutter(), self._storage)
            )
            await term.run(lambda: self._opened(term))
        finally:
            if self._term is not None:
                self._known.note(self._term.ledger.summary)
            self._term = None
            await worker.close()
            await store.close()

    def _stored_revision(self) -> int:
        return self._term.ledger.summary.revisions.last if self._term is not None else 0

    def _storage_answered(self, fault: Fault | None) -> None:
        if self._term is not None:
            self._term.ledger.storage_seen(fault)

    def _wants_file(self, record: Record) -> bool:
        """Whether permissions from the file replace the stored ones.

        With ON_STARTUP, once in the life of this process: the end and restart of a term undoes nothing that was set.
        """
        at_startup = self._settings.permissions_reload is ReloadPolicy.ON_STARTUP and not self._served
        return at_startup or not record.revisions.permissions

    def _opened(self, term: OwnershipTerm) -> None:
        self._current_term.open_for(term)
        _log.info("The Manager waits for requests on %s", self._address)
        self._announce()

    def _announce(self) -> None:
        self._progress.announce(self._board.facts)


def _files_of(settings: Settings) -> Files:
    permissions, lists = permission_path(settings), list_path(settings)
    return Files(
        PermissionFile(permissions) if permissions is not None else None,
        settings.permissions_reload,
        ListFile(lists, inventory_from_proto) if lists is not None else None,
    )


async def _end_term(jobs: Sequence[asyncio.Task[None]], lease: Lease, epoch: int) -> None:
    for job in jobs:
        job.cancel()
    await asyncio.gather(*jobs, return_exceptions=True)
    await lease.release(epoch)


def _end_of(job: asyncio.Task[None]) -> BaseException | None:
    """The defect that ended a job, which should never end. Raises what is wrong with the store, and OwnershipLost."""
    if job.cancelled():
        return asyncio.CancelledError()
    error = job.exception()
    if isinstance(error, (OwnershipLost, StoreDown, StoreUnusable)):
        raise error
    return error


def _encode_ahead(item: Item, submission: Submission) -> Prepared:
    """Encode an item for the store and for the wire before its commit, so that other commits don't wait for it."""
    return Prepared(len(encode_item(item)), adopt_message(item, submission))


def _measure_entry(entry: HistoryEntry) -> int:
    return len(encode_entry(entry))


def _add_servicers(server: Server, current_term: CurrentTerm) -> None:
    registry = server.registry
    status_service_pb2_grpc.add_StatusServiceServicer_to_server(StatusServicer(current_term), registry)
    queue_service_pb2_grpc.add_QueueServiceServicer_to_server(QueueServicer(current_term), registry)
    history_service_pb2_grpc.add_HistoryServiceServicer_to_server(HistoryServicer(current_term), registry)
    environment_service_pb2_grpc.add_EnvironmentServiceServicer_to_server(EnvironmentServicer(current_term), registry)
    inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server(InventoryServicer(current_term), registry)
    run_engine_service_pb2_grpc.add_RunEngineServiceServicer_to_server(RunEngineServicer(current_term), registry)
    task_service_pb2_grpc.add_TaskServiceServicer_to_server(TaskServicer(current_term), registry)
    permission_service_pb2_grpc.add_PermissionServiceServicer_to_server(PermissionServicer(current_term), registry)
    planning_service_pb2_grpc.add_PlanningServiceServicer_to_server(PlanningServicer(current_term), registry)
    lock_service_pb2_grpc.add_LockServiceServicer_to_server(LockServicer(current_term), registry)
    event_service_pb2_grpc.add_EventServiceServicer_to_server(EventServicer(current_term), registry)
