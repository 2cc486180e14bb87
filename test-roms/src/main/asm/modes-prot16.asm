; 16-bit protected mode, and the mix of 16 and 32-bit code and stacks.
;
; checks: 16-bit code segments, operand and address-size prefixes, stacks with B = 0 and B = 1, far transfers between
;         16 and 32-bit segments, gates with 16 and 32-bit frames, LMSW
; see: SDM 3A 22 (mixing 16-bit and 32-bit code), 3.4.5 (D/B flag)
; needs: cpus=1
; status: 33
; QEMU: its TCG checks no segment limits
; assertions: 14

%define WITH_REAL
%include "lib/rom.inc"

main:
        to_prot16
        it "PE stays set in 16-bit protected mode"
        smsw ax
        and ax, 1
        expect_eq ax, 1
        it "operands are 16 bits wide, 32 with a prefix"
        mov eax, 0x12345678
        db 0xb8, 0x11, 0x22             ; mov ax, 2211
        expect_eq eax, 0x12342211
        db 0x66, 0xb8, 0x11, 0x22, 0x33, 0x44
        expect_eq eax, 0x44332211
        it "addresses are 16 bits wide, 32 with a prefix"
        mov byte [0x1], 0x5a
        mov ebx, 0x10001
        mov al, [bx]
        expect_eq al, 0x5a
        it "beyond the limit of FFFF raises #GP"
        faults X_GP, 0, mov al, [ebx]
        it "a fault of 16-bit code goes through a 32-bit gate and back"
        faults X_UD, NONE, ud2
        expect_var v_cs, K_CODE16
        it "a 16-bit interrupt gate pushes words"
        make_gate IDT32 + 0x50 * 8, K_CODE16, handler16, 0x86
        mov bx, sp
        stc
        int 0x50
.after_int:
        expect_flags CF, CF
        expect_same sp, bx
        mov ax, [v_user]
        expect_is ax, .after_int
        expect_mem w, [v_user + 2], K_CODE16
        it "a stack with B = 0 uses SP and keeps the high half of ESP"
        mov esi, esp
        or esp, 0x12340000
        push ax
        mov eax, esp
        mov esp, esi
        shr eax, 16
        expect_eq ax, 0x1234
        it "32-bit operands on a 16-bit stack"
        mov bx, sp
        push dword 0x11223344
        pop cx
        pop dx
        expect_eq cx, 0x3344
        expect_eq dx, 0x1122
        expect_same sp, bx
        it "a far call with a 32-bit operand pushes doublewords"
        mov esi, esp
        call dword K_CODE:.far32
        expect_eq eax, 8
        expect_same esp, esi
        it "lmsw cannot clear PE"
        xor ax, ax
        lmsw ax
        smsw ax
        and ax, 1
        expect_eq ax, 1
        smsw ax
        or ax, 0x20
        to_prot32
        it "from 32-bit code, a 16-bit near call pushes a word"
        mov ebx, esp
        call word .word_call
        expect_eq eax, 2
        expect_same esp, ebx
        it "32-bit code on a stack with B = 0 wraps SP at 64 KiB"
        make_descriptor SEL_FREE, 0x60000, 0xffff, A_DATA, 0
        mov ebx, esp
        mov cx, SEL_FREE
        mov dx, ss
        mov ss, cx
        mov esp, 0x77770000
        push dword 0xabcdef01
        mov ecx, esp
        pop eax
        mov edi, esp
        mov ss, dx
        mov esp, ebx
        expect_eq ecx, 0x7777fffc
        expect_eq edi, 0x77770000
        expect_eq eax, 0xabcdef01
        expect_mem d, [0x6fffc], 0xabcdef01
        it "16-bit code on a stack with B = 1 uses all of ESP"
        jmp K_CODE16:.code16
        bits 16
.code16:
        mov ecx, 0x70000
        mov esi, esp
        mov esp, ecx
        push ax
        mov ecx, esp
        mov esp, esi
        jmp dword K_CODE:.code32
        bits 32
.code32:
        expect_eq ecx, 0x6fffe
        it "leave takes its width from the stack, its operand from the code"
        mov ebx, esp
        mov ebp, 0x60100
        mov dword [0x60100], 0x11223344
        leave
        mov ecx, esp
        mov edx, ebp
        mov esp, ebx
        expect_eq ecx, 0x60104
        expect_eq edx, 0x11223344
        finish

.far32:
        mov eax, esi
        sub eax, esp
        retf
.word_call:
        mov eax, ebx
        sub eax, esp
        o16 ret

        bits 16
handler16:
        push bp
        mov bp, sp
        push ax
        mov ax, [bp + 2]
        mov [v_user], ax
        mov ax, [bp + 4]
        mov [v_user + 2], ax
        pop ax
        pop bp
        iret

        image_end
