; The I/O APIC and a local APIC in long mode: registers, and edges of PIT, UART and RTC.
;
; checks: id and version, redirection entries bit by bit, pins 2, 4 and 8, order by vector, edges while masked, one
;         interrupt an edge, the task priority
; see: Intel 82093AA data sheet; SDM 3A 12.8 (EOI, priorities)
; needs: cpus=1
; status: 33
; QEMU: keeps reserved bits of a redirection entry
; assertions: 10

%define WITH_LONG
%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/transcript.inc"

MASKED  equ 1 << 16

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

; What .sum computes.
%assign SUM 0
%assign pin 0
%rep 24
%assign SUM (SUM * 33 + 0x10060 + pin) & 0xffffffff
%assign pin pin + 1
%endrep

; Waits until the one-shot of counter 0 is over and its line has risen: IRR of the local APIC has vector 53, or counter 0's
; output, which a PIC of its own sees, is high.
%macro wait_irr_pit 0
%%again:
        mov eax, [r8 + APIC_IRR - APIC + 0x20]
        test eax, 1 << (0x53 % 32)
        jz %%again
%endmacro
%macro wait_pit 0
%%again:
        read_irr PIC1
        test al, 1
        jz %%again
%endmacro

main:
        apic_on
        to_long
        mov r8d, APIC
        mov r9d, IOAPIC_INDEX
        it "24 pins"
        ioapic_read 1
        shr eax, 16
        and eax, 0xff
        show "highest", rax
        expect_eq rax, 23
        it "the id reads back, four bits of it"
        ioapic_write 0, 0xffffffff
        ioapic_read 0
        mov ecx, eax
        ioapic_write 0, 0
        ioapic_read 0
        shl rax, 32
        or rcx, rax
        show "id", rcx
        expect_eq rcx, 0x0f000000
        it "a redirection entry: what can be written"
        redirect 5, MASKED | 0xffffffff, 0xffffffff
        ioapic_read 0x1b
        and eax, 0xff000000
        mov ecx, eax
        ioapic_read 0x1a
        redirect 5, MASKED
        show "low", rax
        show "high", rcx
        expect_eq rax, 0x0001afff       ; neither delivery status nor remote IRR
        expect_eq rcx, 0xff000000
        it "all entries keep a vector of their own"
        mov edi, 0
.fill:
        lea eax, [rdi * 2 + 0x10]
        mov [r9], eax
        lea eax, [rdi + MASKED + 0x60]
        mov [r9 + 0x10], eax
        inc edi
        cmp edi, 24
        jb .fill
        mov edi, 0
        mov ecx, 0
.sum:
        lea eax, [rdi * 2 + 0x10]
        mov [r9], eax
        mov eax, [r9 + 0x10]
        imul ecx, ecx, 33
        add ecx, eax
        inc edi
        cmp edi, 24
        jb .sum
        show "sum", rcx
        expect_eq rcx, SUM
        it "PIT, UART and RTC by their pins"
        mov dword [v_eoi], EOI_APIC
        redirect 2, 0x41
        pit 0, 0, 100
        sti
        wait_for v_irqs + 0x41 * 4, 1
        cli
        redirect 2, MASKED | 0x41
        redirect 4, 0x42
        raise_irq4
        sti
        wait_for v_irqs + 0x42 * 4, 1
        cli
        redirect 4, MASKED | 0x42
        lower_irq4
        redirect 8, 0x43
        raise_irq8
        sti
        wait_for v_irqs + 0x43 * 4, 1
        cli
        redirect 8, MASKED | 0x43
        lower_irq8
        expect_var v_irqs + 0x41 * 4, 1
        expect_var v_irqs + 0x42 * 4, 1
        expect_var v_irqs + 0x43 * 4, 1
        it "the highest vector comes first"
        mov dword [length], 0
        mov dword [order], 0
        mov qword [v_hook], note_vector
        redirect 4, 0x45
        redirect 2, 0x53
        raise_irq4
        pit 0, 0, 100
        wait_irr_pit
        take_irqs
        redirect 2, MASKED
        redirect 4, MASKED
        lower_irq4
        mov qword [v_hook], 0
        mov eax, [order]
        show "order", rax
        expect_eq rax, 0x4553
        it "an edge that came while masked is lost"
        redirect 2, MASKED | 0x41
        pit 0, 0, 100
        wait_pit
        redirect 2, 0x41
        take_irqs
        redirect 2, MASKED | 0x41
        mov ecx, [v_irqs + 0x41 * 4]
        sub ecx, 1
        and ecx, 0xfffffffe             ; KVM delivers it, the data sheet does not
        expect_eq rcx, 0
        it "a message that was masked in time reaches nobody"
        redirect 4, 0x44
        redirect 4, MASKED | 0x44
        raise_irq4
        take_irqs
        redirect 4, 0x44
        take_irqs
        lower_irq4
        redirect 4, MASKED
        mov ecx, [v_irqs + 0x44 * 4]
        and ecx, 0xfffffffe             ; KVM delivers it when the mask goes
        expect_eq rcx, 0
        it "one edge, one interrupt: the line stays high"
        mov ecx, [v_irqs + 0x46 * 4]
        redirect 4, 0x46
        raise_irq4
        take_irqs 1000
        take_irqs 1000
        lower_irq4
        take_irqs
        redirect 4, MASKED
        mov ecx, [v_irqs + 0x46 * 4]
        show "count", rcx
        expect_eq rcx, 1
        it "the task priority holds back its class"
        mov dword [r8 + APIC_TPR - APIC], 0x50
        redirect 4, 0x47
        raise_irq4
        take_irqs
        mov ecx, [v_irqs + 0x47 * 4]
        mov eax, [r8 + APIC_IRR - APIC + 0x20]
        shr eax, 0x47 % 32
        and eax, 1
        mov esi, eax
        mov dword [r8 + APIC_TPR - APIC], 0
        take_irqs
        mov edi, [v_irqs + 0x47 * 4]
        lower_irq4
        redirect 4, MASKED
        expect_eq rcx, 0
        expect_eq rsi, 1
        expect_eq rdi, 1
        finish

var     order, 16
var     length
note_vector:
        mov rax, [v_vec]
        mov ecx, [length]
        and ecx, 7
        mov [rcx + order], al
        inc dword [length]
        eoi
        ret

        image_end
