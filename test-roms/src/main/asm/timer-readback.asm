; The 8254 by reading it: no interrupt, nothing that depends on how fast the machine is.
;
; checks: mode, access and BCD bits in the status of all counters, OUT of each mode before and after its count, null count,
;         latches, the gate of counter 2, a counter that stands still
; see: Intel 8254 data sheet
; needs: cpus=1
; status: 33
; QEMU: has no null count; a control word without a count, and the gate, change nothing that can be read
; assertions: 12

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/transcript.inc"

; AL = status of a counter, by read-back.
%macro status 1
        mov al, 0xe0 | (2 << (%1))
        out PIT_CONTROL, al
        in al, PIT_COUNTER0 + (%1)
%endmacro
; Control word alone: the counter waits for its count.
%macro control 3                        ; counter, access, mode and BCD
        mov al, ((%1) << 6) | ((%2) << 4) | (%3)
        out PIT_CONTROL, al
%endmacro
%macro gate 1
        mov al, %1
        out PORT61, al
%endmacro
; Waits until OUT of counter 2 is as given, 2 s at most; EAX is what it was last.
%macro wait_out2 1
        pm_timer
        mov ebx, eax
%%again:
        in al, PORT61
        and al, 0x20
        cmp al, (%1) << 5
        je %%done
        pm_timer
        sub eax, ebx
        and eax, 0xffffff
        cmp eax, 3579545 * 2
        jb %%again
        in al, PORT61
%%done:
        shr al, 5
        and eax, 1
%endmacro
%macro out2 0                           ; EAX = OUT of counter 2
        in al, PORT61
        shr al, 5
        and eax, 1
%endmacro

main:
        gate 0
        it "the status of counter 0 has the control word, and null count until there is a count"
        mov edi, FREE
%assign m 0
%rep 6
        control 0, 3, m << 1
        status 0
        stosb
%assign m m + 1
%endrep
        pit_quiet
        mov eax, [FREE]
        show "modes 0-3", eax
        movzx ecx, word [FREE + 4]
        show "modes 4-5", ecx
        expect_eq eax, 0xf6f4f270       ; OUT is low in mode 0 alone
        expect_eq ecx, 0xfaf8
        it "the same of counter 2, low byte only"
        mov edi, FREE
%assign m 0
%rep 6
        control 2, 1, m << 1
        status 2
        stosb
%assign m m + 1
%endrep
        mov eax, [FREE]
        show "modes 0-3", eax
        movzx ecx, word [FREE + 4]
        show "modes 4-5", ecx
        expect_eq eax, 0xd6d4d250
        expect_eq ecx, 0xdad8
        it "high byte only, BCD"
        control 2, 2, 5
        status 2
        movzx ecx, al
        show "status", ecx
        expect_eq ecx, 0xe5
        it "null count goes when the count is loaded"
        pit 2, 0, 0xffff
        gate 1
        mov ecx, 100000
.null:
        status 2
        test al, 0x40
        loopnz .null
        and al, 0x7f                    ; OUT rises when the count is over
        movzx ecx, al
        show "status", ecx
        expect_eq ecx, 0x30
        it "the count moves while the gate is high and stands while it is low"
        gate 0
        pit_latch 2
        movzx ecx, ax
        wait_us 1000
        pit_latch 2
        movzx edi, ax
        gate 1
        wait_us 1000
        gate 0
        pit_latch 2
        movzx esi, ax
        expect_same ecx, edi
        cmp esi, edi
        jne .moved
        unreachable
.moved:
        it "mode 0: OUT rises when the count is over"
        pit 2, 0, 200
        out2
        mov ecx, eax
        gate 1
        wait_out2 1
        mov ch, al
        show "OUT", ecx
        expect_eq ecx, 0x100
        it "and falls with the next control word"
        control 2, 3, 0
        out2
        expect_eq eax, 0
        it "mode 1: OUT is low from the gate's edge for as long as the count"
        mov esi, 20                     ; a host may stop the CPU for as long as the pulse takes
.pulse:
        gate 0
        pit 2, 1, 0xffff
        out2
        mov ecx, eax
        gate 1
        in al, PORT61
        in al, PORT61
        test al, 0x20
        jz .low
        dec esi
        jnz .pulse
        mov ch, 1
.low:
        wait_out2 1
        shl eax, 16
        or ecx, eax
        show "OUT", ecx
        expect_eq ecx, 0x10001
        it "mode 3: OUT goes up and down by itself, and is high while the gate is low"
        gate 1
        pit 2, 3, 6000
        wait_out2 0
        mov ecx, eax
        wait_out2 1
        mov ch, al
        wait_out2 0
        gate 0
        out2
        shl eax, 16
        or ecx, eax
        show "OUT", ecx
        expect_eq ecx, 0x10100
        it "a latch holds both bytes, a second latch changes nothing"
        pit 2, 2, 0xffff
        gate 1
        mov al, 0x80
        out PIT_CONTROL, al
        in al, PIT_COUNTER2
        mov cl, al
        wait_us 2000
        mov al, 0x80
        out PIT_CONTROL, al
        in al, PIT_COUNTER2
        mov ch, al
        gate 0
        pit_latch 2
        mov edi, eax
        pit_latch 2
        expect_same edi, eax
        it "read-back of several counters latches each"
        pit 2, 0, 0x2222
        mov al, 0xd0 | 0x0a             ; counts of counters 0 and 2
        out PIT_CONTROL, al
        in al, PIT_COUNTER2
        mov cl, al
        in al, PIT_COUNTER2
        mov ch, al
        in al, PIT_COUNTER0
        in al, PIT_COUNTER0
        status 2
        and al, 0x3f
        movzx edi, al
        show "status", edi
        expect_eq edi, 0x30
        it "all three answer at once with their modes"
        control 0, 3, 4
        control 1, 1, 4
        control 2, 3, 6
        mov al, 0xee
        out PIT_CONTROL, al
        in al, PIT_COUNTER0
        mov cl, al
        in al, PIT_COUNTER1
        mov ch, al
        in al, PIT_COUNTER2
        shl eax, 16
        movzx ecx, cx
        and eax, 0xff0000
        or ecx, eax
        show "statuses", ecx
        expect_eq ecx, 0xf6d4f4
        finish

        image_end
