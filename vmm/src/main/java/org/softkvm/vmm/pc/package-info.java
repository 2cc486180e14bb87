/** The board: chips, memory and CPUs of one PC over the KVM API, and the loop that runs it. */
package org.softkvm.vmm.pc;
