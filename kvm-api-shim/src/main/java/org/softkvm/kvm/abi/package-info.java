/**
 * The binary ABI of KVM on x86-64: request numbers, structures and how they relate to the types of the API.
 *
 * <p>The /dev/kvm backend uses it in one direction (API to kernel), the dispatcher in the other (a client's structures
 * to a backend). Nothing here calls the kernel.
 */
package org.softkvm.kvm.abi;
