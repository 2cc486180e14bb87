; SYSENTER and SYSEXIT of protected mode.
;
; checks: the MSRs 174 to 176, flags and segments after SYSENTER, return by SYSEXIT, faults
; see: SDM 3A 5.8.7 (fast calls), SDM 2 (SYSENTER, SYSEXIT)
; needs: cpus=1
; status: 33
; assertions: 10

%include "lib/rom.inc"

IA32_SYSENTER_CS        equ 0x174
IA32_SYSENTER_ESP       equ 0x175
IA32_SYSENTER_EIP       equ 0x176

%macro write_msr 2
        mov ecx, %1
        mov eax, %2
        xor edx, edx
        wrmsr
%endmacro

main:
        it "CPUID offers SEP"
        mov eax, 1
        cpuid
        bt edx, 11
        expect_flags CF, CF
        it "with a null IA32_SYSENTER_CS, sysenter raises #GP(0)"
        write_msr IA32_SYSENTER_CS, 0
        faults X_GP, 0, sysenter
        it "and so does sysexit"
        faults X_GP, 0, sysexit
        it "the MSRs read back"
        write_msr IA32_SYSENTER_CS, K_CODE
        write_msr IA32_SYSENTER_ESP, RING0_STACK
        write_msr IA32_SYSENTER_EIP, entered
        mov ecx, IA32_SYSENTER_EIP
        rdmsr
        expect_is eax, entered
        expect_eq edx, 0
        it "sysexit in ring 3 raises #GP(0)"
        to_user
        faults X_GP, 0, sysexit
        it "sysenter goes to ring 0, flat, on the stack of the MSR"
        push dword 0x3202 & ~0x3000 | CF
        popfd
        mov ecx, esp
        mov edx, returned
        sysenter
        unreachable
entered:
        mov ax, cs
        expect_eq ax, K_CODE
        mov ax, ss
        expect_eq ax, K_DATA
        expect_eq esp, RING0_STACK
        it "sysenter clears IF and VM, keeps other flags"
        expect_flags IF | VM | CF, CF
        it "sysexit goes to EDX and ECX in ring 3"
        sysexit
        unreachable
returned:
        expect_same esp, ecx
        mov ax, cs
        expect_eq ax, K_CODE + 16 + 3
        mov ax, ss
        expect_eq ax, K_CODE + 24 + 3
        it "and ring 3 it is"
        faults X_GP, 0, hlt
        from_user
        it "the MSRs are privileged"
        to_user
        mov ecx, IA32_SYSENTER_EIP
        faults X_GP, 0, rdmsr
        faults X_GP, 0, wrmsr
        from_user
        finish

        image_end
