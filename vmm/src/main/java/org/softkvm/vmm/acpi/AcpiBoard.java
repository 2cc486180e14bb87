package org.softkvm.vmm.acpi;

/**
 * What the ACPI tables say of the board.
 *
 * @param cpus number of CPUs, with APIC ids from 0 up
 * @param pm1aEvent first port of the PM1a event block (status and enable)
 * @param pm1aControl port of the PM1a control register
 * @param pmTimer port of the PM timer
 * @param pmTimerWide whether the timer counts 32 bits rather than 24
 * @param sci interrupt of the SCI
 * @param smiCommand port of the SMI command register, 0 for a machine that is always in ACPI mode
 * @param acpiEnable value written there to enter ACPI mode
 * @param acpiDisable value written there to leave it
 * @param resetPort port of the reset register
 * @param resetValue value that resets the machine
 * @param serialPorts whether COM1 is there
 * @param pit whether there is an 8254 on interrupt 0
 */
public record AcpiBoard(
        int cpus,
        int pm1aEvent,
        int pm1aControl,
        int pmTimer,
        boolean pmTimerWide,
        int sci,
        int smiCommand,
        int acpiEnable,
        int acpiDisable,
        int resetPort,
        int resetValue,
        boolean serialPorts,
        boolean pit) {
    /** Checks the number of CPUs. */
    public AcpiBoard {
        if (cpus < 1 || cpus > 255) {
            throw new IllegalArgumentException(cpus + " CPUs");
        }
    }
}
