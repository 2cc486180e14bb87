; x87 exceptions as IRQ 13: CR0.NE clear.
;
; checks: an unmasked exception asserts IRQ 13 at the next waiting instruction, which waits; port F0h ends it; the exception
;         is then ignored until it is cleared; with CR0.NE it is #MF
; see: SDM 1 8.7.2 (MS-DOS compatibility), PIIX4 data sheet (COPROCESSOR ERROR)
; needs: cpus=1 emulator
; status: 33
; QEMU: its TCG does not get beyond the first interrupt
; Bochs: its instructions do not wait for the interrupt
; KVM: it has no FERR# pin
; assertions: 12

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/float.inc"

CR0_NE  equ 0x20
COUNT   equ v_irqs + 0x2d * 4           ; how often IRQ 13 came

; Lets interrupts in.
%macro window 0
        sti
        nop
        nop
        cli
%endmacro

; Leaves a division by zero pending, unmasked.
%macro break_it 0
        fninit
        set_cw CW_DEFAULT & ~ZE
        fld1
        fldz
        fdivp st1, st0
%endmacro

main:
        floats_on
        mov eax, cr0
        and eax, ~CR0_NE
        mov cr0, eax
        pic_on
        mov al, 0xfb                    ; the slave
        out PIC1_IMR, al
        mov al, 0xdf                    ; IRQ 13
        out PIC2_IMR, al
        it "nothing happens at the instruction that causes it"
        break_it
        window
        expect_var COUNT, 0
        expect_sw 0x80, 0x80
        it "the next waiting instruction asserts IRQ 13, which comes before it"
        sti
        nop
waits:
        fwait
        nop
        cli
        expect_var COUNT, 1
        expect_var_is v_ip, waits
        it "and then it goes on: the exception is ignored until it is cleared"
        window
        fld1
        fwait
        window
        expect_var COUNT, 1
        expect_sw 0x80, 0x80
        it "the latch stays set until port F0h is written: no second edge before"
        fnclex
        break_it
        sti
        nop
        fwait
        nop
        cli
        expect_var COUNT, 1
        it "behind that the next exception counts again"
        xor al, al
        out 0xf0, al
        fnclex
        break_it
        sti
        nop
second:
        fld1
        nop
        cli
        expect_var COUNT, 2
        expect_var_is v_ip, second
        it "the instruction that waited was executed once"
        fnstsw ax
        and eax, 7 << 11
        expect_eq eax, 5 << 11
        xor al, al
        out 0xf0, al
        it "FNSTSW, FNSTCW and FNCLEX do not wait"
        fnclex
        break_it
        sti
        nop
        fnstsw ax
        fnstcw [FLOATS]
        fnclex
        nop
        cli
        expect_var COUNT, 2
        it "a masked exception asserts nothing"
        fninit
        fld1
        fldz
        fdivp st1, st0
        sti
        nop
        fwait
        nop
        cli
        expect_var COUNT, 2
        it "an MMX instruction asserts it, too"
        break_it
        sti
        nop
mmx:
        movd mm0, eax
        nop
        cli
        expect_var COUNT, 3
        expect_var_is v_ip, mmx
        out 0xf0, al
        it "with interrupts off it is kept for later, and nothing faults"
        fninit
        break_it
        fwait
        fwait
        expect_var COUNT, 3
        window
        expect_var COUNT, 4
        out 0xf0, al
        it "an exception that FLDCW unmasks counts"
        fninit
        fld1
        fldz
        fdivp st1, st0
        set_cw CW_DEFAULT & ~ZE
        sti
        nop
unmasked:
        fld1
        nop
        cli
        expect_var COUNT, 5
        expect_var_is v_ip, unmasked
        out 0xf0, al
        it "with CR0.NE it is #MF and no interrupt"
        fnclex
        mov eax, cr0
        or eax, CR0_NE
        mov cr0, eax
        break_it
        faults X_MF, NONE, fwait
        fnclex
        window
        expect_var COUNT, 5
        finish

        image_end
