; Cache control and fences: what they check, what they leave alone.
;
; checks: CLFLUSH, CLFLUSHOPT, CLWB: contents, faults as a load's, accessed and dirty bits, read-only and no-execute pages,
;         ring 3, LOCK; fences and PAUSE keep all; PREFETCH of anything never faults; INVD and WBINVD in ring 3; CLFLUSH size
; see: SDM 2 (CLFLUSH, CLFLUSHOPT, CLWB, PREFETCHh, WBINVD, INVD, LFENCE, MFENCE, SFENCE); KVM's unit test memory
; needs: cpus=1
; status: 33
; QEMU: its TCG makes nothing of CLFLUSH, CLFLUSHOPT and CLWB
; assertions: 14

%define WITH_LONG
%include "lib/rom.inc"

PAGE    equ 0x70000
ENTRY   equ PT0 + (PAGE >> 12) * 8
CR0_CD  equ 1 << 30

var     leaf7
var     leaf1d

; with bit, instruction: it, where CPUID.7:EBX has the bit; else it is #UD.
%macro with 2+
        bt dword [leaf7], %1
        jnc %%without
        %2
        jmp %%end
%%without:
        faults X_UD, NONE, %2
%%end:
%endmacro
%macro entry 1                          ; sets the page's entry
        mov dword [ENTRY], PAGE + (%1)
        mov dword [ENTRY + 4], 0
        invlpg [abs PAGE]
%endmacro
%define CLFLUSHOPT db 0x66, 0x0f, 0xae, 0x3b ; [rbx]
%define CLWB    db 0x66, 0x0f, 0xae, 0x33
%define PCOMMIT db 0x66, 0x0f, 0xae, 0xf8

main:
        to_long
        mov eax, 7
        xor ecx, ecx
        cpuid
        mov [leaf7], ebx
        mov eax, 1
        cpuid
        mov [leaf1d], edx
        mov r8d, ebx
        mov ebx, PAGE
        it "CPUID: lines of 64 bytes where CLFLUSH is offered"
        bt edx, 19
        jnc .no_clflush
        shr r8d, 8
        and r8d, 0xff
        expect_eq r8d, 8
.no_clflush:
        it "a flushed line keeps what was stored"
        mov rax, 0x1122334455667788
        mov [rbx], rax
        clflush [rbx]
        expect_mem q, [rbx], 0x1122334455667788
        with 23, CLFLUSHOPT
        with 24, CLWB
        mfence
        expect_mem q, [rbx], 0x1122334455667788
        it "they change no flags and no registers"
        mov eax, CF | ZF | OF | 2
        push rax
        popfq
        clflush [rbx]
        with 23, CLFLUSHOPT
        lfence
        sfence
        mfence
        pause
        expect_flags CF | ZF | OF | SF, CF | ZF | OF
        expect_eq rbx, PAGE
        it "a read sets the accessed bit, so does CLFLUSH; neither sets the dirty bit"
        entry P_P | P_W
        clflush [rbx]
        mov eax, [ENTRY]
        and eax, P_D
        expect_eq eax, 0
        it "CLWB and CLFLUSHOPT are loads for the dirty bit too"
        entry P_P | P_W
        with 23, CLFLUSHOPT
        with 24, CLWB
        mov eax, [ENTRY]
        and eax, P_D
        expect_eq eax, 0
        it "an absent page: #PF(0) as for a load"
        entry 0
        faults X_PF, 0, clflush [rbx]
        mov rax, [v_cr2]
        expect_eq rax, PAGE
        it "CLFLUSHOPT and CLWB of an absent page"
        bt dword [leaf7], 23
        jnc .no_opt
        faults X_PF, 0, CLFLUSHOPT
.no_opt:
        bt dword [leaf7], 24
        jnc .no_wb
        faults X_PF, 0, CLWB
.no_wb:
        it "a read-only page, and one without execution, may be flushed"
        entry P_P
        mov dword [ENTRY + 4], 0x80000000
        invlpg [abs PAGE]
        mov rax, cr0
        or eax, CR0_WP
        mov cr0, rax
        clflush [rbx]
        with 23, CLFLUSHOPT
        with 24, CLWB
        mov rax, cr0
        and eax, ~CR0_WP
        mov cr0, rax
        it "an address that is not canonical: #GP(0)"
        mov rcx, 0x800000000000
        faults X_GP, 0, clflush [rcx]
        it "prefetching anything is no fault"
        entry 0
        prefetchnta [rbx]
        prefetcht0 [rbx]
        prefetcht1 [rcx]
        prefetcht2 [abs 0]
        it "LOCK before CLFLUSH and the fences is #UD"
        faults X_UD, NONE, db 0xf0, 0x0f, 0xae, 0x3b
        faults X_UD, NONE, db 0xf0, 0x0f, 0xae, 0xf0
        it "PCOMMIT does nothing where CPUID has it"
        with 22, PCOMMIT
        it "ring 3 may flush its pages and not those of ring 0; WBINVD and INVD are ring 0's"
        entry P_P | P_W
        to_user64
        arm .user_1
.user_fault:
        clflush [rbx]
.user_1:
        expect_fault X_PF, 5, .user_fault
        arm .user_3
.user_wbinvd:
        wbinvd
.user_3:
        expect_fault X_GP, 0, .user_wbinvd
        arm .user_4
.user_invd:
        invd
.user_4:
        expect_fault X_GP, 0, .user_invd
        mov ecx, FREE
        clflush [rcx]
        lfence
        from_user64
        it "WBINVD and CR0.CD leave memory alone"
        mov dword [rbx], 0x55aa55aa
        wbinvd
        mov rax, cr0
        or eax, CR0_CD
        mov cr0, rax
        wbinvd
        mov ecx, [rbx]
        mov rax, cr0
        and eax, ~CR0_CD
        mov cr0, rax
        expect_eq ecx, 0x55aa55aa
        finish

        image_end
