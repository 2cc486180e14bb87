; A boot sector.
;
; checks: loaded at 0000:7C00 with DL = 80, A20 and BIOS services not needed; it prints like the other ROMs
; see: the BIOS boot specification
; format: boot
; needs: cpus=1
; status: 33
; Bochs: needs a BIOS with a disk
; assertions: 3

%include "lib/ports.inc"

        bits 16
        org 0x7c00
        call here
here:
        pop bp                          ; the address it runs at
        mov bx, cs
        cli
        xor ax, ax
        mov ds, ax
        mov ss, ax
        mov sp, 0x7c00
        cld
        mov di, dx
        init_com1
        mov si, name_address
        mov ax, bx                      ; CS * 16 + IP
        shl ax, 4
        add ax, bp
        cmp ax, here
        call result
        mov si, name_drive
        mov ax, di
        cmp al, 0x80
        call result
        mov si, name_signature
        cmp word [0x7dfe], 0xaa55
        call result
        mov si, totals
        call puts
        mov al, EXIT_SUCCESS
        out DEBUG_EXIT, al
        cli
        hlt

; Prints ok or FAIL by ZF, and the name at SI; ends the run on FAIL.
result:
        push si
        mov si, ok
        je .ok
        mov si, fail
.ok:
        pushf
        call puts
        popf
        pop si
        pushf
        call puts
        mov si, line_end
        call puts
        popf
        jne .end
        ret
.end:
        mov al, EXIT_FAILURE
        out DEBUG_EXIT, al
        hlt

puts:
        lodsb
        test al, al
        jz .end
        mov ah, al
.wait:
        mov dx, COM1_LSR
        in al, dx
        test al, LSR_THRE
        jz .wait
        mov al, ah
        mov dx, COM1
        out dx, al
        jmp puts
.end:
        ret

ok:             db "ok ", 0
fail:           db "FAIL ", 0
name_address:   db "runs at linear address 7C00", 0
name_drive:     db "DL is the first hard disk", 0
name_signature: db "the signature is in memory", 0
totals:         db "3 passed, 0 failed"
line_end:       db 13, 10, 0

        times 510 - ($ - $$) db 0
        dw 0xaa55
