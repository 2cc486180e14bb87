; The I/O APIC.
;
; checks: id and version, redirection entries read back, the PIT through pin 2, the RTC through pin 8, mask, edge while
;         masked, level: remote IRR and redelivery after EOI, logical destination, NMI delivery mode
; see: Intel 82093AA data sheet; MP specification 3.6 (IRQ 0 at pin 2)
; needs: cpus=1
; status: 33
; Bochs: has no remote IRR
; assertions: 14

%include "lib/rom.inc"
%include "lib/chips.inc"

MASKED  equ 1 << 16
LEVEL   equ 1 << 15
LOGICAL equ 1 << 11

; ioapic_write register, value; ioapic_read register -> EAX.
%macro ioapic_write 2
        mov dword [IOAPIC_INDEX], %1
        mov dword [IOAPIC_DATA], %2
%endmacro
%macro ioapic_read 1
        mov dword [IOAPIC_INDEX], %1
        mov eax, [IOAPIC_DATA]
%endmacro
; redirect pin, low half[, high half]
%macro redirect 2-3 0
        ioapic_write 0x11 + (%1) * 2, %3
        ioapic_write 0x10 + (%1) * 2, %2
%endmacro

main:
        apic_on
        it "24 pins"
        ioapic_read 1
        shr eax, 16
        and eax, 0xff
        expect_eq eax, 23
        it "a redirection entry reads back, without its read-only bits"
        redirect 5, MASKED | LEVEL | 0x1000 | 0x4000 | 0x45, 0x01000000
        ioapic_read 0x1a
        expect_eq eax, MASKED | LEVEL | 0x45
        ioapic_read 0x1b
        expect_eq eax, 0x01000000
        redirect 5, MASKED
        it "the PIT interrupts through pin 2"
        redirect 2, 0x41
        pit 0, 0, 100
        sti
        wait_for v_irqs + 0x41 * 4, 1
        cli
        expect_var v_irqs + 0x41 * 4, 1
        it "an edge entry leaves TMR clear and no remote IRR"
        ioapic_read 0x14
        and eax, 1 << 14
        expect_eq eax, 0
        it "masked, it does not"
        redirect 2, MASKED | 0x41
        pit 0, 0, 100
        sti
        wait_us 2000
        cli
        expect_var v_irqs + 0x41 * 4, 1
        it "periodic edges come one by one"
        redirect 2, 0x42
        pit 0, 2, 1193
        sti
        wait_for v_irqs + 0x42 * 4, 5
        cli
        redirect 2, MASKED | 0x42
        pit 0, 0, 100                   ; the last edge of this counter, while it is masked
        wait_us 2000
        cmp dword [v_irqs + 0x42 * 4], 5
        jae .periodic
        unreachable
.periodic:
        it "a logical destination"
        mov dword [APIC_DFR], 0xffffffff
        mov dword [APIC_LDR], 0x02000000
        redirect 2, LOGICAL | 0x43, 0x02000000
        pit 0, 0, 100
        sti
        wait_for v_irqs + 0x43 * 4, 1
        cli
        expect_var v_irqs + 0x43 * 4, 1
        it "a logical destination that is nobody's"
        redirect 2, LOGICAL | 0x43, 0x04000000
        pit 0, 0, 100
        sti
        wait_us 2000
        cli
        expect_var v_irqs + 0x43 * 4, 1
        redirect 2, MASKED
        it "lowest priority delivery reaches the only CPU"
        redirect 2, LOGICAL | (1 << 8) | 0x43, 0x02000000
        pit 0, 0, 100
        sti
        wait_for v_irqs + 0x43 * 4, 2
        cli
        expect_var v_irqs + 0x43 * 4, 2
        redirect 2, MASKED

        ; The RTC's line stays high until register C is read: a level for the tests.
        it "a level entry: remote IRR is set from delivery to EOI"
        mov dword [v_eoi], EOI_NONE
        mov al, 0x0b
        out CMOS_INDEX, al
        mov al, 0x42
        out CMOS_DATA, al
        redirect 8, LEVEL | 0x44
        mov al, 0x0c
        out CMOS_INDEX, al
        in al, CMOS_DATA
        sti
        wait_for v_irqs + 0x44 * 4, 1
        cli
        expect_var v_irqs + 0x44 * 4, 1
        ioapic_read 0x20
        and eax, 1 << 14
        expect_eq eax, 1 << 14
        it "the vector is in TMR"
        mov eax, [APIC_TMR + 0x20]
        and eax, 1 << (0x44 % 32)
        expect_eq eax, 1 << (0x44 % 32)
        it "EOI with the line still high delivers again"
        mov dword [APIC_EOI], 0
        sti
        wait_for v_irqs + 0x44 * 4, 2
        cli
        expect_var v_irqs + 0x44 * 4, 2
        it "with the line low EOI ends it: remote IRR is clear"
        mov al, 0x0b
        out CMOS_INDEX, al
        mov al, 2
        out CMOS_DATA, al
        mov al, 0x0c
        out CMOS_INDEX, al
        in al, CMOS_DATA
        mov dword [APIC_EOI], 0
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x44 * 4, 2
        ioapic_read 0x20
        and eax, 1 << 14
        expect_eq eax, 0
        redirect 8, MASKED
        mov dword [v_eoi], EOI_APIC
        it "NMI delivery mode"
        mov dword [v_hook], .count_nmi
        mov dword [v_tmp], 0
        redirect 2, (4 << 8)
        pit 0, 0, 100
        wait_for v_tmp, 1
        redirect 2, MASKED
        mov dword [v_hook], 0
        expect_var v_tmp, 1
        expect_var v_vec, 2
        finish

.count_nmi:
        inc dword [v_tmp]
        ret

        image_end
