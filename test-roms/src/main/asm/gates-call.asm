; Call gates.
;
; checks: 32-bit and 16-bit call gates, same ring and from ring 3 to ring 0 with a stack switch and copied parameters,
;         RETF to ring 3, privilege and presence checks with error codes
; see: SDM 3A 5.8.3 to 5.8.6 (call gates, stack switching)
; needs: cpus=1
; status: 33
; assertions: 16

%include "lib/rom.inc"

G1      equ SEL_FREE
T1      equ SEL_FREE + 8
C1      equ SEL_FREE + 16
D1      equ SEL_FREE + 24
var     seen, 64

main:
        it "a call through a 32-bit gate of the same ring pushes CS and EIP"
        make_gate gdt + G1, K_CODE, same_ring, 0x8c
        mov ebx, esp
        call G1:0xdeadbeef
.after:
        expect_same esp, ebx
        expect_mem d, [seen], K_CODE
        mov eax, [seen + 4]
        expect_is eax, .after
        mov eax, ebx
        sub eax, [seen + 8]
        expect_eq eax, 8
        it "a jump through a gate of the same ring"
        make_gate gdt + G1, K_CODE, .jumped, 0x8c
        jmp G1:0
        unreachable
.jumped:
        expect_same esp, ebx
        it "from ring 3: new stack from the TSS, old SS:ESP and parameters on it"
        make_gate gdt + G1, K_CODE, to_ring0, 0xec
        mov byte [gdt + G1 + 4], 2      ; two doublewords
        to_user
        mov ebx, esp
        push dword 0x11111111
        push dword 0x22222222
        call (G1 + 3):0
.user_after:
        expect_same esp, ebx
        expect_mem d, [seen], K_CODE
        expect_mem d, [seen + 4], K_DATA
        mov eax, [seen + 8]
        expect_is eax, .user_after
        expect_mem d, [seen + 12], U_CODE
        expect_mem d, [seen + 16], 0x22222222
        expect_mem d, [seen + 20], 0x11111111
        mov eax, [seen + 24]
        add eax, 8
        expect_same eax, ebx
        expect_mem d, [seen + 28], U_DATA
        mov eax, [seen + 32]
        expect_eq eax, RING0_STACK - 24
        it "the return to ring 3 leaves flat user segments alone and clears those of ring 0"
        mov bx, ds
        expect_eq bx, U_DATA
        mov bx, gs
        expect_eq bx, 0
        it "a jump cannot go to a more privileged ring"
        faults X_GP, K_CODE, jmp (G1 + 3):0
        from_user
        it "a gate of DPL 0 called from ring 3 raises #GP(gate)"
        and byte [gdt + G1 + 5], ~DPL3
        to_user
        faults X_GP, G1, call (G1 + 3):0
        from_user
        it "a gate that is not present raises #NP(gate)"
        mov byte [gdt + G1 + 5], 0x6c
        to_user
        faults X_NP, G1, call (G1 + 3):0
        from_user
        it "a gate to a null selector raises #GP(0)"
        make_gate gdt + G1, 0, to_ring0, 0xec
        faults X_GP, 0, call G1:0
        it "a gate to data raises #GP(selector)"
        make_gate gdt + G1, K_DATA, to_ring0, 0xec
        faults X_GP, K_DATA, call G1:0
        it "a gate to code that is not present raises #NP(selector)"
        make_descriptor T1, 0, 0xfffff, 0x1b, G_32 | G_4K
        make_gate gdt + G1, T1, to_ring0, 0xec
        faults X_NP, T1, call G1:0
        it "a gate to code of lower privilege raises #GP(selector)"
        make_gate gdt + G1, U_CODE, to_ring0, 0xec
        faults X_GP, U_CODE - 3, call G1:0
        it "RPL above the DPL of the gate raises #GP(gate)"
        make_gate gdt + G1, K_CODE, same_ring, 0x8c
        faults X_GP, G1, call (G1 + 3):0
        it "a null ring 0 stack segment in the TSS raises #TS(0)"
        ; The handler of #TS must not need that stack: its gate leads to ring 1, whose stack the TSS has as well.
        make_gate gdt + G1, K_CODE, to_ring0, 0xec
        make_descriptor C1, 0, 0xfffff, 0xbb, G_32 | G_4K
        make_descriptor D1, 0, 0xfffff, 0xb3, G_32 | G_4K
        make_gate IDT32 + X_TS * 8, C1 + 1, ring1_ts, 0x8e
        mov dword [TSS32 + 12], FREE_LOW + 0x400
        mov dword [TSS32 + 16], D1 + 1
        mov dword [TSS32 + 8], 0
        to_user
