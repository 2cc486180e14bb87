; Spinning: what systems build of loads, stores, LOCK and PAUSE. Four CPUs, which the host may not have.
;
; checks: a test-and-set lock with PAUSE, a ticket lock, a queue of waiters, a lock for readers and writers, a sequence
;         lock, a barrier, a ring between two CPUs without any LOCK, a flag waited for without PAUSE, handing a token round,
;         the time-stamp counter never goes back from one CPU to the next
; see: SDM 2 (PAUSE), SDM 3A 9.2.2 (memory ordering), 18.17 (time-stamp counter)
; needs: cpus=4
; status: 33
; assertions: 11

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smp.inc"

CPUS    equ 4
ROUNDS  equ 1000
TOKENS  equ 200
LOCKS   equ 0x60000
TICKET  equ LOCKS + 64
SERVED  equ LOCKS + 128
TAIL    equ LOCKS + 192
SUM     equ LOCKS + 256
SUM2    equ LOCKS + 320
WRONG   equ LOCKS + 384
READERS equ LOCKS + 448
SEQ     equ LOCKS + 512
TOKEN   equ LOCKS + 576
HEAD    equ LOCKS + 640
BACK    equ LOCKS + 704
STAMP   equ LOCKS + 768                 ; 8 bytes
NODES   equ LOCKS + 0x800               ; of the queue: next, waiting; 64 bytes by id
RING    equ LOCKS + 0x1000              ; 64 dwords

; Both sums are equal whenever nobody is inside.
%macro work 0
        mov eax, [SUM]
        inc eax
        mov [SUM], eax
        mov edx, [SUM2]
        inc edx
        mov [SUM2], edx
        cmp eax, edx
        je %%right
        lock inc dword [WRONG]
%%right:
%endmacro

test_and_set:
        mov ebp, ROUNDS
.again:
        lock bts dword [LOCKS], 0
        jnc .mine
.spin:
        pause
        test dword [LOCKS], 1
        jnz .spin
        jmp .again
.mine:
        work
        mov dword [LOCKS], 0
        dec ebp
        jnz .again
        ret

ticket:
        mov ebp, ROUNDS
.again:
        mov ecx, 1
        lock xadd [TICKET], ecx
.spin:
        cmp [SERVED], ecx
        je .mine
        pause
        jmp .spin
.mine:
        work
        inc dword [SERVED]
        dec ebp
        jnz .again
        ret

queue:
        mov ebp, ROUNDS
        mov ebx, edi
        shl ebx, 6
        add ebx, NODES
.again:
        mov dword [ebx], 0
        mov dword [ebx + 4], 1
        mov esi, ebx
        xchg [TAIL], esi
        test esi, esi
        jz .mine
        mov [esi], ebx
.spin:
        pause
        cmp dword [ebx + 4], 0
        jne .spin
.mine:
        work
        cmp dword [ebx], 0
        jne .next
        mov eax, ebx
        xor ecx, ecx
        lock cmpxchg [TAIL], ecx
        jz .left
.comes:
        pause
        cmp dword [ebx], 0
        je .comes
.next:
        mov esi, [ebx]
        mov dword [esi + 4], 0
.left:
        dec ebp
        jnz .again
        ret

; CPUs 0 and 1 write, 2 and 3 read. READERS: number of readers, or 80000000h for a writer.
readers_writers:
        mov ebp, ROUNDS
        cmp edi, 2
        jae .read
.write:
        xor eax, eax
        mov ecx, 0x80000000
        lock cmpxchg [READERS], ecx
        jz .alone
        pause
        jmp .write
.alone:
        work
        mov dword [READERS], 0
        dec ebp
        jnz .write
        ret
.read:
        mov eax, [READERS]
        test eax, eax
        js .wait
        lea ecx, [eax + 1]
        lock cmpxchg [READERS], ecx
        jz .look
.wait:
        pause
        jmp .read
.look:
        mov eax, [SUM]
        pause
        cmp [SUM2], eax
        je .same
        lock inc dword [WRONG]
.same:
        lock dec dword [READERS]
        dec ebp
        jnz .read
        ret

