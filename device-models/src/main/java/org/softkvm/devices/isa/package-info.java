/** The chips of the PC/AT: timer, interrupt controllers, clock, serial port, keyboard controller and ports. */
package org.softkvm.devices.isa;