bad_stack_call:
        call (G1 + 3):0
        from_user
        expect_mem d, [seen], 0
        mov eax, [seen + 4]
        expect_is eax, bad_stack_call
        expect_mem d, [seen + 8], U_CODE
        it "a ring 0 stack segment of another ring raises #TS(selector)"
        mov dword [TSS32 + 8], U_DATA
        to_user
        call (G1 + 3):0
        from_user
        expect_mem d, [seen], U_DATA - 3
        it "a ring 0 stack segment that is not present raises #SS(selector)"
        make_descriptor T1, 0, 0xfffff, 0x13, G_32 | G_4K
        make_gate IDT32 + X_SS * 8, C1 + 1, ring1_ts, 0x8e
        mov dword [TSS32 + 8], T1
        to_user
        call (G1 + 3):0
        from_user
        expect_mem d, [seen], T1
        it "a 16-bit call gate pushes words and copies words"
        make_gate gdt + G1, K_CODE, words_to_ring0, 0xe4
        mov byte [gdt + G1 + 4], 2
        to_user
        mov ebx, esp
        o16 push word 0x1111
        o16 push word 0x2222
        call (G1 + 3):0
words_after:
        expect_same esp, ebx
        expect_mem d, [seen + 4], 0x22220000 + U_CODE
        mov ax, [seen + 2]
        expect_is ax, words_after
        expect_mem w, [seen + 8], 0x1111
        expect_mem w, [seen + 12], U_DATA
        from_user
        finish

same_ring:
        mov eax, [esp + 4]
        mov [seen], eax
        mov eax, [esp]
        mov [seen + 4], eax
        mov [seen + 8], esp
        retf

; On the ring 0 stack: EIP, CS, parameters, ESP, SS.
to_ring0:
        mov eax, cs
        mov [seen], eax
        mov eax, ss
        mov [seen + 4], eax
        push ecx
        push esi
        push edi
        push es
        mov eax, K_DATA
        mov es, eax
        mov gs, eax
        lea esi, [esp + 16]
        mov edi, seen + 8
        mov ecx, 6
        ss rep movsd
        lea eax, [esp + 16]
        mov [seen + 32], eax
        pop es
        pop edi
        pop esi
        pop ecx
        retf 8

; #TS or #SS in ring 1: notes error code and frame, repairs the TSS, goes on behind the call (7 bytes).
ring1_ts:
        push eax
        mov eax, [esp + 4]
        mov [seen], eax
        mov eax, [esp + 8]
        mov [seen + 4], eax
        mov eax, [esp + 12]
        mov [seen + 8], eax
        mov dword [TSS32 + 8], K_DATA
        add dword [esp + 8], 7
        pop eax
        add esp, 4
        iretd

; On the ring 0 stack, words: IP, CS, parameters, SP, SS.
words_to_ring0:
        mov eax, [esp]
        mov [seen + 2], ax
        mov eax, [esp + 2]
        mov [seen + 4], eax
        mov eax, [esp + 6]
        mov [seen + 8], eax
        mov eax, [esp + 10]
        mov [seen + 12], ax
        o16 retf 4

        image_end
