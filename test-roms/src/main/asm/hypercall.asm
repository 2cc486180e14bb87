; VMCALL and VMMCALL: KVM's hypercalls and their errors.
;
; checks: numbers, answers in 32-bit, 16-bit, compatibility and 64-bit code, other registers and flags stay, privilege level,
;         LOCK; KVM_HC_VAPIC_POLL_IRQ, KVM_HC_CLOCK_PAIRING, KVM_HC_SCHED_YIELD
; see: Linux Documentation/virt/kvm/x86/hypercalls.rst; SDM 3C 26 (VMCALL)
; needs: cpus=1
; status: 33
; QEMU: its TCG is not KVM
; Bochs: is not KVM
; assertions: 16

%define WITH_LONG
%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/kvm.inc"

PAIRING         equ 0x50040

main:
        it "a number that there is not: ENOSYS"
        hypercall 77
        expect_eq eax, KVM_ENOSYS & 0xffffffff
        hypercall 0
        expect_eq eax, KVM_ENOSYS & 0xffffffff
        hypercall 0x80000001
        expect_eq eax, KVM_ENOSYS & 0xffffffff
        it "VMMCALL is the same call"
        mov eax, 77
        vmmcall
        expect_eq eax, KVM_ENOSYS & 0xffffffff
        it "the poll for interrupts answers 0"
        hypercall HC_VAPIC_POLL
        expect_eq eax, 0
        it "giving way answers 0"
        hypercall HC_SCHED_YIELD, 0
        expect_eq eax, 0
        it "the other registers stay"
        mov ebx, 0x11111111
        mov ecx, 0x22222222
        mov edx, 0x33333333
        mov esi, 0x44444444
        mov edi, 0x55555555
        mov ebp, 0x66666666
        mov eax, HC_VAPIC_POLL
        vmcall
        expect_eq ebx, 0x11111111
        expect_eq ecx, 0x22222222
        expect_eq edx, 0x33333333
        expect_eq esi, 0x44444444
        expect_eq edi, 0x55555555
        expect_eq ebp, 0x66666666
        it "so do the flags"
        mov eax, -1
        add eax, 1
        mov eax, HC_VAPIC_POLL
        vmcall
        expect_flags CF | ZF | SF | OF, CF | ZF
        it "LOCK raises #UD"
        faults X_UD, NONE, {db 0xf0, 0x0f, 0x01, 0xc1}
        it "ring 3 may not call: EPERM"
        to_user
        mov eax, HC_VAPIC_POLL
        vmcall
        mov edi, eax
        mov eax, 77
        vmmcall
        mov esi, eax
        from_user
        expect_eq edi, KVM_EPERM & 0xffffffff
        expect_eq esi, KVM_EPERM & 0xffffffff
        it "16-bit code calls with 32-bit registers"
        to_prot16
        mov eax, 77
        vmcall
        mov edi, eax
        mov eax, HC_VAPIC_POLL
        vmcall
        mov esi, eax
        to_prot32
        expect_eq edi, KVM_ENOSYS & 0xffffffff
        expect_eq esi, 0
        it "clock and time-stamp counter at one moment"
        mov edi, PAIRING
        mov ecx, 16
        mov eax, -1
        rep stosd
        hypercall HC_CLOCK_PAIRING, PAIRING, 0
        expect_eq eax, 0
        cmp dword [PAIRING], 1577836800 ; 2020-01-01
        seta al
        movzx eax, al
        expect_eq eax, 1
        cmp dword [PAIRING + 8], 1000000000
        setb al
        movzx eax, al
        expect_eq eax, 1
        expect_mem d, [PAIRING + 12], 0
        expect_mem d, [PAIRING + 24], 0
        rdtsc
        sub eax, [PAIRING + 16]
        sbb edx, [PAIRING + 20]
        shr edx, 31
        expect_eq edx, 0
        it "another clock is not there: EOPNOTSUPP"
        hypercall HC_CLOCK_PAIRING, PAIRING, 1
        expect_eq eax, KVM_EOPNOTSUPP & 0xffffffff
        it "a record where no memory is: EFAULT"
        hypercall HC_CLOCK_PAIRING, 0xd0000000, 0
        expect_eq eax, KVM_EFAULT & 0xffffffff
        to_long
        bits 64
        it "64-bit code gets 64 bits"
        mov eax, 77
        vmcall
        expect_eq rax, KVM_ENOSYS
        it "and its numbers have 64"
        mov rax, 1 << 32 | HC_VAPIC_POLL
        vmcall
        expect_eq rax, KVM_ENOSYS
        mov eax, HC_VAPIC_POLL
        vmcall
        expect_eq rax, 0
        it "compatibility mode gets 32"
        to_compat
        bits 32
        mov eax, 77
        vmcall
        mov edi, eax
        from_compat
        bits 64
        mov eax, edi
        expect_eq rax, KVM_ENOSYS & 0xffffffff
        it "ring 3 of 64-bit mode may not call either"
        to_user64
        mov eax, HC_VAPIC_POLL
        vmcall
        mov rdi, rax
        from_user64
        expect_eq rdi, KVM_EPERM
        from_long
        bits 32
        finish

        image_end
