; Interrupts through the 8259 pair.
;
; checks: delivery of IRQ 0 from the PIT, IF, masks, IRR and ISR, specific EOI, priorities, the slave, the edge mode,
;         poll, spurious IRQ 7, HLT wakes up
; see: Intel 8259A data sheet; SDM 3A 6.3.1 (external interrupts), 10.5.1 (LINT0 as ExtINT)
; needs: cpus=1
; status: 33
; Bochs: its PIC answers a poll without bit 7, and takes no notice of LINT0
; assertions: 15

%include "lib/rom.inc"
%include "lib/chips.inc"

%macro read_irr 0
        mov al, 0x0a
        out PIC1, al
        in al, PIC1
%endmacro
%macro read_isr 0
        mov al, 0x0b
        out PIC1, al
        in al, PIC1
%endmacro

main:
        pic_on
        it "the mask register reads back"
        mov al, 0xa5
        out PIC1_IMR, al
        in al, PIC1_IMR
        expect_eq al, 0xa5
        mov al, 0xff
        out PIC1_IMR, al
        it "an edge while masked is kept in IRR"
        pend_irq0
        read_irr
        and al, 1
        expect_eq al, 1
        it "and delivered when unmasked"
        mov al, 0xfe
        out PIC1_IMR, al
        sti
        nop
        nop
        wait_for v_irqs + 0x20 * 4, 1
        cli
        expect_var v_irqs + 0x20 * 4, 1
        it "no interrupt while IF is clear"
        pend_irq0
        expect_var v_irqs + 0x20 * 4, 1
        it "it comes with IF"
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x20 * 4, 2
        it "hlt waits for it"
        pit 0, 0, 1000
        sti
        hlt
        cli
        expect_var v_irqs + 0x20 * 4, 3
        it "EIP of the frame is behind the hlt"
        pit 0, 0, 1000
        sti
        hlt
.after_hlt:
        cli
        expect_var_is v_ip, .after_hlt
        it "the ISR bit stays until EOI and blocks the same and lower lines"
        mov dword [v_eoi], EOI_NONE
        pit 0, 0, 100
        sti
        hlt
        cli
        read_isr
        expect_eq al, 1
        pend_irq0
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x20 * 4, 5
        it "a specific EOI frees it"
        mov al, 0x60
        out PIC1, al
        read_isr
        expect_eq al, 0
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x20 * 4, 6
        mov al, 0x20
        out PIC1, al
        mov dword [v_eoi], EOI_PIC
        it "the slave: IRQ 8 from the RTC, vector 28, both ISRs"
        mov dword [v_eoi], EOI_NONE
        mov al, 0xfb
        out PIC1_IMR, al
        mov al, 0xfe
        out PIC2_IMR, al
        mov al, 0x0b
        out CMOS_INDEX, al
        mov al, 0x42                    ; periodic interrupt, 24 hours
        out CMOS_DATA, al
        mov al, 0x0c
        out CMOS_INDEX, al
        in al, CMOS_DATA
        sti
        wait_for v_irqs + 0x28 * 4, 1
        cli
        mov al, 0x0b
        out CMOS_INDEX, al
        mov al, 2
        out CMOS_DATA, al
        expect_var v_irqs + 0x28 * 4, 1
        read_isr
        expect_eq al, 4
        mov al, 0x0b
        out PIC2, al
        in al, PIC2
        expect_eq al, 1
        mov al, 0x20
        out PIC2, al
        out PIC1, al
        mov al, 0x0c
        out CMOS_INDEX, al
        in al, CMOS_DATA
        mov al, 0xff
        out PIC2_IMR, al
        out PIC1_IMR, al
        it "poll mode acknowledges and names the line"
        pend_irq0
        mov al, 0xfe
        out PIC1_IMR, al
        mov al, 0x0c
        out PIC1, al
        in al, PIC1
        expect_eq al, 0x80
        mov al, 0x20
        out PIC1, al
        it "auto EOI leaves no ISR bit"
        mov al, 0x11
        out PIC1, al
        mov al, 0x20
        out PIC1_IMR, al
        mov al, 4
        out PIC1_IMR, al
        mov al, 3                       ; AEOI
        out PIC1_IMR, al
        mov al, 0xfe
        out PIC1_IMR, al
        pit 0, 0, 100
        sti
        hlt
        cli
        expect_var v_irqs + 0x20 * 4, 7
        read_isr
        expect_eq al, 0
        mov al, 0x11
        out PIC1, al
        mov al, 0x20
        out PIC1_IMR, al
        mov al, 4
        out PIC1_IMR, al
        mov al, 1
        out PIC1_IMR, al
        mov al, 0xff
        out PIC1_IMR, al
        it "ICW1 clears IRR edges: nothing is pending after it"
        read_irr
        and al, 0xfe
        expect_eq al, 0
        it "ICW2 sets the vectors"
        mov al, 0x11
        out PIC1, al
        mov al, 0x48
        out PIC1_IMR, al
        mov al, 4
        out PIC1_IMR, al
        mov al, 1
        out PIC1_IMR, al
        mov al, 0xfe
        out PIC1_IMR, al
        pit 0, 0, 100
        sti
        hlt
        cli
        mov al, 0x20
        out PIC1, al
        expect_var v_irqs + 0x48 * 4, 1
        mov al, 0xff
        out PIC1_IMR, al
        it "a masked local APIC pin keeps the PIC away"
        mov dword [APIC_LVT_LINT0], 0x10700
        mov al, 0xfe
        out PIC1_IMR, al
        pend_irq0
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x48 * 4, 1
        finish

        image_end
