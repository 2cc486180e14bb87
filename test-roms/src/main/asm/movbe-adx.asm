; MOVBE, ADCX, ADOX.
;
; checks: byte order of loads and stores of all sizes, flags untouched, two carry chains at once, encodings
; see: SDM 2 (MOVBE, ADCX, ADOX)
; needs: cpus=1
; status: 33
; Bochs: its ADOX takes the signed overflow for the carry
; assertions: 17

%define WITH_LONG
%include "lib/rom.inc"

DATA    equ 0x60000

%macro refused 1+.nolist
        arm %%after
%%instruction:
        db %1
%%after:
        expect_fault X_UD, NONE, %%instruction
%endmacro

main:
        mov dword [DATA], 0x12345678
        mov dword [DATA + 4], 0x9abcdef0
        it "movbe loads 32 bits"
        movbe eax, [DATA]
        expect_eq eax, 0x78563412
        it "movbe loads 16 bits and keeps the rest"
        mov eax, 0xaaaaaaaa
        movbe ax, [DATA]
        expect_eq eax, 0xaaaa7856
        it "movbe stores 32 bits"
        mov eax, 0x01020304
        movbe [DATA + 8], eax
        expect_mem d, [DATA + 8], 0x04030201
        it "movbe stores 16 bits"
        mov dword [DATA + 8], 0
        movbe [DATA + 8], ax
        expect_mem d, [DATA + 8], 0x00000403
        it "movbe touches no flag"
        mov ecx, -1
        add ecx, 1
        movbe eax, [DATA]
        movbe [DATA + 8], eax
        expect_flags ARITH, CF | PF | AF | ZF
        it "movbe has no register form"
        refused 0x0f, 0x38, 0xf0, 0xc1
        refused 0x0f, 0x38, 0xf1, 0xc1
        it "F3 movbe and LOCK movbe: #UD"
        refused 0xf3, 0x0f, 0x38, 0xf0, 0x06
        refused 0xf0, 0x0f, 0x38, 0xf1, 0x06
        it "F2 0F38 F0 and F1 are CRC32"
        xor eax, eax
        crc32 eax, dword [DATA]
        mov ecx, eax
        xor eax, eax
        crc32 eax, byte [DATA]
        crc32 eax, byte [DATA + 1]
        crc32 eax, byte [DATA + 2]
        crc32 eax, byte [DATA + 3]
        expect_same eax, ecx
        it "adcx adds with CF and changes CF only"
        mov eax, 0xffffffff
        mov ecx, 0
        push dword 0x2 | CF | SF | OF | PF
        popfd
        adcx eax, ecx
        expect_flags ARITH, CF | SF | OF | PF
        expect_eq eax, 0
        push dword 0x2 | ZF | AF | CF
        popfd
        adcx eax, ecx
        expect_flags ARITH, ZF | AF
        expect_eq eax, 1
        it "adox adds with OF and changes OF only"
        mov eax, 0xffffffff
        push dword 0x2 | OF | CF | PF
        popfd
        adox eax, ecx
        expect_flags ARITH, OF | CF | PF
        expect_eq eax, 0
        push dword 0x2 | ZF | AF | OF
        popfd
        adox eax, ecx
        expect_flags ARITH, ZF | AF
        expect_eq eax, 1
        it "an overflow is no carry for adox"
        push dword 0x2
        popfd
        mov eax, 0x7fffffff
        mov ecx, 1
        adox eax, ecx
        expect_flags ARITH, 0
        expect_eq eax, 0x80000000
        it "adcx from memory"
        push dword 0x2 | CF
        popfd
        mov eax, 1
        adcx eax, [DATA]
        expect_flags ARITH, 0
        expect_eq eax, 0x1234567a
        it "adcx without 66 and adox with LOCK: #UD"
        refused 0x0f, 0x38, 0xf6, 0xc8
        refused 0xf0, 0xf3, 0x0f, 0x38, 0xf6, 0x06
        to_long
        it "movbe of 64 bits"
        movbe rax, [DATA]
        expect_eq rax, 0x78563412f0debc9a
        movbe [DATA + 8], rax
        expect_mem q, [DATA + 8], 0x9abcdef012345678
        it "movbe of 32 bits clears the upper half"
        mov rax, -1
        movbe eax, [DATA]
        expect_eq rax, 0x78563412
        it "two carry chains: a product of 64 by 128 bits added to 128"
        ; (2^64 - 1) * (2^128 - 1) + 2^128 - 1 = 2^192 - 2^64
        mov r8, -1
        mov r9, -1
        xor r10d, r10d                  ; both carries 0
        mov rdx, -1
        mov rax, -1
        mulx r11, rbx, rax
        adcx r8, rbx
        adox r9, r11
        mulx r11, rbx, rax
        adcx r9, rbx
        adox r10, r11
        mov ebx, 0
        adcx r10, rbx
        expect_eq r8, 0
        expect_eq r9, 0xffffffffffffffff
        expect_eq r10, 0xffffffffffffffff
        it "and neither carry is left"
        expect_flags CF | OF, 0
        finish

        image_end
