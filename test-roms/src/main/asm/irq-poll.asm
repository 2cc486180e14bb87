; The 8259 pair without an interrupt: everything by reading it.
;
; checks: masks, IRR and ISR by OCW3, polls of master and slave, priorities, rotation, specific EOI, special mask mode,
;         automatic EOI, level and edge, all with IF clear
; see: Intel 8259A data sheet
; needs: cpus=1
; status: 33
; Bochs: its PIC answers a poll without bit 7
; assertions: 14

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/transcript.inc"

; AL = the answer of a poll.
%macro poll 1
        mov al, 0x0c
        out %1, al
        in al, %1
%endmacro

main:
        it "after ICW4 nothing is requested or in service"
        pit_quiet
        pic_init
        read_irr PIC1
        mov cl, al
        read_isr PIC1
        mov ch, al
        show "master", ecx
        and ecx, 0xfffe                 ; IRQ 0 may have been high
        expect_eq cx, 0
        it "the masks of both read back"
        pic_write PIC1_IMR, 0x5a
        pic_write PIC2_IMR, 0xc3
        in al, PIC1_IMR
        mov cl, al
        in al, PIC2_IMR
        mov ch, al
        movzx ecx, cx
        show "masks", ecx
        expect_eq ecx, 0xc35a
        it "requests of masked lines are kept: IRQ 0 and IRQ 4"
        pic_init
        pend_irq0
        raise_irq4
        wait_irr PIC1, 0x10
        read_irr PIC1
        mov cl, al
        lower_irq4
        and ecx, 0x11
        show "IRR", ecx
        expect_eq ecx, 0x11
        it "a poll of masked lines names none"
        poll PIC1
        and eax, 0x80
        expect_eq eax, 0
        it "unmasked, the poll names the highest and puts it in service"
        pic_init
        pend_irq0
        raise_irq4
        pic_write PIC1_IMR, 0xee
        poll PIC1
        mov cl, al
        read_isr PIC1
        mov ch, al
        movzx ecx, cx
        push ecx
        poll PIC1                       ; lower than what is in service: none
        mov cl, al
        movzx ecx, cl
        mov [v_tmp], ecx
        pic_write PIC1, 0x20
        poll PIC1
        movzx edi, al
        pic_write PIC1, 0x20
        lower_irq4
        pop ecx
        show "poll, ISR", ecx
        show "poll", edi
        expect_eq ecx, 0x0180
        expect_eq edi, 0x84
        it "what is in service holds lower lines back"
        mov ecx, [v_tmp]
        and ecx, 0x80
        expect_eq ecx, 0
        it "a specific EOI ends that line and no other"
        pic_init
        pend_irq0
        raise_irq4
        pic_write PIC1_IMR, 0xef
        poll PIC1                       ; IRQ 4 in service
        pic_write PIC1_IMR, 0xee
        poll PIC1                       ; IRQ 0 too
        read_isr PIC1
        mov cl, al
        pic_write PIC1, 0x64            ; EOI of IRQ 4
        read_isr PIC1
        mov ch, al
        pic_write PIC1, 0x60
        read_isr PIC1
        movzx ecx, cx
        shl eax, 16
        or ecx, eax
        and ecx, 0xffffff
        push ecx
        lower_irq4
        pop ecx
        show "ISR", ecx
        expect_eq ecx, 0x000111
        it "rotation on EOI: the line served becomes the lowest"
        pic_init
        pend_irq0
        pic_write PIC1_IMR, 0xfe
        poll PIC1
        pic_write PIC1, 0xa0            ; rotate on EOI: IRQ 1 is the highest now
        pend_irq0
        raise_irq4
        pic_write PIC1_IMR, 0xee
        poll PIC1
        movzx ecx, al
        pic_write PIC1, 0x20
        push ecx
        lower_irq4
        pop ecx
        show "poll", ecx
        expect_eq ecx, 0x84
        it "set priority: IRQ 7 the lowest again"
        pic_write PIC1, 0xc7
        raise_irq4
        poll PIC1
        movzx ecx, al
        pic_write PIC1, 0x20
        push ecx
        lower_irq4
        pop ecx
        show "poll", ecx
        expect_eq ecx, 0x80
        it "special mask mode: a masked line in service holds nobody back"
        pic_init
        pend_irq0
        pic_write PIC1_IMR, 0xee
        poll PIC1                       ; IRQ 0 in service
        raise_irq4
        pic_write PIC1_IMR, 0xef
        poll PIC1
        movzx ecx, al                   ; held back
        pic_write PIC1, 0x68            ; special mask
        poll PIC1
        mov ch, al
        pic_write PIC1, 0x48
        pic_write PIC1, 0x64
        pic_write PIC1, 0x60
        and ecx, 0x8780
        push ecx
        lower_irq4
        pop ecx
        show "polls", ecx
        expect_eq ecx, 0x8400
        it "the slave: a poll names its line, the master's its cascade"
        pic_init
        raise_irq8
        wait_irr PIC2, 1
        pic_write PIC2_IMR, 0xfe
        pic_write PIC1_IMR, 0xfb
        poll PIC1
        mov cl, al
        poll PIC2
        mov ch, al
        read_isr PIC1
        mov edi, eax
        read_isr PIC2
        movzx ecx, cx
        shl edi, 16
        shl eax, 24
        or ecx, eax
        and edi, 0xff0000
        or ecx, edi
        pic_write PIC2, 0x20
        pic_write PIC1, 0x20
        lower_irq8
        show "polls, ISRs", ecx
        expect_eq ecx, 0x01048082
        it "automatic EOI: a poll leaves no bit in service"
        pic_init 3
        pend_irq0
        pic_write PIC1_IMR, 0xfe
        poll PIC1
        mov cl, al
        read_isr PIC1
        mov ch, al
        movzx ecx, cx
        show "poll, ISR", ecx
        and ecx, 0xff80
        expect_eq ecx, 0x0080
        it "ELCR: the system's lines stay edge-triggered"
        pic_init
        mov dx, ELCR1
        mov al, 0xff
        out dx, al
        in al, dx
        mov cl, al
        inc dx
        mov al, 0xff
        out dx, al
        in al, dx
        mov ch, al
        mov al, 0
        out dx, al
        dec dx
        out dx, al
        movzx ecx, cx
        show "ELCR", ecx
        expect_eq ecx, 0xdef8
        it "no interrupt came all the while"
        expect_var v_count, 0
        finish

        image_end
