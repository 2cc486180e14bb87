; The order in which interrupts of the 8259 pair come, in protected mode, through LINT0.
;
; checks: fixed priorities, nesting, an ISR bit that holds back, specific EOI in another order, rotation, special fully
;         nested order of the slave, automatic EOI, special mask mode, spurious requests that were withdrawn, HLT
; see: Intel 8259A data sheet; SDM 3A 12.5.1 (ExtINT)
; needs: cpus=1
; status: 33
; Bochs: takes no notice of LINT0
; assertions: 11

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/transcript.inc"

main:
        pic_on
        it "IRQ 0 comes before IRQ 4, however they were requested"
        pic_init
        log_on
        raise_irq4
        pend_irq0
        pic_write PIC1_IMR, 0xee
        take_irqs
        pic_write PIC1_IMR, 0xff
        lower_irq4
        log_off
        mov ecx, [IRQ_LOG]
        show "order", ecx
        expect_eq ecx, 0x2420
        it "IRQ 8 comes through IRQ 2: before IRQ 4, after IRQ 0"
        pic_init
        log_on
        raise_irq4
        raise_irq8
        wait_irr PIC2, 1
        pend_irq0
        pic_write PIC2_IMR, 0xfe
        pic_write PIC1_IMR, 0xea
        take_irqs
        pic_write PIC1_IMR, 0xff
        lower_irq8
        lower_irq4
        log_off
        mov ecx, [IRQ_LOG]
        show "order", ecx
        expect_eq ecx, 0x242820
        it "without EOI a higher line still comes, an equal or lower one does not"
        pic_init
        mov dword [v_eoi], EOI_NONE
        log_on
        raise_irq4
        pic_write PIC1_IMR, 0xef
        take_irqs                       ; IRQ 4, now in service
        pend_irq0
        pic_write PIC1_IMR, 0xee
        take_irqs                       ; IRQ 0 too
        pend_irq0
        take_irqs                       ; not again
        read_isr PIC1
        movzx edi, al
        mov ecx, [IRQ_LOG]
        show "order", ecx
        show "ISR", edi
        expect_eq ecx, 0x2024
        expect_eq edi, 0x11
        it "EOI of the lower one first: the higher still holds"
        pic_write PIC1, 0x64
        take_irqs
        mov ecx, [log_length]
        expect_eq ecx, 2
        it "EOI of the higher one: the request that waited comes"
        pic_write PIC1, 0x60
        take_irqs
        mov ecx, [IRQ_LOG]
        show "order", ecx
        expect_eq ecx, 0x202024
        pic_write PIC1, 0x60
        pic_write PIC1_IMR, 0xff
        lower_irq4
        log_off
        mov dword [v_eoi], EOI_PIC
        it "after rotation IRQ 4 comes before IRQ 0"
        pic_init
        pic_write PIC1, 0xc3            ; IRQ 3 the lowest
        log_on
        raise_irq4
        pend_irq0
        pic_write PIC1_IMR, 0xee
        take_irqs
        pic_write PIC1_IMR, 0xff
        lower_irq4
        log_off
        mov ecx, [IRQ_LOG]
        show "order", ecx
        expect_eq ecx, 0x2024
        it "automatic EOI: nothing stays in service"
        pic_init 3
        mov dword [v_eoi], EOI_NONE
        log_on
        pend_irq0
        pic_write PIC1_IMR, 0xfe
        take_irqs
        pend_irq0
        take_irqs
        pic_write PIC1_IMR, 0xff
        read_isr PIC1
        movzx edi, al
        log_off
        mov ecx, [IRQ_LOG]
        show "order", ecx
        expect_eq ecx, 0x2020
        expect_eq edi, 0
        it "special mask mode lets lower lines in"
        pic_init
        log_on
        pend_irq0
        pic_write PIC1_IMR, 0xfe
        take_irqs                       ; IRQ 0 in service
        raise_irq4
        pic_write PIC1_IMR, 0xef
        take_irqs                       ; held back
        mov edi, [log_length]
        pic_write PIC1, 0x68
        take_irqs
        pic_write PIC1, 0x48
        pic_write PIC1, 0x64
        pic_write PIC1, 0x60
        pic_write PIC1_IMR, 0xff
        lower_irq4
        log_off
        mov ecx, [IRQ_LOG]
        show "order", ecx
        expect_eq edi, 1
        expect_eq ecx, 0x2420
        mov dword [v_eoi], EOI_PIC
        it "HLT waits for one interrupt at a time"
        pic_init
        log_on
        pic_write PIC1_IMR, 0xfe
        pit 0, 0, 2000
        sti
        hlt
        cli
        pit 0, 0, 2000
        sti
        hlt
        cli
        pic_write PIC1_IMR, 0xff
        log_off
        mov ecx, [IRQ_LOG]
        show "order", ecx
        expect_eq ecx, 0x2020
        it "a masked LINT0 keeps all of them away, and lets them in later"
        pic_init
        mov dword [APIC_LVT_LINT0], 0x10700
        log_on
        pend_irq0
        pic_write PIC1_IMR, 0xfe
        take_irqs
        mov edi, [log_length]
        mov dword [APIC_LVT_LINT0], 0x700
        take_irqs
        pic_write PIC1_IMR, 0xff
        log_off
        mov ecx, [log_length]
        expect_eq edi, 0
        expect_eq ecx, 1
        it "the vectors are where ICW2 puts them"
        mov al, 0x11
        out PIC1, al
        mov al, 0x48
        out PIC1_IMR, al
        mov al, 4
        out PIC1_IMR, al
        mov al, 1
        out PIC1_IMR, al
        mov al, 0xff
        out PIC1_IMR, al
        log_on
        pend_irq0
        raise_irq4
        pic_write PIC1_IMR, 0xee
        take_irqs
        pic_write PIC1, 0x20            ; the handlers end them at the slave too: vectors from 28 on are its
        pic_write PIC1, 0x20
        take_irqs
        pic_write PIC1_IMR, 0xff
        lower_irq4
        log_off
        mov ecx, [IRQ_LOG]
        show "order", ecx
        expect_eq ecx, 0x4c48
        finish

        image_end
