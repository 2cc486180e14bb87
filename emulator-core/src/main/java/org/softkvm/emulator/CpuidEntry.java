package org.softkvm.emulator;

/**
 * One leaf of CPUID, as struct kvm_cpuid_entry2.
 *
 * @param leaf EAX in
 * @param subleaf ECX in
 * @param indexed whether the subleaf counts (KVM_CPUID_FLAG_SIGNIFCANT_INDEX)
 * @param eax EAX out
 * @param ebx EBX out
 * @param ecx ECX out
 * @param edx EDX out
 */
public record CpuidEntry(int leaf, int subleaf, boolean indexed, int eax, int ebx, int ecx, int edx) {}
