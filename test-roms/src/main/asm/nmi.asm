; NMI blocking.
;
; checks: an NMI by the local APIC to itself; blocked from delivery to IRET; one NMI is remembered; an IRET of any kind
;         ends the blocking; NMIs and MOV SS; NMI wakes HLT; vector 2 by INT does not block
; see: SDM 3A 6.7 (NMI), 6.7.1 (handling multiple NMIs)
; needs: cpus=1
; status: 33
; QEMU: its TCG blocks NMIs by INT 2 and not by every delivery in 64-bit mode
; assertions: 8

%define WITH_LONG
%include "lib/rom.inc"
%include "lib/chips.inc"

var     nmis
var     inside

; Sends an NMI to this CPU. Clobbers EAX.
%macro send_nmi 0
        mov eax, [APIC_ID]
        mov [APIC_ICR_HIGH], eax
        mov dword [APIC_ICR_LOW], 4 << 8
        nop
        nop
%endmacro

count_nmi:
        inc dword [nmis]
        ret

; Sends two more while it runs; they must not come before its IRET, and then be one.
send_again:
        inc dword [nmis]
        cmp dword [nmis], 1
        jne .end
        send_nmi
        send_nmi
        mov eax, [nmis]
        mov [inside], eax
.end:
        ret

; Does an IRET of its own, which ends the blocking though the handler goes on.
iret_inside:
        inc dword [nmis]
        cmp dword [nmis], 1
        jne .end
        send_nmi
        mov eax, [nmis]
        mov [inside], eax
        pushfd
        push cs
        push dword .unblocked
        iretd
.unblocked:
        nop
        mov eax, [nmis]
        mov [inside], eax
.end:
        ret

; A fault in the handler: its IRET unblocks as well.
fault_inside:
        cmp dword [v_vec], X_UD
        je .fault
        inc dword [nmis]
        cmp dword [nmis], 1
        jne .end
        send_nmi
        ud2
.after:
        nop
        mov eax, [nmis]
        mov [inside], eax
.end:
        ret
.fault:
        add dword [ebx], 2
        ret

main:
        apic_on
        it "an NMI is taken with IF clear"
        mov dword [v_hook], count_nmi
        send_nmi
        expect_var nmis, 1
        expect_var v_vec, X_NMI
        it "while one is handled another waits, and no more than one"
        mov dword [nmis], 0
        mov dword [v_hook], send_again
        send_nmi
        nop
        expect_var inside, 1
        expect_var nmis, 2
        it "an IRET within the handler ends the blocking"
        mov dword [nmis], 0
        mov dword [v_hook], iret_inside
        send_nmi
        nop
        expect_var inside, 2
        expect_var nmis, 2
        it "the IRET of a fault within the handler does too"
        mov dword [nmis], 0
        mov dword [v_hook], fault_inside
        send_nmi
        nop
        expect_var inside, 2
        it "int 2 does not block NMIs"
        mov dword [nmis], 0
        mov dword [v_hook], .int2
        int 2
        jmp .int2_done
.int2:
        inc dword [nmis]
        cmp dword [nmis], 1
        jne .int2_end
        send_nmi
        mov eax, [nmis]
        mov [inside], eax
.int2_end:
        ret
.int2_done:
        expect_var inside, 2
        it "an NMI wakes HLT with IF clear"
        mov dword [nmis], 0
        mov dword [v_hook], count_nmi
        mov eax, [APIC_ID]
        mov [APIC_ICR_HIGH], eax
        ; the PIT through pin 2 of the I/O APIC, as NMI
        mov dword [IOAPIC_INDEX], 0x14
        mov dword [IOAPIC_DATA], 4 << 8
        pit 0, 2, 20000                 ; again and again: one may come before the HLT
        hlt
        mov dword [IOAPIC_INDEX], 0x14
        mov dword [IOAPIC_DATA], APIC_MASKED
        cmp dword [nmis], 1
        jae .woken
        unreachable
.woken:
        it "an NMI in 64-bit mode: IRETQ ends the blocking"
        mov dword [v_hook], 0
        to_long
        mov dword [nmis], 0
        mov qword [v_hook], count_nmi64
        mov eax, APIC_ICR_LOW
        mov dword [rax], 4 << 8
        nop
        nop
        mov dword [rax], 4 << 8
        nop
        nop
        expect_var nmis, 2
        it "an NMI from ring 3 by IST1"
        mov byte [IDT64 + X_NMI * 16 + 4], 1
        mov dword [nmis], 0
        mov eax, APIC_ICR_LOW
        mov edi, APIC_ICR_LOW
        to_user64
        mov dword [rdi], 4 << 8
        nop
        nop
        from_user64
        expect_var nmis, 1
        mov rax, [v_frame]
        expect_eq rax, IST1_STACK - 40
        finish

count_nmi64:
        inc dword [nmis]
        ret

        image_end
