; The 16550A without an interrupt: what its registers say, in loopback.
;
; checks: reserved bits, the order of identifications, FIFO thresholds, the time-out, FIFO resets, line status of a byte
;         and of none, modem lines, the divisor latch, scratch
; see: PC16550D data sheet
; needs: cpus=1
; status: 33
; QEMU: has no delta bits in loopback
; Bochs: has no time-out in loopback
; assertions: 12

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/transcript.inc"

LOOPBACK    equ 0x10
SUM     equ 0xcc3ea008              ; of the bytes 30h to 3Fh

; Into loopback and out of it; behind it the UART prints again.
%macro loop_on 0
        drain
        uart_write 4, LOOPBACK
%endmacro
%macro loop_off 0
        uart_write 4, 0
        uart_write 1, 0
        uart_write 2, 0
        uart_write 3, 3
%endmacro
; Sends a byte in loopback and waits until it is out.
%macro send 1
        uart_write 0, %1
        drain
%endmacro
; AL goes into the next byte of what will be shown.
%macro keep 0
        stosb
%endmacro
%macro begin_list 0
        mov edi, FREE
        mov dword [FREE], 0
        mov dword [FREE + 4], 0
%endmacro

main:
        it "idle: LSR 60, IIR 1, IER and MCR 0"
        drain
        loop_off
        begin_list
        uart_read 5
        keep
        uart_read 2
        keep
        uart_read 1
        keep
        uart_read 4
        keep
        mov ecx, [FREE]
        show "LSR IIR IER MCR", ecx
        expect_eq ecx, 0x00000160
        it "IER has four bits, MCR five"
        drain
        begin_list
        uart_write 4, LOOPBACK
        uart_write 1, 0xf0
        uart_read 1
        keep
        uart_write 4, 0xf0
        uart_read 4
        keep
        loop_off
        movzx ecx, word [FREE]
        show "IER MCR", ecx
        expect_eq ecx, 0x1000
        it "the divisor latch is apart from data and IER"
        drain
        begin_list
        uart_write 3, 0x83
        uart_write 0, 0xa5
        uart_write 1, 0x5a
        uart_read 0
        keep
        uart_read 1
        keep
        uart_write 0, 1
        uart_write 1, 0
        uart_write 3, 3
        uart_read 1
        keep
        mov ecx, [FREE]
        show "DLL DLM IER", ecx
        expect_eq ecx, 0x5aa5
        it "a byte: DR comes with it and goes when it is read"
        loop_on
        begin_list
        uart_read 5
        keep
        send 0xc3
        uart_read 5
        keep
        uart_read 0
        keep
        uart_read 5
        keep
        loop_off
        mov ecx, [FREE]
        show "LSR LSR RBR LSR", ecx
        expect_eq ecx, 0x60c36160
        it "identifications come by their priority: line status, data, transmitter, modem"
        loop_on
        begin_list
        uart_read 6
        send 1
        uart_write 0, 2                 ; overrun; LSR is not read meanwhile, which would clear it
        wait_us 20000
        uart_write 4, LOOPBACK | 1          ; DSR changes
        uart_write 1, 0xf
        uart_read 2
        keep
        uart_read 5
        uart_read 2
        keep
        uart_read 0
        uart_read 2
        keep
        uart_read 2
        keep
        uart_read 6
        uart_read 2
        keep
        loop_off
        mov ecx, [FREE]
        show "IIR", ecx
        movzx esi, byte [FREE + 4]
        show "IIR", esi
        expect_eq ecx, 0x00020406
        expect_eq esi, 1
        it "no identification where IER does not ask"
        loop_on
        begin_list
        send 0x11
        uart_read 2
        keep
        uart_write 1, 1
        uart_read 2
        keep
        uart_write 1, 0
        uart_read 2
        keep
        uart_read 0
        loop_off
        mov ecx, [FREE]
        show "IIR", ecx
        expect_eq ecx, 0x010401
        it "FIFO: 16 bytes in their order, DR until the last"
        loop_on
        uart_write 2, 7
        mov ecx, 16
        mov bl, 0x30
.fill:
        mov dx, COM1
        mov al, bl
        out dx, al
        inc bl
        dec ecx
        jnz .fill
        drain
        begin_list
        mov ecx, 16
        mov esi, 0
.take:
        imul esi, esi, 31
        uart_read 0
        movzx eax, al
        add esi, eax
        dec ecx
        jnz .take
        uart_read 5
        movzx edi, al
        loop_off
        show "sum", esi
        show "LSR", edi
        expect_eq esi, SUM
        expect_eq edi, 0x60
        it "the threshold of 4: identification with the fourth byte"
        loop_on
        uart_write 2, 0x47
        uart_write 1, 1
        begin_list
        mov ecx, 3
.three:
        send 0x55
        dec ecx
        jnz .three
        uart_read 2
        and al, 7
        cmp al, 4                       ; a time-out (C) may have come, the threshold not
        mov al, 0
        je .reached
        mov al, 1
.reached:
        keep
        send 0x66
        uart_read 2
        keep
        loop_off
        mov esi, [FREE]
        and esi, 0xff00
        show "IIR", esi
        expect_eq esi, 0xc400
        it "the time-out: fewer bytes than the threshold, and nothing more comes"
        loop_on
        uart_write 2, 0xc7
        uart_write 1, 1
        send 0x77
        pm_timer
        mov ebx, eax
.silence:
        uart_read 2
        movzx esi, al
        cmp al, 0xcc                    ; after four characters, 350 us
        je .timed_out
        pm_timer
        sub eax, ebx
        and eax, 0xffffff
        cmp eax, 3579545 * 2
        jb .silence
.timed_out:
        uart_read 0
        uart_read 2
        movzx edi, al
        loop_off
        show "IIR", esi
        show "IIR", edi
        expect_eq esi, 0xcc
        expect_eq edi, 0xc1
        it "FCR bit 1 empties the receiver"
        loop_on
        uart_write 2, 7
        send 0x12
        send 0x34
        uart_read 5
        movzx esi, al
        uart_write 2, 3
        uart_read 5
        movzx edi, al
        loop_off
        show "LSR", esi
        show "LSR", edi
        expect_eq esi, 0x61
        expect_eq edi, 0x60
        it "modem lines in loopback, with their changes"
        loop_on
        begin_list
        uart_read 6
        uart_write 4, LOOPBACK | 0xf
        uart_read 6
        keep
        uart_read 6
        keep
        uart_write 4, LOOPBACK | 2
        uart_read 6
        keep
        uart_write 4, LOOPBACK
        uart_read 6
        keep
        loop_off
        uart_read 6
        mov ecx, [FREE]
        show "MSR", ecx
        expect_eq ecx, 0x011ef0fb
        it "the scratch register, and what is printed is not looped back"
        drain
        uart_write 7, 0xe1
        uart_read 7
        movzx esi, al
        uart_read 5
        movzx edi, al
        show "SCR", esi
        show "LSR", edi
        expect_eq esi, 0xe1
        expect_eq edi, 0x60
        finish

        image_end
