; Page tables that several CPUs use: shoot-down by interrupts, accessed and dirty bits.
;
; checks: after INVLPG in an interrupt no CPU uses the old translation, be it another frame, no write or not present; a CR3
;         load does the same; pages that become present need nothing; accessed and dirty bits are set by locked accesses, so
;         a CPU that changes the entry meanwhile loses nothing, and a write without a dirty bit never happened
; see: SDM 3A 4.10.5 (propagation of paging-structure changes), 4.8 (accessed and dirty flags), 10.1.2.1 (automatic locking)
; needs: cpus=2
; status: 33
; assertions: 11

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smp.inc"

PD      equ PAGE_TABLES
PT0     equ PAGE_TABLES + 0x1000
PT1     equ PAGE_TABLES + 0x2000        ; of 400000
PAGE    equ 0x400000                    ; the page that the tests change
PTE     equ PT1
P_P     equ 1
P_W     equ 2
P_A     equ 0x20
P_D     equ 0x40
P_PS    equ 0x80
FRAME   equ 0x60000                     ; 16 frames
ROUNDS  equ 400

FLAG    equ 0x71000
ANSWER  equ 0x71040
WRONG   equ 0x71080
STOP    equ 0x710c0
FAULTS  equ 0x71100
SHOT    equ 0x71140                     ; shoot-downs that have been done
BY_CR3  equ 0x71180

; The interrupt of a shoot-down.
shoot:
        cmp eax, 0x41
        jne .end
        cmp dword [BY_CR3], 0
        jne .all
        invlpg [PAGE]
        jmp .done
.all:
        mov ecx, cr3
        mov cr3, ecx
.done:
        inc dword [SHOT]
.end:
        ret

; Sends it to CPU 1 and waits.
%macro shoot_down 0
        mov ecx, [SHOT]
        inc ecx
        send_to 1, 0x41
        await [SHOT], ecx
        invlpg [PAGE]
%endmacro

paging:
        mov eax, cr4
        or eax, 0x10                    ; PSE
        mov cr4, eax
        mov eax, PD
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80010000              ; PG, WP
        mov cr0, eax
        jmp .on
.on:
        ret

; Reads the page in each round and compares it with the number of the round's frame.
reading:
        sti
        mov ebp, 1
.round:
        pause
        mov eax, [PAGE]                 ; keeps the translation in use
        cmp [FLAG], ebp
        jne .round
        mov eax, [PAGE]
        mov ecx, ebp
        and ecx, 15
        cmp eax, ecx
        je .right
        lock inc dword [WRONG]
.right:
        mov [ANSWER], ebp
        inc ebp
        cmp ebp, ROUNDS
        jbe .round
        cli
        ret

; Writes the page all the time until STOP; faults are counted.
writing:
        sti
        xor ebp, ebp
.again:
        mov dword [SMP_RESUME + edi * 4], .fault
        inc ebp
        mov [PAGE], ebp
        jmp .on
.fault:
        inc dword [FAULTS]
        pause
.on:
        inc dword [ANSWER]
        cmp dword [STOP], 0
        je .again
        cli
        mov dword [SMP_RESUME + edi * 4], 0
        ret

; Touches the page while it is not present, says so, waits for the flag, and touches it again: now it has to be there.
touching:
        mov ebp, 1
.round:
        mov dword [SMP_RESUME + edi * 4], .absent
        mov eax, [PAGE]
        lock inc dword [WRONG]          ; it should not have been there
.absent:
        mov dword [SMP_RESUME + edi * 4], 0
        mov dword [ANSWER], 0
.wait:
        pause
        cmp [FLAG], ebp
        jne .wait
        mov dword [SMP_RESUME + edi * 4], .fault
        mov eax, [PAGE]
        jmp .done
.fault:
        lock inc dword [WRONG]
.done:
        mov dword [SMP_RESUME + edi * 4], 0
        mov [ANSWER], ebp
        inc ebp
        cmp ebp, ROUNDS
        ja .end
.next:
        pause
        cmp dword [FLAG], 0             ; not present again
        jne .next
        invlpg [PAGE]
        jmp .round
.end:
        ret

; Uses the page with no translation at hand, again and again.
using:
        mov ebp, 20000
.again:
        invlpg [PAGE]
        inc dword [PAGE]
        dec ebp
        jnz .again
        mov dword [STOP], 1
        ret

; In each round one write, once the page is there.
once:
        sti
        mov ebp, 1
.round:
        pause
        cmp [FLAG], ebp
        jne .round
        mov dword [SMP_RESUME + edi * 4], .fault
        mov [PAGE], ebp
        mov dword [SMP_RESUME + edi * 4], 0
        jmp .done
.fault:
        inc dword [FAULTS]
.done:
        mov [ANSWER], ebp
        inc ebp
        cmp ebp, ROUNDS
        jbe .round
.stay:                                  ; the last shoot-down has yet to come
        pause
        cmp dword [STOP], 0
        je .stay
        cli
        ret

%macro fresh 0
        mov dword [FLAG], 0
        mov dword [ANSWER], 0
        mov dword [WRONG], 0
        mov dword [STOP], 0
        mov dword [FAULTS], 0
%endmacro

; Another frame each round.
%macro frames 0
        fresh
        mov dword [PTE], FRAME + (P_P | P_W)
        on_cpu 1, reading
        mov ebp, 1
%%round:
        mov eax, ebp
        and eax, 15
        shl eax, 12
        add eax, FRAME + (P_P | P_W)
        mov [PTE], eax
        shoot_down
        mov [FLAG], ebp
        await [ANSWER], ebp
        inc ebp
        cmp ebp, ROUNDS
        jbe %%round
        await_cpu 1
        expect_var WRONG, 0
%endmacro

