; Unreal mode: real mode with data segments that kept their 4 GiB limits from protected mode.
;
; checks: a limit loaded in protected mode survives the switch and loads of the register in real mode; 32-bit
;         addresses; without it, #GP beyond FFFF; 16-bit code above with 32-bit operands
; see: SDM 3A 10.9.2 (switching back to real-address mode), 3.4.3 (the hidden part of segment registers)
; needs: cpus=1
; status: 33
; QEMU: its TCG checks no segment limits
; assertions: 9

%define WITH_REAL
%include "lib/rom.inc"

HIGH    equ 0x300000

main:
        mov dword [HIGH], 0xcafebabe
        to_real
        it "beyond FFFF raises #GP in real mode"
        mov ebx, HIGH
        faults X_GP, NONE, mov eax, [ebx]
        it "a word that straddles FFFF raises #GP"
        mov bx, 0xffff
        faults X_GP, NONE, mov ax, [bx]
        mov bx, 0xfffd
        faults X_GP, NONE, mov eax, [bx]
        mov ax, [bx]
        it "a stack access that straddles FFFF raises #SS"
        mov bp, 0xffff
        faults X_SS, NONE, mov ax, [bp]

        ; Into protected mode for FS and ES alone.
        cli
        mov eax, cr0
        or al, 1
        mov cr0, eax
        mov bx, K_DATA
        mov fs, bx
        mov es, bx
        and al, 0xfe
        mov cr0, eax
        xor ax, ax
        mov es, ax
        mov fs, ax

        it "a 4 GiB limit survives the switch"
        mov ebx, HIGH
        mov eax, [fs:ebx]
        expect_eq eax, 0xcafebabe
        it "it survives a load in real mode, which changes the base alone"
        mov ax, 0x10
        mov fs, ax
        mov eax, [fs:ebx - 0x100]
        expect_eq eax, 0xcafebabe
        it "stores reach high memory"
        mov dword [es:ebx + 4], 0x12345678
        mov eax, [es:ebx + 4]
        expect_eq eax, 0x12345678
        it "a32 rep movsd copies above 1 MiB"
        mov dword [FREE_LOW], 0x11112222
        mov dword [FREE_LOW + 4], 0x33334444
        mov esi, FREE_LOW
        mov edi, HIGH + 0x1000
        mov ecx, 2
        a32 rep movsd
        expect_eq edi, HIGH + 0x1008
        mov ebx, HIGH + 0x1004
        mov eax, [es:ebx]
        expect_eq eax, 0x33334444
        it "DS was not touched and still has 64 KiB"
        mov ebx, HIGH
        faults X_GP, NONE, mov eax, [ebx]
        from_real
        it "protected mode sees what unreal mode wrote"
        expect_mem d, [HIGH + 4], 0x12345678
        expect_mem d, [HIGH + 0x1000], 0x11112222
        finish

        image_end
