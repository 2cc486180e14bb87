; KVM's steal time: how long the host ran something else than this CPU.
;
; checks: MSR 4B564D03h and its reserved bits, the record (version, flags, padding), that steal time only grows, stays below
;         the time that has passed, and goes on from what the record holds
; see: Linux Documentation/virt/kvm/x86/msr.rst
; needs: cpus=1
; status: 33
; QEMU: its TCG is not KVM
; Bochs: is not KVM
; assertions: 12

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/kvm.inc"

RECORD          equ 0x50040
OTHER           equ 0x50080
CLOCK           equ 0x50100
STEAL           equ 0
VERSION         equ 8
FLAGS           equ 12
PREEMPTED       equ 16
RECORD_SIZE     equ 64

; Waits for an interrupt of the local APIC's timer in HLT, 2 ms away.
tick:
        mov dword [APIC_TIMER_ICR], 2000000
        sti
        hlt
        cli
        ret

; EDX:EAX = steal time of the record at EBP. Clobbers ECX.
steal:
        mov ecx, [ebp + VERSION]
        test ecx, 1
        jnz steal
        mov eax, [ebp + STEAL]
        mov edx, [ebp + STEAL + 4]
        cmp ecx, [ebp + VERSION]
        jne steal
        ret

main:
        apic_on
        mov dword [APIC_TIMER_DCR], 0xb
        mov dword [APIC_LVT_TIMER], 0x41
        mov edi, RECORD
        mov ecx, 2 * RECORD_SIZE / 4
        xor eax, eax
        rep stosd
        it "CPUID offers it"
        kvm_feature KVM_STEAL_TIME
        expect_eq eax, 1
        it "it is off at first"
        get_msr MSR_STEAL_TIME
        expect_eq eax, 0
        expect_eq edx, 0
        it "reserved bits raise #GP(0)"
        mov ecx, MSR_STEAL_TIME
        xor edx, edx
        mov eax, RECORD | 3
        faults X_GP, 0, wrmsr
        mov eax, RECORD | 0x21
        faults X_GP, 0, wrmsr
        get_msr MSR_STEAL_TIME
        expect_eq eax, 0
        it "the record begins with steal time 0 and an even version"
        set_msr MSR_STEAL_TIME, RECORD | 1
        mov eax, [RECORD + VERSION]
        and eax, 1
        expect_eq eax, 0
        expect_mem d, [RECORD + STEAL], 0
        expect_mem d, [RECORD + STEAL + 4], 0
        it "the MSR reads as written"
        get_msr MSR_STEAL_TIME
        expect_eq eax, RECORD | 1
        it "steal time only grows"
        mov ebp, RECORD
        mov esi, 20
        xor edi, edi                    ; steps back
        mov dword [v_tmp], 0
        mov dword [v_tmp + 4], 0
.look:
        call tick
        call steal
        cmp edx, [v_tmp + 4]
        ja .grown
        jb .back
        cmp eax, [v_tmp]
        jae .grown
.back:
        inc edi
.grown:
        mov [v_tmp], eax
        mov [v_tmp + 4], edx
        dec esi
        jnz .look
        expect_eq edi, 0
        it "the record was written where time was stolen"
        mov eax, [v_tmp]
        or eax, [v_tmp + 4]
        setnz al
        cmp dword [RECORD + VERSION], 2
        setbe ah
        and al, ah                      ; stolen, and not written
        movzx eax, al
        expect_eq eax, 0
        it "less was stolen than has passed since power-on"
        set_msr MSR_SYSTEM_TIME, CLOCK | 1
        call steal
        sub eax, [CLOCK + PVCLOCK_TIME]
        sbb edx, [CLOCK + PVCLOCK_TIME + 4]
        shr edx, 31
        expect_eq edx, 1
        it "flags, preempted and padding are 0"
        expect_mem d, [RECORD + FLAGS], 0
        expect_mem b, [RECORD + PREEMPTED], 0
        mov edi, RECORD + PREEMPTED + 1
        mov ecx, RECORD_SIZE - PREEMPTED - 1
        xor eax, eax
        repe scasb
        expect_eq ecx, 0
        it "a record elsewhere goes on from what it holds"
        mov dword [OTHER + STEAL + 4], 5
        mov dword [OTHER + VERSION], 7
        set_msr MSR_STEAL_TIME, OTHER | 1
        mov ebp, OTHER
        call tick
        call steal
        expect_eq edx, 5
        mov eax, [OTHER + VERSION]
        and eax, 1
        expect_eq eax, 0
        it "the first one is left alone"
        mov esi, [RECORD + VERSION]
        call tick
        mov eax, [RECORD + VERSION]
        expect_same eax, esi
        it "without the enable bit nothing is written"
        set_msr MSR_STEAL_TIME, OTHER
        mov esi, [OTHER + VERSION]
        call tick
        call tick
        mov eax, [OTHER + VERSION]
        expect_same eax, esi
        finish

        image_end
