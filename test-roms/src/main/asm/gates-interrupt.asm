; Interrupt and trap gates of protected mode.
;
; checks: IF behind interrupt and trap gates, NT TF RF cleared, stack switch by the TSS, DPL of the gate for INT n only,
;         16-bit gates, error codes for bad gates and targets, conforming handlers, IDT limit
; see: SDM 3A 6.12 (exception and interrupt handling), 6.13 (error code)
; needs: cpus=1
; status: 33
; QEMU: its TCG raises #UD for INT1 in ring 3 and checks no limit of a handler
; assertions: 21

%include "lib/rom.inc"

T1      equ SEL_FREE
var     seen, 64

main:
        it "an interrupt gate clears IF, TF, NT and keeps the rest"
        make_gate IDT32 + 0x50 * 8, K_CODE, note_flags, 0x8e
        push dword IF | NT | CF | 2
        popfd
        int 0x50
        expect_flags IF | NT | CF, IF | NT | CF
        cli
        mov eax, [seen]
        and eax, IF | TF | NT | CF | RF | VM
        expect_eq eax, CF
        it "the frame holds the flags of before"
        mov eax, [seen + 4]
        and eax, IF | NT | CF | TF
        expect_eq eax, IF | NT | CF
        it "a trap gate keeps IF"
        make_gate IDT32 + 0x50 * 8, K_CODE, note_flags, 0x8f
        push dword IF | 2
        popfd
        int 0x50
        cli
        mov eax, [seen]
        and eax, IF | NT
        expect_eq eax, IF
        it "from ring 3 the stack comes from the TSS"
        make_gate IDT32 + 0x50 * 8, K_CODE, note_flags, 0xee
        to_user
        mov ebx, esp
        int 0x50
        expect_same esp, ebx
        from_user
        expect_mem d, [seen + 8], RING0_STACK - 20
        it "the frame of another ring ends with ESP and SS"
        expect_mem d, [seen + 12], USER_STACK
        expect_mem d, [seen + 16], U_DATA
        it "int n from ring 3 to a gate of DPL 0 raises #GP(vector * 8 + 2)"
        make_gate IDT32 + 0x50 * 8, K_CODE, note_flags, 0x8e
        to_user
        faults X_GP, 0x50 * 8 + 2, int 0x50
        it "a fault of the same vector does not look at the DPL"
        faults X_UD, NONE, ud2
        it "int1 (F1) does not look at the DPL"
        traps X_DB, db 0xf1
        from_user
        it "a gate that is not present raises #NP(vector * 8 + 2)"
        make_gate IDT32 + 0x50 * 8, K_CODE, note_flags, 0x0e
        faults X_NP, 0x50 * 8 + 2, int 0x50
        it "something that is no gate raises #GP(vector * 8 + 2)"
        make_gate IDT32 + 0x50 * 8, K_CODE, note_flags, 0x8c
        faults X_GP, 0x50 * 8 + 2, int 0x50
        it "a vector beyond the IDT raises #GP(vector * 8 + 2)"
        faults X_GP, VECTORS * 8 + 2, int VECTORS
        it "a gate to a null selector raises #GP(0)"
        make_gate IDT32 + 0x50 * 8, 0, note_flags, 0x8e
        faults X_GP, 0, int 0x50
        it "a gate to data raises #GP(selector)"
        make_gate IDT32 + 0x50 * 8, K_DATA, note_flags, 0x8e
        faults X_GP, K_DATA, int 0x50
        it "a gate to a selector beyond the GDT raises #GP(selector)"
        make_gate IDT32 + 0x50 * 8, GDT_ENTRIES * 8, note_flags, 0x8e
        faults X_GP, GDT_ENTRIES * 8, int 0x50
        it "a gate to code that is not present raises #NP(selector)"
        make_descriptor T1, 0, 0xfffff, 0x1b, G_32 | G_4K
        make_gate IDT32 + 0x50 * 8, T1, note_flags, 0x8e
        faults X_NP, T1, int 0x50
        it "a gate to code of lower privilege raises #GP(selector)"
        make_gate IDT32 + 0x50 * 8, U_CODE - 3, note_flags, 0x8e
        faults X_GP, U_CODE - 3, int 0x50
        it "a handler beyond the limit of its segment raises #GP(0)"
        make_descriptor T1, 0, 0xfff, A_CODE, G_32
        make_gate IDT32 + 0x50 * 8, T1, note_flags, 0x8e
        faults X_GP, 0, int 0x50
        it "a 16-bit gate pushes words"
        make_gate IDT32 + 0x50 * 8, K_CODE, words, 0x86
        mov ebx, esp
        stc
        int 0x50
after_words:
        expect_flags CF, CF
        expect_same esp, ebx
        mov ax, [seen]
        expect_is ax, after_words
        expect_mem w, [seen + 2], K_CODE
        mov eax, ebx
        sub eax, [seen + 4]
        expect_eq eax, 6
        it "a conforming handler runs in the ring of the interrupted code"
        make_descriptor T1, 0, 0xfffff, 0x9f, G_32 | G_4K
        make_gate IDT32 + 0x50 * 8, T1, conforming, 0xee
        to_user
        mov ebx, esp
        int 0x50
        expect_same esp, ebx
        from_user
        expect_mem d, [seen], T1 + 3
        mov eax, [seen + 4]
        expect_eq eax, USER_STACK - 12
        it "int3 and into take their error-free gates; #BP saves the next address"
        to_user
        traps X_BP, int3
        mov al, 0x80
        dec al
        traps X_OF, into
        from_user
        it "bound goes to its handler from ring 3 in spite of DPL 0"
        mov dword [FREE], 1
        mov dword [FREE + 4], 2
        to_user
        mov eax, 5
        faults X_BR, NONE, bound eax, [FREE]
        from_user
        finish

note_flags:
        pushfd
        pop dword [seen]
        push eax
        lea eax, [esp + 4]
        mov [seen + 8], eax
        mov eax, [esp + 12]
        mov [seen + 4], eax
        mov eax, [esp + 16]
        mov [seen + 12], eax
        mov eax, [esp + 20]
        mov [seen + 16], eax
        pop eax
        iretd

words:
        mov [seen + 4], esp
        push eax
        mov eax, [esp + 4]
        mov [seen], eax
        pop eax
        o16 iret

conforming:
        push eax
        mov eax, cs
        mov [seen], eax
        lea eax, [esp + 4]
        mov [seen + 4], eax
        pop eax
        iretd

        image_end
