; Interrupts of the 8259 pair in real mode, as a BIOS has them.
;
; checks: vectors of IRQ 0, 4 and 8 through the table at 0, the frame, flags kept, STI's shadow, HLT, a handler that
;         chains by a far jump, one that interrupts another, INT n of the same vector, a moved table
; see: Intel 8259A data sheet; SDM 3A 21.1.3, 21.1.4 (interrupts of real-address mode)
; needs: cpus=1
; status: 33
; Bochs: takes no notice of LINT0
; assertions: 11

%define WITH_REAL
%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/transcript.inc"

var     order, 16
var     length
var     chained

main:
        pic_on
        pic_init
        pit_quiet
        to_real
        mov dword [v_hook], 0
        it "IRQ 0 is vector 20"
        pend_irq0
        pic_write PIC1_IMR, 0xfe
        take_irqs
        pic_write PIC1_IMR, 0xff
        expect_var v_irqs + 0x20 * 4, 1
        it "the frame: flags with IF, CS 0"
        mov eax, [v_flags]
        and eax, IF | TF | DF
        show "flags", eax
        expect_eq eax, IF
        expect_var v_cs, 0
        it "IRQ 8 is vector 28, ended at both PICs"
        raise_irq8
        wait_irr PIC2, 1
        pic_write PIC2_IMR, 0xfe
        pic_write PIC1_IMR, 0xfb
        take_irqs
        pic_write PIC1_IMR, 0xff
        pic_write PIC2_IMR, 0xff
        lower_irq8
        read_isr PIC1
        mov cl, al
        read_isr PIC2
        mov ch, al
        expect_var v_irqs + 0x28 * 4, 1
        expect_eq cx, 0
        it "IRQ 4 is vector 24"
        raise_irq4
        pic_write PIC1_IMR, 0xef
        take_irqs
        pic_write PIC1_IMR, 0xff
        lower_irq4
        expect_var v_irqs + 0x24 * 4, 1
        it "INT 20 goes the same way"
        int 0x20
        expect_var v_irqs + 0x20 * 4, 2
        it "registers and flags are as before"
        mov dword [length], 0
        mov word [0x20 * 4], own_handler
        pend_irq0
        pic_write PIC1_IMR, 0xfe
        mov ecx, 0x12345678
        mov esi, 0x89abcdef
        mov edi, 0xdeadbeef
        std
        stc
        sti
        in al, 0x61
        in al, 0x61
        in al, 0x61
        cli
        pushfd
        pop ebp
        cld
        pic_write PIC1_IMR, 0xff
        and ebp, DF | CF
        expect_eq ebp, DF | CF
        expect_eq ecx, 0x12345678
        expect_eq esi, 0x89abcdef
        expect_eq edi, 0xdeadbeef
        expect_var length, 1
        it "HLT goes on behind it"
        pic_write PIC1_IMR, 0xfe
        pit 0, 0, 2000
        sti
        hlt
        cli
        pic_write PIC1_IMR, 0xff
        expect_var length, 2
        it "a handler chains to the one before it"
        mov word [0x20 * 4], chain
        pend_irq0
        pic_write PIC1_IMR, 0xfe
        take_irqs
        pic_write PIC1_IMR, 0xff
        expect_var length, 3
        expect_var chained, 1
        it "a handler with interrupts on is interrupted by a higher line"
        mov dword [length], 0
        mov word [0x20 * 4], own_handler
        mov word [0x24 * 4], slow_handler
        raise_irq4
        pic_write PIC1_IMR, 0xee
        take_irqs 5000
        pic_write PIC1_IMR, 0xff
        lower_irq4
        mov eax, [order]
        show "order", eax
        expect_eq eax, 0x342024
        it "interrupts off, nothing comes"
        pend_irq0
        pic_write PIC1_IMR, 0xfe
        wait_us 500
        pic_write PIC1_IMR, 0xff
        expect_var length, 3
        it "a table that LIDT moved"
        mov si, 0
        mov di, FREE_LOW
        mov cx, 0xc0
        rep movsb
        mov word [FREE_LOW + 0x20 * 4], moved_handler
        o32 lidt [moved_register]
        pic_write PIC1_IMR, 0xfe
        take_irqs
        pic_write PIC1_IMR, 0xff
        o32 lidt [real_idt_register]
        mov eax, [order]
        show "order", eax
        expect_eq eax, 0x55342024
        from_real
        finish

        bits 16
%macro note_order 1
        push ebx
        mov ebx, [cs:length]
        mov byte [cs:ebx + order], %1
        inc dword [cs:length]
        pop ebx
%endmacro

own_handler:
        push eax
        note_order 0x20
        mov al, 0x20
        out PIC1, al
        pop eax
        iret
moved_handler:
        push eax
        note_order 0x55
        mov al, 0x20
        out PIC1, al
        pop eax
        iret
chain:
        inc dword [cs:chained]
        jmp 0:own_handler
; In service, it lets IRQ 0 in, which is the higher one.
slow_handler:
        pushad
        note_order 0x24
        uart_write 1, 0
        pit 0, 0, 100
        sti
        wait_for length, 2
        cli
        note_order 0x34
        mov al, 0x20
        out PIC1, al
        popad
        iret
        align 4
moved_register:
        dw 0x3ff
        dd FREE_LOW
        bits 32

        image_end
