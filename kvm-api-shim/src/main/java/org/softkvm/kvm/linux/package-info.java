/**
 * The backend on /dev/kvm: KVM's calls made through the binary ABI.
 *
 * <p>The system calls lie behind {@link org.softkvm.kvm.linux.SystemCalls}, which the kernel implements
 * ({@link org.softkvm.kvm.linux.KernelCalls}) and the dispatcher over another backend. Restricted methods of
 * java.lang.foreign are called in KernelCalls alone.
 */
package org.softkvm.kvm.linux;
