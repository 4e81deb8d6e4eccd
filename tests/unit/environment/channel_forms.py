"""What arrives at the supervisor of what the environment sends, without processes."""

from collections.abc import Mapping
from typing import Any

from queueserver.common.v1.value_pb2 import DataValue
from queueserver.worker.v1 import environment_channel_pb2 as pb
from queueserver_environment.documents.documents import DocumentConverter
from queueserver_environment.documents.values import passed_on
from queueserver_environment.messages.frames import FromEnvironment, RunDocumentEmitted, TaskFinished
from queueserver_environment.messages.tasks import TaskResult
from queueserver_environment.process.frames import encode
from queueserver_worker.supervisor.frames.decoding import decode


def arrived(frame: FromEnvironment) -> pb.FromEnvironment:
    """A frame."""
    return decode(encode(frame))


def arrived_value(value: Any) -> DataValue:
    """A value."""
    result = TaskResult(return_value=passed_on(value))
    return arrived(FromEnvironment(task_finished=TaskFinished(result=result))).task_finished.result.return_value


def arrived_document(emitted: RunDocumentEmitted) -> pb.RunDocumentEmitted:
    """A run document."""
    return arrived(FromEnvironment(document=emitted)).document


def converted(
    name: str, document: Mapping[str, Any], converter: DocumentConverter | None = None
) -> pb.RunDocumentEmitted:
    """A document that bluesky emitted."""
    (emitted,) = (converter or DocumentConverter()).convert(name, document)
    return arrived_document(emitted)
