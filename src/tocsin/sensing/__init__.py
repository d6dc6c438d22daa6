"""What sensors make of positions handed to them: phased-array radars and infrared satellites, scan by scan.

Simulation only: plain models with public or notional parameters. ``Rig`` is the way in; ``Targets`` is what it looks
at.
"""
