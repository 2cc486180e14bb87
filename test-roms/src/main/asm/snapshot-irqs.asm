; Timers that go on where they stopped, for a machine that is saved in the middle and restored somewhere else.
;
; checks: the 8254 through the 8259A and the local APIC's timer interrupt on; x87, SSE and debug registers, SMI and NMI state stay
; see: SoftKVM's README, "Snapshots"; on any other machine it counts without a stop
; needs: cpus=1
; status: 33
; assertions: 24

%include "lib/rom.inc"
%include "lib/chips.inc"

TIMER   equ 0x40                        ; vector of the local APIC's timer
PIC     equ 0x30                        ; vectors of the master 8259A
ticks   equ v_irqs + PIC * 4
apics   equ v_irqs + TIMER * 4

main:
        mov eax, cr0
        and eax, ~0xc                   ; EM, TS
        or eax, 2                       ; MP
        mov cr0, eax
        mov eax, cr4
        or eax, 0x600                   ; OSFXSR, OSXMMEXCPT
        mov cr4, eax
        fninit
        fldpi
        fld1
        fadd st0, st0
        mov dword [v_mxcsr], 0x7f80     ; round to zero
        ldmxcsr [v_mxcsr]
        movups xmm5, [v_pattern]
        mov eax, 0x12345678
        mov dr0, eax
        mov eax, 0x0badcafe
        mov dr3, eax

        it "the 8259A interrupts by the 8254, each millisecond"
        pic_on
        mov al, 0x11
        out PIC1, al
        mov al, PIC
        out PIC1_IMR, al
        mov al, 4
        out PIC1_IMR, al
        mov al, 1
        out PIC1_IMR, al
        mov al, 0xfe
        out PIC1_IMR, al
        pit 0, 2, 1193
        mov dword [ticks], 0
        sti
        wait_for ticks, 3
        cli
        cmp dword [ticks], 3
        jae .ticks
        unreachable
.ticks:

%assign n 1
%rep 8
%defstr digits n
%strcat title "ten ticks of the 8254, time ", digits
        it title
        mov dword [ticks], 0
        sti
        wait_for ticks, 10
        cli
        cmp dword [ticks], 10
        jae .enough %+ n
        unreachable
.enough %+ n:
%assign n n + 1
%endrep

        it "one-shot: the local APIC's timer interrupts once"
        mov al, 0xff                    ; from here on the 8259A is silent
        out PIC1_IMR, al
        apic_on
        mov dword [apics], 0
        mov dword [APIC_TIMER_DCR], 3
        mov dword [APIC_LVT_TIMER], TIMER
        mov dword [APIC_TIMER_ICR], 100000
        sti
        wait_for apics, 1
        cli
        expect_var apics, 1
%assign n 1
%rep 6
%defstr digits n
%strcat title "ten periods of the local APIC's timer, time ", digits
        it title
        mov dword [APIC_LVT_TIMER], TIMER | APIC_PERIODIC
%if n = 1
        mov dword [APIC_TIMER_ICR], 20000
%endif
        mov dword [apics], 0
        sti
        wait_for apics, 10
        cli
        cmp dword [apics], 10
        jae .periods %+ n
        unreachable
.periods %+ n:
%assign n n + 1
%endrep

        it "ST(0) is 2, as it was before all this"
        fist dword [v_word]
        expect_var v_word, 2
        it "ST(1) is pi in all its bits"
        fxch
        fstp tword [v_tword]
        mov eax, [v_tword + 4]
        expect_eq eax, 0xc90fdaa2
        it "MXCSR rounds to zero"
        stmxcsr [v_mxcsr]
        mov eax, [v_mxcsr]
        expect_eq eax, 0x7f80
        it "XMM5 is the pattern"
        movups [v_buffer], xmm5
        mov esi, v_buffer
        mov edi, v_pattern
        mov ecx, 4
        repe cmpsd
        expect_eq ecx, 0
        it "DR0"
        mov eax, dr0
        expect_eq eax, 0x12345678
        it "DR3"
        mov eax, dr3
        expect_eq eax, 0x0badcafe
        it "the mask of the 8259A"
        in al, PIC1_IMR
        movzx eax, al
        expect_eq eax, 0xff
        it "the divide configuration of the timer"
        mov eax, [APIC_TIMER_DCR]
        expect_eq eax, 3
        finish

        align 16
v_pattern: dd 0x00112233, 0x44556677, 0x8899aabb, 0xccddeeff
v_buffer:  times 4 dd 0
v_tword:   times 12 db 0
v_mxcsr:   dd 0
v_word:    dd 0

        image_end
