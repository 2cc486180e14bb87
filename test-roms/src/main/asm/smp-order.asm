; Litmus tests of x86 memory ordering, 10,000 rounds each, every round in cache lines of its own.
;
; checks: message passing (by words, in mixed sizes, with a string instruction), store buffering without a fence (allowed;
;         how often it was seen is printed), with MFENCE, with XCHG and with a locked access to other memory, load buffering,
;         coherence of reads, 2+2W, S, R with MFENCE, write-to-read causality, independent reads of independent writes,
;         forwarding of own stores
; see: SDM 3A 9.2.2 and 9.2.3 (memory ordering, with examples); Owens, Sarkar, Sewell: A better x86 memory model (x86-TSO)
; needs: cpus=4
; status: 33
; assertions: 16

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smp.inc"

ROUNDS  equ 10000
LINE    equ 64
X       equ 0x400000
Y       equ 0x500000
OWN     equ 0x600000                    ; for the locked access; by id
R1      equ 0x800000
R2      equ 0x810000
R3      equ 0x820000
R4      equ 0x830000
SOURCE  equ 0x60000                     ; of the string instruction
THREADS equ 0x60100                     ; by id
BATCH   equ 0x60140                     ; rounds between two barriers

; thread NAME ... thread_end: one round on [X + ESI] and so on, results at [R1 + EBX]. EDI is 64 times the CPU's id; EAX, ECX,
; EDX and EDI may be used.
%macro thread 1
%1:
%push thread
%$round:
%endmacro
%macro thread_end 0
        add esi, LINE
        add ebx, 4
        dec ebp
        jnz %$round
        ret
%pop
%endmacro

; Two threads begin a round as closely together as they can. Clobbers ECX.
%macro meet 0
        mov ecx, edi
        xor ecx, LINE
        mov [OWN + edi + 4], ebx
%%wait:
        pause
        cmp [OWN + ecx + 4], ebx
        jl %%wait
%endmacro

; All rounds of this CPU's thread.
run:
        xor esi, esi
        xor ebx, ebx
.batch:
        barrier
        mov ebp, [BATCH]
        push edi
        mov eax, [THREADS + edi * 4]
        shl edi, 6
        call eax
        pop edi
        cmp ebx, ROUNDS * 4
        jb .batch
        ret

; litmus batch, threads...: clears memory and runs it.
%macro litmus 3-5
        mov dword [BATCH], %1
%assign cpu 0
%rep %0 - 1
%rotate 1
        mov dword [THREADS + cpu * 4], %1
%assign cpu cpu + 1
%endrep
        mov dword [SMP_CPUS], cpu
        call clear
        on_all run
%endmacro

clear:
        mov edi, X
        mov ecx, 0x100000 / 2           ; X and Y
        xor eax, eax
        rep stosd
        mov dword [OWN + 4], -4         ; of `meet`: no round yet
        mov dword [OWN + LINE + 4], -4
        mov edi, R1
        mov ecx, 0x40000 / 4
        rep stosd
        ret

; judge, ..., verdict: goes through all rounds; the lines between count what they find in EDX (forbidden) and ECX (seen).
%macro judge 0
%push judge
        xor esi, esi
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
%$round:
%endmacro
%macro unless 3                         ; unless condition, operand, value: the round is not of this kind
        cmp dword %2, %3
        j%1 %$next
%endmacro
%macro verdict 0-1 edx
        inc %1
%$next:
        add esi, LINE
        add ebx, 4
        cmp ebx, ROUNDS * 4
        jb %$round
%ifidni %1, edx
        expect_eq edx, 0
%endif
%pop
%endmacro

; Message passing.
thread mp_write
        mov dword [X + esi], 1
        mov dword [Y + esi], 1
thread_end
thread mp_read
        mov eax, [Y + esi]
        mov edx, [X + esi]
        mov [R1 + ebx], eax
        mov [R2 + ebx], edx
thread_end
thread mp_write_sizes
        mov byte [X + esi + 3], 1
        mov word [X + esi + 8], 1
        mov byte [Y + esi + 1], 1
