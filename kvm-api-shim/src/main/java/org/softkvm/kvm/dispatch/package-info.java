/**
 * The binary ABI in the other direction: serves a client's ioctls from a backend of the API.
 *
 * <p>An {@link org.softkvm.kvm.dispatch.Endpoint} is what a descriptor of /dev/kvm, of a VM or of a vcpu stands for. It
 * takes a request number and an argument as the system call does, and answers a result or a negative errno. Pointers are
 * followed through {@link org.softkvm.kvm.dispatch.ClientMemory}, descriptors are made and looked up through
 * {@link org.softkvm.kvm.dispatch.Descriptors}; a native client's library has its own of both, and
 * {@link org.softkvm.kvm.dispatch.Loopback} has those of a client in the same JVM.
 */
package org.softkvm.kvm.dispatch;
