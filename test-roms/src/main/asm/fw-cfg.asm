; The firmware configuration device of QEMU's machines (fw_cfg).
;
; checks: signature, id, sizes and counts, selection, reading past the end, the directory and etc/e820, DMA with select,
;         read, skip, error
; see: QEMU, docs/specs/fw_cfg
; needs: cpus=1
; status: 33
; Bochs: has no such device
; assertions: 18

%include "lib/rom.inc"

SELECT  equ 0x510
DATA    equ 0x511
DMA     equ 0x514
CTL_ERROR equ 1
CTL_READ equ 2
CTL_SKIP equ 4
CTL_SELECT equ 8
CTL_WRITE equ 16
ACCESS  equ FREE                        ; the structure of a transfer
BUFFER  equ FREE + 0x100

var     e820_key
var     e820_size

%macro select 1
        mov dx, SELECT
        mov ax, %1
        out dx, ax
        mov dx, DATA
%endmacro

; EAX = the next 4 bytes of the item, the first lowest. DX = DATA.
%macro next_dword 0
%rep 4
        in al, dx
        ror eax, 8
%endrep
%endmacro

; dma control, length: a transfer to BUFFER; EAX = the control word afterwards.
%macro dma 2
        mov dword [ACCESS], %1
        bswap_at ACCESS
        mov dword [ACCESS + 4], %2
        bswap_at ACCESS + 4
        mov dword [ACCESS + 8], 0
        mov dword [ACCESS + 12], BUFFER
        bswap_at ACCESS + 12
        call start_dma
%endmacro
%macro bswap_at 1
        mov eax, [%1]
        bswap eax
        mov [%1], eax
%endmacro

start_dma:
        mov dx, DMA + 4
        mov eax, ACCESS
        bswap eax
        out dx, eax
        mov eax, [ACCESS]
        bswap eax
        ret

main:
        it "the signature is QEMU"
        select 0
        next_dword
        expect_eq eax, 'QEMU'
        it "past its end an item reads as zero"
        in al, dx
        expect_eq al, 0
        it "selecting begins anew"
        select 0
        in al, dx
        expect_eq al, 'Q'
        it "the id has the ports and DMA"
        select 1
        next_dword
        and eax, 3
        expect_eq eax, 3
        it "string input reads an item"
        select 0
        mov edi, BUFFER
        mov ecx, 4
        cld
        rep insb
        expect_mem d, [BUFFER], 'QEMU'
        it "the amount of RAM is a multiple of 4 KiB, and there is some"
        select 3
        next_dword
        test eax, 0xfff
        setz bl
        test eax, eax
        setnz bh
        expect_eq bx, 0x0101
        it "one CPU"
        select 5
        in al, dx
        expect_eq al, 1
        in al, dx
        expect_eq al, 0
        it "at most as many CPUs as it says"
        select 0x0f
        in al, dx
        cmp al, 1
        setae al
        expect_eq al, 1
        it "an item that nobody made is empty"
        select 0x3ffe
        next_dword
        expect_eq eax, 0
        it "writes to the data port change nothing"
        select 0
        mov al, 'x'
        out dx, al
        select 0
        in al, dx
        expect_eq al, 'Q'
        it "the DMA register reads as QEMU CFG"
        mov dx, DMA
        in eax, dx
        expect_eq eax, 'QEMU'
        mov dx, DMA + 4
        in eax, dx
        expect_eq eax, ' CFG'
        it "DMA selects and reads, zeros behind the end"
        mov dword [BUFFER + 4], 0x77777777
        dma CTL_SELECT | CTL_READ, 6
        expect_eq eax, 0
        expect_mem d, [BUFFER], 'QEMU'
        expect_mem d, [BUFFER + 4], 0x77770000
        it "the port goes on where DMA stopped"
        dma CTL_SELECT | CTL_READ, 2
        mov dx, DATA
        in al, dx
        expect_eq al, 'M'
        it "DMA skips"
        dma CTL_SELECT | CTL_SKIP, 3
        expect_eq eax, 0
        dma CTL_READ, 1
        expect_mem b, [BUFFER], 'U'
        it "DMA to where there is no memory ends in an error"
        dma CTL_SELECT, 0
        mov dword [ACCESS], CTL_READ << 24
        mov dword [ACCESS + 4], 4 << 24
        mov dword [ACCESS + 8], 0xffff0000
        mov dword [ACCESS + 12], 0
        call start_dma
        and eax, CTL_ERROR
        expect_eq eax, CTL_ERROR
        it "DMA does not write read-only items"
        dma CTL_SELECT | CTL_WRITE, 4
        and eax, CTL_ERROR
        expect_eq eax, CTL_ERROR
        select 0
        next_dword
        expect_eq eax, 'QEMU'

        it "the directory has etc/e820"
        select 0x19
        next_dword
        bswap eax
        mov ebx, eax                    ; files
.file:
        test ebx, ebx
        jz .none
        dec ebx
        next_dword
        bswap eax
        mov [e820_size], eax
        next_dword
        bswap eax
        shr eax, 16
        mov [e820_key], eax
        mov edi, BUFFER
        mov ecx, 56
        rep insb
        cmp dword [BUFFER], 'etc/'
        jne .file
        cmp dword [BUFFER + 4], 'e820'
        jne .file
        cmp byte [BUFFER + 8], 0
        jne .file
        jmp .found
.none:
        unreachable
.found:
        it "which has entries of 20 bytes, one of them RAM at 0"
        mov eax, [e820_size]
        xor edx, edx
        mov ecx, 20
        div ecx
        expect_eq edx, 0
        mov ebx, eax                    ; entries
        mov eax, [e820_key]
        mov dx, SELECT
        out dx, ax
        mov dx, DATA
.entry:
        mov edi, BUFFER
        mov ecx, 20
        rep insb
        mov eax, [BUFFER]
        or eax, [BUFFER + 4]
        jnz .other
        cmp dword [BUFFER + 16], 1
        je .ram
.other:
        dec ebx
        jnz .entry
        unreachable
.ram:
        finish

        image_end
