import itertools
import re
from typing import Any

import numpy as np
from queueserver_environment.documents.documents import (
    MAX_VALUE_BYTES,
    DocumentConverter,
    without_content,
    without_large_values,
)
from queueserver_environment.messages.frames import RunDocumentEmitted

from tests.unit.environment.channel_forms import arrived_document
from tests.unit.environment.channel_forms import converted as convert
from tests.unit.environment.value_decoder import decode


def emitted(name: str, document: dict[str, Any], converter: DocumentConverter | None = None) -> RunDocumentEmitted:
    (message,) = (converter or DocumentConverter()).convert(name, document)
    return message


def extra(message: Any) -> dict[str, Any]:
    return {key: decode(value) for key, value in message.extra.items()}


def test_a_start_document_has_its_typed_fields_and_everything_else_in_extra() -> None:
    start = convert(
        "start", {"uid": "u", "time": 1.5, "scan_id": 7, "plan_name": "count", "sample": {"a": 1}}
    ).document.start
    assert (start.uid, start.time, start.scan_id, start.plan_name) == ("u", 1.5, 7, "count")
    assert extra(start) == {"sample": {"a": 1}}


def test_a_field_of_another_type_than_the_event_model_says_goes_to_extra() -> None:
    start = convert("start", {"uid": "u", "time": 1, "scan_id": "seven", "plan_name": None}).document.start
    assert not start.HasField("scan_id")
    assert extra(start) == {"scan_id": "seven", "plan_name": None}


def test_a_numpy_scan_number_is_a_whole_number() -> None:
    assert convert("start", {"uid": "u", "scan_id": np.int32(3)}).document.start.scan_id == 3


def test_a_start_document_says_what_to_plot() -> None:
    hints = {"dimensions": [(["x", "y"], "primary"), (["z"], "fine")], "gridding": "rectilinear"}
    start = convert("start", {"uid": "u", "hints": hints}).document.start
    axes = [(list(dimension.fields), dimension.stream) for dimension in start.hints.dimensions]
    assert axes == [(["x", "y"], "primary"), (["z"], "fine")]
    assert extra(start.hints) == {"gridding": "rectilinear"}


def test_dimensions_of_another_form_are_kept_in_extra() -> None:
    hints = convert("start", {"uid": "u", "hints": {"dimensions": [["x", "primary"]]}}).document.start.hints
    assert extra(hints) == {"dimensions": [["x", "primary"]]}


def test_a_descriptor_describes_its_columns_and_their_order() -> None:
    limits = {"control": {"low": 0, "high": None}, "rds": {}}
    key = {"source": "SIM", "dtype": "array", "shape": [None, 3], "units": None, "precision": 2, "dtype_numpy": "<f8"}
    data_keys = {"x": {**key, "external": "STREAM:", "dims": ["time", "x"], "limits": limits}, "a": {}}
    descriptor = convert("descriptor", {"uid": "d", "data_keys": data_keys, "hints": {}}).document.event_descriptor
    column = descriptor.data_keys["x"]
    assert list(descriptor.columns) == ["x", "a"]
    assert (column.source, list(column.shape), column.precision) == ("SIM", [-1, 3], 2)
    assert (column.dtype_numpy, column.external, list(column.dims)) == ("<f8", "STREAM:", ["time", "x"])
    assert (column.limits.control.low, column.limits.control.HasField("high")) == (0.0, False)
    assert (extra(column.limits), extra(column), extra(descriptor)) == ({"rds": {}}, {"units": None}, {"hints": {}})


def test_a_descriptor_tells_of_its_devices() -> None:
    key = {"source": "SIM", "dtype": "number", "shape": []}
    configured = {"data": {"rate": 5, "gain": 2}, "timestamps": {"rate": 1.5}, "data_keys": {"rate": key, "gain": key}}
    document = {
        "object_keys": {"det": ["b", "a"], "none": []},
        "hints": {"det": {"fields": ["b"], "NX_class": "NXdetector"}, "none": {"fields": []}},
        "configuration": {"det": configured},
    }
    descriptor = convert("descriptor", {"uid": "d", "data_keys": {}, **document}).document.event_descriptor
    columns = {device: list(names.names) for device, names in descriptor.object_keys.items()}
    assert columns == {"det": ["b", "a"], "none": []}
    assert (list(descriptor.hints["det"].fields), extra(descriptor.hints["det"])) == (["b"], {"NX_class": "NXdetector"})
    assert extra(descriptor.hints["none"]) == {"fields": []}
    configuration = descriptor.configuration["det"]
    assert (list(configuration.columns), decode(configuration.data["rate"])) == (["rate", "gain"], 5)
    assert (dict(configuration.timestamps), configuration.data_keys["gain"].source) == ({"rate": 1.5}, "SIM")
    assert not extra(descriptor)


def test_a_configuration_that_lacks_a_part_is_kept_in_extra() -> None:
    document = {"uid": "d", "data_keys": {}, "configuration": {"det": {"data": {"rate": 5}}}}
    descriptor = convert("descriptor", document).document.event_descriptor
    assert extra(descriptor) == {"configuration": {"det": {"data": {"rate": 5}}}}


