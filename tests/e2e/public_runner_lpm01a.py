"""The public runner's own driver of an LPM01A, unmodified, at a port: its order of calls, and the energy it comes to.

python public_runner_lpm01a.py RUNNER PORT TRIGGER: the folder benchmark/runner of mlcommons/tiny, a port, and the FIFO
of the board's trigger line. Prints J between the last two events, and how many samples that are.
"""

from __future__ import annotations

import json
import re
import sys
import time

from tinympy.energy.emulated.trigger import set_level


def pulse(trigger: str) -> None:
    for level in (True, False, True):
        set_level(trigger, level)


def main(folder: str, port: str, trigger: str) -> None:
    sys.path.insert(0, folder)
    from power_manager.power_manager import PowerManager

    power = PowerManager("lpm01a", port_device=port, baud_rate=3686400, voltage=3.3)
    power.power_on()
    power.start()
    time.sleep(0.2)
    pulse(trigger)
    time.sleep(1.0)
    pulse(trigger)
    time.sleep(0.3)
    # As it gathers them: samples are numbers, all else is text.
    energies: list[float] = []
    events: list[int] = []
    stamps: list[str] = []
    for result in power.get_results():
        if not isinstance(result, str):
            energies.append(result)
        elif re.match(r"event (\d+) ris", result):
            events.append(len(energies))
        else:
            assert re.match(r"^TimeStamp:[ ><]([0-9]{3})s ([0-9]{3})ms, buff [0-9]{2}%$", result), result
            stamps.append(result)
    power.power_off()
    power.__exit__()
    first, last = events[-2:]
    print(json.dumps({"energy_j": sum(energies[first:last]), "samples": last - first, "stamps": stamps}))


if __name__ == "__main__":
    main(*sys.argv[1:])
