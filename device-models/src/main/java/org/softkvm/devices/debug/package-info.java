/** Ports that only emulated machines have: a console and an exit for firmware and test programs. */
package org.softkvm.devices.debug;
