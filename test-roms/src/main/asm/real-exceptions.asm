; Exceptions and interrupts of real mode.
;
; checks: vectors and return addresses of #DE #BP #OF #BR #UD, INT n, INT3, INTO; IF and TF cleared and restored; the
;         stack frame; IDTR limit; instructions that real mode lacks; far calls and returns; the wrap of the stack
; see: SDM 3A 21.1.4 (interrupt and exception handling in real mode), 21.1.3
; needs: cpus=1
; status: 33
; assertions: 20

%define WITH_REAL
%include "lib/rom.inc"

main:
        to_real
        it "#DE of an overflow points at the instruction"
        mov ax, 0x1000
        mov bl, 1
        faults X_DE, NONE, div bl
        it "int3 returns after itself"
        traps X_BP, int3
        it "int 3 of two bytes too"
        traps X_BP, db 0xcd, 3
        it "into traps on overflow"
        mov al, 0x7f
        inc al
        traps X_OF, into
        it "bound raises #BR at the instruction"
        mov dword [FREE_LOW], 0x00050001
        mov ax, 6
        faults X_BR, NONE, bound ax, [FREE_LOW]
        mov ax, 5
        bound ax, [FREE_LOW]
        it "#UD of an undefined opcode"
        faults X_UD, NONE, ud2
        it "instructions of protected mode raise #UD"
        faults X_UD, NONE, sldt ax
        faults X_UD, NONE, str ax
        faults X_UD, NONE, lldt ax
        faults X_UD, NONE, ltr ax
        faults X_UD, NONE, verr ax
        faults X_UD, NONE, lar ax, bx
        faults X_UD, NONE, lsl ax, bx
        faults X_UD, NONE, db 0x63, 0xc0        ; arpl
        it "smsw, lmsw, sgdt work in real mode"
        smsw ax
        and ax, 1
        expect_eq ax, 0
        sgdt [FREE_LOW]
        expect_mem w, [FREE_LOW], GDT_ENTRIES * 8 - 1
        it "an interrupt clears IF and TF, its frame holds the flags of before"
        arm .taken
        push word 0x0202 | CF
        popf
        int 0x44
.taken:
        mov eax, [v_flags]
        expect_flags IF, IF
        cli
        expect_eq ax, 0x0203
        expect_eq eax, 0x0203
        it "iret restores flags and all"
        pushf
        push cs
        push word .iret_target
        mov bp, sp
        or word [bp + 4], DF | CF
        iret
.iret_target:
        expect_flags DF | CF, DF | CF
        cld
        it "o32 iret pops doublewords"
        pushfd
        push dword 0
        push dword .iretd_target
        mov bp, sp
        or word [bp + 8], CF
        o32 iret
.iretd_target:
        expect_flags CF, CF
        it "a far call pushes CS and IP, retf n drops arguments"
        mov bx, sp
        push word 0x1111
        call 0:.far
        expect_same sp, bx
        expect_eq ax, 0x1111
        it "a far pointer in memory, with another paragraph"
        mov word [FREE_LOW], .far2 - 0x1000
        mov word [FREE_LOW + 2], 0x100
        call far [FREE_LOW]
        expect_eq ax, 0x100
        it "les and lfs load offset and segment"
        mov dword [FREE_LOW], 0x12345678
        les di, [FREE_LOW]
        mov ax, es
        expect_eq ax, 0x1234
        expect_eq di, 0x5678
        lfs si, [FREE_LOW]
        mov ax, fs
        expect_eq ax, 0x1234
        it "a vector beyond the limit of the IDTR raises #GP"
        o32 lidt [short_idtr]
        faults X_GP, NONE, int 0x50
        o32 lidt [real_idt_register]
        it "hlt and I/O are free in real mode"
        mov dx, 0x21
        in al, dx
        expect_eq al, 0xff
        it "the stack pointer wraps from 0 to FFFE"
        mov bx, sp
        mov cx, ss
        mov ax, 0x5000
        mov ss, ax
        mov sp, 0
        push word 0x7777
        mov dx, sp
        pop si
        mov di, sp
        mov ss, cx
        mov sp, bx
        expect_eq dx, 0xfffe
        expect_eq si, 0x7777
        expect_eq di, 0
        it "moving to CS raises #UD"
        faults X_UD, NONE, db 0x8e, 0xc8
        it "a locked register form raises #UD"
        faults X_UD, NONE, db 0xf0, 0x01, 0xc0
        it "rdtsc and cpuid run in real mode"
        rdtsc
        mov esi, eax
        rdtsc
        sub eax, esi
        test eax, eax
        jnz .moved
        unreachable
.moved:
        xor eax, eax
        cpuid
        test eax, eax
        jnz .leaves
        unreachable
.leaves:
        from_real
        finish

        bits 16
.far:
        push bp
        mov bp, sp
        mov ax, [bp + 6]
        pop bp
        retf 2
.far2:
        mov ax, cs
        retf
short_idtr:
        dw 0x50 * 4 - 1
        dd 0

        image_end
