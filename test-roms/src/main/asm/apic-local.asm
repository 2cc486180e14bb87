; The local APIC: registers, IPIs to itself, priorities.
;
; checks: reset values, IRR and ISR, TPR and PPR, order of priority, nesting, EOI, spurious vector by software disable,
;         self IPI by shorthand and by destination, logical destinations, ESR, CR8 in long mode, NMI by LVT
; see: SDM 3A 11.4 to 11.9
; needs: cpus=1
; status: 33
; QEMU: its TCG has no error for an illegal vector sent
; Bochs: has no error for an illegal vector sent
; assertions: 27

%define WITH_LONG
%include "lib/rom.inc"
%include "lib/chips.inc"

var     order, 64
var     order_count

%macro self_ipi 1
        mov dword [APIC_ICR_LOW], APIC_SELF | (%1)
%endmacro
; EAX = 1 if the bit of a vector is set in ISR, IRR or TMR.
%macro vector_bit 2
        mov eax, [(%1) + ((%2) / 32) * 16]
        shr eax, (%2) % 32
        and eax, 1
%endmacro

; Notes vectors in the order of their arrival; EOI.
note_order:
        mov ecx, [order_count]
        mov eax, [v_vec]
        mov [order + ecx], al
        inc dword [order_count]
        mov dword [APIC_EOI], 0
        ret
; Without EOI, with interrupts on for a while.
note_nested:
        mov ecx, [order_count]
        mov eax, [v_vec]
        mov [order + ecx], al
        inc dword [order_count]
        sti
        nop
        nop
        cli
        mov dword [APIC_EOI], 0
        ret

main:
        it "after reset the LVTs are masked, the spurious register is FF (the firmware may have changed it)"
        mov eax, [APIC_LVT_TIMER]
        and eax, APIC_MASKED
        expect_eq eax, APIC_MASKED
        it "the version register names an integrated APIC with six or seven LVTs"
        mov eax, [APIC_VERSION]
        mov ecx, eax
        and eax, 0xf0
        expect_eq eax, 0x10
        apic_on
        it "a self IPI arrives"
        sti
        self_ipi 0x41
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 1
        it "with IF clear it waits in IRR"
        self_ipi 0x41
        vector_bit APIC_IRR, 0x41
        expect_eq eax, 1
        it "two of the same vector are one"
        self_ipi 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 2
        vector_bit APIC_IRR, 0x41
        expect_eq eax, 0
        it "in the handler the vector is in ISR, after EOI it is not"
        mov dword [v_eoi], EOI_NONE
        self_ipi 0x42
        sti
        nop
        nop
        cli
        vector_bit APIC_ISR, 0x42
        expect_eq eax, 1
        it "PPR is the class in service"
        mov eax, [APIC_PPR]
        expect_eq eax, 0x40
        it "a vector of the same class waits until EOI"
        self_ipi 0x4e
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x4e * 4, 0
        mov dword [APIC_EOI], 0
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x4e * 4, 1
        mov dword [APIC_EOI], 0
        mov dword [v_eoi], EOI_APIC
        it "after the last EOI PPR is 0"
        mov eax, [APIC_PPR]
        expect_eq eax, 0
        it "the highest vector comes first"
        mov dword [v_hook], note_order
        self_ipi 0x35
        self_ipi 0x51
        self_ipi 0x42
        self_ipi 0x4a
        sti
        nop
        nop
        nop
        nop
        nop
        cli
        mov dword [v_hook], 0
        expect_mem d, [order], 0x35424a51
        it "TPR holds back its class and lower ones"
        mov dword [v_irqs + 0x41 * 4], 0
        mov dword [v_irqs + 0x51 * 4], 0
        mov dword [APIC_TPR], 0x40
        self_ipi 0x41
        self_ipi 0x51
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 0
        expect_var v_irqs + 0x51 * 4, 1
        mov eax, [APIC_PPR]
        expect_eq eax, 0x40
        it "lowering TPR lets them through"
        mov dword [APIC_TPR], 0x30
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 1
        mov dword [APIC_TPR], 0
        it "a higher class interrupts a handler, a lower one does not"
        mov dword [order_count], 0
        mov dword [v_hook], .nest
        sti
        self_ipi 0x41
        nop
        nop
        cli
        mov dword [v_hook], 0
        jmp .nested
