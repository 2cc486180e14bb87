; KVM's paravirtual clock.
;
; checks: CPUID leaves 40000000h and 40000001h, MSRs 4B564D00h and 4B564D01h and their old numbers, the record of the vcpu
;         (version, scale, flags), time that advances as the PM timer does and never goes back, over writes of the TSC too
; see: Linux Documentation/virt/kvm/x86/msr.rst, cpuid.rst
; needs: cpus=1
; status: 33
; QEMU: its TCG is not KVM
; Bochs: is not KVM
; assertions: 15

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/kvm.inc"

RECORD          equ 0x50040
OTHER           equ 0x50080
WALL            equ 0x500c0
PATTERN         equ 0xa5a5a5a5

; EDX:EAX = nanoseconds by the record at EBP. Clobbers EBX, ECX, ESI, EDI.
now:
        mov esi, [ebp + PVCLOCK_VERSION]
        test esi, 1
        jnz now
        rdtsc
        sub eax, [ebp + PVCLOCK_TSC]
        sbb edx, [ebp + PVCLOCK_TSC + 4]
        movsx ecx, byte [ebp + PVCLOCK_SHIFT]
        test ecx, ecx
        js .right
        shld edx, eax, cl
        shl eax, cl
        jmp .scaled
.right:
        neg ecx
        shrd eax, edx, cl
        shr edx, cl
.scaled:
        ; times the multiplier, over 2^32
        mov ebx, edx
        mul dword [ebp + PVCLOCK_MUL]
        mov edi, edx
        mov eax, ebx
        mul dword [ebp + PVCLOCK_MUL]
        add eax, edi
        adc edx, 0
        add eax, [ebp + PVCLOCK_TIME]
        adc edx, [ebp + PVCLOCK_TIME + 4]
        cmp esi, [ebp + PVCLOCK_VERSION]
        jne now
        ret

; EAX = 1 where the time in EDX:EAX is not below that at v_tmp. Clobbers nothing else.
not_before:
        cmp edx, [v_tmp + 4]
        ja .yes
        jb .no
        cmp eax, [v_tmp]
        jae .yes
.no:
        xor eax, eax
        ret
.yes:
        mov eax, 1
        ret

main:
        it "the hypervisor's signature is KVMKVMKVM"
        mov eax, KVM_SIGNATURE
        cpuid
        expect_eq ebx, 0x4b4d564b
        expect_eq ecx, 0x564b4d56
        expect_eq edx, 0x4d
        it "its features offer the clock, and that it is stable"
        kvm_feature KVM_CLOCKSOURCE2
        expect_eq eax, 1
        kvm_feature KVM_CLOCK_STABLE
        expect_eq eax, 1
        it "the wall clock is written where the MSR says"
        mov dword [WALL], 0
        mov dword [WALL + 4], 0
        mov dword [WALL + 8], -1
        set_msr MSR_WALL_CLOCK, WALL
        mov eax, [WALL]
        and eax, 1
        expect_eq eax, 0
        cmp dword [WALL + 4], 1577836800 ; 2020-01-01
        seta al
        movzx eax, al
        expect_eq eax, 1
        cmp dword [WALL + 8], 1000000000
        setb al
        movzx eax, al
        expect_eq eax, 1
        it "the version of the wall clock moves on with each write"
        mov ebp, [WALL]
        set_msr MSR_WALL_CLOCK, WALL
        mov eax, [WALL]
        sub eax, ebp
        expect_eq eax, 2
        it "the record of the vcpu is written with an even version"
        mov edi, RECORD
        mov ecx, PVCLOCK_SIZE / 4 + 1
        mov eax, PATTERN
        rep stosd
        set_msr MSR_SYSTEM_TIME, RECORD | 1
        mov eax, [RECORD + PVCLOCK_VERSION]
        and eax, 1
        expect_eq eax, 0
        it "its padding is 0, its flags say stable, and it has 32 bytes"
        expect_mem d, [RECORD + 4], 0
        expect_mem w, [RECORD + 30], 0
        mov al, [RECORD + PVCLOCK_FLAGS]
        and eax, 1
        expect_eq eax, 1
        expect_mem d, [RECORD + PVCLOCK_SIZE], PATTERN
        it "the multiplier uses its 32 bits"
        mov eax, [RECORD + PVCLOCK_MUL]
        shr eax, 31
        expect_eq eax, 1
        it "its time stamp is not in the future"
        rdtsc
        sub eax, [RECORD + PVCLOCK_TSC]
        sbb edx, [RECORD + PVCLOCK_TSC + 4]
        shr edx, 31
        expect_eq edx, 0
        it "the MSR reads as written"
        get_msr MSR_SYSTEM_TIME
        expect_eq eax, RECORD | 1
        it "a millisecond of the PM timer is one of the clock"
        mov ebp, RECORD
        call now
        mov [v_tmp], eax
        mov [v_tmp + 4], edx
        wait_us 1000
        call now
        sub eax, [v_tmp]
        sbb edx, [v_tmp + 4]
        expect_eq edx, 0
        cmp eax, 999000
        setae al
        movzx eax, al
        expect_eq eax, 1
        it "it never goes back"
        mov dword [FREE], 0
        mov dword [FREE + 4], 0
.look:
        call now
        mov [v_tmp], eax
        mov [v_tmp + 4], edx
        call now
        call not_before
        xor eax, 1
        add [FREE], eax
        inc dword [FREE + 4]
        cmp dword [FREE + 4], 1000
        jb .look
        expect_mem d, [FREE], 0
        it "the guest's writes of the TSC do not change the time"
        call now
        mov [v_tmp], eax
        mov [v_tmp + 4], edx
        mov ecx, IA32_TSC
        xor edx, edx
        mov eax, 1000
        wrmsr
        call now
        push eax
        push edx
        call not_before
        expect_eq eax, 1
        pop edx
        pop eax
        sub eax, [v_tmp]
        sbb edx, [v_tmp + 4]
        ; less than 17 s later
        shr edx, 2
        expect_eq edx, 0
        it "a record elsewhere goes on, and the first is left alone"
        call now
        mov [v_tmp], eax
        mov [v_tmp + 4], edx
        mov dword [RECORD], PATTERN
        set_msr MSR_SYSTEM_TIME, OTHER | 1
        mov ebp, OTHER
        call now
        call not_before
        expect_eq eax, 1
        expect_mem d, [RECORD], PATTERN
        it "without the enable bit nothing is written"
        mov dword [OTHER], PATTERN
        set_msr MSR_SYSTEM_TIME, OTHER
        expect_mem d, [OTHER], PATTERN
        it "the old numbers do the same"
        set_msr MSR_SYSTEM_TIME_OLD, RECORD | 1
        mov eax, [RECORD]
        and eax, 1
        expect_eq eax, 0
        get_msr MSR_SYSTEM_TIME
        expect_eq eax, RECORD | 1
        mov dword [WALL + 4], 0
        set_msr MSR_WALL_CLOCK_OLD, WALL
        cmp dword [WALL + 4], 1577836800
        seta al
        movzx eax, al
        expect_eq eax, 1
        finish

        image_end
