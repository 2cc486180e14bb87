/** The KVM API: system, virtual machine and virtual CPU. */
package org.softkvm.kvm;
