"""Simulated devices of ophyd."""

from ophyd.sim import det1, det2, motor, motor1
