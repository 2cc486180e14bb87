/** The ACPI tables that describe the board to its guest. */
package org.softkvm.vmm.acpi;
