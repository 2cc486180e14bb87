; Questions about selectors.
;
; checks: LAR LSL VERR VERW ARPL: ZF, values, what each descriptor type, privilege and null selector answers
; see: SDM 3A 5.10 (pointer validation), SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; assertions: 17

%include "lib/rom.inc"

S1      equ SEL_FREE

main:
        it "lar gives the access bytes"
        mov ecx, K_CODE
        lar eax, ecx
        expect_flags ZF, ZF
        and eax, 0x00f0ff00
        expect_eq eax, 0x00c09b00
        it "lar of 16 bits gives the access byte"
        mov eax, 0x55555555
        mov cx, K_DATA
        lar ax, cx
        expect_eq eax, 0x55559300
        it "lar of null clears ZF, keeps the register"
        mov eax, 0x1234
        xor ecx, ecx
        lar eax, ecx
        expect_flags ZF, 0
        expect_eq eax, 0x1234
        it "lar beyond the table clears ZF without a fault"
        mov ecx, GDT_ENTRIES * 8
        lar eax, ecx
        expect_flags ZF, 0
        it "lar answers for a TSS and a call gate, not for an interrupt gate"
        mov ecx, SEL_TSS32
        lar eax, ecx
        expect_flags ZF, ZF
        make_descriptor S1, 0, 0, 0x8c, 0
        mov ecx, S1
        lar eax, ecx
        expect_flags ZF, ZF
        make_descriptor S1, 0, 0, 0x8e, 0
        lar eax, ecx
        expect_flags ZF, 0
        it "lsl gives the limit in bytes"
        mov ecx, K_DATA
        lsl eax, ecx
        expect_flags ZF, ZF
        expect_eq eax, 0xffffffff
        mov ecx, K_CODE16
        lsl eax, ecx
        expect_eq eax, 0xffff
        make_descriptor S1, 0, 0x12, A_DATA, G_4K
        mov ecx, S1
        lsl eax, ecx
        expect_eq eax, 0x12fff
        it "lsl answers for a TSS, not for a call gate"
        mov ecx, SEL_TSS32
        lsl eax, ecx
        expect_eq eax, TSS32_LIMIT
        make_descriptor S1, 0, 0, 0x8c, 0
        mov ecx, S1
        lsl eax, ecx
        expect_flags ZF, 0
        it "the descriptor may be not present"
        make_descriptor S1, 0, 0x777, 0x13, 0
        mov ecx, S1
        lsl eax, ecx
        expect_flags ZF, ZF
        expect_eq eax, 0x777
        it "verr and verw"
        mov cx, K_DATA
        verr cx
        expect_flags ZF, ZF
        verw cx
        expect_flags ZF, ZF
        mov cx, K_CODE
        verr cx
        expect_flags ZF, ZF
        verw cx
        expect_flags ZF, 0
        it "verr of execute-only code and verw of read-only data fail"
        make_descriptor S1, 0, 0xfffff, 0x99, G_32
        mov cx, S1
        verr cx
        expect_flags ZF, 0
        make_descriptor S1, 0, 0xfffff, 0x91, G_32
        verr cx
        expect_flags ZF, ZF
        verw cx
        expect_flags ZF, 0
        it "verr of null, of a TSS"
        xor ecx, ecx
        verr cx
        expect_flags ZF, 0
        mov cx, SEL_TSS32
        verr cx
        expect_flags ZF, 0
        it "RPL counts: DPL 0 with RPL 3 fails"
        mov cx, K_DATA + 3
        verr cx
        expect_flags ZF, 0
        lar eax, ecx
        expect_flags ZF, 0
        it "CPL counts: ring 3 asks for DPL 0"
        to_user
        mov ecx, K_DATA
        verr cx
        expect_flags ZF, 0
        lsl eax, ecx
        expect_flags ZF, 0
        mov ecx, U_DATA
        verw cx
        expect_flags ZF, ZF
        from_user
        it "conforming code answers whatever the privilege"
        make_descriptor S1, 0, 0xfffff, 0x9f, G_32
        mov ecx, S1 + 3
        verr cx
        expect_flags ZF, ZF
        it "arpl raises the RPL to that of the other and says so"
        mov ax, 0x10
        mov bx, 0x23
        arpl ax, bx
        expect_flags ZF, ZF
        expect_eq ax, 0x13
        it "arpl leaves a higher RPL"
        mov ax, 0x13
        mov bx, 0x22
        arpl ax, bx
        expect_flags ZF, 0
        expect_eq ax, 0x13
        it "arpl of memory"
        mov word [FREE], 0x1238
        mov bx, 1
        arpl [FREE], bx
        expect_mem w, [FREE], 0x1239
        finish

        image_end
