/** Ports that only emulated machines have: consoles, exits and aids for firmware and test programs. */
package org.softkvm.devices.debug;