.nest:
        cmp dword [v_vec], 0x41
        jne note_order
        mov dword [v_hook], note_order
        self_ipi 0x51
        self_ipi 0x31
        jmp note_nested
.nested:
        mov eax, [order]
        and eax, 0xffffff
        expect_eq eax, 0x315141
        it "an IPI to the own APIC id"
        mov dword [v_irqs + 0x41 * 4], 0
        mov eax, [APIC_ID]
        mov [APIC_ICR_HIGH], eax
        mov dword [APIC_ICR_LOW], 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 1
        it "to all including self"
        mov dword [APIC_ICR_LOW], (2 << 18) | 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 2
        it "to all but self is not for us"
        mov dword [APIC_ICR_LOW], (3 << 18) | 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 2
        it "logical destination, flat"
        mov dword [APIC_DFR], 0xffffffff
        mov dword [APIC_LDR], 0x04000000
        mov dword [APIC_ICR_HIGH], 0x06000000
        mov dword [APIC_ICR_LOW], (1 << 11) | 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 3
        mov dword [APIC_ICR_HIGH], 0x01000000
        mov dword [APIC_ICR_LOW], (1 << 11) | 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 3
        it "the delivery status of the ICR is idle"
        mov eax, [APIC_ICR_LOW]
        and eax, 1 << 12
        expect_eq eax, 0
        it "a vector below 16 is an error: ESR after a write to it"
        mov dword [APIC_ESR], 0
        mov dword [APIC_ICR_HIGH], 0
        mov dword [APIC_ICR_LOW], APIC_SELF | 5
        mov dword [APIC_ESR], 0
        mov eax, [APIC_ESR]
        and eax, 0x20
        expect_eq eax, 0x20
        it "the error LVT interrupts"
        mov dword [v_irqs + 0x43 * 4], 0
        mov dword [APIC_ESR], 0
        mov dword [APIC_LVT_ERROR], 0x43
        mov dword [APIC_ICR_LOW], APIC_SELF | 5
        sti
        wait_for v_irqs + 0x43 * 4, 1
        cli
        mov dword [APIC_LVT_ERROR], APIC_MASKED
        mov dword [APIC_ESR], 0
        expect_var v_irqs + 0x43 * 4, 1
        it "an NMI to itself comes with IF clear"
        mov dword [v_irqs + 2 * 4], 0
        mov dword [v_hook], note_order
        mov dword [order_count], 0
        mov eax, [APIC_ID]
        mov [APIC_ICR_HIGH], eax
        mov dword [APIC_ICR_LOW], 4 << 8
        nop
        nop
        mov dword [v_hook], 0
        expect_var order_count, 1
        expect_mem b, [order], 2
        it "disabled by software, it masks all LVTs"
        mov dword [APIC_LVT_TIMER], 0x41
        mov dword [APIC_SVR], SPURIOUS
        mov eax, [APIC_LVT_TIMER]
        and eax, APIC_MASKED
        expect_eq eax, APIC_MASKED
        it "and they cannot be unmasked while it is"
        mov dword [APIC_LVT_TIMER], 0x41
        mov eax, [APIC_LVT_TIMER]
        and eax, APIC_MASKED
        expect_eq eax, APIC_MASKED
        apic_on
        it "CR8 is TPR bits 7 to 4"
        mov dword [APIC_TPR], 0x57
        to_long
        mov rax, cr8
        expect_eq rax, 5
        mov eax, 0xc
        mov cr8, rax
        mov eax, APIC_TPR
        mov eax, [eax]
        and eax, 0xf0
        expect_eq eax, 0xc0
        it "CR8 above 15 raises #GP(0)"
        mov eax, 0x10
        faults X_GP, 0, mov cr8, rax
        it "CR8 holds interrupts back"
        mov dword [v_irqs + 0x41 * 4], 0
        mov eax, APIC_ICR_LOW
        mov dword [rax], APIC_SELF | 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 0
        xor eax, eax
        mov cr8, rax
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 1
        it "the interrupt of ring 3 goes to RSP0"
        mov eax, APIC_ICR_LOW
        mov dword [rax], APIC_SELF | 0x41
        to_user64 0x202
        nop
        nop
        from_user64
        expect_var v_irqs + 0x41 * 4, 2
        finish

        image_end
