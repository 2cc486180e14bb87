; KVM's hypercalls between CPUs: interrupts to a set of CPUs, and a kick that ends HLT.
;
; checks: KVM_HC_SEND_IPI: bitmap, first id, number of CPUs that took it, NMIs, what it refuses; KVM_HC_KICK_CPU: during
;         HLT with interrupts off, before HLT, to nobody
; see: Linux Documentation/virt/kvm/x86/hypercalls.rst
; needs: cpus=3
; status: 33
; QEMU: its TCG is not KVM
; Bochs: is not KVM
; assertions: 14

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smp.inc"
%include "lib/kvm.inc"

AWAKE           equ 0x60000
GO              equ 0x60004
QUIET           equ 0x60008

; Work of a CPU: lets interrupts in until it is told that that is all.
listen:
        sti
.wait:
        pause
        cmp dword [QUIET], 0
        je .wait
        cli
        ret

; Work of a CPU: halts with interrupts off, and says that it went on.
sleeper:
        cli
        hlt
        inc dword [AWAKE]
        ret

; The same once it is told to.
late_sleeper:
        cli
.wait:
        pause
        cmp dword [GO], 0
        je .wait
        hlt
        inc dword [AWAKE]
        ret

main:
        mov dword [AWAKE], 0
        mov dword [GO], 0
        mov dword [QUIET], 0
        start_cpus 3
        on_cpu 1, listen
        on_cpu 2, listen
        it "CPUID offers both"
        kvm_feature KVM_PV_SEND_IPI
        expect_eq eax, 1
        kvm_feature KVM_PV_UNHALT
        expect_eq eax, 1
        it "an interrupt to one CPU"
        hypercall HC_SEND_IPI, 2, 0, 0, 0x41
        expect_eq eax, 1
        await [smp_count(1, 0x41)], 1
        expect_var smp_count(2, 0x41), 0
        it "to two of them: both took it"
        hypercall HC_SEND_IPI, 6, 0, 0, 0x42
        expect_eq eax, 2
        await [smp_count(1, 0x42)], 1
        await [smp_count(2, 0x42)], 1
        expect_var smp_count(2, 0x42), 1
        it "bits count from the first id"
        hypercall HC_SEND_IPI, 1, 0, 2, 0x43
        expect_eq eax, 1
        await [smp_count(2, 0x43)], 1
        expect_var smp_count(1, 0x43), 0
        it "to the caller too"
        hypercall HC_SEND_IPI, 1, 0, 0, 0x44
        expect_eq eax, 1
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x44 * 4, 1
        it "to nobody: none took it"
        hypercall HC_SEND_IPI, 0, 0, 0, 0x45
        expect_eq eax, 0
        hypercall HC_SEND_IPI, 0x80, 0, 0, 0x45
        expect_eq eax, 0
        it "the second word goes on from the 32nd CPU in 32-bit code"
        hypercall HC_SEND_IPI, 0, 7, 0, 0x45
        expect_eq eax, 0
        it "NMIs"
        hypercall HC_SEND_IPI, 2, 0, 0, APIC_NMI
        expect_eq eax, 1
        await [smp_count(1, 2)], 1
        it "a logical destination is refused"
        hypercall HC_SEND_IPI, 2, 0, 0, APIC_LOGICAL | 0x46
        expect_eq eax, KVM_EINVAL & 0xffffffff
        it "a shorthand is refused"
        hypercall HC_SEND_IPI, 2, 0, 0, APIC_ALL | 0x46
        expect_eq eax, KVM_EINVAL & 0xffffffff
        expect_var smp_count(1, 0x46), 0
        mov dword [QUIET], 1
        await_cpu 1
        await_cpu 2
        it "a kick ends HLT with interrupts off"
        on_cpu 1, sleeper
        wait_us 10000
        expect_var AWAKE, 0
        hypercall HC_KICK_CPU, 0, 1
        expect_eq eax, 0
        await_cpu 1
        expect_var AWAKE, 1
        it "a kick before HLT lets it pass"
        on_cpu 2, late_sleeper
        hypercall HC_KICK_CPU, 0, 2
        mov dword [GO], 1
        await_cpu 2
        expect_var AWAKE, 2
        it "a kick to nobody does nothing"
        hypercall HC_KICK_CPU, 0, 200
        expect_eq eax, 0
        all_well
        finish

        image_end
