class Channel(Device):
    setpoint = Cpt(EpicsSignal, "RBV", write_pv="SP")
    current = Cpt(EpicsSignalRO, "I")


class Crate(Device):
    one = Cpt(Channel, "C1:")
    two = Cpt(Channel, "C2:")
    three = Cpt(Channel, "C3:")
    four = Cpt(Channel, "C4:")
    five = Cpt(Channel, "C5:")
    temperature = Cpt(EpicsSignalRO, "T")
    serial = Cpt(EpicsSignalRO, "SERIAL", lazy=True)


missing = []
for number in range(30):
    name = f"crate_{number:02}"
    globals()[name] = Crate(f"XX:99:CRATE{number:02}:", name=name)
    try:
        globals()[name].wait_for_connection(timeout=0.1)
    except TimeoutError:
        missing.append(name)

front_end = EpicsMotor("XX:99:FE:M1", name="front_end")
try:
    front_end.wait_for_connection(timeout=2)
except TimeoutError:
    missing.append("front_end")
