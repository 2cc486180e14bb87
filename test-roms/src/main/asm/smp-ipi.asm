; Interrupts between CPUs.
;
; checks: fixed by physical and logical destination, several destinations, shorthands self, all and others, broadcast id FF,
;         lowest priority goes to one CPU, NMI whatever IF says, interrupts wait where IF is clear, wake from HLT, many
;         interrupts to and fro without a loss, the delivery status ends idle
; see: SDM 3A 11.6 (issuing interprocessor interrupts), 11.6.2 (destinations), 11.8.4 (acceptance)
; needs: cpus=4
; status: 33
; assertions: 18

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smp.inc"

ROUNDS  equ 1000
STATE   equ 0x60000                     ; of the functions below, by id
BALL    equ 0x60100

; Waits with interrupts on until STATE[id] is 2; says so by 1.
listen:
        mov dword [STATE + edi * 4], 1
        sti
.wait:
        pause
        cmp dword [STATE + edi * 4], 2
        jne .wait
        cli
        ret

; The same in HLT; an interrupt ends it.
sleep:
        mov dword [STATE + edi * 4], 1
        sti
        hlt
        cli
        mov dword [STATE + edi * 4], 3
        ret

; With interrupts off.
deaf:
        mov dword [STATE + edi * 4], 1
.wait:
        pause
        cmp dword [STATE + edi * 4], 2
        jne .wait
        ret

; Logical id: one bit for each CPU, flat.
logical:
        mov ecx, edi
        add ecx, 24
        mov eax, 1
        shl eax, cl
        mov dword [APIC_DFR], 0xffffffff
        mov [APIC_LDR], eax
        ret

; Plays ball with its neighbour: vector 51h brings it, the hook sends it on.
play:
        sti
.wait:
        pause
        cmp dword [BALL], ROUNDS
        jb .wait
        cli
        ret
pass_on:
        cmp eax, 0x51
        jne .end
        lock inc dword [BALL]
        cmp dword [BALL], ROUNDS
        jae .end
        mov ecx, edi
        xor ecx, 3                      ; 1 and 2
        shl ecx, 24
        mov [APIC_ICR_HIGH], ecx
        mov dword [APIC_ICR_LOW], APIC_ASSERT | 0x51
.end:
        ret

%macro let 3                            ; let function, state, ids: begins it on these CPUs
%assign id 1
%rep 3
%if (%3) & (1 << id)
        mov dword [STATE + id * 4], 0
        on_cpu id, %1
        await [STATE + id * 4], %2
%endif
%assign id id + 1
%endrep
%endmacro
%macro end_all 0
%assign id 1
%rep 3
        mov dword [STATE + id * 4], 2
        await_cpu id
%assign id id + 1
%endrep
%endmacro

main:
        start_cpus 4
        on_all logical
        let listen, 1, 0b1110
        it "a fixed interrupt goes to the CPU that is named"
        send_to 2, 0x41
        await [smp_count(2, 0x41)], 1
        expect_var smp_count(2, 0x41), 1
        expect_var smp_count(1, 0x41), 0
        expect_var smp_count(3, 0x41), 0
        it "the delivery status is idle afterwards"
        mov eax, [APIC_ICR_LOW]
        and eax, APIC_PENDING
        expect_eq eax, 0
        it "others: all but this one"
        send_short APIC_OTHERS | 0x42
        await [smp_count(1, 0x42)], 1
        await [smp_count(2, 0x42)], 1
        await [smp_count(3, 0x42)], 1
        sti
        nop
        cli
        expect_var v_irqs + 0x42 * 4, 0
        expect_var smp_count(3, 0x42), 1
        it "all: this one too"
        send_short APIC_ALL | 0x43
        sti
        nop
        nop
        cli
        await [smp_count(1, 0x43)], 1
        await [smp_count(2, 0x43)], 1
        await [smp_count(3, 0x43)], 1
        expect_var v_irqs + 0x43 * 4, 1
        it "self: only this one"
        send_short APIC_SELF | 0x44
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x44 * 4, 1
        expect_var smp_count(1, 0x44), 0
        it "physical destination FF: all"
        send_to 0xff, 0x45
        sti
        nop
        nop
        cli
        await [smp_count(1, 0x45)], 1
        await [smp_count(2, 0x45)], 1
        await [smp_count(3, 0x45)], 1
        expect_var v_irqs + 0x45 * 4, 1
        it "a logical destination: each CPU of the set"
        send_to 0b1010, APIC_LOGICAL | 0x46
        await [smp_count(1, 0x46)], 1
        await [smp_count(3, 0x46)], 1
        expect_var smp_count(2, 0x46), 0
        expect_var smp_count(3, 0x46), 1
        it "lowest priority: one CPU of the set, each time"
        mov esi, 100
