/** What all chips share: the device contract, clocks, interrupt lines and buses. */
package org.softkvm.devices;
