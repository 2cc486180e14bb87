; Loads of segment registers and what each type of segment allows.
;
; checks: #GP, #NP and #SS with the selector as error code: null, beyond the table, wrong type, privilege, not present;
;         LDT; write to read-only and code segments, read of execute-only ones; the accessed bit
; see: SDM 3A 5.4, 5.5 (type and privilege checks), SDM 2 (MOV to a segment register)
; needs: cpus=1
; status: 33
; assertions: 32
; QEMU: its TCG checks neither types nor null selectors of data accesses

%include "lib/rom.inc"

LDT     equ FREE + 0x2000
S1      equ SEL_FREE
S2      equ SEL_FREE + 8

main:
        it "a null selector loads; its use raises #GP(0)"
        xor eax, eax
        mov fs, ax
        mov gs, ax
        faults X_GP, 0, mov al, [fs:0]
        mov ax, 3
        mov fs, ax
        mov bx, fs
        expect_eq bx, 3
        it "a null selector in SS raises #GP(0)"
        xor eax, eax
        faults X_GP, 0, mov ss, ax
        it "a selector beyond the GDT raises #GP(selector)"
        mov ax, GDT_ENTRIES * 8
        faults X_GP, GDT_ENTRIES * 8, mov fs, ax
        mov ax, GDT_ENTRIES * 8 + 3
        faults X_GP, GDT_ENTRIES * 8, mov fs, ax
        it "with no LDT, a selector of the LDT raises #GP(selector)"
        mov ax, 0x0c
        faults X_GP, 0x0c, mov es, ax
        it "a failed load keeps the old segment"
        mov ax, K_DATA
        mov fs, ax
        mov ax, 0x0c
        faults X_GP, 0x0c, mov fs, ax
        mov bx, fs
        expect_eq bx, K_DATA
        mov al, [fs:FREE]
        it "a data segment that is not present raises #NP(selector)"
        make_descriptor S1, 0, 0xfffff, 0x13, G_32 | G_4K
        mov ax, S1
        faults X_NP, S1, mov ds, ax
        it "the same in SS raises #SS(selector)"
        faults X_SS, S1, mov ss, ax
        it "pop and lds fault alike and keep ESP"
        push eax
        mov ebx, esp
        faults X_NP, S1, pop fs
        expect_same esp, ebx
        add esp, 4
        mov dword [FREE], 0x1234
        mov word [FREE + 4], S1
        mov ecx, 7
        faults X_NP, S1, lfs ecx, [FREE]
        expect_eq ecx, 7
        it "an execute-only code segment cannot be loaded into DS"
        make_descriptor S1, 0, 0xfffff, 0x99, G_32 | G_4K
        mov ax, S1
        faults X_GP, S1, mov fs, ax
        it "a readable code segment can, and cannot be written"
        mov ax, K_CODE
        mov fs, ax
        mov al, [fs:FREE]
        faults X_GP, 0, mov [fs:FREE], al
        it "code cannot be written through CS"
        faults X_GP, 0, mov [cs:FREE], al
        it "execute-only code cannot be read through CS"
        jmp S1:.execute_only
.execute_only:
        faults X_GP, 0, mov al, [cs:FREE]
        jmp K_CODE:.readable
