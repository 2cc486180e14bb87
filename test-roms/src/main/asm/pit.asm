; The 8254.
;
; checks: modes 0, 2, 3, 4 and the gate by counter 2 and port 61, latch, read-back of status and count, low and high byte
;         access, BCD, null count, the rate against the ACPI PM timer
; see: Intel 8254 data sheet; Intel 82371 data sheet (port 61)
; needs: cpus=1
; status: 33
; QEMU: its 8254 takes no notice of the gate in mode 0, has neither null count nor BCD digits nor mode 1
; assertions: 18

%include "lib/rom.inc"
%include "lib/chips.inc"

%macro gate 1
        in al, PORT61
        and al, 0xfc
        or al, %1
        out PORT61, al
%endmacro
; AL = bit 5 of port 61, the output of counter 2, as 0 or 1.
%macro out2 0
        in al, PORT61
        shr al, 5
        and al, 1
%endmacro
; AL = status of a counter by read-back.
%macro status 1
        mov al, 0xe0 | (2 << (%1))
        out PIT_CONTROL, al
        in al, PIT_COUNTER0 + (%1)
%endmacro

main:
        it "mode 0: OUT is low until the count is over, then high"
        gate 1
        quickly
        pit 2, 0, 20000
        out2
        mov cl, al
        within 10000
        expect_eq cl, 0
        wait_us 25000
        out2
        expect_eq al, 1
        it "mode 0: the counter goes on after zero"
        pit_latch 2
        mov cx, ax
        wait_us 1000
        pit_latch 2
        cmp cx, ax
        jne .goes_on
        unreachable
.goes_on:
        it "the gate stops counting in mode 0"
        pit 2, 0, 60000
        wait_us 100
        gate 0
        pit_latch 2
        mov cx, ax
        wait_us 1000
        pit_latch 2
        expect_same ax, cx
        gate 1
        it "a latched count stays until it is read, low byte first"
        quickly
        pit 2, 0, 60000
        mov al, 0x80
        out PIT_CONTROL, al
        within 3000
        wait_us 5000
        in al, PIT_COUNTER2
        mov cl, al
        in al, PIT_COUNTER2
        mov ch, al
        cmp cx, 56000
        ja .latched
        unreachable
.latched:
        it "a second latch before the read is ignored"
        quickly
        pit 2, 0, 60000
        mov al, 0x80
        out PIT_CONTROL, al
        within 3000
        wait_us 10000
        mov al, 0x80
        out PIT_CONTROL, al
        in al, PIT_COUNTER2
        in al, PIT_COUNTER2
        cmp al, 56000 / 256
        ja .ignored
        unreachable
.ignored:
        it "read-back status: mode, access, BCD and OUT"
        pit 2, 2, 1000
        wait_us 100
        status 2
        and al, 0x3f
        expect_eq al, 0x34
        it "null count is set from the write to the load"
        mov al, 0xb0
        out PIT_CONTROL, al
        status 2
        and al, 0x40
        expect_eq al, 0x40
        mov al, 0x10
        out PIT_COUNTER2, al
        mov al, 0x27
        out PIT_COUNTER2, al
        wait_us 100
        status 2
        and al, 0x40
        expect_eq al, 0
        it "read-back of status and count: status comes first"
        quickly
        pit 2, 0, 60000
        mov al, 0xc8
        out PIT_CONTROL, al
        in al, PIT_COUNTER2
        mov cl, al
        in al, PIT_COUNTER2
        in al, PIT_COUNTER2
        mov ch, al
        within 1500
        and cl, 0x3f
        expect_eq cl, 0x30
        cmp ch, 58000 / 256
        jae .both
        unreachable
.both:
        it "mode 2: the count runs from N to 1"
        pit 2, 2, 100
        mov ecx, 2000
.mode2:
        pit_latch 2
        cmp ax, 0
        je .mode2_bad
        cmp ax, 100
        ja .mode2_bad
        loop .mode2
        jmp .mode2_good
.mode2_bad:
        unreachable
.mode2_good:
        it "mode 3: OUT is a square wave, the count goes in steps of 2"
        pit 2, 3, 2000
        mov esi, 0
        mov edi, 0
        mov ecx, 20000
