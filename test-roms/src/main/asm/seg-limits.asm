; Segment limits.
;
; checks: #GP(0) and #SS(0) beyond a limit, accesses that straddle it, granularity, expand-down segments of both sizes,
;         code segment limits, wrap of 32-bit offsets
; see: SDM 3A 5.3 (limit checking), 3.4.5.1 (expand-down)
; needs: cpus=1
; status: 33
; QEMU: its TCG checks no segment limits
; assertions: 16

%include "lib/rom.inc"

main:
        mov edi, FREE
        mov ecx, 0x4000
        mov al, 0x5a
        rep stosb
        make_descriptor SEL_FREE, FREE, 0xff, A_DATA, G_32
        mov ax, SEL_FREE
        mov fs, ax
        it "the last byte of a segment can be read"
        mov al, [fs:0xff]
        expect_eq al, 0x5a
        it "the byte after it raises #GP(0)"
        faults X_GP, 0, mov al, [fs:0x100]
        it "an access that straddles the limit raises #GP(0) and writes nothing"
        faults X_GP, 0, mov eax, [fs:0xfd]
        faults X_GP, 0, mov dword [fs:0xfe], 0
        expect_mem w, [FREE + 0xfe], 0x5a5a
        faults X_GP, 0, mov ax, [fs:0xff]
        mov eax, [fs:0xfc]
        it "an access that wraps 4 GiB raises #GP(0)"
        faults X_GP, 0, mov eax, [fs:0xfffffffe]
        it "read-modify-write, string and bit instructions are checked"
        faults X_GP, 0, inc byte [fs:0x100]
        mov eax, 0x100 * 8
        faults X_GP, 0, bt [fs:0], eax
        mov esi, 0x100
        mov edi, FREE
        faults X_GP, 0, fs movsb
        it "a six-byte operand is checked to its last byte"
        faults X_GP, 0, sgdt [fs:0xfb]
        sgdt [fs:0xfa]
        it "granularity 4 KiB: the limit is its last byte"
        make_descriptor SEL_FREE, FREE, 0, A_DATA, G_32 | G_4K
        mov ax, SEL_FREE
        mov fs, ax
        mov al, [fs:0xfff]
        expect_eq al, 0x5a
        faults X_GP, 0, mov al, [fs:0x1000]
        it "expand-down: offsets up to the limit fault, those above do not"
        make_descriptor SEL_FREE, FREE, 0xfff, 0x97, G_32
        mov ax, SEL_FREE
        mov fs, ax
        faults X_GP, 0, mov al, [fs:0]
        faults X_GP, 0, mov al, [fs:0xfff]
        mov al, [fs:0x1000]
        expect_eq al, 0x5a
        faults X_GP, 0, mov eax, [fs:0xffe]
        it "expand-down with B = 1 reaches FFFFFFFF"
        make_descriptor SEL_FREE, FREE + 0x1000, 0xfff, 0x97, G_32
        mov ax, SEL_FREE
        mov fs, ax
        mov al, [fs:0xfffff000]
        expect_eq al, 0x5a
        it "expand-down with B = 0 ends at FFFF"
        make_descriptor SEL_FREE, FREE, 0xfff, 0x97, 0
        mov ax, SEL_FREE
        mov fs, ax
        mov al, [fs:0x1000]
        expect_eq al, 0x5a
        mov al, [fs:0xffff]
        faults X_GP, 0, mov al, [fs:0x10000]
        faults X_GP, 0, mov ax, [fs:0xffff]
        it "beyond the limit of SS raises #SS(0), by push too"
        make_descriptor SEL_FREE, 0, 0xffff, A_DATA, G_32
        mov ax, SEL_FREE
        mov ss, ax
        faults X_SS, 0, mov al, [ss:0x10000]
        mov ebp, 0x10000
        faults X_SS, 0, mov al, [ebp]
        faults X_SS, 0, mov eax, [ebp - 2]
        mov ax, K_DATA
        mov ss, ax
        it "an expand-down stack: push at its lower end raises #SS(0)"
        ; The fault handler needs another stack, so ring 3 pushes.
        make_descriptor SEL_FREE, 0, 0x1fff, 0x97 | DPL3, G_32
        to_user
        arm .pushed
        mov ax, SEL_FREE + 3
        mov ebx, esp
        mov ss, ax
        mov esp, 0x2004
        push eax
.push:
        push eax
.pushed:
        mov ecx, esp
        mov ax, U_DATA
        mov ss, ax
        mov esp, ebx
        expect_fault X_SS, 0, .push
        expect_eq ecx, 0x2000
        from_user
        it "a jump beyond the limit of CS raises #GP(0) at the jump"
        make_descriptor SEL_FREE, 0, 0, A_CODE, G_32
        put dword, gdt + SEL_FREE, limited_end - 1
        jmp SEL_FREE:limited
limited:
        faults X_GP, 0, jmp 0xffff
        faults X_GP, 0, call 0xffff
        mov eax, 0x10000
        faults X_GP, 0, jmp eax
        push dword 0x20000
        faults X_GP, 0, ret
        add esp, 4
        jmp K_CODE:limited_end
        align 16
limited_end:
        it "running over the end of CS raises #GP(0) at the first byte outside"
        put dword, gdt + SEL_FREE, over_end - 1
        arm over_back
        mov dword [v_hook], resume_flat
        jmp SEL_FREE:over
        align 16
over:
        nop
        nop
over_end:
        nop
over_back:
        mov dword [v_hook], 0
        expect_fault X_GP, 0, over_end
        it "a far jump beyond the limit of its target raises #GP(0)"
        put dword, gdt + SEL_FREE, 0xfff
        faults X_GP, 0, jmp SEL_FREE:0x1000
        it "a base wraps linear addresses at 4 GiB"
        make_descriptor SEL_FREE, 0xfffff000, 0xfffff, A_DATA, G_32 | G_4K
        mov ax, SEL_FREE
        mov fs, ax
        mov al, [fs:FREE + 0x1000]
        expect_eq al, 0x5a
        finish

; Resumes in the flat code segment.
resume_flat:
        mov eax, [v_resume]
        mov [ebx], eax
        mov dword [ebx + 4], K_CODE
        ret

        image_end
