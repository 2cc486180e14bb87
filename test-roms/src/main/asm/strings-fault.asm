; String instructions that fault in the middle.
;
; checks: at a page fault inside a REP instruction the registers say how far it came, what was done is in memory, what
;         was not is untouched, and the instruction goes on from there when it is restarted
; see: SDM 2 (REP: "If the REP is interrupted by a fault"), SDM 3A 6.6 (restarting)
; needs: cpus=1
; status: 33
; assertions: 14

%define WITH_LONG
%include "lib/rom.inc"

; Pages: SOURCE at A, then A + 1 which is not present; TARGET likewise; two pages that lie apart physically.
SOURCE  equ 0x51000
TARGET  equ 0x54000

var     fixes

; Makes the page of CR2 present and counts.
fix_page:
        mov eax, cr2
        shr eax, 12
        or dword [PT0 + eax * 8], P_P
        mov eax, cr2
        invlpg [eax]
        inc dword [fixes]
        ret

%macro absent 1
        and dword [PT0 + ((%1) >> 12) * 8], ~P_P
        invlpg [%1]
%endmacro
%macro present 1
        or dword [PT0 + ((%1) >> 12) * 8], P_P
        invlpg [%1]
%endmacro

main:
        ; PAE paging with the tables of long mode serves 32-bit code as well: PDPT entries without their W and U bits.
        call build_tables64
        mov ecx, 4
        mov edi, PDPT
.pdpte:
        and dword [edi], ~(P_W | P_U)
        add edi, 8
        loop .pdpte
        mov eax, CR4_PAE
        mov cr4, eax
        mov eax, PDPT
        mov cr3, eax
        mov eax, cr0
        or eax, CR0_PG | CR0_WP
        mov cr0, eax

        mov edi, SOURCE
        mov ecx, 0x2000
        mov al, 0
.fill:
        stosb
        inc al
        loop .fill

        it "rep movsb: the fault is at the first byte of the missing destination page"
        mov edi, TARGET
        mov ecx, 0x2000
        mov al, 0xee
        rep stosb
        absent TARGET + 0x1000
        mov esi, SOURCE + 0x10
        mov edi, TARGET + 0xff0
        mov ecx, 0x20
        faults X_PF, 2, rep movsb
        expect_var v_cr2, TARGET + 0x1000
        expect_eq edi, TARGET + 0x1000
        expect_eq esi, SOURCE + 0x20
        expect_eq ecx, 0x10
        expect_mem b, [TARGET + 0xfff], 0x1f
        it "restarted, it completes the rest"
        present TARGET + 0x1000
        rep movsb
        expect_eq ecx, 0
        expect_mem d, [TARGET + 0x100c], 0x2f2e2d2c
        expect_mem b, [TARGET + 0x1010], 0xee
        it "rep movsd: an element across the page end is not half written"
        mov edi, TARGET
        mov ecx, 0x1000
        mov al, 0xee
        rep stosb
        absent TARGET + 0x1000
        mov esi, SOURCE
        mov edi, TARGET + 0xff6
        mov ecx, 4
        faults X_PF, 2, rep movsd
        expect_var v_cr2, TARGET + 0x1000
        expect_eq edi, TARGET + 0xffe
        expect_eq esi, SOURCE + 8
        expect_eq ecx, 2
        expect_mem w, [TARGET + 0xffe], 0xeeee
        it "the same from a handler that maps the page"
        mov dword [v_hook], fix_page
        mov dword [fixes], 0
        rep movsd
        mov dword [v_hook], 0
        expect_var fixes, 1
        expect_eq ecx, 0
        expect_mem d, [TARGET + 0xffe], 0x0b0a0908
        expect_mem d, [TARGET + 0x1002], 0x0f0e0d0c
        it "rep movsb: a missing source page"
        absent SOURCE + 0x1000
        mov esi, SOURCE + 0xffc
        mov edi, TARGET
        mov ecx, 8
        faults X_PF, 0, rep movsb
        expect_var v_cr2, SOURCE + 0x1000
        expect_eq ecx, 4
        expect_eq esi, SOURCE + 0x1000
        expect_eq edi, TARGET + 4
        present SOURCE + 0x1000
        it "backwards: the fault is at the last byte of the missing page before"
        absent TARGET
        mov esi, SOURCE + 0x103
        mov edi, TARGET + 0x1003
        mov ecx, 8
        std
        faults X_PF, 2, rep movsb
        cld
        expect_var v_cr2, TARGET + 0xfff
        expect_eq ecx, 4
        expect_eq edi, TARGET + 0xfff
        expect_eq esi, SOURCE + 0xff
        it "rep stosd into a missing page"
        present TARGET
        absent TARGET + 0x1000
        mov edi, TARGET + 0xff8
        mov eax, 0x12345678
        mov ecx, 100
        faults X_PF, 2, rep stosd
        expect_eq ecx, 98
        expect_eq edi, TARGET + 0x1000
        expect_mem d, [TARGET + 0xffc], 0x12345678
        it "rep stosw over a read-only page, WP on"
        present TARGET + 0x1000
        and dword [PT0 + ((TARGET + 0x1000) >> 12) * 8], ~P_W
        invlpg [TARGET + 0x1000]
        mov edi, TARGET + 0xffe
        mov ecx, 5
        faults X_PF, 3, rep stosw
        expect_eq ecx, 4
        expect_eq edi, TARGET + 0x1000
        or dword [PT0 + ((TARGET + 0x1000) >> 12) * 8], P_W
        invlpg [TARGET + 0x1000]
        it "repe cmpsb that faults keeps the count; flags are those of before or of the last pair"
        absent TARGET + 0x1000
        mov esi, TARGET + 0xffe
        mov edi, TARGET + 0xffe
        mov ecx, 10
        faults X_PF, 0, repe cmpsb
        expect_eq ecx, 8
        expect_eq esi, TARGET + 0x1000
        expect_eq edi, TARGET + 0x1000
        it "repne scasb into a missing page"
        mov edi, TARGET + 0xffd
        mov al, 0x99
        mov byte [TARGET + 0xffd], 0
        mov word [TARGET + 0xffe], 0
        mov ecx, 10
        faults X_PF, 0, repne scasb
        expect_eq ecx, 7
        expect_eq edi, TARGET + 0x1000
        it "lodsd across the page end keeps EAX and ESI"
        mov esi, TARGET + 0xffd
        mov eax, 0x5555
        faults X_PF, 0, lodsd
        expect_eq eax, 0x5555
        expect_eq esi, TARGET + 0xffd
        expect_var v_cr2, TARGET + 0x1000
        it "a store across the page end writes nothing when its second half faults"
        mov dword [TARGET + 0xffc], 0x11223344
        faults X_PF, 2, mov dword [TARGET + 0xffe], 0xaaaaaaaa
        expect_mem d, [TARGET + 0xffc], 0x11223344
        it "push across the page end keeps ESP"
        to_user
        mov esp, TARGET + 0x1002
        put dword, v_vec, NONE
        put dword, v_resume, .user_pushed
.user_push:
        push dword 0x77777777
.user_pushed:
        mov ebx, esp
        mov esp, USER_STACK
        expect_fault X_PF, 6, .user_push
        expect_eq ebx, TARGET + 0x1002
        expect_mem w, [TARGET + 0xffe], 0x1122
        from_user
        it "insb into a missing page reads the port only when it can be stored"
        mov dx, 0x21
        mov edi, TARGET + 0xfff
        mov ecx, 2
        faults X_PF, 2, rep insb
        expect_eq ecx, 1
        expect_eq edi, TARGET + 0x1000
        finish

        image_end