thread_end
thread mp_read_sizes
        mov eax, [Y + esi]
        movzx edx, byte [X + esi + 3]
        mov edi, [X + esi + 8]
        and edx, edi
        shr eax, 8
        mov [R1 + ebx], eax
        mov [R2 + ebx], edx
thread_end
thread mp_write_string
        push esi
        lea edi, [X + esi]
        mov esi, SOURCE
        mov ecx, 12
        rep movsd
        pop esi
        mov dword [Y + esi], 1
thread_end
thread mp_read_string
        mov eax, [Y + esi]
        mov edx, [X + esi]
        and edx, [X + esi + 44]
        mov [R1 + ebx], eax
        mov [R2 + ebx], edx
thread_end

; Store buffering.
%macro lock_own 0
        lock add dword [OWN + edi], 1   ; no other CPU's
%endmacro
%macro store_then_load 3                ; name, instructions between
thread %1_0
        meet
        mov dword [X + esi], 1
        %2
        mov eax, [Y + esi]
        mov [R1 + ebx], eax
thread_end
thread %1_1
        meet
        mov dword [Y + esi], 1
        %3
        mov eax, [X + esi]
        mov [R2 + ebx], eax
thread_end
%endmacro
store_then_load sb, nop, nop
store_then_load sb_mfence, mfence, mfence
store_then_load sb_lock, lock_own, lock_own
thread sb_xchg_0
        meet
        mov eax, 1
        xchg [X + esi], eax
        mov eax, [Y + esi]
        mov [R1 + ebx], eax
thread_end
thread sb_xchg_1
        meet
        mov eax, 1
        xchg [Y + esi], eax
        mov eax, [X + esi]
        mov [R2 + ebx], eax
thread_end

; Load buffering.
thread lb_0
        mov eax, [X + esi]
        mov dword [Y + esi], 1
        mov [R1 + ebx], eax
thread_end
thread lb_1
        mov eax, [Y + esi]
        mov dword [X + esi], 1
        mov [R2 + ebx], eax
thread_end

; Coherence: one location goes 0, 1, 2.
thread co_write
        mov dword [X + esi], 1
        mov dword [X + esi], 2
thread_end
thread co_read
        mov eax, [X + esi]
        mov edx, [X + esi]
        mov [R1 + ebx], eax
        mov [R2 + ebx], edx
thread_end

; 2+2W.
thread ww_0
        mov dword [X + esi], 1
        mov dword [Y + esi], 2
thread_end
thread ww_1
        mov dword [Y + esi], 1
        mov dword [X + esi], 2
thread_end

; S.
thread s_0
        mov dword [X + esi], 2
        mov dword [Y + esi], 1
thread_end
thread s_1
        mov eax, [Y + esi]
        mov dword [X + esi], 1
        mov [R1 + ebx], eax
thread_end

; R.
thread r_0
        meet
        mov dword [X + esi], 1
        mov dword [Y + esi], 1
thread_end
thread r_1
        meet
        mov dword [Y + esi], 2
        mfence
        mov eax, [X + esi]
        mov [R1 + ebx], eax
thread_end

; Write-to-read causality, independent reads of independent writes.
thread write_x
        mov dword [X + esi], 1
thread_end
thread write_y
        mov dword [Y + esi], 1
thread_end
thread wrc_1
        mov eax, [X + esi]
        mov [Y + esi], eax
        mov [R1 + ebx], eax
thread_end
thread wrc_2
        mov eax, [Y + esi]
        mov edx, [X + esi]
        mov [R2 + ebx], eax
        mov [R3 + ebx], edx
thread_end
thread iriw_2
        mov eax, [X + esi]
        mov edx, [Y + esi]
        mov [R1 + ebx], eax
        mov [R2 + ebx], edx
thread_end
thread iriw_3
        mov eax, [Y + esi]
        mov edx, [X + esi]
        mov [R3 + ebx], eax
        mov [R4 + ebx], edx
thread_end

