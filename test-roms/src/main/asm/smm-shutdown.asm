; RSM to a state that cannot be.
;
; checks: CR0 with PG and without PE in the saved state shuts the CPU down; the run ends with the status for that
; see: SDM 3C 32.3.2 (exiting from SMM)
; needs: cpus=1
; status: 126
; QEMU: its firmware has moved SMBASE, so the handler of this ROM does not run
; assertions: 0

%define WITH_REAL
%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smm.inc"

        bits 16
hook_spoil:
        mov dword [dword SMBASE + SMM_CR0], 0x80000010
        ret
        bits 32

main:
        apic_on
        call smm_install
        mov dword [smm_hook], hook_spoil
        smi_by_apic
        mov al, EXIT_FAILURE
        out DEBUG_EXIT, al

        image_end
