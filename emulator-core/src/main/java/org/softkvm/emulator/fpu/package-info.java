/**
 * Floating point: the x87 unit with its 80-bit arithmetic, and IEEE helpers with x86 flags for SSE.
 *
 * <p>Nothing here allocates while the guest runs: results come back in fields of objects that a vcpu owns.
 */
package org.softkvm.emulator.fpu;
