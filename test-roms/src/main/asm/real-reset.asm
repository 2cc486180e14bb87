; The state after reset, seen by a flat ROM at the reset vector.
;
; checks: CS = F000 with base FFFF0000, other segments, EFLAGS, registers, CR0, GDTR, IDTR; the ROM at its two addresses,
;         which cannot be written
; see: SDM 3A table 10-1 (state after power-up, reset and INIT), 10.1.4 (first instruction executed)
; format: flat
; needs: cpus=1
; status: 33
; Bochs: leaves EDX 0 after reset
; assertions: 11

        bits 16
        section .head start=0 vstart=0

; From the reset vector, FFFFFFF0. Nothing is pushed before the state is safe in memory, which DS:0500 must reach.
reset_entry:
        mov [cs_free + 4], ecx
        mov [cs_free], eax
        mov [cs_free + 8], edx
        mov [cs_free + 12], ebx
        mov [cs_free + 16], esp
        mov [cs_free + 20], ebp
        mov [cs_free + 24], esi
        mov [cs_free + 28], edi
        lahf
        mov [cs_free + 33], ah
        mov ax, cs
        mov [cs_free + 36], ax
        mov [cs_free + 38], ds
        mov [cs_free + 40], es
        mov [cs_free + 42], ss
        mov [cs_free + 44], fs
        mov [cs_free + 46], gs
        mov eax, cr0
        mov [cs_free + 48], eax
        sgdt [cs_free + 52]
        sidt [cs_free + 58]
        mov esp, 0x4000
        pushf
        pop word [cs_free + 34]
        cli
        cld
        mov ax, cs
        mov ds, ax
        mov si, text_offset
        mov di, IMAGE_RUN
        mov cx, image_limit - IMAGE_RUN
        rep cs movsb
        jmp 0:start
        align 16
text_offset:
        section .text follows=.head vstart=IMAGE_RUN align=16
        section .str follows=.text vfollows=.text align=16 valign=16

IMAGE_RUN       equ 0x4000
cs_free         equ 0x2800              ; FREE_LOW

        section .text
%include "lib/ports.inc"
%include "lib/memory.inc"
%include "lib/check.inc"
        bits 32
%define BITSIZE 32
%include "lib/core.inc"
%define NO_START
%include "lib/cpu.inc"
%include "lib/modes.inc"
%define BITSIZE 16
%include "lib/core.inc"
%include "lib/real.inc"

        bits 16
start:
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, MAIN_STACK
        mov di, 0x500
        mov cx, 0x1000 - 0x500
        rep stosb
        init_com1
        call setup_real
        it "CS is F000"
        expect_mem w, [cs_free + 36], 0xf000
        it "DS, ES, SS, FS, GS are 0"
        expect_mem w, [cs_free + 38], 0
        expect_mem w, [cs_free + 40], 0
        expect_mem w, [cs_free + 42], 0
        expect_mem w, [cs_free + 44], 0
        expect_mem w, [cs_free + 46], 0
        it "all flags are clear but bit 1"
        expect_mem w, [cs_free + 34], 2
        it "general registers are 0, but EDX"
        expect_mem d, [cs_free], 0
        expect_mem d, [cs_free + 4], 0
        expect_mem d, [cs_free + 12], 0
        expect_mem d, [cs_free + 20], 0
        expect_mem d, [cs_free + 24], 0
        expect_mem d, [cs_free + 28], 0
        it "EDX holds the signature that CPUID gives"
        mov eax, 1
        xor ecx, ecx
        cpuid
        mov ebx, [cs_free + 8]
        expect_same ebx, eax
        it "CR0 is 60000010"
        expect_mem d, [cs_free + 48], 0x60000010
        it "GDTR and IDTR have base 0 and limit FFFF"
        expect_mem w, [cs_free + 52], 0xffff
        expect_mem d, [cs_free + 54], 0
        expect_mem w, [cs_free + 58], 0xffff
        expect_mem w, [cs_free + 60], 0
        it "the ROM is below 1 MiB"
        mov ax, 0xf000
        mov fs, ax
        expect_mem d, [fs:0xfff0], 0xe9 | ((0x10000 - 0xfff3) << 8)
        it "and cannot be written"
        mov eax, [fs:0]
        mov ebx, eax
        not eax
        mov [fs:0], eax
        mov eax, [fs:0]
        expect_same eax, ebx
        it "the reset vector is the same ROM at FFFFFFF0"
        mov eax, [fs:0xfff0]
        mov ebx, eax
        from_real
        mov eax, [0xfffffff0]
        expect_same eax, ebx
        it "A20 lets the top of the address space differ from 1 MiB below"
        mov dword [0x200000], 0x12345678
        mov dword [0x300000], 0x9abcdef0
        expect_mem d, [0x200000], 0x12345678
        finish

        section .str
        dd 0
image_limit:
        section .reset start=0xfff0 vstart=0xfff0
        bits 16
reset_vector:
        jmp near reset_entry
        times 16 - ($ - $$) db 0
