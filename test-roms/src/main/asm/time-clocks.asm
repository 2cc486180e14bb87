; The clocks of the machine among themselves: they agree on what time is, and none goes back.
;
; checks: RDTSC, RDTSCP and RDMSR in order, the rates of TSC, PM timer, PIT and local APIC timer against each other, timers
;         that are never early, waiting in HLT as long as a timer says, the TSC written
; see: SDM 3B 18.17 (time-stamp counter), SDM 3A 11.5.4, ACPI 4.8.3.3 (PM timer), 8254 data sheet
; needs: cpus=1
; status: 33
; QEMU: its TCG has no IA32_TSC for RDMSR
; assertions: 10

%include "lib/rom.inc"
%include "lib/chips.inc"

VECTOR  equ 0x40
irqs    equ v_irqs + VECTOR * 4
TRIES   equ 40

var     first
var     second
var     clock, 8

; The difference of EAX and EDX is less than a part of EDX: within EDX, 1/n. Jumps elsewhere. Clobbers EAX, ECX.
%macro near_or 2                        ; n, label for 'no'
        sub eax, edx
        jns %%positive
        neg eax
%%positive:
        mov ecx, %1
        push edx
        mul ecx
        pop edx
        cmp eax, edx
        ja %2
%endmacro
; EAX = ticks of the TSC (low half) while so many microseconds of the PM timer pass.
%macro tsc_over 1
        rdtsc
        mov edi, eax
        wait_us %1
        rdtsc
        sub eax, edi
%endmacro

main:
        apic_on
        it "the TSC does not go back in 100,000 reads"
        rdtsc
        mov esi, eax
        mov edi, edx
        mov ecx, 100000
.monotonic:
        rdtsc
        mov ebx, eax
        mov ebp, edx
        sub ebx, esi
        sbb ebp, edi
        js .backwards
        mov esi, eax
        mov edi, edx
        loop .monotonic
        jmp .forwards
.backwards:
        unreachable
.forwards:
        it "RDMSR of IA32_TSC comes between two RDTSCs"
        rdtsc
        mov esi, eax
        mov edi, edx
        mov ecx, IA32_TSC
        rdmsr
        mov ebx, eax
        mov ebp, edx
        sub ebx, esi
        sbb ebp, edi
        js .msr_bad
        mov esi, eax
        mov edi, edx
        rdtsc
        sub eax, esi
        sbb edx, edi
        jns .msr_good
.msr_bad:
        unreachable
.msr_good:
        it "RDTSCP too, with IA32_TSC_AUX in ECX"
        mov ecx, 0xc0000103
        mov eax, 0x1234
        xor edx, edx
        wrmsr
        rdtsc
        mov esi, eax
        mov edi, edx
        rdtscp
        sub eax, esi
        sbb edx, edi
        jns .rdtscp_good
        unreachable
.rdtscp_good:
        expect_eq ecx, 0x1234
        it "the TSC's rate is the same in two measurements (within 1/20, best of 40)"
        mov ebp, TRIES
.rate:
        tsc_over 5000
        mov [first], eax
        tsc_over 10000
        shr eax, 1
        mov edx, [first]
        near_or 20, .rate_again
        jmp .rate_good
.rate_again:
        dec ebp
        jnz .rate
        unreachable
.rate_good:
        it "the APIC timer's rate is too"
        mov dword [APIC_LVT_TIMER], APIC_MASKED | VECTOR
        mov dword [APIC_TIMER_DCR], 3
        mov ebp, TRIES
.apic_rate:
        mov dword [APIC_TIMER_ICR], 0xffffffff
        wait_us 5000
        mov eax, [APIC_TIMER_CCR]
        not eax
        mov [first], eax
        mov dword [APIC_TIMER_ICR], 0xffffffff
        wait_us 10000
        mov eax, [APIC_TIMER_CCR]
        not eax
        shr eax, 1
        mov edx, [first]
        near_or 20, .apic_rate_again
        jmp .apic_rate_good
.apic_rate_again:
        dec ebp
        jnz .apic_rate
        unreachable
.apic_rate_good:
        it "the PIT counts 11932 in 10 ms of the PM timer (within 1/20, best of 40)"
        mov al, 1
        out PORT61, al
        mov ebp, TRIES
.pit:
        pit 2, 2, 0
        wait_us 20
        pit_latch 2
        movzx esi, ax
        wait_us 10000
        pit_latch 2
        movzx ecx, ax
        mov eax, esi
        sub eax, ecx
        and eax, 0xffff
        mov edx, 11932
        near_or 20, .pit_again
        jmp .pit_good
.pit_again:
        dec ebp
        jnz .pit
        unreachable
.pit_good:
        it "a one-shot of the APIC timer is not early by the TSC"
        mov dword [APIC_TIMER_DCR], 3
        mov dword [APIC_TIMER_ICR], 0xffffffff
        rdtsc
        mov esi, eax
        wait_us 10000
        mov ecx, [APIC_TIMER_CCR]
        rdtsc
        sub eax, esi                    ; TSC ticks, at least, of as many counts:
        not ecx
        mov [first], eax
        mov [second], ecx
        mov dword [irqs], 0
        mov dword [APIC_LVT_TIMER], VECTOR
        mov eax, [second]
        mov dword [APIC_TIMER_ICR], eax
        rdtsc
        mov esi, eax
        sti
.one_shot:
        cmp dword [irqs], 0
        je .one_shot
        cli
        rdtsc
        sub eax, esi
        mov edx, [first]
        shr edx, 1                      ; half of it is enough to tell: the host may have stopped us above
        cmp eax, edx
        jae .not_early
        unreachable
.not_early:
        it "HLT waits for it as long"
        mov dword [irqs], 0
        pm_timer
        mov esi, eax
        mov eax, [second]
        mov dword [APIC_TIMER_ICR], eax
.halt:
        sti
        hlt
        cli
        cmp dword [irqs], 0
        je .halt
        pm_timer
        sub eax, esi
        and eax, 0xffffff
        cmp eax, 3579 * 5               ; 5 of the 10 ms
        jae .halt_good
        unreachable
.halt_good:
        expect_var irqs, 1
        it "the TSC goes on from what is written, and the PM timer does not notice"
        pm_timer
        mov esi, eax
        mov ecx, IA32_TSC
        xor eax, eax
        xor edx, edx
        wrmsr
        rdtsc
        expect_eq edx, 0
        pm_timer
        sub eax, esi
        and eax, 0xffffff
        cmp eax, 0x400000
        jb .written
        unreachable
.written:
        it "its rate is what it was"
        mov ebp, TRIES
.rate2:
        tsc_over 5000
        mov [second], eax
        mov ecx, 0
        tsc_over 5000
        mov edx, [second]
        near_or 20, .rate2_again
        jmp .rate2_good
.rate2_again:
        dec ebp
        jnz .rate2
        unreachable
.rate2_good:
        finish

        image_end
