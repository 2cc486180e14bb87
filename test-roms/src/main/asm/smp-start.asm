; Starting CPUs: INIT and start-up messages.
;
; checks: CPUs wait until they are started; INIT, start-up; CS:IP from the vector; real mode, registers and CR0 after INIT;
;         APIC ids, the BSP flag; a start-up message to a running CPU is ignored, and so is one without INIT; INIT stops a
;         CPU; it can be started again elsewhere; MSRs and memory stay over INIT
; see: SDM 3A 9.4 (MP initialization), 11.6.1 (ICR), table 10-1 (state after INIT); MultiProcessor Specification 1.4, B.4
; needs: cpus=3
; status: 33
; assertions: 16

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smp.inc"

; What the second trampoline finds, before anything is changed.
SEEN            equ 0x60000
SEEN_CS         equ SEEN
SEEN_IP         equ SEEN + 4
SEEN_CR0        equ SEEN + 8
SEEN_EFLAGS     equ SEEN + 12
SEEN_SIGNATURE  equ SEEN + 16
SEEN_RUNS       equ SEEN + 20           ; counts while the CPU runs
SEEN_STARTS     equ SEEN + 24
SEEN_APIC_BASE  equ SEEN + 28
SEEN_SYSENTER   equ SEEN + 32
OTHER           equ 0x7a000             ; start-up vector 7Ah
IA32_SYSENTER_ESP equ 0x175

; Copied to OTHER. Counts for ever.
        bits 16
counting:
        mov ebx, cr0
        mov eax, edx
        mov cx, 0x6000
        mov ds, cx
        mov [SEEN_CR0 - 0x60000], ebx
        mov [SEEN_SIGNATURE - 0x60000], eax
        mov [SEEN_CS - 0x60000], cs
        mov ss, cx
        mov sp, 0x800
        pushfd
        pop dword [SEEN_EFLAGS - 0x60000]
        call .here
.here:
        pop ax
        sub ax, .here - counting
        mov [SEEN_IP - 0x60000], ax
        mov ecx, IA32_APIC_BASE
        rdmsr
        mov [SEEN_APIC_BASE - 0x60000], eax
        mov ecx, IA32_SYSENTER_ESP
        rdmsr
        mov [SEEN_SYSENTER - 0x60000], eax
        inc dword [SEEN_STARTS - 0x60000]
.count:
        inc dword [SEEN_RUNS - 0x60000]
        pause
        jmp .count
counting_end:
        bits 32

note_msr:
        mov ecx, IA32_APIC_BASE
        rdmsr
        mov [SEEN_APIC_BASE], eax
        mov ecx, IA32_SYSENTER_ESP
        mov eax, 0x12345678
        xor edx, edx
        wrmsr
        ret

; EAX = how often CPU 1 counted within 20 ms.
%macro counted 0
        mov esi, [SEEN_RUNS]
        wait_us 20000
        mov eax, [SEEN_RUNS]
        sub eax, esi
%endmacro

main:
        mov dword [SEEN_RUNS], 0
        mov dword [SEEN_STARTS], 0
        call smp_prepare
        it "the other CPUs do not run by themselves"
        wait_us 1000
        expect_var SMP_STARTED, 0
        it "a second start-up message starts nothing twice"
        send_short APIC_OTHERS | APIC_INIT
        wait_us 10000
        send_to 1, APIC_STARTUP | SMP_TRAMPOLINE >> 12
        await [SMP_STARTED], 1
        send_to 1, APIC_STARTUP | SMP_TRAMPOLINE >> 12
        wait_us 10000
        expect_var SMP_STARTED, 1
        it "the message went to the CPU it names only"
        expect_var SMP_PRESENT + 4, 1
        expect_var SMP_PRESENT + 8, 0
        it "the third CPU, which had its INIT, starts too"
        send_to 2, APIC_STARTUP | SMP_TRAMPOLINE >> 12
        await [SMP_STARTED], 2
        expect_var SMP_PRESENT + 8, 1
        mov dword [SMP_CPUS], 3
        it "a running CPU ignores a start-up message"
        mov esi, counting
        mov edi, OTHER
        mov ecx, counting_end - counting
        rep movsb
        send_to 1, APIC_STARTUP | OTHER >> 12
        wait_us 10000
        expect_var SEEN_STARTS, 0
        it "it still works"
        on_cpu 1, note_msr
        await_cpu 1
        expect_var SMP_LATE, 0
        it "only the CPU that booted has the BSP flag"
        mov eax, [SEEN_APIC_BASE]
        and eax, 0x900
        expect_eq eax, 0x800
        mov ecx, IA32_APIC_BASE
        rdmsr
        and eax, 0x900
        expect_eq eax, 0x900
        it "INIT and start-up begin at the new vector"
        mov dword [SEEN_SIGNATURE], 0
        send_to 1, APIC_INIT
        wait_us 10000
        send_to 1, APIC_STARTUP | OTHER >> 12
        await [SEEN_STARTS], 1
        mov eax, [SEEN_CS]
        and eax, 0xffff
        expect_eq eax, OTHER >> 4
        mov eax, [SEEN_IP]
        and eax, 0xffff
        expect_eq eax, 0
        it "in real mode, caches as after INIT, extension type set"
        mov eax, [SEEN_CR0]
        and eax, 0x9fffffff
        expect_eq eax, 0x10
        it "with interrupts off"
        mov eax, [SEEN_EFLAGS]
        and eax, IF | TF | DF
        expect_eq eax, 0
        it "EDX has the signature of CPUID"
        mov eax, 1
        cpuid
        and eax, 0x0fff0ff0
        mov ebx, [SEEN_SIGNATURE]
        and ebx, 0x0fff0ff0
        expect_same ebx, eax
        it "MSRs stay over INIT"
        expect_var SEEN_SYSENTER, 0x12345678
        it "it runs"
        mov esi, [SEEN_RUNS]
        lea edi, [esi + 1]
        wait_for SEEN_RUNS, edi
        mov eax, [SEEN_RUNS]
        sub eax, esi
        xor ecx, ecx
        cmp eax, 0
        setne cl
        expect_eq ecx, 1
        it "INIT stops it"
        send_to 1, APIC_INIT
        wait_us 20000
        counted
        expect_eq eax, 0
        it "after that it can be started again"
        send_to 1, APIC_STARTUP | SMP_TRAMPOLINE >> 12
        await [SMP_STARTED], 3
        on_cpu 1, note_msr
        await_cpu 1
        expect_var SMP_STARTED, 3
        all_well
        finish

        image_end
