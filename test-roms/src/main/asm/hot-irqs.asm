; Interrupts while hot code runs.
;
; checks: loops that only an interrupt's handler ends, registers and flags across thousands of interrupts, a loop counter
;         that stays exact, long REP instructions, code with interrupts off, STI in a hot loop, HLT, a handler that changes
;         the interrupted code, one that changes where it returns to
; see: SDM 3A 6.6, 6.8 (enabling and disabling interrupts), 11.5.4 (APIC timer)
; needs: cpus=1
; status: 33
; assertions: 11

%include "lib/rom.inc"
%include "lib/chips.inc"

VECTOR  equ 0x40
BUFFER  equ FREE
BYTES   equ 0x20000

var     ticks
var     stop
var     moved

; The handler's hook: counts, ends the interrupt, and does what the test wants.
tick:
        cmp dword [v_vec], VECTOR
        jne .unexpected
        inc dword [ticks]
        mov dword [APIC_EOI], 0
        mov eax, [ticks]
        cmp eax, [stop]
        jb .on
        cmp dword [moved], 0
        je .on
        mov eax, [moved]
        mov [ebx], eax
.on:
        ret
.unexpected:
        unreachable
        finish

; Interrupts of the APIC timer every so many nanoseconds (the bus clock is 1 GHz; other machines: some such time).
%macro ticks_on 1
        mov dword [ticks], 0
        mov dword [v_hook], tick
        mov dword [APIC_TIMER_DCR], 0xb ; by 1
        mov dword [APIC_LVT_TIMER], VECTOR | APIC_PERIODIC
        mov dword [APIC_TIMER_ICR], %1
%endmacro
%macro ticks_off 0
        cli
        mov dword [APIC_LVT_TIMER], APIC_MASKED
        mov dword [APIC_TIMER_ICR], 0
        sti
        nop
        nop
        cli
        mov dword [v_hook], 0
%endmacro

main:
        apic_on
        mov dword [stop], 0xffffffff
        it "a loop that does nothing but look at what the handler counts"
        ticks_on 100000
        sti
.spin:
        cmp dword [ticks], 20
        jb .spin
        ticks_off
        it "the same with PAUSE, and with the flag in a register of its own page"
        ticks_on 100000
        mov edi, ticks
        sti
.pause_spin:
        pause
        mov eax, [edi]
        cmp eax, 20
        jb .pause_spin
        ticks_off
        it "a jump to itself, which the handler ends by another return address"
        mov dword [stop], 5
        mov dword [moved], .left
        ticks_on 100000
        sti
.self:  jmp .self
.left:
        cli
        mov dword [moved], 0
        mov dword [stop], 0xffffffff
        ticks_off
        it "all registers and flags are kept over hundreds of interrupts"
        ticks_on 50000
        mov eax, 0x11111111
        mov ecx, 0x22222222
        mov edx, 0x33333333
        mov esi, 0x44444444
        mov edi, 0x55555555
        mov ebp, 0x66666666
        sti
.keep:
        cmp eax, 0x11111111
        jne .lost
        stc
        cmc
        jc .lost
        cmp ecx, 0x22222222
        jne .lost
        cmp edx, 0x33333333
        jne .lost
        std
        cld
        cmp esi, 0x44444444
        jne .lost
        cmp edi, 0x55555555
        jne .lost
        sub ebp, 0x66666666
        jnz .lost
        mov ebp, 0x66666666
        cmp dword [ticks], 300
        jb .keep
        jmp .kept
.lost:
        unreachable
.kept:
        ticks_off
        it "a loop's count stays exact"
        ticks_on 50000
        sti
        mov ecx, 3000000
        xor eax, eax
        xor edx, edx
.exact:
        add eax, 3
        adc edx, 0
        dec ecx
        jnz .exact
        ticks_off
        expect_eq eax, 9000000
        expect_eq edx, 0
        it "REP STOSB and REP CMPSB of 128 KiB are complete whatever comes between"
        ticks_on 30000
        sti
        mov ebp, 40
.strings:
        mov edi, BUFFER
        mov ecx, BYTES
        mov eax, ebp
        rep stosb
        mov esi, BUFFER
        mov edi, BUFFER + BYTES / 2
        mov ecx, BYTES / 2
        repe cmpsb
        jne .strings_bad
        test ecx, ecx
        jnz .strings_bad
        dec ebp
        jnz .strings
        jmp .strings_good
.strings_bad:
        unreachable
.strings_good:
        ticks_off
        it "with interrupts off none comes, however long the loop"
        ticks_on 50000
        mov ecx, 2000000
.off:
        dec ecx
        jnz .off
        expect_var ticks, 0
        it "it comes right after STI and one more instruction"
        sti
        inc ecx
.after_inc:
        cli
        expect_eq ecx, 1
        cmp dword [ticks], 1            ; another may have come due meanwhile
        jae .one
        unreachable
.one:
        ticks_off
        it "STI and CLI in a hot loop let one in at a time"
        ticks_on 50000
        mov ecx, 0x7fffffff
.windows:
        sti
        nop
        cli
        dec ecx
        cmp dword [ticks], 50
        jb .windows
        ticks_off
        it "HLT in a loop wakes once an interrupt"
        ticks_on 200000
        xor esi, esi
.halts:
        sti
        hlt
        inc esi
        cmp dword [ticks], 30
        jb .halts
        ticks_off
        cmp esi, 30
        jbe .halts_good
        unreachable
.halts_good:
        it "the handler changes the code that it interrupted"
        mov dword [v_hook], patch
        mov dword [ticks], 0
        mov byte [.patched], 0xeb       ; jmp $
        mov dword [APIC_LVT_TIMER], VECTOR
        mov dword [APIC_TIMER_ICR], 1000000
        sti
.patched:
        db 0xeb, 0xfe
        cli
        expect_var ticks, 1
        ticks_off
        finish

patch:
        inc dword [ticks]
        mov dword [APIC_EOI], 0
        mov word [main.patched], 0x9090
        ret

        image_end
