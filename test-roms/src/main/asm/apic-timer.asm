; The timer of the local APIC.
;
; checks: one-shot, periodic, TSC deadline; the count register, divide configuration, mask, stop by 0
; see: SDM 3A 11.5.4 (APIC timer)
; needs: cpus=1
; status: 33
; Bochs: leaves the deadline in its MSR
; assertions: 17

%include "lib/rom.inc"
%include "lib/chips.inc"

VECTOR  equ 0x40
irqs    equ v_irqs + VECTOR * 4

main:
        apic_on
        it "the APIC is enabled by IA32_APIC_BASE at FEE00000, this CPU the bootstrap processor"
        mov ecx, IA32_APIC_BASE
        rdmsr
        and eax, 0xfffff900
        expect_eq eax, 0xfee00900
        it "one-shot: one interrupt"
        mov dword [APIC_TIMER_DCR], 3   ; by 16
        mov dword [APIC_LVT_TIMER], VECTOR
        mov dword [APIC_TIMER_ICR], 1000
        sti
        wait_for irqs, 1
        wait_us 2000
        cli
        expect_var irqs, 1
        it "its count has come to rest at 0"
        mov eax, [APIC_TIMER_CCR]
        expect_eq eax, 0
        it "the count falls from the initial count"
        mov dword [APIC_LVT_TIMER], VECTOR | APIC_MASKED
        mov dword [APIC_TIMER_ICR], 0xffffffff
        mov ecx, [APIC_TIMER_CCR]
        wait_us 100
        mov eax, [APIC_TIMER_CCR]
        cmp eax, ecx
        jb .falls
        unreachable
.falls:
        it "a greater divisor makes it slower: by 128 at most a quarter of by 16"
        mov ebp, 20
.divide:
        mov dword [APIC_TIMER_DCR], 3
        mov dword [APIC_TIMER_ICR], 0xffffffff
        wait_us 2000
        mov esi, [APIC_TIMER_CCR]
        not esi
        mov dword [APIC_TIMER_DCR], 0xa
        mov dword [APIC_TIMER_ICR], 0xffffffff
        wait_us 2000
        mov edi, [APIC_TIMER_CCR]
        not edi
        shr esi, 2
        cmp edi, esi
        jbe .slower
        dec ebp
        jnz .divide
        unreachable
.slower:
        it "masked it counts and interrupts nobody"
        mov dword [irqs], 0
        mov dword [APIC_TIMER_DCR], 3
        mov dword [APIC_TIMER_ICR], 100
        sti
        wait_us 2000
        cli
        expect_var irqs, 0
        it "unmasking does not bring back what was missed"
        mov dword [APIC_LVT_TIMER], VECTOR
        sti
        wait_us 500
        cli
        expect_var irqs, 0
        it "an initial count of 0 stops the timer"
        quickly
        sti                             ; what an earlier try left
        nop
        nop
        cli
        mov dword [irqs], 0
        mov dword [APIC_TIMER_ICR], 0x100000
        mov dword [APIC_TIMER_ICR], 0
        mov ecx, [APIC_TIMER_CCR]
        within 2000
        expect_eq ecx, 0
        sti
        wait_us 40000
        cli
        expect_var irqs, 0
        it "periodic: again and again"
        mov dword [APIC_LVT_TIMER], VECTOR | APIC_PERIODIC
        mov dword [APIC_TIMER_ICR], 20000
        sti
        wait_for irqs, 5
        mov dword [APIC_TIMER_ICR], 0
        wait_us 1000                    ; one that was on its way
        cli
        cmp dword [irqs], 5
        jae .periodic
        unreachable
.periodic:
        it "the initial count reads back"
        mov dword [APIC_LVT_TIMER], VECTOR | APIC_MASKED
        mov dword [APIC_TIMER_ICR], 0x12345678
        mov eax, [APIC_TIMER_ICR]
        expect_eq eax, 0x12345678
        mov dword [APIC_TIMER_ICR], 0
        it "hlt waits for the timer"
        mov dword [irqs], 0
        mov dword [APIC_LVT_TIMER], VECTOR
        mov dword [APIC_TIMER_ICR], 5000
        sti
        hlt
        cli
        expect_var irqs, 1
        it "TSC deadline, where CPUID offers it: an interrupt when the TSC has come to it"
        mov dword [irqs], 0
        mov eax, 1
        cpuid
        bt ecx, 24
        jnc .none
        mov ebp, 5                      ; tries: an interrupt of the tests before may still be on its way
.deadline:
        mov dword [irqs], 0
        mov dword [APIC_LVT_TIMER], VECTOR | APIC_TSC_DEADLINE
        mfence
        rdtsc
        add eax, 100000
        adc edx, 0
        mov esi, eax
        mov edi, edx
        mov ecx, IA32_TSC_DEADLINE
        wrmsr
        sti
        wait_for irqs, 1
        cli
        rdtsc
        sub eax, esi
        sbb edx, edi
        jnc .late
        dec ebp
        jnz .deadline
        unreachable
.late:
        expect_var irqs, 1
        it "the MSR is 0 after it fired"
        mov ecx, IA32_TSC_DEADLINE
        rdmsr
        expect_eq eax, 0
        expect_eq edx, 0
        it "a deadline in the past fires at once"
        mov dword [irqs], 0
        mov eax, 1
        xor edx, edx
        wrmsr
        sti
        wait_for irqs, 1
        cli
        expect_var irqs, 1
        it "writing 0 disarms it"
        quickly
        sti
        nop
        nop
        cli
        mov dword [irqs], 0
        mov ecx, IA32_TSC_DEADLINE
        rdtsc
        add eax, 30000000
        adc edx, 0
        wrmsr
        xor eax, eax
        xor edx, edx
        wrmsr
        within 4000
        sti
        wait_us 40000
        cli
        expect_var irqs, 0
        it "the count registers do nothing in this mode"
        mov dword [APIC_TIMER_ICR], 1000
        mov eax, [APIC_TIMER_CCR]
        expect_eq eax, 0
        it "in another mode the MSR reads 0 and is not written"
        mov dword [APIC_LVT_TIMER], VECTOR
        mov eax, 0x1000
        mov ecx, IA32_TSC_DEADLINE
        xor edx, edx
        wrmsr
        rdmsr
        expect_eq eax, 0
        finish
.none:
        it_or "the MSR is 0 after it fired"
        it_or "a deadline in the past fires at once"
        it_or "writing 0 disarms it"
        it_or "the count registers do nothing in this mode"
        it_or "in another mode the MSR reads 0 and is not written"
        finish

        image_end
