; Memory-type range registers.
;
; checks: the capability, that each register keeps what it takes, reserved bits and memory types, ring 3
; see: SDM 3A 12.11 (MTRRs), SDM 4
; needs: cpus=1
; status: 33
; QEMU: its TCG checks no value
; assertions: 14

%include "lib/rom.inc"

MTRRCAP equ 0xfe
PHYSBASE equ 0x200
PHYSMASK equ 0x201
DEFTYPE equ 0x2ff

; takes msr, high, low; refuses msr, high, low
%macro takes 3
        mov ecx, %1
        mov edx, %2
        mov eax, %3
        wrmsr
        rdmsr
        expect_eq eax, %3
        expect_eq edx, %2
%endmacro
%macro refuses 3
        mov ecx, %1
        mov edx, %2
        mov eax, %3
        faults X_GP, 0, wrmsr
%endmacro

main:
        it "CPUID offers them"
        mov eax, 1
        cpuid
        and edx, 1 << 12
        expect_eq edx, 1 << 12
        it "the capability: fixed ranges, write-combining, at least eight variable ones"
        mov ecx, MTRRCAP
        rdmsr
        mov esi, eax
        and eax, 0x500
        expect_eq eax, 0x500
        and esi, 0xff
        cmp esi, 8
        jae .enough
        unreachable
.enough:
        it "the capability cannot be written"
        mov ecx, MTRRCAP
        rdmsr
        faults X_GP, 0, wrmsr
        it "the default type keeps what it takes"
        mov ecx, DEFTYPE
        rdmsr
        mov edi, eax
        takes DEFTYPE, 0, 0xc00
        takes DEFTYPE, 0, 0x806
        it "its reserved bits and types raise #GP(0)"
        refuses DEFTYPE, 0, 0x802
        refuses DEFTYPE, 0, 0x803
        refuses DEFTYPE, 0, 0x807
        refuses DEFTYPE, 0, 0x8ff
        refuses DEFTYPE, 0, 0x906
        refuses DEFTYPE, 0, 0x1806
        refuses DEFTYPE, 1, 0x806
        it "a refused value changes nothing"
        mov ecx, DEFTYPE
        rdmsr
        expect_eq eax, 0x806
        it "every variable range keeps what it takes"
        mov ecx, PHYSBASE
.base:  mov eax, ecx
        shl eax, 20
        or eax, 6
        xor edx, edx
        wrmsr
        mov eax, 0xfff00800
        mov edx, 0xf
        inc ecx
        wrmsr
        inc ecx
        cmp ecx, PHYSBASE + 16
        jb .base
        mov ecx, PHYSBASE
.check: rdmsr
        mov ebx, ecx
        shl ebx, 20
        or ebx, 6
        expect_same eax, ebx
        inc ecx
        rdmsr
        expect_eq eax, 0xfff00800
        expect_eq edx, 0xf
        inc ecx
        cmp ecx, PHYSBASE + 16
        jb .check
        it "a base takes each memory type"
        takes PHYSBASE, 0, 0x80000000
        takes PHYSBASE, 0, 0x80000001
        takes PHYSBASE, 0, 0x80000004
        takes PHYSBASE, 0, 0x80000005
        it "and no other, nor reserved bits"
        refuses PHYSBASE, 0, 0x80000002
        refuses PHYSBASE, 0, 0x80000007
        refuses PHYSBASE, 0, 0x80000106
        refuses PHYSBASE, 0x80000000, 6
        it "a mask has bit 11 and the address"
        takes PHYSMASK, 0, 0
        refuses PHYSMASK, 0, 0x400
        refuses PHYSMASK, 0, 1
        refuses PHYSMASK, 0x80000000, 0x800
        it "every fixed range keeps what it takes"
        takes 0x250, 0x06060606, 0x05050505
        takes 0x258, 0x01010101, 0x04040404
        takes 0x259, 0x00000000, 0x06060606
        takes 0x268, 0x06060606, 0x00000001
        takes 0x26a, 0x06060606, 0x00000004
        takes 0x26f, 0x00000006, 0x05050505
        mov ecx, 0x250
        rdmsr
        expect_eq eax, 0x05050505
        it "each of its bytes is a memory type"
        refuses 0x250, 0x06060602, 0x06060606
        refuses 0x26c, 0x06060606, 0x03060606
        refuses 0x259, 0x10000000, 0x06060606
        it "there is none between them, nor behind the variable ones"
        mov ecx, 0x251
        faults X_GP, 0, rdmsr
        mov ecx, 0x25a
        faults X_GP, 0, rdmsr
        mov ecx, 0x270
        faults X_GP, 0, rdmsr
        it "ring 3: #GP(0)"
        to_user
        mov ecx, MTRRCAP
        faults X_GP, 0, rdmsr
        mov ecx, DEFTYPE
        faults X_GP, 0, wrmsr
        from_user
        mov ecx, DEFTYPE
        mov eax, edi
        xor edx, edx
        wrmsr
        finish

        image_end
