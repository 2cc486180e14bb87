/**
 * The chips of a PC, each driven through its constructor's clock, lines and bus.
 *
 * <p>This module depends on nothing and knows neither a CPU nor a backend.
 */
module org.softkvm.devices {
    exports org.softkvm.devices;
    exports org.softkvm.devices.acpi;
    exports org.softkvm.devices.apic;
    exports org.softkvm.devices.debug;
    exports org.softkvm.devices.firmware;
    exports org.softkvm.devices.isa;
    exports org.softkvm.devices.time;
}
