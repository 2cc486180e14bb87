; Locked instructions of four CPUs on the same memory: no update is lost.
;
; checks: LOCK with every instruction that takes it, in 8, 16 and 32 bits, XCHG without it, neighbours in one word,
;         CMPXCHG8B, flags of the last of them
; see: SDM 3A 10.1.2 (bus locking), SDM 2 (LOCK)
; needs: cpus=4
; status: 33
; assertions: 22

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smp.inc"

CPUS    equ 4
ROUNDS  equ 2000
CELL    equ 0x60000
SUMS    equ 0x60100                     ; by id
SPIN    equ 0x60200

; each instruction: all CPUs execute it ROUNDS times at once.
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

; XADD: what each CPU got back is summed up.
take:
        barrier
        mov ebp, ROUNDS
        xor ecx, ecx
.again:
        mov eax, 1
        lock xadd [CELL], eax
        add ecx, eax
        dec ebp
        jnz .again
        mov [SUMS + edi * 4], ecx
        ret

; A counter by compare and exchange.
compare:
        barrier
        mov ebp, ROUNDS
.again:
        mov eax, [CELL]
.try:
        lea ecx, [eax + 1]
        lock cmpxchg [CELL], ecx
        jnz .try
        dec ebp
        jnz .again
        ret

compare8:
        barrier
        mov ebp, ROUNDS
.again:
        mov al, [CELL + 1]
.try:
        lea ecx, [eax + 1]
        lock cmpxchg [CELL + 1], cl
        jnz .try
        dec ebp
        jnz .again
        ret

compare16:
        barrier
        mov ebp, ROUNDS
.again:
        mov ax, [CELL + 2]
.try:
        lea ecx, [eax + 1]
        lock cmpxchg [CELL + 2], cx
        jnz .try
        dec ebp
        jnz .again
        ret

; Both halves count, the low one up and the high one down.
compare_pair:
        barrier
        mov esi, ROUNDS
.again:
        mov eax, [CELL]
        mov edx, [CELL + 4]
.try:
        lea ebx, [eax + 1]
        lea ecx, [edx - 1]
        lock cmpxchg8b [CELL]
        jnz .try
        dec esi
        jnz .again
        ret

; A lock of XCHG around a plain counter.
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
        inc dword [CELL]
        mov dword [SPIN], 0
        dec ebp
        jnz .again
        ret

; The same by BTS and BTR on bytes.
bits_lock:
        barrier
        mov ebp, ROUNDS
.again:
        lock bts dword [SPIN], 17
        jnc .mine
        pause
        jmp .again
.mine:
        inc dword [CELL]
        lock btr dword [SPIN], 17
        dec ebp
        jnz .again
        ret

; Each CPU has a bit: sets it, looks, clears it, looks. Failures are counted in SUMS.
own_bit:
        barrier
        mov dword [SUMS + edi * 4], 0
        mov ecx, edi
        mov ebx, 1
        shl ebx, cl
        mov edx, ebx
        not edx
        mov ebp, ROUNDS
.again:
        lock or [CELL], ebx
        test [CELL], ebx
        jnz .set
        inc dword [SUMS + edi * 4]
.set:
        lock and [CELL], edx
        test [CELL], ebx
        jz .clear
        inc dword [SUMS + edi * 4]
.clear:
        dec ebp
        jnz .again
        ret

%macro add_carry 0
        stc
        lock adc dword [CELL], 1
%endmacro
%macro subtract_carry 0
        stc
        lock sbb dword [CELL], 1
%endmacro

%macro fresh 0-1 0
        mov dword [CELL], %1
        mov dword [CELL + 4], 0
        mov dword [SPIN], 0
%endmacro

main:
        start_cpus CPUS
        it "lock inc, 32 bits"
        fresh
        each lock inc dword [CELL]
        expect_mem d, [CELL], CPUS * ROUNDS
        it "lock inc, 16 bits, and nothing spills into its neighbour"
        fresh
        each lock inc word [CELL]
        expect_mem d, [CELL], CPUS * ROUNDS & 0xffff
        it "lock inc, 8 bits"
        fresh
        each lock inc byte [CELL + 3]
        expect_mem d, [CELL], (CPUS * ROUNDS & 0xff) << 24
        it "lock dec"
        fresh CPUS * ROUNDS + 5
        each lock dec dword [CELL]
        expect_mem d, [CELL], 5
        it "lock add"
        fresh
        each lock add dword [CELL], 3
        expect_mem d, [CELL], CPUS * ROUNDS * 3
        it "lock add, 16 bits across two halves of a doubleword"
        fresh
        each lock add word [CELL + 1], 7
        expect_mem d, [CELL], (CPUS * ROUNDS * 7 & 0xffff) << 8
        it "lock sub"
        fresh
        each lock sub dword [CELL], 2
        expect_mem d, [CELL], (-CPUS * ROUNDS * 2) & 0xffffffff
        it "lock adc takes the carry of its own CPU"
        fresh
        each add_carry
        expect_mem d, [CELL], CPUS * ROUNDS * 2
        it "lock sbb too"
        fresh
        each subtract_carry
        expect_mem d, [CELL], (-CPUS * ROUNDS * 2) & 0xffffffff
        it "lock xor an even number of times"
        fresh 0x5a5a5a5a
        each lock xor dword [CELL], 0xffffffff
        expect_mem d, [CELL], 0x5a5a5a5a
        it "lock not"
        fresh 0x12345678
        each lock not dword [CELL]
        expect_mem d, [CELL], 0x12345678
        it "lock neg"
        fresh 77
        each lock neg dword [CELL]
        expect_mem d, [CELL], 77
        it "lock xadd: every number is handed out once"
        fresh
        on_all take
        expect_mem d, [CELL], CPUS * ROUNDS
        mov eax, [SUMS]
        add eax, [SUMS + 4]
        add eax, [SUMS + 8]
        add eax, [SUMS + 12]
        expect_eq eax, CPUS * ROUNDS * (CPUS * ROUNDS - 1) / 2
        it "lock cmpxchg, 32 bits"
        fresh
        on_all compare
        expect_mem d, [CELL], CPUS * ROUNDS
        it "lock cmpxchg, 8 bits"
        fresh
        on_all compare8
        expect_mem d, [CELL], (CPUS * ROUNDS & 0xff) << 8
        it "lock cmpxchg, 16 bits"
        fresh
        on_all compare16
        expect_mem d, [CELL], CPUS * ROUNDS << 16
        it "lock cmpxchg8b"
        fresh
        on_all compare_pair
        expect_mem d, [CELL], CPUS * ROUNDS
        expect_mem d, [CELL + 4], (-CPUS * ROUNDS) & 0xffffffff
        it "xchg locks without the prefix"
        fresh
        on_all exchange
        expect_mem d, [CELL], CPUS * ROUNDS
        it "lock bts and lock btr make a lock"
        fresh
        on_all bits_lock
        expect_mem d, [CELL], CPUS * ROUNDS
        it "lock btc an even number of times"
        fresh 0x80000000
        each lock btc dword [CELL], 31
        expect_mem d, [CELL], 0x80000000
        it "lock or and lock and of one bit leave the others' alone"
        fresh 0xffff0000
        on_all own_bit
        expect_mem d, [CELL], 0xffff0000
        mov eax, [SUMS]
        or eax, [SUMS + 4]
        or eax, [SUMS + 8]
        or eax, [SUMS + 12]
        expect_eq eax, 0
        all_well
        finish

        image_end
