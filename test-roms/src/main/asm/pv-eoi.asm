; KVM's paravirtual end of interrupt: the guest clears a bit in memory instead of writing the EOI register.
;
; checks: MSR 4B564D04h and its reserved bit; when the bit is set, what clearing it ends, that the EOI register still works,
;         that the offer is taken back when another interrupt waits or the local APIC is looked at; other bits of the word
; see: Linux Documentation/virt/kvm/x86/msr.rst
; needs: cpus=1
; status: 33
; QEMU: its TCG is not KVM
; Bochs: is not KVM
; assertions: 13

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/kvm.inc"

OFFER            equ 0x50004
ISR_40          equ APIC_ISR + 0x20     ; vectors 40h to 5Fh

; An interrupt to this CPU, taken at once where the priority allows it.
%macro interrupt 1
        mov dword [APIC_ICR_LOW], APIC_SELF | (%1)
        sti
        nop
        nop
        cli
%endmacro

main:
        apic_on
        mov dword [v_eoi], EOI_NONE     ; the tests end interrupts themselves
        mov dword [OFFER], 0
        it "CPUID offers it"
        kvm_feature KVM_PV_EOI
        expect_eq eax, 1
        it "it is off at first"
        get_msr MSR_PV_EOI
        expect_eq eax, 0
        interrupt 0x41
        expect_mem d, [OFFER], 0
        mov dword [APIC_EOI], 0
        it "the reserved bit raises #GP(0)"
        mov ecx, MSR_PV_EOI
        xor edx, edx
        mov eax, OFFER | 3
        faults X_GP, 0, wrmsr
        it "switching it on sets no bit"
        set_msr MSR_PV_EOI, OFFER | 1
        expect_mem d, [OFFER], 0
        get_msr MSR_PV_EOI
        expect_eq eax, OFFER | 1
        it "an interrupt sets the bit"
        interrupt 0x41
        expect_var v_irqs + 0x41 * 4, 2
        expect_mem d, [OFFER], 1
        it "clearing it ends the interrupt"
        btr dword [OFFER], 0
        mov eax, [ISR_40]
        expect_eq eax, 0
        it "the next one of the same vector comes"
        interrupt 0x41
        expect_var v_irqs + 0x41 * 4, 3
        expect_mem d, [OFFER], 1
        it "a write of the EOI register ends it too, and takes the bit back"
        mov dword [APIC_EOI], 0
        expect_mem d, [OFFER], 0
        mov eax, [ISR_40]
        expect_eq eax, 0
        it "who looks at the local APIC finds the interrupt in service, and the bit taken back"
        interrupt 0x41
        mov eax, [ISR_40]
        expect_eq eax, 2
        expect_mem d, [OFFER], 0
        mov dword [APIC_EOI], 0
        it "no bit while another interrupt waits"
        mov dword [APIC_ICR_LOW], APIC_SELF | 0x45
        mov dword [APIC_ICR_LOW], APIC_SELF | 0x55
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x55 * 4, 1
        expect_var v_irqs + 0x45 * 4, 0
        expect_mem d, [OFFER], 0
        it "the one that waited comes after a real end, and has the bit"
        sti
        mov dword [APIC_EOI], 0
        nop
        nop
        cli
        expect_var v_irqs + 0x45 * 4, 1
        expect_mem d, [OFFER], 1
        it "an end in memory lets what came meanwhile in"
        btr dword [OFFER], 0
        interrupt 0x44
        expect_var v_irqs + 0x44 * 4, 1
        btr dword [OFFER], 0
        it "the other bits of the word stay"
        mov dword [OFFER], 0xfffffffe
        interrupt 0x43
        expect_mem d, [OFFER], 0xffffffff
        mov dword [APIC_EOI], 0
        expect_mem d, [OFFER], 0xfffffffe
        set_msr MSR_PV_EOI, 0
        interrupt 0x43
        expect_mem d, [OFFER], 0xfffffffe
        mov dword [APIC_EOI], 0
        finish

        image_end
