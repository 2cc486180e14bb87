; Timers in long mode: the local APIC's, and the PIT through the I/O APIC, ended by IRETQ.
;
; checks: one-shot, periodic and masked local timer, dividers, both timers at once, registers kept over an interrupt,
;         HLT, the frame of an interrupt in long mode, stack alignment
; see: SDM 3A 12.5.4 (APIC timer), 7.14.2 (64-bit stack frame)
; needs: cpus=1
; status: 33
; assertions: 10

%define WITH_LONG
%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/transcript.inc"

LOCAL   equ v_irqs + 0x41 * 4
OUTSIDE equ v_irqs + 0x42 * 4
SUM     equ 0xd2d2d2d2d2d2d2d2

%macro apic 2                           ; register, value
        mov dword [r8 + (%1) - APIC], %2
%endmacro
%macro redirect 2
        mov dword [r9], 0x11 + (%1) * 2
        mov dword [r9 + 0x10], 0
        mov dword [r9], 0x10 + (%1) * 2
        mov dword [r9 + 0x10], %2
%endmacro

main:
        apic_on
        pit_quiet
        to_long
        mov r8d, APIC
        mov r9d, IOAPIC_INDEX
        mov dword [v_eoi], EOI_APIC
        it "one-shot: one interrupt"
        apic APIC_TIMER_DCR, 0xb
        apic APIC_LVT_TIMER, 0x41
        apic APIC_TIMER_ICR, 100000
        sti
        wait_for LOCAL, 1
        wait_us 3000
        cli
        mov ecx, [LOCAL]
        show "count", rcx
        expect_eq rcx, 1
        it "its count rests at 0"
        mov eax, [r8 + APIC_TIMER_CCR - APIC]
        expect_eq rax, 0
        it "the frame: CS, SS 0 or the stack's, flags with IF"
        mov rcx, [v_cs]
        mov rdi, [v_flags]
        and edi, IF | TF | NT
        show "CS", rcx
        show "flags", rdi
        expect_eq rcx, K_CODE64
        expect_eq rdi, IF
        it "the frame lies on a multiple of 16"
        mov rcx, [v_frame]
        and ecx, 15
        expect_eq rcx, 8                ; below it the error code or a dummy
        it "masked it interrupts nobody"
        apic APIC_LVT_TIMER, APIC_MASKED | 0x41
        apic APIC_TIMER_ICR, 10000
        take_irqs 3000
        expect_var LOCAL, 1
        it "periodic: again and again"
        apic APIC_LVT_TIMER, APIC_PERIODIC | 0x41
        apic APIC_TIMER_ICR, 1000000
        sti
        wait_for LOCAL, 8
        cli
        apic APIC_LVT_TIMER, APIC_MASKED
        apic APIC_TIMER_ICR, 0
        take_irqs
        cmp dword [LOCAL], 8
        jae .periodic
        unreachable
.periodic:
        it "the PIT through the I/O APIC: one shot, one interrupt"
        redirect 2, 0x42
        pit 0, 0, 100
        sti
        wait_for OUTSIDE, 1
        wait_us 3000
        cli
        mov ecx, [OUTSIDE]
        show "count", rcx
        expect_eq rcx, 1
        it "both at once, one-shots: one each"
        mov dword [LOCAL], 0
        mov dword [OUTSIDE], 0
        apic APIC_LVT_TIMER, 0x41
        apic APIC_TIMER_ICR, 100000
        pit 0, 0, 200
        sti
        wait_for LOCAL, 1
        wait_for OUTSIDE, 1
        wait_us 3000
        cli
        mov ecx, [LOCAL]
        mov eax, [OUTSIDE]
        shl rax, 32
        or rcx, rax
        show "counts", rcx
        expect_eq rcx, 0x100000001
        it "HLT waits for three shots"
        mov dword [LOCAL], 0
        mov esi, 3
.shot:
        apic APIC_TIMER_ICR, 200000
        sti
        hlt
        cli
        dec esi
        jnz .shot
        expect_var LOCAL, 3
        it "all sixteen registers are as they were"
        mov dword [LOCAL], 0
        mov r10, 0x1010101010101010
        mov r11, 0x1111111111111111
        mov r12, 0x1212121212121212
        mov r13, 0x1313131313131313
        mov r14, 0x1414141414141414
        mov r15, 0x1515151515151515
        mov rbp, 0x2020202020202020
        mov rsi, 0x2121212121212121
        mov rdi, 0x2222222222222222
        apic APIC_TIMER_ICR, 100000
        sti
        wait_for LOCAL, 1
        cli
        apic APIC_LVT_TIMER, APIC_MASKED
        lea rax, [r10 + r11]
        add rax, r12
        add rax, r13
        add rax, r14
        add rax, r15
        add rax, rbp
        add rax, rsi
        add rax, rdi
        show "sum", rax
        expect_eq rax, SUM
        finish

        image_end
