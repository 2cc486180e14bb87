/**
 * The KVM API in Java: the same types on every backend.
 *
 * <p>Begin with {@link org.softkvm.kvm.Kvm#open()}. Names, numbers, state and errors are those of the Linux kernel's KVM
 * documentation ({@code Documentation/virt/kvm/api.rst}); a call that KVM would fail with an errno throws
 * {@link org.softkvm.kvm.KvmException}.
 */
package org.softkvm.kvm;
