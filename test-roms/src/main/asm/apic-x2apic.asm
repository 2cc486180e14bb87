; x2APIC mode, where CPUID offers it.
;
; checks: the switch by IA32_APIC_BASE and its rules, registers as MSRs, self IPI register, 64-bit ICR, #GP on reserved
;         registers and bits, the MMIO page
; see: SDM 3A 11.12 (extended xAPIC)
; needs: cpus=1
; status: 33
; QEMU: its TCG has no x2APIC, and no #GP for its MSRs and enable bit
; Bochs: has no logical id, and lets IA32_APIC_BASE go through invalid states
; assertions: 15

%include "lib/rom.inc"
%include "lib/chips.inc"

X2_ID           equ 0x802
X2_VERSION      equ 0x803
X2_TPR          equ 0x808
X2_EOI          equ 0x80b
X2_LDR          equ 0x80d
X2_SVR          equ 0x80f
X2_ESR          equ 0x828
X2_ICR          equ 0x830
X2_SELF_IPI     equ 0x83f

%macro write_msr 3
        mov ecx, %1
        mov edx, %2
        mov eax, %3
        wrmsr
%endmacro

main:
        apic_on
        mov eax, 1
        cpuid
        bt ecx, 21
        it "x2APIC MSRs raise #GP(0) while the mode is off"
        mov ecx, X2_ID
        faults X_GP, 0, rdmsr
        mov eax, 1
        cpuid
        bt ecx, 21
        jnc .none
        it "the switch keeps the APIC id"
        mov esi, [APIC_ID]
        shr esi, 24
        mov ecx, IA32_APIC_BASE
        rdmsr
        or eax, 1 << 10
        wrmsr
        rdmsr
        and eax, 0xc00
        expect_eq eax, 0xc00
        mov ecx, X2_ID
        rdmsr
        expect_same eax, esi
        mov dword [v_eoi], EOI_X2APIC
        it "the self IPI register"
        write_msr X2_SELF_IPI, 0, 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 1
        it "the ICR is one 64-bit register, sent by one write"
        mov ecx, X2_ICR
        mov edx, esi
        mov eax, 0x41
        wrmsr
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 2
        it "the logical id comes from the APIC id"
        mov ecx, X2_LDR
        rdmsr
        mov ebx, eax
        mov ecx, esi
        and ecx, 15
        mov eax, 1
        shl eax, cl
        mov ecx, esi
        shr ecx, 4
        shl ecx, 16
        or eax, ecx
        expect_same ebx, eax
        it "the logical id is read-only: #GP(0)"
        mov ecx, X2_LDR
        faults X_GP, 0, wrmsr
        it "registers that do not exist raise #GP(0)"
        mov ecx, 0x831                  ; ICR high
        faults X_GP, 0, rdmsr
        mov ecx, 0x80e                  ; DFR
        faults X_GP, 0, rdmsr
        mov ecx, 0x801
        faults X_GP, 0, rdmsr
        it "reserved bits raise #GP(0)"
        mov ecx, X2_TPR
        xor edx, edx
        mov eax, 0x100
        faults X_GP, 0, wrmsr
        it "EOI takes 0 only"
        mov ecx, X2_EOI
        mov eax, 1
        faults X_GP, 0, wrmsr
        it "write-only and read-only registers"
        mov ecx, X2_SELF_IPI
        faults X_GP, 0, rdmsr
        mov ecx, X2_VERSION
        faults X_GP, 0, wrmsr
        it "TPR by MSR holds interrupts back"
        write_msr X2_TPR, 0, 0x50
        write_msr X2_SELF_IPI, 0, 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 2
        write_msr X2_TPR, 0, 0
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 3
        it "from x2APIC straight to xAPIC raises #GP(0)"
        mov ecx, IA32_APIC_BASE
        rdmsr
        and eax, ~(1 << 10)
        faults X_GP, 0, wrmsr
        it "by way of disabled it can go back"
        rdmsr
        and eax, ~0xc00
        wrmsr
        or eax, 0x800
        wrmsr
        apic_on
        mov dword [APIC_ICR_LOW], APIC_SELF | 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 4
        it "disabled straight to x2APIC raises #GP(0)"
        mov ecx, IA32_APIC_BASE
        rdmsr
        and eax, ~0xc00
        wrmsr
        or eax, 0x400
        faults X_GP, 0, wrmsr
        it "a disabled APIC is not in CPUID"
        mov eax, 1
        cpuid
        bt edx, 9
        expect_flags CF, 0
        finish
.none:
        mov ecx, IA32_APIC_BASE
        rdmsr
        or eax, 1 << 10
        it_or "the switch keeps the APIC id"
        faults X_GP, 0, wrmsr
        it_or "the self IPI register"
        it_or "the ICR is one 64-bit register, sent by one write"
        it_or "the logical id comes from the APIC id"
        it_or "the logical id is read-only: #GP(0)"
        it_or "registers that do not exist raise #GP(0)"
        it_or "reserved bits raise #GP(0)"
        it_or "EOI takes 0 only"
        it_or "write-only and read-only registers"
        it_or "TPR by MSR holds interrupts back"
        it_or "from x2APIC straight to xAPIC raises #GP(0)"
        it_or "by way of disabled it can go back"
        it_or "disabled straight to x2APIC raises #GP(0)"
        it_or "a disabled APIC is not in CPUID"
        finish

        image_end
