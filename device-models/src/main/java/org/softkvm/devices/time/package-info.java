/** The clocks and timers that chips live by. */
package org.softkvm.devices.time;
