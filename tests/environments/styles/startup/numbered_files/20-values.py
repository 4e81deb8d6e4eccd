try:
    from ophyd_async.core import set_mock_value
except ImportError:
    from ophyd_async.testing import set_mock_value

set_mock_value(diode.current, 4.5)
set_mock_value(stage.x.velocity, 1.0)
