; When interrupts are taken: the shadow of STI, and instructions without one.
;
; checks: STI: the instruction after it runs first; STI HLT and STI CLI; POPF, IRET and LSS have no shadow; a REP
;         instruction that is interrupted goes on. (MOV SS right after STI is left open by the SDM; its shadow is
;         tested with TF in exc-debug.)
; see: SDM 2 (STI, MOV, POP), SDM 3A 6.8.1, 6.8.3
; needs: cpus=1
; status: 33
; assertions: 7

%include "lib/rom.inc"
%include "lib/chips.inc"

; Makes IRQ 0 wait in the PIC.
%macro pend 0
        mov dword [v_irqs + 0x20 * 4], 0
        pend_irq0
%endmacro

main:
        pic_on
        mov al, 0xfe
        out PIC1_IMR, al
        it "sti lets one more instruction run"
        pend
        mov eax, 0
        sti
        inc eax
.sti_after:
        inc eax
        cli
        expect_var v_irqs + 0x20 * 4, 1
        expect_var_is v_ip, .sti_after
        it "sti cli takes no interrupt"
        pend
        sti
        cli
        expect_var v_irqs + 0x20 * 4, 0
        sti
        nop
        cli
        expect_var v_irqs + 0x20 * 4, 1
        it "sti hlt: the interrupt is taken in the halt, never before"
        pend
        sti
        hlt
.hlt_after:
        cli
        expect_var_is v_ip, .hlt_after
        it "popf has no shadow: the interrupt comes at the next boundary"
        pend
        push dword IF | 2
        popfd
.popf_after:
        nop
        cli
        expect_var_is v_ip, .popf_after
        it "iret has none"
        pend
        push dword IF | 2
        push dword K_CODE
        push dword .iret_after
        iretd
.iret_after:
        nop
        cli
        expect_var_is v_ip, .iret_after
        it "lss has no shadow"
        pend
        mov [FREE], esp
        mov word [FREE + 4], K_DATA
        sti
        lss esp, [FREE]
.lss_after:
        nop
        cli
        expect_var_is v_ip, .lss_after
        it "long copies go on where interrupts stopped them"
        mov dword [v_irqs + 0x20 * 4], 0
        pit 0, 2, 1193
        mov ebp, 2000                   ; copies at most
.copy:
        mov esi, 0x200000
        mov edi, 0x400001
        mov ecx, 0x180000
        mov dword [0x57fffd], 0
        mov dword [0x37fffc], ebp
        sti
        rep movsb
        cli
        expect_eq ecx, 0
        expect_eq esi, 0x380000
        expect_eq edi, 0x580001
        mov eax, [0x57fffd]
        expect_same eax, ebp
        cmp dword [v_irqs + 0x20 * 4], 5
        jae .copied
        dec ebp
        jnz .copy
        unreachable
.copied:
        finish

        image_end
