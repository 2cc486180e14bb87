; System-management mode entered from 64-bit mode.
;
; checks: the saved state of long mode: 64-bit registers, control registers, EFER, attributes of 64-bit code; RSM back into
;         paging and into ring 3; what the handler changes; accesses of the handler are not paged
; see: SDM 3C 32.4 (save map for processors with Intel 64); AMD64 APM 2, table 10-1
; needs: cpus=1
; status: 33
; QEMU: its firmware has moved SMBASE and keeps system-management mode to itself
; assertions: 13

%define WITH_REAL
%define WITH_LONG
%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smm.inc"

MSR_FS_BASE     equ 0xc0000100

var     value
var     efer_inside

        bits 16
hook_note:
        mov ecx, MSR_EFER
        rdmsr
        mov [efer_inside], eax
        mov eax, [dword FREE]
        mov [value], eax
        ret
hook_change:
        mov dword [dword SMBASE + SMM_R15], 0x89abcdef
        mov dword [dword SMBASE + SMM_R15 + 4], 0x01234567
        mov dword [dword SMBASE + SMM_RAX + 4], 0x55555555
        ret

; The same as smi_by_apic, in 64-bit code.
%macro smi_by_apic64 0
        pushfq
        push rax
        push rcx
        push rdx
        mov eax, [smm_count]
        mov edx, APIC_ICR_HIGH
        mov dword [rdx], 0
        mov edx, APIC_ICR_LOW
        mov dword [rdx], 0x200
        mov ecx, 10000000
%%wait:
        cmp eax, [smm_count]
        jne %%taken
        dec ecx
        jnz %%wait
%%taken:
        pop rdx
        pop rcx
        pop rax
        popfq
%endmacro

        bits 32
main:
        apic_on
        call smm_install
        to_long
        it "the handler runs outside long mode, with paging off"
        mov dword [FREE], 0x11111111
        mov dword [FREE + 0x1000], 0x22222222
        ; FREE is mapped to the page behind it; the handler sees the page itself
        mov eax, FREE
        shr eax, 12
        or dword [PT0 + rax * 8], P_P
        mov dword [PT0 + rax * 8], (FREE + 0x1000) | P_P | P_W | P_U
        invlpg [FREE]
        mov dword [smm_hook], hook_note
        smi_by_apic64
        mov eax, [smm_cr0]
        and eax, 0x80000001
        expect_eq eax, 0
        mov eax, [efer_inside]
        and eax, EFER_LMA | EFER_LME
        expect_eq eax, 0
        expect_mem d, [FREE], 0x22222222
        expect_mem d, [value], 0x11111111
        it "64-bit registers are saved whole"
        mov rbx, 0x1122334455667788
        mov r8, 0x8888888811111111
        mov r15, 0xf00df00dbeefbeef
        smi_by_apic64
        mov rax, [SMBASE + SMM_RBX]
        expect_same rax, rbx
        mov rax, [SMBASE + SMM_R8]
        expect_same rax, r8
        mov rax, [SMBASE + SMM_R15]
        expect_same rax, r15
        it "RSM restores them whole"
        mov rax, 0x1122334455667788
        expect_same rbx, rax
        mov rax, 0xf00df00dbeefbeef
        expect_same r15, rax
        it "CR0, CR3 and CR4 are saved"
        mov rax, cr0
        mov rcx, [SMBASE + SMM_CR0]
        expect_same rcx, rax
        mov rax, cr3
        mov rcx, [SMBASE + SMM_CR3]
        expect_same rcx, rax
        mov rax, cr4
        mov rcx, [SMBASE + SMM_CR4]
        expect_same rcx, rax
        it "EFER too, with LMA"
        mov ecx, MSR_EFER
        rdmsr
        mov ebx, [SMBASE + SMM_EFER]
        expect_same ebx, eax
        and ebx, EFER_LMA
        expect_eq ebx, EFER_LMA
        it "the code segment's attributes say 64 bits"
        mov ax, [SMBASE + SMM_CS + 2]
        and eax, 0x6000
        expect_eq eax, 0x2000
        it "RIP is that of the code that was interrupted, RFLAGS is its flags"
        std
        smi_by_apic64
.here:
        cld
        mov rax, [SMBASE + SMM_RIP]
        mov ebx, .here
        sub ebx, eax
        cmp ebx, 0x80
        setb bl
        movzx ebx, bl
        expect_eq ebx, 1
        mov eax, [SMBASE + SMM_RFLAGS]
        and eax, DF
        expect_eq eax, DF
        it "the IDT's base is saved"
        mov rax, [SMBASE + SMM_IDT_BASE]
        expect_eq eax, IDT64
        it "after RSM faults reach the handlers of long mode"
        faults X_UD, NONE, ud2
        expect_mem d, [v_cs], K_CODE64
        it "a base of FS above 4 GiB comes back"
        mov ecx, MSR_FS_BASE
        mov eax, 0x1000
        mov edx, 0x7fff
        wrmsr
        smi_by_apic64
        xor eax, eax
        xor edx, edx
        rdmsr
        expect_eq eax, 0x1000
        expect_eq edx, 0x7fff
        it "the upper halves that the handler changes are what RSM loads"
        mov dword [smm_hook], hook_change
        smi_by_apic64
        mov rax, 0x0123456789abcdef
        expect_same r15, rax
        mov dword [smm_hook], 0
        it "from ring 3: RSM goes back to ring 3"
        to_user64
        smi_by_apic64
        mov eax, cs
        mov ebx, ss
        from_user64
        expect_eq eax, U_CODE64
        expect_eq ebx, U_DATA
        mov ax, [SMBASE + SMM_CS]
        expect_eq ax, U_CODE64
        it "from compatibility mode: RSM goes back there"
        to_compat
        smi_by_apic
        mov eax, cs
        from_compat
        expect_eq eax, K_CODE
        finish

        image_end