.readable:
        it "a read-only data segment cannot be written, nor be in SS"
        make_descriptor S1, 0, 0xfffff, 0x91, G_32 | G_4K
        mov ax, S1
        mov fs, ax
        mov bl, [fs:FREE]
        faults X_GP, 0, mov [fs:FREE], bl
        faults X_GP, S1, mov ss, ax
        faults X_GP, 0, inc byte [fs:FREE]
        it "a code segment in SS raises #GP(selector)"
        mov ax, K_CODE
        faults X_GP, K_CODE, mov ss, ax
        it "a system descriptor in a data segment register raises #GP(selector)"
        mov ax, SEL_TSS32
        faults X_GP, SEL_TSS32, mov fs, ax
        it "DPL 0 data with RPL 3 raises #GP(selector)"
        mov ax, K_DATA + 3
        faults X_GP, K_DATA, mov fs, ax
        it "SS needs RPL and DPL equal to CPL"
        mov ax, K_DATA + 1
        faults X_GP, K_DATA, mov ss, ax
        mov ax, U_DATA
        faults X_GP, U_DATA & ~3, mov ss, ax
        it "loading sets the accessed bit"
        make_descriptor S1, 0, 0xfffff, 0x92, G_32 | G_4K
        mov ax, S1
        mov fs, ax
        expect_mem b, [gdt + S1 + 5], 0x93
        it "ring 3 cannot load DPL 0 data"
        to_user
        mov ax, K_DATA
        faults X_GP, K_DATA, mov fs, ax
        it "ring 3 can load conforming code of DPL 0 for reading"
        put dword, gdt + S2, 0x0000ffff
        put dword, gdt + S2 + 4, 0x00cf9e00
        mov ax, S2 + 3
        mov fs, ax
        mov al, [fs:FREE]
        mov bx, fs
        expect_eq bx, S2 + 3
        from_user
        it "going to ring 3 by iret clears segments of DPL 0"
        mov ax, K_DATA
        mov gs, ax
        mov [v_kernel_sp], esp
        push dword U_DATA
        push dword USER_STACK
        push dword 2
        push dword U_CODE
        push dword .user
        iretd
.user:
        mov bx, gs
        mov ax, U_DATA
        mov ds, ax
        expect_eq bx, 0
        from_user
        it "lldt loads a table; its selectors have TI set"
        mov dword [LDT], 0
        mov dword [LDT + 4], 0
        mov dword [LDT + 8], 0x0000ffff
        mov dword [LDT + 12], 0x00cf9300
        make_descriptor S1, LDT, 15, 0x82, 0
        mov ax, S1
        lldt ax
        sldt bx
        expect_eq bx, S1
        mov ax, 0x0c
        mov fs, ax
        mov byte [FREE], 0x66
        mov al, [fs:FREE]
        expect_eq al, 0x66
        it "beyond the limit of the LDT raises #GP(selector)"
        mov ax, 0x14
        faults X_GP, 0x14, mov fs, ax
        it "selector 4 is not null: it names entry 0 of the LDT"
        mov ax, 4
        faults X_GP, 4, mov fs, ax
        it "lldt of something else raises #GP(selector), not present #NP(selector)"
        mov ax, K_DATA
        faults X_GP, K_DATA, lldt ax
        mov ax, 0x0c
        faults X_GP, 0x0c, lldt ax
        make_descriptor S2, LDT, 15, 0x02, 0
        mov ax, S2
        faults X_NP, S2, lldt ax
        it "lldt of null empties the table"
        xor eax, eax
        lldt ax
        mov ax, 0x0c
        faults X_GP, 0x0c, mov es, ax
        it "ltr sets the busy bit; of a busy TSS it raises #GP(selector)"
        make_descriptor S2, TSS32, TSS32_LIMIT, 0x89, 0
        mov ax, S2
        ltr ax
        expect_mem b, [gdt + S2 + 5], 0x8b
        faults X_GP, S2, ltr ax
        str ebx
        expect_eq ebx, S2
        it "ltr of null raises #GP(0)"
        xor eax, eax
        faults X_GP, 0, ltr ax
        it "a jump to a data segment raises #GP(selector)"
        faults X_GP, K_DATA, jmp K_DATA:0
        it "a jump to a null selector raises #GP(0)"
        faults X_GP, 0, jmp 0:0
        it "a jump to code that is not present raises #NP(selector)"
        make_descriptor S2, 0, 0xfffff, 0x1b, G_32 | G_4K
        faults X_NP, S2, jmp S2:0
        it "a jump to code of another ring raises #GP(selector)"
        faults X_GP, U_CODE & ~3, jmp U_CODE:0
        faults X_GP, U_CODE & ~3, call (U_CODE - 3):0
        finish

        image_end
