; The 16550A and its interrupt, IRQ 4, in protected mode.
;
; checks: the transmitter's interrupt and its identification, OUT2 as the gate to the PIC, IER off and on, a text sent by
;         interrupts, the mask of the PIC, a request that goes before it is taken
; see: PC16550D data sheet; IBM AT technical reference (OUT2)
; needs: cpus=1
; status: 33
; Bochs: takes no notice of LINT0
; QEMU: has no gate by OUT2
; assertions: 10

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/transcript.inc"

LOOPBACK    equ 0x10
OUT2    equ 8
IIRS    equ FREE

var     taken
var     sent
var     mode

SERVE   equ 0                           ; the handler does what IIR says
SEND    equ 1                           ; it also sends the next of 8 bytes

main:
        pic_on
        pit_quiet
        pic_init
        mov dword [v_hook], serial
        it "transmitter empty: one interrupt, IIR 2"
        call reset
        drain
        uart_write 4, OUT2
        pic_write PIC1_IMR, 0xef
        uart_write 1, 2
        take_irqs
        call stop
        mov ecx, [taken]
        mov esi, [IIRS]
        show "count", ecx
        show "IIR", esi
        expect_eq ecx, 1
        expect_eq esi, 0x102            ; and nothing behind it
        it "without OUT2 it does not reach the PIC"
        call reset
        drain
        uart_write 4, 0
        pic_write PIC1_IMR, 0xef
        uart_write 1, 2
        take_irqs
        mov ecx, [taken]
        uart_read 2
        movzx esi, al
        call stop
        expect_eq ecx, 0
        expect_eq esi, 2
        it "OUT2 lets it through later"
        call reset
        drain
        pic_write PIC1_IMR, 0xef
        uart_write 1, 2
        take_irqs
        mov ecx, [taken]
        uart_write 4, OUT2
        take_irqs
        mov esi, [taken]
        call stop
        expect_eq ecx, 0
        expect_eq esi, 1
        it "IER off and on again: it comes again"
        call reset
        drain
        uart_write 4, OUT2
        pic_write PIC1_IMR, 0xef
        uart_write 1, 2
        take_irqs
        uart_write 1, 0
        uart_write 1, 2
        take_irqs
        call stop
        mov ecx, [taken]
        show "count", ecx
        expect_eq ecx, 2
        it "eight bytes sent by their interrupts, and printed"
        call reset
        drain
        mov dword [mode], SEND
        uart_write 4, OUT2
        pic_write PIC1_IMR, 0xef
        uart_write 1, 2
        sti
        wait_for sent, 8
        wait_us 2000
        cli
        call stop
        mov ecx, [sent]
        show "sent", ecx
        expect_eq ecx, 8
        it "modem lines that nobody moves interrupt nobody"
        call reset
        drain
        uart_read 6
        uart_write 4, OUT2
        pic_write PIC1_IMR, 0xef
        uart_write 1, 8
        take_irqs 2000
        mov ecx, [taken]
        uart_read 2
        movzx esi, al
        call stop
        expect_eq ecx, 0
        expect_eq esi, 1
        it "data: the interrupt's identification, without the PIC"
        call reset
        drain
        uart_write 4, LOOPBACK
        uart_write 1, 1
        uart_write 0, 0x5c
        drain
        uart_read 2
        movzx esi, al
        uart_read 0
        movzx edi, al
        call stop
        show "IIR", esi
        show "RBR", edi
        expect_eq esi, 4
        expect_eq edi, 0x5c
        it "IRQ 4 alone: no other line came"
        mov ecx, [v_irqs + 0x24 * 4]
        mov eax, [v_count]
        expect_same ecx, eax
        it "masked in the PIC it is kept"
        call reset
        drain
        uart_write 4, OUT2
        uart_write 1, 2
        take_irqs
        mov ecx, [taken]
        pic_write PIC1_IMR, 0xef
        take_irqs
        mov esi, [taken]
        call stop
        expect_eq ecx, 0
        expect_eq esi, 1
        it "a request that is gone before it is taken leaves no identification"
        call reset
        drain
        uart_write 4, OUT2
        uart_write 1, 2
        uart_read 2
        uart_read 2
        movzx esi, al
        call stop
        expect_eq esi, 1
        finish

reset:
        mov dword [taken], 0
        mov dword [sent], 0
        mov dword [mode], SERVE
        mov dword [IIRS], 0
        mov dword [IIRS + 4], 0
        ret
stop:
        uart_write 1, 0
        uart_write 4, 0
        uart_read 2
        uart_read 5
        pic_init                        ; forgets the edges
        ret

; The handler: notes what IIR says before and after it was served.
serial:
        mov ecx, [taken]
        and ecx, 15
        uart_read 2
        mov [IIRS + ecx * 2], al
        cmp dword [mode], SEND
        jne .read
        mov ebx, [sent]
        cmp ebx, 8
        jae .read
        mov al, [ebx + text]
        mov dx, COM1
        out dx, al
        inc dword [sent]
        jmp .end
.read:
        uart_read 2
        mov [IIRS + ecx * 2 + 1], al
.end:
        inc dword [taken]
        mov eax, 0x24
        jmp note_irq32

text:   db "by IRQ", 13, 10

        image_end
