; Prints a greeting on COM1 and powers the machine off.
;
; checks: a PVH kernel is loaded and entered, COM1, ACPI power off
; see: the PVH boot protocol (Xen, docs/misc/pvh.pandoc); ACPI 4.8.3.2.1 (PM1 control, SLP_TYPx, SLP_EN)
; needs: cpus=1
; status: 0
; assertions: 0

%define NO_MULTIBOOT
%include "lib/image.inc"
%include "lib/ports.inc"

start:
        mov esp, 0x7000
        init_com1
        mov esi, greeting
.next:
        lodsb
        test al, al
        jz .off
        mov ah, al
.wait:
        mov dx, COM1_LSR
        in al, dx
        test al, LSR_THRE
        jz .wait
        mov al, ah
        mov dx, COM1
        out dx, al
        jmp .next
.off:
        mov dx, PM1A_CNT
        mov ax, SLP_EN                  ; SLP_TYP 0 is S5 on this board
        out dx, ax
        cli
        hlt

        section .str
greeting:
        db "Hello from SoftKVM", 13, 10, 0

        image_end
