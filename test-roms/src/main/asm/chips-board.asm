; Ports of the board that are no chips of their own.
;
; checks: the debug consoles at 402 and E9, ports and memory that nobody decodes, port 61, the ACPI PM timer
; see: QEMU docs/specs (isa-debugcon), ACPI 4.8.3.3 (PM timer)
; needs: cpus=1 debugcon=402 debugcon=e9
; status: 33
; QEMU: reads zeros from memory that is not there
; Bochs: has no debug console at 402
; assertions: 10

%include "lib/rom.inc"
%include "lib/chips.inc"

main:
        it "a debug console answers with E9"
        mov dx, 0x402
        in al, dx
        expect_eq al, 0xe9
        in al, 0xe9
        expect_eq al, 0xe9
        it "a port that nobody decodes reads ones, of each width"
        mov dx, 0x5aa0
        xor eax, eax
        in al, dx
        expect_eq eax, 0xff
        xor eax, eax
        in ax, dx
        expect_eq eax, 0xffff
        in eax, dx
        expect_eq eax, 0xffffffff
        it "and swallows writes"
        xor eax, eax
        out dx, eax
        out dx, ax
        out dx, al
        in eax, dx
        expect_eq eax, 0xffffffff
        it "while the PIT counts 10 ms the PM timer makes 35,795 steps at least"
        in al, PORT61
        and al, 0xfc
        or al, 1
        out PORT61, al
        quickly
        pm_timer
        mov ecx, eax
        pit 2, 0, 11932
.ten_ms:
        in al, PORT61
        test al, 0x20
        jz .ten_ms
        pm_timer
        sub eax, ecx
        and eax, 0xffffff
        mov ecx, eax
        within 100000
        cmp ecx, 35700
        jae .enough
        unreachable
.enough:
        it "and not many more, when nothing disturbs it"
        cmp ecx, 35795 * 10
        jb .not_more
        unreachable
.not_more:
        it "bit 4 of port 61 toggles with the refresh or counter 1"
        mov ecx, 100000
        in al, PORT61
        mov bl, al
.toggle:
        in al, PORT61
        xor al, bl
        test al, 0x10
        jnz .toggled
        loop .toggle
        unreachable
.toggled:
        it "bits 0 and 1 of port 61 read back"
        in al, PORT61
        and al, 0xfc
        or al, 1
        out PORT61, al
        in al, PORT61
        and al, 3
        expect_eq al, 1
        it "memory that is not there reads ones"
        mov eax, [0xd0000000]
        expect_eq eax, 0xffffffff
        it "and swallows writes"
        mov dword [0xd0000000], 0x12345678
        mov eax, [0xd0000000]
        expect_eq eax, 0xffffffff
        it "RAM reaches to 1 MiB below and goes on above"
        mov dword [0x9fbfc - 0x1000], 0x11111111
        mov dword [0x100000], 0x22222222
        expect_mem d, [0x9fbfc - 0x1000], 0x11111111
        expect_mem d, [0x100000], 0x22222222
        finish

        image_end
