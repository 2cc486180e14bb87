; Level-triggered interrupts of the I/O APIC in long mode.
;
; checks: remote IRR from delivery to EOI, an EOI while the line is high, levels that a handler ends, levels that come or go
;         while masked
; see: Intel 82093AA data sheet; SDM 3A 12.8 (EOI, priorities)
; needs: cpus=1
; status: 33
; QEMU: a level that was high before its entry was written is not delivered
; assertions: 10
; Bochs: has no remote IRR

%define WITH_LONG
%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/transcript.inc"

MASKED  equ 1 << 16
LEVEL   equ 1 << 15
REMOTE  equ 1 << 14

; In long mode the addresses of the chips do not fit a signed displacement: R8 and R9 hold them.
%macro ioapic_write 2
        mov dword [r9], %1
        mov dword [r9 + 0x10], %2
%endmacro
%macro ioapic_read 1
        mov dword [r9], %1
        mov eax, [r9 + 0x10]
%endmacro
%macro redirect 2-3 0
        ioapic_write 0x11 + (%1) * 2, %3
        ioapic_write 0x10 + (%1) * 2, %2
%endmacro
%macro eoi 0
        mov dword [r8 + APIC_EOI - APIC], 0
%endmacro

main:
        apic_on
        to_long
        mov r8d, APIC
        mov r9d, IOAPIC_INDEX
        it "a level: remote IRR from delivery to EOI"
        mov dword [v_eoi], EOI_NONE
        raise_irq4
        redirect 4, LEVEL | 0x44
        take_irqs
        ioapic_read 0x18
        and eax, REMOTE | LEVEL
        mov ecx, eax
        mov eax, [r8 + APIC_TMR - APIC + 0x20]
        shr eax, 4
        and eax, 1
        or ecx, eax
        show "entry, TMR", rcx
        expect_var v_irqs + 0x44 * 4, 1
        expect_eq rcx, REMOTE | LEVEL | 1
        it "EOI while the line is high: again"
        eoi
        take_irqs
        ioapic_read 0x18
        and eax, REMOTE
        expect_var v_irqs + 0x44 * 4, 2
        expect_eq rax, REMOTE
        it "EOI when the line is low: no more, remote IRR clear"
        lower_irq4
        eoi
        take_irqs
        ioapic_read 0x18
        and eax, REMOTE
        expect_var v_irqs + 0x44 * 4, 2
        expect_eq rax, 0
        mov dword [v_eoi], EOI_APIC
        mov qword [v_hook], end_uart
        it "a level comes once when its handler takes the cause away"
        raise_irq4
        redirect 4, LEVEL | 0x44
        take_irqs
        take_irqs
        ioapic_read 0x18
        and eax, REMOTE | LEVEL
        mov ecx, eax
        show "entry", rcx
        expect_var levels, 1
        expect_eq rcx, LEVEL
        it "TMR has the vector"
        mov eax, [r8 + APIC_TMR - APIC + 0x20]
        shr eax, 0x44 % 32
        and eax, 1
        expect_eq rax, 1
        it "and once more when there is a cause again"
        raise_irq4
        take_irqs
        take_irqs
        expect_var levels, 2
        it "a level that came and went while masked is nobody's"
        redirect 4, MASKED | LEVEL | 0x44
        raise_irq4
        lower_irq4
        redirect 4, LEVEL | 0x44
        take_irqs
        expect_var levels, 2
        it "one that is still there when the mask goes is delivered"
        redirect 4, MASKED | LEVEL | 0x44
        raise_irq4
        take_irqs
        mov ecx, [levels]
        redirect 4, LEVEL | 0x44
        take_irqs
        take_irqs
        redirect 4, MASKED
        expect_eq rcx, 2
        expect_var levels, 3
        it "polarity and destination do not change what a level does"
        redirect 4, LEVEL | 0x2000 | 0x44
        raise_irq4
        take_irqs
        take_irqs
        redirect 4, MASKED
        expect_var levels, 4
        it "an edge entry has no remote IRR"
        redirect 4, 0x44
        raise_irq4
        take_irqs
        ioapic_read 0x18
        and eax, REMOTE
        redirect 4, MASKED
        expect_eq rax, 0
        finish

var     levels
end_uart:
        mov dx, COM1 + 1
        mov al, 0
        out dx, al
        inc dword [levels]
        eoi
        ret

        image_end
