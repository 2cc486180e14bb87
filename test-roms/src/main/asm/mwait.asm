; MONITOR and MWAIT.
;
; checks: CPUID leaf 5, the checks of ECX, of the privilege level and of the address, MWAIT ends by an interrupt and by a
;         store before it, IA32_MISC_ENABLE switches them off; where CPUID does not offer them, nothing
; see: SDM 2 (MONITOR, MWAIT), SDM 3A 9.10, SDM 4 (IA32_MISC_ENABLE)
; needs: cpus=1
; status: 33
; Bochs: its IA32_MISC_ENABLE cannot be written
; QEMU: its TCG checks neither privilege nor IA32_MISC_ENABLE, and waits for an interrupt
; assertions: 12

%include "lib/rom.inc"
%include "lib/chips.inc"

LINE    equ 0x60000
IA32_MISC_ENABLE equ 0x1a0

; Leaves a test where CPUID does not offer MONITOR. Clobbers EAX, EBX, ECX, EDX.
%macro only_with_monitor 1
        mov eax, 1
        xor ecx, ecx
        cpuid
        bt ecx, 3
        jnc %1
        mov eax, LINE
        xor ecx, ecx
        xor edx, edx
%endmacro

main:
        it "CPUID leaf 5 is there and its lines are of 16 bytes or more"
        only_with_monitor .leaf
        mov eax, 5
        cpuid
        and eax, 0xffff
        cmp eax, 16
        jae .enough
        unreachable
.enough:
        cmp eax, ebx
        jbe .leaf
        unreachable
.leaf:
        it "monitor takes an address and no extension"
        only_with_monitor .extension
        monitor
        mov ecx, 1
        faults X_GP, 0, monitor
.extension:
        it "monitor reads a byte: it checks the segment"
        only_with_monitor .segment
        push ds
        push eax
        xor ax, ax
        mov ds, ax
        pop eax
        faults X_GP, 0, monitor
        pop ds
.segment:
        it "monitor takes a segment prefix"
        only_with_monitor .prefix
        push es
        push eax
        xor ax, ax
        mov es, ax
        pop eax
        arm .after_prefix
.with_prefix:
        db 0x26, 0x0f, 0x01, 0xc8
.after_prefix:
        pop es
        expect_fault X_GP, 0, .with_prefix
.prefix:
        it "mwait without a store ends by an interrupt or by itself"
        only_with_monitor .interrupt
        monitor
        mov dword [LINE], 1             ; the line is written: it must not wait
        mwait
.interrupt:
        it "mwait without monitor does not wait for ever"
        only_with_monitor .none
        mwait
.none:
        it "extension 0 is taken where CPUID says so"
        only_with_monitor .ext0
        mov eax, 5
        cpuid
        and ecx, 3
        cmp ecx, 3
        jne .ext0
        mov eax, LINE
        xor ecx, ecx
        xor edx, edx
        monitor
        mov dword [LINE], 2
        xor eax, eax
        mov ecx, 1
        mwait
.ext0:
        it "other extensions raise #GP(0)"
        only_with_monitor .other
        mov ecx, 2
        faults X_GP, 0, mwait
        mov ecx, 0x80000000
        faults X_GP, 0, mwait
.other:
        it "neither touches registers or flags"
        only_with_monitor .flags
        mov ebx, -1
        add ebx, 1
        monitor
        mov dword [LINE], 3
        mwait
        expect_flags ARITH, CF | PF | AF | ZF
        expect_eq eax, LINE
        expect_eq ecx, 0
        expect_eq edx, 0
.flags:
        it "#UD in ring 3"
        only_with_monitor .user
        to_user
        xor ecx, ecx
        faults X_UD, NONE, monitor
        faults X_UD, NONE, mwait
        from_user
.user:
        it "#UD with LOCK, 66, F3 and F2"
        only_with_monitor .prefixes
%macro refused 1
        arm %%after
%%instruction:
        db %1, 0x0f, 0x01, 0xc9
%%after:
        expect_fault X_UD, NONE, %%instruction
%endmacro
        refused 0xf0
        refused 0x66
        refused 0xf3
        refused 0xf2
.prefixes:
        it "IA32_MISC_ENABLE bit 18 clear: #UD, and CPUID does not offer them"
        only_with_monitor .off
        mov ecx, IA32_MISC_ENABLE
        rdmsr
        push eax
        push edx
        and eax, ~(1 << 18)
        wrmsr
        mov eax, 1
        cpuid
        and ecx, 1 << 3
        expect_eq ecx, 0
        faults X_UD, NONE, monitor
        faults X_UD, NONE, mwait
        mov ecx, IA32_MISC_ENABLE
        pop edx
        pop eax
        wrmsr
        xor ecx, ecx
        xor edx, edx
        mov eax, LINE
        monitor
.off:
        finish

        image_end
