; I/O breakpoints.
;
; checks: IN and OUT of all widths, immediate and DX forms, lengths of 1, 2 and 4 ports, strings with REP, from ring 3 with
;         the permission map, without CR4.DE
; see: SDM 3B 18.2.4, 18.3.1.2 (data and I/O breakpoints are traps)
; needs: cpus=1
; status: 33
; QEMU: its TCG loses its way after the breakpoint of an access that is wider than the ports watched
; assertions: 13

%include "lib/rom.inc"

PORT    equ 0x402                       ; the debug console, if there is one: reads and writes harm nobody
CR4_DE  equ 8
DR7_IO  equ 2

var     hits
var     hit_ip
var     hit_dr6

note_hit:
        inc dword [hits]
        mov edx, [ebx]
        mov [hit_ip], edx
        mov edx, dr6
        mov [hit_dr6], edx
        mov edx, 0xffff0ff0
        mov dr6, edx
        ret

; watch number, port, length field
%macro watch 3
        mov eax, %2
        mov dr%1, eax
        mov eax, 0x700 | (2 << (2 * (%1))) | ((DR7_IO | ((%3) << 2)) << (16 + 4 * (%1)))
        mov dr7, eax
%endmacro

%macro hit 2+
        mov dword [hits], 0
        mov eax, 0
        %2
%%behind:
        expect_var hits, 1
        expect_var hit_ip, %%behind
        mov eax, [hit_dr6]
        and eax, 0x600f
        expect_eq eax, 1 << (%1)
%endmacro

%macro miss 1+
        mov dword [hits], 0
        mov eax, 0
        %1
        expect_var hits, 0
%endmacro

main:
        mov dword [v_hook], note_hit
        mov eax, 0xffff0ff0
        mov dr6, eax
        mov eax, cr4
        or eax, CR4_DE
        mov cr4, eax
        mov edx, PORT
        it "one port: a write of a byte, by DX"
        watch 0, PORT, 0
        hit 0, out dx, al
        it "a read of it"
        hit 0, in al, dx
        it "the ports around it do not hit"
        mov edx, PORT - 1
        miss in al, dx
        mov edx, PORT + 1
        miss in al, dx
        it "a wider access that covers it does"
        mov edx, PORT - 1
        hit 0, in ax, dx
        mov edx, PORT - 3
        hit 0, in eax, dx
        it "two ports: aligned to two"
        watch 1, PORT + 1, 1
        mov edx, PORT
        hit 1, in al, dx
        mov edx, PORT + 1
        hit 1, in al, dx
        mov edx, PORT + 2
        miss in al, dx
        it "four ports: aligned to four"
        watch 2, 0x403, 3
        mov edx, 0x400
        hit 2, in al, dx
        mov edx, 0x403
        hit 2, in al, dx
        mov edx, 0x404
        miss in al, dx
        it "the immediate form"
        watch 3, 0x80, 0
        hit 3, out 0x80, al
        hit 3, in al, 0x80
        miss in al, 0x21
        it "outs: the trap comes behind it, the registers are those after it"
        watch 0, PORT, 0
        mov edx, PORT
        mov esi, FREE
        mov dword [hits], 0
        outsb
.outs:
        expect_var hits, 1
        expect_var hit_ip, .outs
        expect_eq esi, FREE + 1
        it "rep outs traps after each iteration"
        mov esi, FREE
        mov ecx, 3
        mov dword [hits], 0
        rep outsb
        expect_var hits, 3
        expect_eq ecx, 0
        expect_eq esi, FREE + 3
        it "ins too"
        mov edi, FREE
        mov ecx, 2
        mov dword [hits], 0
        rep insb
        expect_var hits, 2
        expect_eq edi, FREE + 2
        it "memory at the address of the port does not hit"
        miss mov al, [PORT]
        it "a denied access does not hit: #GP comes before"
        mov dword [v_hook], 0
        mov byte [TSS32 + 0x68 + (PORT >> 3)], 1 << (PORT & 7)
        to_user
        mov edx, PORT
        faults X_GP, 0, out dx, al
        from_user
        mov eax, dr6
        and eax, 15
        expect_eq eax, 0
        it "an allowed one of ring 3 does"
        mov dword [v_hook], note_hit
        mov byte [TSS32 + 0x68 + (PORT >> 3)], 0
        mov dword [hits], 0
        to_user
        mov edx, PORT
        out dx, al
        nop
        from_user
        expect_var hits, 1
        mov eax, 0x700
        mov dr7, eax
        finish

        image_end
