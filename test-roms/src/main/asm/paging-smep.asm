; SMEP, SMAP and UMIP, where CPUID offers them.
;
; checks: supervisor fetches and accesses of user pages, EFLAGS.AC, CLAC and STAC, implicit accesses, UMIP's instructions
; see: SDM 3A 4.6 (access rights), 2.5 (CR4), SDM 2 (CLAC, STAC)
; needs: cpus=1
; status: 33
; QEMU: its TCG lets EFLAGS.AC open implicit accesses as well
; Bochs: lets EFLAGS.AC open implicit accesses as well
; assertions: 13

%define WITH_LONG
%include "lib/rom.inc"

PAGE    equ 0x70000                     ; a user page; all else becomes supervisor
CR4_UMIP equ 1 << 11
CR4_SMEP equ 1 << 20
CR4_SMAP equ 1 << 21

var     features                        ; EBX of leaf 7
var     features2                       ; ECX

%macro need 2                           ; variable, bit: without the feature the CR4 bit must raise #GP
        bt dword [%1], %2
%endmacro
%macro cr4_on 1
        mov rax, cr4
        or eax, %1
        mov cr4, rax
%endmacro
%macro cr4_off 1
        mov rax, cr4
        and eax, ~(%1)
        mov cr4, rax
%endmacro

main:
        to_long
        mov eax, 7
        xor ecx, ecx
        cpuid
        mov [features], ebx
        mov [features2], ecx
        mov rdi, PT0
        mov ecx, 512
.super:
        and dword [rdi], ~P_U
        add rdi, 8
        loop .super
        mov rdi, PD0 + 8
        mov ecx, 2047
.super2:
        and dword [rdi], ~P_U
        add rdi, 8
        loop .super2
        or dword [PT0 + (PAGE >> 12) * 8], P_U
        mov rax, cr3
        mov cr3, rax
        mov rbx, PAGE
        mov byte [rbx], 0xc3            ; ret
        it "without SMEP and SMAP ring 0 uses user pages freely"
        call rbx
        mov eax, [rbx]

        it "SMEP: a fetch of ring 0 from a user page raises #PF(11)"
        need features, 7
        jnc .no_smep
        cr4_on CR4_SMEP
        arm .smep
        call rbx
.smep:
        mov rsp, MAIN_STACK
        expect_fault X_PF, 0x11, PAGE
        it "SMEP leaves data accesses alone"
        mov eax, [rbx]
        it "SMEP does not concern supervisor pages"
        mov byte [FREE], 0xc3
        mov eax, FREE
        call rax
        cr4_off CR4_SMEP
        jmp .smap_begin
.no_smep:
        mov rax, cr4
        or eax, CR4_SMEP
        faults X_GP, 0, mov cr4, rax
        it_or "SMEP leaves data accesses alone"
        it_or "SMEP does not concern supervisor pages"

.smap_begin:
        it "SMAP: an access of ring 0 to a user page raises #PF(1), #PF(3)"
        need features, 20
        jnc .no_smap
        cr4_on CR4_SMAP
        faults X_PF, 1, mov eax, [rbx]
        faults X_PF, 3, mov [rbx], eax
        it "stac opens them, clac closes them"
        stac
        mov eax, [rbx]
        clac
        faults X_PF, 1, mov eax, [rbx]
        it "popf with AC opens them"
        pushfq
        or dword [rsp], AC
        popfq
        mov eax, [rbx]
        clac
        it "an implicit access (a segment load from an LDT in a user page) faults whatever AC says"
        ; The LDT lies in the user page; entry 1 is a data segment.
        stac
        mov dword [PAGE + 8], 0x0000ffff
        mov dword [PAGE + 12], 0x00cf9300
        put dword, gdt + SEL_FREE + 8, 0
        put dword, gdt + SEL_FREE + 12, 0
        make_descriptor SEL_FREE, PAGE, 15, 0x82, 0
        mov ax, SEL_FREE
        lldt ax
        mov ecx, 0x0c
        arm .implicit
.implicit_load:
        mov fs, ecx
.implicit:
        xor eax, eax
        lldt ax
        expect_fault X_PF, 1, .implicit_load
        clac
        it "SMAP does not concern fetches"
        mov rbx, PAGE
        stac
        mov byte [rbx], 0xc3
        clac
        call rbx
        it "stac and clac are privileged: #UD in ring 3"
        ; Ring 3 code in the user page: stac; the handler comes back in ring 0.
        stac
        mov byte [rbx], 0x0f
        mov byte [rbx + 1], 0x01
        mov byte [rbx + 2], 0xcb
        clac
        mov qword [v_hook], to_ring0
        arm .after_user
        mov [v_kernel_sp], rsp
        push qword U_DATA
        push qword PAGE + 0x800
        push qword 2
        push qword U_CODE64
        push qword PAGE
        iretq
.after_user:
        mov qword [v_hook], 0
        cr4_off CR4_SMAP
        expect_fault X_UD, NONE, PAGE
        jmp .umip_begin
.no_smap:
        mov rax, cr4
        or eax, CR4_SMAP
        faults X_GP, 0, mov cr4, rax
        faults X_UD, NONE, stac
        it_or "stac opens them, clac closes them"
        it_or "popf with AC opens them"
        it_or "an implicit access (a segment load from an LDT in a user page) faults whatever AC says"
        it_or "SMAP does not concern fetches"
        it_or "stac and clac are privileged: #UD in ring 3"

.umip_begin:
        mov rdi, PT0
        mov ecx, 512
.user:
        or dword [rdi], P_U
        add rdi, 8
        loop .user
        mov rax, cr3
        mov cr3, rax
        it "without UMIP ring 3 may sgdt, sidt, sldt, smsw, str"
        to_user64
        sgdt [FREE]
        sidt [FREE]
        sldt eax
        smsw eax
        str eax
        from_user64
        it "with UMIP each raises #GP(0) in ring 3"
        need features2, 2
        jnc .no_umip
        cr4_on CR4_UMIP
        to_user64
        faults X_GP, 0, sgdt [FREE]
        faults X_GP, 0, sidt [FREE]
        faults X_GP, 0, sldt eax
        faults X_GP, 0, smsw eax
        faults X_GP, 0, str eax
        from_user64
        it "with UMIP ring 0 still may"
        sgdt [FREE]
        smsw eax
        cr4_off CR4_UMIP
        jmp .end
.no_umip:
        mov rax, cr4
        or eax, CR4_UMIP
        faults X_GP, 0, mov cr4, rax
        it_or "with UMIP ring 0 still may"
.end:
        finish

; Leaves the fault for v_resume in ring 0.
to_ring0:
        mov rax, [v_resume]
        mov [rbx], rax
        mov qword [rbx + 8], K_CODE64
        mov rax, [v_kernel_sp]
        mov [rbx + 24], rax
        mov qword [rbx + 32], K_DATA
        ret

        image_end
