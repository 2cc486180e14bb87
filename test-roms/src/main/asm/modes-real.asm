; Real mode, entered from protected mode and left again.
;
; checks: the switch to real mode and back; exceptions of real mode through the vector table
; see: SDM 3A 10.9 (mode switching), 21.1 (real-address mode)
; needs: cpus=1
; status: 33
; assertions: 8

%define WITH_REAL
%include "lib/rom.inc"

main:
        it "starts in protected mode"
        mov eax, cr0
        and eax, 0x80000001
        expect_eq eax, 1
        to_real
        it "clears PE"
        mov eax, cr0
        and eax, 0x80000001
        expect_eq eax, 0
        it "loads CS with a paragraph"
        mov ax, cs
        expect_eq ax, 0
        jmp 0x100:.paragraph - 0x1000
.paragraph:
        mov ax, cs
        expect_eq ax, 0x100
        jmp 0:.back
.back:
        it "computes a linear address as paragraph * 16 + offset"
        mov byte [FREE_LOW], 0x5a
        mov ax, FREE_LOW >> 4
        mov fs, ax
        expect_mem b, [fs:0], 0x5a
        it "raises #DE at the instruction"
        xor cx, cx
        mov ax, 1
        faults X_DE, NONE, div cx
        it "runs int n through the vector table"
        traps 0x40, int 0x40
        it "returns from an interrupt with the flags it had"
        mov dword [v_resume], .resumed
        stc
        int 0x41
.resumed:
        expect_flags CF, CF
        from_real
        it "comes back to protected mode"
        mov eax, cr0
        and eax, 0x80000001
        expect_eq eax, 1
        mov ax, cs
        expect_eq ax, K_CODE
        finish

        image_end
