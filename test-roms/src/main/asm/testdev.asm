; The ports of KVM's unit tests, as QEMU's pc-testdev has them: data, page flush, interrupt lines, MMIO.
;
; checks: E0h to E3h read back in any width, E4h, lines from 2000h on through the IOAPIC and the PIC, 64 KiB at FF000000h
; see: QEMU's pc-testdev (facts); KVM's unit tests eventinj, ioapic, realmode, emulator
; needs: cpus=1
; status: 33
; QEMU: needs -device pc-testdev (QEMU_ARGS); takes a line that stays up for another edge, and one byte of a word
; Bochs: has no such device
; assertions: 17

%include "lib/rom.inc"
%include "lib/chips.inc"

MASKED  equ 1 << 16
LEVEL   equ 1 << 15
LINES   equ 0x2000
IOMEM   equ 0xff000000

%macro ioapic_write 2
        mov dword [IOAPIC_INDEX], %1
        mov dword [IOAPIC_DATA], %2
%endmacro
%macro redirect 2
        ioapic_write 0x11 + (%1) * 2, 0
        ioapic_write 0x10 + (%1) * 2, %2
%endmacro
%macro line 2                           ; number, level
        mov dx, LINES + (%1)
        mov al, %2
        out dx, al
%endmacro
%macro open 0                           ; lets what waits come
        sti
        nop
        nop
        cli
%endmacro

main:
        it "a dword reads back"
        mov eax, 0xfedcba98
        out 0xe0, eax
        xor eax, eax
        in eax, 0xe0
        expect_eq eax, 0xfedcba98
        it "each of its bytes has a port"
        in al, 0xe0
        expect_eq al, 0x98
        in al, 0xe1
        expect_eq al, 0xba
        in al, 0xe3
        expect_eq al, 0xfe
        it "a word in the upper half"
        mov ax, 0x1234
        out 0xe2, ax
        in eax, 0xe0
        expect_eq eax, 0x1234ba98
        mov dx, 0xe2
        in ax, dx
        expect_eq ax, 0x1234
        it "string output and input"
        mov dword [FREE], 0x44332211
        mov esi, FREE
        mov edi, FREE + 8
        mov dx, 0xe0
        cld
        mov ecx, 4
        rep outsb                       ; all to one port: the last byte stays
        in al, dx
        expect_eq al, 0x44
        mov ecx, 3
        rep insb
        expect_mem d, [FREE + 7], 0x44444400
        it "the flush port takes any address and reads as zero"
        mov eax, 0xfffff123
        out 0xe4, eax
        mov eax, FREE
        out 0xe4, eax
        in eax, 0xe4
        expect_eq eax, 0
        it "a flushed page keeps its contents"
        expect_mem d, [FREE], 0x44332211
        it "code goes on in a flushed page"
        mov eax, .flushed
        out 0xe4, eax
.flushed:
        mov dword [FREE], 5
        mov eax, FREE
        out 0xe4, eax
        inc dword [FREE]
        expect_mem d, [FREE], 6

        apic_on
        it "a rising line is an edge at its IOAPIC pin"
        redirect 10, 0x41
        line 10, 1
        open
        expect_var v_irqs + 0x41 * 4, 1
        it "a line that stays up is none, a falling one neither"
        line 10, 1
        line 10, 0
        open
        expect_var v_irqs + 0x41 * 4, 1
        it "any value but zero raises it"
        line 10, 0x80
        line 10, 0
        open
        expect_var v_irqs + 0x41 * 4, 2
        it "lines 5, 14 and 15 reach their pins"
        redirect 5, 0x45
        redirect 14, 0x46
        redirect 15, 0x47
        line 5, 1
        line 5, 0
        line 14, 1
        line 14, 0
        line 15, 1
        line 15, 0
        open
        expect_var v_irqs + 0x45 * 4, 1
        expect_var v_irqs + 0x46 * 4, 1
        expect_var v_irqs + 0x47 * 4, 1
        it "line 0 is pin 2"
        redirect 2, 0x48
        line 0, 1
        line 0, 0
        open
        expect_var v_irqs + 0x48 * 4, 1
        redirect 2, MASKED
        it "a level-triggered pin interrupts until the line falls"
        mov dword [v_hook], drop_after_three
        redirect 11, LEVEL | 0x49
        line 11, 1
        open
        nop
        sti
        nop
        nop
        nop
        cli
        expect_var v_irqs + 0x49 * 4, 3
        mov dword [v_hook], 0
        it "a word write drives two lines"
        mov dx, LINES + 5
        mov ax, 0x0101
        redirect 6, 0x4a
        out dx, ax
        xor eax, eax
        out dx, ax
        open
        expect_var v_irqs + 0x45 * 4, 2
        expect_var v_irqs + 0x4a * 4, 1
        it "below 16 the PIC gets the line as well"
        redirect 5, MASKED
        mov al, 0x0a
        out PIC1, al
        line 5, 1
        in al, PIC1
        and al, 0x20
        expect_eq al, 0x20
        line 5, 0
        it "the MMIO range reads back, in any width"
        mov dword [IOMEM], 0x89abcdef
        mov byte [IOMEM + 1], 0x55
        mov ax, [IOMEM + 1]
        expect_eq ax, 0xab55
        expect_mem d, [IOMEM], 0x89ab55ef
        mov word [IOMEM + 0xfffe], 0x7788
        expect_mem w, [IOMEM + 0xfffe], 0x7788
        it "a locked access and a string move there"
        mov dword [IOMEM + 0x100], 41
        lock inc dword [IOMEM + 0x100]
        expect_mem d, [IOMEM + 0x100], 42
        mov esi, FREE
        mov edi, IOMEM + 0x200
        mov ecx, 4
        rep movsd
        expect_mem d, [IOMEM + 0x200], 6
        finish

; Counts the interrupt, drops line 11 at the third, ends it.
drop_after_three:
        mov eax, [v_vec]
        inc dword [v_irqs + eax * 4]
        cmp dword [v_irqs + 0x49 * 4], 3
        jb .end
        line 11, 0
.end:
        mov dword [APIC_EOI], 0
        ret

        image_end
