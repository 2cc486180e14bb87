/** The fixed hardware of ACPI. */
package org.softkvm.devices.acpi;
