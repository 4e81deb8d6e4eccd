import pytest
from queueserver.common.v1 import item_pb2 as pb

from tests.integration.environment.environment_child import EnvironmentChild


def test_a_count_completes_with_times_and_its_documents(demo: EnvironmentChild) -> None:
    before = len(demo.documents("event"))
    result = demo.run("count", ["det1", "det2"], num=3)
    events = demo.documents("event")[before:]
    assert result.exit_status == pb.EXIT_STATUS_COMPLETED
    assert not result.message
    assert result.start_time.ToNanoseconds() < result.stop_time.ToNanoseconds()
    assert [event.seq_num for event in events] == [1, 2, 3]
    assert events[0].data["det1"].number == 5.0
    assert round(events[0].data["det2"].number, 3) == 1.765


def test_the_start_is_announced_before_the_documents_and_the_end_after_them(demo: EnvironmentChild) -> None:
    since = len(demo.frames)
    demo.run("count", ["det1"])
    kinds = [str(frame.WhichOneof("frame")) for frame in demo.frames[since:] if not frame.HasField("heartbeat")]
    assert (kinds[0], kinds[-1]) == ("started", "finished")
    assert kinds.count("document") == 4


def test_whole_numbers_arrive_as_int_and_others_as_float(demo: EnvironmentChild) -> None:
    demo.run("measure_sample", ["det"], "motor", -1, 1.5, num=3)
    extra = demo.documents("start")[-1].extra
    assert extra["num_points"].integer == 3
    assert extra["plan_pattern_args"].map.entries["args"].list.values[1].integer == -1
    assert extra["plan_pattern_args"].map.entries["args"].list.values[2].number == 1.5


def test_metadata_of_the_item_is_in_the_start_document(demo: EnvironmentChild) -> None:
    demo.run("count", ["det1"], meta={"sample": {"name": "gold", "number": 7}})
    sample = demo.documents("start")[-1].extra["sample"].map.entries
    assert (sample["name"].text, sample["number"].integer) == ("gold", 7)


@pytest.mark.parametrize("name", ["plan", "subs", "uid", "time"])
def test_metadata_with_a_name_that_the_run_engine_needs_is_refused(demo: EnvironmentChild, name: str) -> None:
    result = demo.run("count", ["det1"], meta={name: "x"})
    assert result.failure_cause == pb.FAILURE_CAUSE_NOT_STARTED
    assert "choose other names" in result.message


def test_subdevices_and_ophyd_async_devices_are_found_by_name(demo: EnvironmentChild) -> None:
    result = demo.run("scan", ["async_sample", "sim_bundle_A.dets.det_A"], "sim_bundle_B.mtrs.x", -1, 1, 3)
    event = demo.documents("event")[-1]
    assert not result.message
    assert {"async_sample-temperature", "sim_bundle_A_dets_det_A", "sim_bundle_B_mtrs_x"} <= set(event.data)


def test_a_name_that_is_no_device_is_refused_with_what_is_near(demo: EnvironmentChild) -> None:
    since = len(demo.frames)
    result = demo.run("measure_sample", ["det1"], "motr1", 0, 1)
    assert result.failure_cause == pb.FAILURE_CAUSE_NOT_STARTED
    assert all(part in result.message for part in ("motor", "'motr1'", "motor1"))
    assert not result.HasField("start_time")
    assert not any(frame.HasField("started") for frame in demo.frames[since:])


def test_arguments_that_do_not_bind_are_refused(demo: EnvironmentChild) -> None:
    result = demo.run("count")
    assert (result.exit_status, result.failure_cause) == (pb.EXIT_STATUS_FAILED, pb.FAILURE_CAUSE_NOT_STARTED)
    assert "detectors" in result.message


def test_an_unknown_plan_is_refused_with_what_is_near(demo: EnvironmentChild) -> None:
    result = demo.run("cout", ["det1"])
    assert result.failure_cause == pb.FAILURE_CAUSE_NOT_STARTED
    assert "count" in result.message.split("did you mean")[1]


def test_a_plan_that_raises_fails_with_its_own_traceback_and_the_next_one_runs(demo: EnvironmentChild) -> None:
    result = demo.run("failing_plan")
    assert (result.exit_status, result.failure_cause) == (pb.EXIT_STATUS_FAILED, pb.FAILURE_CAUSE_PLAN_ERROR)
    assert result.message.startswith("Plan failed: The shutter did not open")
    assert "10-plans.py" in result.traceback
    assert "queueserver_worker" not in result.traceback
    assert demo.documents("stop")[-1].exit_status == "fail"
    assert demo.run("count", ["det1"]).exit_status == pb.EXIT_STATUS_COMPLETED


def test_every_plan_of_the_demo_that_needs_no_arguments_completes(demo: EnvironmentChild) -> None:
    for name in ("count_bundle_test", "move_then_count", "sim_multirun_plan_nested", "plan_test_progress_bars"):
        assert demo.run(name).exit_status == pb.EXIT_STATUS_COMPLETED, name


def test_the_live_table_is_printed_before_the_plan_is_reported_as_finished(demo: EnvironmentChild) -> None:
    demo.run("grid_scan", ["det4"], "motor1", -1, 1, 3, "motor2", -1, 1, 3)
    uid = demo.documents("start")[-1].uid
    demo.wait_for_output(f"generator grid_scan ['{uid[:8]}']")
    table = demo.stdout[demo.stdout.index(f"Persistent Unique Scan ID: '{uid}'") :]
    assert "|   seq_num |       time |     motor1 |     motor2 |       det4 |" in table
    assert "|     -1.000 |      1.000 |      0.368 |" in table
    assert f"Run was closed: '{uid}'" in table


def test_documents_name_their_run(demo: EnvironmentChild) -> None:
    since = len(demo.frames)
    demo.run("sim_multirun_plan_nested", npts=2)
    documents = [frame.document for frame in demo.frames[since:] if frame.HasField("document")]
    starts = [document.run_uid for document in documents if document.document.HasField("start")]
    of_run = [[d.document.WhichOneof("kind") for d in documents if d.run_uid == uid] for uid in starts]
    assert of_run == [["start", "event_descriptor", "event", "event", "stop"]] * 2


def test_the_demo_offers_what_the_tutorials_use(demo: EnvironmentChild) -> None:
    inventory = demo.ready().inventory
    plans = {plan.name for plan in inventory.plans}
    devices = {device.name for device in inventory.devices}
    assert not inventory.issues
    assert plans >= {
        *("adaptive_scan", "count", "count_bundle_test", "fly", "grid_scan", "inner_product_scan", "list_scan"),
        *(
            "marked_up_count",
            "move_then_count",
            "mv",
            "plan_test_progress_bars",
            "rel_scan",
            "sim_multirun_plan_nested",
        ),
        *("relative_inner_product_scan", "scan", "x2x_scan", "measure_sample", "failing_plan"),
    }
    assert devices >= {
        *("ab_det", "det", "det1", "det2", "det3", "det4", "det5", "motor", "motor1", "motor2", "motor3"),
        *("sim_bundle_A", "sim_bundle_B", "async_sample", "flyer1", "rand", "direct_img"),
    }
