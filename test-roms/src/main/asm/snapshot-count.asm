; A count that goes on where it stopped, for a machine that is saved in the middle and restored somewhere else.
;
; checks: registers, memory, CMOS RAM, UART, 8254, PM timer and time-stamp counter keep their state; time does not go back
; see: SoftKVM's README, "Snapshots"; on any other machine it counts without a stop
; needs: cpus=1
; status: 33
; assertions: 30

%include "lib/rom.inc"
%include "lib/chips.inc"

COUNTS  equ 20
AREA    equ 0x200000
WORDS   equ 0x4000
COM1_SCRATCH equ 0x3ff

; Kept in registers from count to count: ESI the count, EBP the sum of all counts, EBX and EDI a pattern.
main:
        mov edi, AREA
        mov ecx, WORDS
        xor eax, eax
        rep stosd
        mov al, 0x3a                    ; a cell of the CMOS RAM that nobody uses
        out CMOS_INDEX, al
        mov al, 0x5a
        out CMOS_DATA, al
        mov dx, COM1_SCRATCH
        mov al, 0xc3
        out dx, al
        pit 2, 3, 0x1234
        xor esi, esi
        xor ebp, ebp
        mov ebx, 0x13579bdf
        mov edi, 0x2468ace0

%assign n 1
%rep COUNTS
%defstr digits n
%strcat title "count ", digits
        it title
        call count
        expect_eq esi, n
%assign n n + 1
%endrep

        it "the sum of all counts is in its register"
        expect_eq ebp, COUNTS * (COUNTS + 1) / 2
        it "a register that nobody changed: EBX"
        expect_eq ebx, 0x13579bdf
        it "a register that nobody changed: EDI"
        expect_eq edi, 0x2468ace0
        it "64 KiB of memory hold the sum in each word"
        mov edi, AREA
        mov ecx, WORDS
        mov eax, ebp
        repe scasd
        expect_eq ecx, 0
        it "the CMOS RAM keeps its byte"
        mov al, 0x3a
        out CMOS_INDEX, al
        in al, CMOS_DATA
        movzx eax, al
        expect_eq eax, 0x5a
        it "the index of the CMOS RAM is what was written last"
        in al, CMOS_DATA
        movzx eax, al
        expect_eq eax, 0x5a
        it "the scratch register of the UART keeps its byte"
        mov dx, COM1_SCRATCH
        in al, dx
        movzx eax, al
        expect_eq eax, 0xc3
        it "counter 2 of the 8254 is in mode 3, binary, low byte then high byte"
        mov al, 0xe8                    ; read back: the status of counter 2
        out PIT_CONTROL, al
        in al, PIT_COUNTER2
        and eax, 0x3f
        expect_eq eax, 0x36
        it "the time-stamp counter never went back"
        mov eax, [v_back]
        expect_eq eax, 0
        it "the interrupt flag is off, as ever"
        pushfd
        pop eax
        and eax, 0x200
        expect_eq eax, 0
        finish

; One step: adds the next count to each word and to EBP, and looks at the clock. Keeps EBX and EDI.
count:
        inc esi
        add ebp, esi
        push edi
        mov edi, AREA
        mov ecx, WORDS
.word:
        add [edi], esi
        add edi, 4
        dec ecx
        jnz .word
        pop edi
        rdtsc
        sub eax, [v_tsc]
        sbb edx, [v_tsc + 4]
        jnb .later
        inc dword [v_back]
.later:
        rdtsc
        mov [v_tsc], eax
        mov [v_tsc + 4], edx
        ret

        align 8
v_tsc:  dq 0
v_back: dd 0

        image_end
