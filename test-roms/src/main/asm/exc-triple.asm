; A triple fault.
;
; checks: a fault while delivering a double fault shuts the CPU down; the run ends with the status for that
; see: SDM 3A 6.15 (#DF: shutdown)
; needs: cpus=1
; status: 126
; QEMU: with -no-reboot the status is 0; it has none for a triple fault
; assertions: 0

%include "lib/image.inc"
%include "lib/ports.inc"

start:
        lidt [no_idt]
        ud2
        mov al, EXIT_FAILURE
        out DEBUG_EXIT, al
no_idt:
        dw 0
        dd 0

        image_end
