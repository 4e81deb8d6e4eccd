for number in range(4):
    name = f"lonely_{number}"
    globals()[name] = EpicsSignal(f"XX:99:LONELY{number}:RBV", write_pv=f"XX:99:LONELY{number}", name=name)
    try:
        globals()[name].get(connection_timeout=0.3)
    except TimeoutError:
        missing.append(name)
