; Bit instructions.
;
; checks: BT BTS BTR BTC in register, memory (also far outside the operand) and immediate forms, BSF BSR POPCNT,
;         LZCNT and TZCNT where CPUID offers them, SETcc, CMOVcc
; see: SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; assertions: 18
; QEMU: its TCG checks no segment limits

%include "lib/rom.inc"

main:
        it "bt of a register takes the index modulo its size"
        mov eax, 4
        mov ebx, 34
        bt eax, ebx
        expect_flags CF, CF
        bt ax, bx
        expect_flags CF, CF
        mov ebx, 35
        bt eax, ebx
        expect_flags CF, 0
        it "bts, btr, btc of a register"
        xor eax, eax
        bts eax, 31
        expect_flags CF, 0
        expect_eq eax, 0x80000000
        btr eax, 31
        expect_flags CF, CF
        expect_eq eax, 0
        btc eax, 3
        expect_flags CF, 0
        expect_eq eax, 8
        it "bts keeps zero flag"
        cmp eax, eax
        bts eax, 1
        expect_flags ZF, ZF
        it "bt of memory goes beyond the operand"
        mov edi, FREE + 64
        mov dword [FREE + 64 + 12], 0x10
        mov eax, 100
        bt [edi], eax
        expect_flags CF, CF
        it "bts of memory goes below the operand"
        mov dword [FREE + 60], 0
        mov eax, -1
        bts [edi], eax
        expect_mem d, [FREE + 60], 0x80000000
        expect_flags CF, 0
        it "btr of memory, 16 bits, negative index"
        mov dword [FREE + 60], 0xffffffff
        mov ax, -32
        btr [edi], ax
        expect_flags CF, CF
        expect_mem d, [FREE + 60], 0xfffffffe
        it "an immediate index stays in the operand"
        mov dword [FREE + 64], 1
        mov dword [FREE + 68], 0
        bt dword [edi], 32
        expect_flags CF, CF
        it "lock btc"
        lock btc dword [edi], 5
        expect_mem d, [FREE + 64], 0x21
        it "bsf finds the lowest set bit"
        mov eax, 0x80008000
        bsf ebx, eax
        expect_eq ebx, 15
        expect_flags ZF, 0
        it "bsr finds the highest set bit"
        bsr ebx, eax
        expect_eq ebx, 31
        bsr bx, ax
        expect_eq ebx, 15
        it "bsf and bsr of 0 set ZF and keep the destination"
        ; The SDM calls the destination undefined; every CPU made keeps it, and AMD's manual says so.
        xor eax, eax
        mov ebx, 0x12345678
        bsf ebx, eax
        expect_flags ZF, ZF
        expect_eq ebx, 0x12345678
        bsr ebx, eax
        expect_flags ZF, ZF
        expect_eq ebx, 0x12345678
        it "popcnt counts, clears all flags but ZF"
        stc
        mov eax, 0xf0f0f0f1
        popcnt ebx, eax
        expect_flags ARITH, 0
        expect_eq ebx, 17
        mov eax, 0xffff0000
        popcnt bx, ax
        expect_flags ARITH, ZF
        expect_eq ebx, 0
        it "lzcnt and tzcnt, or bsr and bsf where CPUID lacks them"
        mov eax, 0x80000001
        xor ecx, ecx
        cpuid
        mov edi, ecx                    ; LZCNT (ABM): bit 5
        mov eax, 7
        xor ecx, ecx
        cpuid
        mov esi, ebx                    ; BMI1: bit 3
        mov eax, 0x00010000
        db 0xf3, 0x0f, 0xbd, 0xd8       ; lzcnt ebx, eax
        bt edi, 5
        jc .lzcnt
        expect_eq ebx, 16
        jmp .tz
.lzcnt:
        expect_eq ebx, 15
.tz:
        mov eax, 0
        mov ebx, 0x77
        db 0xf3, 0x0f, 0xbc, 0xd8       ; tzcnt ebx, eax
        bt esi, 3
        jc .tzcnt
        expect_eq ebx, 0x77
        jmp .done
.tzcnt:
        expect_eq ebx, 32
.done:
        it "setcc: unsigned conditions"
        mov eax, 1
        cmp eax, 2
        setb bl
        setae bh
        seta cl
        setbe ch
        expect_eq bx, 0x0001
        expect_eq cx, 0x0100
        it "setcc: signed conditions"
        mov eax, -1
        cmp eax, 1
        setl bl
        setge bh
        setg cl
        setle ch
        expect_eq bx, 0x0001
        expect_eq cx, 0x0100
        it "setcc: single flags"
        mov al, 0x7f
        add al, 1
        seto bl
        setno bh
        sets cl
        setns ch
        expect_eq bx, 0x0001
        expect_eq cx, 0x0001
        xor eax, eax
        setz bl
        setnz bh
        setp cl
        setnp ch
        expect_eq bx, 0x0001
        expect_eq cx, 0x0001
        it "cmovcc moves or leaves"
        mov eax, 1
        mov ebx, 2
        cmp eax, ebx
        cmovl eax, ebx
        expect_eq eax, 2
        cmovne eax, edi
        cmp eax, ebx
        mov ecx, 9
        cmovg ecx, ebx
        expect_eq ecx, 2
        it "cmovcc reads memory even when it does not move"
        make_descriptor SEL_FREE, FREE, 15, A_DATA, G_32
        mov ax, SEL_FREE
        mov fs, ax
        cmp eax, eax
        mov ecx, 9
        faults X_GP, 0, cmovne ecx, [fs:16]
        expect_eq ecx, 9
        finish

        image_end