; Own stores are seen at once, whatever others see.
thread own_0
        mov dword [X + esi], 1
        mov eax, [X + esi]
        mov edx, [Y + esi]
        mov [R1 + ebx], eax
        mov [R2 + ebx], edx
thread_end
thread own_1
        mov dword [Y + esi], 1
        mov eax, [Y + esi]
        mov edx, [X + esi]
        mov [R3 + ebx], eax
        mov [R4 + ebx], edx
thread_end

main:
        mov edi, SOURCE
        mov ecx, 12
        mov eax, 1
        rep stosd
        start_cpus 4
        it "message passing"
        litmus 10, mp_write, mp_read
        judge
        unless ne, [R1 + ebx], 1
        unless ne, [R2 + ebx], 0
        verdict
        it "message passing in mixed sizes"
        litmus 10, mp_write_sizes, mp_read_sizes
        judge
        unless ne, [R1 + ebx], 1
        unless ne, [R2 + ebx], 0
        verdict
        it "message passing with a string instruction"
        litmus 10, mp_write_string, mp_read_string
        judge
        unless ne, [R1 + ebx], 1
        unless ne, [R2 + ebx], 0
        verdict
        it "store buffering gives zeros and ones only"
        litmus 100, sb_0, sb_1
        judge
        mov eax, [R1 + ebx]
        or eax, [R2 + ebx]
        cmp eax, 1
        jbe %$next
        verdict
        judge
        unless ne, [R1 + ebx], 0
        unless ne, [R2 + ebx], 0
        verdict ecx
        mov esi, s_seen
        call puts32
        mov eax, ecx
        call putdec32
        mov esi, s_of
        call puts32
        mov eax, ROUNDS
        call putdec32
        call newline32
        it "store buffering with mfence"
        litmus 100, sb_mfence_0, sb_mfence_1
        judge
        unless ne, [R1 + ebx], 0
        unless ne, [R2 + ebx], 0
        verdict
        it "store buffering with xchg"
        litmus 100, sb_xchg_0, sb_xchg_1
        judge
        unless ne, [R1 + ebx], 0
        unless ne, [R2 + ebx], 0
        verdict
        it "store buffering with a locked access to other memory"
        litmus 100, sb_lock_0, sb_lock_1
        judge
        unless ne, [R1 + ebx], 0
        unless ne, [R2 + ebx], 0
        verdict
        it "load buffering"
        litmus 10, lb_0, lb_1
        judge
        unless ne, [R1 + ebx], 1
        unless ne, [R2 + ebx], 1
        verdict
        it "coherence of reads"
        litmus 10, co_write, co_read
        judge
        mov eax, [R2 + ebx]
        unless be, [R1 + ebx], eax
        verdict
        it "two writers, two locations"
        litmus 10, ww_0, ww_1
        judge
        unless ne, [X + esi], 1
        unless ne, [Y + esi], 1
        verdict
        it "a store after a load is not before it"
        litmus 10, s_0, s_1
        judge
        unless ne, [R1 + ebx], 1
        unless ne, [X + esi], 2
        verdict
        it "a store, mfence, a load"
        litmus 100, r_0, r_1
        judge
        unless ne, [Y + esi], 2
        unless ne, [R1 + ebx], 0
        verdict
        it "write-to-read causality"
        litmus 50, write_x, wrc_1, wrc_2
        judge
        unless ne, [R1 + ebx], 1
        unless ne, [R2 + ebx], 1
        unless ne, [R3 + ebx], 0
        verdict
        it "independent reads of independent writes"
        litmus 50, write_x, write_y, iriw_2, iriw_3
        judge
        unless ne, [R1 + ebx], 1
        unless ne, [R2 + ebx], 0
        unless ne, [R3 + ebx], 1
        unless ne, [R4 + ebx], 0
        verdict
        it "own stores are seen at once"
        litmus 10, own_0, own_1
        judge
        mov eax, [R1 + ebx]
        and eax, [R3 + ebx]
        cmp eax, 1
        je %$next
        verdict
        all_well
        finish

        section .str
s_seen: db "note: the stores of both were buffered in ", 0
s_of:   db " rounds of ", 0
        section .text

        image_end
