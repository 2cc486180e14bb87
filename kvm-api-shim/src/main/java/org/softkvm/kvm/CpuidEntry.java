package org.softkvm.kvm;

/**
 * What CPUID returns for one leaf ({@code struct kvm_cpuid_entry2}).
 *
 * @param function the leaf: EAX on entry
 * @param index the sub-leaf: ECX on entry, where {@link #SIGNIFICANT_INDEX} is set
 * @param flags {@link #SIGNIFICANT_INDEX} or 0
 * @param eax the EAX that CPUID returns
 * @param ebx the EBX that CPUID returns
 * @param ecx the ECX that CPUID returns
 * @param edx the EDX that CPUID returns
 */
public record CpuidEntry(int function, int index, int flags, int eax, int ebx, int ecx, int edx) {
    /** Flag: the entry is for this sub-leaf only. */
    public static final int SIGNIFICANT_INDEX = 1;
}