; CPU 0 writes, the others read; odd numbers in SEQ while it writes. No LOCK anywhere.
sequence:
        mov ebp, ROUNDS
        test edi, edi
        jnz .read
.write:
        inc dword [SEQ]
        inc dword [SUM]
        inc dword [SUM2]
        inc dword [SEQ]
        dec ebp
        jnz .write
        ret
.read:
        mov ecx, [SEQ]
        test cl, 1
        jz .even
        pause
        jmp .read
.even:
        mov eax, [SUM]
        mov edx, [SUM2]
        cmp [SEQ], ecx
        jne .read
        cmp eax, edx
        je .same
        lock inc dword [WRONG]
.same:
        dec ebp
        jnz .read
        ret

; Each passes the barrier 200 times; nobody may be a round ahead.
rounds:
        mov ebp, TOKENS
.again:
        lock inc dword [SUM]
        barrier
        mov eax, TOKENS + 1
        sub eax, ebp
        imul eax, eax, CPUS
        cmp [SUM], eax
        je .right
        lock inc dword [WRONG]
.right:
        barrier
        dec ebp
        jnz .again
        ret

; CPU 0 puts numbers into a ring, CPU 1 takes them out: plain loads and stores only.
ring:
        cmp edi, 1
        je .take
        ja .end
        xor ebp, ebp
.put:
        mov eax, ebp
        sub eax, [BACK]
        cmp eax, 64
        jb .room
        pause
        jmp .put
.room:
        mov ecx, ebp
        and ecx, 63
        mov [RING + ecx * 4], ebp
        inc ebp
        mov [HEAD], ebp
        cmp ebp, ROUNDS * 5
        jb .put
.end:
        ret
.take:
        xor ebp, ebp
.more:
        cmp [HEAD], ebp
        jne .there
        pause
        jmp .more
.there:
        mov ecx, ebp
        and ecx, 63
        cmp [RING + ecx * 4], ebp
        je .right
        inc dword [WRONG]
.right:
        inc ebp
        mov [BACK], ebp
        cmp ebp, ROUNDS * 5
        jb .more
        ret

; The token goes round; each CPU waits for its own number without PAUSE.
pass:
        mov ebp, edi
.mine:
        cmp [TOKEN], ebp
        jne .mine
        inc dword [TOKEN]
        add ebp, CPUS
        cmp ebp, TOKENS
        jb .mine
        ret

; Each CPU reads the counter when it has the token, and compares it with what the one before has read.
stamps:
        mov ebp, edi
.mine:
        pause
        cmp [TOKEN], ebp
        jne .mine
        lfence
        rdtsc
        cmp edx, [STAMP + 4]
        ja .later
        jb .back
        cmp eax, [STAMP]
        jae .later
.back:
        inc dword [WRONG]
.later:
        mov [STAMP], eax
        mov [STAMP + 4], edx
        inc dword [TOKEN]
        add ebp, CPUS
        cmp ebp, TOKENS
        jb .mine
        ret

%macro fresh 0
        mov edi, LOCKS
        mov ecx, 0x1100 / 4
        xor eax, eax
        rep stosd
%endmacro
%macro with 2                           ; function, expected sum
        fresh
        on_all %1
        expect_var WRONG, 0
        expect_mem d, [SUM], %2
%endmacro

main:
        start_cpus CPUS
        it "a test-and-set lock"
        with test_and_set, CPUS * ROUNDS
        it "a ticket lock"
        with ticket, CPUS * ROUNDS
        it "a queue lock"
        with queue, CPUS * ROUNDS
        it "readers and writers"
        with readers_writers, 2 * ROUNDS
        it "a sequence lock"
        with sequence, ROUNDS
        it "a barrier"
        with rounds, CPUS * TOKENS
        it "a ring without locks"
        with ring, 0
        it "a token, handed round without PAUSE"
        with pass, 0
        it "it was handed on each time"
        expect_mem d, [TOKEN], TOKENS
        it "the time-stamp counters agree"
        with stamps, 0
        all_well
        finish

        image_end