main:
        mov edi, PD
        mov ecx, 0x3000 / 4
        xor eax, eax
        rep stosd
        mov edi, PT0
        mov eax, P_P | P_W
        mov ecx, 1024
.fill:
        stosd
        add eax, 0x1000
        loop .fill
        mov dword [PD], PT0 + (P_P | P_W)
        mov dword [PD + 4], PT1 + (P_P | P_W)
        mov dword [PD + 0xfec], 0xfec00000 + (P_P | P_W | P_PS) ; both APICs
        xor ecx, ecx
.number:
        mov eax, ecx
        shl eax, 12
        mov [FRAME + eax], ecx
        inc ecx
        cmp ecx, 16
        jb .number
        start_cpus 2
        mov dword [SMP_HOOK], shoot
        on_all paging
        mov dword [SHOT], 0
        mov dword [BY_CR3], 0

        it "another frame, by invlpg"
        frames
        it "another frame, by a load of CR3"
        mov dword [BY_CR3], 1
        frames
        mov dword [BY_CR3], 0
        it "once a page is read-only for all, nobody writes it"
        fresh
        mov dword [PTE], FRAME + (P_P | P_W)
        invlpg [PAGE]
        on_cpu 1, writing
        mov esi, 200
        xor edi, edi
.protect:
        mov eax, [ANSWER]
.moves:
        pause
        cmp eax, [ANSWER]
        je .moves
        mov dword [PTE], FRAME + P_P
        shoot_down
        mov eax, [FRAME]
        mov ecx, 500
.watch:
        pause
        cmp [FRAME], eax
        je .same
        inc edi
.same:
        loop .watch
        mov dword [PTE], FRAME + (P_P | P_W)
        dec esi
        jnz .protect
        expect_eq edi, 0
        it "it got faults instead"
        xor eax, eax
        cmp dword [FAULTS], 0
        setne al
        expect_eq eax, 1
        it "once a page is gone for all, nobody writes it"
        mov esi, 200
        xor edi, edi
.remove:
        mov eax, [ANSWER]
.lives:
        pause
        cmp eax, [ANSWER]
        je .lives
        xor eax, eax
        xchg [PTE], eax
        shoot_down
        mov eax, [FRAME]
        mov ecx, 500
.look:
        pause
        cmp [FRAME], eax
        je .still
        inc edi
.still:
        loop .look
        mov dword [PTE], FRAME + (P_P | P_W)
        dec esi
        jnz .remove
        mov dword [STOP], 1
        await_cpu 1
        expect_eq edi, 0
        it "a page that becomes present needs no invalidation"
        fresh
        mov dword [PTE], 0
        on_cpu 1, flush
        await_cpu 1
        mov dword [ANSWER], 1
        on_cpu 1, touching
        mov ebp, 1
.appear:
        await [ANSWER], 0
        mov dword [PTE], FRAME + (P_P | P_W)
        mov [FLAG], ebp
        await [ANSWER], ebp
        cmp ebp, ROUNDS
        je .seen
        mov dword [PTE], 0
        mov dword [FLAG], 0
        inc ebp
        jmp .appear
.seen:
        await_cpu 1
        expect_var WRONG, 0
        it "an entry that is being counted up loses nothing to accessed and dirty bits"
        fresh
        mov dword [PTE], FRAME + (P_P | P_W)
        mov dword [FRAME], 0
        on_cpu 1, using
        xor ebp, ebp
.count:
        lock add dword [PTE], 0x200     ; bits 9 to 11 are the system's; this one carries into the frame's number
        lock sub dword [PTE], 0x200
        lock and dword [PTE], ~(P_A | P_D)
        lock xor dword [PTE], 0x400
        inc ebp
        cmp dword [STOP], 0
        je .count
        await_cpu 1
        mov eax, [PTE]
        and eax, 0xfffff200
        expect_eq eax, FRAME
        mov eax, [PTE]
        shr eax, 10
        xor eax, ebp
        and eax, 1
        expect_eq eax, 0
        it "and no access goes astray"
        expect_mem d, [FRAME], 20000
        it "a write that left no dirty bit did not happen"
        fresh
        mov dword [PTE], 0
        on_cpu 1, flush
        await_cpu 1
        on_cpu 1, once
        mov ebp, 1
        xor edi, edi
.race:
        mov dword [FRAME], 0
        mov dword [PTE], FRAME + (P_P | P_W)
        mov [FLAG], ebp
        mov ecx, ebp
        and ecx, 63
        inc ecx
.delay:
        pause
        loop .delay
        xor esi, esi
        xchg [PTE], esi
        shoot_down
        await [ANSWER], ebp
        test esi, P_D
        jnz .written
        cmp dword [FRAME], 0
        je .next
        inc edi                         ; written without a dirty bit
        jmp .next
.written:
        cmp [FRAME], ebp
        je .next
        inc edi                         ; a dirty bit without the write, whose instruction had to complete
.next:
        inc ebp
        cmp ebp, ROUNDS
        jbe .race
        mov dword [STOP], 1
        await_cpu 1
        expect_eq edi, 0
        it "another CPU sees accessed and dirty bits"
        mov dword [PTE], FRAME + (P_P | P_W)
        on_cpu 1, flush
        await_cpu 1
        on_cpu 1, .load
        await_cpu 1
        mov eax, [PTE]
        and eax, P_A | P_D
        expect_eq eax, P_A
        on_cpu 1, .store
        await_cpu 1
        mov eax, [PTE]
        and eax, P_A | P_D
        expect_eq eax, P_A | P_D
        all_well
        finish
.load:
        mov eax, [PAGE]
        ret
.store:
        mov [PAGE], eax
        ret
flush:
        invlpg [PAGE]
        ret

        image_end
