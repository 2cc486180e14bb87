/** The local APIC, the IOAPIC and the bus between them. */
package org.softkvm.devices.apic;
