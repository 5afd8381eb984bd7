"""How warm the chip is, where its port reads a sensor in it: RP2, ESP32 and CircuitPython."""


def chip_c():
    """Degrees Celsius, or None where nothing tells. Written from the ports' documentation and the RP2 datasheets."""
    for sensor in (_rp2, _esp32, _circuitpython):
        try:
            return sensor()
        except (ImportError, AttributeError):
            pass
    return None


def _rp2():
    import rp2  # noqa: F401 - other ports have another sensor at ADC.CORE_TEMP
    from machine import ADC

    volts = ADC(ADC.CORE_TEMP).read_u16() * 3.3 / 65535
    # RP2040 datasheet 4.9.5, RP2350 datasheet 12.4.6.
    return 27 - (volts - 0.706) / 0.001721


def _esp32():
    import esp32

    if hasattr(esp32, "mcu_temperature"):
        return esp32.mcu_temperature()
    return (esp32.raw_temperature() - 32) / 1.8


def _circuitpython():
    import microcontroller

    return microcontroller.cpu.temperature
