"""Meters that are attached: `open_meter` makes one of an address like ppk2:/dev/ttyACM1?mode=source&v=3.3&trig=0."""
