; Locked accesses across cache lines and pages, from three CPUs.
;
; checks: LOCK across 8 bytes, a cache line and a page, 16 and 32 bits; XCHG and CMPXCHG8B there; a split access and plain
;         ones next to it; a split access and locked aligned ones to its parts
; see: SDM 3A 10.1.2.2 (software controlled bus locking: any alignment)
; needs: cpus=3
; status: 33
; assertions: 12

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smp.inc"

CPUS    equ 3
ROUNDS  equ 400
AREA    equ 0x60000
WORD8   equ AREA + 6                    ; across 8 bytes
LINE    equ AREA + 62                   ; across 64 bytes
PAGE    equ AREA + 0x1000 - 2           ; across a page
LINE16  equ AREA + 127
PAGE16  equ AREA + 0x2000 - 1
PAIR    equ AREA + 0x1000 - 4           ; of CMPXCHG8B
SPIN    equ AREA + 0x2000 - 3
SUM     equ AREA + 0x2100
BEFORE  equ LINE - 4
BEHIND  equ LINE + 4

%macro each 1+
        jmp %%over
%%function:
        barrier
        mov ebp, ROUNDS
%%again:
        %1
        dec ebp
        jnz %%again
        ret
%%over:
        on_all %%function
%endmacro

pairs:
        barrier
        mov esi, ROUNDS
.again:
        mov eax, [PAIR]
        mov edx, [PAIR + 4]
.try:
        lea ebx, [eax + 1]
        lea ecx, [edx + 2]
        lock cmpxchg8b [PAIR]
        jnz .try
        dec esi
        jnz .again
        ret

exchange:
        barrier
        mov ebp, ROUNDS
.again:
        mov eax, 1
.spin:
        xchg [SPIN], eax
        test eax, eax
        jz .mine
        pause
        jmp .spin
.mine:
        inc dword [SUM]
        mov dword [SPIN], 0
        dec ebp
        jnz .again
        ret

; CPU 0 counts across the line; the others write beside it without LOCK, where nobody else does.
neighbours:
        barrier
        mov ebp, ROUNDS
        cmp edi, 1
        je .before
        ja .behind
.across:
        lock inc dword [LINE]
        dec ebp
        jnz .across
        ret
.before:
        inc word [BEFORE + 2]
        dec ebp
        jnz .before
        ret
.behind:
        inc word [BEHIND]
        dec ebp
        jnz .behind
        ret

; CPU 0 adds to both halves at once, each of the others to its own half by an aligned instruction.
halves:
        barrier
        mov ebp, ROUNDS
        cmp edi, 1
        je .low
        ja .high
.across:
        lock add dword [LINE], 0x00010001
        dec ebp
        jnz .across
        ret
.low:
        lock inc word [LINE]
        dec ebp
        jnz .low
        ret
.high:
        lock inc word [LINE + 2]
        dec ebp
        jnz .high
        ret

; CPU 0 writes all ones or all zeros across the line by XCHG; the others read by a locked access: never a mixture.
mixture:
        barrier
        mov ebp, ROUNDS
        cmp edi, 0
        jne .read
        xor eax, eax
.write:
        mov ecx, eax
        not ecx
        mov eax, ecx
        xchg [LINE], ecx
        dec ebp
        jnz .write
        ret
.read:
        xor eax, eax
        lock xadd [LINE], eax
        lea ecx, [eax + 1]
        cmp ecx, 1
        jbe .whole
        lock inc dword [SUM]
.whole:
        dec ebp
        jnz .read
        ret

%macro fresh 0
        pushad
        mov edi, AREA
        mov ecx, 0x2200 / 4
        xor eax, eax
        rep stosd
        popad
%endmacro

main:
        start_cpus CPUS
        it "across 8 bytes"
        fresh
        each lock inc dword [WORD8]
        expect_mem d, [WORD8], CPUS * ROUNDS
        it "across a cache line"
        fresh
        each lock inc dword [LINE]
        expect_mem d, [LINE], CPUS * ROUNDS
        it "across a page"
        fresh
        each lock add dword [PAGE], 0x01000001
        expect_mem d, [PAGE], CPUS * ROUNDS * 0x01000001 & 0xffffffff
        it "16 bits across a cache line"
        fresh
        each lock add word [LINE16], 0x101
        expect_mem w, [LINE16], CPUS * ROUNDS * 0x101 & 0xffff
        it "16 bits across a page"
        fresh
        each lock sub word [PAGE16], 3
        expect_mem w, [PAGE16], (-CPUS * ROUNDS * 3) & 0xffff
        it "64 bits across a page"
        fresh
        on_all pairs
        expect_mem d, [PAIR], CPUS * ROUNDS
        expect_mem d, [PAIR + 4], CPUS * ROUNDS * 2
        it "bytes around it stay as they are"
        expect_mem d, [PAIR - 4], 0
        expect_mem d, [PAIR + 8], 0
        it "xchg across a page makes a lock"
        fresh
        on_all exchange
        expect_mem d, [SUM], CPUS * ROUNDS
        it "plain writes beside a split access are not lost"
        fresh
        on_all neighbours
        expect_mem d, [LINE], ROUNDS
        expect_mem w, [BEFORE + 2], ROUNDS
        expect_mem w, [BEHIND], ROUNDS
        it "nor are locked ones to its halves"
        fresh
        on_all halves
        expect_mem w, [LINE], 2 * ROUNDS
        expect_mem w, [LINE + 2], 2 * ROUNDS
        it "a locked read never sees half of a locked write"
        fresh
        on_all mixture
        expect_mem d, [SUM], 0
        all_well
        finish

        image_end