def test_times_of_readings_that_are_no_numbers_are_kept_in_extra() -> None:
    event = convert("event", {"uid": "e", "data": {}, "timestamps": {"x": 1.5, "y": "noon"}}).document.event
    assert (dict(event.timestamps), extra(event)) == ({}, {"timestamps": {"x": 1.5, "y": "noon"}})


def test_data_keys_of_a_wrong_form_are_kept_in_extra() -> None:
    descriptor = convert("descriptor", {"uid": "d", "data_keys": {"x": "no mapping"}}).document.event_descriptor
    assert extra(descriptor) == {"data_keys": {"x": "no mapping"}}


def test_a_stop_document_counts_events_and_keeps_a_reason_of_several_lines() -> None:
    document = {"uid": "s", "run_start": "r", "exit_status": "fail", "reason": "a\nb", "num_events": {"primary": 3}}
    stop = convert("stop", document).document.stop
    assert (stop.exit_status, stop.reason, dict(stop.num_events)) == ("fail", "a\nb", {"primary": 3})


def test_an_event_page_has_columns() -> None:
    document = {"descriptor": "d", "uid": ["a", "b"], "time": [1, 2.5], "seq_num": [1, 2], "data": {"x": [1, 2]}}
    page = convert("event_page", {**document, "timestamps": {}}).document.event_page
    assert (list(page.uids), list(page.times), list(page.seq_nums)) == (["a", "b"], [1.0, 2.5], [1, 2])
    assert decode(page.data["x"]) == [1, 2]


def test_external_data_in_both_forms_keeps_its_parts() -> None:
    datum = convert("datum", {"datum_id": "r/0", "resource": "r", "datum_kwargs": {"i": 1}}).document.datum
    document = {"uid": "x", "stream_resource": "r", "descriptor": "d", "indices": {"start": 0, "stop": 5}}
    stream = convert("stream_datum", {**document, "seq_nums": {"start": 1}}).document.stream_datum
    assert (datum.datum_id, decode(datum.datum_kwargs["i"])) == ("r/0", 1)
    assert (stream.indices.start, stream.indices.stop) == (0, 5)
    assert extra(stream) == {"seq_nums": {"start": 1}}


def test_every_document_of_interleaved_runs_names_its_run_and_closed_runs_are_forgotten() -> None:
    converter = DocumentConverter()
    for run in ("r1", "r2"):
        convert("start", {"uid": run}, converter)
        convert("descriptor", {"uid": f"{run}-d", "run_start": run}, converter)
        convert("resource", {"uid": f"{run}-f", "run_start": run}, converter)
    for run, (name, document) in itertools.product(
        ("r1", "r2"), (("event", {"descriptor": "{}-d"}), ("datum", {"resource": "{}-f"}))
    ):
        filled = {key: value.format(run) for key, value in document.items()}
        assert convert(name, filled, converter).run_uid == run
    assert convert("stop", {"uid": "s", "run_start": "r1"}, converter).run_uid == "r1"
    assert convert("event", {"descriptor": "r1-d"}, converter).run_uid == ""
    assert convert("event", {"descriptor": "r2-d"}, converter).run_uid == "r2"


def test_bulk_events_become_single_events() -> None:
    events = [{"uid": str(number), "descriptor": "d", "seq_num": number} for number in (1, 2)]
    messages = map(arrived_document, DocumentConverter().convert("bulk_events", {"d": events}))
    assert [message.document.event.seq_num for message in messages] == [1, 2]


def test_a_document_without_its_content_says_what_it_is_and_how_long_it_was() -> None:
    converter = DocumentConverter()
    convert("descriptor", {"uid": "d", "run_start": "r"}, converter)
    event = {"uid": "e" * 5000, "descriptor": "d", "seq_num": 7, "time": 1.5, "data": {"image": b"x" * 100}}
    short = arrived_document(without_content(emitted("event", event, converter)))
    assert (short.run_uid, short.document.event.descriptor_uid, short.document.event.seq_num) == ("r", "d", 7)
    assert (short.document.event.uid, list(short.document.event.data)) == ("", [])
    left_out = short.document.event.extra["left_out"].text
    assert re.fullmatch("51[0-9]{2} bytes are too many to be sent", left_out)


def test_a_document_without_its_large_values_keeps_the_small_ones() -> None:
    message = emitted("event", {"uid": "e", "data": {"image": b"x" * (MAX_VALUE_BYTES + 1), "sum": 5}})
    data = arrived_document(without_large_values(message)).document.event.data
    assert data["sum"].integer == 5
    assert data["image"].text.startswith("left out: 1048")


def test_a_document_without_its_large_values_has_no_large_configuration_either() -> None:
    data = {"flat_field": b"x" * (MAX_VALUE_BYTES + 1), "gain": 5}
    configuration = {"camera": {"data": data, "timestamps": {}, "data_keys": {}}}
    message = emitted("descriptor", {"uid": "d", "data_keys": {}, "configuration": configuration})
    descriptor = arrived_document(without_large_values(message)).document.event_descriptor
    kept = descriptor.configuration["camera"].data
    assert (kept["gain"].integer, kept["flat_field"].text[:15]) == (5, "left out: 10485")