.mode3:
        out2
        movzx eax, al
        add esi, eax
        inc edi
        pit_latch 2
        test al, 1
        jnz .mode3_bad
        loop .mode3
        ; between a quarter and three quarters of the samples are high
        mov eax, edi
        shr eax, 2
        cmp esi, eax
        jb .mode3_bad
        sub edi, esi
        cmp edi, eax
        jae .mode3_good
.mode3_bad:
        unreachable
.mode3_good:
        it "mode 3: the low gate makes OUT high"
        gate 0
        out2
        expect_eq al, 1
        gate 1
        it "mode 1: a rising gate starts the pulse"
        gate 0
        pit 2, 1, 30000
        out2
        expect_eq al, 1
        quickly
        gate 0
        gate 1
        wait_us 20                      ; OUT falls with the next clock
        out2
        mov cl, al
        within 10000
        expect_eq cl, 0
        wait_us 30000
        out2
        expect_eq al, 1
        it "mode 1: a new edge starts it again"
        quickly
        gate 0
        gate 1
        wait_us 20                      ; OUT falls with the next clock
        out2
        mov cl, al
        within 10000
        expect_eq cl, 0
        it "low byte access only"
        quickly
        mov al, 0x90                    ; counter 2, LSB, mode 0
        out PIT_CONTROL, al
        mov al, 200
        out PIT_COUNTER2, al
        in al, PIT_COUNTER2
        mov cl, al
        within 100
        cmp cl, 200
        jbe .lsb
        unreachable
.lsb:
        wait_us 300
        out2
        expect_eq al, 1
        it "high byte access only"
        quickly
        mov al, 0xa0                    ; counter 2, MSB, mode 0
        out PIT_CONTROL, al
        mov al, 0xff
        out PIT_COUNTER2, al
        in al, PIT_COUNTER2
        mov cl, al
        within 3000
        cmp cl, 0xf0
        jae .msb
        unreachable
.msb:
        it "BCD counts decimal digits"
        mov al, 0xb1                    ; counter 2, word, mode 0, BCD
        out PIT_CONTROL, al
        mov al, 0x00
        out PIT_COUNTER2, al
        mov al, 0x90
        out PIT_COUNTER2, al
        mov ecx, 300
.bcd:
        pit_latch 2
        mov bl, al
        and bl, 15
        cmp bl, 9
        ja .bcd_bad
        shr al, 4
        cmp al, 9
        ja .bcd_bad
        mov bl, ah
        and bl, 15
        cmp bl, 9
        ja .bcd_bad
        loop .bcd
        jmp .bcd_good
.bcd_bad:
        unreachable
.bcd_good:
        it "three ticks of the PM timer are one of the 8254 (within 5%, best of 20 tries)"
        mov ebp, 20
.rate:
        pit 2, 2, 0
        wait_us 20
        pm_timer
        mov esi, eax
        pit_latch 2
        movzx edi, ax
        wait_us 10000
        pit_latch 2
        movzx ecx, ax
        pm_timer
        sub eax, esi
        and eax, 0xffffff
        sub edi, ecx
        and edi, 0xffff
        lea ecx, [edi + edi * 2]
        sub ecx, eax
        jns .positive
        neg ecx
.positive:
        imul ecx, 20
        cmp ecx, eax
        jb .rate_good
        dec ebp
        jnz .rate
        unreachable
.rate_good:
        it "counter 0 interrupts at its rate: 50 periods of 1 ms take 45 to 80 ms of the PM timer, best of 10 tries"
        pic_on
        mov al, 0xfe
        out PIC1_IMR, al
        mov ebp, 10
.period:
        pit 0, 2, 1193
        mov dword [v_irqs + 0x20 * 4], 0
        pm_timer
        mov esi, eax
        sti
.more:
        hlt
        cmp dword [v_irqs + 0x20 * 4], 50
        jb .more
        cli
        pm_timer
        sub eax, esi
        and eax, 0xffffff
        cmp eax, 3579 * 45
        jb .again
        cmp eax, 3579 * 80
        jb .period_good
.again:
        dec ebp
        jnz .period
        unreachable
.period_good:
        mov al, 0xff
        out PIC1_IMR, al
        finish

        image_end
