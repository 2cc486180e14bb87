; The 16550A UART.
;
; checks: scratch, divisor latch, loopback of data and modem lines, FIFO presence, interrupt identification, interrupts
;         by IRQ 4, line status. COM1 itself prints the results, so each test puts it back.
; see: PC16550D data sheet
; needs: cpus=1
; status: 33
; QEMU: has no delta bits in loopback
; Bochs: forgets the transmitter interrupt behind a received byte
; assertions: 13

%include "lib/rom.inc"
%include "lib/chips.inc"

RBR     equ COM1
IER     equ COM1 + 1
IIR     equ COM1 + 2
FCR     equ COM1 + 2
LCR     equ COM1 + 3
MCR     equ COM1 + 4
LSR     equ COM1 + 5
MSR     equ COM1 + 6
SCR     equ COM1 + 7

%macro uart_in 1
        mov dx, %1
        in al, dx
%endmacro
%macro uart_out 2
        mov dx, %1
        mov al, %2
        out dx, al
%endmacro
; Waits until the transmitter is empty: the last line is out.
%macro drain 0
%%wait:
        uart_in LSR
        test al, 0x40
        jz %%wait
%endmacro
; Waits for data ready, 1 s at most.
%macro wait_data 0
        pm_timer
        mov ebx, eax
%%again:
        uart_in LSR
        test al, 1
        jnz %%done
        pm_timer
        sub eax, ebx
        and eax, 0xffffff
        cmp eax, 3579545
        jb %%again
%%done:
%endmacro

main:
        it "the scratch register keeps a byte"
        uart_out SCR, 0x5a
        uart_in SCR
        expect_eq al, 0x5a
        it "DLAB shows the divisor latch"
        drain
        uart_out LCR, 0x83
        uart_out COM1, 0x34
        uart_out IER, 0x12
        uart_in COM1
        mov cl, al
        uart_in IER
        mov ch, al
        uart_out COM1, 1
        uart_out IER, 0
        uart_out LCR, 3
        expect_eq cx, 0x1234
        it "LCR reads back"
        uart_in LCR
        expect_eq al, 3
        it "loopback: a byte sent comes in"
        drain
        uart_out MCR, 0x10
        uart_out COM1, 0xa7
        wait_data
        uart_in RBR
        mov cl, al
        uart_in LSR
        mov ch, al
        uart_out MCR, 0
        expect_eq cl, 0xa7
        and ch, 1
        expect_eq ch, 0
        it "loopback: DTR, RTS, OUT1, OUT2 are DSR, CTS, RI, DCD"
        drain
        uart_out MCR, 0x1f
        uart_in MSR
        mov cl, al
        uart_out MCR, 0x11
        uart_in MSR
        mov ch, al
        uart_out MCR, 0
        and cx, 0xf0f0
        expect_eq cl, 0xf0
        expect_eq ch, 0x20
        it "the modem status has delta bits until it is read"
        drain
        uart_out MCR, 0x10
        uart_in MSR
        uart_out MCR, 0x11
        uart_in MSR
        mov cl, al
        uart_in MSR
        mov ch, al
        uart_out MCR, 0
        and cx, 0x0f0f
        expect_eq cl, 2
        expect_eq ch, 0
        it "the FIFO: IIR bits 7 and 6"
        drain
        uart_out FCR, 1
        uart_in IIR
        and al, 0xc0
        expect_eq al, 0xc0
        it "the FIFO holds 16 bytes in order"
        drain
        uart_out FCR, 7
        uart_out MCR, 0x10
        mov ecx, 16
        mov al, 0x41
.fill:
        push eax
        mov dx, COM1
        out dx, al
.sent:
        uart_in LSR
        test al, 0x40
        jz .sent
        pop eax
        inc al
        loop .fill
        mov ecx, 16
        mov edi, FREE
.take:
        wait_data
        uart_in RBR
        stosb
        loop .take
        uart_in LSR
        mov cl, al
        uart_out MCR, 0
        uart_out FCR, 0
        expect_mem d, [FREE], 0x44434241
        expect_mem d, [FREE + 12], 0x504f4e4d
        and cl, 1
        expect_eq cl, 0
        it "overrun without FIFO: OE, cleared by reading LSR"
        drain
        uart_out MCR, 0x10
        uart_out COM1, 1
        wait_data
        uart_out COM1, 2
.sent2:
        uart_in LSR
        mov ch, al
        test al, 0x40
        jz .sent2
        wait_us 300
        uart_in LSR
        or ch, al
        uart_in LSR
        mov cl, al
        uart_in RBR
        uart_out MCR, 0
        and cx, 0x0202
        expect_eq cx, 0x0200
        it "no interrupt pending: IIR is 1"
        drain
        uart_in IIR
        expect_eq al, 1
        it "transmitter empty: IIR 2, gone when it is read"
        drain
        uart_out IER, 2
        uart_in IIR
        mov cl, al
        uart_in IIR
        mov ch, al
        uart_out IER, 0
        expect_eq cx, 0x0102
        it "received data has the higher priority: IIR 4, then 2"
        drain
        uart_out MCR, 0x10
        uart_out COM1, 0x33
        wait_data
        uart_out IER, 3
        uart_in IIR
        mov cl, al
        uart_in RBR
        uart_in IIR
        mov ch, al
        uart_out IER, 0
        uart_out MCR, 0
        expect_eq cx, 0x0204
        it "IRQ 4 by OUT2"
        pic_on
        mov al, 0xef
        out PIC1_IMR, al
        drain
        uart_out MCR, 8
        uart_out IER, 2
        sti
        wait_for v_irqs + 0x24 * 4, 1
        cli
        uart_in IIR
        uart_out IER, 0
        uart_out MCR, 0
        mov al, 0xff
        out PIC1_IMR, al
        expect_var v_irqs + 0x24 * 4, 1
        finish

        image_end