.lowest:
        send_to 0b1110, APIC_LOGICAL | APIC_LOWEST | 0x47
        mov ebp, 101
        sub ebp, esi
.arrives:
        mov eax, [smp_count(1, 0x47)]
        add eax, [smp_count(2, 0x47)]
        add eax, [smp_count(3, 0x47)]
        cmp eax, ebp
        pause
        jb .arrives
        dec esi
        jnz .lowest
        wait_us 1000
        mov eax, [smp_count(1, 0x47)]
        add eax, [smp_count(2, 0x47)]
        add eax, [smp_count(3, 0x47)]
        expect_eq eax, 100
        it "an NMI to another CPU"
        send_to 1, APIC_NMI
        await [smp_count(1, X_NMI)], 1
        expect_var smp_count(1, X_NMI), 1
        expect_var smp_count(2, X_NMI), 0
        end_all
        it "an interrupt waits while IF is clear"
        let deaf, 1, 0b1110
        send_to 2, 0x48
        wait_us 5000
        expect_var smp_count(2, 0x48), 0
        it "an NMI does not"
        send_to 2, APIC_NMI
        await [smp_count(2, X_NMI)], 1
        expect_var smp_count(2, X_NMI), 1
        end_all
        it "it comes when IF is set"
        let listen, 1, 0b0100
        await [smp_count(2, 0x48)], 1
        expect_var smp_count(2, 0x48), 1
        mov dword [STATE + 8], 2
        await_cpu 2
        it "an interrupt wakes a CPU from HLT"
        let sleep, 1, 0b0010
        wait_us 2000
        expect_var STATE + 4, 1
        send_to 1, 0x49
        await [STATE + 4], 3
        await_cpu 1
        expect_var smp_count(1, 0x49), 1
        it "an NMI does too"
        let sleep, 1, 0b1000
        wait_us 2000
        send_to 3, APIC_NMI
        await [STATE + 12], 3
        await_cpu 3
        expect_var smp_count(3, X_NMI), 1
        it "a broadcast wakes all"
        let sleep, 1, 0b1110
        wait_us 2000
        send_short APIC_OTHERS | 0x4a
        await_cpu 1
        await_cpu 2
        await_cpu 3
        expect_var smp_count(1, 0x4a), 1
        expect_var smp_count(2, 0x4a), 1
        expect_var smp_count(3, 0x4a), 1
        it "a thousand interrupts go to and fro"
        mov dword [BALL], 0
        mov dword [SMP_HOOK], pass_on
        on_cpu 1, play
        on_cpu 2, play
        send_to 1, 0x51
        await_cpu 1
        await_cpu 2
        expect_var BALL, ROUNDS
        mov eax, [smp_count(1, 0x51)]
        add eax, [smp_count(2, 0x51)]
        expect_eq eax, ROUNDS
        it "a CPU that does not exist takes nothing"
        mov dword [SMP_HOOK], 0
        send_to 9, 0x4b
        wait_us 1000
        mov eax, [smp_count(1, 0x4b)]
        or eax, [smp_count(2, 0x4b)]
        or eax, [smp_count(3, 0x4b)]
        expect_eq eax, 0
        all_well
        finish

        image_end
