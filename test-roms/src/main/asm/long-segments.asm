; Segments of 64-bit mode.
;
; checks: base and limit of CS, DS, ES, SS do not count; FS and GS bases by MSR, SWAPGS, RDFSBASE and WRFSBASE; loads of
;         null selectors; loads that set the base from the descriptor; compatibility mode still has all
; see: SDM 3A 3.4.4 (segments in IA-32e mode), SDM 2 (SWAPGS, RDFSBASE, WRFSBASE)
; needs: cpus=1
; status: 33
; QEMU: its TCG uses the base of ES, and checks no canonical bases nor limits
; assertions: 18

%define WITH_LONG
%include "lib/rom.inc"

IA32_FS_BASE            equ 0xc0000100
IA32_GS_BASE            equ 0xc0000101
IA32_KERNEL_GS_BASE     equ 0xc0000102
CR4_FSGSBASE            equ 1 << 16
S1      equ SEL_FREE

%macro write_msr 3
        mov ecx, %1
        mov edx, %2
        mov eax, %3
        wrmsr
%endmacro
%macro expect_msr 3
        mov ecx, %1
        rdmsr
        expect_eq edx, %2
        expect_eq eax, %3
%endmacro

main:
        to_long
        mov rbx, FREE
        mov dword [rbx], 0x11111111
        mov dword [rbx + 0x1000], 0x22222222
        it "base and limit of DS and ES do not count"
        make_descriptor S1, 0x1000, 0xff, A_DATA, G_32
        mov ax, S1
        mov ds, ax
        mov es, ax
        expect_mem d, [rbx], 0x11111111
        db 0x26                         ; ES:
        mov eax, [rbx]
        expect_eq eax, 0x11111111
        it "nor do type and a null selector"
        make_descriptor S1, 0, 0xff, 0x91, G_32
        mov ax, S1
        mov ds, ax
        mov dword [rbx], 0x33333333
        xor eax, eax
        mov ds, ax
        expect_mem d, [rbx], 0x33333333
        it "the base of FS comes from the descriptor, its limit does not count"
        make_descriptor S1, 0x1000, 0, A_DATA, G_32
        mov ax, S1
        mov fs, ax
        expect_mem d, [fs:rbx], 0x22222222
        it "IA32_FS_BASE shows it"
        expect_msr IA32_FS_BASE, 0, 0x1000
        it "IA32_FS_BASE sets 64 bits; addresses wrap"
        write_msr IA32_FS_BASE, 0xffffffff, 0xfffff000
        expect_mem d, [fs:rbx + 0x2000], 0x22222222
        it "the bases take canonical addresses only: #GP(0)"
        mov ecx, IA32_GS_BASE
        mov edx, 0x8000
        xor eax, eax
        faults X_GP, 0, wrmsr
        it "swapgs exchanges the base of GS with IA32_KERNEL_GS_BASE"
        write_msr IA32_GS_BASE, 0, 0x1000
        write_msr IA32_KERNEL_GS_BASE, 0x12, 0x3000
        swapgs
        expect_msr IA32_GS_BASE, 0x12, 0x3000
        expect_msr IA32_KERNEL_GS_BASE, 0, 0x1000
        swapgs
        expect_mem d, [gs:rbx], 0x22222222
        it "swapgs is privileged: #GP(0) in ring 3, #UD in compatibility mode"
        to_user64
        faults X_GP, 0, swapgs
        from_user64
        to_compat
        faults X_UD, NONE, db 0x0f, 0x01, 0xf8
        from_compat
        it "rdfsbase and wrgsbase with CR4.FSGSBASE"
        mov eax, 7
        xor ecx, ecx
        cpuid
        bt ebx, 0
        mov rbx, FREE
        jnc .no_fsgsbase
        faults X_UD, NONE, rdfsbase rax
        mov rax, cr4
        or eax, CR4_FSGSBASE
        mov cr4, rax
        write_msr IA32_FS_BASE, 0x12, 0x34567890
        rdfsbase rax
        expect_eq rax, 0x1234567890
        rdfsbase eax
        expect_eq rax, 0x34567890
        mov rax, 0x1000
        wrgsbase rax
        expect_mem d, [gs:rbx], 0x22222222
        it "they run in ring 3"
        to_user64
        mov rax, 0xffff800000000000
        wrfsbase rax
        rdfsbase rcx
        expect_same rcx, rax
        mov rax, -1
        wrfsbase eax
        rdfsbase rcx
        expect_eq rcx, 0xffffffff
        it "a base that is not canonical raises #GP(0)"
        mov rax, 0x0000800000000000
        faults X_GP, 0, wrgsbase rax
        from_user64
        it "they raise #UD in compatibility mode"
        to_compat
        faults X_UD, NONE, db 0xf3, 0x0f, 0xae, 0xc0
        from_compat
        jmp .null
.no_fsgsbase:
        mov rax, cr4
        or eax, CR4_FSGSBASE
        faults X_GP, 0, mov cr4, rax
        it_or "they run in ring 3"
        it_or "a base that is not canonical raises #GP(0)"
        it_or "they raise #UD in compatibility mode"
.null:
        it "ring 0 of 64-bit mode takes a null SS, with RPL 0 only"
        xor eax, eax
        mov ss, ax
        push rax
        pop rax
        mov ax, 3
        faults X_GP, 0, mov ss, ax
        mov ax, K_DATA
        mov ss, ax
        it "limits and types count again in compatibility mode"
        to_compat
        make_descriptor S1, FREE, 0xff, A_DATA, G_32
        mov ax, S1
        mov fs, ax
        expect_mem d, [fs:0], 0x33333333
        faults X_GP, 0, mov al, [fs:0x100]
        mov ax, K_CODE
        mov fs, ax
        faults X_GP, 0, mov [fs:0], al
        it "compatibility mode uses 32 bits of the base of FS"
        from_compat
        write_msr IA32_FS_BASE, 0x7, 0x1000
        to_compat
        mov ax, K_DATA
        mov ds, ax
        mov es, ax
        mov ebx, FREE
        make_descriptor S1, 0x1000, 0xfffff, A_DATA, G_32 | G_4K
        mov ax, S1
        mov fs, ax
        expect_mem d, [fs:ebx], 0x22222222
        from_compat
        it "a load of FS in 64-bit mode replaces a 64-bit base"
        write_msr IA32_FS_BASE, 0x7, 0x9000
        mov ax, S1
        mov fs, ax
        expect_msr IA32_FS_BASE, 0, 0x1000
        it "lar, lsl and verr work as before"
        mov ecx, S1
        lsl rax, ecx
        expect_eq rax, 0xffffffff
        verr cx
        expect_flags ZF, ZF
        it "CS, DS, ES and SS overrides of FS-less accesses are ignored"
        mov rbx, FREE
        db 0x2e
        mov eax, [rbx]
        expect_eq eax, 0x33333333
        finish

        image_end
