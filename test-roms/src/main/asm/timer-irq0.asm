; Counter 0 of the 8254 and its interrupt through the 8259.
;
; checks: one interrupt a one-shot, none while masked, periods that go on, mode 4's strobe, a new count before the old one
;         is over, a handler that starts the next shot, that HLT waits, IF, an interrupt that is withdrawn
; see: Intel 8254 and 8259A data sheets
; needs: cpus=1
; status: 33
; Bochs: takes no notice of LINT0
; QEMU: a control word without a count changes nothing
; assertions: 10

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/transcript.inc"

COUNT   equ v_irqs + 0x20 * 4
var     shots

main:
        pic_on
        pit_quiet
        pic_init
        it "mode 0: one shot, one interrupt"
        pic_write PIC1_IMR, 0xfe
        pit 0, 0, 100
        sti
        wait_for COUNT, 1
        wait_us 3000
        cli
        mov ecx, [COUNT]
        show "count", ecx
        expect_eq ecx, 1
        it "another shot, another interrupt"
        pit 0, 0, 1000
        sti
        wait_for COUNT, 2
        wait_us 3000
        cli
        mov ecx, [COUNT]
        show "count", ecx
        expect_eq ecx, 2
        it "a control word without a count starts nothing"
        pit_quiet
        take_irqs 3000
        expect_var COUNT, 2
        it "mode 4: OUT rises with the control word, and again behind the strobe"
        mov al, 0x38
        out PIT_CONTROL, al
        take_irqs
        mov ecx, [COUNT]
        mov al, 0xf4
        out PIT_COUNTER0, al
        mov al, 1
        out PIT_COUNTER0, al
        sti
        wait_for COUNT, 4
        wait_us 3000
        cli
        expect_eq ecx, 3
        expect_var COUNT, 4
        it "masked it waits, unmasked it comes"
        pit_quiet
        pic_write PIC1_IMR, 0xff
        pend_irq0
        take_irqs
        mov ecx, [COUNT]
        pic_write PIC1_IMR, 0xfe
        take_irqs
        mov edi, [COUNT]
        expect_eq ecx, 4
        expect_eq edi, 5
        it "mode 2: again and again"
        pit 0, 2, 1193
        sti
        wait_for COUNT, 14
        cli
        pit_quiet
        take_irqs
        cmp dword [COUNT], 14
        jae .periodic
        unreachable
.periodic:
        it "mode 3 too"
        mov dword [COUNT], 0
        pit 0, 3, 1193
        sti
        wait_for COUNT, 10
        cli
        pit_quiet
        take_irqs
        cmp dword [COUNT], 10
        jae .square
        unreachable
.square:
        it "a new count before the old one is over: one interrupt, after the new one"
        mov dword [COUNT], 0
        pit 0, 0, 0xffff
        pit 0, 0, 500
        sti
        wait_for COUNT, 1
        wait_us 3000
        cli
        expect_var COUNT, 1
        it "HLT waits for each of five shots"
        mov dword [COUNT], 0
        mov ecx, 5
.shot:
        pit 0, 0, 1000
        sti
        hlt
        cli
        dec ecx
        jnz .shot
        mov ecx, [COUNT]
        show "count", ecx
        expect_eq ecx, 5
        it "a handler starts the next shot, ten times"
        mov dword [COUNT], 0
        mov dword [v_hook], again
        pit 0, 0, 100
        sti
        wait_for shots, 10
        wait_us 3000
        cli
        mov dword [v_hook], 0
        mov ecx, [shots]
        show "shots", ecx
        expect_eq ecx, 10
        finish

again:
        inc dword [shots]
        cmp dword [shots], 10
        jae .end
        pit 0, 0, 100
.end:
        mov eax, 0x20
        jmp note_irq32

        image_end
